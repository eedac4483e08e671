/* SPDX-License-Identifier: Apache-2.0 */
/* peerd_source.c: sends the messages of a "src/QOS/N/SIZE/WINDOW" subscription. They are encoded once, as many as
 * packet ids or a quarter of a megabyte need, and sent round and round. */
#include "peerd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_BYTES = 262144, ROUND_IDS = 4096 };

struct source {
	uint8_t *bytes; /* `round` packets of `each` bytes, framed for ws */
	size_t each, round;
	int qos;
	long n, acked, window;
	uint64_t sent; /* bytes */
};

/* One PUBLISH with packet id `id`, framed for ws; returns its end. */
static uint8_t *source_encode(struct conn *conn, int qos, uint16_t id, const char *topic, size_t size, uint8_t *at)
{
	size_t topic_len = strlen(topic);
	size_t length = 2 + topic_len + (qos ? 2 : 0) + (conn->v5 ? 1 : 0) + size;
	uint8_t header[5] = {(uint8_t)(0x30 | qos << 1)};
	size_t header_len = 1, rest = length;

	do {
		header[header_len++] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
		rest >>= 7;
	} while (rest);
	if (conn->ws)
		at += ws_header(at, header_len + length);
	memcpy(at, header, header_len);
	at += header_len;
	*at++ = (uint8_t)(topic_len >> 8);
	*at++ = (uint8_t)topic_len;
	memcpy(at, topic, topic_len);
	at += topic_len;
	if (qos) {
		*at++ = (uint8_t)(id >> 8);
		*at++ = (uint8_t)id;
	}
	if (conn->v5)
		*at++ = 0;
	memset(at, 'x', size);
	return at + size;
}

void source_start(struct conn *conn, const uint8_t *filter, size_t len)
{
	char topic[128];
	int qos;
	long n, window = 1000;
	size_t size, most;
	struct source *source;
	uint8_t *at;

	if (conn->source || len >= sizeof topic)
		return;
	memcpy(topic, filter, len);
	topic[len] = '\0';
	if (sscanf(topic, "src/%d/%ld/%zu/%ld", &qos, &n, &size, &window) < 3)
		return;
	source = peerd_alloc(NULL, sizeof *source);
	*source = (struct source){.qos = qos, .n = n, .window = window};
	most = size + len + 32; /* with every header */
	source->round = qos ? ROUND_IDS : ROUND_BYTES / most + 1;
	if (source->window > (long)source->round)
		source->window = (long)source->round;
	at = source->bytes = peerd_alloc(NULL, most * source->round);
	for (size_t i = 0; i < source->round; i++)
		at = source_encode(conn, qos, (uint16_t)(i + 1), topic, size, at);
	source->each = (size_t)(at - source->bytes) / source->round;
	conn->source = source;
}

/* How many bytes may be sent now, from *at on, without a break. */
static size_t source_due(const struct source *source, const uint8_t **at)
{
	long allowed =
		source->qos && source->acked + source->window < source->n ? source->acked + source->window : source->n;
	uint64_t left = (uint64_t)allowed * source->each - source->sent;
	size_t offset = (size_t)(source->sent % (source->each * source->round));
	size_t len = source->each * source->round - offset;

	if (len > left)
		len = (size_t)left;
	*at = source->bytes + offset;
	return len < ROUND_BYTES ? len : ROUND_BYTES;
}

int source_flush(struct conn *conn)
{
	const uint8_t *at;
	size_t due;

	while ((due = source_due(conn->source, &at))) {
		long sent = conn_send(conn, at, due);

		if (sent < 0)
			return -1;
		conn->source->sent += (uint64_t)sent;
		if ((size_t)sent < due) {
			conn_want_write(conn, true);
			return 0;
		}
	}
	conn_want_write(conn, false);
	return 0;
}

void source_ack(struct source *source)
{
	if (source)
		source->acked++;
}

void source_free(struct source *source)
{
	if (source)
		free(source->bytes);
	free(source);
}
