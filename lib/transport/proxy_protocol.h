/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_protocol.h: what a proxy is asked, and how its answers are read: pure functions of bytes, one pair for each of
 * the two protocols, HTTP's CONNECT [RFC 9110, 9.3.6] and SOCKS 5 [RFC 1928, RFC 1929]. proxy.c carries the bytes. */
#ifndef SKIFFI_PROXY_PROTOCOL_H
#define SKIFFI_PROXY_PROTOCOL_H

#include "base/buffer.h"
#include "endpoint/proxy_url.h"

/* Borrowed for as long as it is asked for. */
struct skiffi_proxy_wish {
	const struct skiffi_proxy *proxy;
	const char *host; /* a name, for the proxy to look up, or a numeric address without brackets or zone */
	uint16_t port;
};

/* Each is a question with its answer. HTTP has only the last. */
enum skiffi_proxy_step { SKIFFI_PROXY_GREETING, SKIFFI_PROXY_LOGIN, SKIFFI_PROXY_CONNECT };

enum skiffi_proxy_outcome {
	SKIFFI_PROXY_MORE,   /* the answer is not all there */
	SKIFFI_PROXY_NEXT,   /* it is, and another question follows: `next` */
	SKIFFI_PROXY_DONE,   /* the way is open: what comes behind the answer is the peer's */
	SKIFFI_PROXY_REFUSED /* by the proxy, or by us as the answer makes no sense */
};

enum { SKIFFI_PROXY_WHAT_BYTES = 640, SKIFFI_PROXY_HINT_BYTES = 64 + SKIFFI_PROXY_TEXT_BYTES };

struct skiffi_proxy_answer {
	enum skiffi_proxy_outcome outcome;
	enum skiffi_proxy_step next;
	size_t used; /* of the bytes; 0 for MORE and REFUSED */
	/* Of a refusal: */
	enum skiff_code code;
	int detail;                         /* the proxy's own number; 0: none */
	bool elsewhere;                     /* another address of the same peer may fare better */
	char what[SKIFFI_PROXY_WHAT_BYTES]; /* goes on from "the proxy" */
	char hint[SKIFFI_PROXY_HINT_BYTES]; /* a way out; "": none */
};

struct skiffi_proxy_protocol {
	enum skiffi_proxy_step first;
	const char *other, *other_scheme; /* the protocol that this one is taken for by mistake, and its URLs' scheme */

	/* Appends the question. The bytes may hold a password: whoever sends them wipes them. Result: false when memory
	 * is out. */
	bool (*ask)(struct skiffi_buffer *out, enum skiffi_proxy_step step, const struct skiffi_proxy_wish *wish);

	/* Judges all `len` bytes that have come since the question was asked, in whatever pieces they came. */
	void (*read)(const uint8_t *data, size_t len, enum skiffi_proxy_step step, const struct skiffi_proxy_wish *wish,
		struct skiffi_proxy_answer *answer);
};

extern const struct skiffi_proxy_protocol skiffi_proxy_http, skiffi_proxy_socks;

/* For implementations: the answer is a refusal. */
void skiffi_proxy_refuse(struct skiffi_proxy_answer *answer, enum skiff_code code, int detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The hint "LEADscheme://host:port" for the other protocol. */
void skiffi_proxy_hint_other(char hint[SKIFFI_PROXY_HINT_BYTES], const struct skiffi_proxy_protocol *protocol,
	const struct skiffi_proxy *proxy, const char *lead);

#endif
