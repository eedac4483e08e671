/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_timers.c: how late Paho by itself is. Above each fact stands what of the engine relies on it.
 *
 * Where a round of its timers begins cannot be seen, so each measurement starts when one has just ended. */
#include "support/bare_paho.h"

#ifdef TESTS_SANITIZED
enum { SLACK_MS = 4000 };
#else
enum { SLACK_MS = 1500 };
#endif
enum { ROUND_MS = 3000 };

/* Waits for a round of its timers, by an attempt that only they can end; how long that took. */
static int64_t round_ends(void)
{
	struct net_listener *silent = net_listener_start(&(struct net_options){.manner = NET_SILENT});
	struct bare *bare = bare_new(net_listener_url(silent), MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	int64_t start_ms = waiting_now_ms();
	options.connectTimeout = 1;
	bare_fails(bare, &options, MQTTASYNC_FAILURE, "TCP connect timeout");
	int64_t took_ms = waiting_now_ms() - start_ms;
	bare_free(bare);
	net_listener_stop(silent);
	return took_ms;
}

/* paho_engine.c: the limits of an attempt are our timer's; paho_options.c: CONNECT_TIMEOUT_S is for ever. */
static void connect_timeout_of_a_second_takes_three(void **state)
{
	(void)state;
	round_ends();
	assert_in_range(round_ends(), ROUND_MS - 100, ROUND_MS + SLACK_MS + 1000);
}

/* paho_engine.c: the grace of a disconnect is our timer's. */
static void disconnect_of_250_ms_takes_three_seconds(void **state)
{
	struct bare_far far = {.ignores = 1u << SKIFFI_PUBLISH};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1);
	MQTTAsync_disconnectOptions how = MQTTAsync_disconnectOptions_initializer;
	struct bare_op op = {0};
	(void)state;
	bare_publish(bare, &op, "t", "x", 1, 1);
	assert_true(bare_reach(&far.seen[SKIFFI_PUBLISH], 1));
	round_ends();
	int64_t start_ms = waiting_now_ms();
	how.timeout = 250;
	assert_int_equal(MQTTAsync_disconnect(bare->handle, &how), 0);
	assert_true(bare_reach(&far.seen[SKIFFI_DISCONNECT], 1));
	assert_in_range(waiting_now_ms() - start_ms, ROUND_MS - 500, ROUND_MS + SLACK_MS + 1000);
	bare_free(bare);
	far_broker_stop(broker);
}

/* ---- the broker's window ---- */

enum { BACKLOG = 6 };

static struct bare *windowed(const struct far_broker *broker, struct bare_far *far, struct bare_op ops[])
{
	struct bare *bare = bare_connected(far_broker_url(broker), MQTTVERSION_5);
	for (int i = 0; i < BACKLOG; i++)
		bare_publish(bare, &ops[i], "t", "x", 1, 1);
	assert_true(bare_reach(&far->seen[SKIFFI_PUBLISH], 1));
	return bare;
}

static const struct skiff_properties one_at_a_time = {.has = SKIFF_HAS_RECEIVE_MAXIMUM, .receive_maximum = 1};

/* The `nth` is acknowledged when the sender has just gone to sleep; how long the next is in coming. */
static int64_t next_after(struct bare_far *far, unsigned nth)
{
	assert_true(bare_reach(&far->seen[SKIFFI_PUBLISH], nth));
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
	assert_true(bare_trace_await("Blocking on server receive maximum"));
	bare_trace(MQTTASYNC_TRACE_ERROR);
	int64_t start_ms = waiting_now_ms();
	waiting_lock();
	far->allowed = nth;
	waiting_unlock();
	assert_true(bare_reach(&far->seen[SKIFFI_PUBLISH], nth + 1));
	return waiting_now_ms() - start_ms;
}

/* paho_worker.c: worker_may_send keeps the window itself, and submits the next when one is acknowledged. */
static void backlog_behind_the_window_goes_one_a_second(void **state)
{
	struct bare_far far = {.granted = &one_at_a_time, .gated = true};
	struct far_broker *broker = bare_far_start(&far);
	struct bare_op ops[BACKLOG] = {0};
	(void)state;
	struct bare *bare = windowed(broker, &far, ops);
	for (unsigned nth = 1; nth <= 3; nth++)
		assert_in_range(next_after(&far, nth), 900, 1000 + SLACK_MS);
	bare_set(&far.gated, false);
	bare_free(bare);
	far_broker_stop(broker);
}

/* The same: what is submitted after an acknowledgement wakes the sender. */
static void new_message_wakes_the_backlog(void **state)
{
	struct bare_far far = {.granted = &one_at_a_time, .hold = true};
	struct far_broker *broker = bare_far_start(&far);
	struct bare_op ops[BACKLOG] = {0}, more[BACKLOG] = {0};
	(void)state;
	struct bare *bare = windowed(broker, &far, ops);
	bare_set(&far.hold, false);
	for (int i = 0; i < BACKLOG; i++) {
		assert_true(bare_reach(&ops[i].done, 1));
		bare_publish(bare, &more[i], "t", "y", 1, 0);
	}
	assert_in_range(ops[BACKLOG - 1].at_ms - ops[0].at_ms, 0, 2000);
	bare_free(bare);
	far_broker_stop(broker);
}

/* ---- keep-alive ---- */

static void keeps_alive_by(struct bare *bare, int seconds, bool again)
{
	MQTTAsync_connectOptions options = bare_options(bare);
	options.keepAliveInterval = seconds;
	if (again)
		options.onSuccess5 = NULL;
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
}

/* paho_engine.c: paho_tell_link tells Paho of the broker's keep-alive, by paho_options.c's second connect. */
static void server_keep_alive_is_ignored_until_connect_is_called_again(void **state)
{
	static const struct skiff_properties granted = {.has = SKIFF_HAS_SERVER_KEEP_ALIVE, .server_keep_alive_s = 1};
	struct bare_far far = {.granted = &granted};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_5);
	(void)state;
	keeps_alive_by(bare, 10, false); /* and looks after it every second */
	assert_true(bare_reach(&bare->ups, 1));
	assert_false(waiting_reach(&far.seen[SKIFFI_PINGREQ], 1, 3500));
	keeps_alive_by(bare, 1, true);
	assert_true(bare_reach(&far.seen[SKIFFI_PINGREQ], 2));
	assert_int_equal(waiting_value(&far.seen[SKIFFI_CONNECT]), 1);
	assert_int_equal(waiting_value(&bare->losts) + waiting_value(&bare->failures), 0);
	bare_free(bare);
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
		cmocka_unit_test(connect_timeout_of_a_second_takes_three),
		cmocka_unit_test(disconnect_of_250_ms_takes_three_seconds),
		cmocka_unit_test(backlog_behind_the_window_goes_one_a_second),
		cmocka_unit_test(new_message_wakes_the_backlog),
		cmocka_unit_test(server_keep_alive_is_ignored_until_connect_is_called_again),
	};
	return cmocka_run_group_tests_name("paho_facts_timers", tests, start, NULL);
}
