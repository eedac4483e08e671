/* SPDX-License-Identifier: Apache-2.0 */
/* session_trace.c: packets in words, each line as the log of the mosquitto broker and clients has it, which is what
 * people compare it with. No payload is shown. */
#include "session/session_trace.h"
#include "base/log.h"

#include <stdio.h>

enum { TRACE_TOPIC_MAX = 512 };

static int trace_len(struct skiff_bytes text)
{
	return text.len < TRACE_TOPIC_MAX ? (int)text.len : TRACE_TOPIC_MAX;
}

void skiffi_session_trace_publish(const struct skiffi_publish *publish, bool incoming)
{
	skiffi_log(SKIFF_LOG_TRACE, "packet", "%s PUBLISH (d%d, q%u, r%d, m%u, '%.*s', ... (%zu bytes))",
		incoming ? "received" : "sending", publish->dup, publish->qos, publish->retain, publish->packet_id,
		trace_len(publish->topic), (const char *)publish->topic.data, publish->payload.len);
}

static void trace_filters(enum skiffi_protocol v, const struct skiffi_frame *frame)
{
	struct skiffi_subscribe packet;
	struct skiffi_refusal why;
	struct skiffi_filter filter;
	if (!skiffi_subscribe_decode(frame, v, &packet, &why))
		return;
	while (skiffi_filter_next(&packet.raw_filters, frame->type, &filter)) {
		if (frame->type == SKIFFI_UNSUBSCRIBE)
			skiffi_log(SKIFF_LOG_TRACE, "packet", "sending UNSUBSCRIBE (Mid: %u, Topic: %.*s)",
				packet.packet_id, trace_len(filter.filter), (const char *)filter.filter.data);
		else
			skiffi_log(SKIFF_LOG_TRACE, "packet",
				"sending SUBSCRIBE (Mid: %u, Topic: %.*s, QoS: %d, Options: 0x%02x)", packet.packet_id,
				trace_len(filter.filter), (const char *)filter.filter.data, filter.options & 3,
				filter.options & ~3u);
	}
}

static void trace_ack_out(enum skiffi_protocol v, const struct skiffi_frame *frame)
{
	struct skiffi_ack ack;
	struct skiffi_refusal why;
	if (!skiffi_ack_decode(frame, v, &ack, &why))
		return;
	if (frame->type == SKIFFI_PUBACK || frame->type == SKIFFI_PUBREC)
		skiffi_log(SKIFF_LOG_TRACE, "packet", "sending %s (m%u, rc%u)", skiffi_packet_name(frame->type),
			ack.packet_id, ack.reason);
	else
		skiffi_log(
			SKIFF_LOG_TRACE, "packet", "sending %s (m%u)", skiffi_packet_name(frame->type), ack.packet_id);
}

void skiffi_session_trace_out(enum skiffi_protocol v, const uint8_t *packet, size_t len)
{
	struct skiffi_frame frame;
	if (skiffi_frame_next(packet, len, len, &frame) != SKIFFI_FRAME_OK)
		return;
	if (frame.type == SKIFFI_SUBSCRIBE || frame.type == SKIFFI_UNSUBSCRIBE)
		trace_filters(v, &frame);
	else if (frame.type >= SKIFFI_PUBACK && frame.type <= SKIFFI_PUBCOMP)
		trace_ack_out(v, &frame);
	else
		skiffi_log(SKIFF_LOG_TRACE, "packet", "sending %s", skiffi_packet_name(frame.type));
}

static void trace_granted(enum skiffi_protocol v, const struct skiffi_frame *frame)
{
	struct skiffi_suback packet;
	struct skiffi_refusal why;
	char text[TRACE_TOPIC_MAX] = "";
	size_t len = 0;
	if (!skiffi_suback_decode(frame, v, &packet, &why))
		return;
	for (size_t i = 0; i < packet.reasons.len && len + sizeof(", 255") <= sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? ", " : "",
			((const uint8_t *)packet.reasons.data)[i]);
	skiffi_log(SKIFF_LOG_TRACE, "packet", "received SUBACK (mid: %u): %s", packet.packet_id, text);
}

void skiffi_session_trace_in(enum skiffi_protocol v, const struct skiffi_frame *frame)
{
	const char *name = skiffi_packet_name(frame->type);
	struct skiffi_ack ack;
	struct skiffi_refusal why;
	if (frame->type == SKIFFI_CONNACK && frame->body_len >= 2)
		skiffi_log(SKIFF_LOG_TRACE, "packet", "received CONNACK (%u)", frame->body[1]);
	else if (frame->type == SKIFFI_DISCONNECT)
		skiffi_log(SKIFF_LOG_TRACE, "packet", "received DISCONNECT (%u)", frame->body_len ? frame->body[0] : 0);
	else if (frame->type == SKIFFI_SUBACK)
		trace_granted(v, frame);
	else if (frame->type < SKIFFI_PUBACK || frame->type > SKIFFI_PUBCOMP ||
		 !skiffi_ack_decode(frame, v, &ack, &why))
		skiffi_log(SKIFF_LOG_TRACE, "packet", "received %s", name);
	else if (frame->type == SKIFFI_PUBACK || frame->type == SKIFFI_PUBCOMP)
		skiffi_log(SKIFF_LOG_TRACE, "packet", "received %s (Mid: %u, RC:%u)", name, ack.packet_id, ack.reason);
	else
		skiffi_log(SKIFF_LOG_TRACE, "packet", "received %s (Mid: %u)", name, ack.packet_id);
}
