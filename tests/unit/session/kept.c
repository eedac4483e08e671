/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c: messages that are kept: what they hold, how they are shared, what the pool gives again. */
#include "session/kept.h"

#include "support/fault_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is(struct skiff_bytes bytes, const char *text)
{
	return bytes.len == strlen(text) && !memcmp(bytes.data, text, bytes.len);
}

static void holds_what_it_was_given(void **state)
{
	struct skiffi_kept_pool pool = {0};
	struct skiff_properties properties = {.has = SKIFF_HAS_MESSAGE_EXPIRY, .message_expiry_s = 5};
	char topic[] = "a/b", payload[] = "hello";
	struct skiff_message message = {.topic = skiff_text(topic),
		.payload = {payload, 5},
		.qos = 2,
		.retain = true,
		.properties = &properties};
	(void)state;
	struct skiffi_kept *kept = skiffi_kept_new(&pool, &message);
	memset(topic, '!', 3);
	memset(payload, '!', 5);
	assert_true(is(skiffi_kept_topic(kept), "a/b"));
	assert_true(is(skiffi_kept_payload(kept), "hello"));
	assert_int_equal(skiffi_kept_properties(kept).len, 5);
	assert_memory_equal(skiffi_kept_properties(kept).data, "\x02\0\0\0\x05", 5);
	assert_true(kept->qos == 2 && kept->retain && kept->refs == 1 && !kept->op);
	assert_int_equal(skiffi_kept_weight(kept), sizeof *kept + SKIFFI_KEPT_SMALL_BYTES);
	skiffi_kept_unref(&pool, kept);
	skiffi_kept_unref(&pool, NULL);
	skiffi_kept_pool_release(&pool);
}

static void lives_until_its_last_reference(void **state)
{
	struct skiffi_kept_pool pool = {0};
	(void)state;
	struct skiffi_kept *kept = skiffi_kept_new(&pool, &(struct skiff_message){.topic = skiff_text("t")});
	assert_ptr_equal(skiffi_kept_ref(kept), kept);
	skiffi_kept_unref(&pool, kept);
	assert_int_equal(pool.count, 0);
	assert_true(is(skiffi_kept_topic(kept), "t"));
	skiffi_kept_unref(&pool, kept);
	assert_int_equal(pool.count, 1);
	skiffi_kept_pool_release(&pool);
}

static void a_steady_flow_allocates_nothing(void **state)
{
	struct skiffi_kept_pool pool = {0};
	char payload[SKIFFI_KEPT_SMALL_BYTES - 1] = {0};
	struct skiff_message message = {.topic = skiff_text("t"), .payload = {payload, sizeof payload}};
	(void)state;
	skiffi_kept_unref(&pool, skiffi_kept_new(&pool, &message));
	fault_alloc_arm(0);
	for (int i = 0; i < 100; i++)
		skiffi_kept_unref(&pool, skiffi_kept_new(&pool, &message));
	assert_int_equal(fault_alloc_count(), 0);
	skiffi_kept_pool_release(&pool);
}

static void large_ones_do_not_stay(void **state)
{
	struct skiffi_kept_pool pool = {0};
	static char payload[SKIFFI_KEPT_SMALL_BYTES];
	struct skiff_message message = {.topic = skiff_text("t"), .payload = {payload, sizeof payload}};
	(void)state;
	struct skiffi_kept *kept = skiffi_kept_new(&pool, &message);
	assert_int_equal(skiffi_kept_weight(kept), sizeof *kept + sizeof payload + 1);
	skiffi_kept_unref(&pool, kept);
	assert_int_equal(pool.count, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

static void the_pool_is_bounded(void **state)
{
	static struct skiffi_kept *kept[SKIFFI_KEPT_POOL_MAX + 10];
	struct skiffi_kept_pool pool = {0};
	(void)state;
	for (size_t i = 0; i < SKIFFI_KEPT_POOL_MAX + 10; i++)
		kept[i] = skiffi_kept_new(&pool, &(struct skiff_message){.topic = skiff_text("t")});
	for (size_t i = 0; i < SKIFFI_KEPT_POOL_MAX + 10; i++)
		skiffi_kept_unref(&pool, kept[i]);
	assert_int_equal(pool.count, SKIFFI_KEPT_POOL_MAX);
	assert_int_equal(fault_alloc_live(), SKIFFI_KEPT_POOL_MAX);
	skiffi_kept_pool_release(&pool);
	assert_int_equal(fault_alloc_live(), 0);
}

static void says_when_memory_is_out(void **state)
{
	struct skiffi_kept_pool pool = {0};
	(void)state;
	fault_alloc_arm(1);
	assert_null(skiffi_kept_new(&pool, &(struct skiff_message){.topic = skiff_text("t")}));
	fault_alloc_arm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_it_was_given),
		cmocka_unit_test(lives_until_its_last_reference),
		cmocka_unit_test(a_steady_flow_allocates_nothing),
		cmocka_unit_test(large_ones_do_not_stay),
		cmocka_unit_test(the_pool_is_bounded),
		cmocka_unit_test(says_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
