/* SPDX-License-Identifier: Apache-2.0 */
/* far_broker.c: the codec on top of net_listener. */
#include "support/far_broker.h"

#include "support/waiting.h"
#include <stdlib.h>

enum { FAR_READ_BYTES = 65536, FAR_FILTERS = 4096 };

struct far_broker {
	struct net_listener *listener;
	far_script script;
	void *user;
	struct waiting_count connections;
};

static void far_run(struct net_peer *peer, void *user)
{
	struct far_broker *broker = user;
	waiting_add(&broker->connections);
	struct far_client client = {.broker = broker,
		.peer = peer,
		.version = SKIFFI_V5,
		.number = (unsigned)waiting_value(&broker->connections),
		.user = broker->user};
	broker->script(&client, broker->user);
	skiffi_buffer_release(&client.input);
}

struct far_broker *far_broker_start(far_script script, void *user)
{
	struct far_broker *broker = calloc(1, sizeof *broker);
	if (!broker)
		abort();
	broker->script = script;
	broker->user = user;
	broker->listener = net_listener_start(&(struct net_options){.script = far_run, .user = broker});
	return broker;
}

const char *far_broker_url(const struct far_broker *broker)
{
	return net_listener_url(broker->listener);
}

unsigned far_broker_connections(struct far_broker *broker)
{
	return (unsigned)waiting_value(&broker->connections);
}

void far_broker_stop(struct far_broker *broker)
{
	net_listener_stop(broker->listener);
	free(broker);
}

/* ---- reading ---- */

static bool far_read_more(struct far_client *client)
{
	uint8_t *at = skiffi_buffer_reserve(&client->input, FAR_READ_BYTES);
	size_t got = at ? net_peer_read(client->peer, at, FAR_READ_BYTES) : 0;
	skiffi_buffer_commit(&client->input, got);
	return got > 0;
}

bool far_next(struct far_client *client, struct skiffi_frame *frame)
{
	skiffi_buffer_consume(&client->input, client->used);
	client->used = 0;
	for (;;) {
		size_t len = skiffi_buffer_len(&client->input);
		enum skiffi_framing framing = SKIFFI_FRAME_MORE;
		if (len)
			framing = skiffi_frame_next(skiffi_buffer_head(&client->input), len, SIZE_MAX, frame);
		if (framing == SKIFFI_FRAME_OK) {
			client->used = frame->total_len;
			return true;
		}
		if (framing != SKIFFI_FRAME_MORE || !far_read_more(client))
			return false;
	}
}

bool far_next_of(struct far_client *client, enum skiffi_packet_type type, struct skiffi_frame *frame)
{
	while (far_next(client, frame))
		if (frame->type == type)
			return true;
	return false;
}

bool far_read_connect(struct far_client *client)
{
	struct skiffi_frame frame;
	struct skiffi_connect connect;
	struct skiff_properties properties[2];
	struct skiffi_refusal why;
	return far_next(client, &frame) && frame.type == SKIFFI_CONNECT &&
	       skiffi_connect_decode(&frame, &client->version, &connect, properties, &why);
}

uint16_t far_packet_id(struct far_client *client, const struct skiffi_frame *frame)
{
	const uint8_t *at = frame->body;
	(void)client;
	if (frame->type == SKIFFI_PUBLISH)
		at += 2 + (at[0] << 8 | at[1]);
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- writing ---- */

bool far_send(struct far_client *client, const void *data, size_t len)
{
	return net_peer_write(client->peer, data, len);
}

static bool far_send_buffer(struct far_client *client, struct skiffi_buffer *buffer, bool ok)
{
	ok = ok && far_send(client, skiffi_buffer_head(buffer), skiffi_buffer_len(buffer));
	skiffi_buffer_release(buffer);
	return ok;
}

bool far_send_connack(
	struct far_client *client, uint8_t reason, bool session_present, const struct skiff_properties *properties)
{
	struct skiffi_buffer out = {0};
	struct skiffi_connack connack = {.session_present = session_present, .reason = reason};
	if (properties && client->version == SKIFFI_V5)
		connack.properties = *properties;
	return far_send_buffer(client, &out, skiffi_connack_encode(&out, client->version, &connack));
}

bool far_greet(struct far_client *client, const struct skiff_properties *properties)
{
	return far_read_connect(client) && far_send_connack(client, 0, false, properties);
}

bool far_send_ack(struct far_client *client, enum skiffi_packet_type type, uint16_t packet_id, uint8_t reason)
{
	struct skiffi_buffer out = {0};
	struct skiffi_ack ack = {.packet_id = packet_id, .reason = client->version == SKIFFI_V5 ? reason : 0};
	return far_send_buffer(client, &out, skiffi_ack_encode(&out, client->version, type, &ack));
}

bool far_answer_subscribe(struct far_client *client, const struct skiffi_frame *frame, uint8_t reason)
{
	static const enum skiffi_packet_type answers[] = {
		[SKIFFI_SUBSCRIBE] = SKIFFI_SUBACK, [SKIFFI_UNSUBSCRIBE] = SKIFFI_UNSUBACK};
	struct skiffi_subscribe packet;
	struct skiffi_refusal why;
	struct skiffi_filter filter;
	struct skiffi_buffer out = {0};
	uint8_t reasons[FAR_FILTERS];
	size_t count = 0;
	if (!skiffi_subscribe_decode(frame, client->version, &packet, &why))
		return false;
	while (count < FAR_FILTERS && skiffi_filter_next(&packet.raw_filters, frame->type, &filter))
		reasons[count++] = reason;
	struct skiffi_suback suback = {.packet_id = packet.packet_id, .reasons = {reasons, count}};
	if (frame->type == SKIFFI_UNSUBSCRIBE && client->version != SKIFFI_V5)
		suback.reasons.len = 0;
	return far_send_buffer(
		client, &out, skiffi_suback_encode(&out, client->version, answers[frame->type], &suback));
}

static bool far_answer_publish(struct far_client *client, const struct skiffi_frame *frame)
{
	unsigned qos = frame->flags >> 1 & 3;
	return !qos || far_send_ack(client, qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBREC, far_packet_id(client, frame), 0);
}

bool far_answer(struct far_client *client, const struct skiffi_frame *frame)
{
	switch (frame->type) {
	case SKIFFI_PUBLISH:
		return far_answer_publish(client, frame);
	case SKIFFI_PUBREL:
		return far_send_ack(client, SKIFFI_PUBCOMP, far_packet_id(client, frame), 0);
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
		return far_answer_subscribe(client, frame, 0);
	case SKIFFI_PINGREQ:
		return far_send(client, "\xd0\0", 2);
	default:
		return frame->type != SKIFFI_DISCONNECT;
	}
}

void far_serve(struct far_client *client)
{
	struct skiffi_frame frame;
	while (far_next(client, &frame) && far_answer(client, &frame))
		;
}

void far_ignore(struct far_client *client)
{
	struct skiffi_frame frame;
	while (far_next(client, &frame))
		;
}
