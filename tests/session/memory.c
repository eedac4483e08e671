/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: random lives again, in each of which the k-th allocation fails, for every k there is. No crash, no leak,
 * and every request still ends once. */
#include "session/world.h"
#include "support/fault_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { LIVES = 60, STEPS = 300 };

static void memory_runs_out(void **state)
{
	struct world_report report = {0};
	size_t failures = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= LIVES; seed++) {
		bool failed = true;
		for (size_t nth = 1; failed; nth++, failures++) {
			struct world_plan plan = {.seed = seed, .steps = STEPS, .memory_fails = true};
			fault_alloc_arm(nth);
			world_run(&plan, &report);
			failed = fault_alloc_count() >= nth;
			assert_int_equal(fault_alloc_live(), 0);
		}
	}
	printf("%zu allocations failed in turn\n", failures);
	assert_true(failures > 20 * LIVES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(memory_runs_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
