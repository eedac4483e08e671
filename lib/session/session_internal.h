/* SPDX-License-Identifier: Apache-2.0 */
/* session_internal.h: the session's own state, shared by the session_*.c files and nobody else. */
#ifndef SKIFFI_SESSION_INTERNAL_H
#define SKIFFI_SESSION_INTERNAL_H

#include "base/clock.h"
#include "base/error.h"
#include "session/aliases.h"
#include "session/inflight.h"
#include "session/limits.h"
#include "session/session.h"

/* One connection's life. DOWN -> CONNECTING (start) -> UP (CONNACK) -> ENDING (our DISCONNECT) or FAILED (a fault, or
 * the broker's DISCONNECT) -> DOWN (down). CONNECTING may go to FAILED or ENDING too. */
enum session_state { SESSION_DOWN, SESSION_CONNECTING, SESSION_UP, SESSION_ENDING, SESSION_FAILED };

/* What has to be told before any more input is looked at, as bits: LOST is set by a CONNACK without the session, and by
 * forget; GONE by down. Each goes when all of it is told. */
enum session_telling { TELL_NONE = 0, TELL_LOST = 1, TELL_GONE = 2 };

/* A message of QoS 0 somebody waits for: done when output byte `end` has reached the transport. */
struct session_awaited {
	uint64_t end;
	void *op;
};

struct skiffi_session {
	const struct skiffi_session_config *config;
	enum skiffi_protocol version;
	enum session_state state;
	unsigned telling; /* enum session_telling */
	bool fault_told;  /* the event DOWN of a FAILED session was given */
	bool held;        /* there is a session that may be continued: some CONNACK was accepted */
	bool fresh;       /* the next connection must begin a new session, also with resume */
	struct skiffi_kept_error error;

	/* what the broker said at CONNACK; defaults of the standard until then */
	struct {
		struct skiffi_limits limits;
		bool session_present;
		int reason;
		char *client_id, *reason_string, *server_reference, *response_information; /* owned; NULL: none */
	} broker;

	/* in */
	const uint8_t *input;
	size_t input_len;
	struct skiffi_buffer partial; /* the front of a packet that has not wholly arrived */
	bool partial_used;            /* what it holds was given out; dropped at the next pull */
	unsigned partial_rests;       /* inputs since it was needed last */
	size_t maximum_packet_size;   /* ours */
	uint16_t receive_maximum;     /* ours */
	uint32_t unacknowledged;      /* QoS 1 in, whose PUBACK has not left yet */
	uint32_t receiving;           /* QoS 2 in on this connection, whose PUBREL has not come */
	uint8_t *received;            /* a bit per packet id; NULL until the first QoS 2 message */
	struct skiffi_aliases_in aliases_in;

	/* out */
	struct skiffi_output output;
	struct skiffi_kept_pool pool;
	bool lends; /* the message being published keeps its payload */
	struct skiffi_inflight inflight;
	size_t inflight_bytes; /* of the messages kept in it */
	size_t answers_bytes;  /* acknowledgements in `output`, */
	size_t answers_taken;  /* and in what was taken of it and not given back */
	struct skiffi_aliases_out aliases_out;
	uint32_t outstanding; /* exchanges of QoS 1 and 2 on this connection that have not ended [MQTT-4.9.0-1] */
	uint16_t resend;      /* first in flight not sent again on this connection; 0: all are */
	uint64_t output_end;  /* bytes ever put into the output */
	uint64_t output_sent; /* of them, those that have reached the transport */
	uint64_t output_lost; /* of them, those that went down with a connection */
	struct session_awaited *awaited; /* a ring, in order of `end` */
	size_t awaited_first, awaited_count, awaited_capacity;

	/* keep-alive */
	int64_t last_out_us; /* when bytes last reached the transport */
	int64_t last_in_us;
	int64_t ping_sent_us; /* the first PINGREQ whose PINGRESP is due; SKIFFI_NEVER: none */
	int64_t ping_last_us; /* when PINGREQ was written last */

	uint64_t packets_out, packets_in, bytes_in, messages_out, messages_in;
};

/* What a packet led to: no event, an event filled in, or "look at this packet again at the next pull". */
enum session_step { STEP_QUIET, STEP_EVENT, STEP_DEFER };

/* Ends the connection by a fault of the peer or of ours: DISCONNECT with `reason` where the version has it (0: none),
 * then the event DOWN. */
void skiffi_session_fault(struct skiffi_session *session, enum skiff_code code, uint8_t reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* As skiffi_session_fault for a packet that its decoder refused. */
void skiffi_session_refuse(
	struct skiffi_session *session, const struct skiffi_frame *frame, const struct skiffi_refusal *why);

/* Refuses a reason string or user properties where problem information was not asked for [MQTT-3.1.2-29]. */
bool skiffi_session_problem_allowed(
	struct skiffi_session *session, const struct skiffi_frame *frame, const struct skiff_properties *properties);

/* Counts what was appended to the output's bytes since it had `before` bytes. */
void skiffi_session_count_output(struct skiffi_session *session, size_t before);

/* The same for what an encoder appended; faults when `ok` is not. */
bool skiffi_session_wrote(struct skiffi_session *session, size_t before, bool ok);

/* Writes an acknowledgement: PUBACK, PUBREC, PUBREL or PUBCOMP; false: the session has failed. */
bool skiffi_session_answer(struct skiffi_session *session, enum skiffi_packet_type type, const struct skiffi_ack *ack);

/* An owned copy of a view, replacing `*text`; NULL for an absent view, or when memory is out. */
void skiffi_session_keep_text(char **text, struct skiff_bytes view);

static inline void skiffi_session_event(
	struct skiffi_event *event, enum skiffi_event_kind kind, void *op, enum skiff_code code, int reason)
{
	event->kind = kind;
	event->session_present = false;
	event->op = op;
	event->code = code;
	event->reason = reason;
	event->properties = NULL;
	event->reasons = (struct skiff_bytes){0};
	event->kept = NULL;
}

/* Hands on the properties of an acknowledgement, where there are any. */
static inline void skiffi_session_event_properties(
	struct skiffi_event *event, const struct skiff_properties *properties)
{
	if (!properties->reason_string.data && !properties->user_count)
		return;
	event->storage = *properties;
	event->properties = &event->storage;
}

/* session_connect.c */
enum session_step skiffi_session_on_connack(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event);
enum session_step skiffi_session_on_disconnect(struct skiffi_session *session, const struct skiffi_frame *frame);
void skiffi_session_forget_broker(struct skiffi_session *session);

/* session_publish_out.c */
enum session_step skiffi_session_on_ack(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event);
void skiffi_session_resend(struct skiffi_session *session);
size_t skiffi_session_tell_lost(struct skiffi_session *session, struct skiffi_event *events, size_t max);
size_t skiffi_session_tell_sent(
	struct skiffi_session *session, struct skiffi_event *events, size_t max, enum skiff_code code);

/* session_publish_in.c */
enum session_step skiffi_session_on_publish(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event, bool first);
enum session_step skiffi_session_on_pubrel(struct skiffi_session *session, const struct skiffi_frame *frame);
void skiffi_session_forget_received(struct skiffi_session *session);

/* session_subscribe.c */
enum session_step skiffi_session_on_suback(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event);
size_t skiffi_session_tell_again(struct skiffi_session *session, struct skiffi_event *events, size_t max);

/* session_stranger.c */
/* Faults when what came before CONNACK is plainly another protocol. */
void skiffi_session_know_stranger(struct skiffi_session *session);

/* session_keepalive.c */
enum session_step skiffi_session_on_pingresp(struct skiffi_session *session, const struct skiffi_frame *frame);

#endif
