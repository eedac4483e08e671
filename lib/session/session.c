/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: the life of a session and of each of its connections, and the way of input to the packet kinds. */
#include "session/session.h"

#include "base/alloc.h"
#include "codec/reason.h"
#include "session/session_internal.h"
#include <assert.h>
#include <skiff/client.h>
#include <stdarg.h>
#include <stdio.h>

enum { SESSION_PACKET_MAX_BYTES = 268435460, SESSION_PARTIAL_KEEP_BYTES = 4096 };

struct skiffi_session *skiffi_session_new(const struct skiffi_session_config *config, enum skiffi_protocol version)
{
	struct skiffi_session *session = skiffi_calloc(1, sizeof *session);
	if (!session)
		return NULL;
	session->config = config;
	session->fresh = config->connect.clean_start;
	session->ping_sent_us = SKIFFI_NEVER;
	session->broker.reason = -1;
	skiffi_session_set_version(session, version);
	skiffi_session_forget_broker(session);
	return session;
}

void skiffi_session_set_version(struct skiffi_session *session, enum skiffi_protocol version)
{
	const struct skiff_properties *ours = session->config->connect.properties;
	session->version = version;
	session->receive_maximum = UINT16_MAX;
	session->maximum_packet_size = SESSION_PACKET_MAX_BYTES;
	if (version != SKIFFI_V5 || !ours)
		return;
	if (ours->has & SKIFF_HAS_RECEIVE_MAXIMUM)
		session->receive_maximum = ours->receive_maximum;
	if (ours->has & SKIFF_HAS_MAXIMUM_PACKET_SIZE)
		session->maximum_packet_size = ours->maximum_packet_size;
}

enum skiffi_protocol skiffi_session_version(const struct skiffi_session *session)
{
	return session->version;
}

static void session_release_inflight(struct skiffi_session *session)
{
	for (uint32_t id = 1; id < session->inflight.count; id++)
		if (session->inflight.slots[id].await != SKIFFI_AWAIT_NOTHING)
			skiffi_kept_unref(&session->pool, session->inflight.slots[id].kept);
	skiffi_inflight_release(&session->inflight);
}

void skiffi_session_free(struct skiffi_session *session)
{
	if (!session)
		return;
	session_release_inflight(session);
	skiffi_output_release(&session->output, &session->pool);
	skiffi_aliases_in_reset(&session->aliases_in, 0);
	skiffi_aliases_out_reset(&session->aliases_out, 0);
	skiffi_buffer_release(&session->partial);
	skiffi_kept_pool_release(&session->pool);
	skiffi_session_forget_broker(session);
	skiffi_free(session->broker.client_id);
	skiffi_session_forget_received(session);
	skiffi_free(session->awaited);
	skiffi_free(session);
}

void skiffi_session_keep_text(char **text, struct skiff_bytes view)
{
	skiffi_free(*text);
	*text = view.data ? skiffi_memdup(view.data, view.len) : NULL;
}

/* ---- output ---- */

void skiffi_session_count_output(struct skiffi_session *session, size_t before)
{
	size_t len = session->output.bytes.tail - before;
	session->output.len += len;
	session->output_end += len;
	session->packets_out++;
}

bool skiffi_session_wrote(struct skiffi_session *session, size_t before, bool ok)
{
	if (!ok) {
		skiffi_session_fault(session, SKIFF_MEMORY, 0, "out of memory while writing a packet");
		return false;
	}
	skiffi_session_count_output(session, before);
	return true;
}

bool skiffi_session_answer(struct skiffi_session *session, enum skiffi_packet_type type, const struct skiffi_ack *ack)
{
	size_t before = session->output.bytes.tail;
	bool ok = skiffi_ack_encode(&session->output.bytes, session->version, type, ack);
	session->answers_bytes += session->output.bytes.tail - before;
	return skiffi_session_wrote(session, before, ok);
}

bool skiffi_session_take_output(struct skiffi_session *session, struct skiffi_output *empty)
{
	if (!session->output.len)
		return false;
	struct skiffi_output taken = session->output;
	session->output = *empty;
	*empty = taken;
	session->unacknowledged = 0;
	session->answers_taken += session->answers_bytes;
	session->answers_bytes = 0;
	return true;
}

void skiffi_session_sent(struct skiffi_session *session, size_t len, int64_t now_us)
{
	session->output_sent += len;
	session->last_out_us = now_us;
}

void skiffi_session_give_back(struct skiffi_session *session, struct skiffi_output *output)
{
	skiffi_output_clear(output, &session->pool);
	session->answers_taken = 0;
}

/* ---- faults ---- */

/* Appends it; false when memory is out, or when it is larger than the broker takes. */
static bool session_try_disconnect(struct skiffi_session *session, const struct skiffi_reasoned *packet)
{
	size_t before = session->output.bytes.tail;
	if (!skiffi_disconnect_encode(&session->output.bytes, session->version, packet))
		return false;
	if (session->output.bytes.tail - before > session->broker.maximum_packet_size) {
		session->output.bytes.tail = before;
		return false;
	}
	skiffi_session_count_output(session, before);
	return true;
}

/* Where it cannot be written at all, the connection ends all the same, only less politely. */
static void session_write_disconnect(
	struct skiffi_session *session, uint8_t reason, const struct skiff_properties *properties)
{
	struct skiffi_reasoned packet = {.reason = reason};
	if (properties && session->version == SKIFFI_V5)
		packet.properties = *properties;
	if (session_try_disconnect(session, &packet))
		return;
	packet.properties.user = NULL; /* [MQTT-3.14.2-4] */
	packet.properties.user_count = 0;
	packet.properties.raw = (struct skiff_bytes){0};
	if (session_try_disconnect(session, &packet))
		return;
	packet.properties.reason_string = (struct skiff_bytes){0}; /* [MQTT-3.14.2-3] */
	session_try_disconnect(session, &packet);
}

void skiffi_session_fault(struct skiffi_session *session, enum skiff_code code, uint8_t reason, const char *format, ...)
{
	char text[SKIFF_ERROR_TEXT_BYTES];
	va_list args;
	if (session->state == SESSION_FAILED || session->state == SESSION_DOWN)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	skiffi_fail(&session->error, code, reason, "%s", text);
	/* Before CONNACK, closing says as much; and only MQTT 5 gives a DISCONNECT a reason. */
	if (session->state == SESSION_UP && reason && session->version == SKIFFI_V5)
		session_write_disconnect(session, reason, NULL);
	session->state = SESSION_FAILED;
	session->fault_told = false;
}

void skiffi_session_refuse(
	struct skiffi_session *session, const struct skiffi_frame *frame, const struct skiffi_refusal *why)
{
	enum skiff_code code = why->reason == 0x81 ? SKIFF_MQTT_MALFORMED : SKIFF_MQTT_PROTOCOL;
	skiffi_session_fault(
		session, code, why->reason, "the broker sent a bad %s: %s", skiffi_packet_name(frame->type), why->rule);
}

bool skiffi_session_problem_allowed(
	struct skiffi_session *session, const struct skiffi_frame *frame, const struct skiff_properties *properties)
{
	const struct skiff_properties *asked = session->config->connect.properties;
	if (!properties->reason_string.data && !properties->user_count)
		return true;
	if (!asked || !(asked->has & SKIFF_HAS_REQUEST_PROBLEM_INFO) || asked->request_problem_info)
		return true;
	skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
		"the broker sent problem information in %s, which was not asked for [MQTT-3.1.2-29]",
		skiffi_packet_name(frame->type));
	return false;
}

void skiffi_session_disconnect(
	struct skiffi_session *session, uint8_t reason, const struct skiff_properties *properties)
{
	if (session->state != SESSION_UP)
		return;
	session_write_disconnect(session, reason, properties);
	session->state = SESSION_ENDING;
}

/* ---- input ---- */

void skiffi_session_input(struct skiffi_session *session, const void *data, size_t len)
{
	assert(!session->input_len);
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

static void session_drop_partial(struct skiffi_session *session)
{
	session->partial_used = false;
	skiffi_buffer_clear(&session->partial, SESSION_PARTIAL_KEEP_BYTES);
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

void skiffi_session_down(struct skiffi_session *session)
{
	skiffi_output_clear(&session->output, &session->pool);
	skiffi_buffer_release(&session->partial);
	session->partial_used = false;
	session->input_len = 0;
	session->unacknowledged = 0;
	session->answers_bytes = session->answers_taken = 0;
	session->ping_sent_us = SKIFFI_NEVER;
	session->state = SESSION_DOWN;
	session->telling |= TELL_GONE;
	/* Topic aliases do not outlive the connection [MQTT-3.3.2-7]. */
	skiffi_aliases_in_reset(&session->aliases_in, 0);
	skiffi_aliases_out_reset(&session->aliases_out, 0);
}

void skiffi_session_forget(struct skiffi_session *session)
{
	assert(session->state == SESSION_DOWN);
	skiffi_session_forget_received(session);
	session->held = false;
	session->fresh = true;
	if (session->inflight.messages)
		session->telling |= TELL_LOST;
}

bool skiffi_session_tells(const struct skiffi_session *session)
{
	return session->telling != TELL_NONE || (session->state == SESSION_FAILED && !session->fault_told) ||
	       (session->awaited_count && session->awaited[session->awaited_first].end <= session->output_sent);
}

/* ---- questions ---- */

const struct skiff_error *skiffi_session_error(const struct skiffi_session *session)
{
	return &session->error;
}

bool skiffi_session_up(const struct skiffi_session *session)
{
	return session->state == SESSION_UP;
}

size_t skiffi_session_inflight(const struct skiffi_session *session)
{
	return session->inflight.messages;
}

size_t skiffi_session_unanswered(const struct skiffi_session *session)
{
	return session->inflight.others;
}

size_t skiffi_session_inflight_bytes(const struct skiffi_session *session)
{
	return session->inflight_bytes;
}

size_t skiffi_session_answers_bytes(const struct skiffi_session *session)
{
	return session->answers_bytes + session->answers_taken;
}

size_t skiffi_session_unsent(const struct skiffi_session *session)
{
	return (size_t)(session->output_end - session->output_sent);
}

struct skiffi_kept *skiffi_session_keep(struct skiffi_session *session, const struct skiff_message *message)
{
	return skiffi_kept_new(&session->pool, message);
}

void skiffi_session_unkeep(struct skiffi_session *session, struct skiffi_kept *kept)
{
	skiffi_kept_unref(&session->pool, kept);
}

static void session_copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

void skiffi_session_info(const struct skiffi_session *session, struct skiff_connection *connection)
{
	struct skiff_bytes id = session->config->connect.client_id;
	connection->mqtt_version = session->version;
	connection->session_present = session->broker.session_present;
	if (session->broker.client_id)
		session_copy_text(connection->client_id, sizeof connection->client_id, session->broker.client_id);
	else
		snprintf(connection->client_id, sizeof connection->client_id, "%.*s", (int)id.len,
			(const char *)id.data);
	connection->keep_alive_s = session->broker.keep_alive_s;
	connection->receive_maximum = session->broker.receive_maximum;
	connection->maximum_packet_size = session->broker.maximum_packet_size;
	connection->topic_alias_maximum = session->broker.topic_alias_maximum;
	connection->maximum_qos = session->broker.maximum_qos;
	connection->retain_available = session->broker.retain_available;
	connection->wildcard_available = session->broker.wildcard_available;
	connection->subscription_id_available = session->broker.subscription_id_available;
	connection->shared_available = session->broker.shared_available;
	connection->session_expiry_s = session->broker.session_expiry_s;
	connection->reason = session->broker.reason;
	session_copy_text(connection->reason_string, sizeof connection->reason_string, session->broker.reason_string);
	session_copy_text(
		connection->server_reference, sizeof connection->server_reference, session->broker.server_reference);
	session_copy_text(connection->response_information, sizeof connection->response_information,
		session->broker.response_information);
}

void skiffi_session_statistics(const struct skiffi_session *session, struct skiff_statistics *statistics)
{
	statistics->messages_out += session->messages_out;
	statistics->messages_in += session->messages_in;
	statistics->packets_out += session->packets_out;
	statistics->packets_in += session->packets_in;
	statistics->bytes_out += session->output_sent - session->output_lost;
	statistics->bytes_in += session->bytes_in;
	statistics->inflight += session->inflight.messages;
}
