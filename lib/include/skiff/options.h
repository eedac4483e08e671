/* SPDX-License-Identifier: Apache-2.0 */
/* options.h: everything that can be chosen when a client is created. All-zero is the default, except the URL. */
#ifndef SKIFF_OPTIONS_H
#define SKIFF_OPTIONS_H

#include <skiff/error.h>
#include <skiff/message.h>
#include <skiff/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skiff_client;
struct skiff_event;

enum skiff_version {
	SKIFF_MQTT_5, /* default; a broker that refuses it gives an error that says so */
	SKIFF_MQTT_311,
	SKIFF_MQTT_AUTO, /* 5, and 3.1.1 where the broker refuses 5 */
	SKIFF_MQTT_31    /* for brokers from before 2014; all that is said of 3.1.1 holds for it */
};

/** What to do when a message would exceed `queue.max_bytes`. */
enum skiff_full_policy {
	SKIFF_FULL_REFUSE,     /* the call fails with SKIFF_AGAIN */
	SKIFF_FULL_WAIT,       /* the call waits for room; inside a handler it fails with SKIFF_AGAIN instead */
	SKIFF_FULL_DROP_OLDEST /* the oldest waiting message ends with SKIFF_AGAIN and makes room */
};

enum skiff_engine {
	SKIFF_ENGINE_DEFAULT, /* the environment variable SKIFF_ENGINE if set, else native */
	SKIFF_ENGINE_NATIVE,
	SKIFF_ENGINE_PAHO /* refused with a sentence where it is not built in */
};

/** Called for each message that matches a subscription's filter, or that matches none (options.on_message). Runs on
 * the client's I/O thread (with options.spin or options.handlers_in_waits also on one that waits) with no lock held: it
 * may call anything but a wait; while it runs, no other connection of that thread makes progress, so hand long work to
 * a thread of your own, or see skiff_io_threads. `message` is borrowed until return. */
typedef void (*skiff_message_fn)(struct skiff_client *client, const struct skiff_message *message, void *user);

/** Called for each event of the connection's life (client.h). Same thread and rules as skiff_message_fn. */
typedef void (*skiff_event_fn)(struct skiff_client *client, const struct skiff_event *event, void *user);

/** Called after the handlers of some messages that came together, and before those are acknowledged: the place to write
 * out what the handlers have gathered. Same thread and rules as skiff_message_fn. */
typedef void (*skiff_batch_fn)(struct skiff_client *client, void *user);

/** Time limits, milliseconds. 0: the default named; -1: none. `total_ms` bounds all phases together. */
struct skiff_timeouts {
	int resolve_ms;   /* 8000 */
	int tcp_ms;       /* 5000, over all addresses */
	int tls_ms;       /* 8000 */
	int websocket_ms; /* 8000 */
	int mqtt_ms;      /* 8000: CONNECT sent to CONNACK read */
	int total_ms;     /* 15000 */
};

/** Automatic reconnect: full jitter, that is a delay drawn evenly from 0 to min(max, min * 2^n). */
struct skiff_reconnect_options {
	bool off;
	bool first_too; /* also retry when the first attempt fails; default: its token gets the error and that is all */
	int min_ms;     /* 0: 1000 */
	int max_ms;     /* 0: 120000 */
	int stable_ms;  /* 0: 30000; the count n starts anew once a connection held this long */
};

/** Messages that cannot be sent now: no connection, or the broker's window is full. */
struct skiff_queue_options {
	size_t max_bytes; /* 0: 64 MiB; counts what waits, is unsent or unacknowledged; the memory
			     behind it may be up to twice that */
	enum skiff_full_policy full;
	bool refuse_offline; /* publish without a connection fails with SKIFF_USAGE_STATE instead of waiting */
};

/** The message the broker publishes when the connection ends without DISCONNECT [MQTT 5, 3.1.2.5]. */
struct skiff_will {
	struct skiff_bytes topic; /* absent: no will */
	struct skiff_bytes payload;
	uint8_t qos;
	bool retain;
	const struct skiff_properties
		*properties; /* will_delay_s, payload_format, message_expiry_s, content_type, ... */
};

/** Everything is copied; nothing needs to outlive the call that takes the options. */
struct skiff_options {
	const char *url; /* tcp mqtt ssl tls mqtts ws wss unix; a bare host means mqtt://host. Required */
	enum skiff_engine engine;
	enum skiff_version version;
	const char *address; /* numeric: where to connect, instead of a look-up of the URL's host; that stays the name
				for TLS and HTTP. Proxies that look it up themselves do so all the same. NULL: look it
				up */
	/* [scheme://][user:password@]host[:port], for every URL but unix. http: CONNECT opens the way, and the proxy
	 * looks up the URL's host; the scheme unless another is given; port 80. socks5: the host is looked up here, and
	 * its addresses are asked for in turn; socks5h: the proxy looks it up; port 1080. NULL: none. */
	const char *proxy;
	/* Where `proxy` is NULL: the proxy that the environment names when the client is created. For a URL with TLS
	 * that is https_proxy or HTTPS_PROXY, without http_proxy (not HTTP_PROXY, which a web server may set from what
	 * its clients send); then all_proxy or ALL_PROXY. no_proxy or NO_PROXY takes hosts out: "*", names and all
	 * names below them, addresses, blocks (10.0.0.0/8), each with ":PORT" where only that is meant. false: no
	 * variable is looked at. */
	bool proxy_environment;
	int ip_version;            /* 4 or 6: only addresses of that kind are tried; 0: both */
	const char *local_address; /* numeric: where connections come from; peers of the other IP version are then out
				      of reach. NULL: as the system routes */

	const char *client_id;       /* NULL: "skiff-" and 128 random bits; "": let the broker assign one */
	const char *user_name;       /* NULL: the URL's user info, if any */
	struct skiff_bytes password; /* absent: the URL's. Wiped from our memory when the client is freed */
	bool resume_session; /* false: clean start. true: continue the session; with a client_id of one's own also over
				processes */
	uint32_t session_expiry_s; /* MQTT 5: how long the broker keeps the session; with resume_session 0 means
				      4294967295 */
	int keep_alive_s;          /* 0: 60; -1: off; up to 65535 */
	int ping_timeout_ms;       /* 0: 10000; silence after a PINGREQ that ends the connection */
	struct skiff_will will;
	/* Further CONNECT properties, MQTT 5: receive_maximum, maximum_packet_size, topic_alias_maximum,
	 * request_response_info, request_problem_info, user. Absent receive_maximum: 65535; absent topic_alias_maximum:
	 * 32; absent maximum_packet_size: 268435460 bytes. */
	const struct skiff_properties *connect_properties;
	uint16_t max_inflight; /* messages of QoS 1 and 2 that are on their way at once; 0: as many as the broker takes
				*/
	/* MQTT 5: takes messages that the broker sends beyond our receive_maximum, as mosquitto 2.0 does; else they end
	 * the connection with reason 0x93 [MQTT-3.3.4-9]. The engine paho always takes them. */
	bool receive_beyond_maximum;
	int outbound_aliases; /* 0: use up to 64 of the topic aliases the broker offers; -1: none; else up to this many
			       */

	struct skiff_tls_options tls;
	const char *ws_subprotocol; /* what the WebSocket upgrade offers, and the server must select; NULL: "mqtt" */
	const struct skiff_user_property *http_headers; /* extra headers of the WebSocket upgrade */
	size_t http_header_count;

	struct skiff_timeouts timeouts;
	struct skiff_reconnect_options reconnect;
	struct skiff_queue_options queue;
	/* Round trips of less: skiff_wait, skiff_token_wait and skiff_flush do the client's I/O on the thread that
	 * waits, and keep its processor busy instead of sleeping. Handlers, also those of other clients on the same I/O
	 * thread, then run there. */
	bool spin;
	/* While a client is the only one on its I/O thread and has no handlers, a thread in skiff_wait or
	 * skiff_token_wait does its I/O, asleep until something comes, so that the two threads need not wake each
	 * other. true: also with handlers. They then run on the thread that waits (of several, the first), while nobody
	 * waits on the I/O thread as ever; one at a time in any case, and a slow one makes the wait longer. So hold no
	 * mutex that a handler takes while you wait. With either engine. */
	bool handlers_in_waits;

	skiff_message_fn
		on_message; /* once for each message that no subscription's handler takes; NULL: they are dropped */
	skiff_batch_fn on_batch; /* NULL: nobody wants to know */
	skiff_event_fn on_event;
	void *user; /* passed to on_message, on_batch and on_event */
};

#ifdef __cplusplus
}
#endif
#endif
