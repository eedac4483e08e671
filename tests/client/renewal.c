/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c: what is subscribed anew after a lost session is what was granted: the same filters, with the same options
 * and the same subscription identifier. */
#include "support/far_broker.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 20000, ROUNDS = 2, FILTERS = 64 };

/* The filters of one connection, as its SUBSCRIBE packets named them. Under the lock of waiting.h. */
struct round {
	struct waiting_count count;
	struct {
		char filter[32];
		uint8_t options;
		uint32_t id;
	} asked[FILTERS];
};
static struct round rounds[ROUNDS];

static void round_note(struct round *round, const struct skiffi_frame *frame)
{
	struct skiffi_subscribe packet;
	struct skiffi_filter filter;
	struct skiffi_refusal why;
	if (!skiffi_subscribe_decode(frame, SKIFFI_V5, &packet, &why))
		return;
	while (skiffi_filter_next(&packet.raw_filters, SKIFFI_SUBSCRIBE, &filter)) {
		size_t at = (size_t)waiting_value(&round->count);
		waiting_lock();
		if (at < FILTERS) {
			snprintf(round->asked[at].filter, sizeof round->asked[at].filter, "%.*s",
				(int)filter.filter.len, (const char *)filter.filter.data);
			round->asked[at].options = filter.options;
			round->asked[at].id = packet.properties.subscription_id;
		}
		waiting_unlock();
		waiting_add(&round->count);
	}
}

/* Keeps no session; a message ends the connection. */
static void forget_everything(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (client->number > ROUNDS || !far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		if (frame.type == SKIFFI_PUBLISH)
			return;
		if (frame.type == SKIFFI_SUBSCRIBE)
			round_note(&rounds[client->number - 1], &frame);
		far_answer(client, &frame);
	}
}

/* Exactly once, and so. */
static void expect_asked(const struct round *round, const char *filter, uint8_t options, uint32_t id)
{
	unsigned times = 0;
	for (size_t i = 0; i < waiting_value(&round->count); i++) {
		if (strcmp(round->asked[i].filter, filter))
			continue;
		times++;
		assert_int_equal(round->asked[i].options, options);
		assert_int_equal(round->asked[i].id, id);
	}
	assert_int_equal(times, 1);
}

static void subscribe(struct user *user, const struct skiff_subscription *list, size_t count, uint32_t id)
{
	struct skiff_properties properties = {.has = SKIFF_HAS_SUBSCRIPTION_ID, .subscription_id = id};
	struct skiff_token *token;
	assert_int_equal(skiff_subscribe_many(user->client, list, count, id ? &properties : NULL, &token), SKIFF_OK);
	user_expect(token, SKIFF_OK);
}

static void subscribed_anew_is_what_was_granted(void **state)
{
	static const struct skiff_subscription one[] = {
		{.filter = "one/a", .qos = 1, .no_local = true},
		{.filter = "one/b", .qos = 2, .retain_as_published = true, .retain_handling = 1},
	};
	static const struct skiff_subscription two[] = {{.filter = "two/+", .qos = 0, .retain_handling = 2}};
	static const struct skiff_subscription bare[] = {
		{.filter = "bare/#", .qos = 2, .no_local = true, .retain_as_published = true, .retain_handling = 2}};
	static const struct skiff_subscription anew[] = {{.filter = "one/a", .qos = 2}};
	struct far_broker *broker = far_broker_start(forget_everything, NULL);
	struct skiff_options options = {.url = far_broker_url(broker), .reconnect = {.min_ms = 1, .max_ms = 2}};
	struct user *user = user_connected(&options);
	(void)state;
	subscribe(user, one, 2, 268435455);
	subscribe(user, two, 1, 7);
	subscribe(user, bare, 1, 0);
	user_subscribe(user, "left", 1);
	user_expect(skiff_unsubscribe(user->client, "left"), SKIFF_OK);
	expect_asked(&rounds[0], "one/a", 1 | 1 << 2, 268435455);
	subscribe(user, anew, 1, 8); /* replaces */
	assert_int_equal(skiff_publish_message(user->client, &(struct skiff_message){.topic = {"end", 3}}, NULL), 0);
	assert_true(waiting_reach(&rounds[1].count, 4, QUICK_MS));
	user_publish(user, "end", "", 0); /* behind all of them */
	assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 2, QUICK_MS));
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(waiting_value(&rounds[1].count), 4);
	expect_asked(&rounds[1], "one/a", 2, 8);
	expect_asked(&rounds[1], "one/b", 2 | 1 << 3 | 1 << 4, 268435455);
	expect_asked(&rounds[1], "two/+", 2 << 4, 7);
	expect_asked(&rounds[1], "bare/#", 2 | 1 << 2 | 1 << 3 | 2 << 4, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(subscribed_anew_is_what_was_granted)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
