/* SPDX-License-Identifier: Apache-2.0 */
/* paho_requests.c: messages and subscriptions on their way through Paho. Under the client's lock.
 *
 * Happy path: publish -> an op, copied, in the engine's `flight` and the link's `out` -> the worker hands it to Paho ->
 * Paho calls back -> the op comes through the inbox with its outcome -> DONE.
 * When the connection ends: QoS 0 ends with MQTT_DISCONNECTED, subscriptions come AGAIN; QoS 1 and 2 stay in flight.
 * When the session goes on, Paho sends again what it had, and what it had not yet is handed to it; when it is gone,
 * QoS 1 is given back (REQUEUE), and the fate of QoS 2 that Paho had begun is unknown (LOST). */
#include "base/alloc.h"
#include "base/error.h"
#include "codec/properties.h"
#include "engine/paho_internal.h"
#include <assert.h>

/* ---- the flight ---- */

static void flight_add(struct paho_engine *self, struct paho_op *op)
{
	op->flight_prev = self->flight_last;
	if (self->flight_last)
		self->flight_last->flight_next = op;
	else
		self->flight = op;
	self->flight_last = op;
	if (op->kind != PAHO_PUBLISH) {
		self->unanswered++;
	} else if (op->qos) {
		self->inflight++;
		self->inflight_bytes += sizeof *op + op->bytes;
	}
}

static void flight_remove(struct paho_engine *self, struct paho_op *op)
{
	if (op->flight_prev)
		op->flight_prev->flight_next = op->flight_next;
	else
		self->flight = op->flight_next;
	if (op->flight_next)
		op->flight_next->flight_prev = op->flight_prev;
	else
		self->flight_last = op->flight_prev;
	op->flight_next = op->flight_prev = NULL;
	if (op->kind != PAHO_PUBLISH) {
		self->unanswered--;
	} else if (op->qos) {
		self->inflight--;
		self->inflight_bytes -= sizeof *op + op->bytes;
	}
}

void skiffi_paho_op_unref(struct paho_op *op)
{
	if (atomic_fetch_sub(&op->refs, 1) > 1)
		return;
	skiffi_free(op->reasons);
	skiffi_free((void *)op->node.properties.data);
	skiffi_free(op);
}

void skiffi_paho_flight_release(struct paho_engine *self)
{
	while (self->flight) {
		struct paho_op *op = self->flight;
		flight_remove(self, op);
		skiffi_paho_op_unref(op);
	}
}

/* ---- out ---- */

/* Under the link's lock. */
static void out_add(struct paho_link *link, struct paho_op *op)
{
	op->link = op->at = link;
	op->state = PAHO_WAITING;
	op->out_next = NULL;
	if (link->out_last)
		link->out_last->out_next = op;
	else
		link->out = op;
	link->out_last = op;
	atomic_fetch_add(&op->refs, 1);
	atomic_fetch_add(&link->unsent_bytes, op->bytes);
}

static void requests_submit(struct paho_engine *self, struct paho_op *op)
{
	flight_add(self, op);
	pthread_mutex_lock(&self->link->lock);
	out_add(self->link, op);
	pthread_mutex_unlock(&self->link->lock);
	self->packets_out++;
	self->bytes_out += op->bytes;
}

void skiffi_paho_resubmit(struct paho_engine *self)
{
	pthread_mutex_lock(&self->link->lock);
	for (struct paho_op *op = self->flight; op; op = op->flight_next)
		if (!op->at && op->begun == PAHO_NOT_BEGUN)
			out_add(self->link, op);
	pthread_mutex_unlock(&self->link->lock);
}

/* Under the link's lock. With a store, that tells whether Paho had begun; else nothing does. */
static void requests_take_back(struct paho_engine *self, struct paho_op *op)
{
	bool waits = op->state == PAHO_WAITING;
	if (!waits)
		op->begun = self->store ? skiffi_paho_store_find(self->store, self->version, op->token) : PAHO_SENT;
	op->at = NULL;
	op->state = waits ? PAHO_WAITING : PAHO_ENDED; /* for what Paho may still say of it */
}

void skiffi_paho_take_back(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	pthread_mutex_lock(&link->lock);
	while (link->out) {
		struct paho_op *op = link->out;
		link->out = op->out_next;
		atomic_fetch_sub(&link->unsent_bytes, op->bytes);
		skiffi_paho_op_unref(op);
	}
	link->out_last = NULL;
	for (struct paho_op *op = self->flight; op; op = op->flight_next)
		if (op->at == link)
			requests_take_back(self, op);
	pthread_mutex_unlock(&link->lock);
}

void skiffi_paho_resume(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	pthread_mutex_lock(&link->lock);
	for (struct paho_op *op = self->flight; op; op = op->flight_next) {
		if (op->begun == PAHO_NOT_BEGUN)
			continue;
		op->link = op->at = link;
		op->state = PAHO_RESUMED;
		atomic_fetch_add(&op->refs, 1);
		skiffi_paho_link_hold(link, op);
	}
	pthread_mutex_unlock(&link->lock);
}

void skiffi_paho_resume_not(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	pthread_mutex_lock(&link->lock);
	for (struct paho_op *op = self->flight; op; op = op->flight_next) {
		if (op->at != link || op->state != PAHO_RESUMED)
			continue;
		skiffi_paho_link_unhold(link, op);
		op->at = NULL;
		skiffi_paho_op_unref(op);
	}
	pthread_mutex_unlock(&link->lock);
}

/* ---- publish ---- */

static struct paho_op *publish_op(enum skiffi_protocol v, const struct skiffi_publish *publish)
{
	size_t room = skiffi_paho_properties_room(publish->properties) + publish->raw_properties.len;
	struct paho_op *op = skiffi_malloc(sizeof *op + publish->topic.len + 1 + room + publish->payload.len);
	if (!op)
		return NULL;
	*op = (struct paho_op){.kind = PAHO_PUBLISH, .qos = publish->qos, .retain = publish->retain, .reason = -1};
	atomic_init(&op->refs, 1);
	op->bytes = skiffi_publish_head_len(v, publish) + publish->payload.len;
	uint8_t *at = op->data;
	op->topic = (char *)at;
	memcpy(at, publish->topic.data, publish->topic.len);
	at += publish->topic.len;
	*at++ = '\0';
	op->properties.data = at;
	if (publish->raw_properties.len) {
		at = skiffi_write_varint(at, (uint32_t)publish->raw_properties.len);
		memcpy(at, publish->raw_properties.data, publish->raw_properties.len);
		at += publish->raw_properties.len;
	} else {
		at = skiffi_paho_properties_write(at, publish->properties);
	}
	op->properties.len = (size_t)(at - (const uint8_t *)op->properties.data);
	op->payload = (struct skiff_bytes){at, publish->payload.len};
	if (publish->payload.len)
		memcpy(at, publish->payload.data, publish->payload.len);
	return op;
}

static uint32_t requests_window(const struct paho_engine *self, uint8_t qos)
{
	uint32_t window = skiffi_limits_window(&self->limits, self->version, qos);
	uint16_t own = self->base.config->options->max_inflight;
	return own && own < window ? own : window;
}

enum skiff_code skiffi_paho_publish(struct skiffi_engine *engine, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error)
{
	struct paho_engine *self = (struct paho_engine *)engine;
	if (self->state != PAHO_UP || self->telling)
		return SKIFF_AGAIN;
	struct skiffi_publish publish = skiffi_publish_of(message, kept);
	enum skiff_code code = skiffi_limits_publish(&self->limits, self->version, &publish, error);
	if (code)
		return code;
	if (atomic_load(&self->link->unsent_bytes) > engine->config->output_high_bytes)
		return SKIFF_AGAIN;
	if (publish.qos && self->inflight >= requests_window(self, publish.qos))
		return SKIFF_AGAIN;
	struct paho_op *request = publish_op(self->version, &publish);
	if (!request)
		return SKIFF_MEMORY;
	request->op = op;
	requests_submit(self, request);
	self->messages_out++;
	return SKIFF_OK;
}

/* ---- subscribe ---- */

static struct paho_op *subscribe_op(bool subscribe, const struct skiffi_engine_filter *filters, size_t count,
	const struct skiff_properties *properties)
{
	size_t room = skiffi_paho_properties_room(properties), texts_len = 0;
	for (size_t i = 0; i < count; i++)
		texts_len += filters[i].filter.len + 1;
	size_t arrays_len = count * (sizeof(char *) + sizeof(MQTTSubscribe_options) + sizeof(int));
	struct paho_op *op = skiffi_malloc(sizeof *op + arrays_len + texts_len + room);
	if (!op)
		return NULL;
	*op = (struct paho_op){.kind = subscribe ? PAHO_SUBSCRIBE : PAHO_UNSUBSCRIBE, .count = count, .reason = -1};
	atomic_init(&op->refs, 1);
	uint8_t *at = op->data;
	op->filters = (char **)at;
	op->options = (MQTTSubscribe_options *)(at += count * sizeof(char *));
	op->levels = (int *)(at += count * sizeof(MQTTSubscribe_options));
	at += count * sizeof(int);
	for (size_t i = 0; i < count; i++) {
		uint8_t bits = filters[i].options;
		op->filters[i] = memcpy(at, filters[i].filter.data, filters[i].filter.len);
		at += filters[i].filter.len;
		*at++ = '\0';
		op->levels[i] = bits & 3;
		op->options[i] = (MQTTSubscribe_options)MQTTSubscribe_options_initializer;
		op->options[i].noLocal = bits >> 2 & 1;
		op->options[i].retainAsPublished = bits >> 3 & 1;
		op->options[i].retainHandling = bits >> 4 & 3;
	}
	uint8_t *end = skiffi_paho_properties_write(at, properties);
	op->properties = (struct skiff_bytes){at, (size_t)(end - at)};
	return op;
}

/* The checks speak of the codec's filters. */
static enum skiff_code subscribe_check(const struct paho_engine *self, enum skiffi_packet_type type,
	const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties,
	size_t *bytes, struct skiff_error *error)
{
	struct skiffi_filter *list = skiffi_malloc(count * sizeof *list);
	if (!list)
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct skiffi_filter){filters[i].filter, filters[i].options};
	struct skiffi_subscribe packet = {.packet_id = 1, .filters = list, .count = count};
	if (properties)
		packet.properties = *properties;
	enum skiff_code code = skiffi_limits_subscribe(&self->limits, self->version, type, &packet, error);
	*bytes = skiffi_subscribe_len(self->version, type, &packet);
	skiffi_free(list);
	return code;
}

enum skiff_code skiffi_paho_subscribe(struct skiffi_engine *engine, bool subscribe,
	const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error)
{
	struct paho_engine *self = (struct paho_engine *)engine;
	size_t bytes;
	if (self->state != PAHO_UP)
		return SKIFF_AGAIN;
	enum skiff_code code = subscribe_check(
		self, subscribe ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE, filters, count, properties, &bytes, error);
	if (code)
		return code;
	struct paho_op *request = subscribe_op(subscribe, filters, count, properties);
	if (!request)
		return SKIFF_MEMORY;
	request->bytes = bytes;
	request->op = op;
	requests_submit(self, request);
	return SKIFF_OK;
}

/* ---- outcomes ---- */

static void tell(struct skiffi_event *event, enum skiffi_event_kind kind, struct paho_op *op, enum skiff_code code)
{
	*event = (struct skiffi_event){.kind = kind, .op = op->op, .code = code, .reason = -1};
}

/* Out of the flight, and let go of at the next pull. */
static void tell_lend(struct paho_engine *self, struct paho_op *op)
{
	flight_remove(self, op);
	op->flight_next = self->lent_ops;
	self->lent_ops = op;
}

/* What Paho exchanged for it: PUBACK; PUBREC, PUBREL, PUBCOMP; SUBACK, UNSUBACK. Of a refusal with a reason string a
 * little more than is counted. */
static void requests_count_answer(struct paho_engine *self, const struct paho_op *op)
{
	enum { ACK_BYTES = 4 };
	bool released = op->kind == PAHO_PUBLISH && op->qos == 2 && !op->code;
	if (op->kind == PAHO_PUBLISH && !op->qos)
		return;
	self->packets_in += released ? 2 : 1;
	self->bytes_in += op->kind != PAHO_PUBLISH ? ACK_BYTES + op->count : released ? 2 * ACK_BYTES : ACK_BYTES;
	self->packets_out += released;
	self->bytes_out += released ? ACK_BYTES : 0;
}

bool skiffi_paho_tell_op(struct paho_engine *self, struct paho_op *op, struct skiffi_event *event)
{
	struct skiffi_refusal why;
	const uint8_t *at = op->node.properties.data;
	struct skiffi_reader reader = {at, at + op->node.properties.len};
	tell(event, SKIFFI_EVENT_DONE, op, op->code);
	event->reason = op->reason;
	event->reasons = (struct skiff_bytes){op->reasons, op->reason_count};
	if (at && skiffi_properties_read(&reader, SKIFFI_IN_ACK, &event->storage, &why))
		event->properties = &event->storage;
	requests_count_answer(self, op);
	tell_lend(self, op);
	return op->op || op->code;
}

/* An op that is told without its outcome must not be taken for alive when the outcome comes. */
static void tell_take(struct paho_op *op)
{
	if (!op->at)
		return;
	pthread_mutex_lock(&op->at->lock);
	op->state = PAHO_ENDED;
	pthread_mutex_unlock(&op->at->lock);
}

size_t skiffi_paho_tell_gone(struct paho_engine *self, struct skiffi_event *events, size_t max)
{
	size_t count = 0;
	struct paho_op *next;
	for (struct paho_op *op = self->flight; op && count < max; op = next) {
		next = op->flight_next;
		if (op->kind == PAHO_PUBLISH && op->qos)
			continue;
		tell_take(op);
		if (op->kind == PAHO_PUBLISH)
			tell(&events[count++], SKIFFI_EVENT_DONE, op, SKIFF_MQTT_DISCONNECTED);
		else
			tell(&events[count++], SKIFFI_EVENT_AGAIN, op, SKIFF_OK);
		tell_lend(self, op);
	}
	return count;
}

/* Its reference passes to the receiver. */
static void tell_requeue(struct paho_engine *self, struct paho_op *op, struct skiffi_event *event)
{
	struct skiff_properties properties;
	struct skiffi_refusal why;
	const uint8_t *at = op->properties.data;
	struct skiffi_reader reader = {at, at + op->properties.len};
	struct skiff_message message = {
		.topic = skiff_text(op->topic), .payload = op->payload, .qos = op->qos, .retain = op->retain};
	bool ok = skiffi_properties_read(&reader, SKIFFI_IN_PUBLISH_FROM_CLIENT, &properties, &why);
	assert(ok);
	if (properties.raw.len)
		message.properties = &properties;
	struct skiffi_kept *kept = ok ? skiffi_kept_new(&self->pool, &message) : NULL;
	if (!kept) {
		tell(event, SKIFFI_EVENT_DONE, op, SKIFF_MEMORY);
		return;
	}
	kept->op = op->op;
	tell(event, SKIFFI_EVENT_REQUEUE, op, SKIFF_OK);
	event->op = NULL;
	event->kept = kept;
}

static bool tell_lost_one(struct paho_engine *self, struct paho_op *op, bool released, struct skiffi_event *event)
{
	if (op->kind != PAHO_PUBLISH || !op->qos || op->at || released != (op->begun == PAHO_RELEASED))
		return false;
	if (released) /* the broker has it */
		tell(event, SKIFFI_EVENT_DONE, op, SKIFF_OK);
	else if (op->begun == PAHO_NOT_BEGUN || op->qos == 1)
		tell_requeue(self, op, event);
	else
		tell(event, SKIFFI_EVENT_LOST, op, SKIFF_MQTT_SESSION_LOST);
	tell_lend(self, op);
	return true;
}

/* Those whose PUBREC came first, as the native engine has it. */
size_t skiffi_paho_tell_lost(struct paho_engine *self, struct skiffi_event *events, size_t max)
{
	size_t count = 0;
	struct paho_op *next;
	for (int pass = 0; pass < 2; pass++)
		for (struct paho_op *op = self->flight; op && count < max; op = next) {
			next = op->flight_next;
			count += tell_lost_one(self, op, !pass, &events[count]);
		}
	return count;
}
