/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.c: packet identifiers: free ones, live ones, all of them, and the two orders. */
#include "session/inflight.h"

#include "support/fault_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int op_one, op_two;

static void gives_and_takes_back(void **state)
{
	struct skiffi_inflight inflight = {0};
	(void)state;
	assert_null(skiffi_inflight_at(&inflight, 1));
	uint16_t one = skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, &op_one);
	uint16_t two = skiffi_inflight_new(&inflight, SKIFFI_AWAIT_SUBACK, NULL, &op_two);
	assert_true(one && two && one != two);
	assert_ptr_equal(skiffi_inflight_at(&inflight, one)->op, &op_one);
	assert_int_equal(skiffi_inflight_at(&inflight, two)->await, SKIFFI_AWAIT_SUBACK);
	assert_true(inflight.messages == 1 && inflight.others == 1);
	skiffi_inflight_end(&inflight, one);
	assert_null(skiffi_inflight_at(&inflight, one));
	assert_null(skiffi_inflight_at(&inflight, 0));
	assert_null(skiffi_inflight_at(&inflight, 65535));
	skiffi_inflight_end(&inflight, two);
	assert_true(!inflight.messages && !inflight.others);
	skiffi_inflight_release(&inflight);
}

static void an_id_rests_before_it_is_used_again(void **state)
{
	struct skiffi_inflight inflight = {0};
	(void)state;
	uint16_t last = skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL);
	for (int i = 0; i < 20; i++) {
		skiffi_inflight_end(&inflight, last);
		uint16_t next = skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL);
		assert_int_not_equal(next, last);
		last = next;
	}
	skiffi_inflight_release(&inflight);
}

static void all_65535_ids_and_no_more(void **state)
{
	static bool seen[65536];
	struct skiffi_inflight inflight = {0};
	(void)state;
	for (unsigned i = 0; i < 65535; i++) {
		uint16_t id = skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL);
		assert_true(id && !seen[id]);
		seen[id] = true;
	}
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 0);
	skiffi_inflight_end(&inflight, 4711);
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_UNSUBACK, NULL, NULL), 4711);
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 0);
	skiffi_inflight_release(&inflight);
}

static void orders_are(const struct skiffi_inflight *inflight, const uint16_t *publishes, const uint16_t *releases)
{
	uint16_t id = inflight->publishes.first, last = 0;
	for (; *publishes; last = id, id = inflight->slots[id].next)
		assert_int_equal(id, *publishes++);
	assert_int_equal(id, 0);
	assert_int_equal(inflight->publishes.last, last);
	id = inflight->releases.first;
	for (last = 0; *releases; last = id, id = inflight->slots[id].next)
		assert_int_equal(id, *releases++);
	assert_int_equal(id, 0);
	assert_int_equal(inflight->releases.last, last);
}

static void keeps_the_order_of_sending_and_of_release(void **state)
{
	struct skiffi_inflight inflight = {0};
	struct skiffi_kept kept;
	(void)state;
	for (uint16_t i = 1; i <= 5; i++)
		assert_int_equal(
			skiffi_inflight_new(&inflight, i % 2 ? SKIFFI_AWAIT_PUBREC : SKIFFI_AWAIT_PUBACK, &kept, NULL),
			i);
	skiffi_inflight_new(&inflight, SKIFFI_AWAIT_SUBACK, NULL, NULL);
	orders_are(&inflight, (uint16_t[]){1, 2, 3, 4, 5, 0}, (uint16_t[]){0});
	skiffi_inflight_released(&inflight, 5);
	skiffi_inflight_released(&inflight, 1);
	skiffi_inflight_released(&inflight, 3);
	orders_are(&inflight, (uint16_t[]){2, 4, 0}, (uint16_t[]){5, 1, 3, 0});
	assert_null(inflight.slots[3].kept);
	assert_int_equal(inflight.messages, 5);
	skiffi_inflight_end(&inflight, 1);
	skiffi_inflight_end(&inflight, 2);
	orders_are(&inflight, (uint16_t[]){4, 0}, (uint16_t[]){5, 3, 0});
	skiffi_inflight_end(&inflight, 4);
	skiffi_inflight_end(&inflight, 5);
	skiffi_inflight_end(&inflight, 3);
	orders_are(&inflight, (uint16_t[]){0}, (uint16_t[]){0});
	assert_true(!inflight.messages && inflight.others == 1);
	skiffi_inflight_release(&inflight);
}

static void says_when_memory_is_out(void **state)
{
	struct skiffi_inflight inflight = {0};
	(void)state;
	fault_alloc_arm(1);
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 0);
	fault_alloc_arm(0);
	for (int i = 0; i < 31; i++)
		assert_int_not_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 0);
	fault_alloc_arm(1);
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 0);
	fault_alloc_arm(0);
	assert_int_equal(inflight.messages, 31);
	assert_int_equal(skiffi_inflight_new(&inflight, SKIFFI_AWAIT_PUBACK, NULL, NULL), 32);
	skiffi_inflight_release(&inflight);
	assert_int_equal(fault_alloc_live(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_and_takes_back),
		cmocka_unit_test(an_id_rests_before_it_is_used_again),
		cmocka_unit_test(all_65535_ids_and_no_more),
		cmocka_unit_test(keeps_the_order_of_sending_and_of_release),
		cmocka_unit_test(says_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
