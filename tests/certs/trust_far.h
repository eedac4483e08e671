/* SPDX-License-Identifier: Apache-2.0 */
/* trust_far.h: what the tests of trust share: a folder of the group's own with the certificates of make-certs.sh, a far
 * end that shows one of them, and a client of the engine native that goes there once or often. */
#ifndef TESTS_TRUST_FAR_H
#define TESTS_TRUST_FAR_H

#include "support/net_listener.h"
#include "support/user.h"

enum { TRUST_PATH_BYTES = 256, TRUST_FILE_BYTES = 65536, TRUST_PIN_BYTES = 64 };

/* ---- the folder: the fixtures of a group, and its files by name ---- */

int trust_make(void **state);
int trust_remove(void **state);

const char *trust_path(const char *name); /* stands for the next seven calls */
void trust_write(const char *name, const char *text, size_t len);
size_t trust_read(const char *name, char out[TRUST_FILE_BYTES]); /* with a NUL behind it */
struct skiff_bytes trust_bytes(const char *name);                /* stands for the next three calls */

/* Runs a line of sh in the folder; the test fails where it does. */
__attribute__((format(printf, 1, 2))) void trust_shell(const char *format, ...);

/* The pin of a certificate, as `openssl` computes it. */
void trust_pin(const char *name, char pin[TRUST_PIN_BYTES]);

/* ---- the far end, and going there ---- */

/* Shows NAME.crt. Unless `options` has a script it answers CONNECT and listens. */
struct net_listener *trust_far(const char *certificate, struct net_options options);

struct skiff_options trust_options(const struct net_listener *far, const struct skiff_tls_options *tls);
struct skiff_tls_options trust_own_ca(void); /* no more than that CA */

/* One attempt: it ends in `code` with `says` (may be NULL) in its sentence; or tells of the way. */
void trust_gives(
	const struct net_listener *far, const struct skiff_tls_options *tls, enum skiff_code code, const char *says);
enum skiff_code trust_way(
	const struct net_listener *far, const struct skiff_tls_options *tls, struct skiff_connection *way);

/* A client connects and disconnects, with its session resumed or not; how many events of a kind it has had. */
void trust_connects(struct user *user, bool resumed);
unsigned trust_events(const struct user *user, enum skiff_event_kind kind);

#endif
