/* SPDX-License-Identifier: Apache-2.0 */
/* pace.c: when messages are due, on a clock that only the pauses of this test move on. */
#include "cli_pace.h"
#include "cli_stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double now_s;
static bool stopped;

/* In place of clock_gettime (the linker's --wrap) and of cli_stop.c. */
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	*now = (struct timespec){(time_t)now_s, (long)((now_s - (double)(time_t)now_s) * 1e9)};
	return 0;
}

bool cli_stop_pause(double ms)
{
	assert_true(ms > 0);
	if (!stopped)
		now_s += ms / 1000;
	return !stopped;
}

static struct cli_pace begun(double rate, double speed)
{
	struct cli_pace pace;
	now_s = 1000;
	stopped = false;
	cli_pace_begin(&pace, rate, speed);
	return pace;
}

static void is_now(double since_s)
{
	assert_float_equal((float)(now_s - 1000), (float)since_s, 0.001f);
}

static void recorded(struct cli_pace *pace, time_t second, double since_s)
{
	assert_true(cli_pace_wait_recorded(pace, &(struct timespec){second, 0}));
	is_now(since_s);
}

static void a_rate_does_not_drift(void **state)
{
	struct cli_pace pace = begun(3, 0);
	(void)state;
	for (int i = 0; i <= 300; i++) {
		assert_true(cli_pace_wait(&pace));
		is_now(i / 3.0);
		now_s += 0.1; /* the work */
	}
}

static void no_burst_after_a_stall(void **state)
{
	struct cli_pace pace = begun(2, 0);
	(void)state;
	assert_true(cli_pace_wait(&pace));
	now_s += 60;
	assert_true(cli_pace_wait(&pace));
	is_now(60);
	assert_true(cli_pace_wait(&pace));
	is_now(60.5);
	now_s += 0.9; /* short ones are made up for */
	assert_true(cli_pace_wait(&pace));
	is_now(61.4);
	assert_true(cli_pace_wait(&pace));
	is_now(61.5);
}

static void as_recorded(void **state)
{
	struct cli_pace pace = begun(0, 10);
	(void)state;
	recorded(&pace, 100, 0);
	recorded(&pace, 110, 1);
	assert_true(cli_pace_wait_recorded(&pace, NULL));
	is_now(1);
	recorded(&pace, 90, 1);
	recorded(&pace, 120, 4);
	pace = begun(0, 0.5);
	recorded(&pace, -1, 0);
	recorded(&pace, 1, 4);
}

static void without_pauses(void **state)
{
	struct cli_pace pace = begun(0, 0);
	(void)state;
	assert_true(cli_pace_wait(&pace));
	recorded(&pace, 1, 0);
	recorded(&pace, 100, 0);
}

static void a_stop_ends_the_wait(void **state)
{
	struct cli_pace pace = begun(1, 0);
	(void)state;
	assert_true(cli_pace_wait(&pace));
	stopped = true;
	assert_false(cli_pace_wait(&pace));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_does_not_drift),
		cmocka_unit_test(no_burst_after_a_stall),
		cmocka_unit_test(as_recorded),
		cmocka_unit_test(without_pauses),
		cmocka_unit_test(a_stop_ends_the_wait),
	};
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
