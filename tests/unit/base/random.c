/* SPDX-License-Identifier: Apache-2.0 */
/* random.c: numbers from the system: in range, spread, and not the same twice. The bounds are so wide that a sound
 * generator passes them in all but one of more than a million million runs. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fills_every_byte(void **state)
{
	uint8_t data[64] = {0}, seen[64] = {0}, other[64];
	(void)state;
	for (int i = 0; i < 20; i++) {
		skiffi_random(data, sizeof data);
		for (size_t k = 0; k < sizeof data; k++)
			seen[k] |= data[k];
	}
	for (size_t k = 0; k < sizeof data; k++)
		assert_int_not_equal(seen[k], 0);
	skiffi_random(other, sizeof other);
	assert_memory_not_equal(data, other, sizeof data);
	skiffi_random(data, 0);
}

static void stays_within_its_limit(void **state)
{
	static const uint64_t limits[] = {0, 1, 2, 6, 255, 256, 65535, UINT32_MAX, UINT64_MAX / 2 + 1, UINT64_MAX - 1};
	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		for (int k = 0; k < 200; k++)
			assert_true(skiffi_random_upto(limits[i]) <= limits[i]);
}

static void reaches_every_number_evenly(void **state)
{
	unsigned count[7] = {0};
	(void)state;
	for (int i = 0; i < 7000; i++)
		count[skiffi_random_upto(6)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(count[i], 750, 1250);
}

static void the_widest_limit_uses_all_bits(void **state)
{
	uint64_t ones = 0, zeros = 0;
	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t value = skiffi_random_upto(UINT64_MAX);
		ones |= value;
		zeros |= ~value;
	}
	assert_true(ones == UINT64_MAX && zeros == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_every_byte),
		cmocka_unit_test(stays_within_its_limit),
		cmocka_unit_test(reaches_every_number_evenly),
		cmocka_unit_test(the_widest_limit_uses_all_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
