/* SPDX-License-Identifier: Apache-2.0 */
/* ws_upgrade.c: answers that are not an upgrade, peers that are no WebSocket servers, and what the request holds. */
#include "suite/ws_far_end.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- answers ---- */

struct answer_case {
	const char *name;
	const char *answer; /* up to the reason phrase */
	enum skiff_code code;
	int detail;
	const char *says;
};

static const struct answer_case answers[] = {
	{"404", "HTTP/1.1 404 Not Found", SKIFF_WS_NOT_FOUND, 404, "at path '/mqtt'; try another path"},
	{"405", "HTTP/1.1 405 Method Not Allowed", SKIFF_WS_NOT_FOUND, 405, "/ws"},
	{"403", "HTTP/1.1 403 Forbidden", SKIFF_WS_FORBIDDEN, 403, "address"},
	{"301 to nowhere", "HTTP/1.1 301 Moved", SKIFF_WS_REDIRECT, 301, "does not name"},
	{"307", "HTTP/1.1 307 T\r\nlocation: ws://h:1/x", SKIFF_WS_REDIRECT, 307, "'ws://h:1/x'"},
	{"429", "HTTP/1.1 429 Too Many", SKIFF_WS_UNAVAILABLE, 429, "later"},
	{"503", "HTTP/1.0 503 Busy\x1b[31m", SKIFF_WS_UNAVAILABLE, 503, "Busy\\x1b[31m"},
	{"400", "HTTP/1.1 400 Bad Request", SKIFF_WS_NOT_WEBSOCKET, 400, "wss://"},
	{"426", "HTTP/1.1 426 Upgrade Required", SKIFF_WS_NOT_WEBSOCKET, 426, "426 Upgrade Required"},
	{"100 then 404", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No", SKIFF_WS_NOT_FOUND, 404, "404 No"},
	{"status of 4 digits", "HTTP/1.1 1010 Switching", SKIFF_WS_BAD_ACCEPT, 0, "status line"},
	{"HTTP/2", "HTTP/2 101 Switching", SKIFF_WS_BAD_ACCEPT, 0, "status line"},
	{"line of 64 KiB", "HTTP/1.1 101 Switching\r\nX: %065536d", SKIFF_WS_BAD_ACCEPT, 0, "16384"},
};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static void script_answer(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	static char text[70000];
	uint8_t rest[512];
	ws_peer_read_request(peer);
	int len = snprintf(text, sizeof text, "%s", far->answer);
	if (strstr(far->answer, "%065536d")) {
		len = (int)(strchr(far->answer, '%') - far->answer);
		memset(text + len, '0', 65536);
		len += 65536;
	}
	ws_peer_send(peer, text, (size_t)len);
	ws_peer_send(peer, "\r\n\r\n", 4);
	while (ws_peer_read(peer, rest, sizeof rest))
		;
}

static void test_answer(void **state)
{
	const struct answer_case *row = *state;
	struct far_end far = {.answer = row->answer};
	expect_refusal(&far, script_answer, row->code, row->detail, row->says);
}

/* A 101 with headers in `far->answer`, and the right accept key. */
static void script_101(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_read_request(peer);
	ws_peer_say(peer,
		"%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		"Sec-WebSocket-Protocol: mqtt\r\n\r\n",
		far->answer, ws_peer_accept(peer));
	far->seen_close = ws_peer_read_close(peer);
}

static void chunked_101_refused(void **state)
{
	(void)state;
	struct far_end far = {.answer = "HTTP/1.1 101 Switching\r\nTransfer-Encoding: chunked"};
	expect_refusal(&far, script_101, SKIFF_WS_BAD_ACCEPT, 101, "Transfer-Encoding");
}

static void accept_twice_refused(void **state)
{
	(void)state;
	struct far_end far = {.answer = "HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: x"};
	expect_refusal(&far, script_101, SKIFF_WS_BAD_ACCEPT, 101, "does not fit");
}

static void subprotocol_twice_refused(void **state)
{
	(void)state;
	struct far_end far = {.answer = "HTTP/1.1 101 Switching\r\nSec-WebSocket-Protocol: x"};
	expect_refusal(&far, script_101, SKIFF_WS_SUBPROTOCOL, 101, "more than one");
}

static void continue_100_passed_over(void **state)
{
	(void)state;
	struct far_end far = {.answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
					"HTTP/1.1 101 Switching"};
	far_end_start(&far, false, script_101);
	struct probe *probe = far_end_open(&far);
	probe_wait_opened(probe);
	assert_int_equal(probe_info(probe).http_status, 101);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	assert_int_equal(far.seen_close, 1000);
}

/* ---- no WebSocket ---- */

/* Bytes without waiting for a request. */
static void script_banner(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	uint8_t rest[512];
	ws_peer_send(peer, far->answer, far->answer_len);
	while (ws_peer_read(peer, rest, sizeof rest))
		;
}

static void script_close(struct ws_peer *peer, void *user)
{
	(void)user;
	ws_peer_read_request(peer);
}

static void script_half_answer(struct ws_peer *peer, void *user)
{
	(void)user;
	ws_peer_read_request(peer);
	ws_peer_say(peer, "HTTP/1.1 101 Sw");
}

static void script_reset(struct ws_peer *peer, void *user)
{
	(void)user;
	ws_peer_read_request(peer);
	ws_peer_reset(peer);
}

static void plain_mqtt_port_told(void **state)
{
	(void)state;
	struct far_end far = {.answer = "\x20\x02\x00\x01", .answer_len = 4};
	expect_refusal(&far, script_banner, SKIFF_WS_NOT_WEBSOCKET, 0, "mqtt://");
}

static void tls_alert_told(void **state)
{
	(void)state;
	struct far_end far = {.answer = "\x15\x03\x01\x00\x02\x02\x16", .answer_len = 7};
	expect_refusal(&far, script_banner, SKIFF_WS_NOT_WEBSOCKET, 0, "wss://");
}

static void banner_told(void **state)
{
	(void)state;
	struct far_end far = {.answer = "SSH-2.0-x\r\n", .answer_len = 11};
	expect_refusal(&far, script_banner, SKIFF_WS_NOT_WEBSOCKET, 0, "53 53 48");
}

static void silent_close_told(void **state)
{
	(void)state;
	struct far_end far = {0};
	expect_refusal(&far, script_close, SKIFF_WS_NOT_WEBSOCKET, 0, "does not speak WebSocket on this port");
}

static void half_answer_told(void **state)
{
	(void)state;
	struct far_end far = {0};
	expect_refusal(&far, script_half_answer, SKIFF_WS_NOT_WEBSOCKET, 0, "middle");
}

static void reset_told(void **state)
{
	(void)state;
	struct far_end far = {0};
	expect_refusal(&far, script_reset, SKIFF_WS_NOT_WEBSOCKET, 104, "reset");
}

/* A TLS server that reads an HTTP request ends the connection, or sends an alert first. */
static void tls_port_told(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, true, script_silent);
	snprintf(far.url, sizeof far.url, "ws://127.0.0.1:%u", ws_listener_port(far.listener));
	struct probe *probe = far_end_open(&far);
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	expect_error(&error, SKIFF_WS_NOT_WEBSOCKET, error.detail, "TLS");
}

static void silence_times_out(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_silent);
	struct probe *probe = probe_open(&(struct probe_options){.url = far.url, .timeouts.websocket_ms = 50});
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	struct skiff_connection info = probe_info(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	expect_error(&error, SKIFF_WS_TIMEOUT, 0, "50 ms");
	assert_true(info.phases.tcp_us >= 0);
	assert_int_equal(info.phases.websocket_us, -1);
}

static void refused_connection_told(void **state)
{
	(void)state;
	struct far_end far = {0};
	far_end_start(&far, false, script_silent);
	ws_listener_stop(far.listener);
	struct probe *probe = probe_open(&(struct probe_options){.url = far.url});
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	expect_error(&error, SKIFF_TCP_REFUSED, 111, "127.0.0.1");
}

static void unknown_ca_told(void **state)
{
	(void)state;
	struct far_end far = {0}, other = {0};
	far_end_start(&far, true, script_silent);
	far_end_start(&other, true, script_silent);
	struct probe *probe =
		probe_open(&(struct probe_options){.url = far.url, .tls.ca_file = ws_listener_ca(other.listener)});
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	ws_listener_stop(other.listener);
	print_message("    %s: %s\n", skiff_code_slug(error.code), error.text);
	assert_int_equal(skiff_code_class(error.code), SKIFF_CLASS_TLS);
}

/* ---- the request ---- */

static void script_keep_request(struct ws_peer *peer, void *user)
{
	struct far_end *far = user;
	ws_peer_upgrade(peer);
	snprintf(far->request, sizeof far->request, "%s", ws_peer_request(peer));
	far->seen_close = ws_peer_read_close(peer);
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned count = 0;
	while ((text = strcasestr(text, part))) {
		count++;
		text += strlen(part);
	}
	return count;
}

static void request_is_as_asked(void **state)
{
	(void)state;
	struct far_end far = {0};
	char url[3000], expected[3000], query[2400];
	memset(query, 'q', sizeof query - 1);
	query[sizeof query - 1] = '\0';
	struct skiff_user_property headers[] = {
		{skiff_text("Authorization"), skiff_text("Bearer abc")}, {skiff_text("X-Empty"), skiff_text("")}};
	far_end_start(&far, false, script_keep_request);
	snprintf(url, sizeof url, "ws://user:secret@127.0.0.1:%u/a/b?x=%s", ws_listener_port(far.listener), query);
	struct probe *probe =
		probe_open(&(struct probe_options){.url = url, .http_headers = headers, .http_header_count = 2});
	probe_wait_opened(probe);
	probe_close(probe, false);
	snprintf(expected, sizeof expected, "GET /a/b?x=%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", query,
		ws_listener_port(far.listener));
	ws_listener_stop(far.listener);
	assert_memory_equal(far.request, expected, strlen(expected));
	assert_int_equal(count_of(far.request, "\r\nHost:"), 1);
	assert_int_equal(count_of(far.request, "\r\nUpgrade: websocket\r\n"), 1);
	assert_int_equal(count_of(far.request, "\r\nConnection: Upgrade\r\n"), 1);
	assert_int_equal(count_of(far.request, "\r\nSec-WebSocket-Version: 13\r\n"), 1);
	assert_int_equal(count_of(far.request, "\r\nSec-WebSocket-Protocol: mqtt\r\n"), 1);
	assert_int_equal(count_of(far.request, "\r\nAuthorization: Bearer abc\r\n"), 1);
	assert_int_equal(count_of(far.request, "\r\nX-Empty: \r\n"), 1);
	assert_int_equal(count_of(far.request, "Sec-WebSocket-Extensions"), 0);
	assert_int_equal(count_of(far.request, "Origin"), 0);
	assert_int_equal(count_of(far.request, "secret"), 0);
}

static void own_host_header_wins(void **state)
{
	(void)state;
	struct far_end far = {0};
	struct skiff_user_property header = {skiff_text("host"), skiff_text("elsewhere.example")};
	far_end_start(&far, false, script_keep_request);
	struct probe *probe =
		probe_open(&(struct probe_options){.url = far.url, .http_headers = &header, .http_header_count = 1});
	probe_wait_opened(probe);
	probe_close(probe, false);
	ws_listener_stop(far.listener);
	assert_int_equal(count_of(far.request, "\r\nHost:"), 1);
	assert_int_equal(count_of(far.request, "\r\nhost: elsewhere.example\r\n"), 1);
}

static struct CMUnitTest tests[ANSWERS + 64] = {
	cmocka_unit_test(chunked_101_refused),
	cmocka_unit_test(accept_twice_refused),
	cmocka_unit_test(subprotocol_twice_refused),
	cmocka_unit_test(continue_100_passed_over),
	cmocka_unit_test(plain_mqtt_port_told),
	cmocka_unit_test(tls_alert_told),
	cmocka_unit_test(banner_told),
	cmocka_unit_test(silent_close_told),
	cmocka_unit_test(half_answer_told),
	cmocka_unit_test(reset_told),
	cmocka_unit_test(tls_port_told),
	cmocka_unit_test(silence_times_out),
	cmocka_unit_test(refused_connection_told),
	cmocka_unit_test(unknown_ca_told),
	cmocka_unit_test(request_is_as_asked),
	cmocka_unit_test(own_host_header_wins),
};

int main(int argc, char **argv)
{
	size_t count = 0;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	while (tests[count].test_func)
		count++;
	for (size_t i = 0; i < ANSWERS; i++)
		tests[count++] = (struct CMUnitTest){
			.name = answers[i].name, .test_func = test_answer, .initial_state = (void *)&answers[i]};
	return _cmocka_run_group_tests("websocket: upgrade", tests, count, NULL, NULL);
}
