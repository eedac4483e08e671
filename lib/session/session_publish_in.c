/* SPDX-License-Identifier: Apache-2.0 */
/* session_publish_in.c: messages inward: QoS 0, 1 and 2 [MQTT 5, 4.3], aliases, and our receive maximum.
 *
 * Each message is given up at once. QoS 1: PUBACK goes to the output, which leaves only after the handler ran. QoS 2:
 * PUBREC likewise, and the id is remembered until PUBREL, so that a repeat is answered but not given up twice. */
#include "base/alloc.h"
#include "base/log.h"
#include "session/session_internal.h"
#include "session/session_trace.h"

enum { RECEIVED_BYTES = 65536 / 8 };

void skiffi_session_forget_received(struct skiffi_session *session)
{
	skiffi_free(session->received);
	session->received = NULL;
	session->receiving = 0;
}

static bool received_has(const struct skiffi_session *session, uint16_t id)
{
	return session->received && session->received[id >> 3] & 1u << (id & 7);
}

static bool received_prepare(struct skiffi_session *session)
{
	if (!session->received)
		session->received = skiffi_calloc(1, RECEIVED_BYTES);
	return session->received;
}

static void received_add(struct skiffi_session *session, uint16_t id)
{
	session->received[id >> 3] |= (uint8_t)(1u << (id & 7));
	session->receiving++;
}

static void received_remove(struct skiffi_session *session, uint16_t id)
{
	session->received[id >> 3] &= (uint8_t) ~(1u << (id & 7));
	if (session->receiving) /* else it came on an earlier connection */
		session->receiving--;
}

static bool receive_ack(struct skiffi_session *session, enum skiffi_packet_type type, uint16_t id, uint8_t reason)
{
	struct skiffi_ack ack = {.packet_id = id, .reason = session->version == SKIFFI_V5 ? reason : 0};
	return skiffi_session_answer(session, type, &ack);
}

/* Fills in the topic that an alias stands for, or learns it. STEP_EVENT: go on. */
static enum session_step receive_alias(struct skiffi_session *session, struct skiffi_publish *publish, bool first)
{
	uint16_t alias = publish->topic_alias;
	if (alias > session->aliases_in.maximum) { /* [MQTT-3.1.2-26], [MQTT-3.1.2-27] */
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x94,
			"the broker used topic alias %u, more than the %u allowed [MQTT-3.3.2-11]", alias,
			session->aliases_in.maximum);
		return STEP_QUIET;
	}
	struct skiff_bytes known = skiffi_aliases_in_get(&session->aliases_in, alias);
	if (!publish->topic.len) {
		if (known.data) {
			publish->topic = known;
			return STEP_EVENT;
		}
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x82,
			"the broker used topic alias %u without ever naming its topic", alias);
		return STEP_QUIET;
	}
	if (known.data && known.len == publish->topic.len && !memcmp(known.data, publish->topic.data, known.len))
		return STEP_EVENT;
	if (known.data && !first) /* messages given up before may still point to the old topic */
		return STEP_DEFER;
	if (skiffi_aliases_in_set(&session->aliases_in, alias, publish->topic))
		return STEP_EVENT;
	skiffi_session_fault(session, SKIFF_MEMORY, 0x83, "out of memory for a topic alias");
	return STEP_QUIET;
}

/* Whether the broker keeps to our receive maximum [MQTT-3.3.4-9]. */
static bool receive_window(struct skiffi_session *session)
{
	if (session->unacknowledged + session->receiving < session->receive_maximum)
		return true;
	skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0x93,
		"the broker sent more than the %u unacknowledged messages allowed [MQTT-3.3.4-9]",
		session->receive_maximum);
	return false;
}

/* Answers by QoS; false: nothing to give up, as it is a repeat or the session has failed. */
static bool receive_answer(struct skiffi_session *session, const struct skiffi_publish *publish)
{
	if (publish->qos == 0)
		return true;
	bool repeat = publish->qos == 2 && received_has(session, publish->packet_id);
	if (!repeat && !receive_window(session))
		return false;
	if (publish->qos == 1) {
		session->unacknowledged++;
		return receive_ack(session, SKIFFI_PUBACK, publish->packet_id, 0);
	}
	if (!received_prepare(session)) {
		skiffi_session_fault(session, SKIFF_MEMORY, 0x83, "out of memory for a message of QoS 2");
		return false;
	}
	/* [MQTT-4.3.3-8], [MQTT-4.3.3-10]; remembered only when it is given up, or its repeat would be lost */
	if (!receive_ack(session, SKIFFI_PUBREC, publish->packet_id, 0) || repeat)
		return false;
	received_add(session, publish->packet_id);
	return true;
}

enum session_step skiffi_session_on_publish(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event, bool first)
{
	struct skiffi_publish publish;
	struct skiffi_refusal why = {0};
	if (!skiffi_publish_decode(frame, session->version, SKIFFI_FROM_SERVER, &publish, &event->storage, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	if (publish.topic_alias) {
		enum session_step step = receive_alias(session, &publish, first);
		if (step != STEP_EVENT)
			return step;
	}
	if (skiffi_log_wanted(SKIFF_LOG_TRACE))
		skiffi_session_trace_publish(&publish, true);
	if (!receive_answer(session, &publish))
		return STEP_QUIET;
	if (session->state == SESSION_FAILED)
		return STEP_QUIET;
	session->messages_in++;
	skiffi_session_event(event, SKIFFI_EVENT_MESSAGE, NULL, SKIFF_OK, -1);
	event->message = (struct skiff_message){.topic = publish.topic,
		.payload = publish.payload,
		.qos = publish.qos,
		.retain = publish.retain,
		.dup = publish.dup,
		.packet_id = publish.packet_id,
		.properties = publish.properties};
	return STEP_EVENT;
}

enum session_step skiffi_session_on_pubrel(struct skiffi_session *session, const struct skiffi_frame *frame)
{
	struct skiffi_ack ack;
	struct skiffi_refusal why = {0};
	if (!skiffi_ack_decode(frame, session->version, &ack, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	if (!skiffi_session_problem_allowed(session, frame, &ack.properties))
		return STEP_QUIET;
	bool known = received_has(session, ack.packet_id);
	if (known)
		received_remove(session, ack.packet_id);
	receive_ack(session, SKIFFI_PUBCOMP, ack.packet_id, known ? 0 : 0x92); /* [MQTT-4.3.3-11] */
	return STEP_QUIET;
}
