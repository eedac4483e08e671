/* SPDX-License-Identifier: Apache-2.0 */
/* times.c: reconnect.stable_ms and timeouts.total_ms, by the clock. */
#include "support/far_broker.h"
#include "support/user.h"
#include <stdio.h>

#ifdef TESTS_SANITIZED
enum { LATE_MS = 1000 };
#else
enum { LATE_MS = 150 };
#endif
enum { QUICK_MS = 20000, TOTAL_MS = 300, FOREVER = -1 };

/* ---- the count of attempts ---- */

static unsigned held_connections; /* connections that the test has let go; under the lock of waiting.h */

static bool let_go(const void *subject)
{
	return held_connections >= *(const unsigned *)subject;
}

/* Greets, and ends each connection when the test says so. */
static void hold_until_told(struct far_client *client, void *user)
{
	(void)user;
	if (far_greet(client, NULL))
		waiting_until(let_go, &client->number, QUICK_MS);
}

static bool time_has_come(const void *subject)
{
	return waiting_now_ms() >= *(const int64_t *)subject;
}

/* Ends the `nth` connection when it has held `ms`; the number of the attempt that follows, and how long it held. */
static unsigned attempt_after(struct user *user, unsigned nth, int64_t ms, int64_t *held_ms)
{
	const struct watch_event *up = watch_await_event(user->watch, SKIFF_EVENT_CONNECTED, nth, QUICK_MS);
	assert_non_null(up);
	int64_t until_ms = up->at_ms + ms;
	assert_true(waiting_poll(time_has_come, &until_ms, QUICK_MS));
	waiting_lock();
	held_connections = nth;
	waiting_unlock();
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, nth, QUICK_MS);
	const struct watch_event *next = watch_await_event(user->watch, SKIFF_EVENT_CONNECTING, nth + 1, QUICK_MS);
	assert_non_null(down);
	assert_non_null(next);
	*held_ms = down->at_ms - up->at_ms;
	return next->event.attempt;
}

static void attempts_count_anew_only_after_what_held(void **state)
{
	enum { STABLE_MS = 600 };
	static const int64_t holds_ms[] = {0, 150, 0, STABLE_MS + 50, 0, 0, STABLE_MS + 50};
	unsigned expected = 1;
	held_connections = 0;
	struct far_broker *broker = far_broker_start(hold_until_told, NULL);
	struct skiff_options options = {
		.url = far_broker_url(broker), .reconnect = {.min_ms = 1, .max_ms = 2, .stable_ms = STABLE_MS}};
	struct user *user = user_connected(&options);
	(void)state;
	assert_int_equal(watch_await_event(user->watch, SKIFF_EVENT_CONNECTING, 1, QUICK_MS)->event.attempt, 1);
	for (unsigned i = 0; i < sizeof holds_ms / sizeof *holds_ms; i++) {
		int64_t held_ms;
		unsigned attempt = attempt_after(user, i + 1, holds_ms[i], &held_ms);
		if (holds_ms[i] < STABLE_MS && held_ms >= STABLE_MS - 10)
			expected = attempt - 1; /* this machine was too slow to say */
		expected = holds_ms[i] > STABLE_MS ? 1 : expected + 1;
		assert_int_equal(attempt, expected);
	}
	waiting_lock();
	held_connections = UINT32_MAX;
	waiting_unlock();
	user_free(user);
	far_broker_stop(broker);
}

/* ---- the limit over all phases ---- */

static void say_nothing(struct net_peer *peer, void *user)
{
	char buffer[512];
	(void)user;
	while (net_peer_read(peer, buffer, sizeof buffer))
		;
}

/* The limit over all phases ends the one that lasts too long, without the phase's own. */
static void expect_total(enum net_kind kind, enum net_manner manner, const char *scheme, enum skiff_code phase)
{
	struct net_options far = {.kind = kind, .manner = manner, .script = say_nothing};
	struct net_listener *listener = net_listener_start(&far);
	char url[NET_URL_BYTES];
	snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, net_listener_port(listener));
	struct skiff_options options = {.url = url,
		.timeouts = {FOREVER, FOREVER, FOREVER, FOREVER, FOREVER, TOTAL_MS},
		.reconnect = {.off = true},
		.tls = {.ca_file = net_listener_ca(listener)}};
	struct user *user = user_new(&options);
	int64_t start_ms = waiting_now_ms();
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	int64_t spent_ms = waiting_now_ms() - start_ms;
	if (code != SKIFF_TIMEOUT && code != phase)
		fail_msg("%s: %s: %s", scheme, skiff_code_slug(code), skiff_token_error(token)->text);
	if (spent_ms < TOTAL_MS - 1 || spent_ms > TOTAL_MS + LATE_MS)
		fail_msg("%s: it took %d ms", scheme, (int)spent_ms);
	skiff_token_free(token);
	user_free(user);
	net_listener_stop(listener);
}

static void total_time_alone_ends_every_phase(void **state)
{
	(void)state;
	expect_total(NET_TCP, NET_IGNORES, "mqtt", SKIFF_TCP_TIMEOUT);
	expect_total(NET_TLS, NET_SILENT, "mqtts", SKIFF_TLS_TIMEOUT);
	expect_total(NET_TCP, NET_SERVES, "ws", SKIFF_WS_TIMEOUT);
	expect_total(NET_TCP, NET_SERVES, "mqtt", SKIFF_MQTT_TIMEOUT);
	expect_total(NET_TLS, NET_SERVES, "mqtts", SKIFF_MQTT_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_count_anew_only_after_what_held),
		cmocka_unit_test(total_time_alone_ends_every_phase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
