/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: the promises of MQTT, kept: QoS both ways, packet ids, windows, aliases, keep-alive, resumption.
 *
 * No socket, no clock, no thread, no randomness: bytes, requests and `now` go in; bytes, events and the next deadline
 * come out by pull. One caller at a time (the client's lock). A session outlives its connections.
 *
 * Happy path of a connection: start -> take output, write it, sent -> input, pull (UP) -> publish, subscribe, input,
 * pull ... -> disconnect -> take output -> down. Failure: an event DOWN with skiffi_session_error; what is then in the
 * output (a DISCONNECT with a reason) is still to be written; then down. */
#ifndef SKIFFI_SESSION_H
#define SKIFFI_SESSION_H

#include "codec/packet.h"
#include "session/event.h"
#include "session/output.h"

struct skiffi_session;

/* Borrowed; must outlive the session. */
struct skiffi_session_config {
	struct skiffi_connect connect; /* clean_start and properties as the user wants them for the first connection */
	bool resume;                 /* ask to continue the session at each connection; false: clean start each time */
	uint16_t outbound_aliases;   /* the most topic aliases to use outward */
	uint16_t max_inflight;       /* 0: what the broker takes */
	bool receive_beyond_maximum; /* what the broker sends beyond our receive maximum is taken */
	size_t output_high_bytes;    /* publish is refused (AGAIN) while more than this waits to be written */
	int64_t ping_timeout_us;
};

/* NULL when memory is out. */
struct skiffi_session *skiffi_session_new(const struct skiffi_session_config *config, enum skiffi_protocol version);
void skiffi_session_free(struct skiffi_session *session);

/* Changes the version; only before the first start, or while down with nothing in flight. */
void skiffi_session_set_version(struct skiffi_session *session, enum skiffi_protocol version);
enum skiffi_protocol skiffi_session_version(const struct skiffi_session *session);

/* ---- the connection ---- */

/* A fresh connection is there: CONNECT goes to the output. SKIFF_OK or SKIFF_MEMORY. */
enum skiff_code skiffi_session_start(struct skiffi_session *session, int64_t now_us);

/* Lends bytes that arrived; they must stay until pull has given 0. */
void skiffi_session_input(struct skiffi_session *session, const void *data, size_t len);

/* In the middle of a large packet: where its next bytes, at most `*len`, may be put instead of being lent, so that they
 * need not be copied. NULL: nowhere. What was put there counts after skiffi_session_filled; true: there is something to
 * pull. */
uint8_t *skiffi_session_room(struct skiffi_session *session, size_t *len);
bool skiffi_session_filled(struct skiffi_session *session, size_t len, int64_t now_us);

/* The next events, at most `max`; 0: all input is used up. */
size_t skiffi_session_pull(struct skiffi_session *session, int64_t now_us, struct skiffi_event *events, size_t max);

/* Swaps the waiting output with `*empty`, which must be empty. Result: false, and nothing swapped, when none waits. */
bool skiffi_session_take_output(struct skiffi_session *session, struct skiffi_output *empty);

/* `len` bytes of taken output have reached the transport. DONE events of QoS 0 follow by pull. */
void skiffi_session_sent(struct skiffi_session *session, size_t len, int64_t now_us);

/* Lets go of taken output, in whole or what could not be written. */
void skiffi_session_give_back(struct skiffi_session *session, struct skiffi_output *output);

/* skiffi_session_publish of a message of QoS 0 whose payload stays the caller's: until it is written or the connection
 * has ended, or until skiffi_session_settle has copied what is left of such in `taken` and in the output (false: memory
 * is out). skiffi_session_lent: how many there are. */
enum skiff_code skiffi_session_lend(
	struct skiffi_session *session, const struct skiff_message *message, void *op, struct skiff_error *error);
bool skiffi_session_settle(struct skiffi_session *session, struct skiffi_output *taken);
size_t skiffi_session_lent(const struct skiffi_session *session);

/* When tick is due, microseconds of the same clock as `now`; SKIFFI_NEVER. */
int64_t skiffi_session_deadline(const struct skiffi_session *session);

/* Keep-alive: writes PINGREQ, or ends the connection (event DOWN by pull). */
void skiffi_session_tick(struct skiffi_session *session, int64_t now_us);

/* The connection is gone. What is in flight stays for the next one; pull gives AGAIN and DONE (MQTT_DISCONNECTED) for
 * what does not. Pull until 0 before start. */
void skiffi_session_down(struct skiffi_session *session);

/* While down: gives up the session itself. Pull gives REQUEUE, LOST and DONE for what was in flight, and the next
 * connection begins a new session, as its ids are no longer known here. */
void skiffi_session_forget(struct skiffi_session *session);

/* Whether pull has something to tell that needs no input. */
bool skiffi_session_tells(const struct skiffi_session *session);

/* Why it failed. */
struct skiff_error skiffi_session_error(const struct skiffi_session *session);

/* ---- requests; allowed while up, else SKIFF_AGAIN ---- */

/* Sends a message: `message`, or `kept` when not NULL (a reference is taken; `message` is then ignored). Topic and
 * properties must be valid. `op` comes back in DONE; NULL: none wanted.
 * SKIFF_OK; SKIFF_AGAIN: the broker's window or our output is full, or pull has still to tell what was lost;
 * SKIFF_MQTT_NOT_ALLOWED, SKIFF_MQTT_TOO_LARGE
 * (`*error`, may be NULL, says what); SKIFF_MEMORY. On any but OK nothing has changed. */
enum skiff_code skiffi_session_publish(struct skiffi_session *session, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error);

/* Sends SUBSCRIBE or UNSUBSCRIBE (`type`). `filters` must be valid. As publish. */
enum skiff_code skiffi_session_subscribe(struct skiffi_session *session, enum skiffi_packet_type type,
	const struct skiffi_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error);

/* Writes DISCONNECT; nothing may follow it [MQTT-3.14.4-1]. Any state. */
void skiffi_session_disconnect(
	struct skiffi_session *session, uint8_t reason, const struct skiff_properties *properties);

/* ---- questions ---- */

/* What was negotiated, and counters; adds to what the structs hold. */
struct skiff_connection;
struct skiff_statistics;
void skiffi_session_info(const struct skiffi_session *session, struct skiff_connection *connection);
void skiffi_session_statistics(const struct skiffi_session *session, struct skiff_statistics *statistics);

/* Messages of QoS 1 and 2 not complete, subscribes and unsubscribes unanswered, bytes unwritten: nothing is under way
 * when all are 0. */
size_t skiffi_session_inflight(const struct skiffi_session *session);
size_t skiffi_session_unanswered(const struct skiffi_session *session);
/* The memory that messages in flight take; acknowledgements of ours that wait to be written. Bytes. */
size_t skiffi_session_inflight_bytes(const struct skiffi_session *session);
size_t skiffi_session_answers_bytes(const struct skiffi_session *session);
size_t skiffi_session_unsent(const struct skiffi_session *session);

/* A copy of `message` out of the session's pool; and its end. */
struct skiffi_kept *skiffi_session_keep(struct skiffi_session *session, const struct skiff_message *message);
void skiffi_session_unkeep(struct skiffi_session *session, struct skiffi_kept *kept);

#endif
