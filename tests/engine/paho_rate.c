/* SPDX-License-Identifier: Apache-2.0 */
/* paho_rate.c: what the client core costs on the engine paho, against a program that is written straight to MQTTAsync.
 *
 * Both publish the same messages of QoS 1 through the same window to the same broker, in turn, each run in a process of
 * its own, as Paho is one for a process. The bare program hands Paho the next message from within the callback of an
 * acknowledgement; skiff's publishes as fast as the client takes it and waits for every token. What counts is the
 * median of the ratios, each of two runs next to each other, which see the machine equally busy.
 *
 * The far end is mosquitto, which grants the window itself. That it is not what limits both is shown by what skiff's
 * own engine gets out of it. */
#include "support/broker.h"
#include "support/user.h"
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef TESTS_SANITIZED
enum { MESSAGES = 2000, RUNS = 1 };
#else
enum { MESSAGES = 30000, RUNS = 5 };
#endif
enum { WINDOW = 20, PAYLOAD_BYTES = 64, TOKENS = 4 * WINDOW, SHARE_LEAST_PERCENT = 60, PATIENCE_S = 60, US = 1000000 };

static const char payload[PAYLOAD_BYTES];

/* What a run tells its parent. */
struct score {
	double rate;   /* messages a second, from the first publish to the last acknowledgement */
	double cpu_us; /* of the whole process, a message */
};

/* ---- in the child ---- */

_Noreturn static void child_fail(const char *who, const char *why)
{
	fprintf(stderr, "%s: %s\n", who, why);
	_exit(1);
}

static double clock_us(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (double)time.tv_sec * US + (double)time.tv_nsec / 1000;
}

struct stopwatch {
	double wall_us, cpu_us;
};

static struct stopwatch stopwatch_start(void)
{
	return (struct stopwatch){clock_us(CLOCK_MONOTONIC), clock_us(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct score stopwatch_score(const struct stopwatch *start)
{
	struct stopwatch end = stopwatch_start();
	return (struct score){.rate = MESSAGES / (end.wall_us - start->wall_us) * US,
		.cpu_us = (end.cpu_us - start->cpu_us) / MESSAGES};
}

/* ---- the bare program: all of it runs in Paho's callbacks, on one of its threads ---- */

struct bare {
	MQTTAsync handle;
	struct stopwatch start;
	long sent, acknowledged;
	sem_t through;
};

static void bare_on_failure(void *context, MQTTAsync_failureData5 *data)
{
	(void)context;
	child_fail("bare", data && data->message ? data->message : "an operation failed");
}

static void bare_on_acknowledged(void *context, MQTTAsync_successData5 *data);

static void bare_send(struct bare *bare)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	options.onSuccess5 = bare_on_acknowledged;
	options.onFailure5 = bare_on_failure;
	options.context = bare;
	bare->sent++;
	if (MQTTAsync_send(bare->handle, "rate/t", PAYLOAD_BYTES, payload, 1, 0, &options) != MQTTASYNC_SUCCESS)
		child_fail("bare", "MQTTAsync_send refuses");
}

static void bare_on_acknowledged(void *context, MQTTAsync_successData5 *data)
{
	struct bare *bare = context;
	(void)data;
	if (bare->sent < MESSAGES)
		bare_send(bare);
	if (++bare->acknowledged == MESSAGES)
		sem_post(&bare->through);
}

static void bare_on_connected(void *context, MQTTAsync_successData5 *data)
{
	struct bare *bare = context;
	(void)data;
	bare->start = stopwatch_start();
	for (int i = 0; i < WINDOW; i++)
		bare_send(bare);
}

static struct score bare_run(const char *url)
{
	MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
	MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
	struct bare bare = {.sent = 0};
	struct timespec until;
	sem_init(&bare.through, 0, 0);
	connect.onSuccess5 = bare_on_connected;
	connect.onFailure5 = bare_on_failure;
	connect.context = &bare;
	connect.keepAliveInterval = 60;
	if (MQTTAsync_createWithOptions(&bare.handle, url, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) ||
		MQTTAsync_connect(bare.handle, &connect))
		child_fail("bare", "no connection");
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (sem_timedwait(&bare.through, &until))
		child_fail("bare", "not everything was acknowledged in time");
	return stopwatch_score(&bare.start);
}

/* ---- skiff ---- */

static void skiff_check(enum skiff_code code)
{
	if (code)
		child_fail("skiff", skiff_code_slug(code));
}

static struct skiff_token *skiff_send(struct skiff_client *client)
{
	static const struct skiff_message message = {
		.topic = {"rate/t", 6}, .payload = {payload, PAYLOAD_BYTES}, .qos = 1};
	struct skiff_token *token = NULL;
	skiff_check(skiff_publish_message(client, &message, &token));
	return token;
}

static struct score skiff_run(const char *url, enum skiff_engine engine)
{
	struct skiff_options options = {.url = url, .engine = engine, .reconnect.off = true};
	struct skiff_client *client = skiff_client_new(&options, NULL);
	struct skiff_token *tokens[TOKENS] = {NULL};
	struct skiff_connection connection;
	skiff_check(skiff_wait(skiff_connect(client), PATIENCE_S * 1000));
	skiff_client_connection(client, &connection);
	if (connection.receive_maximum != WINDOW)
		child_fail("skiff", "the broker grants another window");
	struct stopwatch start = stopwatch_start();
	for (int i = 0; i < MESSAGES; i++) {
		if (i >= TOKENS)
			skiff_check(skiff_wait(tokens[i % TOKENS], PATIENCE_S * 1000));
		tokens[i % TOKENS] = skiff_send(client);
	}
	for (int i = 0; i < TOKENS; i++)
		skiff_check(skiff_wait(tokens[i], PATIENCE_S * 1000));
	return stopwatch_score(&start);
}

static struct score paho_run(const char *url)
{
	return skiff_run(url, SKIFF_ENGINE_PAHO);
}

static struct score native_run(const char *url)
{
	return skiff_run(url, SKIFF_ENGINE_NATIVE);
}

/* ---- in the parent ---- */

typedef struct score (*run_fn)(const char *url);

static struct score run_in_child(run_fn run, const char *url)
{
	struct score score;
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		score = run(url);
		_exit(write(ends[1], &score, sizeof score) != sizeof score);
	}
	close(ends[1]);
	ssize_t len = read(ends[0], &score, sizeof score);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(len, sizeof score);
	return score;
}

static int number_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double numbers[RUNS])
{
	qsort(numbers, RUNS, sizeof *numbers, number_compare);
	return numbers[RUNS / 2];
}

static void rate_is_near_the_bare_one(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.settings = "max_inflight_messages 20"});
	double bare_rates[RUNS], skiff_rates[RUNS], percents[RUNS];
	(void)state;
	for (int i = 0; i < RUNS; i++) {
		struct score bare = run_in_child(bare_run, broker_url(broker, BROKER_TCP));
		struct score skiff = run_in_child(paho_run, broker_url(broker, BROKER_TCP));
		bare_rates[i] = bare.rate;
		skiff_rates[i] = skiff.rate;
		percents[i] = 100 * skiff.rate / bare.rate;
		printf("bare %.0f/s, %.1f us of CPU each; skiff on paho %.0f/s, %.1f us: %.0f %%\n", bare.rate,
			bare.cpu_us, skiff.rate, skiff.cpu_us, percents[i]);
	}
	struct score native = run_in_child(native_run, broker_url(broker, BROKER_TCP));
	broker_stop(broker);
	double percent = median(percents);
	printf("medians: bare %.0f messages/s, skiff on paho %.0f, of two next to each other %.0f %%; native %.0f\n",
		median(bare_rates), median(skiff_rates), percent, native.rate);
#ifndef TESTS_SANITIZED
	assert_true(percent >= SHARE_LEAST_PERCENT);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rate_is_near_the_bare_one)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
