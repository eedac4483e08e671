/* SPDX-License-Identifier: Apache-2.0 */
/* versions.c: a broker that speaks only MQTT 3.1.1. */
#include "support/broker.h"
#include "support/user.h"

enum { QUICK_MS = 30000 };

static struct broker *broker;

static struct skiff_options version_options(enum skiff_version version)
{
	struct skiff_options options = {.version = version};
	broker_use(broker, BROKER_TCP, &options);
	return options;
}

static void round_trip(enum skiff_version version)
{
	struct skiff_options options = version_options(version);
	struct user *user = user_connected(&options);
	struct skiff_connection way;
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.mqtt_version, 4);
	user_subscribe(user, "old/+", 1);
	user_publish(user, "old/x", "x", 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_CONNECTING), 1);
	assert_true(watch_events_paired(user->watch));
	user_disconnect(user);
	user_free(user);
}

static void version_311_is_served(void **state)
{
	(void)state;
	round_trip(SKIFF_MQTT_311);
}

static void auto_falls_back(void **state)
{
	(void)state;
	round_trip(SKIFF_MQTT_AUTO);
}

static void version_5_is_refused_with_a_way_out(void **state)
{
	struct skiff_options options = version_options(SKIFF_MQTT_5);
	struct user *user = user_new(&options);
	struct skiff_token *token = skiff_connect(user->client);
	(void)state;
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	const char *text = skiff_token_error(token)->text;
	print_message("%s: %s\n", skiff_code_slug(code), text);
	assert_true(code == SKIFF_MQTT_VERSION || code == SKIFF_MQTT_CLOSED);
	assert_non_null(strstr(text, "MQTT 5"));
	skiff_token_free(token);
	user_free(user);
}

static int versions_start(void **state)
{
	(void)state;
	broker = broker_start(&(struct broker_options){.kind = BROKER_NATS});
	return 0;
}

static int versions_stop(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_311_is_served),
		cmocka_unit_test(auto_falls_back),
		cmocka_unit_test(version_5_is_refused_with_a_way_out),
	};
	return cmocka_run_group_tests(tests, versions_start, versions_stop);
}
