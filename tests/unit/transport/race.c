/* SPDX-License-Identifier: Apache-2.0 */
/* race.c: who begins when, who wins, and what is told when nobody does. The attempts are letters in a diary. */
#include "transport/race.h"

#include "base/clock.h"
#include "base/error.h"
#include "loop/handles.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct runner {
	struct skiffi_loop loop;
	struct skiffi_race race;
	char diary[128]; /* "b0" begun, "c0" cancelled, "L" lost */
	enum skiff_code
		at_once[SKIFFI_RESOLVE_MAX]; /* with what an attempt fails inside begin; SKIFF_OK: it does not */
	int64_t begun_us[SKIFFI_RESOLVE_MAX];
	struct skiff_error error;
};

static void runner_note(struct runner *runner, const char *what, size_t index)
{
	size_t len = strlen(runner->diary);
	snprintf(runner->diary + len, sizeof runner->diary - len, "%s%zu ", what, index);
}

static void runner_fail(struct runner *runner, size_t index, enum skiff_code code)
{
	struct skiff_error error;
	skiffi_fail(&error, code, 0, "attempt %zu", index);
	skiffi_race_failed(&runner->race, index, &error);
}

static bool runner_begin(void *user, size_t index)
{
	struct runner *runner = user;
	runner_note(runner, "b", index);
	runner->begun_us[index] = skiffi_now_us();
	if (runner->at_once[index] == SKIFF_OK)
		return true;
	runner_fail(runner, index, runner->at_once[index]);
	return false;
}

static void runner_cancel(void *user, size_t index)
{
	runner_note(user, "c", index);
}

static void runner_lost(void *user, const struct skiff_error *error)
{
	struct runner *runner = user;
	strcat(runner->diary, "L ");
	runner->error = *error;
}

static const struct skiffi_race_ops runner_ops = {.begin = runner_begin, .cancel = runner_cancel, .lost = runner_lost};

static void runner_start(struct runner *runner, size_t count)
{
	static struct skiffi_addresses addresses;
	addresses.count = count;
	assert_int_equal(uv_loop_init(&runner->loop.uv), 0);
	assert_true(skiffi_race_init(&runner->race, &runner->loop, &runner_ops, runner));
	skiffi_race_start(&runner->race, &addresses);
}

static void runner_end(struct runner *runner, const char *diary)
{
	assert_string_equal(runner->diary, diary);
	skiffi_race_end(&runner->race);
	skiffi_handles_end(&runner->loop);
	uv_run(&runner->loop.uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&runner->loop.uv), 0);
}

static void first_wins(void **state)
{
	struct runner runner = {0};
	(void)state;
	runner_start(&runner, 3);
	skiffi_race_won(&runner.race, 0);
	uv_run(&runner.loop.uv, UV_RUN_DEFAULT);
	runner_end(&runner, "b0 ");
}

static void next_begins_after_the_delay(void **state)
{
	struct runner runner = {0};
	(void)state;
	runner_start(&runner, 3);
	uv_run(&runner.loop.uv, UV_RUN_ONCE);
	assert_string_equal(runner.diary, "b0 b1 ");
	int64_t waited = runner.begun_us[1] - runner.begun_us[0];
	assert_true(waited >= (SKIFFI_RACE_DELAY_MS - 2) * 1000);
	skiffi_race_won(&runner.race, 1);
	runner_end(&runner, "b0 b1 c0 ");
}

static void next_begins_at_a_failure(void **state)
{
	struct runner runner = {0};
	(void)state;
	runner_start(&runner, 3);
	runner_fail(&runner, 0, SKIFF_TCP_REFUSED);
	assert_string_equal(runner.diary, "b0 b1 ");
	runner_fail(&runner, 1, SKIFF_TCP_REFUSED);
	skiffi_race_won(&runner.race, 2);
	runner_end(&runner, "b0 b1 b2 ");
}

static void failures_inside_begin(void **state)
{
	struct runner runner = {.at_once = {SKIFF_TCP_UNREACHABLE, SKIFF_TCP_UNREACHABLE, SKIFF_OK}};
	(void)state;
	runner_start(&runner, 3);
	skiffi_race_won(&runner.race, 2);
	runner_end(&runner, "b0 b1 b2 ");
	runner = (struct runner){.at_once = {SKIFF_TCP_UNREACHABLE, SKIFF_TCP_UNREACHABLE}};
	runner_start(&runner, 2);
	runner_end(&runner, "b0 b1 L ");
}

/* A late failure of an early attempt does not end what still runs. */
static void last_one_decides(void **state)
{
	struct runner runner = {0};
	(void)state;
	runner_start(&runner, 2);
	uv_run(&runner.loop.uv, UV_RUN_ONCE);
	runner_fail(&runner, 0, SKIFF_TCP_REFUSED);
	assert_string_equal(runner.diary, "b0 b1 ");
	runner_fail(&runner, 1, SKIFF_TCP_TIMEOUT);
	runner_end(&runner, "b0 b1 L ");
}

static enum skiff_code told_of(enum skiff_code first, enum skiff_code second)
{
	struct runner runner = {.at_once = {first, second}};
	runner_start(&runner, 2);
	runner_end(&runner, "b0 b1 L ");
	assert_non_null(strstr(runner.error.text, "none of 2 addresses works: attempt"));
	return runner.error.code;
}

static void most_telling_error(void **state)
{
	(void)state;
	assert_int_equal(told_of(SKIFF_TCP_UNREACHABLE, SKIFF_TCP_REFUSED), SKIFF_TCP_REFUSED);
	assert_int_equal(told_of(SKIFF_TCP_REFUSED, SKIFF_TCP_UNREACHABLE), SKIFF_TCP_REFUSED);
	assert_int_equal(told_of(SKIFF_TCP_TIMEOUT, SKIFF_TCP_UNREACHABLE), SKIFF_TCP_TIMEOUT);
	assert_int_equal(told_of(SKIFF_TCP_REFUSED, SKIFF_TCP_TIMEOUT), SKIFF_TCP_REFUSED);
	assert_int_equal(told_of(SKIFF_TCP_REFUSED, SKIFF_TLS_EXPIRED), SKIFF_TLS_EXPIRED);
}

static void stopped(void **state)
{
	struct runner runner = {0};
	(void)state;
	runner_start(&runner, 3);
	uv_run(&runner.loop.uv, UV_RUN_ONCE);
	skiffi_race_stop(&runner.race);
	uv_run(&runner.loop.uv, UV_RUN_DEFAULT);
	runner_end(&runner, "b0 b1 c0 c1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_wins),
		cmocka_unit_test(next_begins_after_the_delay),
		cmocka_unit_test(next_begins_at_a_failure),
		cmocka_unit_test(failures_inside_begin),
		cmocka_unit_test(last_one_decides),
		cmocka_unit_test(most_telling_error),
		cmocka_unit_test(stopped),
	};
	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
