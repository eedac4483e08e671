/* SPDX-License-Identifier: Apache-2.0 */
/* connect_properties.c: everything that the options say for CONNECT and the upgrade reaches the far end, and what the
 * far end answers is shown. */
#include "support/far_broker.h"
#include "support/user.h"
#include "support/ws_listener.h"
#include <skiff/log.h>
#include <stdio.h>

enum { QUICK_MS = 20000, SEEN_BYTES = 4096 };

/* The first packet of the last connection. Under the lock of waiting.h. */
static struct {
	uint8_t bytes[SEEN_BYTES];
	size_t len;
} seen;

static void keep_connect(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	struct skiffi_connect connect;
	struct skiff_properties properties[2];
	struct skiffi_refusal why;
	if (!far_next(client, &frame) || frame.total_len > SEEN_BYTES ||
		!skiffi_connect_decode(&frame, &client->version, &connect, properties, &why))
		return;
	waiting_lock();
	seen.len = frame.total_len;
	memcpy(seen.bytes, skiffi_buffer_head(&client->input), seen.len);
	waiting_unlock();
	if (far_send_connack(client, 0, false, user))
		far_serve(client);
}

struct decoded {
	struct skiffi_connect connect;
	struct skiff_properties properties[2]; /* of the packet, of the will */
};

/* Connects with `options` and reads what came of them at the far end. */
static void decode_connect(struct skiff_options options, struct decoded *decoded)
{
	struct far_broker *broker = far_broker_start(keep_connect, NULL);
	struct skiffi_frame frame;
	struct skiffi_refusal why;
	enum skiffi_protocol version;
	options.url = far_broker_url(broker);
	struct user *user = user_connected(&options);
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(skiffi_frame_next(seen.bytes, seen.len, SIZE_MAX, &frame), SKIFFI_FRAME_OK);
	assert_true(skiffi_connect_decode(&frame, &version, &decoded->connect, decoded->properties, &why));
}

static void expect_bytes(struct skiff_bytes got, const char *wanted, size_t len)
{
	assert_non_null(got.data);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.data, wanted, len);
}

static void expect_text(struct skiff_bytes got, const char *wanted)
{
	expect_bytes(got, wanted, strlen(wanted));
}

static void expect_pairs(const struct skiff_properties *got, const struct skiff_user_property *pairs, size_t count)
{
	struct skiff_user_property pair;
	assert_int_equal(got->user_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_true(skiff_user_property_at(got, i, &pair));
		expect_text(pair.name, pairs[i].name.data);
		expect_text(pair.value, pairs[i].value.data);
	}
}

static const struct skiff_user_property pairs[] = {
	{{"who", 3}, {"me", 2}},
	{{"why", 3}, {"", 0}},
	{{"who", 3}, {"you", 3}},
};

static void every_connect_property_is_sent(void **state)
{
	enum { PAIRS = 3 };
	static const struct skiff_properties ours = {
		.has = SKIFF_HAS_RECEIVE_MAXIMUM | SKIFF_HAS_MAXIMUM_PACKET_SIZE | SKIFF_HAS_TOPIC_ALIAS_MAXIMUM |
		       SKIFF_HAS_REQUEST_RESPONSE_INFO | SKIFF_HAS_REQUEST_PROBLEM_INFO,
		.receive_maximum = 1234,
		.maximum_packet_size = 567890,
		.topic_alias_maximum = 17,
		.request_response_info = 1,
		.request_problem_info = 0,
		.user = pairs,
		.user_count = PAIRS,
	};
	struct skiff_options options = {.connect_properties = &ours, .session_expiry_s = 4711, .keep_alive_s = 123};
	struct decoded decoded;
	const struct skiff_properties *got = decoded.properties;
	(void)state;
	decode_connect(options, &decoded);
	assert_int_equal(got->has, ours.has | SKIFF_HAS_SESSION_EXPIRY);
	assert_int_equal(got->receive_maximum, 1234);
	assert_int_equal(got->maximum_packet_size, 567890);
	assert_int_equal(got->topic_alias_maximum, 17);
	assert_int_equal(got->request_response_info, 1);
	assert_int_equal(got->request_problem_info, 0);
	assert_int_equal(got->session_expiry_s, 4711);
	assert_int_equal(decoded.connect.keep_alive_s, 123);
	expect_pairs(got, pairs, PAIRS);
}

/* options.h: 65535, 32 and 268435460 bytes, which is any size. */
static void absent_connect_properties_have_their_defaults(void **state)
{
	struct decoded decoded;
	const struct skiff_properties *got = decoded.properties;
	(void)state;
	decode_connect((struct skiff_options){0}, &decoded);
	if (got->has & SKIFF_HAS_RECEIVE_MAXIMUM)
		assert_int_equal(got->receive_maximum, 65535);
	assert_int_equal(got->topic_alias_maximum, 32);
	if (got->has & SKIFF_HAS_MAXIMUM_PACKET_SIZE)
		assert_int_equal(got->maximum_packet_size, 268435460);
	assert_int_equal(got->user_count, 0);
	assert_int_equal(decoded.connect.keep_alive_s, 60);
	assert_true(decoded.connect.clean_start);
	assert_false(decoded.connect.has_will);
	assert_null(decoded.connect.user_name.data);
	assert_null(decoded.connect.password.data);
}

static void session_expiry_may_stand_with_the_properties(void **state)
{
	static const struct skiff_properties ours = {.has = SKIFF_HAS_SESSION_EXPIRY, .session_expiry_s = 99};
	struct decoded decoded;
	(void)state;
	decode_connect((struct skiff_options){.connect_properties = &ours}, &decoded);
	assert_int_equal(decoded.properties[0].session_expiry_s, 99);
	decode_connect((struct skiff_options){.client_id = "me", .resume_session = true}, &decoded);
	assert_true(decoded.properties[0].session_expiry_s == UINT32_MAX);
	assert_false(decoded.connect.clean_start);
}

static void every_will_property_is_sent(void **state)
{
	enum { PAIRS = 3 };
	static const struct skiff_properties ours = {
		.has = SKIFF_HAS_WILL_DELAY | SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_MESSAGE_EXPIRY,
		.will_delay_s = 11,
		.payload_format = 1,
		.message_expiry_s = 22,
		.content_type = {"text/plain", 10},
		.response_topic = {"answer/here", 11},
		.correlation_data = {"\0\1\2", 3},
		.user = pairs,
		.user_count = PAIRS,
	};
	struct skiff_options options = {
		.will = {.topic = skiff_text("will/topic"), .payload = skiff_text("gone"), .properties = &ours}};
	(void)state;
	for (uint8_t qos = 0; qos <= 2; qos++) {
		struct decoded decoded;
		const struct skiff_properties *got = &decoded.properties[1];
		options.will.qos = qos;
		options.will.retain = qos != 1;
		decode_connect(options, &decoded);
		assert_true(decoded.connect.has_will);
		expect_text(decoded.connect.will.topic, "will/topic");
		expect_text(decoded.connect.will.payload, "gone");
		assert_int_equal(decoded.connect.will.qos, qos);
		assert_int_equal(decoded.connect.will.retain, qos != 1);
		assert_int_equal(got->has, ours.has);
		assert_int_equal(got->will_delay_s, 11);
		assert_int_equal(got->payload_format, 1);
		assert_int_equal(got->message_expiry_s, 22);
		expect_text(got->content_type, "text/plain");
		expect_text(got->response_topic, "answer/here");
		expect_bytes(got->correlation_data, "\0\1\2", 3);
		expect_pairs(got, pairs, PAIRS);
	}
}

static void credentials_are_sent(void **state)
{
	struct skiff_options options = {.client_id = "id", .user_name = "me", .password = {"a\0b", 3}};
	(void)state;
	for (int version = SKIFF_MQTT_5; version <= SKIFF_MQTT_311; version++) {
		struct decoded decoded;
		options.version = (enum skiff_version)version;
		decode_connect(options, &decoded);
		expect_text(decoded.connect.client_id, "id");
		expect_text(decoded.connect.user_name, "me");
		expect_bytes(decoded.connect.password, "a\0b", 3);
	}
}

static void response_information_is_shown(void **state)
{
	static const struct skiff_properties answer = {.response_information = {"answers/of/42", 13}};
	static const struct skiff_properties ours = {
		.has = SKIFF_HAS_REQUEST_RESPONSE_INFO, .request_response_info = 1};
	struct far_broker *broker = far_broker_start(keep_connect, (void *)&answer);
	struct skiff_options options = {.url = far_broker_url(broker), .connect_properties = &ours};
	struct user *user = user_connected(&options);
	struct skiff_connection way;
	(void)state;
	skiff_client_connection(user->client, &way);
	assert_string_equal(way.response_information, "answers/of/42");
	user_free(user);
	far_broker_stop(broker);
}

static void keep_request(struct ws_peer *peer, void *user)
{
	(void)user;
	if (!ws_peer_read_request(peer))
		return;
	waiting_lock();
	snprintf((char *)seen.bytes, sizeof seen.bytes, "%s", ws_peer_request(peer));
	waiting_unlock();
	ws_peer_say(peer, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
}

static void http_headers_reach_the_upgrade(void **state)
{
	static const struct skiff_user_property headers[] = {
		{{"Authorization", 13}, {"Bearer abc.def", 14}},
		{{"X-Empty", 7}, {"", 0}},
	};
	char url[64];
	struct ws_listener *listener = ws_listener_start(false, keep_request, NULL);
	(void)state;
	assert_non_null(listener);
	snprintf(url, sizeof url, "ws://127.0.0.1:%u/mqtt", ws_listener_port(listener));
	struct user *user =
		user_new(&(struct skiff_options){.url = url, .http_headers = headers, .http_header_count = 2});
	user_expect(skiff_connect(user->client), SKIFF_WS_FORBIDDEN);
	user_free(user);
	ws_listener_stop(listener);
	assert_non_null(strstr((const char *)seen.bytes, "\r\nAuthorization: Bearer abc.def\r\n"));
	assert_non_null(strstr((const char *)seen.bytes, "\r\nX-Empty:"));
}

/* ---- words about what is unsafe ---- */

static struct {
	unsigned warnings; /* that speak of a password; under the lock of waiting.h */
	bool secret;
} logged;

static void keep_log(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	(void)component;
	(void)user;
	waiting_lock();
	logged.warnings += level == SKIFF_LOG_WARN && strstr(line, "password") && strstr(line, "not encrypted");
	logged.secret |= strstr(line, "c4n4ry") != NULL;
	waiting_unlock();
}

static unsigned warnings_for(const char *url, const char *password)
{
	struct skiff_options options = {.url = url, .user_name = "me", .password = skiff_text(password)};
	struct skiff_error error = {0};
	logged.warnings = 0;
	skiff_log_set(SKIFF_LOG_TRACE, keep_log, NULL);
	struct skiff_client *client = skiff_client_new(&options, &error);
	skiff_client_free(client);
	skiff_log_set(SKIFF_LOG_NONE, NULL, NULL);
	if (!client)
		fail_msg("%s: %s", url, error.text);
	assert_false(logged.secret);
	return logged.warnings;
}

static void password_in_the_open_is_warned_about(void **state)
{
	(void)state;
	assert_int_equal(warnings_for("mqtt://broker.invalid", "c4n4ry"), 1);
	assert_int_equal(warnings_for("ws://broker.invalid/mqtt", "c4n4ry"), 1);
	assert_int_equal(warnings_for("mqtt://me:c4n4ry@broker.invalid", NULL), 1);
	assert_int_equal(warnings_for("mqtt://broker.invalid", NULL), 0);
	assert_int_equal(warnings_for("mqtts://broker.invalid", "c4n4ry"), 0);
	assert_int_equal(warnings_for("wss://broker.invalid/mqtt", "c4n4ry"), 0);
	assert_int_equal(warnings_for("unix:///tmp/nobody", "c4n4ry"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_connect_property_is_sent),
		cmocka_unit_test(absent_connect_properties_have_their_defaults),
		cmocka_unit_test(session_expiry_may_stand_with_the_properties),
		cmocka_unit_test(every_will_property_is_sent),
		cmocka_unit_test(credentials_are_sent),
		cmocka_unit_test(response_information_is_shown),
		cmocka_unit_test(http_headers_reach_the_upgrade),
		cmocka_unit_test(password_in_the_open_is_warned_about),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
