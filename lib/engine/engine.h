/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: SEAM 2. A way to speak MQTT: requests go down, the events of session/event.h come up by pull.
 *
 * Happy path: skiffi_engine_new -> open -> UP -> publish, subscribe, MESSAGE, DONE ... -> disconnect -> DOWN -> open
 * ...
 * -> free. Each open ends in exactly one DOWN, whether UP came between or not.
 *
 * Threads. `open`, `close`, `pull`, `free` belong to the loop thread; requests and questions to any thread. Pull,
 * requests and questions are called with the client's lock held (config.lock), the others without. The engine calls
 * up only through config.notify and config.tls_told: on the loop thread, without the lock. No operation blocks. */
#ifndef SKIFFI_ENGINE_H
#define SKIFFI_ENGINE_H

#include "endpoint/endpoint.h"
#include "loop/loop.h"
#include "session/event.h"
#include <pthread.h>
#include <skiff/client.h>

/* Borrowed; must outlive the engine. */
struct skiffi_engine_config {
	struct skiffi_loop *loop;
	const struct skiffi_endpoint *endpoint;
	const struct skiff_options *options; /* effective: defaults filled in, everything owned by the client */
	size_t output_high_bytes;            /* publish says AGAIN while more waits to be written */
	pthread_mutex_t *lock;
	void (*notify)(void *user); /* events wait, or room was made that `wants_room` asked for */
	void (*tls_told)(void *user, const struct skiff_event *event); /* of the kinds SKIFF_EVENT_TLS_* */
	void *user;
};

/* A filter to subscribe to, or (options ignored) to unsubscribe from. */
struct skiffi_engine_filter {
	struct skiff_bytes filter; /* valid */
	uint8_t options;           /* as on the wire: QoS 0-1, no local 2, retain as published 3, retain handling 4-5 */
};

struct skiffi_engine_load {
	size_t inflight;       /* messages of QoS 1 and 2 not complete */
	size_t inflight_bytes; /* the memory they take */
	size_t unanswered;     /* subscribes and unsubscribes */
	size_t unsent_bytes;   /* of packets, not yet with the socket */
};

struct skiffi_engine;

struct skiffi_engine_ops {
	const char *name;

	/* Begins an attempt to connect. Allowed when none runs. */
	void (*open)(struct skiffi_engine *engine);

	/* Ends the connection or attempt: `abort` at once, else after what is written. DOWN follows. */
	void (*close)(struct skiffi_engine *engine, bool abort);

	/* The next events, at most `max`; 0: none wait. Views in them live until the next pull. */
	size_t (*pull)(struct skiffi_engine *engine, struct skiffi_event *events, size_t max);

	/* As skiffi_session_publish: `kept` when not NULL, else a copy of `message`. */
	enum skiff_code (*publish)(struct skiffi_engine *engine, const struct skiff_message *message,
		struct skiffi_kept *kept, void *op, struct skiff_error *error);

	/* A large payload of QoS 0 written where it lies: lend_begin (without the lock; false: not possible now), then
	 * lend as publish with a message, then lend_end (without the lock), which writes what the transport takes at
	 * once. The rest is copied if `settles`, else the payload is referred to as long as `lent` is not 0. All NULL
	 * where that is never possible. */
	bool (*lend_begin)(struct skiffi_engine *engine);
	enum skiff_code (*lend)(struct skiffi_engine *engine, const struct skiff_message *message, void *op,
		struct skiff_error *error);
	void (*lend_end)(struct skiffi_engine *engine, bool settles);
	size_t (*lent)(const struct skiffi_engine *engine);

	/* SUBSCRIBE, or UNSUBSCRIBE when `subscribe` is false. */
	enum skiff_code (*subscribe)(struct skiffi_engine *engine, bool subscribe,
		const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties,
		void *op, struct skiff_error *error);

	/* DISCONNECT behind all that was requested, then the end of the connection by itself. */
	void (*disconnect)(struct skiffi_engine *engine, uint8_t reason, const struct skiff_properties *properties);

	/* Gives up what is in flight of an ended session: REQUEUE, LOST and DONE follow by pull. Allowed while down. */
	void (*forget)(struct skiffi_engine *engine);

	/* Sees to it that what was requested leaves. To be called after requests, without the lock. Any thread. */
	void (*flush)(struct skiffi_engine *engine);

	/* Has `notify` called once when something has been written. */
	void (*wants_room)(struct skiffi_engine *engine);

	/* Copies of messages, out of the engine's pool. */
	struct skiffi_kept *(*keep)(struct skiffi_engine *engine, const struct skiff_message *message);
	void (*unkeep)(struct skiffi_engine *engine, struct skiffi_kept *kept);

	/* What is under way; nothing when all is 0. */
	struct skiffi_engine_load (*load)(const struct skiffi_engine *engine);

	/* Adds what is known of the current or last attempt; adds counters. */
	void (*info)(const struct skiffi_engine *engine, struct skiff_connection *connection);
	void (*statistics)(const struct skiffi_engine *engine, struct skiff_statistics *statistics);

	/* Why the last attempt or connection ended. */
	struct skiff_error (*error)(const struct skiffi_engine *engine);

	/* Reads the TLS files again, for connections to come; any thread, without the lock. NULL where the engine reads
	 * them by itself. */
	bool (*renew)(struct skiffi_engine *engine, struct skiff_error *error);

	/* Frees it. Allowed while down. `freed` is called from the loop when nothing of it is left; NULL: nobody waits.
	 */
	void (*free)(struct skiffi_engine *engine, void (*freed)(void *user), void *user);
};

/* What every implementation begins with. */
struct skiffi_engine {
	const struct skiffi_engine_ops *ops;
	const struct skiffi_engine_config *config;
};

/* The engine that options->engine, or else the environment variable SKIFF_ENGINE, names. NULL with `*error`: what it
 * cannot do is refused here by the name of the option. Any thread. */
struct skiffi_engine *skiffi_engine_new(const struct skiffi_engine_config *config, struct skiff_error *error);

/* One implementation. `create` is NULL where it is not built in; everything that the configuration asks for is then in
 * the engine's capability set (capability.h). */
struct skiffi_engine_kind {
	const char *name;
	struct skiffi_engine *(*create)(const struct skiffi_engine_config *config, struct skiff_error *error);
	const char *(*library)(void); /* for people; a static string */
};

extern const struct skiffi_engine_kind skiffi_native_kind, skiffi_paho_kind;

#endif
