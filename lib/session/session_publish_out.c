/* SPDX-License-Identifier: Apache-2.0 */
/* session_publish_out.c: messages outward: QoS 0, 1 and 2 [MQTT 5, 4.3], the window, and sending again.
 *
 * QoS 0: encoded into the output, forgotten. QoS 1: kept, PUBLISH, PUBACK ends it. QoS 2: kept, PUBLISH, PUBREC lets
 * the message go, PUBREL, PUBCOMP ends it. After a resumed connection: the PUBRELs in PUBREC order, then the PUBLISHes
 * in their order with DUP, as far as the window lets them. */
#include "base/alloc.h"
#include "base/log.h"
#include "codec/reason.h"
#include "codec/wire.h"
#include "session/session_internal.h"
#include "session/session_trace.h"
#include <assert.h>

/* Writes the packet, by reference from a certain size on when there is something to refer to. */
static bool publish_write(
	struct skiffi_session *session, const struct skiffi_publish *publish, struct skiffi_kept *kept)
{
	size_t head_len = skiffi_publish_head_len(session->version, publish);
	bool refer = kept && publish->payload.len >= SKIFFI_OUTPUT_BY_REFERENCE_BYTES;
	size_t copied = refer ? 0 : publish->payload.len;
	uint8_t *at = skiffi_output_add(&session->output, head_len + copied, refer ? kept : NULL);
	if (!at)
		return false;
	at = skiffi_publish_head(at, session->version, publish);
	if (copied)
		memcpy(at, publish->payload.data, copied);
	session->output_end += head_len + publish->payload.len;
	session->packets_out++;
	if (skiffi_log_wanted(SKIFF_LOG_TRACE))
		skiffi_session_trace_publish(publish, false);
	if (publish->topic_alias)
		skiffi_aliases_out_told(&session->aliases_out, publish->topic_alias);
	return true;
}

static bool publish_too_large(const struct skiffi_session *session, const struct skiffi_publish *publish)
{
	size_t len = skiffi_publish_head_len(session->version, publish) + publish->payload.len;
	return skiffi_limits_too_large(&session->broker.limits, len);
}

/* Names the topic by its alias, or gives it one where there is room for that. */
static void publish_alias(struct skiffi_session *session, struct skiffi_publish *publish)
{
	bool known;
	if (!session->aliases_out.maximum)
		return;
	publish->topic_alias = skiffi_aliases_out_use(&session->aliases_out, publish->topic, &known);
	if (known)
		publish->topic = (struct skiff_bytes){"", 0};
	else if (publish->topic_alias && publish_too_large(session, publish))
		publish->topic_alias = 0;
}

static bool publish_grow_awaited(struct skiffi_session *session)
{
	size_t capacity = session->awaited_capacity ? session->awaited_capacity * 2 : 64;
	struct session_awaited *ring = skiffi_malloc(capacity * sizeof *ring);
	if (!ring)
		return false;
	for (size_t i = 0; i < session->awaited_count; i++)
		ring[i] = session->awaited[(session->awaited_first + i) & (session->awaited_capacity - 1)];
	skiffi_free(session->awaited);
	session->awaited = ring;
	session->awaited_first = 0;
	session->awaited_capacity = capacity;
	return true;
}

static void publish_await(struct skiffi_session *session, void *op)
{
	size_t place = (session->awaited_first + session->awaited_count++) & (session->awaited_capacity - 1);
	session->awaited[place] = (struct session_awaited){session->output_end, op};
}

static enum skiff_code publish_qos0(
	struct skiffi_session *session, struct skiffi_publish *publish, struct skiffi_kept *kept, void *op)
{
	if (op && session->awaited_count == session->awaited_capacity && !publish_grow_awaited(session))
		return SKIFF_MEMORY;
	publish_alias(session, publish);
	if (!publish_write(session, publish, kept))
		return SKIFF_MEMORY;
	if (op)
		publish_await(session, op);
	session->messages_out++;
	return SKIFF_OK;
}

static enum skiff_code publish_qos12(
	struct skiffi_session *session, struct skiffi_publish *publish, struct skiffi_kept *kept, void *op)
{
	enum skiffi_await await = publish->qos == 1 ? SKIFFI_AWAIT_PUBACK : SKIFFI_AWAIT_PUBREC;
	/* [MQTT-2.2.1-3], [MQTT-4.3.2-1], [MQTT-4.3.3-1]: a free id for each new message */
	publish->packet_id = skiffi_inflight_new(&session->inflight, await, kept, op);
	if (!publish->packet_id)
		return session->inflight.count > UINT16_MAX ? SKIFF_AGAIN : SKIFF_MEMORY;
	publish_alias(session, publish);
	if (!publish_write(session, publish, kept)) {
		skiffi_inflight_end(&session->inflight, publish->packet_id);
		return SKIFF_MEMORY;
	}
	session->inflight_bytes += skiffi_kept_weight(kept);
	session->outstanding++; /* [MQTT-4.9.0-2] */
	session->messages_out++;
	return SKIFF_OK;
}

/* Whether one more exchange may begin [MQTT-3.3.4-7]. */
static bool publish_window(const struct skiffi_session *session, uint8_t qos)
{
	uint16_t own = session->config->max_inflight;
	return session->outstanding < skiffi_limits_window(&session->broker.limits, session->version, qos) &&
	       (!own || session->outstanding < own);
}

enum skiff_code skiffi_session_publish(struct skiffi_session *session, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error)
{
	/* While what was lost is being told, a new message would be taken for a lost one, and pass those given back. */
	if (session->state != SESSION_UP || session->telling)
		return SKIFF_AGAIN;
	struct skiffi_publish publish = skiffi_publish_of(message, kept);
	enum skiff_code code = skiffi_limits_publish(&session->broker.limits, session->version, &publish, error);
	if (code)
		return code;
	if (session->output.len > session->config->output_high_bytes)
		return SKIFF_AGAIN;
	/* [MQTT-3.3.4-7]; a message must not pass one that is still to be sent again [MQTT-4.6.0-1] */
	if (publish.qos && (!publish_window(session, publish.qos) || session->resend))
		return SKIFF_AGAIN;
	bool keep = publish.qos || publish.payload.len >= SKIFFI_OUTPUT_BY_REFERENCE_BYTES;
	if (kept)
		skiffi_kept_ref(kept);
	else if (keep && !(kept = session->lends ? skiffi_kept_lend(&session->pool, message)
						 : skiffi_kept_new(&session->pool, message)))
		return SKIFF_MEMORY;
	if (kept)
		publish.payload = skiffi_kept_payload(kept);
	code = publish.qos ? publish_qos12(session, &publish, kept, op) : publish_qos0(session, &publish, kept, op);
	if (kept && (code || !publish.qos))
		skiffi_kept_unref(&session->pool, kept);
	return code;
}

/* ---- acknowledgements ---- */

/* Takes the message out of its slot; the reference is the caller's. */
static struct skiffi_kept *publish_take_kept(struct skiffi_session *session, struct skiffi_slot *slot)
{
	struct skiffi_kept *kept = slot->kept;
	if (kept)
		session->inflight_bytes -= skiffi_kept_weight(kept);
	slot->kept = NULL;
	return kept;
}

static void publish_write_release(struct skiffi_session *session, uint16_t id, uint8_t reason)
{
	struct skiffi_ack ack = {.packet_id = id, .reason = reason};
	if (session->state != SESSION_UP) /* [MQTT-3.14.4-1] */
		return;
	skiffi_session_answer(session, SKIFFI_PUBREL, &ack);
}

/* [MQTT-4.4.0-1], [MQTT-4.6.0-1]: with the old ids, DUP set, in order, within the window. */
static void publish_resend_window(struct skiffi_session *session)
{
	while (session->resend && session->state == SESSION_UP) {
		struct skiffi_slot *slot = &session->inflight.slots[session->resend];
		if (!publish_window(session, slot->kept->qos))
			return;
		struct skiffi_publish publish = skiffi_publish_of(NULL, slot->kept);
		publish.packet_id = session->resend;
		publish.dup = true; /* [MQTT-3.3.1-1] */
		publish_alias(session, &publish);
		if (!publish_write(session, &publish, slot->kept)) {
			skiffi_session_fault(session, SKIFF_MEMORY, 0, "out of memory while sending again");
			return;
		}
		slot->waits = false;
		session->outstanding++;
		session->resend = slot->next;
	}
}

/* A message that is answered before this connection sent it again need not be. */
static void publish_no_resend(struct skiffi_session *session, uint16_t id)
{
	struct skiffi_slot *slot = &session->inflight.slots[id];
	if (!slot->waits)
		return;
	if (session->resend == id)
		session->resend = slot->next;
	slot->waits = false;
	session->outstanding++;
}

static enum session_step publish_ended(struct skiffi_session *session, enum skiffi_packet_type type,
	const struct skiffi_ack *ack, struct skiffi_event *event)
{
	uint16_t id = ack->packet_id;
	struct skiffi_slot *slot = &session->inflight.slots[id];
	void *op = slot->op;
	publish_no_resend(session, id);
	skiffi_kept_unref(&session->pool, publish_take_kept(session, slot));
	skiffi_inflight_end(&session->inflight, id);
	session->outstanding--;
	publish_resend_window(session);
	/* A PUBCOMP ends what the PUBREC has settled. Its only error, 0x92, says that the broker had come to the end
	 * before the connection was cut, which "is not an error during recovery" [MQTT 5, 3.7.2.1]. */
	bool failed = ack->reason >= 0x80 && type != SKIFFI_PUBCOMP;
	/* Even without an op the client must hear of it: its queue may go on. */
	skiffi_session_event(event, SKIFFI_EVENT_DONE, op, failed ? skiffi_reason_error(ack->reason) : SKIFF_OK,
		session->version == SKIFFI_V5 ? ack->reason : -1);
	skiffi_session_event_properties(event, &ack->properties);
	return op || event->code ? STEP_EVENT : STEP_QUIET;
}

static enum session_step publish_on_pubrec(struct skiffi_session *session, struct skiffi_slot *slot,
	const struct skiffi_ack *ack, struct skiffi_event *event)
{
	if (ack->reason >= 0x80) /* [MQTT-4.4.0-2]: that is its end */
		return publish_ended(session, SKIFFI_PUBREC, ack, event);
	if (slot->await == SKIFFI_AWAIT_PUBCOMP) { /* the broker repeats itself; PUBREL answers again */
		publish_write_release(session, ack->packet_id, 0);
		return STEP_QUIET;
	}
	publish_no_resend(session, ack->packet_id);
	skiffi_kept_unref(&session->pool, publish_take_kept(session, slot)); /* [MQTT-4.3.3-6]: never sent again */
	skiffi_inflight_released(&session->inflight, ack->packet_id);
	publish_write_release(session, ack->packet_id, 0); /* [MQTT-4.3.3-4] */
	return STEP_QUIET;
}

enum session_step skiffi_session_on_ack(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event)
{
	struct skiffi_ack ack;
	struct skiffi_refusal why = {0};
	if (!skiffi_ack_decode(frame, session->version, &ack, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	if (!skiffi_session_problem_allowed(session, frame, &ack.properties))
		return STEP_QUIET;
	struct skiffi_slot *slot = skiffi_inflight_at(&session->inflight, ack.packet_id);
	if (!slot) {
		if (frame->type ==
			SKIFFI_PUBREC) /* of an exchange we know nothing of: 0x92 lets the broker forget it */
			publish_write_release(session, ack.packet_id, session->version == SKIFFI_V5 ? 0x92 : 0);
		return STEP_QUIET;
	}
	if (frame->type == SKIFFI_PUBACK && slot->await == SKIFFI_AWAIT_PUBACK)
		return publish_ended(session, frame->type, &ack, event);
	if (frame->type == SKIFFI_PUBCOMP && slot->await == SKIFFI_AWAIT_PUBCOMP)
		return publish_ended(session, frame->type, &ack, event);
	if (frame->type == SKIFFI_PUBREC && (slot->await == SKIFFI_AWAIT_PUBREC || slot->await == SKIFFI_AWAIT_PUBCOMP))
		return publish_on_pubrec(session, slot, &ack, event);
	skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
		"the broker sent %s for packet id %u, which waits for something else", skiffi_packet_name(frame->type),
		ack.packet_id);
	return STEP_QUIET;
}

/* ---- a new connection ---- */

void skiffi_session_resend(struct skiffi_session *session)
{
	/* An exchange that goes on counts against the window, as brokers count it, though the standard would let one
	 * more begin. */
	for (uint16_t id = session->inflight.releases.first; id; id = session->inflight.slots[id].next) {
		publish_write_release(session, id, 0);
		session->outstanding++;
	}
	for (uint16_t id = session->inflight.publishes.first; id; id = session->inflight.slots[id].next)
		session->inflight.slots[id].waits = true;
	session->resend = session->inflight.publishes.first;
	publish_resend_window(session);
}

/* The session is gone at the broker: QoS 1 starts anew; of QoS 2, what had its PUBREC is with the broker, and the rest
 * may or may not be: sending it again could deliver it twice, so its end is told instead. */
static void publish_tell_lost(struct skiffi_session *session, uint16_t id, struct skiffi_event *event)
{
	struct skiffi_slot *slot = &session->inflight.slots[id];
	if (slot->await == SKIFFI_AWAIT_PUBACK) {
		skiffi_session_event(event, SKIFFI_EVENT_REQUEUE, NULL, SKIFF_OK, -1);
		event->kept = publish_take_kept(session, slot);
		event->kept->op = slot->op;
	} else if (slot->await == SKIFFI_AWAIT_PUBREC) {
		skiffi_session_event(event, SKIFFI_EVENT_LOST, slot->op, SKIFF_MQTT_SESSION_LOST, -1);
		skiffi_kept_unref(&session->pool, publish_take_kept(session, slot));
	} else {
		skiffi_session_event(event, SKIFFI_EVENT_DONE, slot->op, SKIFF_OK, -1);
	}
	skiffi_inflight_end(&session->inflight, id);
}

size_t skiffi_session_tell_lost(struct skiffi_session *session, struct skiffi_event *events, size_t max)
{
	size_t count = 0;
	while (count < max && session->inflight.releases.first)
		publish_tell_lost(session, session->inflight.releases.first, &events[count++]);
	while (count < max && session->inflight.publishes.first)
		publish_tell_lost(session, session->inflight.publishes.first, &events[count++]);
	return count;
}

size_t skiffi_session_tell_sent(
	struct skiffi_session *session, struct skiffi_event *events, size_t max, enum skiff_code code)
{
	size_t count = 0;
	while (count < max && session->awaited_count) {
		struct session_awaited *first = &session->awaited[session->awaited_first];
		if (!code && first->end > session->output_sent)
			break;
		skiffi_session_event(&events[count++], SKIFFI_EVENT_DONE, first->op, code, -1);
		session->awaited_first = (session->awaited_first + 1) & (session->awaited_capacity - 1);
		session->awaited_count--;
	}
	return count;
}
