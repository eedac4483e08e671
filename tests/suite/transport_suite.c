/* SPDX-License-Identifier: Apache-2.0 */
/* transport_suite.c: the checks. The far end's scripts come first, then a function a check, then the table. */
#include "suite/transport_suite.h"

#include "suite/suite_near.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LONG_MS = 30000,
	SHORT_MS = 150,
	FAR_BUFFER_BYTES = 65536,
	PARALLEL = 100,
	PHASE_STEPS = 40,
	SOURCE_BYTES = 300000,
	LARGE_BYTES = 16 * 1024 * 1024,
};

/* ---- the far end ---- */

/* What a script was told and what it saw. */
struct far {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool released; /* a script that holds may go on */
	size_t seen;   /* bytes of the pattern that arrived */
	size_t written;
	bool wrong; /* bytes that are not the pattern */
	bool ended, reset;
};

static void far_init(struct far *far)
{
	memset(far, 0, sizeof *far);
	pthread_mutex_init(&far->lock, NULL);
	pthread_cond_init(&far->changed, NULL);
}

static void far_release(struct far *far)
{
	pthread_mutex_lock(&far->lock);
	far->released = true;
	pthread_cond_broadcast(&far->changed);
	pthread_mutex_unlock(&far->lock);
}

static void far_hold(struct far *far)
{
	pthread_mutex_lock(&far->lock);
	while (!far->released)
		pthread_cond_wait(&far->changed, &far->lock);
	pthread_mutex_unlock(&far->lock);
}

static size_t far_get(struct far *far, const size_t *value)
{
	pthread_mutex_lock(&far->lock);
	size_t copy = *value;
	pthread_mutex_unlock(&far->lock);
	return copy;
}

static bool far_is(struct far *far, const bool *value)
{
	pthread_mutex_lock(&far->lock);
	bool copy = *value;
	pthread_mutex_unlock(&far->lock);
	return copy;
}

/* Reads to the end, and keeps how it came. */
static void far_count(const struct suite_peer *peer, struct far *far)
{
	uint8_t buffer[FAR_BUFFER_BYTES];
	size_t got;
	while ((got = peer->read(peer->peer, buffer, sizeof buffer))) {
		pthread_mutex_lock(&far->lock);
		far->wrong = far->wrong || !suite_pattern_is(buffer, far->seen, got);
		far->seen += got;
		pthread_mutex_unlock(&far->lock);
	}
	pthread_mutex_lock(&far->lock);
	far->reset = peer->was_reset(peer->peer);
	far->ended = true;
	pthread_mutex_unlock(&far->lock);
}

static void far_echo(const struct suite_peer *peer, void *user)
{
	uint8_t buffer[FAR_BUFFER_BYTES];
	size_t got;
	(void)user;
	while ((got = peer->read(peer->peer, buffer, sizeof buffer)) && peer->write(peer->peer, buffer, got))
		;
}

static void far_sink(const struct suite_peer *peer, void *user)
{
	far_count(peer, user);
}

static void far_stall(const struct suite_peer *peer, void *user)
{
	far_hold(user);
	far_count(peer, user);
}

/* Writes SOURCE_BYTES; ends after a release. */
static void far_source(const struct suite_peer *peer, void *user)
{
	struct far *far = user;
	uint8_t buffer[1000];
	while (far_get(far, &far->written) < SOURCE_BYTES) {
		size_t rest = SOURCE_BYTES - far->written, len = rest < sizeof buffer ? rest : sizeof buffer;
		suite_pattern(buffer, far->written, len);
		if (!peer->write(peer->peer, buffer, len))
			return;
		pthread_mutex_lock(&far->lock);
		far->written += len;
		pthread_mutex_unlock(&far->lock);
	}
	far_hold(far);
}

/* Writes a little that nobody reads, then counts. */
static void far_talk_and_count(const struct suite_peer *peer, void *user)
{
	struct far *far = user;
	uint8_t buffer[1000];
	suite_pattern(buffer, 0, sizeof buffer);
	peer->write(peer->peer, buffer, sizeof buffer);
	pthread_mutex_lock(&far->lock);
	far->written = sizeof buffer;
	pthread_mutex_unlock(&far->lock);
	far_count(peer, far);
}

static void far_reset_after_one(const struct suite_peer *peer, void *user)
{
	uint8_t byte;
	(void)user;
	peer->read(peer->peer, &byte, 1);
	peer->reset(peer->peer);
}

/* ---- set-up of a check ---- */

struct check {
	const struct suite_kind *kind;
	struct suite_loop loop;
	struct far far;
	void *listener;
	struct suite_way way;
};

static struct check *check_start(void **state, enum suite_manner manner, suite_script script)
{
	struct check *check = calloc(1, sizeof *check);
	assert_non_null(check);
	check->kind = *state;
	far_init(&check->far);
	suite_loop_start(&check->loop);
	check->listener = check->kind->start(manner, script, &check->far, &check->way);
	return check;
}

static void check_stop(struct check *check)
{
	far_release(&check->far);
	check->kind->stop(check->listener);
	assert_false(check->far.wrong);
	suite_loop_stop(&check->loop);
	pthread_mutex_destroy(&check->far.lock);
	pthread_cond_destroy(&check->far.changed);
	free(check);
}

static void check_open(struct check *check, struct near *near, int timeout_ms)
{
	near_open(near, check->kind, &check->loop, check->listener, &check->way, timeout_ms);
}

/* Lets happen what is ready to happen. */
static void check_settle(struct check *check)
{
	for (int i = 0; i < 20; i++)
		suite_loop_once(&check->loop, i % 2);
}

/* ---- opening ---- */

static void refused(void **state)
{
	struct check *check = check_start(state, SUITE_REFUSES, NULL);
	struct near near = {0};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.failed);
	assert_int_equal(near.error.code, SKIFF_TCP_REFUSED);
	assert_false(near.opened);
	near_end(&near, false);
	check_stop(check);
}

static void timed_out(void **state)
{
	struct check *check = check_start(state, SUITE_IGNORES, NULL);
	struct near near = {0};
	check_open(check, &near, SHORT_MS);
	near_wait(&near, near.failed);
	assert_string_equal(skiff_code_slug(near.error.code), skiff_code_slug(check->kind->ignored));
	assert_false(near.opened);
	near_end(&near, false);
	check_stop(check);
}

static void phases_told(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_echo);
	struct skiff_connection way = {.phases = {-1, -1, -1, -1, -1, -1, -1}};
	struct near near = {0};
	check_open(check, &near, LONG_MS);
	near.transport->ops->info(near.transport, &way);
	assert_true(way.phases.tcp_us == -1);
	near_wait(&near, near.opened);
	near.transport->ops->info(near.transport, &way);
	unsigned phases = check->kind->phases;
	assert_true((way.phases.dns_us >= 0) == !!(phases & SUITE_DNS));
	assert_true((way.phases.tcp_us >= 0) == !!(phases & SUITE_TCP));
	assert_true((way.phases.tls_us >= 0) == !!(phases & SUITE_TLS));
	assert_true((way.phases.websocket_us >= 0) == !!(phases & SUITE_WEBSOCKET));
	assert_true((way.phases.proxy_us >= 0) == !!(phases & SUITE_PROXY));
	assert_true(*way.address);
	assert_true(!!*way.tls_version == !!(phases & SUITE_TLS));
	near_end(&near, false);
	check_stop(check);
}

/* ---- bytes ---- */

static void echo_of(void **state, size_t len)
{
	struct check *check = check_start(state, SUITE_SERVES, far_echo);
	struct near near = {.to_send = len};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.received == len || near.failed);
	assert_false(near.failed);
	near_end(&near, false);
	check_stop(check);
}

static void echo_small(void **state)
{
	echo_of(state, 1);
	echo_of(state, 2);
	echo_of(state, 125);
	echo_of(state, 126);
}

static void echo_at_record_size(void **state)
{
	echo_of(state, 16383);
	echo_of(state, 16384);
	echo_of(state, 16385);
}

static void echo_at_frame_size(void **state)
{
	echo_of(state, 65535);
	echo_of(state, 65536);
	echo_of(state, 65537);
}

static void echo_large(void **state)
{
	echo_of(state, LARGE_BYTES);
}

static void one_byte_sends(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_echo);
	struct near near = {0};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.opened);
	for (size_t i = 0; i < 1000; i++)
		near_send(&near, 1);
	near_wait(&near, near.received == 1000);
	near_end(&near, false);
	check_stop(check);
}

static void stalled_reader(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_stall);
	struct near near = {.to_send = LARGE_BYTES};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.blocked);
	check_settle(check);
	assert_true(near.sent < LARGE_BYTES);
	far_release(&check->far);
	near_wait(&near, near.sent == LARGE_BYTES);
	assert_true(near.writables > 0);
	near_wait(&near, far_get(&check->far, &check->far.seen) == LARGE_BYTES);
	near_end(&near, false);
	check_stop(check);
}

static void reading_switched_off(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_source);
	struct near near = {.stop_reading_at = 1};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.reading_off);
	check_settle(check);
	size_t received = near.received;
	assert_true(received < SOURCE_BYTES);
	near.stop_reading_at = 150000;
	near_reading(&near, true);
	near_wait(&near, near.reading_off);
	assert_true(near.received >= 150000);
	check_settle(check);
	near.stop_reading_at = 0;
	near_reading(&near, true);
	near_wait(&near, near.received == SOURCE_BYTES);
	near_end(&near, false);
	check_stop(check);
}

/* A reader that leaves something is told again. */
static void reading_in_bites(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_source);
	struct near near = {.bite = 1000};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.received == SOURCE_BYTES);
	assert_true(near.readables >= SOURCE_BYTES / 1000);
	near_end(&near, false);
	check_stop(check);
}

/* While reading is off, writing goes on. */
static void writing_without_reading(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_sink);
	struct near near = {0};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.opened);
	near_reading(&near, false);
	near_send(&near, 1000000);
	near_wait(&near, far_get(&check->far, &check->far.seen) == 1000000);
	near_end(&near, false);
	check_stop(check);
}

/* ---- the near end ends ---- */

static void close_delivers(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_sink);
	struct near near = {.to_send = 50000};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.opened);
	size_t sent = near.sent;
	near_end(&near, false);
	near_wait(&near, far_is(&check->far, &check->far.ended));
	assert_int_equal(check->far.seen, sent);
	assert_false(check->far.reset);
	check_stop(check);
}

static void near_stop_reading(struct near *near)
{
	near_reading(near, false);
}

/* What the near end has not read does not turn its orderly close into a reset. */
static void close_with_bytes_unread(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_talk_and_count);
	struct near near = {.on_opened = near_stop_reading};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.opened && far_get(&check->far, &check->far.written));
	near_send(&near, 5000);
	size_t sent = near.sent;
	near_end(&near, false);
	near_wait(&near, far_is(&check->far, &check->far.ended));
	assert_int_equal(check->far.seen, sent);
	assert_false(check->far.reset);
	check_stop(check);
}

static void abort_resets(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_sink);
	struct near near = {.to_send = 1};
	check_open(check, &near, LONG_MS);
	near_wait(&near, far_get(&check->far, &check->far.seen) == 1);
	near_end(&near, true);
	near_wait(&near, far_is(&check->far, &check->far.ended));
	if (check->kind->resets)
		assert_true(check->far.reset);
	check_stop(check);
}

static void near_close_now(struct near *near)
{
	if (near->closing)
		return;
	near->closing = true;
	near->transport->ops->close(near->transport, near->abort);
	assert_false(near->closed);
}

static void close_inside(void **state, bool abort)
{
	void (*const act)(struct near *) = near_close_now;
	const struct near inside[] = {
		{.abort = abort, .on_opened = act},
		{.abort = abort, .on_readable = act, .to_send = 100},
		{.abort = abort, .on_writable = act, .to_send = LARGE_BYTES},
	};
	for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
		struct check *check = check_start(state, SUITE_SERVES, far_echo);
		struct near near = inside[i];
		check_open(check, &near, LONG_MS);
		near_wait(&near, near.closed);
		near_end(&near, abort);
		check_stop(check);
	}
}

static void close_inside_events(void **state)
{
	close_inside(state, false);
}

static void abort_inside_events(void **state)
{
	close_inside(state, true);
}

static void close_inside_failed(void **state)
{
	struct check *check = check_start(state, SUITE_REFUSES, NULL);
	struct near near = {.on_failed = near_close_now};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.closed);
	near_end(&near, false);
	check_stop(check);
	check = check_start(state, SUITE_SERVES, far_reset_after_one);
	near = (struct near){.on_failed = near_close_now, .to_send = 1};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.closed);
	assert_true(near.failed);
	near_end(&near, false);
	check_stop(check);
}

/* Closes after so many turns of the loop, wherever the way has come by then. */
static void close_at_any_time(void **state)
{
	for (int turns = 0; turns < PHASE_STEPS; turns++) {
		struct check *check = check_start(state, SUITE_SERVES, far_echo);
		struct near near = {.to_send = 100000};
		check_open(check, &near, LONG_MS);
		for (int i = 0; i < turns; i++)
			suite_loop_once(&check->loop, i % 3);
		near_end(&near, turns % 2);
		check_stop(check);
	}
}

/* ---- the far end ends ---- */

static void peer_ends(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_source);
	struct near near = {0};
	far_release(&check->far);
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.failed);
	assert_true(near.opened);
	assert_int_equal(near.received, SOURCE_BYTES);
	assert_string_equal(skiff_code_slug(near.error.code), "tcp-closed");
	near_end(&near, false);
	check_stop(check);
}

static void peer_resets(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_reset_after_one);
	struct near near = {.to_send = 1};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.failed);
	assert_true(near.opened);
	assert_string_equal(skiff_code_slug(near.error.code), check->kind->resets ? "tcp-reset" : "tcp-closed");
	near_end(&near, false);
	check_stop(check);
}

/* The end shows while the near end is busy writing. */
static void peer_resets_a_writer(void **state)
{
	struct check *check = check_start(state, SUITE_SERVES, far_reset_after_one);
	struct near near = {.to_send = 4 * LARGE_BYTES};
	check_open(check, &near, LONG_MS);
	near_wait(&near, near.failed);
	assert_true(near.sent < near.to_send);
	near_end(&near, true);
	check_stop(check);
}

/* ---- many ---- */

static size_t parallel_done(const struct near *near)
{
	size_t done = 0;
	for (size_t i = 0; i < PARALLEL; i++) {
		assert_false(near[i].failed);
		done += near[i].received == near[i].to_send;
	}
	return done;
}

static void hundred_in_parallel(void **state)
{
	const struct suite_kind *kind = *state;
	if (kind->single)
		return;
	struct check *check = check_start(state, SUITE_SERVES, far_echo);
	struct near *near = calloc(PARALLEL, sizeof *near);
	assert_non_null(near);
	for (size_t i = 0; i < PARALLEL; i++) {
		near[i].to_send = 10000 + i;
		check_open(check, &near[i], LONG_MS);
	}
	near_wait(near, parallel_done(near) == PARALLEL);
	for (size_t i = 0; i < PARALLEL; i++)
		near_end(&near[i], i % 2);
	free(near);
	check_stop(check);
}

/* ---- the table ---- */

static const struct CMUnitTest suite_checks[] = {
	cmocka_unit_test(refused),
	cmocka_unit_test(timed_out),
	cmocka_unit_test(phases_told),
	cmocka_unit_test(echo_small),
	cmocka_unit_test(echo_at_record_size),
	cmocka_unit_test(echo_at_frame_size),
	cmocka_unit_test(echo_large),
	cmocka_unit_test(one_byte_sends),
	cmocka_unit_test(stalled_reader),
	cmocka_unit_test(reading_switched_off),
	cmocka_unit_test(reading_in_bites),
	cmocka_unit_test(writing_without_reading),
	cmocka_unit_test(close_delivers),
	cmocka_unit_test(close_with_bytes_unread),
	cmocka_unit_test(abort_resets),
	cmocka_unit_test(close_inside_events),
	cmocka_unit_test(abort_inside_events),
	cmocka_unit_test(close_inside_failed),
	cmocka_unit_test(close_at_any_time),
	cmocka_unit_test(peer_ends),
	cmocka_unit_test(peer_resets),
	cmocka_unit_test(peer_resets_a_writer),
	cmocka_unit_test(hundred_in_parallel),
};

enum { SUITE_CHECKS = sizeof suite_checks / sizeof suite_checks[0] };

int transport_suite_run(const struct suite_kind *kind)
{
	struct CMUnitTest checks[SUITE_CHECKS];
	for (size_t i = 0; i < SUITE_CHECKS; i++) {
		checks[i] = suite_checks[i];
		checks[i].initial_state = (void *)kind;
	}
	return cmocka_run_group_tests_name(kind->name, checks, NULL, NULL);
}
