/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: memory runs out at each of the client's allocations in turn, from making it to its end, over a connection
 * that is lost and comes back. It says so, or gets by; it never crashes, hangs or leaks, every token ends, and the same
 * call made again succeeds. The far end's own allocations are spared. */
#include "base/alloc.h"
#include "loop/loop.h"
#include "support/far_broker.h"
#include "support/fault_alloc.h"
#include "support/user.h"
#include <stdio.h>

enum { PATIENCE_MS = 10000, LARGE_BYTES = 300000, TRIALS_LEAST = 40, TRIALS_MAX = 5000, TRIES = 3 };

static char large[LARGE_BYTES];

/* PUBLISH of MQTT 5 to "t": QoS 0; QoS 1 and 2 with packet identifiers 1 and 2 and a content type. */
static const uint8_t hello[] = {0x30, 6, 0, 1, 't', 0, 'h', 'i', /* */
	0x32, 12, 0, 1, 't', 0, 1, 4, 0x03, 0, 1, 'x', 'h', 'i', /* */
	0x34, 12, 0, 1, 't', 0, 2, 4, 0x03, 0, 1, 'x', 'h', 'i'};

static const struct skiff_user_property pairs[] = {{{"name", 4}, {"value", 5}}, {{"name", 4}, {"other", 5}}};
static const struct skiff_properties properties = {.has = SKIFF_HAS_MESSAGE_EXPIRY | SKIFF_HAS_PAYLOAD_FORMAT,
	.message_expiry_s = 60,
	.payload_format = 1,
	.content_type = {"text/plain", 10},
	.response_topic = {"answer", 6},
	.correlation_data = {"12", 2},
	.user = pairs,
	.user_count = 2};

/* Serves; greets every subscription with messages; the first message to "end" ends its connection. */
static void serve_and_drop(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	bool *dropped = user;
	fault_alloc_spare();
	if (!far_greet(
		    client, &(struct skiff_properties){.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, .topic_alias_maximum = 2}))
		return;
	while (far_next(client, &frame)) {
		if (!*dropped && frame.type == SKIFFI_PUBLISH && frame.body_len > 5 &&
			!memcmp(frame.body + 2, "end", 3)) {
			*dropped = true;
			return;
		}
		if (!far_answer(client, &frame))
			return;
		if (frame.type == SKIFFI_SUBSCRIBE)
			far_send(client, hello, sizeof hello);
	}
}

static struct skiff_client *make_client(const char *url)
{
	static const struct skiff_properties connect_properties = {.user = pairs, .user_count = 2};
	struct skiff_options options = {.url = url,
		.client_id = "me",
		.user_name = "me",
		.password = skiff_text("secret"),
		.connect_properties = &connect_properties,
		.will = {.topic = skiff_text("will"), .payload = skiff_text("gone"), .properties = &properties},
		.reconnect = {.min_ms = 1, .max_ms = 2}};
	struct skiff_error error = {0};
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client) {
		assert_int_equal(error.code, SKIFF_MEMORY);
		client = skiff_client_new(&options, &error);
	}
	assert_non_null(client);
	return client;
}

/* The token ends in time; whether well. What is lost with a connection may end so. */
static bool ended_well(struct skiff_token *token)
{
	enum skiff_code code = skiff_token_wait(token, PATIENCE_MS);
	if (code == SKIFF_TIMEOUT)
		fail_msg("a token does not end");
	if (code && code != SKIFF_MEMORY && skiff_code_class(code) != SKIFF_CLASS_TCP &&
		skiff_code_class(code) != SKIFF_CLASS_MQTT)
		fail_msg("%s: %s", skiff_code_slug(code), skiff_token_error(token)->text);
	skiff_token_free(token);
	return code == SKIFF_OK;
}

static void connect_it(struct skiff_client *client)
{
	for (int i = 0; i < TRIES; i++)
		if (ended_well(skiff_connect(client)))
			return;
	fail_msg("no connection");
}

static void subscribe_it(struct skiff_client *client)
{
	static const struct skiff_subscription list[] = {{.filter = "t", .qos = 2}, {.filter = "a/+/b", .qos = 1}};
	static const struct skiff_properties with_id = {
		.has = SKIFF_HAS_SUBSCRIPTION_ID, .subscription_id = 3, .user = pairs, .user_count = 2};
	for (int i = 0; i < TRIES; i++) {
		struct skiff_token *token = NULL;
		enum skiff_code code = skiff_subscribe_many(client, list, 2, &with_id, &token);
		if (code)
			assert_int_equal(code, SKIFF_MEMORY);
		else if (ended_well(token))
			return;
	}
	fail_msg("no subscription");
}

static void publish_it(struct skiff_client *client, const struct skiff_message *message)
{
	for (int i = 0; i < TRIES; i++) {
		struct skiff_token *token = NULL;
		enum skiff_code code = skiff_publish_message(client, message, &token);
		if (code)
			assert_int_equal(code, SKIFF_MEMORY);
		else if (ended_well(token))
			return;
	}
	fail_msg("no message of QoS %u", message->qos);
}

/* Those that were accepted are not given again. */
static void publish_together(struct skiff_client *client)
{
	static const struct skiff_message messages[] = {{.topic = {"m", 1}, .payload = {"x", 1}},
		{.topic = {"m", 1}, .payload = {large, sizeof large}},
		{.topic = {"m", 1}, .payload = {"x", 1}, .qos = 1}, {.topic = {"m", 1}, .payload = {"x", 1}, .qos = 2}};
	struct skiff_token *tokens[4];
	size_t done = 0, accepted;
	for (int i = 0; i < TRIES && done < 4; i++) {
		enum skiff_code code = skiff_publish_many(client, messages + done, 4 - done, tokens, &accepted);
		if (code)
			assert_int_equal(code, SKIFF_MEMORY);
		for (size_t j = 0; j < accepted; j++)
			ended_well(tokens[j]);
		done += accepted;
	}
	assert_int_equal(done, 4);
}

static void publish_all(struct skiff_client *client)
{
	publish_together(client);
	for (uint8_t qos = 0; qos <= 2; qos++) {
		struct skiff_message message = {
			.topic = skiff_text("topic/one"), .payload = skiff_text("x"), .qos = qos};
		publish_it(client, &message);
		message.properties = &properties;
		publish_it(client, &message);
		message.payload = (struct skiff_bytes){large, sizeof large};
		publish_it(client, &message);
	}
}

/* The far end drops the connection; what is asked for in between is done on the next one. */
static void lose_connection(struct skiff_client *client)
{
	struct skiff_message message = {.topic = skiff_text("end"), .payload = skiff_text("x"), .qos = 1};
	struct skiff_token *end = NULL, *behind = NULL;
	skiff_publish_message(client, &message, &end);
	message.topic = skiff_text("behind");
	skiff_publish_message(client, &message, &behind);
	if (end)
		ended_well(end);
	if (behind)
		ended_well(behind);
}

static void live(const char *url)
{
	struct skiff_client *client = make_client(url);
	struct skiff_token *token = NULL;
	connect_it(client);
	subscribe_it(client);
	publish_all(client);
	lose_connection(client);
	publish_all(client);
	token = skiff_unsubscribe(client, "t");
	if (token)
		ended_well(token);
	if (skiff_flush(client, PATIENCE_MS) == SKIFF_TIMEOUT)
		fail_msg("the flush does not end");
	token = skiff_disconnect(client, PATIENCE_MS, NULL);
	if (token)
		ended_well(token);
	skiff_client_free(client);
}

/* One life; whether an allocation failed in it. */
static bool trial(size_t nth)
{
	bool dropped = false;
	struct far_broker *broker = far_broker_start(serve_and_drop, &dropped);
	size_t before = fault_alloc_live();
	fault_alloc_arm(nth);
	live(far_broker_url(broker));
	bool failed = fault_alloc_count() >= nth;
	fault_alloc_arm(0);
	far_broker_stop(broker);
	skiffi_loop_end_unused(); /* so that it is made anew each time, too */
	if (fault_alloc_live() > before)
		fail_msg("allocation %zu failed, and %zu blocks are left", nth, fault_alloc_live() - before);
	return failed;
}

static void memory_runs_out(void **state)
{
	size_t nth = 1;
	(void)state;
	trial(TRIALS_MAX); /* what is made once and stays */
	while (nth < TRIALS_MAX && trial(nth))
		nth++;
	printf("%zu allocations failed in turn\n", nth - 1);
	assert_in_range(nth, TRIALS_LEAST, TRIALS_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(memory_runs_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
