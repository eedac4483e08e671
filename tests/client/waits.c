/* SPDX-License-Identifier: Apache-2.0 */
/* waits.c: which thread does the work while somebody waits, and where handlers run. */
#include "loop/loop.h"
#include "support/far_broker.h"
#include "support/user.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUICK_MS = 20000, MESSAGES = 200 };

/* PUBLISH of 3.1.1: QoS 0, topic "t", payload "x" */
static const uint8_t message[] = {0x30, 4, 0, 1, 't', 'x'};

/* Serves; each PUBLISH is answered with a message before its acknowledgement. */
static void far_echoes(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (!far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		if (frame.type == SKIFFI_PUBLISH && !far_send(client, message, sizeof message))
			return;
		if (!far_answer(client, &frame))
			return;
	}
}

struct seen {
	struct waiting_count messages;
	pthread_t thread;
};

static void note_thread(struct skiff_client *client, const struct skiff_message *what, void *user)
{
	struct seen *seen = user;
	(void)client;
	(void)what;
	seen->thread = pthread_self();
	waiting_add(&seen->messages);
}

static struct skiff_client *connected(const struct far_broker *broker, struct skiff_options options)
{
	options.url = far_broker_url(broker);
	options.version = SKIFF_MQTT_311;
	options.reconnect.off = true;
	struct skiff_client *client = skiff_client_new(&options, NULL);
	assert_non_null(client);
	user_expect(skiff_connect(client), SKIFF_OK);
	return client;
}

/* A lone client without handlers is served by its waiter, message by message. */
static void lone_client_is_served_by_who_waits(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct skiff_client *client = connected(broker, (struct skiff_options){0});
	(void)state;
	for (int i = 0; i < MESSAGES; i++)
		user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
	assert_int_equal(skiff_wait(skiff_publish(client, "t", "y", 1, 1, false), QUICK_MS), SKIFF_OK);
	skiff_client_free(client);
	far_broker_stop(broker);
}

/* What is not waited for goes on all the same when a wait is over. */
static void nothing_stays_behind_a_wait(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct skiff_client *client = connected(broker, (struct skiff_options){0});
	(void)state;
	for (int i = 0; i < MESSAGES; i++) {
		struct skiff_token *left = skiff_publish(client, "t", "y", 1, 1, false);
		user_expect(skiff_publish(client, "t", "z", 1, 0, false), SKIFF_OK);
		int64_t end_ms = waiting_now_ms() + QUICK_MS;
		while (!skiff_token_done(left) && waiting_now_ms() < end_ms)
			sched_yield();
		user_expect(left, SKIFF_OK);
	}
	skiff_client_free(client);
	far_broker_stop(broker);
}

static void wait_is_over_in_time(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct skiff_options options = {.url = "tcp://127.0.0.1:1", .reconnect = {.first_too = true, .min_ms = 60000}};
	struct skiff_client *lone = skiff_client_new(&options, NULL);
	struct skiff_token *token = skiff_connect(lone);
	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t begin_ms = waiting_now_ms();
		assert_int_equal(skiff_token_wait(token, 50), SKIFF_TIMEOUT);
		assert_true(waiting_now_ms() - begin_ms >= 49);
	}
	skiff_client_free(lone);
	assert_int_equal(skiff_wait(token, QUICK_MS), SKIFF_CLOSED);
	far_broker_stop(broker);
}

/* Handlers stay with the I/O thread, also where a subscription comes after the first waits. */
static void handlers_run_on_the_io_thread(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct skiff_client *client = connected(broker, (struct skiff_options){0});
	struct seen seen = {0};
	(void)state;
	user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
	user_expect(skiff_subscribe(client, "t", 0, note_thread, &seen), SKIFF_OK);
	for (uint64_t i = 1; i <= MESSAGES; i++) {
		user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
		assert_true(waiting_reach(&seen.messages, i, QUICK_MS));
		assert_false(pthread_equal(seen.thread, pthread_self()));
	}
	skiff_client_free(client);
	far_broker_stop(broker);
}

/* Where that is allowed: without sleeping, or asleep until something comes. Which thread is first with a message is
 * chance; the one that waits is, sooner or later. */
static void waiter_runs_handlers(struct skiff_options options)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct seen seen = {0};
	options.on_message = note_thread;
	options.user = &seen;
	struct skiff_client *client = connected(broker, options);
	int64_t end_ms = waiting_now_ms() + QUICK_MS;
	bool here = false;
	for (uint64_t i = 1; !here && waiting_now_ms() < end_ms; i++) {
		user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
		assert_true(waiting_reach(&seen.messages, i, QUICK_MS));
		here = pthread_equal(seen.thread, pthread_self()) != 0;
	}
	assert_true(here);
	assert_int_equal(skiff_flush(client, QUICK_MS), SKIFF_OK);
	skiff_client_free(client);
	far_broker_stop(broker);
}

static void spinning_waiter_runs_handlers(void **state)
{
	(void)state;
	waiter_runs_handlers((struct skiff_options){.spin = true});
}

static void sleeping_waiter_runs_handlers_where_allowed(void **state)
{
	(void)state;
	waiter_runs_handlers((struct skiff_options){.handlers_in_waits = true});
}

/* One client that does not allow it keeps them all with the I/O thread. */
static void waiter_runs_no_handlers_beside_others(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct seen seen[2] = {0};
	struct skiff_client *clients[2];
	(void)state;
	for (int i = 0; i < 2; i++)
		clients[i] = connected(
			broker, (struct skiff_options){
					.handlers_in_waits = i == 0, .on_message = note_thread, .user = &seen[i]});
	for (uint64_t i = 1; i <= MESSAGES; i++) {
		user_expect(skiff_publish(clients[i % 2], "t", "y", 1, 1, false), SKIFF_OK);
		assert_true(waiting_reach(&seen[i % 2].messages, (i + 1) / 2, QUICK_MS));
		assert_false(pthread_equal(seen[i % 2].thread, pthread_self()));
	}
	for (int i = 0; i < 2; i++)
		skiff_client_free(clients[i]);
	far_broker_stop(broker);
}

/* A handler that runs on a thread that waits, and what another thread does meanwhile. */
struct meeting {
	const struct far_broker *broker;
	struct waiting_count entered, made, events;
	pthread_t waiter;
	bool met, strayed; /* strayed: a handler of the other client ran on the waiter's thread */
};

static void meet(struct skiff_client *client, const struct skiff_message *what, void *user)
{
	struct meeting *meeting = user;
	(void)client;
	(void)what;
	waiting_add(&meeting->entered);
	meeting->met = waiting_reach(&meeting->made, 1, QUICK_MS);
}

static void note_stray(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	struct meeting *meeting = user;
	(void)client;
	(void)event;
	meeting->strayed |= pthread_equal(pthread_self(), meeting->waiter) != 0;
	waiting_add(&meeting->events);
}

static void *make_another(void *argument)
{
	struct meeting *meeting = argument;
	waiting_reach(&meeting->entered, 1, QUICK_MS);
	struct skiff_options options = {
		.url = far_broker_url(meeting->broker), .on_event = note_stray, .user = meeting};
	struct skiff_client *another = skiff_client_new(&options, NULL);
	struct skiff_token *token = skiff_connect(another);
	waiting_add(&meeting->made);
	skiff_wait(token, QUICK_MS);
	skiff_client_free(another);
	return NULL;
}

/* It is not held up by the handler, and what it calls stays with the I/O thread. */
static void client_is_made_beside_a_handler_in_a_wait(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct meeting meeting = {.broker = broker, .waiter = pthread_self()};
	struct skiff_client *client = connected(
		broker, (struct skiff_options){.handlers_in_waits = true, .on_message = meet, .user = &meeting});
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, make_another, &meeting), 0);
	user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
	assert_true(waiting_reach(&meeting.entered, 1, QUICK_MS));
	pthread_join(thread, NULL);
	assert_true(meeting.met);
	assert_true(waiting_value(&meeting.events) > 0);
	assert_false(meeting.strayed);
	skiff_client_free(client);
	far_broker_stop(broker);
}

static void clients_are_spread_over_threads(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct seen seen[2] = {0};
	struct skiff_client *clients[2];
	(void)state;
	assert_int_equal(skiff_io_threads(0), SKIFF_USAGE_OPTION);
	assert_int_equal(skiff_io_threads(SKIFFI_LOOPS_MAX + 1), SKIFF_USAGE_OPTION);
	assert_int_equal(skiff_io_threads(2), SKIFF_OK);
	for (int i = 0; i < 2; i++)
		clients[i] = connected(broker, (struct skiff_options){.on_message = note_thread, .user = &seen[i]});
	for (int i = 0; i < 2; i++) {
		user_expect(skiff_publish(clients[i], "t", "y", 1, 1, false), SKIFF_OK);
		assert_true(waiting_reach(&seen[i].messages, 1, QUICK_MS));
	}
	assert_false(pthread_equal(seen[0].thread, seen[1].thread));
	for (int i = 0; i < 2; i++)
		skiff_client_free(clients[i]);
	assert_int_equal(skiff_io_threads(1), SKIFF_OK);
	far_broker_stop(broker);
}

/* What a handler finds when it frees the client of another thread; under the lock of waiting.h. */
struct freeing {
	struct skiff_client *other;
	bool before, behind, done;
};

static void free_the_other(struct skiff_client *client, const struct skiff_message *arrived, void *user)
{
	struct freeing *freeing = user;
	bool before = skiffi_loop_inside();
	(void)client, (void)arrived;
	skiff_client_free(freeing->other);
	bool behind = skiffi_loop_inside();
	waiting_lock();
	freeing->before = before;
	freeing->behind = behind;
	freeing->done = true;
	waiting_unlock();
}

static bool has_freed(const void *subject)
{
	return ((const struct freeing *)subject)->done;
}

/* The handler keeps its own turn, so that waiting in it is refused as before. */
static void a_handler_frees_the_client_of_another_thread(void **state)
{
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	struct freeing freeing = {0};
	(void)state;
	assert_int_equal(skiff_io_threads(2), SKIFF_OK);
	struct skiff_client *client =
		connected(broker, (struct skiff_options){.on_message = free_the_other, .user = &freeing});
	freeing.other = connected(broker, (struct skiff_options){0});
	user_expect(skiff_publish(client, "t", "y", 1, 1, false), SKIFF_OK);
	assert_true(waiting_until(has_freed, &freeing, QUICK_MS));
	assert_true(freeing.before && freeing.behind);
	skiff_client_free(client);
	assert_int_equal(skiff_io_threads(1), SKIFF_OK);
	far_broker_stop(broker);
}

/* A program that has freed its clients may fork, at any time, and both go on. */
static void fork_leaves_both_able(void **state)
{
	(void)state;
#ifdef TESTS_SANITIZED
	skip(); /* the thread sanitizer allows the child no threads */
#endif
	struct far_broker *broker = far_broker_start(far_echoes, NULL);
	skiff_client_free(connected(broker, (struct skiff_options){0}));
	pid_t child = fork();
	if (!child) {
		struct skiff_options options = {.url = far_broker_url(broker), .version = SKIFF_MQTT_311};
		struct skiff_client *client = skiff_client_new(&options, NULL);
		bool ok = client && !skiff_wait(skiff_connect(client), QUICK_MS) &&
			  !skiff_wait(skiff_publish(client, "t", "y", 1, 1, false), QUICK_MS);
		skiff_client_free(client);
		_exit(ok ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	skiff_client_free(connected(broker, (struct skiff_options){0}));
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lone_client_is_served_by_who_waits),
		cmocka_unit_test(nothing_stays_behind_a_wait),
		cmocka_unit_test(wait_is_over_in_time),
		cmocka_unit_test(handlers_run_on_the_io_thread),
		cmocka_unit_test(spinning_waiter_runs_handlers),
		cmocka_unit_test(sleeping_waiter_runs_handlers_where_allowed),
		cmocka_unit_test(waiter_runs_no_handlers_beside_others),
		cmocka_unit_test(client_is_made_beside_a_handler_in_a_wait),
		cmocka_unit_test(clients_are_spread_over_threads),
		cmocka_unit_test(a_handler_frees_the_client_of_another_thread),
		cmocka_unit_test(fork_leaves_both_able),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
