/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c: many messages, in order and as often as their QoS promises, through the broker's window. */
#include "support/broker.h"
#include "support/user.h"
#include <pthread.h>
#include <stdio.h>

#ifdef TESTS_SANITIZED
enum { QOS0_MESSAGES = 20000, QOS1_MESSAGES = 20000, QOS2_MESSAGES = 4000, THREAD_MESSAGES = 100 };
#else
enum { QOS0_MESSAGES = 100000, QOS1_MESSAGES = 100000, QOS2_MESSAGES = 20000, THREAD_MESSAGES = 500 };
#endif

enum { THREADS = 16, FLOW_MS = 110000 };

static struct broker *broker;

/* What arrives, by the number that each message carries. */
struct flow {
	struct waiting_count count;
	uint32_t next;
	unsigned misplaced;
};

static void flow_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct flow *flow = user;
	uint32_t number = UINT32_MAX;
	(void)client;
	if (message->payload.len >= sizeof number)
		memcpy(&number, message->payload.data, sizeof number);
	flow->misplaced += number != flow->next;
	flow->next = number + 1;
	waiting_add(&flow->count);
}

static struct skiff_options flow_options(void)
{
	struct skiff_options options = {0};
	broker_use(broker, BROKER_TCP, &options);
	return options;
}

static void send_numbers(struct skiff_client *client, uint32_t messages, uint8_t qos)
{
	uint32_t payload[16] = {0};
	struct skiff_message message = {.topic = skiff_text("flow"), .payload = {payload, sizeof payload}, .qos = qos};
	for (payload[0] = 0; payload[0] < messages; payload[0]++)
		assert_int_equal(skiff_publish_message(client, &message, NULL), SKIFF_OK);
}

static void check_statistics(struct user *from, struct user *to, uint32_t messages, int qos)
{
	struct skiff_statistics out, in;
	skiff_client_statistics(from->client, &out);
	skiff_client_statistics(to->client, &in);
	assert_int_equal(out.messages_out, messages);
	assert_int_equal(in.messages_in, messages);
	assert_int_equal(out.queued_messages, 0);
	assert_int_equal(out.queued_bytes, 0);
	assert_int_equal(out.inflight, 0);
	assert_int_equal(out.dropped, 0);
	/* CONNECT, and PUBREL for QoS 2; CONNACK, and the acknowledgements */
	assert_int_equal(out.packets_out, 1 + messages * (qos == 2 ? 2u : 1u));
	assert_int_equal(out.packets_in, 1 + messages * (unsigned)qos);
	assert_true(out.bytes_out > messages * 64ull && in.bytes_in > messages * 64ull);
	assert_int_equal(out.attempts, 1);
	assert_int_equal(out.connects, 1);
	assert_int_equal(out.reconnects, 0);
	assert_true(out.connected_us > 0);
}

static void flow_through(uint32_t messages, uint8_t qos, const struct skiff_options *options)
{
	struct skiff_options plain = flow_options();
	struct flow flow = {.next = 0};
	struct user *to = user_connected(&plain), *from = user_connected(options);
	user_expect(skiff_subscribe(to->client, "flow", 2, flow_message, &flow), SKIFF_OK);
	send_numbers(from->client, messages, qos);
	assert_int_equal(skiff_flush(from->client, FLOW_MS), SKIFF_OK);
	assert_true(waiting_reach(&flow.count, messages, FLOW_MS));
	assert_int_equal(flow.misplaced, 0);
	check_statistics(from, to, messages, qos);
	user_disconnect(from);
	user_free(from);
	user_free(to);
	assert_int_equal(waiting_value(&flow.count), messages);
}

static void qos0_in_order(void **state)
{
	struct skiff_options options = flow_options();
	(void)state;
	flow_through(QOS0_MESSAGES, 0, &options);
}

static void qos1_in_order_through_the_window(void **state)
{
	struct skiff_options options = flow_options();
	(void)state;
	flow_through(QOS1_MESSAGES, 1, &options);
}

static void qos2_exactly_once(void **state)
{
	struct skiff_options options = flow_options();
	(void)state;
	flow_through(QOS2_MESSAGES, 2, &options);
}

static void qos1_in_order_where_the_publisher_waits(void **state)
{
	struct skiff_options options = flow_options();
	(void)state;
	options.queue = (struct skiff_queue_options){.max_bytes = 4096, .full = SKIFF_FULL_WAIT};
	flow_through(QOS1_MESSAGES / 5, 1, &options);
}

static void qos1_in_order_without_properties(void **state)
{
	struct skiff_options options = flow_options();
	(void)state;
	options.version = SKIFF_MQTT_311;
	flow_through(QOS1_MESSAGES / 5, 1, &options);
}

/* ---- tokens ---- */

struct worker {
	pthread_t thread;
	struct skiff_client *client;
	unsigned ok;
};

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	for (int i = 0; i < THREAD_MESSAGES; i++) {
		struct skiff_token *token = skiff_publish(worker->client, "threads", "x", 1, i % 3, false);
		worker->ok += skiff_token_wait(token, FLOW_MS) == SKIFF_OK && skiff_token_done(token);
		skiff_token_free(token);
	}
	return NULL;
}

static void each_outcome_once_to_many_threads(void **state)
{
	struct skiff_options options = flow_options();
	struct user *user = user_connected(&options);
	struct worker workers[THREADS];
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.client = user->client};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].ok, THREAD_MESSAGES);
	}
	struct skiff_statistics statistics;
	skiff_client_statistics(user->client, &statistics);
	assert_int_equal(statistics.messages_out, THREADS * THREAD_MESSAGES);
	assert_int_equal(statistics.inflight, 0);
	user_free(user);
}

static void *waiter_main(void *token)
{
	return skiff_token_wait(token, FLOW_MS) == SKIFF_OK ? token : NULL;
}

static void many_threads_wait_for_one_token(void **state)
{
	struct skiff_options options = flow_options();
	struct user *user = user_new(&options);
	struct skiff_token *token = skiff_publish(user->client, "one", "x", 1, 2, false);
	pthread_t threads[THREADS];
	void *result;
	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, waiter_main, token), 0);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, token);
	}
	skiff_token_free(token);
	user_free(user);
}

/* ---- topic aliases ---- */

static void aliases_shorten_what_is_sent(void **state)
{
	enum { MESSAGES = 1000, TOPICS = 8, TOPIC_BYTES = 100 };
	struct skiff_options options = flow_options();
	struct user *to = user_connected(&options), *from = user_connected(&options);
	struct skiff_connection way;
	struct skiff_statistics statistics;
	char topic[TOPIC_BYTES + 32];
	(void)state;
	skiff_client_connection(from->client, &way);
	assert_true(way.topic_alias_maximum >= TOPICS);
	user_subscribe(to, "alias/#", 1);
	for (int i = 0; i < MESSAGES; i++) {
		snprintf(topic, sizeof topic, "alias/%d/%0*d", i % TOPICS, TOPIC_BYTES - 8, i % TOPICS);
		assert_int_equal(strlen(topic), TOPIC_BYTES);
		skiff_token_free(skiff_publish(from->client, topic, "x", 1, 1, false));
	}
	assert_true(watch_await(to->watch, MESSAGES, FLOW_MS));
	skiff_client_statistics(from->client, &statistics);
	assert_true(statistics.bytes_out < MESSAGES * 20);
	for (int i = 0; i < WATCH_MESSAGES; i++) {
		snprintf(topic, sizeof topic, "alias/%d/%0*d", i % TOPICS, TOPIC_BYTES - 8, i % TOPICS);
		assert_string_equal(to->watch->message[i].topic, topic);
	}
	user_free(from);
	user_free(to);
}

static int flow_start(void **state)
{
	(void)state;
	broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO});
	return 0;
}

static int flow_stop(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qos0_in_order),
		cmocka_unit_test(qos1_in_order_through_the_window),
		cmocka_unit_test(qos2_exactly_once),
		cmocka_unit_test(qos1_in_order_where_the_publisher_waits),
		cmocka_unit_test(qos1_in_order_without_properties),
		cmocka_unit_test(each_outcome_once_to_many_threads),
		cmocka_unit_test(many_threads_wait_for_one_token),
		cmocka_unit_test(aliases_shorten_what_is_sent),
	};
	return cmocka_run_group_tests(tests, flow_start, flow_stop);
}
