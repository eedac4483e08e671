/* SPDX-License-Identifier: Apache-2.0 */
/* session_connect.c: CONNECT, CONNACK and what it grants, and the broker's DISCONNECT [MQTT 5, 3.1, 3.2, 3.14]. */
#include "base/alloc.h"
#include "session/session_internal.h"
#include "session/verdict.h"

void skiffi_session_forget_broker(struct skiffi_session *session)
{
	skiffi_free(session->broker.reason_string);
	skiffi_free(session->broker.server_reference);
	skiffi_free(session->broker.response_information);
	char *client_id = session->broker.client_id; /* an assigned id is ours from then on */
	memset(&session->broker, 0, sizeof session->broker);
	session->broker.client_id = client_id;
	skiffi_limits_reset(&session->broker.limits, session->config->connect.keep_alive_s);
	session->broker.reason = -1;
}

/* What was meant for MQTT 5 and must not be said in 3.1.1. */
static void session_connect_v311(struct skiffi_session *session, struct skiffi_connect *connect)
{
	connect->properties = NULL;
	connect->will.properties = NULL;
	if (connect->password.data && !connect->user_name.data) /* [MQTT 3.1.1: MQTT-3.1.2-22] */
		connect->user_name = skiff_text("");
	session->fresh |= !connect->client_id.len; /* [MQTT 3.1.1: MQTT-3.1.3-7] */
}

enum skiff_code skiffi_session_start(struct skiffi_session *session, int64_t now_us)
{
	struct skiffi_connect connect = session->config->connect;
	skiffi_session_forget_broker(session);
	if (session->broker.client_id) /* [MQTT-3.2.2-16] */
		connect.client_id = skiff_text(session->broker.client_id);
	/* Without resume each connection begins anew [MQTT-3.1.2-4]; with it the session goes on once there is one. */
	session->fresh |= !session->config->resume;
	if (session->version != SKIFFI_V5)
		session_connect_v311(session, &connect);
	connect.clean_start = session->fresh;
	uint16_t aliases = connect.properties && connect.properties->has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM
				   ? connect.properties->topic_alias_maximum
				   : 0;
	skiffi_aliases_in_reset(&session->aliases_in, aliases);
	skiffi_aliases_out_reset(&session->aliases_out, 0);
	skiffi_error_drop(&session->error);
	session->state = SESSION_CONNECTING;
	session->telling = TELL_NONE;
	session->fault_told = false;
	session->resend = 0;
	session->receiving = 0; /* the broker counts anew; its repeats of older messages are no new ones */
	session->last_in_us = session->last_out_us = session->ping_last_us = now_us;
	session->ping_sent_us = SKIFFI_NEVER;
	size_t before = session->output.bytes.tail;
	bool ok = skiffi_session_wrote(
		session, before, skiffi_connect_encode(&session->output.bytes, session->version, &connect));
	return ok ? SKIFF_OK : SKIFF_MEMORY;
}

static void session_apply_texts(struct skiffi_session *session, const struct skiff_properties *granted)
{
	skiffi_session_keep_text(&session->broker.reason_string, granted->reason_string);
	skiffi_session_keep_text(&session->broker.server_reference, granted->server_reference);
	skiffi_session_keep_text(&session->broker.response_information, granted->response_information);
	if (granted->assigned_client_id.data)
		skiffi_session_keep_text(&session->broker.client_id, granted->assigned_client_id);
}

static void session_apply(struct skiffi_session *session, const struct skiffi_connack *connack)
{
	session->broker.reason = connack->reason;
	session->broker.session_present = connack->session_present;
	skiffi_limits_grant(
		&session->broker.limits, session->version, session->config->connect.properties, &connack->properties);
	session_apply_texts(session, &connack->properties);
	session->outstanding = 0;
	uint16_t aliases = session->broker.limits.topic_alias_maximum;
	if (aliases > session->config->outbound_aliases)
		aliases = session->config->outbound_aliases;
	skiffi_aliases_out_reset(&session->aliases_out, aliases); /* out of memory: no aliases, nothing else */
}

static void session_refused(struct skiffi_session *session, const struct skiffi_connack *connack)
{
	enum skiffi_protocol v = connack->v311_form && session->version == SKIFFI_V5 ? SKIFFI_V311 : session->version;
	struct skiff_error why;
	session->broker.reason = connack->reason;
	session_apply_texts(session, &connack->properties);
	skiffi_verdict_connack(&why, v, session->version, connack->reason, session->broker.reason_string);
	skiffi_session_fault(session, why.code, connack->reason, "%s", why.text);
	session->error.detail = connack->reason;
}

/* The rules of an accepted CONNACK that only the session can check; false: faulted. */
static bool session_connack_fits(struct skiffi_session *session, const struct skiffi_connack *connack)
{
	const struct skiff_properties *granted = &connack->properties;
	const struct skiff_properties *asked = session->config->connect.properties;
	const char *rule = NULL;
	if (connack->v311_form && session->version == SKIFFI_V5)
		rule = "its CONNACK has the form of MQTT 3.1.1, though MQTT 5 was asked for";
	else if (connack->session_present && session->fresh)
		rule = "it says that a session is present after a clean start [MQTT-3.2.2-2]";
	else if (granted->response_information.data &&
		 !(asked && asked->has & SKIFF_HAS_REQUEST_RESPONSE_INFO && asked->request_response_info))
		rule = "it sent response information that nobody asked for [MQTT-3.1.2-28]";
	else if (session->version == SKIFFI_V5 && !session->config->connect.client_id.len &&
		 !session->broker.client_id && !granted->assigned_client_id.data)
		rule = "it assigned no client identifier though none was given [MQTT-3.1.3-7]";
	else if (granted->authentication_method.data)
		rule = "it named an authentication method that nobody asked for [MQTT-4.12.0-5]";
	if (!rule)
		return true;
	skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0, "the broker broke the protocol: %s", rule);
	return false;
}

enum session_step skiffi_session_on_connack(
	struct skiffi_session *session, const struct skiffi_frame *frame, struct skiffi_event *event)
{
	struct skiffi_connack connack;
	struct skiffi_refusal why = {0};
	if (session->state != SESSION_CONNECTING) {
		skiffi_session_fault(
			session, SKIFF_MQTT_PROTOCOL, 0x82, "the broker sent a second CONNACK [MQTT-3.2.0-2]");
		return STEP_QUIET;
	}
	if (!skiffi_connack_decode(frame, session->version, &connack, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	if (connack.reason) {
		session_refused(session, &connack);
		return STEP_QUIET;
	}
	if (!session_connack_fits(session, &connack))
		return STEP_QUIET;
	session_apply(session, &connack);
	session->state = SESSION_UP;
	bool lost = session->held && !connack.session_present;
	session->held = true;
	session->fresh = false;
	if (connack.session_present) {
		skiffi_session_resend(session);
	} else {
		/* [MQTT-3.2.2-5]: what we held belongs to a session that is no more. */
		skiffi_session_forget_received(session);
		if (session->inflight.messages)
			session->telling |= TELL_LOST;
	}
	skiffi_session_event(event, SKIFFI_EVENT_UP, NULL,
		lost && session->config->resume ? SKIFF_MQTT_SESSION_LOST : SKIFF_OK, connack.reason);
	event->session_present = connack.session_present;
	return STEP_EVENT;
}

enum session_step skiffi_session_on_disconnect(struct skiffi_session *session, const struct skiffi_frame *frame)
{
	struct skiffi_reasoned packet;
	struct skiffi_refusal why = {0};
	struct skiff_error verdict;
	if (session->version != SKIFFI_V5) {
		skiffi_session_fault(session, SKIFF_MQTT_PROTOCOL, 0,
			"the broker sent DISCONNECT, which only a client sends in MQTT 3.1.1");
		return STEP_QUIET;
	}
	if (!skiffi_disconnect_decode(frame, session->version, SKIFFI_FROM_SERVER, &packet, &why)) {
		skiffi_session_refuse(session, frame, &why);
		return STEP_QUIET;
	}
	skiffi_session_keep_text(&session->broker.reason_string, packet.properties.reason_string);
	skiffi_session_keep_text(&session->broker.server_reference, packet.properties.server_reference);
	session->broker.reason = packet.reason;
	skiffi_verdict_disconnect(
		&verdict, packet.reason, session->broker.reason_string, session->broker.server_reference);
	skiffi_session_fault(session, verdict.code, 0, "%s", verdict.text);
	session->error.detail = packet.reason;
	return STEP_QUIET;
}
