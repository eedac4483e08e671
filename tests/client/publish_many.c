/* SPDX-License-Identifier: Apache-2.0 */
/* publish_many.c: messages given together are taken in their order, leave together, and end with the first refused. */
#include "client/client_internal.h"
#include "support/far_broker.h"
#include "support/user.h"
#include <stdatomic.h>

enum { QUICK_MS = 20000, MANY = 60, LARGE_BYTES = 64 * 1024, PAYLOAD_BYTES = 1000, BOUND_BYTES = 10000 };

/* What the far end got. Under the lock of waiting.h. */
static struct {
	struct waiting_count count;
	unsigned misplaced;
	int last[3];
} got;

/* The payload begins with the message's number. The order is that of each QoS: a full window lets QoS 0 pass. */
static void note_number(const struct skiffi_frame *frame)
{
	uint8_t qos = frame->flags >> 1 & 3;
	size_t start = 2 + ((size_t)frame->body[0] << 8 | frame->body[1]) + (qos ? 2 : 0);
	waiting_lock();
	int number = start < frame->body_len ? frame->body[start] : -1;
	got.misplaced += number <= got.last[qos];
	got.last[qos] = number;
	waiting_unlock();
	waiting_add(&got.count);
}

static void note_and_answer(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (!far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		if (frame.type == SKIFFI_PUBLISH)
			note_number(&frame);
		if (!far_answer(client, &frame))
			return;
	}
}

static struct far_broker *start_far(void)
{
	waiting_lock();
	memset(&got, 0, sizeof got);
	memset(got.last, -1, sizeof got.last);
	waiting_unlock();
	return far_broker_start(note_and_answer, NULL);
}

static void expect_got(unsigned count)
{
	assert_true(waiting_reach(&got.count, count, QUICK_MS));
	waiting_lock();
	unsigned misplaced = got.misplaced;
	waiting_unlock();
	assert_int_equal(waiting_value(&got.count), count);
	assert_int_equal(misplaced, 0);
}

static uint8_t payloads[MANY][LARGE_BYTES];

/* `len` bytes each, numbered; the QoS goes round from 0 to `qos`. */
static void make_messages(struct skiff_message *messages, size_t len, uint8_t qos)
{
	memset(messages, 0, MANY * sizeof *messages);
	for (size_t i = 0; i < MANY; i++) {
		payloads[i][0] = (uint8_t)i;
		messages[i].topic = skiff_text("t");
		messages[i].payload = (struct skiff_bytes){payloads[i], len};
		messages[i].qos = (uint8_t)(i % (qos + 1u));
	}
}

static struct skiff_options options_of(struct far_broker *broker)
{
	return (struct skiff_options){.url = far_broker_url(broker), .version = SKIFF_MQTT_311};
}

static void they_keep_their_order(void **state)
{
	struct far_broker *broker = start_far();
	struct skiff_options options = options_of(broker);
	struct user *user = user_connected(&options);
	struct skiff_message messages[MANY];
	struct skiff_token *tokens[MANY];
	size_t accepted;
	(void)state;
	make_messages(messages, PAYLOAD_BYTES, 2);
	for (size_t i = 0; i < MANY; i += 7)
		messages[i].payload.len = LARGE_BYTES; /* of which those of QoS 0 are lent */
	assert_int_equal(skiff_publish_many(user->client, messages, MANY, tokens, &accepted), SKIFF_OK);
	assert_int_equal(accepted, MANY);
	for (size_t i = 0; i < MANY; i++)
		user_expect(tokens[i], SKIFF_OK);
	expect_got(MANY);
	user_free(user);
	far_broker_stop(broker);
}

/* Counts what the calling thread tells the engine. */
static struct {
	struct skiffi_engine_ops ops;
	const struct skiffi_engine_ops *real;
	pthread_t thread;
	atomic_uint calls;
} flushes;

static void flush_counted(struct skiffi_engine *engine)
{
	if (pthread_equal(pthread_self(), flushes.thread))
		atomic_fetch_add(&flushes.calls, 1);
	flushes.real->flush(engine);
}

static void count_flushes(struct user *user)
{
	flushes.real = user->client->engine->ops;
	flushes.ops = *flushes.real;
	flushes.ops.flush = flush_counted;
	flushes.thread = pthread_self();
	user->client->engine->ops = &flushes.ops;
}

static void they_leave_together(void **state)
{
	struct far_broker *broker = start_far();
	struct skiff_options options = options_of(broker);
	struct user *user = user_new(&options);
	struct skiff_message messages[MANY];
	(void)state;
	count_flushes(user);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	make_messages(messages, PAYLOAD_BYTES, 2);
	atomic_store(&flushes.calls, 0);
	assert_int_equal(skiff_publish_many(user->client, messages, MANY, NULL, NULL), SKIFF_OK);
	assert_int_equal(atomic_load(&flushes.calls), 1);
	expect_got(MANY);
	user_free(user);
	far_broker_stop(broker);
}

/* What was taken before has a chance to leave, as with single calls. */
static void they_leave_before_any_is_dropped(void **state)
{
	struct far_broker *broker = start_far();
	struct skiff_options options = options_of(broker);
	options.queue = (struct skiff_queue_options){.max_bytes = BOUND_BYTES, .full = SKIFF_FULL_DROP_OLDEST};
	struct user *user = user_new(&options);
	struct skiff_message messages[MANY];
	(void)state;
	count_flushes(user);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	make_messages(messages, PAYLOAD_BYTES, 1);
	atomic_store(&flushes.calls, 0);
	skiff_publish_many(user->client, messages, MANY, NULL, NULL); /* whether there is room in time is chance */
	assert_true(atomic_load(&flushes.calls) > 1);
	user_free(user);
	far_broker_stop(broker);
}

static void first_refused_ends_them(void **state)
{
	struct far_broker *broker = start_far();
	struct skiff_options options = options_of(broker);
	struct user *user = user_connected(&options);
	struct skiff_message messages[MANY];
	struct skiff_token *tokens[MANY];
	struct skiff_error error;
	size_t accepted;
	(void)state;
	make_messages(messages, PAYLOAD_BYTES, 2);
	messages[3].topic = skiff_text("a/#");
	assert_int_equal(skiff_publish_many(user->client, messages, 6, tokens, &accepted), SKIFF_USAGE_TOPIC);
	assert_int_equal(accepted, 3);
	skiff_client_error(user->client, &error);
	assert_non_null(strstr(error.text, "a/#"));
	for (size_t i = 0; i < 3; i++)
		user_expect(tokens[i], SKIFF_OK);
	for (size_t i = 3; i < 6; i++)
		assert_null(tokens[i]);
	expect_got(3);
	user_free(user);
	far_broker_stop(broker);
}

/* Room comes free only when what was taken before has left. */
static void they_wait_for_room(void **state)
{
	(void)state;
	for (uint8_t qos = 0; qos <= 2; qos++) {
		struct far_broker *broker = start_far();
		struct skiff_options options = options_of(broker);
		options.queue = (struct skiff_queue_options){.max_bytes = BOUND_BYTES, .full = SKIFF_FULL_WAIT};
		struct user *user = user_connected(&options);
		struct skiff_message messages[MANY];
		make_messages(messages, PAYLOAD_BYTES, 0);
		for (size_t i = 0; i < MANY; i++)
			messages[i].qos = qos;
		assert_int_equal(skiff_publish_many(user->client, messages, MANY, NULL, NULL), SKIFF_OK);
		assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
		expect_got(MANY);
		user_free(user);
		far_broker_stop(broker);
	}
}

static void full_queue_takes_those_that_fit(void **state)
{
	struct far_broker *broker = start_far();
	struct skiff_options options = options_of(broker);
	options.queue.max_bytes = BOUND_BYTES;
	struct user *user = user_new(&options);
	struct skiff_message messages[MANY];
	struct skiff_token *tokens[MANY];
	size_t accepted;
	(void)state;
	make_messages(messages, PAYLOAD_BYTES, 2);
	assert_int_equal(skiff_publish_many(user->client, messages, MANY, tokens, &accepted), SKIFF_AGAIN);
	assert_in_range(accepted, 2, BOUND_BYTES / PAYLOAD_BYTES);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	for (size_t i = 0; i < accepted; i++)
		user_expect(tokens[i], SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(waiting_value(&got.count), accepted);
	user_free(user);
	far_broker_stop(broker);
}

static void nothing_to_publish(void **state)
{
	struct skiff_client *client = skiff_client_new(&(struct skiff_options){.url = "tcp://127.0.0.1:1"}, NULL);
	struct skiff_message messages[2] = {{.topic = {"t", 1}}};
	struct skiff_token *tokens[2] = {(struct skiff_token *)messages, (struct skiff_token *)messages};
	size_t accepted = 7;
	(void)state;
	assert_int_equal(skiff_publish_many(client, NULL, 0, NULL, &accepted), SKIFF_OK);
	assert_int_equal(accepted, 0);
	assert_int_equal(skiff_publish_many(client, NULL, 2, NULL, NULL), SKIFF_USAGE);
	assert_int_equal(skiff_publish_many(NULL, messages, 2, tokens, &accepted), SKIFF_USAGE);
	assert_null(tokens[0]);
	assert_null(tokens[1]);
	skiff_client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_keep_their_order),
		cmocka_unit_test(they_leave_together),
		cmocka_unit_test(they_leave_before_any_is_dropped),
		cmocka_unit_test(first_refused_ends_them),
		cmocka_unit_test(they_wait_for_room),
		cmocka_unit_test(full_queue_takes_those_that_fit),
		cmocka_unit_test(nothing_to_publish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
