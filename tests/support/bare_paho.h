/* SPDX-License-Identifier: Apache-2.0 */
/* bare_paho.h: Eclipse Paho MQTT C by itself, without any of our library, and a broker by script for it to talk to.
 *
 * 1. bare_start, once. 2. bare_new; bare_options, changed as wanted, go to MQTTAsync_connect with the handle. 3. what
 * Paho calls back is counted and kept in the struct. 4. bare_free.
 * Names that are looked up never leave this machine: only "localhost" and addresses have one. */
#ifndef TESTS_BARE_PAHO_H
#define TESTS_BARE_PAHO_H

#include "support/far_broker.h"
#include "support/waiting.h"
#include <MQTTAsync.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Longer than any round of Paho's takes, and shorter than one: for what must, and for what must not come. */
enum { BARE_MS = 20000, BARE_NOT_MS = 500 };
enum { BARE_MESSAGES = 8, BARE_TEXT = 256 };

struct bare_message {
	char topic[64], payload[64];
	int qos, dup;
};

/* Counts grow; the rest is written before its count does. */
struct bare {
	MQTTAsync handle;
	int version;
	struct waiting_count ups, failures, losts, disconnects, messages, ends;
	int session_present;
	int code, reason;     /* of the last failure to connect */
	char text[BARE_TEXT]; /* "": Paho gave none */
	int peer_reason;      /* of the broker's DISCONNECT */
	struct bare_message message[BARE_MESSAGES];
	unsigned refusals; /* how many messages are answered with 0, before one is taken */
	bool holding;      /* messageArrived waits while this is set; under the lock of waiting.h */
	struct waiting_count inside;
	char tls[BARE_MESSAGES][BARE_TEXT]; /* what ssl_error_cb was told */
	struct waiting_count tls_lines;
};

struct bare_op {
	struct waiting_count done, failed;
	int code, reason;
	int64_t at_ms;
};

/* A handle that stays, so that Paho's two threads do. */
void bare_start(void);

/* A handle for `url` and MQTTVERSION_3_1_1 or _5. */
struct bare *bare_new(const char *url, int version);
void bare_free(struct bare *bare);

/* Clean, without keep-alive. */
MQTTAsync_connectOptions bare_options(struct bare *bare);
MQTTAsync_SSLOptions bare_tls(struct bare *bare, const char *ca_file);

void bare_connect(struct bare *bare); /* with bare_options, and asserts that it is up */
struct bare *bare_connected(const char *url, int version);
/* Connects so and asserts that it fails with `code` and `text`. */
void bare_fails(struct bare *bare, const MQTTAsync_connectOptions *options, int code, const char *text);

void bare_publish(struct bare *bare, struct bare_op *op, const char *topic, const void *payload, int len, int qos);

bool bare_reach(struct waiting_count *count, uint64_t value); /* in time */
bool bare_stays(struct waiting_count *count, uint64_t value); /* no more than that for a while */
void bare_set(bool *flag, bool value);                        /* under the lock */

/* ---- its trace ---- */

/* Forgets what was traced, and keeps the lines from `level` on. */
void bare_trace(enum MQTTASYNC_TRACE_LEVELS level);
unsigned bare_trace_lines(void);
/* Whether a line begins so, behind its stamp; a copy of the last one goes to `line`, which may be NULL. */
bool bare_traced(const char *begins, char line[BARE_TEXT]);
bool bare_traced_with(const char *begins, const char *with, char line[BARE_TEXT]); /* and has `with` in it */
bool bare_trace_await(const char *begins);
/* The first line, with its stamp. */
void bare_trace_first(char line[BARE_TEXT]);
/* A duplicate of the newest socket that Paho made. */
int bare_trace_socket(void);

/* The last name that was looked up. */
const char *bare_looked_up(void);

/* ---- the far end ---- */

/* Set before it starts, but for the flags. */
struct bare_far {
	const struct skiff_properties *granted;
	uint8_t connack;
	bool session_present;
	const char *greeting; /* follows CONNACK */
	size_t greeting_len;
	unsigned ignores; /* bits 1 << type: what is not answered */
	unsigned drop_at; /* bits 1 << type: what ends the connection */
	uint8_t ack_reason;
	bool hold, hold_reading; /* answers, and reading, wait while this is set; under the lock of waiting.h */
	bool gated;              /* PUBLISH is not answered before as many are `allowed`; under the lock too */
	unsigned allowed;
	/* what it saw */
	struct waiting_count seen[16], dups, ends;
};

struct far_broker *bare_far_start(struct bare_far *far);

#endif
