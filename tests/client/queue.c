/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c: messages that cannot be sent now: before the first connection, between two, and behind a full window. */
#include "client/client_internal.h"
#include "support/far_broker.h"
#include "support/user.h"
#include <pthread.h>
#include <stdio.h>

enum { QUICK_MS = 20000, PAYLOAD_BYTES = 1000, BOUND_BYTES = 10000, MANY = 50 };

/* What the far end got, in order; it answers only while it may. Under the lock of waiting.h. */
static struct {
	bool silent, late; /* late: it does not even greet */
	struct waiting_count count;
	char list[4096];
} got;

static bool may_answer(const void *subject)
{
	(void)subject;
	return !got.silent;
}

static bool may_greet(const void *subject)
{
	(void)subject;
	return !got.late;
}

static void got_note(const struct skiffi_frame *frame)
{
	char word[64];
	if (frame->type == SKIFFI_PUBLISH) {
		int topic_len = frame->body[0] << 8 | frame->body[1];
		snprintf(word, sizeof word, "%.*s ", topic_len, (const char *)frame->body + 2);
	} else {
		snprintf(word, sizeof word, "%s ", skiffi_packet_name(frame->type));
	}
	waiting_lock();
	if (frame->type != SKIFFI_PUBREL && strlen(got.list) + strlen(word) < sizeof got.list)
		strcat(got.list, word);
	waiting_unlock();
	waiting_add(&got.count);
}

static void note_and_answer(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	waiting_until(may_greet, NULL, QUICK_MS);
	if (!far_greet(client, user))
		return;
	while (far_next(client, &frame)) {
		got_note(&frame);
		waiting_until(may_answer, NULL, QUICK_MS);
		far_answer(client, &frame);
	}
}

static void set_manner(bool silent, bool late)
{
	waiting_lock();
	got.silent = silent;
	got.late = late;
	waiting_unlock();
}

static struct far_broker *start_far(bool silent)
{
	/* no aliases, so that every packet has its topic; a window of one where it is silent */
	static const struct skiff_properties narrow = {.has = SKIFF_HAS_RECEIVE_MAXIMUM, .receive_maximum = 1};
	waiting_lock();
	memset(&got, 0, sizeof got);
	got.silent = silent;
	waiting_unlock();
	return far_broker_start(note_and_answer, (void *)(silent ? &narrow : NULL));
}

/* A message of PAYLOAD_BYTES to a topic that is its number. */
static enum skiff_code publish(struct user *user, int number, uint8_t qos, struct skiff_token **token)
{
	static const char payload[PAYLOAD_BYTES];
	char topic[16];
	snprintf(topic, sizeof topic, "%d", number);
	struct skiff_message message = {.topic = skiff_text(topic), .payload = {payload, sizeof payload}, .qos = qos};
	return skiff_publish_message(user->client, &message, token);
}

static struct skiff_statistics statistics_of(struct user *user)
{
	struct skiff_statistics statistics;
	skiff_client_statistics(user->client, &statistics);
	return statistics;
}

static void expect_got(const char *list)
{
	waiting_lock();
	char copy[sizeof got.list];
	memcpy(copy, got.list, sizeof copy);
	waiting_unlock();
	assert_string_equal(copy, list);
}

static void what_was_asked_before_connecting_happens_then(void **state)
{
	struct far_broker *broker = start_far(false);
	struct user *user = user_new(&(struct skiff_options){.url = far_broker_url(broker), .outbound_aliases = -1});
	struct skiff_token *tokens[4];
	(void)state;
	struct skiff_token *subscription = skiff_subscribe(user->client, "t", 1, NULL, NULL);
	struct skiff_token *unsubscription = skiff_unsubscribe(user->client, "u");
	for (int i = 0; i < 4; i++)
		assert_int_equal(publish(user, i, i == 3 ? 2 : 1, &tokens[i]), SKIFF_OK);
	assert_int_equal(statistics_of(user).queued_messages, 4);
	assert_true(statistics_of(user).queued_bytes >= 4 * PAYLOAD_BYTES);
	assert_int_equal(skiff_flush(user->client, 0), SKIFF_CLOSED);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	user_expect(subscription, SKIFF_OK);
	user_expect(unsubscription, SKIFF_OK);
	for (int i = 0; i < 4; i++)
		user_expect(tokens[i], SKIFF_OK);
	assert_int_equal(statistics_of(user).queued_messages, 0);
	assert_int_equal(statistics_of(user).queued_bytes, 0);
	expect_got("SUBSCRIBE UNSUBSCRIBE 0 1 2 3 ");
	user_free(user);
	far_broker_stop(broker);
}

static void offline_publish_is_refused_where_wanted(void **state)
{
	struct far_broker *broker = start_far(false);
	struct skiff_options options = {.url = far_broker_url(broker), .queue = {.refuse_offline = true}};
	struct user *user = user_new(&options);
	struct skiff_token *token = NULL;
	(void)state;
	assert_int_equal(publish(user, 0, 1, &token), SKIFF_USAGE_STATE);
	assert_null(token);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	assert_int_equal(publish(user, 1, 1, &token), SKIFF_OK);
	user_expect(token, SKIFF_OK);
	user_free(user);
	far_broker_stop(broker);
}

static void full_queue_refuses(void **state)
{
	struct far_broker *broker = start_far(false);
	struct skiff_options options = {
		.url = far_broker_url(broker), .outbound_aliases = -1, .queue = {.max_bytes = BOUND_BYTES}};
	struct user *user = user_new(&options);
	struct skiff_error error;
	int accepted = 0;
	(void)state;
	while (publish(user, accepted, 1, NULL) == SKIFF_OK)
		accepted++;
	assert_in_range(accepted, 5, BOUND_BYTES / PAYLOAD_BYTES);
	skiff_client_error(user->client, &error);
	assert_int_equal(error.code, SKIFF_AGAIN);
	assert_non_null(strstr(error.text, "10000"));
	assert_true(statistics_of(user).queued_bytes <= BOUND_BYTES);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(publish(user, accepted, 1, NULL), SKIFF_OK); /* there is room again */
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(waiting_value(&got.count), accepted + 1);
	assert_int_equal(statistics_of(user).dropped, 0);
	user_free(user);
	far_broker_stop(broker);
}

static void oldest_give_way_where_wanted(void **state)
{
	enum { LAST = MANY - 1 };
	struct far_broker *broker = start_far(false);
	struct skiff_options options = {.url = far_broker_url(broker),
		.outbound_aliases = -1,
		.queue = {.max_bytes = BOUND_BYTES, .full = SKIFF_FULL_DROP_OLDEST}};
	struct user *user = user_new(&options);
	struct skiff_token *tokens[MANY];
	int dropped = 0;
	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(publish(user, i, 1, &tokens[i]), SKIFF_OK);
	while (dropped < MANY && skiff_token_done(tokens[dropped]))
		user_expect(tokens[dropped++], SKIFF_AGAIN);
	assert_int_equal(statistics_of(user).dropped, dropped);
	assert_int_equal(statistics_of(user).queued_messages, MANY - dropped);
	assert_in_range(MANY - dropped, 5, BOUND_BYTES / PAYLOAD_BYTES);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	for (int i = dropped; i < MANY; i++)
		user_expect(tokens[i], SKIFF_OK);
	char first[16];
	snprintf(first, sizeof first, "%d ", dropped);
	waiting_lock();
	assert_memory_equal(got.list, first, strlen(first));
	waiting_unlock();
	user_free(user);
	far_broker_stop(broker);
}

/* ---- waiting for room ---- */

struct publisher {
	pthread_t thread;
	struct user *user;
	struct waiting_count accepted;
	enum skiff_code code;
};

static void *publisher_main(void *argument)
{
	struct publisher *publisher = argument;
	for (int i = 0; i < MANY && !publisher->code; i++) {
		publisher->code = publish(publisher->user, i, 1, NULL);
		if (!publisher->code)
			waiting_add(&publisher->accepted);
	}
	return NULL;
}

static struct skiff_options patient_options(struct far_broker *broker)
{
	return (struct skiff_options){.url = far_broker_url(broker),
		.outbound_aliases = -1,
		.queue = {.max_bytes = BOUND_BYTES, .full = SKIFF_FULL_WAIT}};
}

static bool somebody_waits(const void *subject)
{
	struct skiff_client *client = (struct skiff_client *)subject;
	pthread_mutex_lock(&client->lock);
	bool waits = client->waiting > 0;
	pthread_mutex_unlock(&client->lock);
	return waits;
}

static void publisher_fills(struct publisher *publisher, struct user *user)
{
	*publisher = (struct publisher){.user = user};
	assert_int_equal(pthread_create(&publisher->thread, NULL, publisher_main, publisher), 0);
	assert_true(waiting_poll(somebody_waits, user->client, QUICK_MS));
}

static void publisher_waits_and_goes_on(void **state)
{
	struct far_broker *broker = start_far(true);
	struct skiff_options options = patient_options(broker);
	struct user *user = user_connected(&options);
	struct publisher publisher;
	(void)state;
	publisher_fills(&publisher, user);
	uint64_t accepted = waiting_value(&publisher.accepted);
	assert_true(accepted < MANY);
	assert_false(waiting_reach(&publisher.accepted, accepted + 2, 100));
	set_manner(false, false);
	pthread_join(publisher.thread, NULL);
	assert_int_equal(publisher.code, SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(waiting_value(&got.count), MANY);
	user_free(user);
	far_broker_stop(broker);
}

static void waiting_publisher_is_released_by_disconnect(void **state)
{
	struct far_broker *broker = start_far(true);
	struct skiff_options options = patient_options(broker);
	struct user *user = user_connected(&options);
	struct publisher publisher;
	(void)state;
	publisher_fills(&publisher, user);
	struct skiff_token *end = skiff_disconnect(user->client, 50, NULL);
	pthread_join(publisher.thread, NULL);
	assert_int_equal(publisher.code, SKIFF_USAGE_STATE);
	user_expect(end, SKIFF_TIMEOUT);
	set_manner(false, false);
	user_free(user);
	far_broker_stop(broker);
}

static void waiting_publisher_goes_on_with_the_connection(void **state)
{
	struct far_broker *broker = start_far(false);
	struct skiff_options options = patient_options(broker);
	struct user *user = user_new(&options);
	struct publisher publisher;
	(void)state;
	set_manner(false, true);
	struct skiff_token *token = skiff_connect(user->client);
	publisher_fills(&publisher, user);
	set_manner(false, false);
	user_expect(token, SKIFF_OK);
	pthread_join(publisher.thread, NULL);
	assert_int_equal(publisher.code, SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(waiting_value(&got.count), MANY);
	user_free(user);
	far_broker_stop(broker);
}

/* Nobody would ever make room. */
static void full_queue_refuses_where_no_connection_is_tried(void **state)
{
	struct far_broker *broker = start_far(false);
	struct skiff_options options = patient_options(broker);
	struct user *user = user_new(&options);
	enum skiff_code code = SKIFF_OK;
	(void)state;
	for (int i = 0; i < MANY && !code; i++)
		code = publish(user, i, 1, NULL);
	assert_int_equal(code, SKIFF_AGAIN);
	user_free(user);
	far_broker_stop(broker);
}

static struct {
	struct waiting_count done;
	enum skiff_code code;
} inside;

static void publish_until_full(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	static const char payload[PAYLOAD_BYTES];
	(void)user;
	if (event->kind != SKIFF_EVENT_CONNECTING)
		return;
	for (int i = 0; i < MANY && !inside.code; i++)
		inside.code = skiff_publish_message(client,
			&(struct skiff_message){.topic = {"t", 1}, .payload = {payload, sizeof payload}, .qos = 1},
			NULL);
	waiting_add(&inside.done);
}

static void full_queue_refuses_in_a_handler_instead(void **state)
{
	struct far_broker *broker = start_far(false);
	struct skiff_options options = patient_options(broker);
	(void)state;
	options.on_event = publish_until_full;
	struct skiff_client *client = skiff_client_new(&options, NULL);
	user_expect(skiff_connect(client), SKIFF_OK);
	assert_true(waiting_reach(&inside.done, 1, QUICK_MS));
	assert_int_equal(inside.code, SKIFF_AGAIN);
	skiff_client_free(client);
	far_broker_stop(broker);
}

/* ---- QoS 0 ---- */

static void qos0_passes_a_full_window(void **state)
{
	struct far_broker *broker = start_far(true);
	struct skiff_options options = {.url = far_broker_url(broker), .outbound_aliases = -1};
	struct user *user = user_connected(&options);
	struct skiff_token *token;
	(void)state;
	assert_int_equal(publish(user, 1, 1, NULL), SKIFF_OK);
	assert_int_equal(publish(user, 2, 1, NULL), SKIFF_OK);   /* [MQTT-4.9.0-2]: has to wait */
	assert_int_equal(publish(user, 0, 0, &token), SKIFF_OK); /* [MQTT-4.9.0-3]: has not */
	user_expect(token, SKIFF_OK);
	assert_int_equal(statistics_of(user).queued_messages, 1);
	assert_int_equal(statistics_of(user).inflight, 1);
	set_manner(false, false);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	expect_got("1 0 2 ");
	user_free(user);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_asked_before_connecting_happens_then),
		cmocka_unit_test(offline_publish_is_refused_where_wanted),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(oldest_give_way_where_wanted),
		cmocka_unit_test(publisher_waits_and_goes_on),
		cmocka_unit_test(waiting_publisher_is_released_by_disconnect),
		cmocka_unit_test(waiting_publisher_goes_on_with_the_connection),
		cmocka_unit_test(full_queue_refuses_where_no_connection_is_tried),
		cmocka_unit_test(full_queue_refuses_in_a_handler_instead),
		cmocka_unit_test(qos0_passes_a_full_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
