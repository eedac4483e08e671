/* SPDX-License-Identifier: Apache-2.0 */
/* cuts.c: a broker that stays and a way to it that does not: cut at any byte, stalled, refused. A
 * process for each test, with a broker of its own, as most of them wait. */
#include "support/broker.h"
#include "support/relay.h"
#include "support/shares.h"
#include "support/user.h"
#include <stdio.h>
#include <time.h>

#ifdef TESTS_SANITIZED
enum { NUMBERS = 1000 };
#else
enum { NUMBERS = 4000 };
#endif

enum { QUICK_MS = 60000, RECONNECTS = 50, CUT_BYTES = 1500 };

static struct broker *broker;

struct tally {
	struct waiting_count distinct;
	unsigned seen[NUMBERS];
	unsigned repeats, fresh_repeats, misplaced; /* fresh: not marked as repeated by the broker */
	uint32_t next;
};

static void tally_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct tally *tally = user;
	uint32_t number = UINT32_MAX;
	(void)client;
	if (message->payload.len == sizeof number)
		memcpy(&number, message->payload.data, sizeof number);
	if (number >= NUMBERS) {
		tally->misplaced++;
	} else if (tally->seen[number]++) {
		tally->repeats++;
		tally->fresh_repeats += !message->dup;
	} else {
		tally->misplaced += number != tally->next;
		tally->next = number + 1;
		waiting_add(&tally->distinct);
	}
}

static struct skiff_options cut_options(const struct relay *relay, const char *id)
{
	return (struct skiff_options){.url = relay_url(relay),
		.client_id = id,
		.resume_session = id != NULL,
		.reconnect = {.min_ms = 1, .max_ms = 10, .first_too = true}};
}

/* A short sequence of pseudo-random numbers that a failed run can repeat by its seed. */
static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static uint32_t random_seed(void)
{
	const char *given = getenv("TESTS_SEED");
	uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)time(NULL);
	print_message("TESTS_SEED=%u\n", seed);
	return seed;
}

static void send_number(struct user *from, uint32_t number, uint8_t qos)
{
	struct skiff_message message = {
		.topic = skiff_text("numbers"), .payload = {&number, sizeof number}, .qos = qos};
	assert_int_equal(skiff_publish_message(from->client, &message, NULL), SKIFF_OK);
}

/* Fewer where each reconnect takes a second, as with Paho. */
static uint32_t numbers_len(void)
{
	return user_engine_can(SKIFF_CAN_APART) ? NUMBERS : NUMBERS / 4;
}

static void numbers_over_cuts(uint8_t qos, bool cut_far, struct tally *tally)
{
	static const char *const ids[][2] = {[1] = {"from1", "to1"}, [2] = {"from2", "to2"}, [3] = {"from3", "to3"}};
	const unsigned pair = qos == 2 && cut_far ? 3 : qos; /* no test meets the sessions of another */
	struct relay *near = relay_start(broker_port(broker, BROKER_TCP)),
		     *far = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options from_options = cut_options(near, ids[pair][0]);
	struct skiff_options to_options = cut_options(far, ids[pair][1]);
	struct user *from = user_connected(&from_options), *to = user_connected(&to_options);
	uint32_t random = random_seed();
	user_expect(skiff_subscribe(to->client, "numbers", 2, tally_message, tally), SKIFF_OK);
	const uint32_t len = numbers_len();
	for (uint32_t number = 0; number < len; number++) {
		send_number(from, number, qos);
		if (number % 40 == 0) {
			relay_cut_after(near, 1 + random_next(&random) % CUT_BYTES);
			if (cut_far)
				relay_cut_after(far, 1 + random_next(&random) % CUT_BYTES);
		}
		if (number % 40 == 39)
			assert_true(waiting_reach(&tally->distinct, number / 2, QUICK_MS));
	}
	bool all = waiting_reach(&tally->distinct, len, QUICK_MS);
	if (!all)
		fail_msg("%u of %u came", (unsigned)waiting_value(&tally->distinct), len);
	assert_int_equal(skiff_flush(from->client, QUICK_MS), SKIFF_OK);
	assert_true(relay_connections(near) > 5 && (!cut_far || relay_connections(far) > 5));
	assert_true(watch_events_paired(from->watch) && watch_events_paired(to->watch));
	assert_int_equal(watch_events_of(from->watch, SKIFF_EVENT_SESSION_LOST), 0);
	user_free(from);
	user_free(to);
	relay_stop(near);
	relay_stop(far);
}

static void qos1_at_least_once_over_cuts(void **state)
{
	static struct tally tally;
	(void)state;
	numbers_over_cuts(1, true, &tally);
	assert_int_equal(tally.misplaced, 0);
}

static void qos2_sent_exactly_once_over_cuts(void **state)
{
	static struct tally tally;
	(void)state;
	numbers_over_cuts(2, false, &tally);
	assert_int_equal(tally.repeats, 0);
	assert_int_equal(tally.misplaced, 0);
}

/* Mosquitto 2.0.11 sends a PUBLISH again, marked as repeated, for which it has had PUBREC, when the connection is cut
 * twice before its PUBREL is through. For the client that is a new message: PUBREL had ended the first one. */
static void qos2_both_ways_over_any_cuts(void **state)
{
	static struct tally tally;
	(void)state;
	numbers_over_cuts(2, true, &tally);
	if (user_engine_can(SKIFF_CAN_DUP_QOS2)) /* else the broker's own repeats look like the publisher's */
		assert_int_equal(tally.fresh_repeats, 0);
	assert_int_equal(tally.misplaced, 0);
}

/* So here each exchange is through before the next cut: what the broker has had two answers for after the last message
 * has answers for all before. */
static void qos2_received_exactly_once_over_single_cuts(void **state)
{
	enum { BATCH = 25, BATCHES = 40 };
	static struct tally tally;
	struct relay *relay = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options plain = {.url = broker_url(broker, BROKER_TCP)}, options = cut_options(relay, "to4");
	struct user *from = user_connected(&plain), *to = user_connected(&options);
	uint32_t random = random_seed(), number = 0;
	(void)state;
	user_expect(skiff_subscribe(to->client, "numbers", 2, tally_message, &tally), SKIFF_OK);
	for (unsigned batch = 1; batch <= BATCHES; batch++) {
		relay_cut_after(relay, 1 + random_next(&random) % (BATCH * 30));
		while (number < batch * BATCH)
			send_number(from, number++, 2);
		assert_true(waiting_reach(&tally.distinct, number, QUICK_MS));
		user_publish(to, "fence", "", 1);
		user_publish(to, "fence", "", 1);
	}
	assert_true(relay_connections(relay) > BATCHES / 2);
	assert_int_equal(tally.repeats, 0);
	assert_int_equal(tally.misplaced, 0);
	user_free(from);
	user_free(to);
	relay_stop(relay);
}

static void events_come_in_pairs_over_many_reconnects(void **state)
{
	struct relay *relay = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options options = cut_options(relay, NULL);
	struct skiff_statistics statistics;
	(void)state;
	struct user *user = user_connected(&options);
	for (unsigned i = 1; i <= RECONNECTS; i++) {
		relay_cut(relay);
		const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, i, QUICK_MS);
		assert_non_null(down);
		assert_int_equal(skiff_code_class(down->error.code), SKIFF_CLASS_TCP);
		assert_in_range(down->event.retry_ms, 0, 10);
		assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_CONNECTED, i + 1, QUICK_MS));
	}
	assert_true(watch_events_paired(user->watch));
	skiff_client_statistics(user->client, &statistics);
	assert_int_equal(statistics.connects, RECONNECTS + 1);
	assert_int_equal(statistics.reconnects, RECONNECTS);
	assert_int_equal(statistics.disconnects, RECONNECTS);
	assert_int_equal(statistics.attempts, RECONNECTS + 1);
	user_disconnect(user);
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_DISCONNECTED), RECONNECTS + 1);
	user_free(user);
	relay_stop(relay);
}

static void stalled_way_is_noticed(void **state)
{
	user_needs(SKIFF_CAN_PING_TIMEOUT);
	struct relay *relay = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options options = cut_options(relay, NULL);
	(void)state;
	options.keep_alive_s = 1;
	options.ping_timeout_ms = 300;
	struct user *user = user_connected(&options);
	user_subscribe(user, "stalled", 1);
	relay_stall(relay, true);
	struct skiff_token *token = skiff_publish(user->client, "stalled", "x", 1, 1, false);
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	assert_int_equal(down->error.code, SKIFF_MQTT_KEEP_ALIVE);
	relay_stall(relay, false);
	user_expect(token, SKIFF_OK);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	user_free(user);
	relay_stop(relay);
}

static void refused_attempts_go_on_with_first_too(void **state)
{
	struct relay *relay = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options options = cut_options(relay, NULL);
	(void)state;
	relay_refuse(relay, true);
	struct user *user = user_new(&options);
	struct skiff_token *token = skiff_connect(user->client);
	assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_FAILED, 5, QUICK_MS));
	assert_false(skiff_token_done(token));
	relay_refuse(relay, false);
	user_expect(token, SKIFF_OK);
	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(watch_await_event(user->watch, SKIFF_EVENT_FAILED, i, QUICK_MS)->event.attempt, i);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	relay_stop(relay);
}

static void first_failure_ends_it_without_first_too(void **state)
{
	struct relay *relay = relay_start(broker_port(broker, BROKER_TCP));
	struct skiff_options options = cut_options(relay, NULL);
	(void)state;
	options.reconnect.first_too = false;
	relay_refuse(relay, true);
	struct user *user = user_new(&options);
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	assert_true(code == SKIFF_MQTT_CLOSED || skiff_code_class(code) == SKIFF_CLASS_TCP);
	const struct watch_event *failed = watch_await_event(user->watch, SKIFF_EVENT_FAILED, 1, QUICK_MS);
	assert_non_null(failed);
	assert_int_equal(failed->event.retry_ms, -1);
	skiff_token_free(token);
	/* and it may be tried again by hand */
	relay_refuse(relay, false);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	user_free(user);
	relay_stop(relay);
}

static int cuts_start(void **state)
{
	(void)state;
	broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	return 0;
}

static int cuts_stop(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qos1_at_least_once_over_cuts),
		cmocka_unit_test(qos2_sent_exactly_once_over_cuts),
		cmocka_unit_test(qos2_both_ways_over_any_cuts),
		cmocka_unit_test(qos2_received_exactly_once_over_single_cuts),
		cmocka_unit_test(events_come_in_pairs_over_many_reconnects),
		cmocka_unit_test(stalled_way_is_noticed),
		cmocka_unit_test(refused_attempts_go_on_with_first_too),
		cmocka_unit_test(first_failure_ends_it_without_first_too),
	};
	const size_t count = sizeof tests / sizeof *tests;
	return shares_run("cuts", tests, count, count, cuts_start, cuts_stop);
}
