/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_session.c: a session between a hostile broker and a restless client.
 *
 * Input: one byte of settings, then steps: a byte says what, and for input how many bytes follow. Checked after each:
 * what is put out is whole packets of a client that the decoders take, CONNECT first and DISCONNECT last; every request
 * ends at most once, and all of them by the end. */
#include "codec/packet.h"
#include "fuzz.h"
#include "session/session.h"
#include "support/packet_any.h"
#include <string.h>

enum { OPS_MAX = 256, OUT_MAX = 1 << 20 };

struct fuzz {
	struct skiff_properties properties;
	struct skiffi_session_config config;
	struct skiffi_session *session;
	int64_t now_us;
	bool connected, down_told, greeted, parted;
	uint8_t open[OPS_MAX]; /* a request without an outcome */
	size_t op_count;
	struct skiffi_kept *given_back;
	uint8_t *out; /* put out on this connection, not yet looked at */
	size_t out_len;
};

static void fuzz_ended(struct fuzz *fuzz, void *op)
{
	if (!op)
		return;
	uint8_t *open = op;
	CHECK(open >= fuzz->open && open < fuzz->open + OPS_MAX && *open);
	*open = 0;
}

static void fuzz_event(struct fuzz *fuzz, const struct skiffi_event *event)
{
	switch (event->kind) {
	case SKIFFI_EVENT_UP:
		CHECK(fuzz->connected);
		break;
	case SKIFFI_EVENT_MESSAGE:
		CHECK(event->message.topic.len && event->message.qos <= 2);
		CHECK(!event->message.qos == !event->message.packet_id);
		break;
	case SKIFFI_EVENT_DONE:
	case SKIFFI_EVENT_AGAIN:
	case SKIFFI_EVENT_LOST:
		fuzz_ended(fuzz, event->op);
		break;
	case SKIFFI_EVENT_REQUEUE:
		fuzz_ended(fuzz, event->kept->op);
		skiffi_session_unkeep(fuzz->session, fuzz->given_back);
		fuzz->given_back = event->kept;
		break;
	case SKIFFI_EVENT_DOWN:
		CHECK(!fuzz->down_told && event->code && skiffi_session_error(fuzz->session).text[0]);
		fuzz->down_told = true;
		break;
	}
}

static void fuzz_pull(struct fuzz *fuzz, size_t max)
{
	struct skiffi_event events[8];
	size_t count;
	while ((count = skiffi_session_pull(fuzz->session, fuzz->now_us, events, max)))
		for (size_t i = 0; i < count; i++)
			fuzz_event(fuzz, &events[i]);
	CHECK(!skiffi_session_tells(fuzz->session));
}

static void fuzz_packets(struct fuzz *fuzz)
{
	struct skiffi_frame frame;
	size_t at = 0;
	while (skiffi_frame_next(fuzz->out + at, fuzz->out_len - at, SIZE_MAX, &frame) == SKIFFI_FRAME_OK) {
		struct packet_any any;
		struct skiffi_refusal why;
		CHECK(packet_any_decode(&frame, skiffi_session_version(fuzz->session), SKIFFI_FROM_CLIENT, &any, &why));
		CHECK(fuzz->greeted == (frame.type != SKIFFI_CONNECT) && !fuzz->parted);
		fuzz->greeted = true;
		fuzz->parted = frame.type == SKIFFI_DISCONNECT;
		at += frame.total_len;
	}
	fuzz->out_len -= at;
	memmove(fuzz->out, fuzz->out + at, fuzz->out_len);
}

static void fuzz_output(struct fuzz *fuzz, size_t len)
{
	struct skiffi_output output = {0};
	struct iovec pieces[4];
	if (!skiffi_session_take_output(fuzz->session, &output))
		return;
	size_t left = output.len < len ? output.len : len;
	while (left) {
		size_t count = skiffi_output_pieces(&output, pieces, 4), part;
		CHECK(count && pieces[0].iov_len);
		part = pieces[0].iov_len < left ? pieces[0].iov_len : left;
		CHECK(fuzz->out_len + part <= OUT_MAX);
		memcpy(fuzz->out + fuzz->out_len, pieces[0].iov_base, part);
		fuzz->out_len += part;
		skiffi_output_take(&output, part);
		skiffi_session_sent(fuzz->session, part, fuzz->now_us);
		left -= part;
		fuzz_packets(fuzz);
	}
	bool cut = output.len;
	skiffi_session_give_back(fuzz->session, &output);
	skiffi_output_release(&output, &(struct skiffi_kept_pool){0});
	if (cut) { /* the rest can no longer be sent: the connection is gone */
		skiffi_session_down(fuzz->session);
		fuzz->connected = false;
	}
	fuzz_pull(fuzz, 8);
}

static void fuzz_down(struct fuzz *fuzz)
{
	skiffi_session_down(fuzz->session);
	fuzz->connected = false;
	fuzz_pull(fuzz, 8);
	CHECK(!skiffi_session_unanswered(fuzz->session) && !skiffi_session_unsent(fuzz->session));
}

static void fuzz_start(struct fuzz *fuzz)
{
	if (fuzz->connected)
		fuzz_down(fuzz);
	fuzz->out_len = 0;
	fuzz->greeted = fuzz->parted = fuzz->down_told = false;
	fuzz->connected = true;
	CHECK(skiffi_session_start(fuzz->session, fuzz->now_us) == SKIFF_OK);
	fuzz_output(fuzz, SIZE_MAX);
}

static void fuzz_input(struct fuzz *fuzz, const uint8_t *data, size_t len)
{
	if (!fuzz->connected || fuzz->down_told || !len)
		return;
	uint8_t *copy = malloc(len); /* a view kept too long shows */
	CHECK(copy);
	memcpy(copy, data, len);
	skiffi_session_input(fuzz->session, copy, len);
	fuzz_pull(fuzz, 1 + len % 8);
	free(copy);
}

static void fuzz_publish(struct fuzz *fuzz, unsigned what)
{
	static const char *const topics[] = {"t", "topic/one", "topic/two", "topic/three"};
	static uint8_t large[SKIFFI_OUTPUT_BY_REFERENCE_BYTES];
	struct skiff_message message = {.topic = skiff_text(topics[what & 3]),
		.qos = (uint8_t)((what >> 2) % 3),
		.payload = {large, what & 0x40 ? sizeof large : 5},
		.retain = what & 0x80};
	uint8_t *op = fuzz->op_count < OPS_MAX && what & 0x20 ? &fuzz->open[fuzz->op_count] : NULL;
	if (skiffi_session_publish(fuzz->session, &message, NULL, op, NULL) == SKIFF_OK && op) {
		*op = 1;
		fuzz->op_count++;
	}
}

static void fuzz_subscribe(struct fuzz *fuzz, unsigned what)
{
	struct skiffi_filter filters[2] = {{skiff_text("a/+"), 1}, {skiff_text("$share/g/b"), 0}};
	uint8_t *op = fuzz->op_count < OPS_MAX ? &fuzz->open[fuzz->op_count] : NULL;
	if (skiffi_session_subscribe(fuzz->session, what & 1 ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE, filters,
		    1 + (what >> 1 & 1), NULL, op, NULL) == SKIFF_OK &&
		op) {
		*op = 1;
		fuzz->op_count++;
	}
}

/* One step; how many bytes of `data` it used. */
static size_t fuzz_step(struct fuzz *fuzz, const uint8_t *data, size_t len)
{
	unsigned what = data[0] & 7, rest = data[0] >> 3;
	size_t take = rest < len - 1 ? rest : len - 1;
	switch (what) {
	case 0:
	case 1:
		fuzz_input(fuzz, data + 1, take);
		return 1 + take;
	case 2:
		fuzz_publish(fuzz, len > 1 ? data[1] : 0);
		return len > 1 ? 2 : 1;
	case 3:
		fuzz_subscribe(fuzz, rest);
		return 1;
	case 4:
		fuzz_output(fuzz, rest == 31 ? SIZE_MAX : rest * 3 + 1);
		return 1;
	case 5:
		fuzz_start(fuzz);
		return 1;
	case 6:
		fuzz->now_us += (int64_t)rest * 1000000;
		skiffi_session_tick(fuzz->session, fuzz->now_us);
		fuzz_pull(fuzz, 8);
		CHECK(skiffi_session_deadline(fuzz->session) > fuzz->now_us);
		return 1;
	default:
		if (rest & 1)
			fuzz_down(fuzz);
		else
			skiffi_session_disconnect(fuzz->session, (uint8_t)(rest & 2 ? 4 : 0), NULL);
		return 1;
	}
}

static void fuzz_end(struct fuzz *fuzz)
{
	fuzz_down(fuzz);
	skiffi_session_forget(fuzz->session);
	fuzz_pull(fuzz, 8);
	CHECK(!skiffi_session_inflight(fuzz->session));
	for (size_t i = 0; i < OPS_MAX; i++)
		CHECK(!fuzz->open[i]);
	skiffi_session_unkeep(fuzz->session, fuzz->given_back);
	skiffi_session_free(fuzz->session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t out[OUT_MAX];
	struct fuzz fuzz = {.out = out, .now_us = 1000000};
	uint8_t settings = len ? *data : 0;
	fuzz.properties = (struct skiff_properties){
		.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM | SKIFF_HAS_RECEIVE_MAXIMUM | SKIFF_HAS_MAXIMUM_PACKET_SIZE,
		.topic_alias_maximum = settings & 4 ? 3 : 0,
		.receive_maximum = settings & 8 ? 3 : 100,
		.maximum_packet_size = settings & 16 ? 64 : 1 << 20};
	fuzz.config = (struct skiffi_session_config){
		.connect = {.client_id = skiff_text("fuzz"), .keep_alive_s = 30, .properties = &fuzz.properties},
		.resume = settings & 2,
		.outbound_aliases = settings & 32 ? 2 : 0,
		.output_high_bytes = 100000,
		.ping_timeout_us = 5000000};
	fuzz.session = skiffi_session_new(&fuzz.config, settings & 1 ? SKIFFI_V5 : SKIFFI_V311);
	CHECK(fuzz.session);
	fuzz_start(&fuzz);
	for (size_t at = 1; at < len;)
		at += fuzz_step(&fuzz, data + at, len - at);
	fuzz_end(&fuzz);
	return 0;
}
