/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c: a door that wants a password. */
#include "support/broker.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 30000 };

static const char *const secret = "not-the-password";
static struct broker *broker;

static struct skiff_options password_options(enum skiff_version version)
{
	struct skiff_options options = {
		.version = version, .user_name = "rw", .reconnect = {.min_ms = 1, .max_ms = 10, .first_too = true}};
	broker_use(broker, BROKER_PASSWORD, &options);
	return options;
}

static void right_password_opens(void **state)
{
	(void)state;
	for (enum skiff_version version = SKIFF_MQTT_5; version <= SKIFF_MQTT_AUTO; version++) {
		struct skiff_options options = password_options(version);
		options.password = skiff_text("readwrite");
		struct user *user = user_connected(&options);
		user_free(user);
	}
}

static void password_in_the_url_opens(void **state)
{
	struct skiff_options options = {0};
	char url[128];
	struct skiff_connection way;
	(void)state;
	snprintf(url, sizeof url, "mqtt://rw:readwrite@127.0.0.1:%u", broker_port(broker, BROKER_PASSWORD));
	options.url = url;
	struct user *user = user_connected(&options);
	skiff_client_connection(user->client, &way);
	assert_null(strstr(way.url, "readwrite"));
	user_free(user);
}

/* No more attempts: they could only be refused again. */
static void expect_refusal(const struct skiff_options *options)
{
	struct user *user = user_new(options);
	struct skiff_error error;
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	if (code != SKIFF_MQTT_BAD_CREDENTIALS && code != SKIFF_MQTT_NOT_AUTHORISED)
		fail_msg("%s: %s", skiff_code_slug(code), skiff_token_error(token)->text);
	assert_null(strstr(skiff_token_error(token)->text, secret));
	skiff_client_error(user->client, &error);
	assert_int_equal(error.code, code);
	const struct watch_event *failed = watch_await_event(user->watch, SKIFF_EVENT_FAILED, 1, QUICK_MS);
	assert_non_null(failed);
	assert_int_equal(failed->event.retry_ms, -1);
	assert_null(strstr(failed->error.text, secret));
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_CONNECTING), 1);
	skiff_token_free(token);
	user_free(user);
}

static void wrong_password_is_not_tried_again(void **state)
{
	(void)state;
	for (enum skiff_version version = SKIFF_MQTT_5; version <= SKIFF_MQTT_AUTO; version++) {
		struct skiff_options options = password_options(version);
		options.password = skiff_text(secret);
		expect_refusal(&options);
	}
}

static void missing_password_is_not_tried_again(void **state)
{
	struct skiff_options options = password_options(SKIFF_MQTT_5);
	(void)state;
	expect_refusal(&options);
	options.user_name = NULL;
	expect_refusal(&options);
}

static int credentials_start(void **state)
{
	(void)state;
	broker = broker_start(
		&(struct broker_options){.kind = BROKER_MOSQUITTO, .doors = 1u << BROKER_PASSWORD | 1u << BROKER_TCP});
	return 0;
}

static int credentials_stop(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_password_opens),
		cmocka_unit_test(password_in_the_url_opens),
		cmocka_unit_test(wrong_password_is_not_tried_again),
		cmocka_unit_test(missing_password_is_not_tried_again),
	};
	return cmocka_run_group_tests(tests, credentials_start, credentials_stop);
}
