/* SPDX-License-Identifier: Apache-2.0 */
/* refusals.c: far ends that do not want us, each in its own way, and what the client makes of it. */
#include "support/far_broker.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 20000 };

/* What the far end does with a connection; the version it wants, 0: any. */
struct refusal {
	const char *answer; /* raw bytes instead of CONNACK */
	size_t len;
	enum skiffi_protocol serves; /* ... unless CONNECT is of this version */
	const struct skiff_properties *properties;
	uint8_t reason; /* with `answer` NULL: CONNACK with this reason; 0: the connection ends at once */
	bool after;     /* the reason comes in a DISCONNECT after an accepting CONNACK */
};

static void refuse(struct far_client *client, void *user)
{
	const struct refusal *refusal = user;
	if (!far_read_connect(client))
		return;
	if (refusal->serves == client->version) {
		if (far_send_connack(client, 0, false, NULL))
			far_serve(client);
	} else if (refusal->after) {
		far_send_connack(client, 0, false, NULL);
		far_send(client, (uint8_t[]){0xe0, 2, refusal->reason, 0}, 4);
		far_ignore(client);
	} else if (refusal->answer) {
		far_send(client, refusal->answer, refusal->len);
		far_ignore(client);
	} else if (refusal->reason) {
		far_send_connack(client, refusal->reason, false, refusal->properties);
		far_ignore(client);
	}
}

static struct skiff_token *refused_connect(
	const struct refusal *refusal, struct skiff_options *options, struct far_broker **broker, struct user **user)
{
	*broker = far_broker_start(refuse, (void *)refusal);
	options->url = far_broker_url(*broker);
	*user = user_new(options);
	return skiff_connect((*user)->client);
}

/* The connect ends with `code`, in a sentence that has `word`, and no second attempt is made unless it `heals`. */
static void expect_refusal(
	const struct refusal *refusal, struct skiff_options options, enum skiff_code code, const char *word)
{
	struct far_broker *broker;
	struct user *user;
	struct skiff_token *token = refused_connect(refusal, &options, &broker, &user);
	enum skiff_code got = skiff_token_wait(token, QUICK_MS);
	const char *text = skiff_token_error(token)->text;
	if (got != code || !strstr(text, word))
		fail_msg("%s instead of %s with '%s': %s", skiff_code_slug(got), skiff_code_slug(code), word, text);
	const struct watch_event *failed = watch_await_event(user->watch, SKIFF_EVENT_FAILED, 1, QUICK_MS);
	assert_non_null(failed);
	assert_int_equal(failed->error.code, code);
	assert_int_equal(failed->event.retry_ms, -1);
	skiff_token_free(token);
	user_free(user);
	far_broker_stop(broker);
}

/* Three ways in which a broker of 3.1.1 says that it knows no 5. */
static const struct refusal old_code = {.answer = "\x20\x02\x00\x01", .len = 4, .serves = SKIFFI_V311};
static const struct refusal new_code = {.reason = 0x84, .serves = SKIFFI_V311};
static const struct refusal silent_end = {.serves = SKIFFI_V311};

static void version_5_is_refused_with_a_way_out(void **state)
{
	struct skiff_options options = {.reconnect = {.first_too = true}};
	(void)state;
	expect_refusal(&old_code, options, SKIFF_MQTT_VERSION, "MQTT 5");
	expect_refusal(&new_code, options, SKIFF_MQTT_VERSION, "MQTT 5");
	options.reconnect.first_too = false;
	expect_refusal(&silent_end, options, SKIFF_MQTT_CLOSED, "MQTT 5");
}

static void expect_fallback(const struct refusal *refusal)
{
	struct skiff_options options = {.version = SKIFF_MQTT_AUTO};
	struct far_broker *broker;
	struct user *user;
	struct skiff_connection way;
	user_expect(refused_connect(refusal, &options, &broker, &user), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.mqtt_version, 4);
	assert_int_equal(way.reason, 0);
	user_publish(user, "t", "x", 1);
	/* one attempt as far as the user is concerned */
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_CONNECTING), 1);
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_FAILED), 0);
	user_disconnect(user);
	user_free(user);
	assert_int_equal(far_broker_connections(broker), 2);
	far_broker_stop(broker);
}

static void auto_falls_back_from_every_refusal(void **state)
{
	(void)state;
	expect_fallback(&old_code);
	expect_fallback(&new_code);
	expect_fallback(&silent_end);
}

static void auto_stays_with_5_where_it_is_served(void **state)
{
	static const struct refusal serves_5 = {.serves = SKIFFI_V5};
	struct skiff_options options = {.version = SKIFF_MQTT_AUTO};
	struct far_broker *broker;
	struct user *user;
	struct skiff_connection way;
	(void)state;
	user_expect(refused_connect(&serves_5, &options, &broker, &user), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.mqtt_version, 5);
	user_free(user);
	far_broker_stop(broker);
}

static void return_codes_have_their_errors(void **state)
{
	static const enum skiff_code codes[] = {[1] = SKIFF_MQTT_VERSION,
		[2] = SKIFF_MQTT_CLIENT_ID,
		[3] = SKIFF_MQTT_UNAVAILABLE,
		[4] = SKIFF_MQTT_BAD_CREDENTIALS,
		[5] = SKIFF_MQTT_NOT_AUTHORISED};
	(void)state;
	for (uint8_t i = 1; i <= 5; i++)
		expect_refusal(&(struct refusal){.reason = i}, (struct skiff_options){.version = SKIFF_MQTT_311},
			codes[i], "");
}

static void reasons_have_their_errors(void **state)
{
	static const struct {
		uint8_t reason;
		enum skiff_code code;
	} cases[] = {{0x80, SKIFF_MQTT_REFUSED}, {0x85, SKIFF_MQTT_CLIENT_ID}, {0x86, SKIFF_MQTT_BAD_CREDENTIALS},
		{0x87, SKIFF_MQTT_NOT_AUTHORISED}, {0x88, SKIFF_MQTT_UNAVAILABLE}, {0x89, SKIFF_MQTT_UNAVAILABLE},
		{0x8a, SKIFF_MQTT_BANNED}, {0x97, SKIFF_MQTT_REFUSED}, {0x9f, SKIFF_MQTT_UNAVAILABLE}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_refusal(
			&(struct refusal){.reason = cases[i].reason}, (struct skiff_options){0}, cases[i].code, "");
}

static void unhealable_refusal_ends_all_attempts(void **state)
{
	struct skiff_options options = {.reconnect = {.first_too = true, .min_ms = 1, .max_ms = 1}};
	(void)state;
	expect_refusal(&(struct refusal){.reason = 0x87}, options, SKIFF_MQTT_NOT_AUTHORISED, "");
}

static void healing_refusal_is_tried_again(void **state)
{
	static const struct refusal busy = {.reason = 0x89};
	struct skiff_options options = {.reconnect = {.first_too = true, .min_ms = 1, .max_ms = 2}};
	struct far_broker *broker;
	struct user *user;
	(void)state;
	struct skiff_token *token = refused_connect(&busy, &options, &broker, &user);
	const struct watch_event *fifth = watch_await_event(user->watch, SKIFF_EVENT_FAILED, 5, QUICK_MS);
	assert_non_null(fifth);
	assert_in_range(fifth->event.retry_ms, 0, 2);
	assert_false(skiff_token_done(token));
	skiff_client_free(user->client);
	user->client = NULL;
	user_expect(token, SKIFF_CLOSED);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	far_broker_stop(broker);
}

/* Each delay told lies within the bound that its attempt has, and the attempt comes no earlier. */
static void delays_lie_within_their_bounds(void **state)
{
	static const struct refusal busy = {.reason = 0x88};
	static const int bounds[] = {20, 40, 80, 100, 100, 100};
	struct skiff_options options = {.reconnect = {.first_too = true, .min_ms = 20, .max_ms = 100}};
	struct far_broker *broker;
	struct user *user;
	(void)state;
	skiff_token_free(refused_connect(&busy, &options, &broker, &user));
	for (unsigned i = 0; i < 6; i++) {
		const struct watch_event *failed = watch_await_event(user->watch, SKIFF_EVENT_FAILED, i + 1, QUICK_MS);
		const struct watch_event *next =
			watch_await_event(user->watch, SKIFF_EVENT_CONNECTING, i + 2, QUICK_MS);
		assert_non_null(failed);
		assert_non_null(next);
		assert_in_range(failed->event.retry_ms, 0, bounds[i]);
		assert_true(next->at_ms - failed->at_ms >= failed->event.retry_ms - 1);
		assert_int_equal(next->event.attempt, i + 2);
	}
	user_free(user);
	far_broker_stop(broker);
}

static void other_protocols_are_recognised(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	static const char ssh[] = "SSH-2.0-OpenSSH_9.2p1\r\n";
	(void)state;
	expect_refusal(&(struct refusal){.answer = http, .len = sizeof http - 1}, (struct skiff_options){0},
		SKIFF_WRONG_PROTOCOL, "");
	expect_refusal(&(struct refusal){.answer = ssh, .len = sizeof ssh - 1}, (struct skiff_options){0},
		SKIFF_WRONG_PROTOCOL, "");
}

static void session_after_a_clean_start_is_a_fault(void **state)
{
	(void)state;
	expect_refusal(&(struct refusal){.answer = "\x20\x03\x01\x00\x00", .len = 5}, (struct skiff_options){0},
		SKIFF_MQTT_PROTOCOL, "session");
}

static void say_nothing(struct far_client *client, void *user)
{
	(void)user;
	far_ignore(client);
}

static void silence_ends_in_time(void **state)
{
	struct far_broker *broker = far_broker_start(say_nothing, NULL);
	struct skiff_options options = {.url = far_broker_url(broker), .timeouts = {.mqtt_ms = 100}};
	struct user *user = user_new(&options);
	(void)state;
	int64_t start_ms = waiting_now_ms();
	user_expect(skiff_connect(user->client), SKIFF_MQTT_TIMEOUT);
	assert_in_range(waiting_now_ms() - start_ms, 99, 2000);
	user_free(user);
	options.timeouts = (struct skiff_timeouts){.total_ms = 100};
	user = user_new(&options);
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	assert_true(code == SKIFF_MQTT_TIMEOUT || code == SKIFF_TIMEOUT);
	skiff_token_free(token);
	user_free(user);
	far_broker_stop(broker);
}

static void failure_tells_how_far_it_came(void **state)
{
	static const struct skiff_properties words = {
		.reason_string = {"no thanks", 9}, .server_reference = {"other.example:1883", 18}};
	static const struct refusal moved = {.reason = 0x9d, .properties = &words};
	struct skiff_options options = {0};
	struct far_broker *broker;
	struct user *user;
	struct skiff_connection way;
	(void)state;
	struct skiff_token *token = refused_connect(&moved, &options, &broker, &user);
	assert_int_not_equal(skiff_token_wait(token, QUICK_MS), SKIFF_OK);
	assert_non_null(strstr(skiff_token_error(token)->text, "no thanks"));
	assert_int_equal(skiff_token_error(token)->detail, 0x9d);
	skiff_token_free(token);
	skiff_client_connection(user->client, &way);
	assert_string_equal(way.url, options.url);
	assert_string_equal(way.address, strstr(options.url, "127"));
	assert_true(way.phases.tcp_us >= 0);
	assert_int_equal(way.phases.tls_us, -1);
	assert_int_equal(way.phases.mqtt_us, -1);
	assert_int_equal(way.mqtt_version, 5);
	assert_int_equal(way.reason, 0x9d);
	assert_string_equal(way.reason_string, "no thanks");
	assert_string_equal(way.server_reference, "other.example:1883");
	user_free(user);
	far_broker_stop(broker);
}

static void refused_tcp_tells_its_address(void **state)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.manner = NET_REFUSES});
	struct user *user = user_new(&(struct skiff_options){.url = net_listener_url(listener)});
	struct skiff_connection way;
	(void)state;
	user_expect(skiff_connect(user->client), SKIFF_TCP_REFUSED);
	skiff_client_connection(user->client, &way);
	assert_string_equal(way.address, strstr(net_listener_url(listener), "127"));
	assert_int_equal(way.phases.tcp_us, -1);
	assert_int_equal(way.mqtt_version, 0);
	assert_int_equal(way.reason, -1);
	user_free(user);
	net_listener_stop(listener);
}

static void broker_that_disconnects_is_met_again(void **state)
{
	static const struct refusal restarting = {.after = true, .reason = 0x8b};
	struct skiff_options options = {.reconnect = {.min_ms = 1, .max_ms = 2}};
	struct far_broker *broker;
	struct user *user;
	(void)state;
	user_expect(refused_connect(&restarting, &options, &broker, &user), SKIFF_OK);
	const struct watch_event *third = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 3, QUICK_MS);
	assert_non_null(third);
	assert_int_equal(third->error.detail, 0x8b);
	assert_true(third->event.retry_ms >= 0);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	far_broker_stop(broker);
}

static void broker_that_bans_is_left_alone(void **state)
{
	static const struct refusal banning = {.after = true, .reason = 0x87};
	struct skiff_options options = {.reconnect = {.min_ms = 1, .max_ms = 2}};
	struct far_broker *broker;
	struct user *user;
	(void)state;
	user_expect(refused_connect(&banning, &options, &broker, &user), SKIFF_OK);
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	assert_int_equal(down->error.code, SKIFF_MQTT_NOT_AUTHORISED);
	assert_int_equal(down->event.retry_ms, -1);
	user_free(user);
	assert_int_equal(far_broker_connections(broker), 1);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_5_is_refused_with_a_way_out),
		cmocka_unit_test(auto_falls_back_from_every_refusal),
		cmocka_unit_test(auto_stays_with_5_where_it_is_served),
		cmocka_unit_test(return_codes_have_their_errors),
		cmocka_unit_test(reasons_have_their_errors),
		cmocka_unit_test(unhealable_refusal_ends_all_attempts),
		cmocka_unit_test(healing_refusal_is_tried_again),
		cmocka_unit_test(delays_lie_within_their_bounds),
		cmocka_unit_test(other_protocols_are_recognised),
		cmocka_unit_test(session_after_a_clean_start_is_a_fault),
		cmocka_unit_test(silence_ends_in_time),
		cmocka_unit_test(failure_tells_how_far_it_came),
		cmocka_unit_test(refused_tcp_tells_its_address),
		cmocka_unit_test(broker_that_disconnects_is_met_again),
		cmocka_unit_test(broker_that_bans_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
