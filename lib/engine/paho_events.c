/* SPDX-License-Identifier: Apache-2.0 */
/* paho_events.c: Paho calls back: copy, post, return. On Paho's threads, under its global lock; during
 * MQTTAsync_destroy also on the worker. Nothing of Paho is called here, and nothing of ours that could wait, but for
 * one thing: a handler that is slower than the network makes the thread that receives wait, as there is no other way to
 * have Paho read less. */
#include "base/alloc.h"
#include "codec/reason.h"
#include "engine/paho_internal.h"
#include "session/verdict.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { EVENTS_INBOX_HIGH_BYTES = 4 * 1024 * 1024 };

/* ---- messages ---- */

/* 0 has Paho keep the message, to bring it again. */
int skiffi_paho_on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
	struct paho_link *link = context;
	struct paho_node *node = skiffi_calloc(1, sizeof *node);
	if (!node)
		return 0;
	node->news = PAHO_NEWS_MESSAGE;
	node->topic = topic;
	node->topic_len = topic_len ? (size_t)topic_len : strlen(topic);
	node->message = message;
	node->properties = skiffi_paho_properties_encode(&message->properties);
	pthread_mutex_lock(&link->lock);
	while (link->attached && link->inbox_bytes > EVENTS_INBOX_HIGH_BYTES)
		pthread_cond_wait(&link->drained, &link->lock);
	skiffi_paho_link_push(link, node, sizeof *node + node->topic_len + (size_t)message->payloadlen);
	pthread_mutex_unlock(&link->lock);
	return 1;
}

/* ---- the connection ---- */

static void events_up(struct paho_link *link, bool session_present, const MQTTProperties *properties)
{
	pthread_mutex_lock(&link->lock);
	skiffi_paho_trace_facts(&link->facts);
	link->connecting = false;
	link->up = true;
	link->up_node.session_present = session_present;
	skiffi_free((void *)link->up_node.properties.data);
	link->up_node.properties = skiffi_paho_properties_encode(properties);
	skiffi_paho_link_push(link, &link->up_node, 0);
	pthread_mutex_unlock(&link->lock);
	skiffi_paho_trace_end(link);
}

void skiffi_paho_on_connect(void *context, MQTTAsync_successData *data)
{
	events_up(context, data->alt.connect.sessionPresent, NULL);
}

void skiffi_paho_on_connect5(void *context, MQTTAsync_successData5 *data)
{
	events_up(context, data->alt.connect.sessionPresent, &data->properties);
}

/* Whether the peer still had its end open: it was Paho then who ended the connection. */
static bool events_peer_silent(const struct paho_link *link)
{
	char byte;
	return link->fd >= 0 && recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

/* Under the link's lock. Paho may report one end twice. */
static void events_over(struct paho_link *link, int code)
{
	if (link->over_queued)
		return;
	link->over_queued = true;
	link->over_code = code;
	link->over_was_up = link->up;
	link->over_silent = events_peer_silent(link);
	skiffi_paho_trace_facts(&link->facts);
	skiffi_paho_link_end(link);
	skiffi_paho_link_push(link, &link->over_node, 0);
	if (link->destroy_wanted)
		skiffi_paho_worker_post(link);
}

static void events_failure(struct paho_link *link, int code, const char *message)
{
	bool mine;
	pthread_mutex_lock(&link->lock);
	mine = link->connecting;
	if (mine) {
		skiffi_paho_number_hold(link->socket);
		link->over_connack = message && !strcmp(message, "CONNACK return code") && code > 0;
		events_over(link, code);
	}
	pthread_mutex_unlock(&link->lock);
	if (mine)
		skiffi_paho_trace_end(link);
}

void skiffi_paho_on_connect_failure(void *context, MQTTAsync_failureData *data)
{
	events_failure(context, data->code, data->message);
}

void skiffi_paho_on_connect_failure5(void *context, MQTTAsync_failureData5 *data)
{
	events_failure(context, data->code, data->message);
}

void skiffi_paho_connect_refused(struct paho_link *link, int code)
{
	events_failure(link, code, NULL);
}

void skiffi_paho_on_lost(void *context, char *cause)
{
	struct paho_link *link = context;
	(void)cause; /* always NULL */
	pthread_mutex_lock(&link->lock);
	if (link->up)
		events_over(link, MQTTASYNC_DISCONNECTED);
	pthread_mutex_unlock(&link->lock);
}

/* The broker's DISCONNECT. */
void skiffi_paho_on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
	struct paho_link *link = context;
	pthread_mutex_lock(&link->lock);
	link->peer_reason = (int)reason & 0xff;
	skiffi_free((void *)link->peer_properties.data);
	link->peer_properties = skiffi_paho_properties_encode(properties);
	/* Paho closes without telling of a lost connection here: it has set itself to unconnected first. */
	events_over(link, MQTTASYNC_DISCONNECTED);
	pthread_mutex_unlock(&link->lock);
}

static void events_disconnected(struct paho_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->over_disconnected = true;
	events_over(link, MQTTASYNC_SUCCESS);
	pthread_mutex_unlock(&link->lock);
}

void skiffi_paho_on_disconnect(void *context, MQTTAsync_successData *data)
{
	(void)data;
	events_disconnected(context);
}

void skiffi_paho_on_disconnect5(void *context, MQTTAsync_successData5 *data)
{
	(void)data;
	events_disconnected(context);
}

/* "…:error:0A000086:SSL routines::certificate verify failed:…" */
int skiffi_paho_on_tls_error(const char *text, size_t len, void *context)
{
	struct paho_link *link = context;
	const char *number = memmem(text, len, ":error:", 7);
	pthread_mutex_lock(&link->lock);
	if (number && !link->facts.tls_error)
		link->facts.tls_error = strtoul(number + 7, NULL, 16);
	pthread_mutex_unlock(&link->lock);
	return 1;
}

/* ---- requests ---- */

/* Under the lock. */
static void op_unhold(struct paho_link *link, struct paho_op *op)
{
	skiffi_paho_link_unhold(link, op);
	if (op->kind != PAHO_PUBLISH || op->qos)
		return;
	atomic_fetch_sub(&link->unsent_bytes, op->bytes);
	if (atomic_exchange(&link->engine->room_wanted, false))
		skiffi_paho_wake(link->engine);
}

/* Paho has let go of the op. With an outcome it goes to the inbox; without one (DROPPED) the engine tells it when it
 * tells of the connection. */
static void op_over(struct paho_op *op, enum paho_op_state state)
{
	struct paho_link *link = op->link;
	pthread_mutex_lock(&link->lock);
	bool told = op->state == PAHO_ENDED;
	op_unhold(link, op);
	if (!told)
		op->state = state;
	if (!told && state == PAHO_ENDED && link->attached) {
		atomic_fetch_add(&op->refs, 1);
		op->node.news = PAHO_NEWS_OP;
		op->node.op = op;
		skiffi_paho_link_push(link, &op->node, 0);
	}
	bool more = link->up && (link->out || link->ending);
	pthread_mutex_unlock(&link->lock);
	if (more)
		skiffi_paho_worker_post(link);
	skiffi_paho_op_unref(op);
}

static void op_reasons(struct paho_op *op, const int *list, size_t count, int only)
{
	op->reasons = skiffi_malloc(count ? count : 1);
	if (!op->reasons) {
		op->code = SKIFF_MEMORY;
		return;
	}
	for (size_t i = 0; i < count; i++)
		op->reasons[i] = (uint8_t)(count > 1 ? list[i] : only);
	op->reason_count = count;
	op->reason = count ? op->reasons[0] : -1;
	op->code = skiffi_verdict_suback(op->link->version, (struct skiff_bytes){op->reasons, count});
}

void skiffi_paho_on_done(void *context, MQTTAsync_successData *data)
{
	struct paho_op *op = context;
	if (op->kind == PAHO_SUBSCRIBE)
		op_reasons(op, data->alt.qosList, op->count, data->alt.qos);
	op_over(op, PAHO_ENDED);
}

void skiffi_paho_on_done5(void *context, MQTTAsync_successData5 *data)
{
	struct paho_op *op = context;
	if (op->kind != PAHO_PUBLISH) {
		int count =
			op->kind == PAHO_SUBSCRIBE ? data->alt.sub.reasonCodeCount : data->alt.unsub.reasonCodeCount;
		const enum MQTTReasonCodes *list =
			op->kind == PAHO_SUBSCRIBE ? data->alt.sub.reasonCodes : data->alt.unsub.reasonCodes;
		op_reasons(op, (const int *)list, (size_t)count, (int)data->reasonCode);
		op->node.properties = skiffi_paho_properties_encode(&data->properties);
	}
	op_over(op, PAHO_ENDED);
}

/* A refusal by the broker has a reason; anything else means that the connection took it along. */
static void op_failed(struct paho_op *op, int code, int reason)
{
	if (!code && reason >= 0x80) {
		op->reason = reason;
		if (op->kind == PAHO_PUBLISH)
			op->code = skiffi_reason_error((uint8_t)reason);
		else
			op_reasons(op, NULL, 1, reason);
		op_over(op, PAHO_ENDED);
		return;
	}
	op_over(op, PAHO_DROPPED);
}

void skiffi_paho_on_failed(void *context, MQTTAsync_failureData *data)
{
	struct paho_op *op = context;
	bool refused = op->kind == PAHO_SUBSCRIBE && data->code == 0x80;
	op_failed(op, refused ? 0 : data->code, refused ? 0x80 : 0);
}

void skiffi_paho_on_failed5(void *context, MQTTAsync_failureData5 *data)
{
	struct paho_op *op = context;
	if (!data->code && op->kind != PAHO_PUBLISH)
		op->node.properties = skiffi_paho_properties_encode(&data->properties);
	op_failed(op, data->code, data->code ? 0 : (int)data->reasonCode);
}

/* Every acknowledgement comes through here first; what Paho has from the store has no other way. */
void skiffi_paho_on_delivered(void *context, MQTTAsync_token token)
{
	struct paho_link *link = context;
	pthread_mutex_lock(&link->lock);
	struct paho_op *op = link->resumed ? link->held : NULL;
	while (op && !(op->state == PAHO_RESUMED && op->token == token))
		op = op->held_next;
	pthread_mutex_unlock(&link->lock);
	if (op)
		op_over(op, PAHO_ENDED);
}

/* Unconnected: it waits for the next connection as if it had never been taken. */
void skiffi_paho_op_refused(struct paho_op *op, int code)
{
	if (code != MQTTASYNC_DISCONNECTED) {
		op->code = code == MQTTASYNC_BAD_UTF8_STRING ? SKIFF_USAGE_TOPIC : SKIFF_MEMORY;
		op_over(op, PAHO_ENDED);
	} else {
		op_over(op, PAHO_WAITING);
	}
	skiffi_paho_op_unref(op);
}
