/* SPDX-License-Identifier: Apache-2.0 */
/* paho_internal.h: the second engine, on Eclipse Paho MQTT C's MQTTAsync; shared by the paho_*.c files only.
 *
 * Four kinds of threads meet here, and none waits for another:
 *   the loop thread     runs the engine's operations, its timer, and every handler (paho_engine.c)
 *   callers' threads    put requests into the link's `out` (paho_requests.c)
 *   the worker          the only thread that calls MQTTAsync_*, whose locks may be held for long (paho_worker.c)
 *   Paho's two threads  call back under Paho's global lock: copy, post, return (paho_events.c, paho_trace.c)
 *
 * A link is one MQTTAsync handle, and lives for one connection or attempt; a session that may go on outlives it in a
 * store (paho_store.c). Ending a connection or attempt at once means shutting down its socket, of which the trace
 * tells. */
#ifndef SKIFFI_PAHO_INTERNAL_H
#define SKIFFI_PAHO_INTERNAL_H

#include "engine/attempt.h"
#include "engine/engine.h"
#include "session/limits.h"
#include <MQTTAsync.h>
#include <stdatomic.h>

struct paho_engine;
struct paho_link;
struct skiffi_tls_context;

/* Where what Paho says waits for the loop thread. One inbox a link, in the order in which things happened. */
enum paho_news {
	PAHO_NEWS_UP,      /* CONNACK accepted: session_present, properties */
	PAHO_NEWS_OVER,    /* the attempt failed, or the connection ended */
	PAHO_NEWS_MESSAGE, /* topic, topic_len, message: Paho's memory, ours now */
	PAHO_NEWS_OP       /* op has its outcome */
};

struct paho_node {
	struct paho_node *next;
	enum paho_news news;
	bool session_present;
	struct skiff_bytes properties; /* encoded, with their length in front, owned; absent: none */
	char *topic;
	size_t topic_len;
	MQTTAsync_message *message;
	struct paho_op *op;
};

/* ---- one request: PUBLISH, SUBSCRIBE, UNSUBSCRIBE ---- */

enum paho_op_kind { PAHO_PUBLISH, PAHO_SUBSCRIBE, PAHO_UNSUBSCRIBE };

/* WAITING (in `out`) -> HANDED (with Paho) -> ENDED (outcome in the inbox). HANDED -> DROPPED: Paho let go of it with
 * the connection. RESUMED: Paho has it from the store, and tells only that it was delivered. */
enum paho_op_state { PAHO_WAITING, PAHO_HANDED, PAHO_DROPPED, PAHO_RESUMED, PAHO_ENDED };

/* How far a message came on connections that are over. */
enum paho_begun { PAHO_NOT_BEGUN, PAHO_SENT, PAHO_RELEASED };

struct paho_op {
	/* the engine's, under the client's lock */
	struct paho_op *flight_next, *flight_prev;
	void *op;             /* the client's */
	struct paho_link *at; /* the link that has it; NULL: none any more */
	enum paho_begun begun;
	/* the link's, under its lock */
	struct paho_op *out_next, *held_next, *held_prev;
	struct paho_link *link; /* that it was last given to */
	enum paho_op_state state;
	int token;            /* Paho's, once handed */
	enum skiff_code code; /* the outcome */
	int reason;           /* -1: none */
	uint8_t *reasons;     /* SUBACK, UNSUBACK; owned */
	size_t reason_count;
	struct paho_node node;
	/* constant */
	atomic_int
		refs; /* the engine's, until its outcome is told; the link's, while it waits in `out` or is with Paho */
	enum paho_op_kind kind;
	uint8_t qos;
	bool retain;
	size_t bytes;                  /* on the wire */
	struct skiff_bytes properties; /* encoded, with their length in front; in `data` */
	struct skiff_bytes payload;    /* in `data` */
	const char *topic;             /* with a NUL; in `data` */
	size_t count;                  /* of filters */
	char **filters;                /* with a NUL each; in `data` */
	int *levels;                   /* their QoS */
	MQTTSubscribe_options *options;
	uint8_t data[];
};

/* ---- one MQTTAsync handle ---- */

/* What Paho lets be seen of why something failed, from its trace and its TLS callback. */
struct paho_facts {
	bool certificate_requested;
	bool handshake_done;
	bool name_refused;       /* X509_check_host and X509_check_ip_asc said no */
	bool ws_refused;         /* the upgrade's answer did not do */
	bool reset;              /* a socket call said ECONNRESET */
	int http_status;         /* of the upgrade, where it was not 101 */
	int alert;               /* from the peer; -1: none */
	unsigned long tls_error; /* OpenSSL's, the first; 0: none */
	char tls_version[16], tls_cipher[64];
};

struct paho_link {
	struct paho_engine *engine;
	MQTTAsync handle; /* the worker's; NULL: none yet */
	enum skiffi_protocol version;
	bool fresh;                  /* a clean start is asked for; the engine's when the link was made */
	struct paho_link *work_next; /* the worker's queue, under its lock */
	bool work_queued;
	struct skiffi_job gone;         /* the handle is destroyed: the link is freed on the loop thread */
	struct paho_link *attempt_next; /* attempts under way, under the trace's lock */

	pthread_mutex_t lock; /* guards what follows; nothing of Paho is called, and no other lock but the loop's and
				 the worker's taken, while it is held */
	pthread_cond_t drained;
	bool attached;  /* the engine wants to hear of it */
	bool destroyed; /* the handle is; loop thread */
	struct paho_node *inbox, *inbox_last;
	size_t inbox_bytes;

	/* the attempt */
	bool connect_wanted, connecting, up, cut;
	int socket;          /* Paho's descriptor, to know its trace by; -1: none */
	int fd;              /* our duplicate of it; -1: none */
	int64_t greeting_us; /* when CONNECT was sent; 0: not yet */
	struct paho_facts facts;
	struct paho_node up_node, over_node;
	bool over_queued;
	int over_code; /* Paho's; of a refusing CONNACK its reason */
	bool over_connack, over_was_up, over_disconnected, over_silent;
	int peer_reason; /* of the broker's DISCONNECT; -1: none */
	struct skiff_bytes peer_properties;
	uint16_t keep_alive_wanted; /* the broker's, to be told to Paho; 0: none */

	/* requests */
	struct paho_op *out, *out_last;
	struct paho_op *held;                      /* with Paho */
	uint32_t window, window_qos2, outstanding; /* exchanges of QoS 1 and 2 */
	size_t pending_qos0;                       /* handed, not written */
	size_t resumed;                            /* in `held` */
	bool ending, ending_now, ending_asked, destroy_wanted;
	uint8_t ending_reason;
	struct skiff_bytes ending_properties; /* encoded, owned */
	_Atomic(size_t) unsent_bytes;
};

/* ---- the engine ---- */

/* IDLE -> RESOLVING (open) -> CONNECTING (the name has an address) -> UP (CONNACK) -> CLOSING (close, or an end that is
 * being told) -> IDLE (DOWN told). CONNECTING -> LOOKING (it failed; why?) -> CLOSING. QUIETING: CONNECTING, but the
 * WebSocket before it is not gone yet. */
enum paho_state { PAHO_IDLE, PAHO_RESOLVING, PAHO_QUIETING, PAHO_CONNECTING, PAHO_UP, PAHO_LOOKING, PAHO_CLOSING };

enum paho_telling { PAHO_TELL_LOST = 1, PAHO_TELL_GONE = 2, PAHO_TELL_DOWN = 4 };

struct paho_store; /* paho_store.c: what a session that may go on holds */
struct paho_look;  /* paho_look.c: a second look through our own transport */

struct paho_engine {
	struct skiffi_engine base; /* first */
	enum paho_state state;     /* under the client's lock where others read it */
	enum skiffi_protocol version;
	bool settled, held, fresh; /* as in native_internal.h and session_internal.h */
	bool ending;               /* DISCONNECT was asked for */
	unsigned telling;          /* enum paho_telling */
	struct paho_link *link;
	size_t links;                         /* whose handle is not destroyed yet; loop thread */
	struct paho_store *store;             /* of a session that may go on; NULL: each connection begins anew */
	struct paho_op *flight, *flight_last; /* every request whose outcome was not told, in order */
	size_t inflight, unanswered, inflight_bytes;
	struct skiffi_kept_pool pool;
	struct paho_node *lent;   /* what the last pull gave out */
	struct paho_op *lent_ops; /* by flight_next */

	/* for MQTTAsync_connect; constant from paho_options.c on */
	char *uri;
	char *key_password; /* wiped when freed; NULL: none */
	char *assigned_id;
	struct skiff_properties connect_properties;
	unsigned char *alpn; /* in wire form */
	size_t alpn_len;
	char *will_topic;
	MQTTAsync_nameValue *headers; /* with a NULL name behind the last */
	struct skiffi_tls_context *tls;

	struct skiffi_resolve *resolve;
	struct paho_look *look;
	bool look_wanted;
	atomic_bool flush_wanted;
	bool look_tls; /* as far as TLS, else TCP only */
	struct skiffi_job wake;
	atomic_bool room_wanted;
	uv_timer_t timer;
	bool timer_inited, holds_ws;
	int64_t started_us, resolved_us, up_us, closing_us;
	struct skiff_error error;
	struct skiffi_limits limits;
	struct skiff_connection seen;
	uint64_t messages_out, messages_in, packets_out, packets_in, bytes_out, bytes_in;
	bool freeing;
	void (*freed)(void *user);
	void *freed_user;
};

/* paho_engine.c */
/* Has the loop thread look at the inbox. Any thread, also with the link's lock held. */
void skiffi_paho_wake(struct paho_engine *engine);
/* Under the client's lock, on the loop thread: a link of its own for a new attempt; DOWN, behind what is still in the
 * inbox; the end at once, whatever Paho still does about it; and letting go of the link. */
void skiffi_paho_begin(struct paho_engine *engine);
void skiffi_paho_going_down(struct paho_engine *engine);
void skiffi_paho_cut(struct paho_engine *engine, const struct skiff_error *error);
void skiffi_paho_retire(struct paho_engine *engine);
void skiffi_paho_link_on_gone(struct skiffi_job *job); /* link->gone */

/* paho_look.c: loop thread. False: memory is out. The finding goes to skiffi_paho_looked. */
bool skiffi_paho_look_start(struct paho_engine *engine);
void skiffi_paho_look_cancel(struct paho_engine *engine);
/* paho_engine.c: `finding` NULL: nothing is wrong. `seen`: what the look saw of the way; may be NULL. */
void skiffi_paho_looked(
	struct paho_engine *engine, const struct skiff_error *finding, const struct skiff_connection *seen);

/* paho_inbox.c: under the client's lock, on the loop thread */
size_t skiffi_paho_pull(struct skiffi_engine *engine, struct skiffi_event *events, size_t max);
void skiffi_paho_return_lent(struct paho_engine *engine); /* what the last pull gave out */

/* paho_requests.c: under the client's lock */
enum skiff_code skiffi_paho_publish(struct skiffi_engine *engine, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error);
enum skiff_code skiffi_paho_subscribe(struct skiffi_engine *engine, bool subscribe,
	const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error);
/* What the end of a connection, or of a session, leaves to be told: some events, at most `max`; 0: all is told. */
size_t skiffi_paho_tell_gone(struct paho_engine *engine, struct skiffi_event *events, size_t max);
size_t skiffi_paho_tell_lost(struct paho_engine *engine, struct skiffi_event *events, size_t max);
/* The outcome of an op; false: nothing to tell. */
bool skiffi_paho_tell_op(struct paho_engine *engine, struct paho_op *op, struct skiffi_event *event);
/* Gives what no link has to the present one, in order. */
void skiffi_paho_resubmit(struct paho_engine *engine);
/* Takes from the present link, which is destroyed or to be, all that it has. */
void skiffi_paho_take_back(struct paho_engine *engine);
/* What the store holds goes with the present link, which is about to connect; and comes back when the broker no longer
 * has the session. */
void skiffi_paho_resume(struct paho_engine *engine);
void skiffi_paho_resume_not(struct paho_engine *engine);
void skiffi_paho_flight_release(struct paho_engine *engine);
void skiffi_paho_op_unref(struct paho_op *op);

/* paho_store.c: any thread */
struct paho_store *skiffi_paho_store_new(void);        /* NULL when memory is out */
void skiffi_paho_store_free(struct paho_store *store); /* NULL is allowed, here and below */
void skiffi_paho_store_clear(struct paho_store *store);
void *skiffi_paho_store_hooks(struct paho_store *store); /* for MQTTCLIENT_PERSISTENCE_USER */
enum paho_begun skiffi_paho_store_find(struct paho_store *store, enum skiffi_protocol v, int token);

/* paho_options.c */
bool skiffi_paho_options(struct paho_engine *engine, struct skiff_error *error);
void skiffi_paho_options_release(struct paho_engine *engine);
/* The worker: MQTTAsync_createWithOptions and MQTTAsync_connect. Result: Paho's code. `keep_alive_s`: only that is to
 * change on the present connection; 0: connect. */
int skiffi_paho_create(struct paho_link *link);
int skiffi_paho_connect(struct paho_link *link, uint16_t keep_alive_s);

/* paho_link.c */
struct paho_link *skiffi_paho_link_new(struct paho_engine *engine);
void skiffi_paho_link_free(struct paho_link *link);
/* Under its lock: `held`, what Paho has. */
void skiffi_paho_link_hold(struct paho_link *link, struct paho_op *op);
void skiffi_paho_link_unhold(struct paho_link *link, struct paho_op *op);
struct paho_node *skiffi_paho_link_pop(struct paho_link *link);
void skiffi_paho_link_push(struct paho_link *link, struct paho_node *node, size_t bytes); /* under its lock */
/* Shuts down its socket: the end without DISCONNECT. Where it has none yet, that comes when it has one. */
void skiffi_paho_link_cut(struct paho_link *link);
void skiffi_paho_link_end(struct paho_link *link); /* under its lock: the connection is over */
void skiffi_paho_node_free(struct paho_node *node);

/* paho_events.c: Paho's threads */
int skiffi_paho_on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message);
void skiffi_paho_on_lost(void *context, char *cause);
void skiffi_paho_on_delivered(void *context, MQTTAsync_token token);
void skiffi_paho_on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason);
void skiffi_paho_on_connect(void *context, MQTTAsync_successData *data);
void skiffi_paho_on_connect5(void *context, MQTTAsync_successData5 *data);
void skiffi_paho_on_connect_failure(void *context, MQTTAsync_failureData *data);
void skiffi_paho_on_connect_failure5(void *context, MQTTAsync_failureData5 *data);
void skiffi_paho_on_disconnect(void *context, MQTTAsync_successData *data);
void skiffi_paho_on_disconnect5(void *context, MQTTAsync_successData5 *data);
void skiffi_paho_on_done(void *context, MQTTAsync_successData *data);
void skiffi_paho_on_done5(void *context, MQTTAsync_successData5 *data);
void skiffi_paho_on_failed(void *context, MQTTAsync_failureData *data);
void skiffi_paho_on_failed5(void *context, MQTTAsync_failureData5 *data);
int skiffi_paho_on_tls_error(const char *text, size_t len, void *context);
/* Ends an op that Paho did not take, or the attempt that it refused to begin. */
void skiffi_paho_op_refused(struct paho_op *op, int code);
void skiffi_paho_connect_refused(struct paho_link *link, int code);

/* paho_number.c */
void skiffi_paho_number_hold(int socket); /* in the callback that tells of a failed attempt */
void skiffi_paho_number_release(void);    /* the receiving thread begins another round */

/* paho_trace.c */
void skiffi_paho_trace_start(void);
/* An attempt begins: false when another one is at its very beginning, where the trace could not tell the two apart. */
bool skiffi_paho_trace_begin(struct paho_link *link);
bool skiffi_paho_trace_busy(void); /* whether some attempt is there */
void skiffi_paho_trace_end(struct paho_link *link);
/* Adds what this thread saw since it last turned to a connection. */
void skiffi_paho_trace_facts(struct paho_facts *facts);

/* paho_worker.c */
bool skiffi_paho_worker_start(struct skiff_error *error);
void skiffi_paho_worker_post(struct paho_link *link);
void skiffi_paho_worker_retry(void); /* an attempt has left its beginning: the next may start */
/* The one WebSocket connection that Paho's process-wide frame state allows; false: it is taken. */
bool skiffi_paho_ws_take(void);
void skiffi_paho_ws_give(void);

/* paho_properties.c. False: memory is out. Encoded ones have their length in front, as in a packet; absent: none. */
bool skiffi_paho_properties_decode(struct skiff_bytes encoded, MQTTProperties *properties);
bool skiffi_paho_properties_of(const struct skiff_properties *from, MQTTProperties *properties);
struct skiff_bytes skiffi_paho_properties_encode(const MQTTProperties *properties);
size_t skiffi_paho_properties_room(const struct skiff_properties *from); /* the most bytes that it writes: */
uint8_t *skiffi_paho_properties_write(uint8_t *at, const struct skiff_properties *from);

/* paho_cause.c */
/* Why the attempt or connection ended, as far as the link knows; `*look`: a second look may tell more. */
void skiffi_paho_cause(struct paho_engine *engine, struct skiff_error *error, bool *look);

#endif
