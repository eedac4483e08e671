/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: the life of a session and of each of its connections, what it writes, and what it faults. */
#include "session/session.h"

#include "base/alloc.h"
#include "base/log.h"
#include "codec/reason.h"
#include "session/session_internal.h"
#include "session/session_trace.h"
#include <assert.h>
#include <skiff/client.h>
#include <stdarg.h>
#include <stdio.h>

enum { SESSION_PACKET_MAX_BYTES = 268435460 };

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
	if (ours->has & SKIFF_HAS_RECEIVE_MAXIMUM && !session->config->receive_beyond_maximum)
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
	skiffi_error_drop(&session->error);
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
	if (skiffi_log_wanted(SKIFF_LOG_TRACE))
		skiffi_session_trace_out(session->version, session->output.bytes.data + before, len);
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

enum skiff_code skiffi_session_lend(
	struct skiffi_session *session, const struct skiff_message *message, void *op, struct skiff_error *error)
{
	session->lends = true;
	enum skiff_code code = skiffi_session_publish(session, message, NULL, op, error);
	session->lends = false;
	return code;
}

bool skiffi_session_settle(struct skiffi_session *session, struct skiffi_output *taken)
{
	return skiffi_output_settle(taken, &session->pool) && skiffi_output_settle(&session->output, &session->pool);
}

size_t skiffi_session_lent(const struct skiffi_session *session)
{
	return session->pool.lent;
}

/* ---- faults ---- */

/* Appends it; false when memory is out, or when it is larger than the broker takes. */
static bool session_try_disconnect(struct skiffi_session *session, const struct skiffi_reasoned *packet)
{
	size_t before = session->output.bytes.tail;
	if (!skiffi_disconnect_encode(&session->output.bytes, session->version, packet))
		return false;
	if (session->output.bytes.tail - before > session->broker.limits.maximum_packet_size) {
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
	struct skiff_error error;
	skiffi_fail(&error, code, reason, "%s", text);
	skiffi_error_keep(&session->error, &error);
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

/* ---- the end of a connection, and of the session ---- */

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
