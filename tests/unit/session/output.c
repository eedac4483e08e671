/* SPDX-License-Identifier: Apache-2.0 */
/* output.c: bytes and payloads by reference, in order, however they are taken. */
#include "session/output.h"

#include "support/fault_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct skiffi_kept *payload_of(struct skiffi_kept_pool *pool, const char *text)
{
	return skiffi_kept_new(
		pool, &(struct skiff_message){.topic = skiff_text("topic"), .payload = {text, strlen(text)}});
}

static void add(struct skiffi_output *output, const char *text, struct skiffi_kept *kept)
{
	uint8_t *at = skiffi_output_add(output, strlen(text), kept);
	assert_non_null(at);
	memcpy(at, text, strlen(text));
}

/* Takes all of it, `step` bytes at a time out of at most `max` pieces. */
static void drain(struct skiffi_output *output, size_t step, size_t max, char *text)
{
	struct iovec pieces[8];
	size_t len = 0;
	while (output->len) {
		size_t count = skiffi_output_pieces(output, pieces, max), left = step;
		assert_in_range(count, 1, max);
		for (size_t i = 0; i < count && left; i++) {
			size_t part = pieces[i].iov_len < left ? pieces[i].iov_len : left;
			assert_true(pieces[i].iov_len > 0);
			memcpy(text + len, pieces[i].iov_base, part);
			len += part;
			left -= part;
		}
		skiffi_output_take(output, step - left);
	}
	text[len] = '\0';
}

static void keeps_the_order_in_every_step(void **state)
{
	const char *want = "one,[first],two,three,[second][third]four";
	struct skiffi_kept_pool pool = {0};
	char text[100];
	(void)state;
	for (size_t step = 1; step <= strlen(want); step++) {
		for (size_t max = 2; max <= 8; max++) {
			struct skiffi_output output = {0};
			struct skiffi_kept *first = payload_of(&pool, "[first]"),
					   *second = payload_of(&pool, "[second]"),
					   *third = payload_of(&pool, "[third]");
			add(&output, "one,", first);
			add(&output, ",two", NULL);
			add(&output, ",three,", second);
			add(&output, "", third);
			add(&output, "four", NULL);
			assert_int_equal(output.len, strlen(want));
			drain(&output, step, max, text);
			assert_string_equal(text, want);
			skiffi_output_release(&output, &pool);
			assert_int_equal(first->refs, 1);
			skiffi_kept_unref(&pool, first);
			skiffi_kept_unref(&pool, second);
			skiffi_kept_unref(&pool, third);
		}
	}
	skiffi_kept_pool_release(&pool);
	assert_int_equal(fault_alloc_live(), 0);
}

static void holds_its_payloads_until_cleared(void **state)
{
	struct skiffi_kept_pool pool = {0};
	struct skiffi_output output = {0};
	struct skiffi_kept *kept = payload_of(&pool, "x");
	(void)state;
	for (int i = 0; i < 20; i++) /* more than the first room for references */
		add(&output, "h", kept);
	assert_int_equal(kept->refs, 21);
	assert_int_equal(output.len, 40);
	skiffi_output_take(&output, 40);
	assert_int_equal(kept->refs, 21);
	skiffi_output_clear(&output, &pool);
	assert_int_equal(kept->refs, 1);
	assert_int_equal(output.len, 0);
	add(&output, "again", NULL);
	assert_int_equal(output.len, 5);
	skiffi_output_release(&output, &pool);
	skiffi_kept_unref(&pool, kept);
	skiffi_kept_pool_release(&pool);
}

static void an_empty_payload_is_no_piece(void **state)
{
	struct skiffi_kept_pool pool = {0};
	struct skiffi_output output = {0};
	struct skiffi_kept *kept = payload_of(&pool, "");
	char text[10];
	(void)state;
	add(&output, "a", kept);
	add(&output, "b", NULL);
	drain(&output, 5, 4, text);
	assert_string_equal(text, "ab");
	skiffi_output_release(&output, &pool);
	skiffi_kept_unref(&pool, kept);
	skiffi_kept_pool_release(&pool);
}

static void does_not_keep_much_memory(void **state)
{
	struct skiffi_output output = {0};
	(void)state;
	assert_non_null(skiffi_output_add(&output, SKIFFI_OUTPUT_KEEP_BYTES + 1, NULL));
	skiffi_output_clear(&output, &(struct skiffi_kept_pool){0});
	assert_int_equal(output.bytes.capacity, 0);
	assert_non_null(skiffi_output_add(&output, 1000, NULL));
	skiffi_output_clear(&output, &(struct skiffi_kept_pool){0});
	assert_true(output.bytes.capacity >= 1000);
	skiffi_output_release(&output, &(struct skiffi_kept_pool){0});
}

static void changes_nothing_when_memory_is_out(void **state)
{
	struct skiffi_kept_pool pool = {0};
	(void)state;
	for (size_t nth = 1; nth <= 2; nth++) {
		struct skiffi_output output = {0};
		struct skiffi_kept *kept = payload_of(&pool, "x");
		fault_alloc_arm(nth);
		assert_null(skiffi_output_add(&output, 10, kept));
		fault_alloc_arm(0);
		assert_int_equal(kept->refs, 1);
		assert_int_equal(output.len, 0);
		skiffi_output_release(&output, &pool);
		skiffi_kept_unref(&pool, kept);
	}
	skiffi_kept_pool_release(&pool);
	assert_int_equal(fault_alloc_live(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order_in_every_step),
		cmocka_unit_test(holds_its_payloads_until_cleared),
		cmocka_unit_test(an_empty_payload_is_no_piece),
		cmocka_unit_test(does_not_keep_much_memory),
		cmocka_unit_test(changes_nothing_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
