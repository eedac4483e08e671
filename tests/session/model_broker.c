/* SPDX-License-Identifier: Apache-2.0 */
#include "session/model_broker.h"

#include "fuzz/fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const model_topics[MODEL_TOPICS] = {"a", "b/c", "topic/one", "topic/two", "topic/three", "x/y/z/4",
	"a/rather/long/topic/of/many/levels", "topic/\xc3\xbc"};

uint32_t dice_roll(struct dice *dice, uint32_t sides)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return (uint32_t)((dice->state >> 11) % sides);
}

void model_reset(struct model_broker *broker, struct dice *dice, enum skiffi_protocol version)
{
	memset(broker, 0, sizeof *broker);
	broker->dice = dice;
	broker->version = version;
}

static void model_forget_aliases(struct model_broker *broker)
{
	for (size_t i = 0; i < 16; i++) {
		free(broker->aliases_in[i]);
		broker->aliases_in[i] = NULL;
		broker->aliases_out[i] = -1;
	}
}

void model_free(struct model_broker *broker)
{
	model_forget_aliases(broker);
	bytes_free(&broker->from);
	bytes_free(&broker->to);
}

void model_cut(struct model_broker *broker)
{
	/* A client that never heard that its session is gone would take the new one for the old; no client can help
	 * that, and the model spares it. */
	broker->forgets |= broker->began;
	broker->began = false;
	broker->up = false;
	broker->from.len = broker->to.len = 0;
	broker->pending_count = broker->owed_count = 0;
	for (size_t i = 0; i < broker->out_count; i++)
		broker->out[i].sent_here = false;
}

void model_connect(struct model_broker *broker)
{
	model_cut(broker);
	model_forget_aliases(broker);
	memset(broker->busy, 0, sizeof broker->busy);
	broker->connection++;
	broker->up = true;
	broker->greeted = broker->refused = false;
	broker->open = broker->client_open = 0;
	broker->last_seq = broker->release_last = 0;
}

/* ---- to the client ---- */

static void model_packet(struct model_broker *broker, unsigned first, const struct bytes *body)
{
	size_t len = body->len;
	bytes_add_u8(&broker->to, first);
	do {
		bytes_add_u8(&broker->to, (len & 127) | (len > 127 ? 128 : 0));
		len >>= 7;
	} while (len);
	bytes_add(&broker->to, body->data, body->len);
}

static void add_u16(struct bytes *bytes, unsigned value)
{
	bytes_add_u8(bytes, value >> 8);
	bytes_add_u8(bytes, value & 255);
}

static void model_ack(struct model_broker *broker, unsigned type, uint16_t id, uint8_t reason)
{
	struct bytes body = {0};
	add_u16(&body, id);
	if (broker->version == SKIFFI_V5 && (reason || dice_roll(broker->dice, 4) == 0))
		bytes_add_u8(&body, reason);
	model_packet(broker, type << 4 | (type == SKIFFI_PUBREL ? 2 : 0), &body);
	bytes_free(&body);
}

static void model_connack(struct model_broker *broker, bool present)
{
	struct bytes body = {0};
	bytes_add_u8(&body, present);
	bytes_add_u8(&body, 0);
	if (broker->version == SKIFFI_V5) {
		bytes_add_u8(&body, 6);
		bytes_add_u8(&body, 33);
		add_u16(&body, broker->receive_maximum);
		bytes_add_u8(&body, 34);
		add_u16(&body, broker->alias_maximum);
	}
	model_packet(broker, 0x20, &body);
	bytes_free(&body);
}

/* The topic or its alias, which is learnt on the way. */
static unsigned model_alias(struct model_broker *broker, unsigned topic, bool *named)
{
	*named = true;
	if (!broker->client_alias_maximum || dice_roll(broker->dice, 2))
		return 0;
	unsigned alias = 1 + dice_roll(broker->dice, broker->client_alias_maximum);
	*named = broker->aliases_out[alias] != (int)topic || dice_roll(broker->dice, 4) == 0;
	broker->aliases_out[alias] = (int)topic;
	return alias;
}

static void model_send_publish(struct model_broker *broker, struct model_out *message)
{
	struct bytes body = {0};
	bool named;
	unsigned topic = message->number % MODEL_TOPICS, alias = model_alias(broker, topic, &named);
	char payload[128];
	size_t len = named ? strlen(model_topics[topic]) : 0;
	add_u16(&body, (unsigned)len);
	bytes_add(&body, model_topics[topic], len);
	if (message->qos)
		add_u16(&body, message->id);
	if (broker->version == SKIFFI_V5) {
		bytes_add_u8(&body, alias ? 3 : 0);
		if (alias) {
			bytes_add_u8(&body, 35);
			add_u16(&body, alias);
		}
	}
	snprintf(payload, sizeof payload, "%u|%s|", message->number, model_topics[topic]);
	bytes_add(&body, payload, strlen(payload));
	model_packet(broker, 0x30u | (message->sent_before ? 8 : 0) | (unsigned)message->qos << 1, &body);
	bytes_free(&body);
}

static void model_owe(struct model_broker *broker, uint8_t type, uint16_t id)
{
	CHECK(broker->owed_count < MODEL_PENDING);
	broker->owed_type[broker->owed_count] = type;
	broker->owed[broker->owed_count++] = id;
}

void model_send(struct model_broker *broker)
{
	if (!broker->up || !broker->greeted)
		return;
	for (size_t i = 0; i < broker->out_count; i++) {
		struct model_out *message = &broker->out[i];
		if (message->state == OUT_DONE || message->sent_here)
			continue;
		if (message->state == OUT_RELEASED) {
			model_ack(broker, SKIFFI_PUBREL, message->id, 0);
			message->sent_here = true;
			broker->client_open++;
			continue;
		}
		if (message->qos && broker->client_open >= broker->client_receive_maximum)
			return; /* order is kept: nothing passes it */
		model_send_publish(broker, message);
		message->sent_here = message->sent_before = true;
		message->state = message->qos ? OUT_SENT : OUT_DONE;
		if (message->qos) {
			broker->client_open++;
			model_owe(broker, message->qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBREC, message->id);
		}
	}
}

void model_publish(struct model_broker *broker, unsigned number, uint8_t qos)
{
	CHECK(broker->out_count < MODEL_MESSAGES);
	struct model_out *message = &broker->out[broker->out_count++];
	*message = (struct model_out){.number = number, .qos = qos, .id = qos ? (uint16_t)(number + 1) : 0};
	model_send(broker);
}

bool model_answer(struct model_broker *broker)
{
	if (!broker->pending_count)
		return false;
	size_t pick = dice_roll(broker->dice, (uint32_t)broker->pending_count);
	struct model_answer answer = broker->pending[pick];
	broker->pending_count--;
	memmove(&broker->pending[pick], &broker->pending[pick + 1],
		(broker->pending_count - pick) * sizeof broker->pending[0]);
	if (answer.type == SKIFFI_SUBACK || answer.type == SKIFFI_UNSUBACK) {
		struct bytes body = {0};
		add_u16(&body, answer.id);
		if (broker->version == SKIFFI_V5)
			bytes_add_u8(&body, 0);
		for (unsigned i = 0; i < answer.count; i++)
			bytes_add_u8(&body, 0);
		model_packet(broker, (unsigned)answer.type << 4, &body);
		bytes_free(&body);
	} else if (answer.type == SKIFFI_PINGRESP) {
		model_packet(broker, 0xd0, &(struct bytes){0});
	} else {
		model_ack(broker, answer.type, answer.id, answer.reason);
	}
	if (answer.type == SKIFFI_PUBREC && answer.reason < 0x80)
		broker->release_order[answer.id] = ++broker->release_turn;
	else if (answer.id)
		broker->busy[answer.id] = false;
	if (answer.type == SKIFFI_PUBACK || answer.type == SKIFFI_PUBCOMP ||
		(answer.type == SKIFFI_PUBREC && answer.reason >= 0x80))
		broker->open--;
	return true;
}

static void model_answer_later(
	struct model_broker *broker, enum skiffi_packet_type type, uint16_t id, uint8_t reason, unsigned count)
{
	CHECK(broker->pending_count < MODEL_PENDING);
	broker->pending[broker->pending_count++] =
		(struct model_answer){.type = (uint8_t)type, .reason = reason, .id = id, .count = count};
}

/* ---- from the client ---- */

static void model_on_connect(struct model_broker *broker, const struct skiffi_frame *frame)
{
	struct skiffi_connect connect;
	struct skiff_properties props[2];
	struct skiffi_refusal why;
	enum skiffi_protocol version;
	CHECK(skiffi_connect_decode(frame, &version, &connect, props, &why));
	CHECK(version == broker->version && !broker->greeted);
	if (connect.clean_start || broker->forgets) {
		memset(broker->taken, 0, sizeof broker->taken);
		broker->held = false;
		for (size_t i = 0; i < broker->out_count; i++)
			broker->dropped[broker->out[i].number] |= broker->out[i].state != OUT_DONE;
		broker->out_count = 0;
	}
	broker->forgets = false;
	broker->client_receive_maximum = props[0].has & SKIFF_HAS_RECEIVE_MAXIMUM ? props[0].receive_maximum : 65535;
	broker->client_alias_maximum = props[0].has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM ? props[0].topic_alias_maximum : 0;
	broker->receive_maximum = version == SKIFFI_V5 ? (uint16_t)(1 + dice_roll(broker->dice, 8)) : 1024;
	broker->alias_maximum = version == SKIFFI_V5 ? (uint16_t)dice_roll(broker->dice, 6) : 0;
	model_connack(broker, broker->held);
	broker->began = !broker->held;
	broker->held = broker->greeted = true;
	model_send(broker);
}

static void model_topic(struct model_broker *broker, const struct skiffi_publish *publish, const char *want)
{
	char topic[256];
	snprintf(topic, sizeof topic, "%.*s", (int)publish->topic.len, (const char *)publish->topic.data);
	if (publish->topic_alias) {
		CHECK(publish->topic_alias <= broker->alias_maximum); /* [MQTT-3.3.2-9] */
		char **known = &broker->aliases_in[publish->topic_alias];
		if (publish->topic.len) {
			free(*known);
			*known = strdup(topic);
		}
		CHECK(*known);
		snprintf(topic, sizeof topic, "%s", *known);
	}
	CHECK(!strcmp(topic, want));
}

static unsigned model_number(struct model_broker *broker, const struct skiffi_publish *publish)
{
	char text[128], *end;
	snprintf(text, sizeof text, "%.*s", (int)(publish->payload.len < 127 ? publish->payload.len : 127),
		(const char *)publish->payload.data);
	unsigned number = (unsigned)strtoul(text, &end, 10);
	CHECK(*end == '|' && number < MODEL_MESSAGES);
	char *close = strchr(end + 1, '|');
	CHECK(close);
	*close = '\0';
	model_topic(broker, publish, end + 1);
	return number;
}

static void model_on_publish(struct model_broker *broker, const struct skiffi_frame *frame)
{
	struct skiffi_publish publish;
	struct skiff_properties properties;
	struct skiffi_refusal why;
	CHECK(skiffi_publish_decode(frame, broker->version, SKIFFI_FROM_CLIENT, &publish, &properties, &why));
	unsigned number = model_number(broker, &publish);
	struct model_in *in = &broker->in[number];
	if (!publish.qos) {
		in->arrived++;
		return;
	}
	CHECK(!broker->busy[publish.packet_id]); /* [MQTT-2.2.1-3] */
	broker->busy[publish.packet_id] = true;
	CHECK(++broker->open <= broker->receive_maximum);            /* [MQTT-3.3.4-7] */
	CHECK(in->seq > broker->last_seq);                           /* [MQTT-4.6.0-1] */
	CHECK(publish.dup == (in->connection < broker->connection)); /* [MQTT-3.3.1-1], [MQTT-4.3.2-2] */
	broker->last_seq = in->seq;
	bool repeat = publish.qos == 2 && broker->taken[publish.packet_id];
	if (repeat)
		CHECK(broker->taken_number[publish.packet_id] == number); /* the id is that of another message */
	uint8_t reason = broker->version == SKIFFI_V5 && !repeat && !dice_roll(broker->dice, 12) ? 0x97 : 0;
	if (!repeat && !reason) {
		in->arrived++;
		broker->taken[publish.packet_id] = publish.qos == 2;
		broker->taken_number[publish.packet_id] = number;
	}
	model_answer_later(broker, publish.qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBREC, publish.packet_id, reason, 0);
}

static void model_on_release(struct model_broker *broker, const struct skiffi_ack *ack)
{
	bool known = broker->taken[ack->packet_id];
	CHECK(ack->reason == 0);
	CHECK(broker->release_order[ack->packet_id] > broker->release_last); /* [MQTT-4.6.0-4] */
	broker->release_last = broker->release_order[ack->packet_id];
	broker->taken[ack->packet_id] = false;
	if (!broker->busy[ack->packet_id]) {
		broker->busy[ack->packet_id] = true;
		broker->open++;
	}
	model_answer_later(broker, SKIFFI_PUBCOMP, ack->packet_id, known || broker->version != SKIFFI_V5 ? 0 : 0x92, 0);
}

static void model_on_ack(struct model_broker *broker, const struct skiffi_frame *frame)
{
	struct skiffi_ack ack;
	struct skiffi_refusal why;
	CHECK(skiffi_ack_decode(frame, broker->version, &ack, &why));
	if (frame->type == SKIFFI_PUBREL) {
		model_on_release(broker, &ack);
		return;
	}
	if (frame->type != SKIFFI_PUBCOMP) { /* [MQTT-4.6.0-2], [MQTT-4.6.0-3] */
		size_t i = 0;
		while (i < broker->owed_count && broker->owed_type[i] != frame->type)
			i++;
		CHECK(i < broker->owed_count && broker->owed[i] == ack.packet_id);
		broker->owed_count--;
		memmove(&broker->owed[i], &broker->owed[i + 1], (broker->owed_count - i) * sizeof broker->owed[0]);
		memmove(&broker->owed_type[i], &broker->owed_type[i + 1], broker->owed_count - i);
	}
	for (size_t i = 0; i < broker->out_count; i++) {
		struct model_out *message = &broker->out[i];
		if (message->id != ack.packet_id || message->state == OUT_DONE || !message->qos)
			continue;
		if (frame->type == SKIFFI_PUBREC) {
			CHECK(message->qos == 2 && message->state == OUT_SENT);
			message->state = OUT_RELEASED;
			model_ack(broker, SKIFFI_PUBREL, message->id, 0);
			return;
		}
		CHECK(frame->type == (message->qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBCOMP));
		message->state = OUT_DONE;
		broker->client_open--;
		model_send(broker);
		return;
	}
	CHECK(!"an acknowledgement of nothing");
}

static void model_on_subscribe(struct model_broker *broker, const struct skiffi_frame *frame)
{
	struct skiffi_subscribe packet;
	struct skiffi_refusal why;
	CHECK(skiffi_subscribe_decode(frame, broker->version, &packet, &why));
	CHECK(!broker->busy[packet.packet_id] && !broker->taken[packet.packet_id]);
	broker->busy[packet.packet_id] = true;
	bool subscribe = frame->type == SKIFFI_SUBSCRIBE;
	model_answer_later(broker, subscribe ? SKIFFI_SUBACK : SKIFFI_UNSUBACK, packet.packet_id, 0,
		subscribe || broker->version == SKIFFI_V5 ? (unsigned)packet.count : 0);
}

static void model_on_packet(struct model_broker *broker, const struct skiffi_frame *frame)
{
	CHECK(broker->greeted == (frame->type != SKIFFI_CONNECT)); /* [MQTT-3.1.0-1] */
	CHECK(!broker->refused);                                   /* [MQTT-3.14.4-1] */
	switch (frame->type) {
	case SKIFFI_CONNECT:
		model_on_connect(broker, frame);
		break;
	case SKIFFI_PUBLISH:
		model_on_publish(broker, frame);
		break;
	case SKIFFI_PUBACK:
	case SKIFFI_PUBREC:
	case SKIFFI_PUBREL:
	case SKIFFI_PUBCOMP:
		model_on_ack(broker, frame);
		break;
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
		model_on_subscribe(broker, frame);
		break;
	case SKIFFI_PINGREQ:
		model_answer_later(broker, SKIFFI_PINGRESP, 0, 0, 0);
		break;
	case SKIFFI_DISCONNECT:
		broker->refused = true;
		break;
	default:
		CHECK(!"no packet of a client");
	}
}

void model_input(struct model_broker *broker, const uint8_t *data, size_t len)
{
	struct skiffi_frame frame;
	enum skiffi_framing framing = SKIFFI_FRAME_MORE;
	bytes_add(&broker->from, data, len);
	while (broker->up && broker->from.len &&
		(framing = skiffi_frame_next(broker->from.data, broker->from.len, SIZE_MAX, &frame)) ==
			SKIFFI_FRAME_OK) {
		model_on_packet(broker, &frame);
		bytes_drop(&broker->from, frame.total_len);
	}
	CHECK(framing == SKIFFI_FRAME_OK || framing == SKIFFI_FRAME_MORE);
}

bool model_idle(const struct model_broker *broker)
{
	for (size_t i = 0; i < broker->out_count; i++)
		if (broker->out[i].state != OUT_DONE)
			return false;
	return broker->up && broker->greeted && !broker->pending_count && !broker->from.len && !broker->to.len;
}
