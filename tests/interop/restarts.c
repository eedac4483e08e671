/* SPDX-License-Identifier: Apache-2.0 */
/* restarts.c: the broker is killed, ended, frozen and started again in the middle of things. */
#include "support/broker.h"
#include "support/shares.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 30000, NUMBERS = 2000, FROZEN_NUMBERS = 300 };

/* How often each numbered message came, and whether their first times were in order. */
struct tally {
	struct waiting_count distinct;
	unsigned seen[NUMBERS];
	unsigned repeats, fresh_repeats, misplaced;
	uint32_t last;
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
		return;
	}
	if (tally->seen[number]++) {
		tally->repeats++;
		tally->fresh_repeats += !message->dup;
		return;
	}
	tally->misplaced += number && number < tally->last;
	tally->last = number;
	waiting_add(&tally->distinct);
}

static struct skiff_options restart_options(const struct broker *broker, const char *id)
{
	struct skiff_options options = {
		.client_id = id, .resume_session = id != NULL, .reconnect = {.min_ms = 10, .max_ms = 100}};
	broker_use(broker, BROKER_TCP, &options);
	return options;
}

static struct user *restart_user(const struct broker *broker, const char *id)
{
	struct skiff_options options = restart_options(broker, id);
	return user_connected(&options);
}

static void send_number(struct user *user, uint32_t number, uint8_t qos, struct skiff_token **token)
{
	struct skiff_message message = {
		.topic = skiff_text("numbers"), .payload = {&number, sizeof number}, .qos = qos};
	assert_int_equal(skiff_publish_message(user->client, &message, token), SKIFF_OK);
}

static void expect_all(struct tally *tally, uint32_t count)
{
	bool all = waiting_reach(&tally->distinct, count, QUICK_MS);
	if (!all)
		fail_msg("%u of %u came", (unsigned)waiting_value(&tally->distinct), count);
}

/* Freezing lets messages pile up unanswered on a live connection; killing then loses what the broker never saw. */
static void freeze_and_kill(struct broker *broker, struct user *from, uint8_t qos, struct skiff_token *tokens[])
{
	broker_freeze(broker);
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++)
		send_number(from, i, qos, &tokens[i]);
	broker_kill(broker);
	assert_non_null(watch_await_event(from->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS));
	broker_restart(broker);
	assert_non_null(watch_await_event(from->watch, SKIFF_EVENT_CONNECTED, 2, QUICK_MS));
}

static void qos1_at_least_once_over_a_kill(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct user *to = restart_user(broker, NULL), *from = restart_user(broker, NULL);
	struct skiff_token *tokens[FROZEN_NUMBERS];
	struct tally tally = {0};
	(void)state;
	user_expect(skiff_subscribe(to->client, "numbers", 1, tally_message, &tally), SKIFF_OK);
	freeze_and_kill(broker, from, 1, tokens);
	assert_non_null(watch_await_event(to->watch, SKIFF_EVENT_CONNECTED, 2, QUICK_MS));
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++)
		user_expect(tokens[i], SKIFF_OK);
	/* the subscriber may have come back later than the publisher: these arrive in any case */
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++)
		send_number(from, FROZEN_NUMBERS + i, 1, NULL);
	assert_int_equal(skiff_flush(from->client, QUICK_MS), SKIFF_OK);
	assert_true(watch_events_paired(from->watch));
	user_free(from);
	user_free(to);
	broker_stop(broker);
}

static void qos1_all_arrive_over_a_kill_with_a_session(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .persistence = true});
	struct user *to = restart_user(broker, "to"), *from = restart_user(broker, "from");
	struct skiff_token *tokens[FROZEN_NUMBERS];
	struct tally tally = {0};
	(void)state;
	user_expect(skiff_subscribe(to->client, "numbers", 2, tally_message, &tally), SKIFF_OK);
	broker_save(broker);
	freeze_and_kill(broker, from, 1, tokens);
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++)
		user_expect(tokens[i], SKIFF_OK);
	expect_all(&tally, FROZEN_NUMBERS);
	assert_int_equal(tally.misplaced, 0);
	assert_int_equal(watch_events_of(from->watch, SKIFF_EVENT_SESSION_LOST), 0);
	user_free(from);
	user_free(to);
	broker_stop(broker);
}

static void qos2_exactly_once_over_a_kill_with_a_session(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .persistence = true});
	struct user *to = restart_user(broker, "to"), *from = restart_user(broker, "from");
	struct skiff_token *tokens[FROZEN_NUMBERS];
	struct tally tally = {0};
	(void)state;
	user_expect(skiff_subscribe(to->client, "numbers", 2, tally_message, &tally), SKIFF_OK);
	broker_save(broker);
	freeze_and_kill(broker, from, 2, tokens);
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++)
		user_expect(tokens[i], SKIFF_OK);
	expect_all(&tally, FROZEN_NUMBERS);
	assert_int_equal(tally.repeats, 0);
	assert_int_equal(tally.misplaced, 0);
	user_free(from);
	user_free(to);
	broker_stop(broker);
}

/* The broker saves all it has when it is asked to end, in whatever state the exchanges are. Mosquitto 2.0.11 may send
 * again, marked as repeated, what it has had PUBREC for (see cuts.c); what our publisher had sent twice would come
 * without that mark. */
static void qos2_exactly_once_over_restarts_in_mid_flow(void **state)
{
	enum { RESTARTS = 5 };
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .persistence = true});
	struct user *to = restart_user(broker, "to"), *from = restart_user(broker, "from");
	static struct tally tally;
	(void)state;
	tally = (struct tally){0};
	user_expect(skiff_subscribe(to->client, "numbers", 2, tally_message, &tally), SKIFF_OK);
	for (uint32_t number = 0; number < NUMBERS; number++) {
		send_number(from, number, 2, NULL);
		if (number % (NUMBERS / RESTARTS) != NUMBERS / RESTARTS / 2)
			continue;
		assert_true(waiting_reach(&tally.distinct, number - NUMBERS / RESTARTS / 4, QUICK_MS));
		broker_end(broker);
		broker_restart(broker);
	}
	expect_all(&tally, NUMBERS);
	assert_int_equal(skiff_flush(from->client, QUICK_MS), SKIFF_OK);
	if (user_engine_can(SKIFF_CAN_DUP_QOS2)) /* else the broker's own repeats look like the publisher's */
		assert_int_equal(tally.fresh_repeats, 0);
	assert_int_equal(tally.misplaced, 0);
	assert_true(watch_events_paired(from->watch) && watch_events_paired(to->watch));
	assert_int_equal(watch_events_of(from->watch, SKIFF_EVENT_SESSION_LOST), 0);
	user_free(from);
	user_free(to);
	broker_stop(broker);
}

static void qos2_of_a_lost_session_is_reported(void **state)
{
	user_needs(SKIFF_CAN_PUBREC_KNOWN); /* Paho also takes its time to send: how many had left is not known */
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct user *from = restart_user(broker, NULL);
	struct skiff_token *tokens[FROZEN_NUMBERS];
	struct skiff_connection way;
	unsigned lost = 0;
	(void)state;
	skiff_client_connection(from->client, &way);
	freeze_and_kill(broker, from, 2, tokens);
	const struct watch_event *told = watch_await_event(from->watch, SKIFF_EVENT_SESSION_LOST, 1, QUICK_MS);
	assert_non_null(told);
	for (uint32_t i = 0; i < FROZEN_NUMBERS; i++) {
		enum skiff_code code = skiff_token_wait(tokens[i], QUICK_MS);
		assert_true(code == SKIFF_OK || code == SKIFF_MQTT_SESSION_LOST);
		lost += code == SKIFF_MQTT_SESSION_LOST;
		skiff_token_free(tokens[i]);
	}
	/* what had left and was not answered; what still waited has been sent since */
	assert_int_equal(lost, way.receive_maximum);
	assert_int_equal(told->event.lost, lost);
	user_free(from);
	broker_stop(broker);
}

static void lost_session_is_reported_and_subscribed_again(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct user *user = restart_user(broker, "forgotten");
	(void)state;
	user_subscribe(user, "again/#", 1);
	broker_kill(broker);
	broker_restart(broker);
	const struct watch_event *up = watch_await_event(user->watch, SKIFF_EVENT_CONNECTED, 2, QUICK_MS);
	assert_non_null(up);
	assert_false(up->event.session_present);
	assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_SESSION_LOST, 1, QUICK_MS));
	user_publish(user, "again/x", "x", 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	user_free(user);
	broker_stop(broker);
}

static void kept_session_is_continued(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct user *to = restart_user(broker, "kept"), *from = restart_user(broker, NULL);
	(void)state;
	user_subscribe(to, "kept", 1);
	user_disconnect(to);
	user_publish(from, "kept", "while away", 1);
	struct skiff_token *token = skiff_connect(to->client);
	assert_int_equal(skiff_token_wait(token, QUICK_MS), SKIFF_OK);
	assert_true(skiff_token_session_present(token));
	skiff_token_free(token);
	assert_true(watch_await(to->watch, 1, QUICK_MS));
	assert_string_equal(to->watch->message[0].payload, "while away");
	user_free(to);
	user_free(from);
	broker_stop(broker);
}

static void frozen_broker_is_noticed_and_left(void **state)
{
	user_needs(SKIFF_CAN_PING_TIMEOUT);
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct skiff_options options = restart_options(broker, NULL);
	(void)state;
	options.keep_alive_s = 1;
	options.ping_timeout_ms = 500;
	struct user *user = user_connected(&options);
	broker_freeze(broker);
	int64_t frozen_ms = waiting_now_ms();
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	assert_int_equal(down->error.code, SKIFF_MQTT_KEEP_ALIVE);
	assert_in_range(down->at_ms - frozen_ms, 400, 1000 + 500 + 400);
	assert_true(down->event.retry_ms >= 0);
	broker_thaw(broker);
	assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_CONNECTED, 2, QUICK_MS));
	user_publish(user, "thawed", "x", 1);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	broker_stop(broker);
}

static void idle_connection_is_kept_alive(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	struct skiff_options options = restart_options(broker, NULL);
	(void)state;
	options.keep_alive_s = 1;
	struct user *user = user_connected(&options);
	/* the broker would close after 1.5 s */
	assert_false(waiting_reach(&user->watch->events, 3, 3000));
	assert_true(skiff_client_connected(user->client));
	struct skiff_statistics statistics;
	skiff_client_statistics(user->client, &statistics);
	if (user_engine_can(SKIFF_CAN_PING_TIMEOUT)) /* who sends the pings counts them */
		assert_in_range(statistics.packets_out, 3, 5);
	user_free(user);
	broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qos1_at_least_once_over_a_kill),
		cmocka_unit_test(qos1_all_arrive_over_a_kill_with_a_session),
		cmocka_unit_test(qos2_exactly_once_over_a_kill_with_a_session),
		cmocka_unit_test(qos2_exactly_once_over_restarts_in_mid_flow),
		cmocka_unit_test(qos2_of_a_lost_session_is_reported),
		cmocka_unit_test(lost_session_is_reported_and_subscribed_again),
		cmocka_unit_test(kept_session_is_continued),
		cmocka_unit_test(frozen_broker_is_noticed_and_left),
		cmocka_unit_test(idle_connection_is_kept_alive),
	};
	const size_t count = sizeof tests / sizeof *tests;
	return shares_run("restarts", tests, count, count, NULL, NULL);
}
