/* SPDX-License-Identifier: Apache-2.0 */
/* lab_dir.h: the folder with everything a lab writes: certificates, the broker's files, its log, its socket.
 *
 * A temporary one goes with the lab, however the lab ends: a small process, the keeper, removes it as soon as the lab
 * is no more. One that the user named stays, and is locked against a second lab. */
#ifndef SKIFF_LAB_DIR_H
#define SKIFF_LAB_DIR_H

#include "lab_state.h"

/* Makes the folder, mode 0700, in $TMPDIR, or where the user says; sets `dir` and `socket`. */
bool lab_dir_open(struct lab *lab);

/* Makes the certificates that the lab serves and shows, in `dir`/certs; or in another folder, `certs`, an absolute
 * path, where `all` adds those of cases.txt that it has no use for. */
bool lab_dir_certificates(struct lab *lab);
bool lab_dir_certificates_in(struct lab *lab, const char *certs, bool all);

/* Writes `text` into the file `name`, mode 0600. */
bool lab_dir_write(struct lab *lab, const char *name, const char *text);

/* Puts the newest line of the file `name` that holds `word` into `line`, without the broker's time stamp; "" if none
 * does. */
void lab_dir_last_line(struct lab *lab, const char *name, const char *word, char *line, size_t size);

/* Removes the folder if it is temporary, and waits until it is gone. */
void lab_dir_close(struct lab *lab);

#endif
