/* SPDX-License-Identifier: Apache-2.0 */
/* handles.c: a handle that was given back serves again, and only as long as few are kept. */
#include "loop/handles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 40, KEPT_AT_MOST = 16 };

static int loop_start(void **state)
{
	static struct skiffi_loop loop;
	memset(&loop, 0, sizeof loop);
	*state = &loop;
	return uv_loop_init(&loop.uv);
}

/* Ends as loops do: whatever is left open shows here. */
static int loop_stop(void **state)
{
	struct skiffi_loop *loop = *state;
	skiffi_handles_end(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return uv_loop_close(&loop->uv);
}

static void poll_counts(uv_poll_t *poll, int status, int events)
{
	assert_int_equal(status, 0);
	assert_int_equal(events, UV_READABLE);
	(*(int *)poll->data)++;
}

static void timer_counts(uv_timer_t *timer)
{
	(*(int *)timer->data)++;
}

static void pair_open(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static void pair_close(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* Watches the first of a pair, has it called once, and gives it back. */
static uv_poll_t *watch_once(struct skiffi_loop *loop, const int pair[2])
{
	int calls = 0;
	uv_poll_t *poll = skiffi_poll_take(loop, pair[0], &calls);
	assert_non_null(poll);
	assert_int_equal(uv_poll_start(poll, UV_READABLE, poll_counts), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	uv_run(&loop->uv, UV_RUN_ONCE);
	assert_int_equal(calls, 1);
	skiffi_poll_give(loop, poll);
	uv_run(&loop->uv, UV_RUN_NOWAIT);
	assert_int_equal(calls, 1);
	return poll;
}

static void poll_serves_the_next_of_its_number(void **state)
{
	struct skiffi_loop *loop = *state;
	int pair[2], next[2];
	pair_open(pair);
	uv_poll_t *poll = watch_once(loop, pair);
	int number = pair[0];
	pair_close(pair);
	pair_open(next);
	assert_int_equal(next[0], number);
	assert_ptr_equal(watch_once(loop, next), poll);
	pair_close(next);
}

static void other_number_has_its_own(void **state)
{
	struct skiffi_loop *loop = *state;
	int pair[2], other[2];
	pair_open(pair);
	pair_open(other);
	uv_poll_t *poll = watch_once(loop, pair);
	assert_ptr_not_equal(watch_once(loop, other), poll);
	assert_ptr_equal(watch_once(loop, pair), poll);
	pair_close(pair);
	pair_close(other);
}

static void bad_descriptor_is_told(void **state)
{
	assert_null(skiffi_poll_take(*state, -1, NULL));
}

static void timer_serves_anybody(void **state)
{
	struct skiffi_loop *loop = *state;
	int calls[2] = {0};
	uv_timer_t *timer = skiffi_timer_take(loop, &calls[0]);
	assert_non_null(timer);
	uv_timer_start(timer, timer_counts, 0, 0);
	skiffi_timer_give(loop, timer); /* before it could call */
	assert_ptr_equal(skiffi_timer_take(loop, &calls[1]), timer);
	uv_timer_start(timer, timer_counts, 0, 0);
	uv_run(&loop->uv, UV_RUN_ONCE);
	assert_int_equal(calls[0], 0);
	assert_int_equal(calls[1], 1);
	skiffi_timer_give(loop, timer);
	skiffi_timer_give(loop, NULL);
}

static void count_handle(uv_handle_t *handle, void *count)
{
	(void)handle;
	(*(int *)count)++;
}

static void few_are_kept(void **state)
{
	struct skiffi_loop *loop = *state;
	uv_timer_t *timers[MANY];
	int kept = 0;
	for (int i = 0; i < MANY; i++)
		assert_non_null(timers[i] = skiffi_timer_take(loop, NULL));
	for (int i = 0; i < MANY; i++)
		skiffi_timer_give(loop, timers[i]);
	uv_run(&loop->uv, UV_RUN_NOWAIT);
	uv_walk(&loop->uv, count_handle, &kept);
	assert_int_equal(kept, KEPT_AT_MOST);
}

int main(void)
{
#define HANDLES_TEST(name) cmocka_unit_test_setup_teardown(name, loop_start, loop_stop)
	const struct CMUnitTest tests[] = {
		HANDLES_TEST(poll_serves_the_next_of_its_number),
		HANDLES_TEST(other_number_has_its_own),
		HANDLES_TEST(bad_descriptor_is_told),
		HANDLES_TEST(timer_serves_anybody),
		HANDLES_TEST(few_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
