/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_connect.c: what Paho by itself does when it connects and when a connection ends. Above each fact stands
 * what of the engine relies on it; a test that turns red here after an upgrade of Paho names what to look at. */
#include "support/bare_paho.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE_MS = 1000 };

/* ---- what it is ---- */

/* Nothing of the engine may ask for the version: Debian's 1.3.12 calls itself 1.3.11. */
static void version_is_told_as_1_3_11(void **state)
{
	const MQTTAsync_nameValue *info = MQTTAsync_getVersionInfo();
	(void)state;
	while (info->name && strcmp(info->name, "Version"))
		info++;
	assert_non_null(info->name);
	assert_string_equal(info->value, "1.3.11");
}

static int create(const char *url)
{
	MQTTAsync handle = NULL;
	int code = MQTTAsync_create(&handle, url, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL);
	if (handle)
		MQTTAsync_destroy(&handle);
	return code;
}

/* paho_options.c: options_scheme writes tcp, ssl, ws and wss; capability.c: no unix sockets. */
static void tls_and_unix_are_no_schemes(void **state)
{
	static const char *const taken[] = {"tcp", "ssl", "ws", "wss", "mqtt", "mqtts"};
	static const char *const refused[] = {"tls", "unix", "http"};
	char url[64];
	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		snprintf(url, sizeof url, "%s://127.0.0.1:1", taken[i]);
		assert_int_equal(create(url), MQTTASYNC_SUCCESS);
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		snprintf(url, sizeof url, "%s://127.0.0.1:1", refused[i]);
		assert_int_equal(create(url), MQTTASYNC_BAD_PROTOCOL);
	}
}

/* ---- what failures look like ---- */

/* paho_cause.c: -1 says nothing, so the name is looked up by our own resolver first. */
static void unknown_name_fails_without_a_word(void **state)
{
	struct bare *bare = bare_new("tcp://nowhere.test:1883", MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	(void)state;
	bare_fails(bare, &options, MQTTASYNC_FAILURE, "");
	assert_string_equal(bare_looked_up(), "nowhere.test");
	bare_free(bare);
}

/* paho_cause.c: -1 says nothing, so a second look by our own transport finds out. */
static void refusing_port_fails_without_a_cause(void **state)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.manner = NET_REFUSES});
	struct bare *bare = bare_new(net_listener_url(listener), MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	(void)state;
	bare_fails(bare, &options, MQTTASYNC_FAILURE, "TCP/TLS connect failure");
	bare_free(bare);
	net_listener_stop(listener);
}

static void refused(int version, uint8_t reason)
{
	struct bare_far far = {.connack = reason};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), version);
	MQTTAsync_connectOptions options = bare_options(bare);
	bare_fails(bare, &options, reason, "CONNACK return code");
	assert_int_equal(bare->reason, 0);
	bare_free(bare);
	far_broker_stop(broker);
}

/* paho_events.c: events_failure reads the reason of a refusing CONNACK from there. */
static void refusing_connack_has_its_reason_in_the_code(void **state)
{
	(void)state;
	refused(MQTTVERSION_3_1_1, 5);
	refused(MQTTVERSION_5, 0x87);
}

/* ---- the socket, shut down from outside ---- */

static void cut(void)
{
	int number = bare_trace_socket();
	assert_true(number >= 0);
	shutdown(number, SHUT_RDWR);
	close(number);
}

static void cut_fails_at_once(struct bare *bare, const char *text)
{
	int64_t start_ms = waiting_now_ms();
	cut();
	assert_true(bare_reach(&bare->failures, 1));
	assert_in_range(waiting_now_ms() - start_ms, 0, AT_ONCE_MS);
	assert_int_equal(bare->code, MQTTASYNC_FAILURE);
	assert_string_equal(bare->text, text);
	assert_int_equal(waiting_value(&bare->losts), 0);
	bare_free(bare);
}

/* paho_link.c: skiffi_paho_link_cut ends an attempt at any moment. */
static void cut_while_tcp_connects_fails_at_once(void **state)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.manner = NET_IGNORES});
	struct bare *bare = bare_new(net_listener_url(listener), MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	(void)state;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_trace_await("Connect pending"));
	cut_fails_at_once(bare, "TCP/TLS connect failure");
	net_listener_stop(listener);
}

/* The same. */
static void cut_in_the_tls_handshake_fails_at_once(void **state)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.manner = NET_SILENT});
	char url[64];
	(void)state;
	snprintf(url, sizeof url, "ssl://127.0.0.1:%u", net_listener_port(listener));
	struct bare *bare = bare_new(url, MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	MQTTAsync_SSLOptions tls = bare_tls(bare, NULL);
	options.ssl = &tls;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_trace_await("SSLSocket error WANT_READ/WANT_WRITE"));
	cut_fails_at_once(bare, "TCP/TLS connect failure");
	net_listener_stop(listener);
}

/* The same. */
static void cut_while_connack_is_awaited_fails_at_once(void **state)
{
	struct bare_far far = {.ignores = 1u << SKIFFI_CONNECT};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_5);
	MQTTAsync_connectOptions options = bare_options(bare);
	(void)state;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&far.seen[SKIFFI_CONNECT], 1));
	cut_fails_at_once(bare, "TCP connect completion failure");
	far_broker_stop(broker);
}

/* The same, for an end without DISCONNECT. */
static void cut_connection_is_lost_at_once_without_disconnect(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	(void)state;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	struct bare *bare = bare_connected(far_broker_url(broker), MQTTVERSION_5);
	int64_t start_ms = waiting_now_ms();
	cut();
	assert_true(bare_reach(&bare->losts, 1));
	assert_in_range(waiting_now_ms() - start_ms, 0, AT_ONCE_MS);
	bare_free(bare);
	far_broker_stop(broker);
	assert_int_equal(waiting_value(&far.seen[SKIFFI_DISCONNECT]), 0);
	assert_int_equal(waiting_value(&far.ends), 1);
}

/* paho_worker.c: worker_destroy cuts first, as an end that is no request must not look like one. */
static void destroying_a_connected_handle_sends_disconnect(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	(void)state;
	bare_free(bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1));
	far_broker_stop(broker);
	assert_int_equal(waiting_value(&far.seen[SKIFFI_DISCONNECT]), 1);
}

/* ---- the broker's DISCONNECT ---- */

/* paho_events.c: skiffi_paho_on_disconnected ends the connection itself. */
static void after_the_brokers_disconnect_no_loss_is_told(void **state)
{
	static const char disconnect[] = {(char)0xe0, 2, (char)0x8b, 0};
	struct bare_far far = {.greeting = disconnect, .greeting_len = sizeof disconnect};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_connected(far_broker_url(broker), MQTTVERSION_5);
	(void)state;
	assert_true(bare_reach(&bare->disconnects, 1));
	assert_int_equal(bare->peer_reason, 0x8b);
	assert_true(bare_reach(&far.ends, 1)); /* the socket is closed */
	assert_true(bare_stays(&bare->losts, 0));
	bare_free(bare);
	far_broker_stop(broker);
}

/* ---- the trace ---- */

/* paho_trace.c: between attempts the trace costs nothing. */
static void trace_is_silent_at_level_error(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	(void)state;
	bare_trace(MQTTASYNC_TRACE_ERROR);
	bare_free(bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1));
	assert_int_equal(bare_trace_lines(), 0);
	far_broker_stop(broker);
}

/* paho_trace.c: TRACE_STAMP_LEN, "20260131 120000.000 ". */
static void trace_lines_begin_with_a_stamp_of_20_bytes(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	char line[BARE_TEXT];
	unsigned date, time, ms;
	int len = 0;
	(void)state;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	bare_free(bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1));
	bare_trace_first(line);
	assert_int_equal(sscanf(line, "%8u %6u.%3u %n", &date, &time, &ms, &len), 3);
	assert_int_equal(len, 20);
	far_broker_stop(broker);
}

/* paho_trace.c: trace_new_socket, trace_connect_sent and the turns of a thread read these. */
static void trace_tells_of_socket_connect_and_turns(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	char line[BARE_TEXT], expected[BARE_TEXT];
	int number;
	(void)state;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	bare_free(bare_connected(far_broker_url(broker), MQTTVERSION_5));
	assert_true(bare_traced("New socket ", line));
	assert_int_equal(sscanf(line, "New socket %d for 127.0.0.1, port ", &number), 1);
	snprintf(expected, sizeof expected, "%d bare -> CONNECT version 5 ", number);
	assert_true(bare_traced(expected, NULL));
	assert_true(bare_traced("Connecting to serverURI ", NULL));
	assert_true(bare_traced("m->c->connect_state = ", NULL));
	far_broker_stop(broker);
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
		cmocka_unit_test(version_is_told_as_1_3_11),
		cmocka_unit_test(tls_and_unix_are_no_schemes),
		cmocka_unit_test(unknown_name_fails_without_a_word),
		cmocka_unit_test(refusing_port_fails_without_a_cause),
		cmocka_unit_test(refusing_connack_has_its_reason_in_the_code),
		cmocka_unit_test(cut_while_tcp_connects_fails_at_once),
		cmocka_unit_test(cut_in_the_tls_handshake_fails_at_once),
		cmocka_unit_test(cut_while_connack_is_awaited_fails_at_once),
		cmocka_unit_test(cut_connection_is_lost_at_once_without_disconnect),
		cmocka_unit_test(destroying_a_connected_handle_sends_disconnect),
		cmocka_unit_test(after_the_brokers_disconnect_no_loss_is_told),
		cmocka_unit_test(trace_is_silent_at_level_error),
		cmocka_unit_test(trace_lines_begin_with_a_stamp_of_20_bytes),
		cmocka_unit_test(trace_tells_of_socket_connect_and_turns),
	};
	return cmocka_run_group_tests_name("paho_facts_connect", tests, start, NULL);
}
