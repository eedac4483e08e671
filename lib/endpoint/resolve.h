/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.h: a host name becomes addresses, off the loop thread, with a deadline. */
#ifndef SKIFFI_RESOLVE_H
#define SKIFFI_RESOLVE_H

#include "endpoint/endpoint.h"
#include "loop/loop.h"
#include <netdb.h>
#include <sys/socket.h>

enum { SKIFFI_RESOLVE_MAX = 32 };

struct skiffi_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* The answer, in the order to try: families interleaved, the resolver's first family first [RFC 8305, 4]. */
struct skiffi_addresses {
	size_t count;
	struct skiffi_address list[SKIFFI_RESOLVE_MAX];
};

struct skiffi_resolve_wish {
	const char *address; /* numeric: the answer, whatever the host; borrowed as the endpoint is. NULL: ask */
	int ip_version;      /* 4 or 6: addresses of that kind alone; 0: both */
	int timeout_ms;      /* -1: none */
};

struct skiffi_resolve; /* one lookup under way */

/* Called once on the loop thread, never from inside skiffi_resolve_start; `error` NULL on success. `addresses` is
 * borrowed until return. */
typedef void (*skiffi_resolve_fn)(
	void *user, const struct skiffi_addresses *addresses, const struct skiff_error *error);

/* Starts a lookup for `endpoint` (literals and Unix paths are answered without asking anybody). Loop thread.
 * `wish` is not needed any more afterwards. Result: the lookup, freed by
 * itself when it has called back; NULL when memory or threads are out. */
struct skiffi_resolve *skiffi_resolve_start(struct skiffi_loop *loop, const struct skiffi_endpoint *endpoint,
	const struct skiffi_resolve_wish *wish, skiffi_resolve_fn done, void *user);

/* Gives up: `done` will not be called. Loop thread. */
void skiffi_resolve_cancel(struct skiffi_resolve *resolve);

/* Puts what getaddrinfo answered into that order, each address once, with `port`. */
void skiffi_addresses_interleave(struct skiffi_addresses *addresses, const struct addrinfo *answer, uint16_t port);

/* "192.0.2.1:1883", "[2001:db8::1]:1883" or the path of a Unix socket. */
void skiffi_address_text(const struct skiffi_address *address, char *out, size_t size);

#endif
