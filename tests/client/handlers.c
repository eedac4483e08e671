/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.c: what a handler may do, and when it runs. */
#include "support/far_broker.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 20000 };

static const uint8_t hello[] = {0x30, 6, 0, 1, 't', 0, 'h', 'i'}; /* PUBLISH of MQTT 5: topic "t", payload "hi" */

/* What a handler of a test does, once, and what came of it. */
struct act {
	void (*run)(struct act *act, struct skiff_client *client);
	struct waiting_count done;
	enum skiff_code wait, flush;
	struct skiff_token *token;
	bool ended_before;
};

static void act_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct act *act = user;
	(void)message;
	act->run(act, client);
	waiting_add(&act->done);
}

/* Serves; greets every subscription with a message. */
static void greet_subscribers(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (!far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		far_answer(client, &frame);
		if (frame.type == SKIFFI_SUBSCRIBE)
			far_send(client, hello, sizeof hello);
	}
}

static void run_in_handler(void (*run)(struct act *act, struct skiff_client *client), struct act *act)
{
	struct far_broker *broker = far_broker_start(greet_subscribers, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	act->run = run;
	user_expect(skiff_subscribe(user->client, "t", 0, act_message, act), SKIFF_OK);
	assert_true(waiting_reach(&act->done, 1, QUICK_MS));
	if (act->token)
		user_expect(act->token, SKIFF_OK);
	user_free(user);
	far_broker_stop(broker);
}

static void publish_here(struct act *act, struct skiff_client *client)
{
	act->token = skiff_publish(client, "x", "y", 1, 2, false);
}

static void handler_publishes(void **state)
{
	struct act act = {0};
	(void)state;
	run_in_handler(publish_here, &act);
}

static void subscribe_here(struct act *act, struct skiff_client *client)
{
	if (!act->token)
		act->token = skiff_subscribe(client, "more/#", 1, NULL, NULL);
}

static void handler_subscribes(void **state)
{
	struct act act = {0};
	(void)state;
	run_in_handler(subscribe_here, &act);
}

static void unsubscribe_here(struct act *act, struct skiff_client *client)
{
	act->token = skiff_unsubscribe(client, "t");
}

static void handler_unsubscribes_itself(void **state)
{
	struct act act = {0};
	(void)state;
	run_in_handler(unsubscribe_here, &act);
}

static void disconnect_here(struct act *act, struct skiff_client *client)
{
	act->token = skiff_disconnect(client, 1000, NULL);
}

static void handler_disconnects(void **state)
{
	struct act act = {0};
	(void)state;
	run_in_handler(disconnect_here, &act);
}

static void wait_here(struct act *act, struct skiff_client *client)
{
	struct skiff_token *token = skiff_publish(client, "x", "y", 1, 1, false);
	act->wait = skiff_token_wait(token, 1000);
	act->flush = skiff_flush(client, 1000);
	skiff_token_free(token);
}

static void waiting_in_a_handler_is_refused(void **state)
{
	struct act act = {0};
	(void)state;
	int64_t start_ms = waiting_now_ms();
	run_in_handler(wait_here, &act);
	assert_int_equal(act.wait, SKIFF_USAGE_IN_HANDLER);
	assert_int_equal(act.flush, SKIFF_USAGE_IN_HANDLER);
	assert_in_range(waiting_now_ms() - start_ms, 0, 900);
}

static void free_here(struct act *act, struct skiff_client *client)
{
	(void)act;
	skiff_client_free(client);
}

static void greet_three_times(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	uint8_t all[3 * sizeof hello];
	(void)user;
	for (size_t i = 0; i < 3; i++)
		memcpy(all + i * sizeof hello, hello, sizeof hello);
	if (!far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		far_answer(client, &frame);
		if (frame.type == SKIFFI_SUBSCRIBE)
			far_send(client, all, sizeof all);
	}
}

/* What its handlers were given may be gone from then on: none runs any more. */
static void handler_frees_the_client(void **state)
{
	struct far_broker *broker = far_broker_start(greet_three_times, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	struct act act = {.run = free_here};
	(void)state;
	struct skiff_token *token = skiff_subscribe(user->client, "t", 0, act_message, &act);
	assert_true(waiting_reach(&act.done, 1, QUICK_MS));
	user->client = NULL;
	/* another client's end waits for the loop, and so for the end of the first one's */
	user_free(user_connected(&(struct skiff_options){.url = far_broker_url(broker)}));
	far_broker_stop(broker);
	assert_true(skiff_token_done(token));
	skiff_token_free(token);
	assert_int_equal(waiting_value(&act.done), 1);
	assert_int_equal(waiting_value(&user->watch->events), 2);
	user_free(user);
}

/* ---- in handlers of events ---- */

struct event_act {
	enum skiff_event_kind kind;
	void (*run)(struct event_act *act, struct skiff_client *client);
	struct waiting_count done, events;
	struct skiff_token *token;
};

static void act_event(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	struct event_act *act = user;
	if (event->kind == act->kind && !waiting_value(&act->done)) {
		act->run(act, client);
		waiting_add(&act->done);
	}
	waiting_add(&act->events);
}

static void event_free(struct event_act *act, struct skiff_client *client)
{
	(void)act;
	skiff_client_free(client);
}

static void refuse_first(struct far_client *client, void *user)
{
	(void)user;
	if (client->number > 1)
		greet_subscribers(client, NULL);
	else if (far_read_connect(client))
		far_send_connack(client, 0x97, false, NULL);
}

static void free_in_event(enum skiff_event_kind kind, far_script script)
{
	struct far_broker *broker = far_broker_start(script, NULL);
	struct event_act act = {.kind = kind, .run = event_free};
	struct skiff_options options = {.url = far_broker_url(broker), .on_event = act_event, .user = &act};
	struct skiff_client *client = skiff_client_new(&options, NULL);
	struct skiff_token *token = skiff_connect(client);
	assert_true(waiting_reach(&act.done, 1, QUICK_MS));
	assert_int_not_equal(skiff_token_wait(token, QUICK_MS), SKIFF_TIMEOUT);
	skiff_token_free(token);
	user_free(user_new(&(struct skiff_options){.url = far_broker_url(broker)}));
	far_broker_stop(broker);
}

static void every_event_handler_may_free_the_client(void **state)
{
	(void)state;
	free_in_event(SKIFF_EVENT_CONNECTING, greet_subscribers);
	free_in_event(SKIFF_EVENT_CONNECTED, greet_subscribers);
	free_in_event(SKIFF_EVENT_FAILED, refuse_first);
}

static void event_connect(struct event_act *act, struct skiff_client *client)
{
	act->token = skiff_connect(client);
}

/* The token of the attempt that failed ends too, with its own error. */
static void handler_of_a_failure_connects_again(void **state)
{
	struct far_broker *broker = far_broker_start(refuse_first, NULL);
	struct event_act act = {.kind = SKIFF_EVENT_FAILED, .run = event_connect};
	struct skiff_options options = {.url = far_broker_url(broker), .on_event = act_event, .user = &act};
	struct skiff_client *client = skiff_client_new(&options, NULL);
	struct skiff_token *first = skiff_connect(client);
	(void)state;
	assert_true(waiting_reach(&act.done, 1, QUICK_MS));
	user_expect(first, SKIFF_MQTT_REFUSED);
	user_expect(act.token, SKIFF_OK);
	assert_true(skiff_client_connected(client));
	skiff_client_free(client);
	far_broker_stop(broker);
}

static void event_subscribe(struct event_act *act, struct skiff_client *client)
{
	act->token = skiff_subscribe(client, "t", 1, NULL, NULL);
}

static void handler_of_connected_subscribes(void **state)
{
	struct far_broker *broker = far_broker_start(greet_subscribers, NULL);
	struct event_act act = {.kind = SKIFF_EVENT_CONNECTED, .run = event_subscribe};
	struct skiff_options options = {.url = far_broker_url(broker), .on_event = act_event, .user = &act};
	struct skiff_client *client = skiff_client_new(&options, NULL);
	(void)state;
	user_expect(skiff_connect(client), SKIFF_OK);
	assert_true(waiting_reach(&act.done, 1, QUICK_MS));
	user_expect(act.token, SKIFF_OK);
	skiff_client_free(client);
	far_broker_stop(broker);
}

/* ---- unsubscribing ---- */

/* Messages and the acknowledgement of the unsubscription arrive in one read. */
static void answer_late_and_at_once(struct far_client *client, void *user)
{
	enum { HELLOS = 50 };
	struct skiffi_frame frame;
	uint8_t all[HELLOS * sizeof hello + 7];
	(void)user;
	if (!far_greet(client, NULL) || !far_next_of(client, SKIFFI_SUBSCRIBE, &frame))
		return;
	far_answer_subscribe(client, &frame, 0);
	if (!far_next_of(client, SKIFFI_UNSUBSCRIBE, &frame))
		return;
	for (size_t i = 0; i < HELLOS; i++)
		memcpy(all + i * sizeof hello, hello, sizeof hello);
	memcpy(all + HELLOS * sizeof hello, (uint8_t[]){0xb0, 4, frame.body[0], frame.body[1], 0, 0}, 6);
	far_send(client, all, HELLOS * sizeof hello + 6);
	far_serve(client);
}

static struct {
	struct skiff_token *token; /* under the lock of waiting.h */
	unsigned runs, runs_after_the_end;
} leaving;

static void leaving_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	(void)client;
	(void)message;
	(void)user;
	waiting_lock();
	leaving.runs++;
	leaving.runs_after_the_end += leaving.token && skiff_token_done(leaving.token);
	waiting_unlock();
}

static void no_handler_runs_once_unsubscribe_has_ended(void **state)
{
	struct far_broker *broker = far_broker_start(answer_late_and_at_once, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	(void)state;
	user_expect(skiff_subscribe(user->client, "t", 0, leaving_message, NULL), SKIFF_OK);
	waiting_lock();
	leaving.token = skiff_unsubscribe(user->client, "t");
	waiting_unlock();
	assert_int_equal(skiff_token_wait(leaving.token, QUICK_MS), SKIFF_OK);
	user_free(user);
	skiff_token_free(leaving.token);
	assert_int_equal(leaving.runs, 50);
	assert_int_equal(leaving.runs_after_the_end, 0);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handler_publishes),
		cmocka_unit_test(handler_subscribes),
		cmocka_unit_test(handler_unsubscribes_itself),
		cmocka_unit_test(handler_disconnects),
		cmocka_unit_test(waiting_in_a_handler_is_refused),
		cmocka_unit_test(handler_frees_the_client),
		cmocka_unit_test(every_event_handler_may_free_the_client),
		cmocka_unit_test(handler_of_a_failure_connects_again),
		cmocka_unit_test(handler_of_connected_subscribes),
		cmocka_unit_test(no_handler_runs_once_unsubscribe_has_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
