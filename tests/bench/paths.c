/* SPDX-License-Identifier: Apache-2.0 */
/* paths.c: the ways of a message through codec and session, by themselves: for counting instructions, which are the same
 * each time (instructions.sh).
 *
 *   bench_paths PATH N
 * goes it N times to warm up, and N times within path_run. */
#include "codec/framer.h"
#include "codec/packet.h"
#include "session/session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100, EVENTS = 128, PAYLOAD_BYTES = 64, BATCH_BYTES = BATCH * 128 };

static struct skiffi_session_config config = {.connect = {.client_id = {"bench", 5}, .clean_start = true},
	.outbound_aliases = 0,
	.output_high_bytes = 1 << 20,
	.ping_timeout_us = 10000000};
static struct skiffi_session *session;
static struct skiffi_output writing;
static struct skiffi_event events[EVENTS];
static char payload[PAYLOAD_BYTES];
static struct skiff_message message = {.topic = {"bench/t", 7}, .payload = {payload, PAYLOAD_BYTES}};
static uint8_t incoming[2][BATCH_BYTES]; /* by QoS: a batch of PUBLISH */
static size_t incoming_len[2];

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_paths: %s\n", what);
	exit(1);
}

/* As the pump does: all there is, at once. */
static void write_out(void)
{
	skiffi_session_give_back(session, &writing);
	if (!skiffi_session_take_output(session, &writing))
		return;
	size_t len = writing.len;
	skiffi_output_take(&writing, len);
	skiffi_session_sent(session, len, 2);
}

static void read_in(const uint8_t *data, size_t len)
{
	skiffi_session_input(session, data, len);
	while (skiffi_session_pull(session, 2, events, EVENTS))
		;
}

static void set_up(void)
{
	static const uint8_t connack[] = {0x20, 2, 0, 0};
	session = skiffi_session_new(&config, SKIFFI_V311);
	need(session && skiffi_session_start(session, 1) == SKIFF_OK, "no session");
	write_out();
	read_in(connack, sizeof connack);
	for (uint8_t qos = 0; qos < 2; qos++) {
		for (uint16_t id = 1; id <= BATCH; id++) {
			struct skiffi_publish publish = {.qos = qos,
				.packet_id = qos ? id : 0,
				.topic = message.topic,
				.payload = message.payload};
			uint8_t *at = incoming[qos] + incoming_len[qos];
			at = skiffi_publish_head(at, SKIFFI_V311, &publish);
			memcpy(at, payload, sizeof payload);
			incoming_len[qos] = (size_t)(at + sizeof payload - incoming[qos]);
		}
	}
}

static void publish_batch(uint8_t qos)
{
	message.qos = qos;
	for (int i = 0; i < BATCH; i++)
		need(skiffi_session_publish(session, &message, NULL, NULL, NULL) == SKIFF_OK, "no room");
	write_out();
}

static void publish_qos0(void)
{
	publish_batch(0);
}

/* With the acknowledgements of what it sent, which carry the ids that stand in its bytes. */
static void publish_qos1(void)
{
	static uint8_t acks[BATCH * 4];
	struct skiffi_frame frame;
	size_t used = 0, at = 0;
	message.qos = 1;
	for (int i = 0; i < BATCH; i++)
		need(skiffi_session_publish(session, &message, NULL, NULL, NULL) == SKIFF_OK, "no room");
	skiffi_session_give_back(session, &writing);
	skiffi_session_take_output(session, &writing);
	for (; at < writing.bytes.tail; at += frame.total_len) {
		need(skiffi_frame_next(writing.bytes.data + at, writing.bytes.tail - at, SIZE_MAX, &frame) ==
				SKIFFI_FRAME_OK,
			"no frame");
		const uint8_t *id = frame.body + 2 + message.topic.len;
		memcpy(acks + used, (uint8_t[]){0x40, 2, id[0], id[1]}, 4);
		used += 4;
	}
	size_t len = writing.len;
	skiffi_output_take(&writing, len);
	skiffi_session_sent(session, len, 2);
	read_in(acks, used);
}

static void receive_qos0(void)
{
	read_in(incoming[0], incoming_len[0]);
}

static void receive_qos1(void)
{
	read_in(incoming[1], incoming_len[1]);
	write_out();
}

static void encode(void)
{
	static uint8_t out[256];
	struct skiffi_publish publish = {
		.qos = 1, .packet_id = 1, .topic = message.topic, .payload = message.payload};
	for (int i = 0; i < BATCH; i++)
		need(skiffi_publish_head_len(SKIFFI_V5, &publish) > 0 &&
				skiffi_publish_head(out, SKIFFI_V5, &publish) > out,
			"not encoded");
}

static void decode(void)
{
	struct skiffi_publish publish;
	struct skiff_properties properties;
	struct skiffi_refusal why;
	struct skiffi_frame frame;
	size_t at = 0;
	for (int i = 0; i < BATCH; i++, at += frame.total_len)
		need(skiffi_frame_next(incoming[1] + at, incoming_len[1] - at, SIZE_MAX, &frame) == SKIFFI_FRAME_OK &&
				skiffi_publish_decode(
					&frame, SKIFFI_V311, SKIFFI_FROM_SERVER, &publish, &properties, &why),
			"not decoded");
}

static const struct path {
	const char *name;
	void (*batch)(void); /* goes it BATCH times */
} paths[] = {
	{"publish-qos0", publish_qos0},
	{"publish-qos1", publish_qos1},
	{"receive-qos0", receive_qos0},
	{"receive-qos1", receive_qos1},
	{"encode-publish", encode},
	{"decode-publish", decode},
};

__attribute__((noinline)) void path_run(void (*batch)(void), long batches);
void path_run(void (*batch)(void), long batches)
{
	for (long i = 0; i < batches; i++)
		batch();
}

int main(int argc, char **argv)
{
	long batches = argc == 3 ? atol(argv[2]) / BATCH : 0;
	need(batches > 0, "usage: bench_paths PATH N");
	set_up();
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (strcmp(paths[i].name, argv[1]))
			continue;
		for (long k = 0; k < batches; k++)
			paths[i].batch();
		path_run(paths[i].batch, batches);
		return 0;
	}
	need(false, "there is no such path");
}
