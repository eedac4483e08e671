/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c: percentiles, and intervals whose truth is known. */
#include "compare_sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROUNDS = 40 };

static void percentiles_are_values(void **state)
{
	struct compare_sample sample = {0};
	(void)state;
	assert_true(isnan(compare_sample_at(&sample, 0.5)));
	for (int i = 1000; i > 0; i--)
		assert_true(compare_sample_add(&sample, i));
	assert_true(compare_sample_at(&sample, 0.5) == 500);
	assert_true(compare_sample_at(&sample, 0.99) == 990);
	assert_true(compare_sample_at(&sample, 0) == 1);
	assert_true(compare_sample_max(&sample) == 1000);
	compare_sample_free(&sample);
}

/* Values that go up and down by a tenth, not in step with each other. */
static void rounds_fill(double *values, double mean, unsigned step)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		values[i] = mean * (0.9 + 0.2 * (double)(i * step % 7) / 6);
}

static void double_is_found(void **state)
{
	double base[ROUNDS], mine[ROUNDS];
	(void)state;
	rounds_fill(base, 100, 3);
	rounds_fill(mine, 200, 5);
	struct compare_interval interval = compare_ratio(mine, base, ROUNDS);
	assert_true(interval.low <= 2 && interval.high >= 2);
	assert_true(interval.low > 1.8 && interval.high < 2.2);
	assert_true(interval.value >= interval.low && interval.value <= interval.high);
}

static void equal_is_noise(void **state)
{
	double base[ROUNDS], mine[ROUNDS];
	(void)state;
	rounds_fill(base, 100, 3);
	rounds_fill(mine, 100, 5);
	struct compare_interval interval = compare_ratio(mine, base, ROUNDS);
	assert_true(interval.low <= 1 && interval.high >= 1);
}

static void more_is_found(void **state)
{
	double base[ROUNDS], mine[ROUNDS];
	(void)state;
	rounds_fill(base, 100, 3);
	rounds_fill(mine, 105, 3);
	struct compare_interval interval = compare_difference(mine, base, ROUNDS);
	assert_true(interval.low > 4 && interval.high < 6);
	assert_true(interval.low <= 5 && interval.high >= 5);
	rounds_fill(mine, 100, 5);
	interval = compare_difference(mine, base, ROUNDS);
	assert_true(interval.low <= 0 && interval.high >= 0);
}

static void few_rounds_tell_nothing(void **state)
{
	double base[] = {1, 1}, mine[] = {2, 2};
	(void)state;
	struct compare_interval interval = compare_ratio(mine, base, 2);
	assert_true(isinf(interval.low) && isinf(interval.high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_values),
		cmocka_unit_test(double_is_found),
		cmocka_unit_test(equal_is_noise),
		cmocka_unit_test(more_is_found),
		cmocka_unit_test(few_rounds_tell_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
