/* SPDX-License-Identifier: Apache-2.0 */
/* causes_far.h: a far end that fails a client in one of the ways that causes.c lists, and counts what it was shown.
 *
 * 1. cause_far_start with a plan. 2. cause_far_url, cause_far_ca for the client. 3. cause_far_go when the client is
 * connected, where the plan has something to come after that. 4. cause_far_seen, which lets no connection live on.
 * It stands on net_listener and ws_listener. Failing to start aborts the test program. */
#ifndef TESTS_CAUSES_FAR_H
#define TESTS_CAUSES_FAR_H

#include "support/net_listener.h"

enum cause_door { CAUSE_TCP, CAUSE_SSL, CAUSE_WS, CAUSE_WSS, CAUSE_DOORS };

/* What it does with CONNECT. */
enum cause_answer {
	CAUSE_CLOSES, /* ends the connection */
	CAUSE_RESETS, /* the same by a reset */
	CAUSE_HOLDS,  /* sends `said`, if anything, and then nothing more */
	CAUSE_SERVES  /* accepts; what is in `then` comes after cause_far_go */
};

enum cause_then {
	CAUSE_THEN_CLOSES,
	CAUSE_THEN_RESETS,
	CAUSE_THEN_HOLDS,  /* until the client ends the connection */
	CAUSE_THEN_FREEZES /* until cause_far_end: it does not even end its own side */
};

struct cause_words {
	const char *at;
	size_t len;
};

/* All-zero: TCP, TLS with a good certificate and the upgrade go well, and the end of the connection answers CONNECT. */
struct cause_plan {
	enum net_manner manner;
	bool plain, tls;         /* no TLS, or TLS, whatever the door */
	const char *certificate; /* shown instead of net_listener's own: a name of certs/cases.txt */
	bool wants_client;       /* a client certificate of own-ca.crt */
	bool client_optional;    /* ... but takes a client without */
	bool drops;              /* ends the connection during the handshake */
	int max_version;
	const char *alpn, *ciphers;
	struct cause_words first; /* said at once, whatever comes */
	bool closes_request;      /* ends the connection on the upgrade request */
	bool ignores_request;     /* does not answer it */
	const char *http;         /* the answer to it, up to the empty line; NULL: a good one; %s stands for the key */
	enum cause_answer answer;
	bool only_311; /* `answer` is for MQTT 5; 3.1.1 is served */
	struct cause_words said;
	enum cause_then then;
	struct cause_words then_said;
};

struct cause_seen {
	unsigned connections, certificates, upgrades, connects;
	int64_t connect_ms; /* when the last CONNECT came, by waiting_now_ms */
};

enum { CAUSE_CERTS_BYTES = 64 };

/* Makes a folder, `dir`, with the certificates of make-certs.sh and one that is weak only where the security level
 * is 2. False: it could not be made. */
bool cause_certs_make(char dir[CAUSE_CERTS_BYTES]);
bool cause_certs_remove(const char *dir);

/* OpenSSL's, as the system has it. */
int cause_security_level(void);

struct cause_far;

/* `certs`: a folder that make-certs.sh has filled. */
struct cause_far *cause_far_start(const struct cause_plan *plan, enum cause_door door, const char *certs);
const char *cause_far_ca(const struct cause_far *far); /* NULL: without TLS of its own */
void cause_far_url(const struct cause_far *far, const char *host, char *url, size_t size);
void cause_far_go(struct cause_far *far);
struct cause_seen cause_far_end(struct cause_far *far); /* waits for the scripts, frees */

#endif
