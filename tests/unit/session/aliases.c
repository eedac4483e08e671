/* SPDX-License-Identifier: Apache-2.0 */
/* aliases.c: topic aliases both ways, against a plain table of what the broker would hold. */
#include "session/aliases.h"

#include "support/fault_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is(struct skiff_bytes bytes, const char *text)
{
	return bytes.data && bytes.len == strlen(text) && !memcmp(bytes.data, text, bytes.len);
}

static void inward_learns_and_forgets(void **state)
{
	struct skiffi_aliases_in in = {0};
	(void)state;
	assert_null(skiffi_aliases_in_get(&in, 1).data);
	skiffi_aliases_in_reset(&in, 3);
	assert_null(skiffi_aliases_in_get(&in, 1).data);
	assert_true(skiffi_aliases_in_set(&in, 1, skiff_text("one")));
	assert_true(skiffi_aliases_in_set(&in, 3, skiff_text("three")));
	assert_true(is(skiffi_aliases_in_get(&in, 1), "one"));
	assert_true(is(skiffi_aliases_in_get(&in, 3), "three"));
	assert_null(skiffi_aliases_in_get(&in, 2).data);
	assert_null(skiffi_aliases_in_get(&in, 0).data);
	assert_null(skiffi_aliases_in_get(&in, 4).data);
	assert_true(skiffi_aliases_in_set(&in, 1, skiff_text("another")));
	assert_true(is(skiffi_aliases_in_get(&in, 1), "another"));
	skiffi_aliases_in_reset(&in, 65535);
	assert_null(skiffi_aliases_in_get(&in, 1).data);
	assert_true(skiffi_aliases_in_set(&in, 65535, skiff_text("last")));
	assert_true(is(skiffi_aliases_in_get(&in, 65535), "last"));
	skiffi_aliases_in_reset(&in, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

static void inward_keeps_the_old_topic_when_memory_is_out(void **state)
{
	struct skiffi_aliases_in in = {0};
	(void)state;
	skiffi_aliases_in_reset(&in, 2);
	for (size_t nth = 1; nth <= 3; nth++) {
		fault_alloc_arm(nth);
		assert_false(skiffi_aliases_in_set(&in, 1, skiff_text("x")));
		assert_null(skiffi_aliases_in_get(&in, 1).data);
	}
	fault_alloc_arm(0);
	assert_true(skiffi_aliases_in_set(&in, 1, skiff_text("old")));
	fault_alloc_arm(1);
	assert_false(skiffi_aliases_in_set(&in, 1, skiff_text("new")));
	fault_alloc_arm(0);
	assert_true(is(skiffi_aliases_in_get(&in, 1), "old"));
	skiffi_aliases_in_reset(&in, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

static void outward_none_where_none_is_allowed(void **state)
{
	struct skiffi_aliases_out out = {0};
	bool known;
	(void)state;
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic"), &known), 0);
	assert_false(known);
	assert_true(skiffi_aliases_out_reset(&out, 2));
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("t"), &known), 0); /* it would cost more */
	assert_true(skiffi_aliases_out_reset(&out, 0));
}

static void outward_is_known_once_told(void **state)
{
	struct skiffi_aliases_out out = {0};
	bool known;
	(void)state;
	assert_true(skiffi_aliases_out_reset(&out, 2));
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic/a"), &known), 1);
	assert_false(known);
	/* The packet did not come about: the broker knows nothing yet. */
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic/a"), &known), 1);
	assert_false(known);
	skiffi_aliases_out_told(&out, 1);
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic/a"), &known), 1);
	assert_true(known);
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic/b"), &known), 2);
	assert_false(known);
	assert_true(skiffi_aliases_out_reset(&out, 2));
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic/b"), &known), 1);
	assert_false(known);
	skiffi_aliases_out_reset(&out, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

/* Many topics over few aliases: what the broker holds is always what is meant. */
static void outward_against_a_broker(void **state)
{
	enum { TOPICS = 700, MAXIMUM = SKIFFI_ALIASES_OUT_MAX };
	static char broker[MAXIMUM + 1][32];
	struct skiffi_aliases_out out = {0};
	unsigned replaced = 0, spared = 0;
	bool known;
	(void)state;
	srand(1);
	assert_true(skiffi_aliases_out_reset(&out, 65535));
	assert_int_equal(out.maximum, MAXIMUM);
	for (int i = 0; i < 60000; i++) {
		char topic[32];
		snprintf(topic, sizeof topic, "topic/%d", rand() % (rand() % TOPICS + 1));
		uint16_t alias = skiffi_aliases_out_use(&out, skiff_text(topic), &known);
		assert_in_range(alias, 0, MAXIMUM);
		if (!alias) {
			assert_false(known);
			continue;
		}
		if (known) {
			assert_string_equal(broker[alias], topic);
			spared++;
			continue;
		}
		replaced += broker[alias][0] != '\0';
		snprintf(broker[alias], sizeof broker[alias], "%s", topic);
		skiffi_aliases_out_told(&out, alias);
	}
	assert_true(replaced > 100 && spared > 20000);
	skiffi_aliases_out_reset(&out, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

static void outward_does_without_when_memory_is_out(void **state)
{
	struct skiffi_aliases_out out = {0};
	bool known;
	(void)state;
	fault_alloc_arm(1);
	assert_false(skiffi_aliases_out_reset(&out, 2));
	fault_alloc_arm(0);
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic"), &known), 0);
	assert_true(skiffi_aliases_out_reset(&out, 2));
	fault_alloc_arm(1);
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic"), &known), 0);
	assert_false(known);
	fault_alloc_arm(0);
	assert_int_equal(skiffi_aliases_out_use(&out, skiff_text("topic"), &known), 1);
	skiffi_aliases_out_reset(&out, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inward_learns_and_forgets),
		cmocka_unit_test(inward_keeps_the_old_topic_when_memory_is_out),
		cmocka_unit_test(outward_none_where_none_is_allowed),
		cmocka_unit_test(outward_is_known_once_told),
		cmocka_unit_test(outward_against_a_broker),
		cmocka_unit_test(outward_does_without_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
