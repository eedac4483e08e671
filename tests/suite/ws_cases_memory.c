/* SPDX-License-Identifier: Apache-2.0 */
/* ws_cases_memory.c: memory runs out at each of our allocations in turn, from making a transport to its end. It must
 * say so, or get by; never hang, crash or leak. */
#include "loop/handles.h"
#include "support/fault_alloc.h"
#include "support/ws_listener.h"
#include "transport/tls_context.h"
#include "transport/transport.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 20000, STEPS_MAX = 2000, STEPS_LEAST = 5 };

struct trial {
	struct skiffi_transport *transport;
	bool opened, failed, closed;
	struct skiff_error error;
	size_t sent, received;
};

static uint8_t bytes[BYTES];
static uint8_t scratch[SKIFFI_LOOP_SCRATCH_BYTES];

static void send_more(struct trial *trial)
{
	struct iovec piece = {bytes + trial->sent, BYTES - trial->sent};
	ptrdiff_t taken = trial->transport->ops->send(trial->transport, &piece, 1);
	trial->sent += taken > 0 ? (size_t)taken : 0;
}

static void on_opened(void *user)
{
	struct trial *trial = user;
	trial->opened = true;
	send_more(trial);
}

static void on_readable(void *user)
{
	struct trial *trial = user;
	ptrdiff_t got = trial->transport->ops->recv(trial->transport, scratch, sizeof scratch);
	trial->received += got > 0 ? (size_t)got : 0;
}

static void on_writable(void *user)
{
	send_more(user);
}

static void on_failed(void *user, const struct skiff_error *error)
{
	struct trial *trial = user;
	trial->failed = true;
	trial->error = *error;
}

static void on_closed(void *user)
{
	((struct trial *)user)->closed = true;
}

static const struct skiffi_transport_events events = {on_opened, on_readable, on_writable, on_failed, on_closed};

static void script_echo(struct ws_peer *peer, void *user)
{
	struct ws_peer_frame frame;
	(void)user;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, 0x89, "ping", 4);
	while (ws_peer_read_frame(peer, &frame) && frame.first != 0x88)
		if (frame.first == 0x82)
			ws_peer_frame(peer, 0x82, frame.payload, frame.len);
}

/* One life of a transport with memory for `steps` allocations. Result: whether that was enough. */
static bool live(struct skiffi_loop *loop, const struct skiffi_transport_config *config, long steps)
{
	struct trial trial = {0};
	fault_alloc_end_after(steps);
	trial.transport = skiffi_transport_new(loop, config, &events, &trial);
	if (!trial.transport || !trial.transport->ops->open(trial.transport)) {
		fault_alloc_end_after(-1);
		if (trial.transport)
			trial.transport->ops->free(trial.transport);
		return false;
	}
	while (!trial.failed && trial.received < BYTES)
		uv_run(&loop->uv, UV_RUN_ONCE);
	trial.transport->ops->close(trial.transport, false);
	while (!trial.closed)
		uv_run(&loop->uv, UV_RUN_ONCE);
	fault_alloc_end_after(-1);
	trial.transport->ops->free(trial.transport);
	if (trial.failed && trial.error.code != SKIFF_MEMORY)
		fail_msg("after %ld: %s: %s", steps, skiff_code_slug(trial.error.code), trial.error.text);
	return !trial.failed;
}

static void sweep(bool tls)
{
	struct skiffi_loop loop = {.scratch = scratch};
	struct ws_listener *listener = ws_listener_start(tls, script_echo, NULL);
	struct skiff_error error;
	char url[64];
	long steps = 0;
	assert_non_null(listener);
	assert_int_equal(uv_loop_init(&loop.uv), 0);
	snprintf(url, sizeof url, "%s://127.0.0.1:%u", tls ? "wss" : "ws", ws_listener_port(listener));
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(url, &error);
	struct skiff_tls_options options = {.ca_file = ws_listener_ca(listener)};
	struct skiffi_transport_config config = {
		.endpoint = endpoint,
		.tls = tls ? skiffi_tls_context_new(&options, endpoint, &error) : NULL,
		.timeouts = {.resolve_ms = 10000, .tcp_ms = 10000, .tls_ms = 10000, .websocket_ms = 10000},
		.receive_high_bytes = 65536,
	};
	while (!live(&loop, &config, steps))
		assert_true(++steps < STEPS_MAX);
	assert_true(steps > STEPS_LEAST);
	print_message("    enough after %ld allocations\n", steps);
	loop.ws_context_free(&loop);
	skiffi_handles_end(&loop);
	assert_int_equal(uv_run(&loop.uv, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop.uv), 0);
	skiffi_tls_context_free(config.tls);
	skiffi_endpoint_free(endpoint);
	ws_listener_stop(listener);
}

static void memory_out_over_ws(void **state)
{
	(void)state;
	sweep(false);
}

static void memory_out_over_wss(void **state)
{
	(void)state;
	sweep(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_out_over_ws),
		cmocka_unit_test(memory_out_over_wss),
	};
	return cmocka_run_group_tests_name("websocket, memory", tests, NULL, NULL);
}
