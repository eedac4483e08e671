/* SPDX-License-Identifier: Apache-2.0 */
/* peerd_mqtt.c: just enough of a broker. Packets are answered as they stand in the read buffer; the payload of a
 * PUBLISH is stepped over. The answers of one read are gathered, and framed together on a WebSocket. */
#include "peerd.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONNECT = 1,
	PUBLISH = 3,
	PUBACK = 4,
	PUBREC = 5,
	PUBREL = 6,
	PUBCOMP = 7,
	SUBSCRIBE = 8,
	UNSUBSCRIBE = 10,
	PINGREQ = 12,
	DISCONNECT = 14
};

static struct {
	uint8_t bytes[1 << 19];
	size_t len;
} answers;

static void answer(const void *bytes, size_t len)
{
	if (answers.len + len > sizeof answers.bytes)
		return; /* one read holds fewer packets than that */
	memcpy(answers.bytes + answers.len, bytes, len);
	answers.len += len;
}

static void answer_ack(uint8_t first, uint16_t id)
{
	uint8_t ack[4] = {first, 2, (uint8_t)(id >> 8), (uint8_t)id};

	answer(ack, sizeof ack);
}

void mqtt_answers_out(struct conn *conn)
{
	uint8_t header[10];

	if (!answers.len)
		return;
	if (conn->ws)
		conn_queue(conn, header, ws_header(header, answers.len));
	conn_queue(conn, answers.bytes, answers.len);
	answers.len = 0;
}

static uint16_t two_bytes(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void mqtt_subscribe(struct conn *conn, const uint8_t *body)
{
	const uint8_t *at = body + 2;
	size_t properties = 0, len;
	int shift = 0;

	if (conn->v5) {
		do {
			properties |= (size_t)(*at & 127) << shift;
			shift += 7;
		} while (*at++ & 128);
		at += properties;
	}
	len = two_bytes(at);
	answer((uint8_t[]){0x90, conn->v5 ? 4 : 3, body[0], body[1]}, 4);
	if (conn->v5)
		answer("", 1);
	answer((uint8_t[]){at[2 + len] & 3}, 1);
	source_start(conn, at + 2, len);
}

static void mqtt_packet(struct conn *conn, uint8_t first, const uint8_t *body, size_t len)
{
	switch (first >> 4) {
	case CONNECT:
		conn->v5 = len > 6 && body[6] == 5;
		answer((uint8_t[]){0x20, conn->v5 ? 3 : 2, 0, 0, 0}, conn->v5 ? 5 : 4);
		break;
	case PUBACK:
	case PUBCOMP:
		source_ack(conn->source);
		break;
	case PUBREC:
		answer_ack(0x62, two_bytes(body));
		break;
	case PUBREL:
		answer_ack(0x70, two_bytes(body));
		break;
	case SUBSCRIBE:
		mqtt_subscribe(conn, body);
		break;
	case UNSUBSCRIBE:
		answer((uint8_t[]){0xb0, conn->v5 ? 4 : 2, body[0], body[1], 0, 0}, conn->v5 ? 6 : 4);
		break;
	case PINGREQ:
		answer("\xd0", 2);
		break;
	case DISCONNECT:
		conn->dead = true;
		break;
	default:
		break;
	}
}

/* The fixed header at `at`: its length, or 0 when it has not come whole. */
static size_t mqtt_header(struct conn *conn, const uint8_t *at, size_t have, uint64_t *remaining)
{
	*remaining = 0;
	for (size_t i = 1; i < have; i++) {
		*remaining |= (uint64_t)(at[i] & 127) << (7 * (i - 1));
		if (!(at[i] & 128))
			return i + 1;
		if (i == 4) {
			conn->dead = true;
			return 0;
		}
	}
	return 0;
}

/* Notes the acknowledgement that a PUBLISH is due; false when its packet id has not come yet. */
static bool mqtt_publish(struct conn *conn, const uint8_t *at, size_t header, size_t have)
{
	int qos = at[0] >> 1 & 3;
	size_t topic;

	conn->ack_first = 0;
	if (!qos)
		return true;
	if (have < header + 2)
		return false;
	topic = two_bytes(at + header);
	if (have < header + 2 + topic + 2)
		return false;
	conn->ack_first = qos == 1 ? 0x40 : 0x50;
	conn->ack_id = two_bytes(at + header + 2 + topic);
	return true;
}

/* Takes one packet, or as much of a PUBLISH as is there; 0: nothing before more bytes come. */
static size_t mqtt_take(struct conn *conn, const uint8_t *at, size_t have)
{
	uint64_t remaining;
	size_t header = mqtt_header(conn, at, have, &remaining);
	uint64_t whole = header + remaining;

	if (!header)
		return 0;
	if (at[0] >> 4 != PUBLISH) {
		if (have < whole)
			return 0;
		mqtt_packet(conn, at[0], at + header, (size_t)remaining);
		return (size_t)whole;
	}
	if (!mqtt_publish(conn, at, header, have))
		return 0;
	if (have < whole) {
		conn->skip = whole - have;
		return have;
	}
	if (conn->ack_first)
		answer_ack(conn->ack_first, conn->ack_id);
	return (size_t)whole;
}

/* Steps over the payload that an earlier read began; returns how much of it is here. */
static size_t mqtt_skip(struct conn *conn, size_t have)
{
	size_t here = conn->skip < have ? (size_t)conn->skip : have;

	if (!conn->skip)
		return 0;
	conn->skip -= here;
	if (!conn->skip && conn->ack_first)
		answer_ack(conn->ack_first, conn->ack_id);
	return here;
}

void mqtt_feed(struct conn *conn, uint8_t *bytes, size_t len)
{
	uint8_t *joined = NULL;
	size_t at = mqtt_skip(conn, len), taken;

	if (conn->part_len) {
		joined = peerd_alloc(conn->part, conn->part_len + len - at);
		memcpy(joined + conn->part_len, bytes + at, len - at);
		bytes = joined;
		len = conn->part_len + len - at;
		at = 0;
		conn->part = NULL;
		conn->part_len = 0;
	}
	while (at < len && !conn->dead && (taken = mqtt_take(conn, bytes + at, len - at)))
		at += taken;
	if (at < len && !conn->dead) {
		conn->part_len = len - at;
		conn->part = peerd_alloc(NULL, conn->part_len);
		memcpy(conn->part, bytes + at, conn->part_len);
	}
	free(joined);
}
