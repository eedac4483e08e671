/* SPDX-License-Identifier: Apache-2.0 */
/* large.c: large payloads are written from where they lie: the caller may change them as soon as the call is over. */
#include "support/far_broker.h"
#include "support/user.h"

enum { QUICK_MS = 60000, LARGE_BYTES = 6 * 1024 * 1024, COUNT = 6 };

/* What arrived, and whether each payload was what it had been. */
struct sink {
	struct waiting_count whole, broken;
	struct waiting_count go; /* nothing is read before */
};

static bool payload_is(const uint8_t *data, size_t len, uint8_t number)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != (uint8_t)(number + i % 251))
			return false;
	return true;
}

static void payload_fill(uint8_t *data, size_t len, uint8_t number)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(number + i % 251);
}

/* Reads late, so that most of what was published cannot have left. */
static void far_sinks(struct far_client *client, void *user)
{
	struct sink *sink = user;
	struct skiffi_frame frame;
	if (!far_greet(client, NULL))
		return;
	waiting_reach(&sink->go, 1, QUICK_MS);
	while (far_next(client, &frame)) {
		if (frame.type == SKIFFI_PUBLISH && frame.body_len > 4) {
			const uint8_t *payload = frame.body + 3; /* behind the topic "t" */
			bool whole = payload_is(payload + 1, frame.body_len - 4, payload[0]);
			waiting_add(whole ? &sink->whole : &sink->broken);
		}
		if (!far_answer(client, &frame))
			return;
	}
}

static void publish_all(struct skiff_client *client)
{
	uint8_t *data = malloc(LARGE_BYTES + 1);
	assert_non_null(data);
	for (uint8_t number = 0; number < COUNT; number++) {
		data[0] = number;
		payload_fill(data + 1, LARGE_BYTES, number);
		struct skiff_message message = {.topic = skiff_text("t"), .payload = {data, LARGE_BYTES + 1}};
		assert_int_equal(skiff_publish_message(client, &message, NULL), SKIFF_OK);
		memset(data, 0xee, LARGE_BYTES + 1);
	}
	free(data);
}

static struct skiff_client *connected(const struct far_broker *broker, enum skiff_full_policy full)
{
	struct skiff_options options = {.url = far_broker_url(broker), .version = SKIFF_MQTT_311, .queue.full = full};
	struct skiff_client *client = skiff_client_new(&options, NULL);
	assert_non_null(client);
	user_expect(skiff_connect(client), SKIFF_OK);
	return client;
}

static void rest_is_copied(void **state)
{
	struct sink sink = {0};
	struct far_broker *broker = far_broker_start(far_sinks, &sink);
	struct skiff_client *client = connected(broker, SKIFF_FULL_REFUSE);
	(void)state;
	publish_all(client);
	waiting_add(&sink.go);
	assert_int_equal(skiff_flush(client, QUICK_MS), SKIFF_OK);
	assert_true(waiting_reach(&sink.whole, COUNT, QUICK_MS));
	assert_int_equal(waiting_value(&sink.broken), 0);
	skiff_client_free(client);
	far_broker_stop(broker);
}

static void rest_is_waited_for(void **state)
{
	struct sink sink = {0};
	struct far_broker *broker = far_broker_start(far_sinks, &sink);
	struct skiff_client *client = connected(broker, SKIFF_FULL_WAIT);
	(void)state;
	waiting_add(&sink.go);
	publish_all(client);
	assert_int_equal(skiff_flush(client, QUICK_MS), SKIFF_OK);
	assert_true(waiting_reach(&sink.whole, COUNT, QUICK_MS));
	assert_int_equal(waiting_value(&sink.broken), 0);
	skiff_client_free(client);
	far_broker_stop(broker);
}

/* Who waits for the rest is let go when the connection ends. */
static void far_leaves(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (far_greet(client, NULL))
		net_peer_read(client->peer, &frame, 1);
}

static void wait_ends_with_the_connection(void **state)
{
	struct far_broker *broker = far_broker_start(far_leaves, NULL);
	struct skiff_client *client = connected(broker, SKIFF_FULL_WAIT);
	uint8_t *data = calloc(8, LARGE_BYTES);
	struct skiff_message message = {.topic = skiff_text("t"), .payload = {data, (size_t)8 * LARGE_BYTES}};
	(void)state;
	assert_int_equal(skiff_publish_message(client, &message, NULL), SKIFF_OK);
	free(data);
	skiff_client_free(client);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_is_copied),
		cmocka_unit_test(rest_is_waited_for),
		cmocka_unit_test(wait_ends_with_the_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
