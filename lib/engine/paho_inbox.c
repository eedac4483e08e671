/* SPDX-License-Identifier: Apache-2.0 */
/* paho_inbox.c: what Paho's threads and the worker put into the link's inbox becomes the engine's events. Loop thread,
 * under the client's lock.
 *
 * UP: the grants are noted, what waits is given to the link. A message, an outcome: passed on; what they point to lives
 * until the next pull. OVER: the cause is found, maybe after a second look; then, once the inbox is empty, what the
 * connection leaves is told, and DOWN. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "codec/properties.h"
#include "endpoint/resolve.h"
#include "engine/paho_internal.h"
#include "session/verdict.h"
#include <stdio.h>

static void paho_keep_text(char *into, size_t size, struct skiff_bytes text)
{
	snprintf(into, size, "%.*s", (int)text.len, text.data ? (const char *)text.data : "");
}

static void paho_apply(struct paho_engine *self, const struct skiff_properties *granted)
{
	struct skiff_connection *seen = &self->seen;
	const struct skiff_options *options = self->base.config->options;
	skiffi_limits_grant(&self->limits, self->version, &self->connect_properties, granted);
	skiffi_limits_info(&self->limits, seen);
	if (granted->assigned_client_id.data) { /* ours from now on [MQTT-3.2.2-16] */
		skiffi_free(self->assigned_id);
		self->assigned_id = skiffi_memdup(granted->assigned_client_id.data, granted->assigned_client_id.len);
	}
	paho_keep_text(seen->client_id, sizeof seen->client_id,
		skiff_text(self->assigned_id ? self->assigned_id : options->client_id));
	paho_keep_text(seen->reason_string, sizeof seen->reason_string, granted->reason_string);
	paho_keep_text(seen->server_reference, sizeof seen->server_reference, granted->server_reference);
	paho_keep_text(seen->response_information, sizeof seen->response_information, granted->response_information);
}

/* What the link knows of the way. */
static void paho_see(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	struct skiff_connection *seen = &self->seen;
	struct skiffi_address peer = {.len = sizeof peer.storage};
	pthread_mutex_lock(&link->lock);
	if (link->fd >= 0 && !getpeername(link->fd, (struct sockaddr *)&peer.storage, &peer.len))
		skiffi_address_text(&peer, seen->address, sizeof seen->address);
	paho_keep_text(seen->tls_version, sizeof seen->tls_version, skiff_text(link->facts.tls_version));
	paho_keep_text(seen->tls_cipher, sizeof seen->tls_cipher, skiff_text(link->facts.tls_cipher));
	seen->http_status = link->facts.http_status;
	if (link->greeting_us)
		seen->mqtt_version = (int)self->version;
	if (self->up_us && link->greeting_us)
		seen->phases.mqtt_us = self->up_us - link->greeting_us;
	pthread_mutex_unlock(&link->lock);
	if (self->up_us)
		seen->phases.total_us = self->up_us - self->started_us;
}

static void paho_tell_link(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	const struct skiff_options *options = self->base.config->options;
	uint16_t asked = options->keep_alive_s < 0 ? 0 : (uint16_t)options->keep_alive_s;
	pthread_mutex_lock(&link->lock);
	link->window = skiffi_limits_window(&self->limits, self->version, 1);
	link->window_qos2 = skiffi_limits_window(&self->limits, self->version, 2);
	if (self->limits.keep_alive_s != asked)
		link->keep_alive_wanted = self->limits.keep_alive_s;
	pthread_mutex_unlock(&link->lock);
}

static size_t paho_take_up(struct paho_engine *self, const struct paho_node *node, struct skiffi_event *event)
{
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	const struct skiff_options *options = self->base.config->options;
	struct skiff_properties granted = {0};
	struct skiffi_refusal why;
	const uint8_t *at = node->properties.data;
	struct skiffi_reader reader = {at, at + node->properties.len};
	if (self->state != PAHO_CONNECTING)
		return 0;
	if (at && !skiffi_properties_read(&reader, SKIFFI_IN_CONNACK, &granted, &why))
		granted = (struct skiff_properties){0};
	if (node->session_present && self->fresh) {
		struct skiff_error error;
		skiffi_fail(&error, SKIFF_MQTT_PROTOCOL, 0,
			"the broker broke the protocol: it says that a session is present after a clean start "
			"[MQTT-3.2.2-2]");
		skiffi_paho_cut(self, &error);
		return 0;
	}
	bool lost = self->held && options->resume_session && !node->session_present;
	self->state = PAHO_UP;
	self->settled = self->held = true;
	self->fresh = false;
	self->up_us = skiffi_now_us();
	skiffi_limits_reset(&self->limits, options->keep_alive_s < 0 ? 0 : (uint16_t)options->keep_alive_s);
	paho_apply(self, &granted);
	paho_see(self);
	self->seen.session_present = node->session_present;
	self->seen.reason = 0;
	self->seen.http_status = endpoint->kind == SKIFFI_WS ? 101 : 0;
	paho_tell_link(self);
	self->packets_out++;
	self->packets_in++;
	skiffi_log(SKIFF_LOG_INFO, "engine", "connected to %s by Paho, %s", self->seen.address,
		skiffi_version_name(self->version));
	if (node->session_present) {
		skiffi_paho_resubmit(self);
	} else if (self->inflight) {
		skiffi_paho_resume_not(self);
		self->telling |= PAHO_TELL_LOST;
	}
	skiffi_paho_worker_post(self->link);
	*event = (struct skiffi_event){.kind = SKIFFI_EVENT_UP,
		.code = lost ? SKIFF_MQTT_SESSION_LOST : SKIFF_OK,
		.session_present = node->session_present};
	return 1;
}

static bool paho_falls_back(const struct paho_engine *self)
{
	enum skiff_code code = self->error.code;
	return self->base.config->options->version == SKIFF_MQTT_AUTO && !self->settled && self->version == SKIFFI_V5 &&
	       (code == SKIFF_MQTT_VERSION || code == SKIFF_MQTT_CLOSED);
}

static void paho_take_over(struct paho_engine *self)
{
	bool look;
	if (self->state == PAHO_CLOSING) {
		skiffi_paho_going_down(self);
		return;
	}
	if (self->state != PAHO_CONNECTING && self->state != PAHO_UP)
		return;
	paho_see(self);
	skiffi_paho_cause(self, &self->error, &look);
	if (self->link->over_connack || self->link->peer_reason >= 0)
		self->seen.reason = self->link->over_connack ? self->link->over_code : self->link->peer_reason;
	if (look) {
		self->state = PAHO_LOOKING;
		self->look_wanted = true;
		skiffi_paho_wake(self);
	} else if (paho_falls_back(self)) {
		skiffi_log(SKIFF_LOG_INFO, "engine", "the broker does not take MQTT 5; trying 3.1.1");
		skiffi_paho_retire(self);
		self->version = SKIFFI_V311;
		skiffi_paho_begin(self);
	} else {
		skiffi_paho_going_down(self);
	}
}

static size_t paho_message_len(const struct paho_engine *self, const struct paho_node *node)
{
	struct skiffi_publish publish = {.qos = (uint8_t)node->message->qos, .topic = {node->topic, node->topic_len}};
	size_t properties_len = self->version != SKIFFI_V5 ? 0 : node->properties.len ? node->properties.len : 1;
	return skiffi_publish_head_len(SKIFFI_V311, &publish) + properties_len + (size_t)node->message->payloadlen;
}

/* PUBACK; PUBREC, and PUBCOMP for the PUBREL. */
static void paho_count_answers(struct paho_engine *self, int qos)
{
	enum { ACK_BYTES = 4 };
	self->packets_out += (unsigned)qos;
	self->bytes_out += (unsigned)qos * ACK_BYTES;
	if (qos == 2) {
		self->packets_in++;
		self->bytes_in += ACK_BYTES;
	}
}

static size_t paho_take_message(struct paho_engine *self, struct paho_node *node, struct skiffi_event *event)
{
	struct skiffi_refusal why;
	const uint8_t *at = node->properties.data;
	struct skiffi_reader reader = {at, at + node->properties.len};
	*event = (struct skiffi_event){.kind = SKIFFI_EVENT_MESSAGE,
		.reason = -1,
		.message = {.topic = {node->topic, node->topic_len},
			.payload = {node->message->payload, (size_t)node->message->payloadlen},
			.qos = (uint8_t)node->message->qos,
			.retain = node->message->retained,
			.dup = node->message->dup,
			.packet_id = node->message->qos ? (uint16_t)node->message->msgid : 0}};
	if (at && skiffi_properties_read(&reader, SKIFFI_IN_PUBLISH_FROM_SERVER, &event->storage, &why))
		event->message.properties = &event->storage;
	node->next = self->lent;
	self->lent = node;
	self->messages_in++;
	paho_count_answers(self, node->message->qos);
	self->packets_in++;
	self->bytes_in += paho_message_len(self, node);
	return 1;
}

static size_t paho_take(struct paho_engine *self, struct paho_node *node, struct skiffi_event *event)
{
	switch (node->news) {
	case PAHO_NEWS_UP:
		return paho_take_up(self, node, event);
	case PAHO_NEWS_OVER:
		paho_take_over(self);
		return 0;
	case PAHO_NEWS_MESSAGE:
		return paho_take_message(self, node, event);
	case PAHO_NEWS_OP:
		break;
	}
	struct paho_op *op = node->op;
	bool told = op->at && skiffi_paho_tell_op(self, op, event);
	skiffi_paho_op_unref(op);
	return told;
}

/* ---- pull ---- */

void skiffi_paho_return_lent(struct paho_engine *self)
{
	while (self->lent) {
		struct paho_node *node = self->lent;
		self->lent = node->next;
		skiffi_paho_node_free(node);
	}
	while (self->lent_ops) {
		struct paho_op *op = self->lent_ops;
		self->lent_ops = op->flight_next;
		skiffi_paho_op_unref(op);
	}
}

/* Of a session that may go on, nothing that Paho still does may be missed: its link is waited for. The others are left
 * to themselves. False: not yet. */
static bool paho_leave_link(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	if (!link)
		return true;
	if (!self->store) {
		skiffi_paho_retire(self);
		return true;
	}
	if (!link->destroyed) {
		skiffi_paho_link_cut(link);
		pthread_mutex_lock(&link->lock);
		link->destroy_wanted = true;
		pthread_mutex_unlock(&link->lock);
		skiffi_paho_worker_post(link);
		return false;
	}
	skiffi_paho_take_back(self);
	skiffi_paho_link_free(link);
	self->link = NULL;
	self->links--;
	return true;
}

static void paho_down(struct paho_engine *self, struct skiffi_event *event)
{
	self->telling = 0;
	self->state = PAHO_IDLE;
	if (!self->links && self->holds_ws) {
		skiffi_paho_ws_give();
		self->holds_ws = false;
	}
	*event = (struct skiffi_event){.kind = SKIFFI_EVENT_DOWN, .code = self->error.code, .reason = -1};
}

static bool paho_inbox_empty(const struct paho_engine *self)
{
	if (!self->link)
		return true;
	pthread_mutex_lock(&self->link->lock);
	bool empty = !self->link->inbox;
	pthread_mutex_unlock(&self->link->lock);
	return empty;
}

static size_t paho_tell(struct paho_engine *self, struct skiffi_event *events, size_t max)
{
	size_t count;
	if (self->telling & PAHO_TELL_LOST) {
		if ((count = skiffi_paho_tell_lost(self, events, max)))
			return count;
		self->telling &= ~(unsigned)PAHO_TELL_LOST;
	}
	if (!(self->telling & PAHO_TELL_DOWN) || !paho_inbox_empty(self))
		return 0;
	if (self->telling & PAHO_TELL_GONE) {
		if (!paho_leave_link(self))
			return 0;
		if ((count = skiffi_paho_tell_gone(self, events, max)))
			return count;
		self->telling &= ~(unsigned)PAHO_TELL_GONE;
	}
	paho_down(self, events);
	return 1;
}

size_t skiffi_paho_pull(struct skiffi_engine *engine, struct skiffi_event *events, size_t max)
{
	struct paho_engine *self = (struct paho_engine *)engine;
	size_t count = 0;
	skiffi_paho_return_lent(self);
	while (count < max) {
		size_t told = paho_tell(self, events + count, max - count);
		count += told;
		if (told)
			continue;
		struct paho_node *node = self->link ? skiffi_paho_link_pop(self->link) : NULL;
		if (!node)
			break;
		count += paho_take(self, node, &events[count]);
	}
	return count;
}
