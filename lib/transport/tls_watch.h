/* SPDX-License-Identifier: Apache-2.0 */
/* tls_watch.h: which files an SSL_CTX is made of, and which these are by now. */
#ifndef SKIFFI_TLS_WATCH_H
#define SKIFFI_TLS_WATCH_H

#include "base/buffer.h"
#include <skiff/tls.h>

/* Writes the names, and of each file (of a directory: of each in it) device, inode, size and times: equal bytes, same
 * files. One that is not there counts as such. False: memory is out. Any thread. */
bool skiffi_tls_watch_state(const struct skiff_tls_options *options, struct skiffi_buffer *state);

/* The same of the system's trust store alone. */
bool skiffi_tls_watch_system(struct skiffi_buffer *state);

/* Whether all that `options` name with a name of its own is there, and files, not directories or tokens. */
bool skiffi_tls_watch_plain(const struct skiff_tls_options *options);

#endif
