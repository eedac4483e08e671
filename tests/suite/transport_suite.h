/* SPDX-License-Identifier: Apache-2.0 */
/* transport_suite.h: what every transport must do, as one table of checks.
 *
 * A transport joins by a file of its own with a `struct suite_kind` and a main that calls transport_suite_run. */
#ifndef TESTS_TRANSPORT_SUITE_H
#define TESTS_TRANSPORT_SUITE_H

#include "transport/transport.h"
#include <skiff/tls.h>

/* One connection as its far end sees it; blocking, on a thread of its own. */
struct suite_peer {
	void *peer;
	size_t (*read)(void *peer, void *data, size_t len); /* 0: the end, or silence past all patience */
	bool (*write)(void *peer, const void *data, size_t len);
	void (*reset)(void *peer);     /* the connection ends by a reset when the script ends, else in order */
	bool (*was_reset)(void *peer); /* after read gave 0 */
};

typedef void (*suite_script)(const struct suite_peer *peer, void *user);

enum suite_manner {
	SUITE_SERVES,  /* runs the script for each connection */
	SUITE_REFUSES, /* refuses connections */
	SUITE_IGNORES  /* never lets one open */
};

/* How a near end finds its far end. */
struct suite_way {
	char url[256];
	struct skiff_tls_options tls;
	char proxy[64]; /* as a user writes it; "": none */
};

enum { SUITE_DNS = 1, SUITE_TCP = 2, SUITE_TLS = 4, SUITE_WEBSOCKET = 8, SUITE_PROXY = 16 };

struct suite_kind {
	const char *name;
	/* Starts a far end, and fills in `*way`; `script` is NULL unless it serves. */
	void *(*start)(enum suite_manner manner, suite_script script, void *user, struct suite_way *way);
	/* Waits for the scripts, and frees. */
	void (*stop)(void *far);
	/* NULL: skiffi_transport_new. */
	struct skiffi_transport *(*make)(void *far, struct skiffi_loop *loop,
		const struct skiffi_transport_config *config, const struct skiffi_transport_events *events, void *user);
	enum skiff_code ignored; /* the code after SUITE_IGNORES */
	unsigned phases;         /* which have a time after opening */
	bool resets;             /* a reset can be told from an end */
	bool single;             /* a far end takes one connection */
};

/* Runs all checks; the result is for main to return. */
int transport_suite_run(const struct suite_kind *kind);

#endif
