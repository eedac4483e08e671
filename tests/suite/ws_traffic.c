/* SPDX-License-Identifier: Apache-2.0 */
/* ws_traffic.c: control frames in numbers, ends of every kind, back-pressure, many at once, and an end in each phase.
 */
#include "suite/ws_far_end.h"
#include "support/waiting.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef TESTS_SANITIZED
enum { MESSAGES = 20000 };
#else
enum { MESSAGES = 100000 };
#endif
enum { BINARY = 0x82, PINGS = 1000, PARALLEL = 100, ECHO_BYTES = 16 << 20, HIGH_BYTES = 64 * 1024 };

/* ---- frames in numbers ---- */

static void script_many_pings(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	struct ws_peer_frame frame;
	static uint8_t pings[PINGS][6];
	ws_peer_upgrade(peer);
	for (unsigned i = 0; i < PINGS; i++)
		memcpy(pings[i], (uint8_t[]){0x89, 4, (uint8_t)(i >> 8), (uint8_t)i, 'x', 'y'}, 6);
	ws_peer_send(peer, pings, sizeof pings);
	for (unsigned i = 0; i < PINGS && ws_peer_read_frame(peer, &frame); i++)
		if (frame.first == 0x8a && frame.len == 4 && !memcmp(frame.payload, pings[i] + 2, 4))
			far->count++;
	ws_peer_frame(peer, BINARY, "done", 4);
	far->seen_close = ws_peer_read_close(peer);
}

static void every_ping_answered(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_many_pings);
	struct probe *probe = far_end_open(&far);
	probe_wait_received(probe, 4);
	assert_true(probe_received_is(probe, "done", 4));
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	assert_int_equal(far.count, PINGS);
}

/* Every mask key is used once only, or as rarely as chance has it. */
static void script_keys(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	struct ws_peer_frame frame;
	unsigned zero = 0, same = 0, seen = 0;
	uint8_t last[4] = {0}, bits[4] = {0};
	ws_peer_upgrade(peer);
	while (seen < MESSAGES && ws_peer_read_frame(peer, &frame)) {
		seen++;
		if (!frame.masked || frame.first != BINARY || frame.len != 1)
			return;
		zero += !memcmp(frame.key, "\0\0\0", 4);
		same += !memcmp(frame.key, last, 4);
		memcpy(last, frame.key, 4);
		for (int i = 0; i < 4; i++)
			bits[i] |= frame.key[i];
		if (seen % 100 == 0)
			ws_peer_frame(peer, BINARY, "n", 1);
	}
	if (zero < 2 && same < 2 && !memcmp(bits, "\xff\xff\xff\xff", 4))
		far->count = seen;
	ws_peer_frame(peer, BINARY, "n", 1);
	ws_peer_read_close(peer);
}

static void mask_keys_random(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_keys);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	for (unsigned i = 0; i < MESSAGES; i++)
		probe_send(probe, "x", 1);
	probe_wait_received(probe, MESSAGES / 100 + 1);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	assert_int_equal(far.count, MESSAGES);
}

/* ---- ends ---- */

static void script_end_after_data(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY, "last words", 10);
	if (far->count)
		ws_peer_reset(peer);
}

static void tcp_end_without_close_frame(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_end_after_data);
	struct probe *probe = far_end_open(&far);
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	assert_true(probe_received_is(probe, "last words", 10));
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	expect_error(&error, SKIFF_TCP_CLOSED, 0, "127.0.0.1");
}

static void script_reset_when_told(struct ws_peer *peer, void *user)
{
	struct ws_peer_frame frame;
	(void)user;
	ws_peer_upgrade(peer);
	ws_peer_read_frame(peer, &frame);
	ws_peer_reset(peer);
}

static void reset_after_opened(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_reset_when_told);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	probe_send(probe, "x", 1);
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	expect_error(&error, SKIFF_TCP_RESET, 104, "127.0.0.1");
}

struct close_case {
	const char *name;
	const char *frame;
	size_t len;
	enum skiff_code code;
	int detail, answer;
	const char *says;
};

static const struct close_case closes[] = {
	{"close without a code", "\x88\x00", 2, SKIFF_TCP_CLOSED, 1005, 1000, "no status"},
	{"close 1001", "\x88\x02\x03\xe9", 4, SKIFF_TCP_CLOSED, 1001, 1001, "going away"},
	{"close 1002", "\x88\x02\x03\xea", 4, SKIFF_WS_PROTOCOL, 1002, 1002, "protocol error"},
	{"close 1008", "\x88\x02\x03\xf0", 4, SKIFF_TCP_CLOSED, 1008, 1008, "policy"},
	{"close 1011", "\x88\x02\x03\xf3", 4, SKIFF_WS_UNAVAILABLE, 1011, 1011, "internal error"},
	{"close 1013", "\x88\x02\x03\xf5", 4, SKIFF_WS_UNAVAILABLE, 1013, 1013, "try again later"},
	{"close 4000", "\x88\x03\x0f\xa0!", 5, SKIFF_TCP_CLOSED, 4000, 4000, "'!'"},
	{"close 999", "\x88\x02\x03\xe7", 4, SKIFF_WS_PROTOCOL, 1002, 1002, "999"},
	{"close 1006", "\x88\x02\x03\xee", 4, SKIFF_WS_PROTOCOL, 1002, 1002, "1006"},
	{"close 5000", "\x88\x02\x13\x88", 4, SKIFF_WS_PROTOCOL, 1002, 1002, "5000"},
};
enum { CLOSES = sizeof closes / sizeof closes[0] };

static void script_close_frame(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_upgrade(peer);
	ws_peer_send(peer, far->answer, far->answer_len);
	far->seen_close = ws_peer_read_close(peer);
}

static void test_close(void **state)
{
	const struct close_case *row = *state;
	struct far_end far = {.answer = row->frame, .answer_len = row->len};
	far_end_start(&far, false, script_close_frame);
	struct probe *probe = far_end_open(&far);
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	expect_error(&error, row->code, row->detail, row->says);
	assert_int_equal(far.seen_close, row->answer);
}

/* Our close frame is on its way while the peer still sends. */
static void script_flood(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	static uint8_t data[16384];
	ws_peer_upgrade(peer);
	while (!atomic_load(&far->go) && ws_peer_frame(peer, BINARY, data, sizeof data))
		;
	far->seen_close = ws_peer_read_close(peer);
}

static void close_while_data_arrives(void **state)
{
	struct far_end far = {0};
	far_end_start(&far, *state != NULL, script_flood);
	struct probe *probe = far_end_open(&far);
	probe_wait_received(probe, 1 << 20);
	probe_close(probe, false);
	atomic_store(&far.go, 1);
	ws_listener_stop(far.listener);
}

/* ---- back-pressure ---- */

static void script_echo(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	struct ws_peer_frame frame;
	ws_peer_upgrade(peer);
	while (ws_peer_read_frame(peer, &frame)) {
		if ((frame.first & 0x0f) == 8) {
			far->seen_close = frame.payload[0] << 8 | frame.payload[1];
			return;
		}
		if (!ws_peer_frame(peer, frame.first, frame.payload, frame.len))
			return;
	}
}

static uint8_t *pattern(size_t len)
{
	uint8_t *data = malloc(len);
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	return data;
}

/* 16 MiB there and back: the far end reads and writes by turns, so both directions fill up. */
static void big_echo(void **state)
{
	struct far_end far = {0};
	uint8_t *data = pattern(ECHO_BYTES);
	far_end_start(&far, *state != NULL, script_echo);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	probe_send(probe, data, ECHO_BYTES);
	probe_wait_received(probe, ECHO_BYTES);
	assert_true(probe_received_is(probe, data, ECHO_BYTES));
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	assert_int_equal(far.seen_close, 1000);
	free(data);
}

/* Sends all it can and counts; then waits to be told to go on. */
static void script_pour(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_upgrade(peer);
	uint8_t *data = pattern(ECHO_BYTES);
	for (size_t at = 0; at < ECHO_BYTES; at += 1 << 16) {
		if (!ws_peer_frame(peer, BINARY, data + at, 1 << 16))
			break;
		atomic_fetch_add(&far->go, 1);
	}
	free(data);
	ws_peer_read_close(peer);
}

static void unread_bytes_stay_with_the_peer(void **state)
{
	struct far_end far = {0};
	uint8_t *data = pattern(ECHO_BYTES);
	far_end_start(&far, *state != NULL, script_pour);
	struct probe *probe = probe_open(&(struct probe_options){.url = far.url,
		.tls.ca_file = ws_listener_ca(far.listener),
		.receive_high_bytes = HIGH_BYTES,
		.unread_from_opened = true});
	probe_wait_opened(probe);
	for (int i = 0; i < 200; i++)
		probe_info(probe); /* turns of the loop */
	assert_int_equal(probe_received(probe), 0);
	assert_true(atomic_load(&far.go) < ECHO_BYTES >> 16);
	probe_reading(probe, true);
	probe_wait_received(probe, ECHO_BYTES);
	assert_true(probe_received_is(probe, data, ECHO_BYTES));
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	free(data);
}

/* What a script is told by `go`: first to begin, then to end. */
static bool may_begin(const void *far)
{
	return atomic_load(&((struct far_end *)far)->go) >= 1;
}

static bool may_end(const void *far)
{
	return atomic_load(&((struct far_end *)far)->go) >= 2;
}

/* A peer that does not read stops the sender; nothing is taken that cannot go out. */
static void script_no_reading(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_upgrade(peer);
	waiting_poll(may_begin, far, WAITING_LONG_MS);
	script_echo(peer, user);
}

static void unsent_bytes_stay_with_the_user(void **state)
{
	(void)state;
	struct far_end far = {0};
	uint8_t *data = pattern(2 * ECHO_BYTES);
	far_end_start(&far, false, script_no_reading);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	probe_send(probe, data, 2 * ECHO_BYTES);
	for (int i = 0; i < 50; i++)
		probe_info(probe);
	assert_true(probe_unsent(probe) > ECHO_BYTES / 2);
	probe_close(probe, true);
	atomic_store(&far.go, 1);
	ws_listener_stop(far.listener);
	free(data);
}

/* Writes without reading, once told to. */
static void script_writes_only(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	uint8_t *data = pattern(1 << 20);
	ws_peer_upgrade(peer);
	waiting_poll(may_begin, far, WAITING_LONG_MS);
	ws_peer_frame(peer, BINARY, data, 1 << 20);
	waiting_poll(may_end, far, WAITING_LONG_MS);
	free(data);
}

/* A peer that reads nothing before what it writes has been read is still read from. */
static void blocked_writer_goes_on_reading(void **state)
{
	uint8_t *data = pattern(ECHO_BYTES);
	for (int i = 0; i < 8; i++) {
		struct far_end far = {0};
		far_end_start(&far, *state != NULL, script_writes_only);
		struct probe *probe = far_end_open(&far);
		probe_wait_opened(probe);
		probe_send(probe, data, ECHO_BYTES);
		for (int turn = 0; turn < 50; turn++)
			probe_info(probe);
		assert_true(probe_unsent(probe) > 0);
		atomic_store(&far.go, 1);
		probe_wait_received(probe, 1 << 20);
		atomic_store(&far.go, 2);
		probe_close(probe, true);
		ws_listener_stop(far.listener);
	}
	free(data);
}

/* ---- many, and an end in each phase ---- */

static void many_at_once(void **state)
{
	struct far_end far = {0};
	struct probe *probes[PARALLEL];
	uint8_t *data = pattern(10000);
	far_end_start(&far, *state != NULL, script_echo);
	for (int i = 0; i < PARALLEL; i++)
		probes[i] = far_end_open(&far);
	for (int i = 0; i < PARALLEL; i++)
		probe_send(probes[i], data, 10000);
	for (int i = 0; i < PARALLEL; i++) {
		probe_wait_received(probes[i], 10000);
		assert_true(probe_received_is(probes[i], data, 10000));
	}
	assert_int_equal(ws_listener_taken(far.listener), PARALLEL);
	for (int i = 0; i < PARALLEL; i++)
		probe_close(probes[i], i & 1);
	ws_listener_stop(far.listener);
	free(data);
}

/* `*state`: NULL or "tls". Each end is tried orderly and at once. */
static void end_in_each_phase(void **state)
{
	for (int abort = 0; abort < 2; abort++) {
		struct far_end silent = {0}, echo = {0};
		far_end_start(&silent, *state != NULL, script_silent);
		far_end_start(&echo, *state != NULL, script_echo);
		probe_close(far_end_open(&silent), abort); /* resolving, connecting */
		struct probe *probe = far_end_open(&silent);
		while (probe_info(probe).phases.tcp_us < 0) /* then TLS, or the upgrade */
			;
		probe_close(probe, abort);
		probe = far_end_open(&silent);
		while (*state && probe_info(probe).phases.tls_us < 0) /* then the upgrade */
			;
		probe_close(probe, abort);
		probe = far_end_open(&echo);
		probe_wait_opened(probe);
		probe_close(probe, abort);
		probe = probe_open(&(struct probe_options){
			.url = echo.url, .tls.ca_file = ws_listener_ca(echo.listener), .close_in_opened = true});
		while (!probe_was_opened(probe))
			probe_info(probe);
		probe_close(probe, abort);
		probe = far_end_open(&echo);
		probe_wait_opened(probe);
		uint8_t *data = pattern(1 << 20);
		probe_send(probe, data, 1 << 20);
		probe_close(probe, abort); /* with bytes under way both ways */
		free(data);
		ws_listener_stop(silent.listener);
		ws_listener_stop(echo.listener);
	}
}

static void phases_are_timed(void **state)
{
	struct far_end far = {0};
	far_end_start(&far, *state != NULL, script_echo);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	struct skiff_connection info = probe_info(probe);
	assert_true(info.phases.dns_us >= 0 && info.phases.tcp_us >= 0 && info.phases.websocket_us > 0);
	assert_true(
		*state ? info.phases.tls_us > 0 && !strncmp(info.tls_version, "TLSv1", 5) : info.phases.tls_us <= 0);
	assert_int_equal(info.http_status, 101);
	assert_non_null(strstr(info.address, "127.0.0.1:"));
	probe_close(probe, false);
	ws_listener_stop(far.listener);
}

#define OVER_BOTH(test) \
	cmocka_unit_test(test), \
	{ \
		.name = #test " over TLS", .test_func = test, .initial_state = (void *)"tls" \
	}

static struct CMUnitTest tests[CLOSES + 64] = {
	cmocka_unit_test(every_ping_answered),
	cmocka_unit_test(mask_keys_random),
	cmocka_unit_test(tcp_end_without_close_frame),
	cmocka_unit_test(reset_after_opened),
	cmocka_unit_test(unsent_bytes_stay_with_the_user),
	OVER_BOTH(close_while_data_arrives),
	OVER_BOTH(big_echo),
	OVER_BOTH(unread_bytes_stay_with_the_peer),
	OVER_BOTH(blocked_writer_goes_on_reading),
	OVER_BOTH(many_at_once),
	OVER_BOTH(end_in_each_phase),
	OVER_BOTH(phases_are_timed),
};

int main(int argc, char **argv)
{
	size_t count = 0;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	while (tests[count].test_func)
		count++;
	for (size_t i = 0; i < CLOSES; i++)
		tests[count++] = (struct CMUnitTest){
			.name = closes[i].name, .test_func = test_close, .initial_state = (void *)&closes[i]};
	return _cmocka_run_group_tests("websocket: traffic", tests, count, NULL, NULL);
}
