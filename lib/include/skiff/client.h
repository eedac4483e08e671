/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: an MQTT client. Every call may be made from any thread, and from inside a handler unless said otherwise.
 *
 *   struct skiff_client *client = skiff_client_new(&(struct skiff_options){.url = "tcp://test.mosquitto.org"}, NULL);
 *   if (!skiff_wait(skiff_connect(client), 20000)) {
 *           skiff_wait(skiff_subscribe(client, "some/filter", 1, on_message, NULL), 5000);
 *           skiff_wait(skiff_publish(client, "some/topic", "text", 4, 1, false), 5000);
 *           skiff_wait(skiff_disconnect(client, 250, NULL), 5000);
 *   }
 *   skiff_client_free(client);
 *
 * What is asked for while there is no connection waits for one; so wait with a limit, as none may be tried.
 * After fork the child may make clients of its own; those of the parent it must neither use nor free.
 * A NULL client is refused: no token (for which skiff_wait gives SKIFF_MEMORY), SKIFF_USAGE, or false.
 *
 * Tokens. An operation that takes `struct skiff_token **token` gives one where the pointer is not NULL; with NULL it
 * costs nothing. A token ends exactly once, with the outcome of its operation, and must be freed by its holder. */
#ifndef SKIFF_CLIENT_H
#define SKIFF_CLIENT_H

#include <skiff/options.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct skiff_client;
struct skiff_token;

/* ---- life ---- */

/** Creates a client, disconnected. Checks and copies `options`, reads the TLS files; no network.
 * Result: the client, or NULL with `*error` (may be NULL) saying why. Ownership: the caller's, until skiff_client_free.
 */
struct skiff_client *skiff_client_new(const struct skiff_options *options, struct skiff_error *error);

/** Spreads the clients that are created from now on over `count` I/O threads, 1 to 16; 1 unless this is called. Clients
 * on different threads do not wait for each other's handlers; it pays where one thread cannot carry the traffic.
 * Result: SKIFF_OK, or SKIFF_USAGE_OPTION for another count. */
enum skiff_code skiff_io_threads(unsigned count);

/** Ends a client: drops the connection at once (without DISCONNECT, so that the broker publishes the will; use
 * skiff_disconnect before for a clean end), ends every token with SKIFF_CLOSED, waits until no handler of it runs any
 * more, and frees it. Inside one of the client's own handlers it returns at once, no handler of the client is called
 * any more, not even for the event that the connection ended, and the end comes after the handler. NULL is allowed.
 * Tokens stay valid until freed themselves. */
void skiff_client_free(struct skiff_client *client);

/* ---- connection ---- */

/** Starts connecting. Allowed when disconnected; else the token ends at once with SKIFF_USAGE_STATE. Result: a token
 * (the caller's) that ends with the outcome of the first attempt, or of the first success with reconnect.first_too;
 * NULL only when memory is out. */
struct skiff_token *skiff_connect(struct skiff_client *client);

/** Reads the TLS files again, on this thread and at once, for the connections that begin from now on; the one that is
 * up goes on. Files that change are noticed without this; it tells at once whether the new ones can be used, and reads
 * also what shows no change, such as a token. Result: SKIFF_OK; the error of a file, and `*error` (may be NULL), and
 * what was read before stays in use; SKIFF_USAGE_UNSUPPORTED with the engine paho, which reads them by itself for each
 * connection. Without TLS nothing is done. */
enum skiff_code skiff_tls_reload(struct skiff_client *client, struct skiff_error *error);

/** How to end a connection [MQTT 5, 3.14]. All-zero: normal disconnection. */
struct skiff_disconnect_options {
	uint8_t reason;                     /* MQTT 5; 0x04 asks the broker to publish the will */
	struct skiff_properties properties; /* session_expiry_s, reason_string, user */
};

/** Ends the connection and automatic reconnect: waits up to `grace_ms` for what is under way (messages queued, in
 * flight, subscriptions), sends DISCONNECT, closes. `how` NULL: normal. Allowed in every state, once at a time. What is
 * not through by then stays for the next connect when the session is kept, else ends with SKIFF_CLOSED. Result: a token
 * (the caller's); it ends with SKIFF_OK, or with SKIFF_TIMEOUT when the grace was too short. */
struct skiff_token *skiff_disconnect(
	struct skiff_client *client, int grace_ms, const struct skiff_disconnect_options *how);

/* ---- messages ---- */

/** Publishes a message. Topic, payload and properties are copied before return.
 * Result: SKIFF_OK when accepted, and then `*token` (if asked for) ends when QoS 0 is handed to the socket, QoS 1 is
 * acknowledged, QoS 2 is complete; its reason is the broker's. An error code when refused, and then no token is given:
 * SKIFF_USAGE_TOPIC, SKIFF_AGAIN (a bound, see skiff_queue_options), SKIFF_MQTT_TOO_LARGE, SKIFF_MQTT_NOT_ALLOWED,
 * SKIFF_USAGE_STATE (free or disconnect has begun), SKIFF_MEMORY; skiff_client_error tells more. */
enum skiff_code skiff_publish_message(
	struct skiff_client *client, const struct skiff_message *message, struct skiff_token **token);

/** Publishes `count` messages in their order, each as skiff_publish_message would, so that they leave together: for who
 * has many at hand, this costs a fraction of as many calls. `tokens`, if asked for, has room for `count`; it gets one
 * for each message accepted (the caller's), and NULL for the others. Ends with the first that is refused; `*accepted`
 * (may be NULL) is how many were taken before it, so that the next call may begin there, or behind it. With
 * SKIFF_FULL_WAIT it waits for room as often as it must, but not in a handler. `count` 0 does nothing. Result: SKIFF_OK
 * when all were accepted, else the error of that one. */
enum skiff_code skiff_publish_many(struct skiff_client *client, const struct skiff_message *messages, size_t count,
	struct skiff_token **tokens, size_t *accepted);

/** skiff_publish_message for the usual case, with a token (the caller's) whatever happens: one already ended when the
 * message was refused. NULL only when memory is out. */
struct skiff_token *skiff_publish(
	struct skiff_client *client, const char *topic, const void *payload, size_t len, int qos, bool retain);

/** One subscription [MQTT 5, 3.8.3]. */
struct skiff_subscription {
	const char *filter;       /* copied; "$share/NAME/filter" for a shared one */
	uint8_t qos;              /* the highest wanted */
	bool no_local;            /* MQTT 5 */
	bool retain_as_published; /* MQTT 5 */
	uint8_t retain_handling;  /* MQTT 5: 0 send retained, 1 only if new, 2 never */
	skiff_message_fn handler; /* NULL: options.on_message gets what no other handler does */
	void *user;               /* passed to `handler`; must live until an unsubscribe's token has ended */
};

/** Subscribes to `count` filters in one packet; `properties` (MQTT 5: subscription_id, user) may be NULL. The handlers
 * stand from the call on, over reconnects, until unsubscribed; the filter of an existing subscription replaces it.
 * Where a reconnect finds the session gone, filters, options and subscription_id are sent again, user properties are
 * not. Result: as skiff_publish_message. The token ends with an error when every filter was refused; skiff_token_reason
 * tells each. */
enum skiff_code skiff_subscribe_many(struct skiff_client *client, const struct skiff_subscription *subscriptions,
	size_t count, const struct skiff_properties *properties, struct skiff_token **token);

/** skiff_subscribe_many for one filter, with a token (the caller's) whatever happens; NULL only when memory is out. */
struct skiff_token *skiff_subscribe(
	struct skiff_client *client, const char *filter, int qos, skiff_message_fn handler, void *user);

/** Unsubscribes `count` filters in one packet (`properties`, MQTT 5: user; may be NULL); when the token ends no handler
 * of theirs runs or will run. Result: as skiff_publish_message. */
enum skiff_code skiff_unsubscribe_many(struct skiff_client *client, const char *const *filters, size_t count,
	const struct skiff_properties *properties, struct skiff_token **token);

/** skiff_unsubscribe_many for one filter, with a token (the caller's) whatever happens; NULL only when memory is out.
 */
struct skiff_token *skiff_unsubscribe(struct skiff_client *client, const char *filter);

/** Waits until everything accepted so far is handed to the socket (QoS 0) or acknowledged (QoS 1 and 2).
 * `timeout_ms` -1: no limit. Result: SKIFF_OK, SKIFF_TIMEOUT, SKIFF_CLOSED when there is no connection and none is
 * being tried, or SKIFF_USAGE_IN_HANDLER in a handler. */
enum skiff_code skiff_flush(struct skiff_client *client, int timeout_ms);

/* ---- tokens ---- */

/** Waits until the token has ended, at most `timeout_ms` (-1: no limit). Any number of threads may wait.
 * Result: the outcome; SKIFF_TIMEOUT when it has not ended yet; SKIFF_USAGE_IN_HANDLER in a handler, while it has not
 * ended. NULL gives SKIFF_MEMORY, so that calls may be nested. */
enum skiff_code skiff_token_wait(struct skiff_token *token, int timeout_ms);

/** Whether it has ended; false for NULL. For looking now and then: right after a skiff_wait the end of another
 * operation may show up to 2 ms late, as the I/O thread keeps out of the way of one that waits again. */
bool skiff_token_done(const struct skiff_token *token);

/** The outcome in full; borrowed while the token lives. Allowed once it is done (before: SKIFF_OK with a sentence). */
const struct skiff_error *skiff_token_error(const struct skiff_token *token);

/** The broker's reason code at `index` (several for a subscription): 0..255, or -1 when there is none,
 * or it has not ended. */
int skiff_token_reason(const struct skiff_token *token, size_t index);

/** The broker's reason string; "" when there is none. Borrowed while the token lives. */
const char *skiff_token_reason_string(const struct skiff_token *token);

/** Whether the broker continued an old session; for the token of a connect that has ended, else false. */
bool skiff_token_session_present(const struct skiff_token *token);

/** Lets go of a token; its operation goes on. No thread may be waiting for it any more. NULL is allowed. */
void skiff_token_free(struct skiff_token *token);

/** skiff_token_wait, then skiff_token_free whatever the outcome. */
enum skiff_code skiff_wait(struct skiff_token *token, int timeout_ms);

/* ---- what is going on ---- */

/** Events come in strict pairs: CONNECTING then CONNECTED or FAILED; CONNECTED then DISCONNECTED. */
enum skiff_event_kind {
	SKIFF_EVENT_CONNECTING,   /* an attempt begins; `attempt` counts from 1 since the last connection */
	SKIFF_EVENT_CONNECTED,    /* CONNACK accepted; `session_present`, skiff_client_connection tell the rest */
	SKIFF_EVENT_FAILED,       /* the attempt ended in `error`; `retry_ms` until the next, -1: none */
	SKIFF_EVENT_DISCONNECTED, /* an established connection ended; `error` SKIFF_CLOSED when asked for; `retry_ms` as
				     above */
	SKIFF_EVENT_SESSION_LOST, /* the broker no longer had the session that this client held; `lost` messages of QoS
				     2 ended so */
	/* While connecting over TLS: */
	SKIFF_EVENT_TLS_RENEWED, /* certificate, key, CA or CRL files were read again, for this attempt and later ones
				  */
	SKIFF_EVENT_TLS_STALE,   /* they have changed, but cannot be used, as `error` says; what was read before is */
	SKIFF_EVENT_TLS_EXPIRING /* a certificate, the client's if `ours`, else the server's, has `days_left`; told once
				    a day */
};

struct skiff_event {
	enum skiff_event_kind kind;
	unsigned attempt;
	bool session_present;
	int retry_ms;
	size_t lost;
	bool ours;
	int days_left;
	const struct skiff_error *error; /* NULL where there is none; borrowed until return */
};

/** Microseconds spent in each phase of the last or current attempt; -1: not reached or not part of this transport. */
struct skiff_phases {
	int64_t dns_us;
	int64_t tcp_us;
	int64_t proxy_us;
	int64_t tls_us;
	int64_t websocket_us;
	int64_t mqtt_us; /* CONNECT handed to the socket until CONNACK */
	int64_t total_us;
};

/** What the way to the broker looks like, after a connect or a failure. Strings are "" where unknown. */
struct skiff_connection {
	struct skiff_phases phases;
	char url[512];     /* as tried, without user info */
	char address[128]; /* numeric address and port, or the path of a Unix socket; of the proxy where there is one */
	char proxy[288];   /* gone through, without user info: "socks5h://localhost:1080" */
	char proxy_from[16];  /* what named it: "proxy" (the option), else the environment variable */
	char tls_version[16]; /* "TLSv1.3" */
	char tls_cipher[64];
	char tls_alpn[32];
	char tls_subject[256]; /* the server certificate's subject */
	char tls_issuer[256];
	bool tls_resumed;
	bool tls_certificate_wanted; /* the server asked for a client certificate */
	bool tls_ended;              /* the server has ended TLS in order (close_notify) */
	bool tls_session_given;      /* the server gave a session to resume, in TLS 1.3 after it had judged us */
	/* Of this connection so far: what TCP carried, TLS records and WebSocket frames included. */
	uint64_t wire_bytes_out, wire_bytes_in;
	int http_status;  /* of the WebSocket upgrade; 0: none */
	int mqtt_version; /* 5 or 4 (3.1.1); 0 before CONNECT */
	bool session_present;
	char client_id[256];          /* ours, or the one that the broker assigned */
	uint16_t keep_alive_s;        /* in force */
	uint16_t receive_maximum;     /* the broker's */
	uint32_t maximum_packet_size; /* the broker's; bytes */
	uint16_t topic_alias_maximum; /* the broker's */
	uint8_t maximum_qos;
	bool retain_available, wildcard_available, subscription_id_available, shared_available;
	uint32_t session_expiry_s;
	int reason; /* CONNACK's or the broker's DISCONNECT's; -1: none */
	char reason_string[256];
	char server_reference[256];
	char response_information[256];
};

/** Copies what is known of the last or current connection attempt to `*connection`. */
void skiff_client_connection(struct skiff_client *client, struct skiff_connection *connection);

/** Copies the last error of the client or its connection to `*error`; SKIFF_OK if there was none. */
void skiff_client_error(struct skiff_client *client, struct skiff_error *error);

/** Counters since the client was created. Bytes are those of MQTT packets. */
struct skiff_statistics {
	uint64_t messages_out, messages_in;
	uint64_t packets_out, packets_in;
	uint64_t bytes_out, bytes_in;
	uint64_t attempts, connects, reconnects, disconnects;
	uint64_t queued_messages, queued_bytes; /* now: waiting, not yet handed to the engine */
	uint64_t inflight;                      /* now: QoS 1 and 2 out, not complete */
	uint64_t dropped;                       /* messages given up under a bound */
	int64_t connected_us;                   /* time connected in all */
};

/** Copies the counters to `*statistics`. */
void skiff_client_statistics(struct skiff_client *client, struct skiff_statistics *statistics);

/** Whether the client is connected now. */
bool skiff_client_connected(struct skiff_client *client);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
