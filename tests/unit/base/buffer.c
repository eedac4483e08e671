/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c: what is written comes out, whatever is read between, and memory stays in bounds. */
#include "base/buffer.h"

#include "support/fault_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void first_in_first_out(void **state)
{
	struct skiffi_buffer buffer = {0};
	uint8_t in = 0, out = 0, data[300];
	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)(rand() % 300);
		for (size_t k = 0; k < len; k++)
			data[k] = in++;
		assert_true(skiffi_buffer_append(&buffer, data, len));
		size_t take = (size_t)rand() % (skiffi_buffer_len(&buffer) + 1);
		if (take > 290)
			take = 290;
		for (size_t k = 0; k < take; k++)
			assert_int_equal(skiffi_buffer_head(&buffer)[k], out++);
		skiffi_buffer_consume(&buffer, take);
		while (skiffi_buffer_len(&buffer) > 2000) { /* or it grows by chance */
			assert_int_equal(*skiffi_buffer_head(&buffer), out++);
			skiffi_buffer_consume(&buffer, 1);
		}
	}
	assert_true(buffer.capacity <= 16384); /* it slides, and does not grow for ever */
	skiffi_buffer_release(&buffer);
	assert_int_equal(fault_alloc_live(), 0);
}

static void reserve_counts_after_commit_only(void **state)
{
	struct skiffi_buffer buffer = {0};
	(void)state;
	uint8_t *at = skiffi_buffer_reserve(&buffer, 10);
	memcpy(at, "0123456789", 10);
	assert_int_equal(skiffi_buffer_len(&buffer), 0);
	skiffi_buffer_commit(&buffer, 4);
	assert_int_equal(skiffi_buffer_len(&buffer), 4);
	assert_memory_equal(skiffi_buffer_head(&buffer), "0123", 4);
	skiffi_buffer_consume(&buffer, 4);
	assert_int_equal(buffer.head, 0);
	skiffi_buffer_release(&buffer);
}

static void nothing_appended_to_nothing(void **state)
{
	struct skiffi_buffer buffer = {0};
	(void)state;
	assert_true(skiffi_buffer_append(&buffer, NULL, 0));
	assert_int_equal(skiffi_buffer_len(&buffer), 0);
	skiffi_buffer_release(&buffer);
	skiffi_buffer_release(&buffer);
}

static void clear_keeps_little(void **state)
{
	struct skiffi_buffer buffer = {0};
	(void)state;
	assert_non_null(skiffi_buffer_reserve(&buffer, 1000));
	skiffi_buffer_commit(&buffer, 1000);
	size_t capacity = buffer.capacity;
	skiffi_buffer_clear(&buffer, capacity);
	assert_int_equal(buffer.capacity, capacity);
	assert_int_equal(skiffi_buffer_len(&buffer), 0);
	skiffi_buffer_clear(&buffer, capacity - 1);
	assert_int_equal(buffer.capacity, 0);
	assert_int_equal(fault_alloc_live(), 0);
}

static void is_as_it_was_when_memory_is_out(void **state)
{
	struct skiffi_buffer buffer = {0};
	static const uint8_t more[5000];
	(void)state;
	fault_alloc_arm(1);
	assert_false(skiffi_buffer_append(&buffer, "abc", 3));
	fault_alloc_arm(0);
	assert_true(skiffi_buffer_append(&buffer, "abc", 3));
	fault_alloc_arm(1);
	assert_false(skiffi_buffer_append(&buffer, more, sizeof more));
	fault_alloc_arm(0);
	assert_int_equal(skiffi_buffer_len(&buffer), 3);
	assert_memory_equal(skiffi_buffer_head(&buffer), "abc", 3);
	skiffi_buffer_release(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(reserve_counts_after_commit_only),
		cmocka_unit_test(nothing_appended_to_nothing),
		cmocka_unit_test(clear_keeps_little),
		cmocka_unit_test(is_as_it_was_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
