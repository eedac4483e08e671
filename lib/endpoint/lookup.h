/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.h: getaddrinfo, off the loop thread, for whoever may lose patience. */
#ifndef SKIFFI_LOOKUP_H
#define SKIFFI_LOOKUP_H

#include <netdb.h>
#include <uv.h>

struct skiffi_lookup_answer {
	int error;                   /* 0, or one of EAI_* */
	int system;                  /* errno with EAI_SYSTEM, else 0 */
	const struct addrinfo *list; /* shared with others who asked the same: not to be changed; NULL with an error */
};

struct skiffi_lookup; /* one question of one asker */

/* Called once by the loop, never from inside skiffi_lookup_start; `answer` is borrowed until return. */
typedef void (*skiffi_lookup_fn)(void *user, const struct skiffi_lookup_answer *answer);

/* Asks the system's resolver for the stream addresses of `host` (copied), of `family` (AF_INET, AF_INET6, or AF_UNSPEC
 * for both). Loop thread. Result: the lookup, freed by itself when it has called back; NULL when memory or threads are
 * out. */
struct skiffi_lookup *skiffi_lookup_start(
	uv_loop_t *loop, const char *host, int family, skiffi_lookup_fn done, void *user);

/* Gives up: `done` will not be called. Loop thread. The resolver may go on for a while by itself; neither the loop nor
 * the end of the process waits for it. */
void skiffi_lookup_cancel(struct skiffi_lookup *lookup);

#endif
