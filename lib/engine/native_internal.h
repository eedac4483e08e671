/* SPDX-License-Identifier: Apache-2.0 */
/* native_internal.h: the native engine's own state, shared by the native_*.c files and nobody else. */
#ifndef SKIFFI_NATIVE_INTERNAL_H
#define SKIFFI_NATIVE_INTERNAL_H

#include "base/error.h"
#include "engine/engine.h"
#include "session/session.h"
#include "transport/transport.h"
#include <stdatomic.h>

/* One attempt's life. IDLE -> OPENING (open) -> GREETING (transport opened, CONNECT written) -> UP (CONNACK) -> CLOSING
 * (a fault, close, or DISCONNECT written) -> IDLE (transport closed, DOWN told). Any of the middle ones may go to
 * CLOSING. */
enum native_state { NATIVE_IDLE, NATIVE_OPENING, NATIVE_GREETING, NATIVE_UP, NATIVE_CLOSING };

/* What the transport knows of the way, in as little memory as it takes. */
struct native_seen {
	struct skiff_phases phases;
	int http_status;
	bool tls_resumed, tls_certificate_wanted, tls_session_given;
	char *texts; /* address, TLS version, cipher, ALPN, subject, issuer, each with its NUL; NULL: none */
};

struct native_engine {
	struct skiffi_engine base; /* first */
	enum native_state state;
	struct skiffi_session_config session_config;
	struct skiff_properties connect_properties;
	struct skiffi_session *session; /* under the lock */
	struct skiffi_tls_context *tls; /* NULL without TLS */
	struct skiffi_transport_config transport_config;
	struct skiffi_transport *transport; /* NULL while IDLE */
	struct skiffi_output writing;       /* taken from the session; loop thread */
	_Atomic(bool) writer_sleeps;        /* the output is empty: who adds to it must wake the loop */
	_Atomic(bool) room_wanted;
	_Atomic(int64_t) wrote_us; /* when a publisher last wrote by itself */
	bool pumping;              /* what is added now leaves by itself, without a wake; in the turn */
	bool news;                 /* the client is to be told of what was written; in the turn */
	_Atomic(bool) ending;      /* under the lock: DISCONNECT is in the output; close when it is written */
	bool fault;                /* the session failed: close when its last words are written */
	bool down_told;            /* under the lock */
	bool settled;              /* some CONNACK was accepted: the version is no longer a guess */
	bool close_wanted;         /* this attempt is to end, whatever becomes of it; loop thread */
	bool deaf;                 /* reading is off until our acknowledgements have left; loop thread */
	struct skiffi_job wake;
	uv_timer_t timer;
	bool timer_inited;
	struct skiffi_proxy *proxy;             /* NULL: none */
	const char *proxy_from;                 /* "proxy", or the environment variable */
	struct skiffi_endpoint *bare;           /* the endpoint without WebSocket; NULL unless tls.handshake_only */
	uint64_t wire_out, wire_in;             /* what TCP carried of this connection; under the lock */
	int64_t timer_at_us;                    /* when the timer will fire; SKIFFI_NEVER: not armed */
	int64_t started_us, greeting_us, up_us; /* of this attempt; 0: not yet */
	struct skiffi_kept_error error;         /* why it ended, under the lock; SKIFF_OK while it has not */
	struct native_seen seen;                /* what the transport said last, under the lock */
	void (*freed)(void *user);
	void *freed_user;
};

/* native_pump.c: moves bytes between session and transport. */
void skiffi_native_pump_in(struct native_engine *self);
void skiffi_native_pump_out(struct native_engine *self);
/* As pump_out, on a thread that calls no handlers: for those, and for what is left, the loop is woken. */
void skiffi_native_pump_here(struct native_engine *self);

/* native_engine.c */
/* The first cause counts; then the transport is closed, in order or at once. */
void skiffi_native_end(struct native_engine *self, const struct skiff_error *error, bool abort);
void skiffi_native_arm(struct native_engine *self);
void skiffi_native_notify(struct native_engine *self);

/* native_seen.c: under the lock */
void skiffi_native_see(struct native_engine *self); /* asks the transport */
void skiffi_native_unsee(struct native_engine *self);
void skiffi_native_seen(const struct native_engine *self, struct skiff_connection *connection);

/* native_handshake.c: attempts that end when TLS stands */
bool skiffi_native_bare(const struct native_engine *self);
bool skiffi_native_bare_options(struct native_engine *self, struct skiff_error *error);
void skiffi_native_bare_opened(struct native_engine *self);
void skiffi_native_bare_readable(struct native_engine *self);
void skiffi_native_bare_late(struct native_engine *self);
bool skiffi_native_bare_ended(
	struct native_engine *self, const struct skiff_error *error); /* whether it was no fault */
int skiffi_native_bare_limit_ms(void);                                /* how long a server's word is waited for */

/* native_options.c */
bool skiffi_native_options(struct native_engine *self, struct skiff_error *error);

#endif
