/* SPDX-License-Identifier: Apache-2.0 */
/* client_internal.h: the client's own state, shared by the client_*.c files and nobody else. */
#ifndef SKIFFI_CLIENT_INTERNAL_H
#define SKIFFI_CLIENT_INTERNAL_H

#include "base/error.h"
#include "client/client_filters.h"
#include "engine/engine.h"
#include <stdatomic.h>

/* ---- tokens (client_token.c) ---- */

/* What an `op` that comes back from the engine is. */
enum client_op_kind { CLIENT_OP_TOKEN, CLIENT_OP_REQUEST };

struct client_op {
	enum client_op_kind kind;
};

struct skiff_token {
	struct client_op op; /* first: a token is the op of its message */
	atomic_int refs;     /* the holder, and the operation until it has ended */
	atomic_int done;
	atomic_int waiters;
	bool session_present;
	bool reason_known;
	uint8_t reason;            /* the only one, or the first */
	struct skiff_error *error; /* NULL: SKIFF_OK, or memory was out for more than `code` */
	enum skiff_code code;
	uint8_t *reasons; /* several */
	size_t reason_count;
	char *reason_string;
	struct skiffi_loop *loop; /* that ends it, and that a waiter may serve; NULL: none */
	bool spins;               /* as options.spin */
};

/* Two references: the caller's and the operation's. `client` NULL: of none. NULL when memory is out. */
struct skiff_token *skiffi_client_token_new(const struct skiff_client *client);

/* The outcome: `error` NULL means SKIFF_OK. Ends the operation's reference. NULL token is allowed. */
void skiffi_client_token_end(struct skiff_token *token, const struct skiff_error *error);
void skiffi_client_token_end_code(struct skiff_token *token, enum skiff_code code);

/* Notes the outcome without telling it; skiffi_client_token_end(token, NULL) follows. NULL token is allowed. */
void skiffi_client_token_settle(struct skiff_token *token, const struct skiff_error *error);

/* ---- requests: subscribe and unsubscribe (client_requests.c) ---- */

struct client_request {
	struct client_op op; /* first */
	struct client_request *next;
	struct skiff_token *token; /* NULL: nobody waits */
	bool subscribe;
	bool renewal;    /* subscribing again what a lost session had */
	uint64_t serial; /* the order of the calls; of a renewal, the last call before it */
	uint32_t subscription_id;
	struct skiff_user_property *user; /* owned, with their bytes */
	size_t user_count;
	size_t count;
	struct skiffi_engine_filter *filters; /* owned, with their bytes */
};

/* ---- the client ---- */

/* IDLE -> CONNECTING (wanted) -> UP -> WAITING (lost, reconnect) -> CONNECTING ...
 * UP -> ENDING (disconnect, within its grace) -> IDLE. CONNECTING and WAITING -> IDLE when no longer wanted. */
enum client_state { CLIENT_IDLE, CLIENT_CONNECTING, CLIENT_UP, CLIENT_WAITING, CLIENT_ENDING };

struct client_queue {
	struct skiffi_kept *first, *last;
	struct skiffi_kept *requeued; /* the last of those given back by a lost session; NULL: none are at the front */
};

struct client_ending {
	bool wanted;
	bool asked; /* DISCONNECT is with the engine */
	bool late;  /* the grace was too short */
	bool cut;   /* the connection broke with things under way: see rest_error */
	int64_t deadline_us;
	struct skiff_token *token;
	uint8_t reason;
	struct skiff_properties *properties; /* owned, with its reason_string and user; NULL: none */
};

struct skiff_client {
	pthread_mutex_t lock;   /* guards all that follows unless said otherwise */
	pthread_cond_t changed; /* room, flushed, gone */
	struct skiffi_loop *loop;
	struct skiff_options options; /* effective, owned (client_options.c) */
	struct client_block *owned;   /* the memory that `options` points into; wiped when freed */
	bool options_incomplete;      /* memory was out while copying them */
	struct skiffi_endpoint *endpoint;
	struct skiffi_engine_config engine_config;
	struct skiffi_engine *engine;
	enum client_state state;
	struct skiffi_kept_error error;      /* the last there was, of any call */
	struct skiffi_kept_error rest_error; /* why the last attempt or connection ended */

	unsigned closings;   /* disconnects and frees begun: what waited before them must not go on */
	bool connect_wanted; /* skiff_connect was called and not yet acted on */
	bool greeted;        /* CONNACK came; what the old session left is being told, then the state is UP */
	bool renew;          /* the broker lacks subscriptions that it had granted: subscribe again */
	bool lost_told;      /* no SESSION_LOST is due for the session itself */
	bool resting;        /* IDLE, and what an ended session held is being told */
	bool forgetting;     /* ... and what waits ends with it */
	bool free_wanted;    /* skiff_client_free was called */
	bool freeing;        /* and is acted on; loop thread */
	bool timer_closing, timer_closed, engine_freed, gone;
	bool free_inside; /* freed from a handler: nobody waits for `gone`, and no handler runs again; loop thread */
	struct skiff_token *connect_token;
	struct skiff_token
		*rested_token; /* of the attempt that ended, while resting: a new connect may be wanted already */
	struct client_ending ending;

	struct client_queue queue[2]; /* QoS 0; QoS 1 and 2 */
	size_t queued_messages, queued_bytes;
	struct client_request *requests, *requests_last; /* waiting to be sent, in order */
	size_t requests_waiting;                         /* how many those are */
	uint64_t requests_serial;                        /* of the last one made */
	struct client_filters filters;
	bool held_back;   /* messages were added that the engine is yet to be told of (ops->flush) */
	unsigned waiting; /* threads in `changed` that wait for room or for all to be through */

	struct skiffi_job control; /* looks what is wanted */
	uv_timer_t timer;          /* reconnect, or the end of a grace; loop thread */
	bool timer_inited;
	unsigned attempt;    /* since the last connection */
	bool announced;      /* CONNECTING was told, and its pair not yet; loop thread */
	bool was_up;         /* some connect succeeded */
	int64_t up_us;       /* since when it is up */
	size_t session_lost; /* messages whose fate a lost session left unknown */

	struct {
		uint64_t attempts, connects, disconnects, dropped;
		int64_t connected_us;
	} counted;
};

/* client_options.c */
enum skiff_code skiffi_client_options_copy(
	struct skiff_client *client, const struct skiff_options *options, struct skiff_error *error);
void skiffi_client_options_release(struct skiff_client *client);
uint32_t skiffi_client_options_session_expiry(const struct skiff_options *options); /* as CONNECT says it; seconds */

/* client_queue.c: under the lock */
enum skiff_code skiffi_client_queue_add(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error);
/* As add, for a message that need not be copied, if it can be sent now; SKIFF_AGAIN: it cannot. */
enum skiff_code skiffi_client_queue_lend(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error);
void skiffi_client_queue_requeue(struct skiff_client *client, struct skiffi_kept *kept);
void skiffi_client_queue_send(struct skiff_client *client);
void skiffi_client_queue_fail(struct skiff_client *client, const struct skiff_error *error);
bool skiffi_client_queue_empty(const struct skiff_client *client);

/* client_requests.c: under the lock */
void skiffi_client_requests_send(struct skiff_client *client);
void skiffi_client_requests_again(struct skiff_client *client, struct client_request *request);
void skiffi_client_requests_renew(struct skiff_client *client);
/* Gives back the request's token, settled: to be ended when the handlers of earlier messages have run. */
struct skiff_token *skiffi_client_requests_done(
	struct skiff_client *client, struct client_request *request, const struct skiffi_event *event);
void skiffi_client_requests_fail(struct skiff_client *client, const struct skiff_error *error);

/* client_dispatch.c: loop thread, without the lock */
void skiffi_client_on_engine(void *user);
void skiffi_client_tell(struct skiff_client *client, const struct skiff_event *event);

/* client_state.c */
void skiffi_client_on_tls(void *user, const struct skiff_event *event); /* loop thread, without the lock */
void skiffi_client_control(struct skiffi_job *job);                     /* loop thread */
void skiffi_client_on_up(struct skiff_client *client, const struct skiffi_event *event);
void skiffi_client_on_down(struct skiff_client *client);
void skiffi_client_service(struct skiff_client *client); /* loop thread: after events, or when room was made */
void skiffi_client_wake(struct skiff_client *client);    /* any thread: have skiffi_client_control run */

/* client.c */
void skiffi_client_has_handlers(struct skiff_client *client); /* before there is one; any thread */
bool skiffi_client_sleep(struct skiff_client *client, const struct timespec *deadline); /* under the lock */
void skiffi_client_ending_release(struct client_ending *ending);
void skiffi_client_release(struct skiff_client *client); /* frees the memory, when nothing runs any more */
struct skiff_token *skiffi_client_token_refused(const struct skiff_error *error); /* one that has ended so */

/* client_reconnect.c */
int skiffi_client_reconnect_delay_ms(
	const struct skiff_client *client, unsigned attempt, uint64_t (*random_upto)(uint64_t limit));
bool skiffi_client_reconnect_wanted(const struct skiff_client *client, enum skiff_code code);

/* client_token.c */
void skiffi_client_error_of(struct skiff_error *error, const struct skiffi_event *event, const char *what);
void skiffi_client_token_note(struct skiff_token *token, const struct skiffi_event *event);

/* Whether every message accepted so far is acknowledged, and every request answered; QoS 0 may still be on its way out.
 */
static inline bool skiffi_client_acknowledged(const struct skiff_client *client)
{
	struct skiffi_engine_load load = client->engine->ops->load(client->engine);
	return skiffi_client_queue_empty(client) && !client->requests && !load.inflight && !load.unanswered;
}

/* ... and every byte is with the socket. */
static inline bool skiffi_client_flushed(const struct skiff_client *client)
{
	return skiffi_client_acknowledged(client) && !client->engine->ops->load(client->engine).unsent_bytes;
}

#endif
