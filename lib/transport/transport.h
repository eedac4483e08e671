/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: SEAM 1. A non-blocking byte stream to the peer that an endpoint names.
 *
 * Happy path: skiffi_transport_new -> open -> `opened` -> recv and send, told by `readable` and `writable` -> close ->
 * `closed` -> free. When something goes wrong at any time: `failed`, once, with the error; then only close and free.
 *
 * Everything runs on the loop thread; no operation blocks; no operation calls up from inside: an event that an
 * operation causes comes later from the loop. One exception is allowed to implementations, and none is needed by users:
 * an event may be called from inside the callback of libuv in which it arose.
 * A user may call any operation, including close, from inside an event.
 *
 * Nothing above this seam asks which transport it is. What it wants to know, it asks through `info`. */
#ifndef SKIFFI_TRANSPORT_H
#define SKIFFI_TRANSPORT_H

#include "endpoint/proxy_url.h"
#include "loop/loop.h"
#include <skiff/client.h>
#include <sys/uio.h>

struct skiffi_tls_context; /* tls_context.h */
struct skiffi_transport;

/* What the way needs beside the endpoint. Borrowed; must outlive the transport. */
struct skiffi_transport_config {
	const struct skiffi_endpoint *endpoint;
	struct skiffi_tls_context *tls; /* for endpoints with TLS; NULL otherwise */
	struct skiff_timeouts
		timeouts; /* effective: no zeroes; -1 none. total_ms and mqtt_ms are the engine's business */
	const struct skiff_user_property *http_headers; /* for the WebSocket upgrade; checked: no CR, LF, NUL */
	size_t http_header_count;
	const struct skiffi_proxy *proxy; /* to go through; NULL: none */
	bool is_proxy;                    /* the endpoint is one, for sentences */
	const char *address;              /* numeric, instead of the look-up; NULL: look it up */
	int ip_version;                   /* 4 or 6; 0: both */
	const char *local_address;        /* numeric, to connect from; NULL: any */
	const char *ws_subprotocol;       /* NULL: "mqtt" */
	size_t receive_high_bytes;        /* transports that must buffer what arrives stop reading at about this */
};

/* Called on the loop thread. None may be NULL. */
struct skiffi_transport_events {
	void (*opened)(void *user);   /* bytes may flow */
	void (*readable)(void *user); /* recv may give something; called again while there is more and reading is on */
	void (*writable)(void *user); /* send may take something, after it took less than it was given */
	void (*failed)(
		void *user, const struct skiff_error *error); /* once; also the peer's orderly end after `opened` */
	void (*closed)(void *user); /* once, last, after close: nothing will be called any more; free is allowed */
};

/* Filled in by `info`; a part of the public struct skiff_connection is what it is. */
struct skiffi_transport_ops {
	const char *name;

	/* Starts the way to the peer: resolving, racing the addresses, TLS, upgrade, each under its deadline. Reading
	 * is on from `opened`. Result: false when memory is out; then free is allowed at once. */
	bool (*open)(struct skiffi_transport *transport);

	/* Copies up to `len` arrived bytes. Result: their number; 0 when there are none now; -1 when the stream has
	 * ended, which `failed` tells or told. */
	ptrdiff_t (*recv)(struct skiffi_transport *transport, void *data, size_t len);

	/* Takes bytes from the front of `count` pieces, in order; the caller keeps the memory. Result: how many were
	 * taken (less than all: `writable` comes when more can be); -1 as for recv. Taken means: handed to the kernel,
	 * or copied and sure to be handed to it without another call. */
	ptrdiff_t (*send)(struct skiffi_transport *transport, const struct iovec *pieces, size_t count);

	/* Switches `readable` off and on: back-pressure. */
	void (*reading)(struct skiffi_transport *transport, bool on);

	/* Adds what is known to `*connection`: phases up to websocket, address, tls_*, http_status. Any state until
	 * free. */
	void (*info)(const struct skiffi_transport *transport, struct skiff_connection *connection);

	/* The bytes that TCP has carried so far, both ways. Any state until free. */
	void (*traffic)(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in);

	/* Ends the stream: orderly (`abort` false: what was taken is sent, TLS close_notify, WebSocket close 1000, as
	 * far as that goes without waiting) or at once (`abort` true: the peer sees a reset). Allowed from `open` on,
	 * once. */
	void (*close)(struct skiffi_transport *transport, bool abort);

	/* Frees it. Only before open, or after `closed`. */
	void (*free)(struct skiffi_transport *transport);
};

/* What every implementation begins with. */
struct skiffi_transport {
	const struct skiffi_transport_ops *ops;
	struct skiffi_loop *loop;
	const struct skiffi_transport_config *config;
	const struct skiffi_transport_events *events;
	void *user;
};

/* The transport for config->endpoint, not yet open; NULL when memory is out. transport.c holds the table kind ->
 * constructor. `events` and `user` are borrowed until free. */
struct skiffi_transport *skiffi_transport_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user);

#endif
