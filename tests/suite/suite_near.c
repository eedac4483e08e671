/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_near.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "loop/handles.h"
#include "transport/tls_context.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TICK_MS = 5, PATIENCE_S = 60, PIECES = 7, CHUNK_BYTES = 128 * 1024, READ_BYTES = 8191 };

/* ---- the loop ---- */

static void loop_on_tick(uv_timer_t *tick)
{
	const struct suite_loop *loop = tick->data;
	if (skiffi_now_us() > loop->patience_us)
		fail_msg("nothing came of it in %d s", PATIENCE_S);
}

void suite_loop_start(struct suite_loop *loop)
{
	memset(loop, 0, sizeof *loop);
	assert_int_equal(uv_loop_init(&loop->loop.uv), 0);
	loop->loop.scratch = skiffi_malloc(SKIFFI_LOOP_SCRATCH_BYTES);
	assert_non_null(loop->loop.scratch);
	uv_timer_init(&loop->loop.uv, &loop->tick);
	loop->tick.data = loop;
	loop->patience_us = skiffi_now_us() + PATIENCE_S * INT64_C(1000000);
	uv_timer_start(&loop->tick, loop_on_tick, TICK_MS, TICK_MS);
}

void suite_loop_once(struct suite_loop *loop, bool wait)
{
	uv_run(&loop->loop.uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void suite_loop_stop(struct suite_loop *loop)
{
	uv_close((uv_handle_t *)&loop->tick, NULL);
	if (loop->loop.ws_context_free)
		loop->loop.ws_context_free(&loop->loop);
	uv_run(&loop->loop.uv, UV_RUN_DEFAULT);
	skiffi_handles_end(&loop->loop);
	uv_run(&loop->loop.uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop->loop.uv), 0);
	skiffi_free(loop->loop.scratch);
}

/* ---- the pattern ---- */

static uint8_t pattern_at(size_t position)
{
	return (uint8_t)(position * 7 + position / 251 + position / 65521);
}

void suite_pattern(void *out, size_t position, size_t len)
{
	uint8_t *at = out;
	for (size_t i = 0; i < len; i++)
		at[i] = pattern_at(position + i);
}

bool suite_pattern_is(const void *data, size_t position, size_t len)
{
	const uint8_t *at = data;
	for (size_t i = 0; i < len; i++)
		if (at[i] != pattern_at(position + i))
			return false;
	return true;
}

/* ---- events ---- */

/* One send of at most PIECES odd pieces. Result: whether all of it was taken. */
static bool near_send_some(struct near *near)
{
	static uint8_t chunk[CHUNK_BYTES];
	struct iovec pieces[PIECES];
	size_t count = 0, len = 0, rest = near->to_send - near->sent;
	size_t size = 1 + near->sent * 31 % (CHUNK_BYTES / PIECES - 1);
	for (; count < PIECES && len < rest; count++) {
		pieces[count].iov_base = chunk + len;
		pieces[count].iov_len = rest - len < size ? rest - len : size;
		len += pieces[count].iov_len;
	}
	suite_pattern(chunk, near->sent, len);
	ptrdiff_t taken = near->transport->ops->send(near->transport, pieces, count);
	if (taken < 0)
		return false;
	assert_true((size_t)taken <= len);
	near->sent += (size_t)taken;
	near->blocked = (size_t)taken < len;
	return !near->blocked;
}

static void near_pump(struct near *near)
{
	while (near->sent < near->to_send && near_send_some(near))
		;
}

static void near_drain(struct near *near)
{
	uint8_t buffer[READ_BYTES];
	size_t len = near->bite ? near->bite : sizeof buffer;
	ptrdiff_t got;
	while (!near->reading_off && (got = near->transport->ops->recv(near->transport, buffer, len)) > 0) {
		assert_true(suite_pattern_is(buffer, near->received, (size_t)got));
		near->received += (size_t)got;
		if (near->stop_reading_at && near->received >= near->stop_reading_at)
			near_reading(near, false);
		if (near->bite)
			return;
	}
}

static void near_check_live(const struct near *near, bool opened)
{
	assert_true(near->opened == opened);
	assert_false(near->failed);
	assert_false(near->closing);
}

static void near_on_opened(void *user)
{
	struct near *near = user;
	near_check_live(near, false);
	near->opened = true;
	if (near->on_opened)
		near->on_opened(near);
	if (!near->closing)
		near_pump(near);
}

static void near_on_readable(void *user)
{
	struct near *near = user;
	near_check_live(near, true);
	assert_false(near->reading_off);
	near->readables++;
	if (near->on_readable)
		near->on_readable(near);
	if (!near->closing)
		near_drain(near);
}

static void near_on_writable(void *user)
{
	struct near *near = user;
	near_check_live(near, true);
	assert_true(near->blocked);
	near->writables++;
	near->blocked = false;
	if (near->on_writable)
		near->on_writable(near);
	if (!near->closing)
		near_pump(near);
}

static void near_on_failed(void *user, const struct skiff_error *error)
{
	struct near *near = user;
	uint8_t byte = 0;
	struct iovec piece = {&byte, 1};
	assert_false(near->failed);
	assert_false(near->closing);
	near->failed = true;
	near->error = *error;
	assert_true(*error->text);
	assert_int_equal(near->transport->ops->send(near->transport, &piece, 1), -1);
	assert_int_equal(near->transport->ops->recv(near->transport, &byte, 1), -1);
	if (near->on_failed)
		near->on_failed(near);
}

static void near_on_closed(void *user)
{
	struct near *near = user;
	assert_true(near->closing);
	assert_false(near->closed);
	near->closed = true;
}

static const struct skiffi_transport_events near_events = {
	.opened = near_on_opened,
	.readable = near_on_readable,
	.writable = near_on_writable,
	.failed = near_on_failed,
	.closed = near_on_closed,
};

/* ---- calls ---- */

void near_open(struct near *near, const struct suite_kind *kind, struct suite_loop *loop, void *far,
	const struct suite_way *way, int timeout_ms)
{
	struct skiff_error error = {0};
	near->kind = kind;
	near->loop = loop;
	near->far = far;
	near->config.endpoint = skiffi_endpoint_new(way->url, &error);
	assert_string_equal(error.text, "");
	if (*way->proxy)
		near->config.proxy = skiffi_proxy_new(way->proxy, &error);
	assert_int_equal(error.code, SKIFF_OK);
	if (near->config.endpoint->tls)
		near->config.tls = skiffi_tls_context_new(&way->tls, near->config.endpoint, &error);
	assert_string_equal(error.text, "");
	near->config.timeouts =
		(struct skiff_timeouts){timeout_ms, timeout_ms, timeout_ms, timeout_ms, timeout_ms, timeout_ms};
	near->config.receive_high_bytes = 65536;
	if (kind->make)
		near->transport = kind->make(far, &loop->loop, &near->config, &near_events, near);
	else
		near->transport = skiffi_transport_new(&loop->loop, &near->config, &near_events, near);
	assert_non_null(near->transport);
	assert_true(near->transport->ops->open(near->transport));
	assert_false(near->opened || near->failed);
}

void near_send(struct near *near, size_t more)
{
	near->to_send += more;
	if (near->opened && !near->blocked)
		near_pump(near);
}

void near_reading(struct near *near, bool on)
{
	near->reading_off = !on;
	near->transport->ops->reading(near->transport, on);
}

void near_end(struct near *near, bool abort)
{
	if (!near->closing) {
		near->closing = true;
		near->transport->ops->close(near->transport, abort);
		assert_false(near->closed);
	}
	near_wait(near, near->closed);
	near->transport->ops->free(near->transport);
	skiffi_tls_context_free(near->config.tls);
	skiffi_endpoint_free((struct skiffi_endpoint *)near->config.endpoint);
	skiffi_proxy_free((struct skiffi_proxy *)near->config.proxy);
}
