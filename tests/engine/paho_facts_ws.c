/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_ws.c: what Paho by itself does at the upgrade to a WebSocket. Above each fact stands what of the engine
 * relies on it. */
#include "support/bare_paho.h"
#include "support/ws_listener.h"

#include <stdio.h>

/* What the far end does, and what it was asked. */
struct door {
	const char *answer; /* with %s for the key's answer; NULL: as a good server does */
	char request[2048];
	struct waiting_count asked;
};

static void serve(struct ws_peer *peer, void *user)
{
	struct door *door = user;
	struct ws_peer_frame frame;
	char answer[512];
	if (!(door->answer ? ws_peer_read_request(peer) : ws_peer_upgrade(peer)))
		return;
	snprintf(door->request, sizeof door->request, "%s", ws_peer_request(peer));
	waiting_add(&door->asked);
	if (door->answer) {
		const char *key = strstr(door->answer, "KEY");
		int len = key ? (int)(key - door->answer) : (int)strlen(door->answer);
		int all = snprintf(answer, sizeof answer, "%.*s%s%s", len, door->answer,
			key ? ws_peer_accept(peer) : "", key ? key + 3 : "");
		ws_peer_send(peer, answer, (size_t)all);
	}
	if (ws_peer_read_frame(peer, &frame) && ws_peer_frame(peer, 0x82, "\x20\x02\0\0", 4))
		while (ws_peer_read_frame(peer, &frame))
			;
}

struct attempt {
	struct ws_listener *listener;
	struct bare *bare;
	MQTTAsync_connectOptions options;
};

static struct attempt attempt_start(struct door *door, const char *path)
{
	struct attempt attempt = {.listener = ws_listener_start(false, serve, door)};
	char url[128];
	assert_non_null(attempt.listener);
	snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", ws_listener_port(attempt.listener), path);
	attempt.bare = bare_new(url, MQTTVERSION_3_1_1);
	attempt.options = bare_options(attempt.bare);
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	return attempt;
}

static void attempt_end(struct attempt *attempt)
{
	bare_free(attempt->bare);
	ws_listener_stop(attempt->listener);
}

static void succeeds(struct door *door, const char *path)
{
	struct attempt attempt = attempt_start(door, path);
	assert_int_equal(MQTTAsync_connect(attempt.bare->handle, &attempt.options), 0);
	assert_true(bare_reach(&attempt.bare->ups, 1));
	attempt_end(&attempt);
}

static void fails(struct door *door)
{
	struct attempt attempt = attempt_start(door, "/mqtt");
	bare_fails(attempt.bare, &attempt.options, MQTTASYNC_FAILURE, "socket error");
	attempt_end(&attempt);
}

#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

/* ---- the request ---- */

/* paho_options.c: options_uri always writes the path; capability.c (WS_SUBPROTOCOL): always "mqtt". */
static void request_has_port_and_subprotocol_and_a_path_of_its_own(void **state)
{
	struct door door = {0};
	char host[64];
	(void)state;
	struct attempt attempt = attempt_start(&door, "");
	snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", ws_listener_port(attempt.listener));
	assert_int_equal(MQTTAsync_connect(attempt.bare->handle, &attempt.options), 0);
	assert_true(bare_reach(&attempt.bare->ups, 1));
	attempt_end(&attempt);
	assert_int_equal(strncmp(door.request, "GET /mqtt HTTP/1.1\r\n", 20), 0);
	assert_non_null(strstr(door.request, host));
	assert_non_null(strstr(door.request, "\r\nSec-WebSocket-Protocol: mqtt\r\n"));
}

/* paho_options.c: options_uri. */
static void path_and_query_are_sent(void **state)
{
	struct door door = {0};
	(void)state;
	succeeds(&door, "/way/in?key=value");
	assert_int_equal(strncmp(door.request, "GET /way/in?key=value HTTP/1.1\r\n", 32), 0);
}

/* capability.c: asked_ws_colon refuses such a path. */
static void colon_in_the_path_is_taken_for_the_port(void **state)
{
	struct door door = {0};
	struct attempt attempt = attempt_start(&door, "/a:1");
	char host[64];
	(void)state;
	snprintf(host, sizeof host, "127.0.0.1:%u/a", ws_listener_port(attempt.listener));
	bare_fails(attempt.bare, &attempt.options, MQTTASYNC_FAILURE, "");
	assert_string_equal(bare_looked_up(), host);
	assert_int_equal(ws_listener_taken(attempt.listener), 0);
	attempt_end(&attempt);
}

/* ---- the answer ---- */

/* capability.c (WS_SUBPROTOCOL): what the server chose is not looked at. */
static void subprotocol_of_the_answer_is_not_checked(void **state)
{
	(void)state;
	succeeds(&(struct door){.answer = SWITCHING "Sec-WebSocket-Accept: KEY\r\n\r\n"}, "/mqtt");
	succeeds(
		&(struct door){.answer = SWITCHING "Sec-WebSocket-Accept: KEY\r\nSec-WebSocket-Protocol: chat\r\n\r\n"},
		"/mqtt");
}

/* paho_trace.c: trace_http; paho_cause.c makes an error of the status. */
static void other_status_is_told_by_the_trace_only(void **state)
{
	char line[BARE_TEXT];
	(void)state;
	fails(&(struct door){.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"});
	assert_true(bare_traced("WebSocket HTTP rc ", line));
	assert_string_equal(line, "WebSocket HTTP rc 404");
}

/* paho_trace.c: trace_not_upgraded. */
static void wrong_key_is_told_by_the_trace_only(void **state)
{
	(void)state;
	fails(&(struct door){.answer = SWITCHING "Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n"});
	assert_true(bare_traced("WebSocket failed to upgrade", NULL));
}

/* The same; paho_cause.c says that the answer may not have come in one piece. */
static void answer_must_come_in_one_piece(void **state)
{
	(void)state;
	fails(&(struct door){.answer = SWITCHING "Sec-WebSocket-Accept: KEY\r\n"});
	assert_true(bare_traced("WebSocket HTTP upgrade response", NULL));
}

static int start(void **state)
{
	(void)state;
	bare_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_has_port_and_subprotocol_and_a_path_of_its_own),
		cmocka_unit_test(path_and_query_are_sent),
		cmocka_unit_test(colon_in_the_path_is_taken_for_the_port),
		cmocka_unit_test(subprotocol_of_the_answer_is_not_checked),
		cmocka_unit_test(other_status_is_told_by_the_trace_only),
		cmocka_unit_test(wrong_key_is_told_by_the_trace_only),
		cmocka_unit_test(answer_must_come_in_one_piece),
	};
	return cmocka_run_group_tests_name("paho_facts_ws", tests, start, NULL);
}
