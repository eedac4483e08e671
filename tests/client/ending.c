/* SPDX-License-Identifier: Apache-2.0 */
/* ending.c: disconnecting within a grace, and freeing at any moment. */
#include "loop/loop.h"
#include "support/far_broker.h"
#include "support/holdings.h"
#include "support/user.h"
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#ifdef TESTS_SANITIZED
enum { EXACT_MS = 150, FREE_MS = 500 };
#else
enum { EXACT_MS = 30, FREE_MS = 100 };
#endif

enum { QUICK_MS = 20000, GRACE_MS = 250, TRIES = 3 };

/* Calls of getaddrinfo for this host stay there until let go: a resolver that is slow. Others are answered: the engine
 * paho asks it for numeric addresses too. */
static const char slow_host[] = "slow.test";
static struct {
	bool held;
	struct waiting_count inside;
} resolver;

static bool resolver_let_go(const void *subject)
{
	(void)subject;
	return !resolver.held;
}

__attribute__((visibility("default"))) int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	*answer = NULL;
	if (node && !strcmp(node, slow_host)) {
		waiting_add(&resolver.inside);
		waiting_until(resolver_let_go, NULL, QUICK_MS);
		return EAI_NONAME;
	}
	*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	return next(node, service, hints, answer);
}

static void resolver_hold(bool held)
{
	waiting_lock();
	resolver.held = held;
	waiting_unlock();
}

/* ---- disconnecting ---- */

static void greet_and_ignore(struct far_client *client, void *user)
{
	(void)user;
	if (far_greet(client, NULL))
		far_ignore(client);
}

static void greet_and_serve(struct far_client *client, void *user)
{
	(void)user;
	if (far_greet(client, NULL))
		far_serve(client);
}

/* How long it takes to disconnect with a message of QoS 1 that is never acknowledged. */
static int64_t unacknowledged_grace_ms(const char *url)
{
	struct user *user = user_connected(&(struct skiff_options){.url = url});
	struct skiff_token *message = skiff_publish(user->client, "t", "x", 1, 1, false);
	int64_t start_ms = waiting_now_ms();
	user_expect(skiff_disconnect(user->client, GRACE_MS, NULL), SKIFF_TIMEOUT);
	int64_t took_ms = waiting_now_ms() - start_ms;
	user_expect(message, SKIFF_CLOSED);
	user_free(user);
	return took_ms;
}

static void grace_is_kept_to(void **state)
{
	struct far_broker *broker = far_broker_start(greet_and_ignore, NULL);
	int64_t took_ms = 0;
	(void)state;
	for (int i = 0; i < TRIES; i++) { /* a busy machine may be late; the clock is never early */
		took_ms = unacknowledged_grace_ms(far_broker_url(broker));
		assert_true(took_ms >= GRACE_MS - 1);
		if (took_ms <= GRACE_MS + EXACT_MS)
			break;
	}
	assert_in_range(took_ms, GRACE_MS - 1, GRACE_MS + EXACT_MS);
	far_broker_stop(broker);
}

static void nothing_under_way_ends_at_once(void **state)
{
	struct far_broker *broker = far_broker_start(greet_and_serve, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	(void)state;
	user_publish(user, "t", "x", 1);
	int64_t start_ms = waiting_now_ms();
	user_expect(skiff_disconnect(user->client, QUICK_MS, NULL), SKIFF_OK);
	assert_in_range(waiting_now_ms() - start_ms, 0, 2 * FREE_MS);
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	assert_int_equal(down->error.code, SKIFF_CLOSED);
	assert_int_equal(down->event.retry_ms, -1);
	user_free(user);
	far_broker_stop(broker);
}

/* What the far end saw; under the lock of waiting.h. */
static struct {
	bool may_answer;
	unsigned packets, disconnects;
	uint8_t reason;
	bool disconnect_was_last;
} seen;

static bool may_answer(const void *subject)
{
	(void)subject;
	return seen.may_answer;
}

static void answer_when_told(struct far_client *client, void *user)
{
	struct skiffi_frame frame;
	(void)user;
	if (!far_greet(client, NULL))
		return;
	while (far_next(client, &frame)) {
		waiting_lock();
		seen.packets++;
		seen.disconnects += frame.type == SKIFFI_DISCONNECT;
		seen.disconnect_was_last = frame.type == SKIFFI_DISCONNECT;
		if (frame.type == SKIFFI_DISCONNECT && frame.body_len)
			seen.reason = frame.body[0];
		waiting_unlock();
		waiting_until(may_answer, NULL, QUICK_MS);
		far_answer(client, &frame);
	}
}

static bool saw_something(const void *subject)
{
	(void)subject;
	return seen.packets > 0;
}

static void what_is_under_way_is_waited_for(void **state)
{
	struct far_broker *broker = far_broker_start(answer_when_told, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	struct skiff_disconnect_options how = {.reason = 0x04};
	(void)state;
	memset(&seen, 0, sizeof seen);
	struct skiff_token *message = skiff_publish(user->client, "t", "x", 1, 2, false);
	struct skiff_token *subscription = skiff_subscribe(user->client, "t", 2, NULL, NULL);
	struct skiff_token *end = skiff_disconnect(user->client, QUICK_MS, &how);
	assert_true(waiting_until(saw_something, NULL, QUICK_MS));
	assert_false(skiff_token_done(end));
	user_expect(skiff_publish(user->client, "t", "x", 1, 0, false), SKIFF_USAGE_STATE);
	waiting_lock();
	seen.may_answer = true;
	waiting_unlock();
	user_expect(message, SKIFF_OK);
	user_expect(subscription, SKIFF_OK);
	user_expect(end, SKIFF_OK);
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(seen.disconnects, 1);
	assert_true(seen.disconnect_was_last);
	assert_int_equal(seen.reason, 0x04);
}

static void second_disconnect_is_refused(void **state)
{
	struct far_broker *broker = far_broker_start(greet_and_ignore, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	(void)state;
	skiff_token_free(skiff_publish(user->client, "t", "x", 1, 1, false));
	struct skiff_token *first = skiff_disconnect(user->client, GRACE_MS, NULL);
	user_expect(skiff_disconnect(user->client, GRACE_MS, NULL), SKIFF_USAGE_STATE);
	user_expect(skiff_connect(user->client), SKIFF_USAGE_STATE);
	user_expect(first, SKIFF_TIMEOUT);
	user_free(user);
	far_broker_stop(broker);
}

static void disconnected_client_connects_again(void **state)
{
	struct far_broker *broker = far_broker_start(greet_and_serve, NULL);
	struct user *user = user_new(&(struct skiff_options){.url = far_broker_url(broker)});
	(void)state;
	for (int i = 0; i < 20; i++) {
		user_expect(skiff_connect(user->client), SKIFF_OK);
		user_publish(user, "t", "x", 2);
		user_disconnect(user);
	}
	assert_true(watch_events_paired(user->watch));
	assert_int_equal(watch_events_of(user->watch, SKIFF_EVENT_DISCONNECTED), 20);
	user_free(user);
	far_broker_stop(broker);
}

static void disconnect_without_a_connection_ends_at_once(void **state)
{
	struct user *user = user_new(&(struct skiff_options){.url = "tcp://127.0.0.1:1"});
	(void)state;
	int64_t start_ms = waiting_now_ms();
	user_expect(skiff_disconnect(user->client, QUICK_MS, NULL), SKIFF_OK);
	assert_in_range(waiting_now_ms() - start_ms, 0, 2 * FREE_MS);
	user_free(user);
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Neither a message that the window holds back, nor a flush, nor a grace keeps the processor busy. */
static void waiting_costs_nothing(void **state)
{
	enum { MS = 300 };
	struct far_broker *broker = far_broker_start(greet_and_ignore, NULL);
	struct user *user =
		user_connected(&(struct skiff_options){.url = far_broker_url(broker), .version = SKIFF_MQTT_311});
	struct skiff_message message = {.topic = skiff_text("t"), .qos = 1};
	(void)state;
	for (int i = 0; i < 2000; i++) /* more than the window */
		assert_int_equal(skiff_publish_message(user->client, &message, NULL), SKIFF_OK);
	assert_int_equal(skiff_flush(user->client, MS), SKIFF_TIMEOUT);
	double before = cpu_seconds();
	assert_int_equal(skiff_flush(user->client, MS), SKIFF_TIMEOUT);
	user_expect(skiff_disconnect(user->client, MS, NULL), SKIFF_TIMEOUT);
	assert_true(cpu_seconds() - before < 0.06);
	user_free(user);
	far_broker_stop(broker);
}

/* ---- every moment of a client's life ---- */

struct moment {
	struct user *user;
	struct skiff_token *connect, *message;
	struct far_broker *broker;
	struct net_listener *listener;
};

static struct moment moment_at(const struct skiff_options *options)
{
	struct moment moment = {.user = user_new(options)};
	moment.message = skiff_publish(moment.user->client, "t", "x", 1, 1, false);
	moment.connect = skiff_connect(moment.user->client);
	return moment;
}

static void never_connected(struct moment *moment)
{
	moment->user = user_new(&(struct skiff_options){.url = "tcp://127.0.0.1:1"});
	moment->message = skiff_publish(moment->user->client, "t", "x", 1, 1, false);
}

static void just_asked(struct moment *moment)
{
	*moment = moment_at(&(struct skiff_options){.url = "tcp://127.0.0.1:1"});
}

static void resolving(struct moment *moment)
{
	resolver_hold(true);
	uint64_t before = waiting_value(&resolver.inside);
	*moment = moment_at(&(struct skiff_options){.url = "tcp://slow.test:1883"});
	assert_true(waiting_reach(&resolver.inside, before + 1, QUICK_MS));
}

static void listen_and_connect(struct moment *moment, const struct net_options *far, struct skiff_options *options)
{
	struct net_listener *listener = net_listener_start(far);
	options->url = net_listener_url(listener);
	*moment = moment_at(options);
	moment->listener = listener;
	assert_non_null(watch_await_event(moment->user->watch, SKIFF_EVENT_CONNECTING, 1, QUICK_MS));
}

static void connecting_tcp(struct moment *moment)
{
	struct skiff_options options = {.timeouts = {.tcp_ms = QUICK_MS}};
	listen_and_connect(moment, &(struct net_options){.manner = NET_IGNORES}, &options);
}

static struct waiting_count taken;

static void take_and_ignore(struct net_peer *peer, void *user)
{
	uint8_t bytes[256];
	(void)user;
	while (net_peer_read(peer, bytes, sizeof bytes))
		waiting_add(&taken);
}

/* A plain far end, which takes the greeting of TLS or of WebSocket and says nothing. */
static void silent_after_tcp(struct moment *moment, const char *scheme)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.script = take_and_ignore});
	char url[64];
	uint64_t before = waiting_value(&taken);
	snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, net_listener_port(listener));
	*moment = moment_at(&(struct skiff_options){.url = url});
	moment->listener = listener;
	assert_true(waiting_reach(&taken, before + 1, QUICK_MS));
}

static void shaking_hands_tls(struct moment *moment)
{
	silent_after_tcp(moment, "tls");
}

static void upgrading_to_websocket(struct moment *moment)
{
	silent_after_tcp(moment, "ws");
}

static void waiting_for_connack(struct moment *moment)
{
	silent_after_tcp(moment, "tcp");
}

static void backing_off(struct moment *moment)
{
	struct skiff_options options = {.reconnect = {.first_too = true, .min_ms = 600000, .max_ms = 600000}};
	listen_and_connect(moment, &(struct net_options){.manner = NET_REFUSES}, &options);
	assert_non_null(watch_await_event(moment->user->watch, SKIFF_EVENT_FAILED, 1, QUICK_MS));
}

static void connected_and_unanswered(struct moment *moment)
{
	struct far_broker *broker = far_broker_start(greet_and_ignore, NULL);
	*moment = moment_at(&(struct skiff_options){.url = far_broker_url(broker)});
	moment->broker = broker;
	assert_int_equal(skiff_token_wait(moment->connect, QUICK_MS), SKIFF_OK);
	skiff_token_free(moment->connect);
	moment->connect = NULL;
}

static void disconnecting(struct moment *moment)
{
	connected_and_unanswered(moment);
	moment->connect = skiff_disconnect(moment->user->client, QUICK_MS, NULL);
}

static void (*const moments[])(struct moment *) = {never_connected, just_asked, resolving, connecting_tcp,
	shaking_hands_tls, upgrading_to_websocket, waiting_for_connack, backing_off, connected_and_unanswered,
	disconnecting};

enum { MOMENTS = sizeof moments / sizeof *moments };

static void moment_end(struct moment *moment)
{
	resolver_hold(false);
	user_free(moment->user);
	if (moment->listener)
		net_listener_stop(moment->listener);
	if (moment->broker)
		far_broker_stop(moment->broker);
}

static void free_returns_soon_at(size_t i)
{
	struct moment moment = {0};
	moments[i](&moment);
	int64_t start_ms = waiting_now_ms();
	skiff_client_free(moment.user->client);
	int64_t took_ms = waiting_now_ms() - start_ms;
	moment.user->client = NULL;
	if (took_ms > FREE_MS)
		fail_msg("moment %zu: %lld ms", i, (long long)took_ms);
	assert_true(skiff_token_done(moment.message));
	assert_int_not_equal(skiff_wait(moment.message, 0), SKIFF_OK);
	if (moment.connect) {
		assert_true(skiff_token_done(moment.connect));
		if (skiff_wait(moment.connect, 0) == SKIFF_OK)
			fail_msg("moment %zu: a token ended well", i);
	}
	assert_true(watch_events_paired(moment.user->watch));
	moment_end(&moment);
}

static void free_returns_soon_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOMENTS; i++)
		free_returns_soon_at(i);
}

/* Another client holds the loop, so that the end of one is not the end of the thread. */
static void free_returns_soon_beside_another_client(void **state)
{
	struct user *other = user_new(&(struct skiff_options){.url = "tcp://127.0.0.1:1"});
	(void)state;
	for (size_t i = 0; i < MOMENTS; i++)
		free_returns_soon_at(i);
	user_free(other);
}

static void disconnect_ends_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOMENTS; i++) {
		struct moment moment = {0};
		if (moments[i] == disconnecting)
			continue;
		moments[i](&moment);
		struct skiff_token *end = skiff_disconnect(moment.user->client, 0, NULL);
		enum skiff_code code = skiff_wait(end, QUICK_MS);
		if (code != SKIFF_OK && code != SKIFF_TIMEOUT)
			fail_msg("moment %zu: %s", i, skiff_code_slug(code));
		assert_false(skiff_client_connected(moment.user->client));
		if (moment.connect) {
			assert_true(skiff_token_done(moment.connect));
			skiff_token_free(moment.connect);
		}
		assert_true(skiff_token_done(moment.message));
		skiff_token_free(moment.message);
		assert_true(watch_events_paired(moment.user->watch));
		moment_end(&moment);
	}
}

struct holdings {
	size_t descriptors, threads;
};

static bool all_given_back(const void *subject)
{
	const struct holdings *before = subject;
	return holdings_descriptors() <= before->descriptors && holdings_threads() <= before->threads;
}

/* A program that has freed its clients has nothing of theirs, soon, whatever else it goes on to do. */
static void nothing_is_left_behind_the_last_client(void **state)
{
	(void)state;
	struct far_broker *broker = far_broker_start(greet_and_serve, NULL);
	struct user *user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	user_free(user);
	far_broker_stop(broker);
	skiffi_loop_end_unused();
	struct holdings before = {holdings_descriptors(), holdings_threads()};
	broker = far_broker_start(greet_and_serve, NULL);
	user = user_connected(&(struct skiff_options){.url = far_broker_url(broker)});
	assert_true(holdings_descriptors() > before.descriptors);
	user_free(user);
	far_broker_stop(broker);
	assert_true(waiting_poll(all_given_back, &before, QUICK_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_behind_the_last_client), /* before there are threads that stay */
		cmocka_unit_test(grace_is_kept_to),
		cmocka_unit_test(nothing_under_way_ends_at_once),
		cmocka_unit_test(what_is_under_way_is_waited_for),
		cmocka_unit_test(second_disconnect_is_refused),
		cmocka_unit_test(disconnected_client_connects_again),
		cmocka_unit_test(disconnect_without_a_connection_ends_at_once),
		cmocka_unit_test(waiting_costs_nothing),
		cmocka_unit_test(free_returns_soon_at_every_moment),
		cmocka_unit_test(free_returns_soon_beside_another_client),
		cmocka_unit_test(disconnect_ends_every_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
