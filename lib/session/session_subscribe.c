/* SPDX-License-Identifier: Apache-2.0 */
/* session_subscribe.c: SUBSCRIBE and UNSUBSCRIBE, and their acknowledgements [MQTT 5, 3.8 to 3.11]. */
#include "session/session_internal.h"
#include "session/verdict.h"

enum skiff_code skiffi_session_subscribe(struct skiffi_session *session, enum skiffi_packet_type type,
	const struct skiffi_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error)
{
	if (session->state != SESSION_UP)
		return SKIFF_AGAIN;
	struct skiffi_subscribe packet = {.packet_id = 1, .filters = filters, .count = count};
	if (properties)
		packet.properties = *properties;
	enum skiff_code code = skiffi_limits_subscribe(&session->broker.limits, session->version, type, &packet, error);
	if (code)
		return code;
	enum skiffi_await await = type == SKIFFI_SUBSCRIBE ? SKIFFI_AWAIT_SUBACK : SKIFFI_AWAIT_UNSUBACK;
	packet.packet_id = skiffi_inflight_new(&session->inflight, await, NULL, op);
	if (!packet.packet_id)
		return session->inflight.count > UINT16_MAX ? SKIFF_AGAIN : SKIFF_MEMORY;
	session->inflight.slots[packet.packet_id].filters = (uint16_t)count;
	size_t before = session->output.bytes.tail;
	if (!skiffi_subscribe_encode(&session->output.bytes, session->version, type, &packet)) {
		skiffi_inflight_end(&session->inflight, packet.packet_id);
		return SKIFF_MEMORY;
	}
	skiffi_session_count_output(session, before);
	return SKIFF_OK;
}

enum session_step skiffi_session_on_suback(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event)
{
	struct skiffi_suback packet;
	struct skiffi_refusal why = {0};
	if (!skiffi_suback_decode(frame, session->version, &packet, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	if (!skiffi_session_problem_allowed(session, frame, &packet.properties))
		return STEP_QUIET;
	enum skiffi_await await = frame->type == SKIFFI_SUBACK ? SKIFFI_AWAIT_SUBACK : SKIFFI_AWAIT_UNSUBACK;
	struct skiffi_slot *slot = skiffi_inflight_at(&session->inflight, packet.packet_id);
	if (!slot || slot->await != await) { /* [MQTT-2.2.1-6] */
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
			"the broker sent %s for packet id %u, which does not wait for it",
			skiffi_packet_name(frame->type), packet.packet_id);
		return STEP_QUIET;
	}
	bool counted = session->version == SKIFFI_V5 || frame->type == SKIFFI_SUBACK;
	if (counted && packet.reasons.len != slot->filters) { /* [MQTT-3.8.4-6], [MQTT-3.11.3-1] */
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
			"the broker answered %u filters with %zu reasons", slot->filters, packet.reasons.len);
		return STEP_QUIET;
	}
	skiffi_session_event(event, SKIFFI_EVENT_DONE, slot->op, SKIFF_OK, -1);
	event->reasons = packet.reasons;
	event->code = skiffi_verdict_suback(session->version, packet.reasons);
	event->reason = packet.reasons.len ? *(const uint8_t *)packet.reasons.data : -1;
	skiffi_session_event_properties(event, &packet.properties);
	skiffi_inflight_end(&session->inflight, packet.packet_id);
	return STEP_EVENT;
}

static size_t subscribe_tell_again(struct skiffi_session *session, struct skiffi_event *events, size_t max)
{
	size_t count = 0;
	for (uint32_t id = 1; session->inflight.others && count < max && id < session->inflight.count; id++) {
		struct skiffi_slot *slot = &session->inflight.slots[id];
		if (slot->await != SKIFFI_AWAIT_SUBACK && slot->await != SKIFFI_AWAIT_UNSUBACK)
			continue;
		skiffi_session_event(&events[count++], SKIFFI_EVENT_AGAIN, slot->op, SKIFF_OK, -1);
		skiffi_inflight_end(&session->inflight, (uint16_t)id);
	}
	return count;
}

size_t skiffi_session_tell_again(struct skiffi_session *session, struct skiffi_event *events, size_t max)
{
	size_t count = subscribe_tell_again(session, events, max);
	return count ? count : skiffi_session_tell_sent(session, events, max, SKIFF_MQTT_DISCONNECTED);
}
