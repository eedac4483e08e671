/* SPDX-License-Identifier: Apache-2.0 */
/* session_input.c: bytes become packets, packets go to the files of their kinds, and what comes of them is told by
 * pull.
 *
 * What arrived is read where it lies; only the front of a packet that is cut is copied, and completed with the next
 * bytes. Views that were given out stay until the next pull. */
#include "base/alloc.h"
#include "base/log.h"
#include "session/session_internal.h"
#include "session/session_trace.h"
#include <assert.h>

enum {
	SESSION_PARTIAL_KEEP_BYTES = 4096,
	SESSION_PARTIAL_RESTS = 64, /* a larger one goes after so many inputs that did not need it */
	SESSION_ROOM_LEAST_BYTES = 32 * 1024,
	SESSION_ROOM_STEP_BYTES = 256 * 1024,
};

/* More memory only as more has arrived, whatever the peer announces. */
uint8_t *skiffi_session_room(struct skiffi_session *session, size_t *len)
{
	struct skiffi_frame frame;
	size_t have = skiffi_buffer_len(&session->partial);
	if (!have || session->partial_used || session->input_len || session->state != SESSION_UP ||
		skiffi_frame_next(skiffi_buffer_head(&session->partial), have, session->maximum_packet_size, &frame) !=
			SKIFFI_FRAME_MORE ||
		frame.total_len < have + SESSION_ROOM_LEAST_BYTES)
		return NULL;
	size_t lack = frame.total_len - have, step = have > SESSION_ROOM_STEP_BYTES ? have : SESSION_ROOM_STEP_BYTES;
	*len = lack < step ? lack : step;
	return skiffi_buffer_reserve(&session->partial, *len);
}

bool skiffi_session_filled(struct skiffi_session *session, size_t len, int64_t now_us)
{
	struct skiffi_frame frame;
	skiffi_buffer_commit(&session->partial, len);
	session->bytes_in += len;
	session->last_in_us = now_us;
	return skiffi_frame_next(skiffi_buffer_head(&session->partial), skiffi_buffer_len(&session->partial),
		       session->maximum_packet_size, &frame) != SKIFFI_FRAME_MORE;
}

void skiffi_session_input(struct skiffi_session *session, const void *data, size_t len)
{
	assert(!session->input_len);
	if (!skiffi_buffer_len(&session->partial) && session->partial.data &&
		++session->partial_rests > SESSION_PARTIAL_RESTS)
		skiffi_buffer_release(&session->partial);
	session->input = data;
	session->input_len = len;
	session->bytes_in += len;
}

static enum session_step session_on_packet(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event, bool first)
{
	/* Nothing may follow our DISCONNECT [MQTT-3.14.4-1], not even an answer: the broker keeps what it gets none
	 * for. */
	if (session->state == SESSION_ENDING && (frame->type == SKIFFI_PUBLISH || frame->type == SKIFFI_PUBREL))
		return STEP_QUIET;
	switch (frame->type) {
	case SKIFFI_PUBLISH:
		return skiffi_session_on_publish(session, frame, event, first);
	case SKIFFI_PUBACK:
	case SKIFFI_PUBREC:
	case SKIFFI_PUBCOMP:
		return skiffi_session_on_ack(session, frame, event);
	case SKIFFI_PUBREL:
		return skiffi_session_on_pubrel(session, frame);
	case SKIFFI_SUBACK:
	case SKIFFI_UNSUBACK:
		return skiffi_session_on_suback(session, frame, event);
	case SKIFFI_PINGRESP:
		return skiffi_session_on_pingresp(session, frame);
	case SKIFFI_CONNACK:
		return skiffi_session_on_connack(session, frame, event);
	case SKIFFI_DISCONNECT:
		return skiffi_session_on_disconnect(session, frame);
	case SKIFFI_AUTH: /* [MQTT-4.12.0-6]: we name no method, so there is nothing to talk about */
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
			"the broker sent AUTH, which nobody asked for [MQTT-4.12.0-6]");
		return STEP_QUIET;
	case 0: /* [MQTT 5, 2.1.2] */
		skiffi_session_fault(
			session, SKIFF_MQTT_MALFORMED, 0x81, "the broker sent a packet of type 0, which is reserved");
		return STEP_QUIET;
	default:
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, session->version == SKIFFI_V5 ? 0x82 : 0,
			"the broker sent %s, which only a client sends", skiffi_packet_name(frame->type));
		return STEP_QUIET;
	}
}

static void session_bad_frame(
	struct skiffi_session *session, enum skiffi_framing framing, const struct skiffi_frame *frame)
{
	if (framing == SKIFFI_FRAME_TOO_LARGE)
		skiffi_session_fault(session, SKIFF_MQTT_TOO_LARGE, 0x95,
			"the broker announced a packet of %zu bytes, more than the %zu allowed [MQTT-3.1.2-24]",
			frame->total_len, session->maximum_packet_size);
	else if (session->state == SESSION_CONNECTING)
		skiffi_session_fault(session, SKIFF_WRONG_PROTOCOL, 0,
			"the peer's answer is not MQTT; another protocol lives on this port");
	else
		skiffi_session_fault(session, SKIFF_MQTT_MALFORMED, 0x81,
			"the broker sent a malformed packet length [MQTT-1.5.5-1]");
}

/* Where large packets come one behind the other, the memory stays. */
static void session_drop_partial(struct skiffi_session *session)
{
	bool fits = skiffi_buffer_len(&session->partial) > session->partial.capacity / 4;
	session->partial_used = false;
	session->partial_rests = 0;
	skiffi_buffer_clear(&session->partial, fits ? SIZE_MAX : SESSION_PARTIAL_KEEP_BYTES);
}

/* Moves up to `len` bytes of the input to `partial`. */
static bool session_fill_partial(struct skiffi_session *session, size_t len)
{
	size_t take = len < session->input_len ? len : session->input_len;
	if (!skiffi_buffer_append(&session->partial, session->input, take)) {
		skiffi_session_fault(session, SKIFF_MEMORY, 0x83, "out of memory for a packet from the broker");
		return false;
	}
	session->input += take;
	session->input_len -= take;
	return true;
}

/* Whether a broker's packet can begin with `byte` at all. */
static bool session_first_byte_fits(uint8_t byte)
{
	switch (byte >> 4) {
	case 0:
	case SKIFFI_CONNECT:
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
	case SKIFFI_PINGREQ:
		return false;
	case SKIFFI_CONNACK:
		return true;
	case SKIFFI_PUBLISH:
		return (byte & 0x06) != 0x06;
	case SKIFFI_PUBREL:
		return (byte & 0x0f) == 2;
	default:
		return !(byte & 0x0f);
	}
}

/* The first byte of the answer to CONNECT tells enough: none is waited for from a peer that does not speak MQTT.
 * False: faulted. */
static bool session_greeted(struct skiffi_session *session)
{
	const uint8_t *first =
		skiffi_buffer_len(&session->partial) ? skiffi_buffer_head(&session->partial) : session->input;
	if (session->state != SESSION_CONNECTING || *first >> 4 == SKIFFI_CONNACK)
		return true;
	if (session_first_byte_fits(*first))
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0,
			"the peer's first packet is %s, not CONNACK [MQTT-3.2.0-1]; it may not be an MQTT broker",
			skiffi_packet_name(*first >> 4));
	else
		skiffi_session_fault(session, SKIFF_WRONG_PROTOCOL, 0,
			"the peer's answer is not MQTT; another protocol lives on this port");
	return false;
}

/* The next whole packet, out of `partial` or straight from the input. False: none, for now or for good. */
static bool session_next_frame(struct skiffi_session *session, struct skiffi_frame *frame, bool first)
{
	if (first && session->partial_used) /* nobody holds views of it */
		session_drop_partial(session);
	if ((session->input_len || skiffi_buffer_len(&session->partial)) && !session_greeted(session))
		return false;
	while (skiffi_buffer_len(&session->partial) && !session->partial_used) {
		enum skiffi_framing framing = skiffi_frame_next(skiffi_buffer_head(&session->partial),
			skiffi_buffer_len(&session->partial), session->maximum_packet_size, frame);
		if (framing == SKIFFI_FRAME_OK)
			return true;
		if (framing != SKIFFI_FRAME_MORE) {
			session_bad_frame(session, framing, frame);
			return false;
		}
		size_t lack = frame->total_len ? frame->total_len - skiffi_buffer_len(&session->partial) : 1;
		if (!session->input_len || !session_fill_partial(session, lack))
			return false;
	}
	if (!session->input_len)
		return false;
	enum skiffi_framing framing =
		skiffi_frame_next(session->input, session->input_len, session->maximum_packet_size, frame);
	if (framing == SKIFFI_FRAME_OK)
		return true;
	if (framing != SKIFFI_FRAME_MORE)
		session_bad_frame(session, framing, frame);
	else if (!session->partial_used) /* else views into `partial` are out: next time */
		session_fill_partial(session, session->input_len);
	return false;
}

static void session_used_frame(struct skiffi_session *session, const struct skiffi_frame *frame)
{
	if (session->input_len && frame->body > session->input && frame->body <= session->input + session->input_len) {
		session->input += frame->total_len;
		session->input_len -= frame->total_len;
	} else {
		session->partial_used = true;
	}
	session->packets_in++;
}

static size_t session_pull_frames(struct skiffi_session *session, struct skiffi_event *events, size_t max)
{
	struct skiffi_frame frame;
	size_t count = 0;
	if (session->state == SESSION_CONNECTING && session->input_len)
		skiffi_session_know_stranger(session);
	while (count < max &&
		(session->state == SESSION_UP || session->state == SESSION_CONNECTING ||
			session->state == SESSION_ENDING) &&
		session->telling == TELL_NONE && session_next_frame(session, &frame, !count)) {
		if (frame.type != SKIFFI_PUBLISH && skiffi_log_wanted(SKIFF_LOG_TRACE))
			skiffi_session_trace_in(session->version, &frame);
		enum session_step step = session_on_packet(session, &frame, &events[count], !count);
		if (step == STEP_DEFER)
			break;
		session_used_frame(session, &frame);
		count += step == STEP_EVENT;
	}
	return count;
}

static size_t session_tell(struct skiffi_session *session, struct skiffi_event *events, size_t max)
{
	size_t count = session->telling & TELL_LOST ? skiffi_session_tell_lost(session, events, max) : 0;
	if (!session->inflight.messages)
		session->telling &= ~(unsigned)TELL_LOST;
	if (count)
		return count;
	if (!(session->telling & TELL_GONE))
		return 0;
	count = skiffi_session_tell_again(session, events, max);
	if (count)
		return count;
	session->telling &= ~(unsigned)TELL_GONE;
	session->output_lost += session->output_end - session->output_sent;
	session->output_sent = session->output_end;
	return 0;
}

size_t skiffi_session_pull(struct skiffi_session *session, int64_t now_us, struct skiffi_event *events, size_t max)
{
	if (session->partial_used)
		session_drop_partial(session);
	if (session->input_len)
		session->last_in_us = now_us;
	size_t count = skiffi_session_tell_sent(session, events, max, SKIFF_OK);
	if (!count && session->telling != TELL_NONE)
		count = session_tell(session, events, max);
	if (!count)
		count = session_pull_frames(session, events, max);
	if (session->state == SESSION_FAILED) {
		session->input_len = 0;
		if (count < max && !session->fault_told) {
			skiffi_session_event(
				&events[count++], SKIFFI_EVENT_DOWN, NULL, session->error.code, session->broker.reason);
			session->fault_told = true;
		}
	}
	return count;
}
