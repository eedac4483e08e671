/* SPDX-License-Identifier: Apache-2.0 */
/* cases.c: the harness behind the tables of packets. */
#include "cases.h"
#include "support/fault_alloc.h"
#include "support/packet_any.h"
#include <stdio.h>
#include <stdlib.h>

/* A whole packet in memory of exactly its length, so that the address sanitizer sees any read past it. */
static uint8_t *packet_build(uint8_t first, const char *body, size_t body_len, size_t *len)
{
	uint8_t head[5] = {first}, *packet;
	size_t head_len = 1, rest = body_len;

	do {
		head[head_len++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		rest >>= 7;
	} while (rest);
	*len = head_len + body_len;
	packet = malloc(*len);
	assert_non_null(packet);
	memcpy(packet, head, head_len);
	if (body_len)
		memcpy(packet + head_len, body, body_len);
	return packet;
}

struct skiffi_frame whole_frame(const void *packet, size_t len)
{
	struct skiffi_frame frame;

	assert_int_equal(skiffi_frame_next(packet, len, len, &frame), SKIFFI_FRAME_OK);
	assert_int_equal(frame.total_len, len);
	return frame;
}

void assert_written(struct skiffi_buffer *out, const void *bytes, size_t len)
{
	assert_int_equal(skiffi_buffer_len(out), len);
	assert_memory_equal(skiffi_buffer_head(out), bytes, len);
	skiffi_buffer_release(out);
}

void assert_bytes(struct skiff_bytes view, const char *text)
{
	assert_non_null(view.data);
	assert_int_equal(view.len, strlen(text));
	assert_memory_equal(view.data, text, view.len);
}

static void check_prefixes(const uint8_t *packet, size_t len)
{
	struct skiffi_frame frame;

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + !cut);
		assert_non_null(part);
		memcpy(part, packet, cut);
		assert_int_equal(skiffi_frame_next(part, cut, len, &frame), SKIFFI_FRAME_MORE);
		assert_true(frame.total_len == 0 || frame.total_len == len);
		free(part);
	}
}

static bool decode(const struct packet_case *row, size_t body_len, struct packet_any *any, struct skiffi_refusal *why,
	uint8_t **packet, size_t *len)
{
	struct skiffi_frame frame;

	*packet = packet_build(row->first, row->body, body_len, len);
	frame = whole_frame(*packet, *len);
	memset(why, 0, sizeof(*why));
	return packet_any_decode(&frame, row->v, row->sender, any, why);
}

static void check_cuts(const struct packet_case *row)
{
	struct packet_any any;
	struct skiffi_refusal why;
	uint8_t *packet;
	size_t len;
	int accepted = 0;

	for (size_t cut = 0; cut < row->body_len; cut++) {
		if (decode(row, cut, &any, &why, &packet, &len))
			accepted++;
		else
			assert_true(why.reason >= 0x80 && why.rule != NULL);
		free(packet);
	}
	assert_int_equal(accepted, row->shorter & ~LOOSE);
}

/* Without memory an encoder says so, and has written nothing. */
static void check_no_memory(const struct packet_any *any)
{
	struct skiffi_buffer out = {0};
	bool written;

	fault_alloc_end_after(0);
	written = packet_any_encode(&out, any);
	fault_alloc_end_after(-1);
	assert_false(written);
	assert_int_equal(skiffi_buffer_len(&out), 0);
	skiffi_buffer_release(&out);
}

static void check_accepted(const struct packet_case *row)
{
	struct packet_any any;
	struct skiffi_refusal why;
	struct skiffi_buffer out = {0};
	uint8_t *packet;
	size_t len;

	if (!decode(row, row->body_len, &any, &why, &packet, &len))
		fail_msg("refused with 0x%02x: %s", why.reason, why.rule);
	check_prefixes(packet, len);
	if (row->first >> 4 != SKIFFI_AUTH)
		assert_true(packet_any_encode(&out, &any));
	if (row->first >> 4 != SKIFFI_AUTH && !(row->shorter & LOOSE))
		assert_written(&out, packet, len);
	skiffi_buffer_release(&out);
	check_no_memory(&any);
	free(packet);
	check_cuts(row);
}

/* Whether `rule` holds each "[MQTT-x.y.z-n]" of `name`. */
static void check_citations(const char *name, const char *rule)
{
	for (const char *at = name; (at = strstr(at, "[MQTT-")) != NULL; at++) {
		char id[24];

		snprintf(id, sizeof(id), "%.*s]", (int)strcspn(at, "]") - 1, at + 1);
		if (!strstr(rule, id))
			fail_msg("the rule '%s' does not cite %s", rule, id);
	}
}

static void check_refused(const struct packet_case *row)
{
	struct packet_any any;
	struct skiffi_refusal why;
	uint8_t *packet;
	size_t len;
	bool accepted = decode(row, row->body_len, &any, &why, &packet, &len);

	free(packet);
	assert_false(accepted);
	assert_non_null(why.rule);
	if (why.reason != row->reason)
		fail_msg("reason 0x%02x, not 0x%02x: %s", why.reason, row->reason, why.rule);
	check_citations(row->name, why.rule);
}

static void case_test(void **state)
{
	const struct packet_case *row = *state;

	if (row->reason)
		check_refused(row);
	else
		check_accepted(row);
}

/* The fuzzer's first byte: version, sender, and a chunk size. */
static void corpus_write(const char *folder, const char *group, size_t index, const struct packet_case *row)
{
	char path[512];
	size_t len;
	uint8_t *packet = packet_build(row->first, row->body, row->body_len, &len);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%03zu", folder, group, index);
	file = fopen(path, "wb");
	assert_non_null(file);
	fputc((row->v == V5 ? 1 : 0) | (row->sender == SERVER ? 2 : 0) | (int)(index & 63) << 2, file);
	fwrite(packet, 1, len, file);
	assert_int_equal(fclose(file), 0);
	free(packet);
}

int cases_run(const char *group, const struct packet_case *rows, size_t count, const struct CMUnitTest *more,
	size_t more_count)
{
	struct CMUnitTest *tests = calloc(count + more_count, sizeof(*tests));
	const char *folder = getenv("SKIFF_CORPUS");
	int failed;

	if (tests == NULL)
		return 1;
	for (size_t i = 0; i < count; i++) {
		tests[i].name = rows[i].name;
		tests[i].test_func = case_test;
		tests[i].initial_state = (void *)&rows[i];
		if (folder)
			corpus_write(folder, group, i, &rows[i]);
	}
	if (more_count)
		memcpy(tests + count, more, more_count * sizeof(*tests));
	failed = _cmocka_run_group_tests(group, tests, count + more_count, NULL, NULL);
	free(tests);
	return failed;
}
