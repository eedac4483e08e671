/* SPDX-License-Identifier: Apache-2.0 */
/* dropped.c: a message that nobody holds a token of is not given up in silence: statistics.dropped counts it, and
 * counts none that went through. */
#include "support/far_broker.h"
#include "support/user.h"

enum { QUICK_MS = 20000, SIZE_MAX_BYTES = 100 };

/* Takes messages to "a"; refuses others, or ends the connection at "end"; takes no packet beyond SIZE_MAX_BYTES. */
static void choose(struct far_client *client, void *user)
{
	static const struct skiff_properties narrow = {
		.has = SKIFF_HAS_MAXIMUM_PACKET_SIZE, .maximum_packet_size = SIZE_MAX_BYTES};
	struct skiffi_frame frame;
	(void)user;
	if (!far_greet(client, &narrow))
		return;
	while (far_next(client, &frame)) {
		unsigned qos = frame.flags >> 1 & 3;
		if (frame.type == SKIFFI_PUBLISH && frame.body[2] == 'e')
			return;
		if (frame.type == SKIFFI_PUBLISH && frame.body[2] == 'r')
			far_send_ack(
				client, qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBREC, far_packet_id(client, &frame), 0x97);
		else
			far_answer(client, &frame);
	}
}

static struct user *user_of(struct far_broker **broker, struct skiff_options options)
{
	*broker = far_broker_start(choose, NULL);
	options.url = far_broker_url(*broker);
	options.reconnect.off = true;
	return user_new(&options);
}

static void publish(struct user *user, const char *topic, size_t len, uint8_t qos)
{
	static const char payload[1000];
	struct skiff_message message = {.topic = skiff_text(topic), .payload = {payload, len}, .qos = qos};
	assert_int_equal(skiff_publish_message(user->client, &message, NULL), SKIFF_OK);
}

static uint64_t dropped_of(struct user *user)
{
	struct skiff_statistics statistics;
	skiff_client_statistics(user->client, &statistics);
	return statistics.dropped;
}

static void refused_messages_are_counted(void **state)
{
	struct far_broker *broker;
	struct user *user = user_of(&broker, (struct skiff_options){0});
	(void)state;
	user_expect(skiff_connect(user->client), SKIFF_OK);
	for (uint8_t qos = 1; qos <= 2; qos++) {
		publish(user, "a", 1, qos);
		publish(user, "r", 1, qos);
	}
	publish(user, "a", 1, 0);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(dropped_of(user), 2);
	user_free(user);
	far_broker_stop(broker);
}

static void what_this_broker_cannot_have_is_counted(void **state)
{
	struct far_broker *broker;
	struct user *user = user_of(&broker, (struct skiff_options){0});
	(void)state;
	for (uint8_t qos = 0; qos <= 2; qos++) {
		publish(user, "a", SIZE_MAX_BYTES, qos);
		publish(user, "a", 1, qos);
	}
	assert_int_equal(dropped_of(user), 0);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, QUICK_MS), SKIFF_OK);
	assert_int_equal(dropped_of(user), 3);
	user_free(user);
	far_broker_stop(broker);
}

static void what_gives_way_is_counted(void **state)
{
	struct far_broker *broker;
	struct user *user =
		user_of(&broker, (struct skiff_options){.queue = {.max_bytes = 2000, .full = SKIFF_FULL_DROP_OLDEST}});
	struct skiff_statistics statistics;
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		publish(user, "a", 700, 1);
	skiff_client_statistics(user->client, &statistics);
	assert_in_range(statistics.queued_messages, 1, 2);
	assert_int_equal(statistics.dropped, 10 - statistics.queued_messages);
	user_free(user);
	far_broker_stop(broker);
}

/* A session that nobody continues takes along what waited, and what was under way. */
static void what_ends_with_its_session_is_counted(void **state)
{
	struct far_broker *broker;
	struct user *user = user_of(&broker, (struct skiff_options){0});
	(void)state;
	publish(user, "a", 1, 0);
	publish(user, "a", 1, 1);
	publish(user, "a", 1, 2);
	user_expect(skiff_disconnect(user->client, 0, NULL), SKIFF_OK);
	assert_int_equal(dropped_of(user), 3);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	publish(user, "end", 1, 1);
	publish(user, "a", 1, 2);
	assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS));
	skiff_wait(skiff_disconnect(user->client, 0, NULL), QUICK_MS);
	assert_int_equal(dropped_of(user), 5);
	user_free(user);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_messages_are_counted),
		cmocka_unit_test(what_this_broker_cannot_have_is_counted),
		cmocka_unit_test(what_gives_way_is_counted),
		cmocka_unit_test(what_ends_with_its_session_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
