/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_packet.c: a stream of packets from a hostile peer.
 *
 * Input: one byte (bit 0: version 5, bit 1: from a server, the rest: size of a chunk), then the stream. It is framed
 * as a whole and chunk by chunk, which must give the same packets; each packet is decoded in memory of exactly its
 * length; what is accepted is encoded, decoded and encoded again, and both encodings must be the same bytes. */
#include "codec/properties.h"
#include "codec/wire.h"
#include "fuzz.h"
#include "support/packet_any.h"
#include <string.h>

enum { MAX_BYTES = 1 << 16 };

static void encode(struct skiffi_buffer *out, const struct packet_any *any)
{
	CHECK(packet_any_encode(out, any));
	CHECK(skiffi_buffer_len(out) > 0);
}

static bool bytes_same(struct skiff_bytes a, struct skiff_bytes b)
{
	return (a.data == NULL) == (b.data == NULL) && a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_properties(const struct skiff_properties *properties)
{
	struct skiff_user_property user;
	size_t count = 0;

	while (skiff_user_property_at(properties, count, &user))
		CHECK(skiffi_utf8_valid(user.name) && skiffi_utf8_valid(user.value) && ++count);
	CHECK(count == properties->user_count);
	CHECK((skiff_subscription_id_at(properties, 0) != 0) == ((properties->has & SKIFF_HAS_SUBSCRIPTION_ID) != 0));
	CHECK(skiffi_properties_len(properties) <= properties->raw.len);
}

static void check_publish(const struct skiffi_publish *a, const struct skiffi_publish *b)
{
	CHECK(a->qos == b->qos && a->retain == b->retain && a->dup == b->dup);
	CHECK(a->packet_id == b->packet_id && a->topic_alias == b->topic_alias);
	CHECK(bytes_same(a->topic, b->topic) && bytes_same(a->payload, b->payload));
	if (a->properties)
		check_properties(a->properties);
}

static void check_connect(const struct skiffi_connect *a, const struct skiffi_connect *b)
{
	CHECK(a->clean_start == b->clean_start && a->keep_alive_s == b->keep_alive_s && a->has_will == b->has_will);
	CHECK(bytes_same(a->client_id, b->client_id) && bytes_same(a->user_name, b->user_name));
	CHECK(bytes_same(a->password, b->password) && bytes_same(a->will.topic, b->will.topic));
	CHECK(bytes_same(a->will.payload, b->will.payload) && a->will.qos == b->will.qos);
}

/* Encode, decode, encode: nothing is lost, and one form is chosen. */
static void check_again(const struct packet_any *first, enum skiffi_sender sender)
{
	struct skiffi_buffer once = {0}, twice = {0};
	struct packet_any second;
	struct skiffi_refusal why;
	struct skiffi_frame frame;

	if (first->type == SKIFFI_AUTH)
		return;
	encode(&once, first);
	CHECK(skiffi_frame_next(skiffi_buffer_head(&once), skiffi_buffer_len(&once), SIZE_MAX, &frame) ==
		SKIFFI_FRAME_OK);
	CHECK(frame.total_len == skiffi_buffer_len(&once));
	CHECK(packet_any_decode(&frame, first->v, sender, &second, &why));
	if (first->type == SKIFFI_PUBLISH)
		check_publish(&first->as.publish, &second.as.publish);
	if (first->type == SKIFFI_CONNECT)
		check_connect(&first->as.connect, &second.as.connect);
	encode(&twice, &second);
	CHECK(skiffi_buffer_len(&once) == skiffi_buffer_len(&twice));
	CHECK(memcmp(skiffi_buffer_head(&once), skiffi_buffer_head(&twice), skiffi_buffer_len(&once)) == 0);
	skiffi_buffer_release(&once);
	skiffi_buffer_release(&twice);
}

static void check_packet(
	const struct skiffi_frame *framed, const uint8_t *at, enum skiffi_protocol v, enum skiffi_sender sender)
{
	uint8_t *copy = malloc(framed->total_len);
	struct skiffi_frame frame;
	struct skiffi_refusal why = {0};
	struct packet_any any;

	CHECK(copy);
	memcpy(copy, at, framed->total_len);
	CHECK(skiffi_frame_next(copy, framed->total_len, MAX_BYTES, &frame) == SKIFFI_FRAME_OK);
	CHECK(frame.type == framed->type && frame.flags == framed->flags && frame.body_len == framed->body_len);
	if (packet_any_decode(&frame, v, sender, &any, &why))
		check_again(&any, sender);
	else
		CHECK(why.reason >= 0x80 && why.rule != NULL);
	free(copy);
}

/* The same stream, of which only the first bytes have arrived so far: no verdict but "more" until it is the last. */
static void check_chunks(
	const uint8_t *data, size_t len, size_t chunk, enum skiffi_framing verdict, const struct skiffi_frame *whole)
{
	struct skiffi_frame frame;

	for (size_t seen = 0; seen < len; seen += chunk) {
		enum skiffi_framing now = skiffi_frame_next(data, seen, MAX_BYTES, &frame);
		if (now == SKIFFI_FRAME_MORE) {
			CHECK(verdict != SKIFFI_FRAME_OK || seen < whole->total_len);
			CHECK(frame.total_len == 0 || frame.total_len > seen);
			continue;
		}
		CHECK(now == verdict);
		if (now == SKIFFI_FRAME_OK)
			CHECK(seen >= whole->total_len);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum skiffi_protocol v;
	enum skiffi_sender sender;
	struct skiffi_frame frame;
	size_t chunk;

	if (len == 0)
		return 0;
	v = data[0] & 1 ? SKIFFI_V5 : SKIFFI_V311;
	sender = data[0] & 2 ? SKIFFI_FROM_SERVER : SKIFFI_FROM_CLIENT;
	chunk = (size_t)(data[0] >> 2) + 1;
	data++;
	len--;
	while (len > 0) {
		enum skiffi_framing verdict = skiffi_frame_next(data, len, MAX_BYTES, &frame);
		check_chunks(data, len, chunk, verdict, &frame);
		if (verdict != SKIFFI_FRAME_OK)
			return 0;
		check_packet(&frame, data, v, sender);
		data += frame.total_len;
		len -= frame.total_len;
	}
	return 0;
}
