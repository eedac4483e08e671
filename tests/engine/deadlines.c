/* SPDX-License-Identifier: Apache-2.0 */
/* deadlines.c: limits are kept to the same point on both engines: Paho's own timers, which come round every three
 * seconds, are not felt. Several processes share the trials, whose time is spent in waiting. */
#include "engine/causes_far.h"
#include "support/names.h"
#include "support/shares.h"
#include "support/user.h"
#include <assert.h>
#include <stdio.h>

#ifdef TESTS_SANITIZED
enum { LATE_MS = 1000, SHARES = 1 };
#else
enum { LATE_MS = 150, SHARES = 9 };
#endif
enum { QUICK_MS = 20000, GRACE_MS = 250, TRIES = 6 };
enum { TCP = 1 << CAUSE_TCP, SSL = 1 << CAUSE_SSL, WS = 1 << CAUSE_WS, WSS = 1 << CAUSE_WSS };
enum { TLS = SSL | WSS, WEB = WS | WSS, ALL = TCP | SSL | WS | WSS };

static const enum skiff_engine engines[] = {SKIFF_ENGINE_NATIVE, SKIFF_ENGINE_PAHO};
static const char *const door_names[] = {"tcp", "ssl", "ws", "wss"};

static struct user *client_of(const struct cause_far *far, const char *host, struct skiff_options options)
{
	char url[NET_URL_BYTES];
	cause_far_url(far, host, url, sizeof url);
	options.url = url;
	options.reconnect.off = true;
	options.tls.ca_file = cause_far_ca(far);
	return user_new(&options);
}

/* What is measured: a door, an engine, and the time that something took on them. */
struct trial {
	const char *name;
	enum cause_door door;
	enum skiff_engine engine;
	int limit_ms;
	int64_t (*spend)(const struct trial *trial);
	const void *what;
};

/* A machine that is busy with something else may be late, or have the far end look at its clock late, so that the time
 * from there seems short; whoever waits for a timer of Paho's is late every time. */
static void expect_in_time(const struct trial *trial)
{
	int64_t spent_ms = 0;
	for (int i = 0; i < TRIES; i++) {
		spent_ms = trial->spend(trial);
		print_message("    %s, %s, %s: %d ms of %d\n", trial->name, door_names[trial->door],
			skiff_engine_name(trial->engine), (int)spent_ms, trial->limit_ms);
		if (spent_ms >= trial->limit_ms - 1 && spent_ms <= trial->limit_ms + LATE_MS)
			return;
	}
	fail_msg("%s, %s, %s: it took %d ms instead of %d", trial->name, door_names[trial->door],
		skiff_engine_name(trial->engine), (int)spent_ms, trial->limit_ms);
}

/* ---- attempts ---- */

struct limit_case {
	const char *name;
	unsigned doors;
	struct cause_plan far;
	struct skiff_timeouts timeouts;
	int limit_ms;
	bool from_connect; /* it counts from CONNECT, else from the start */
	const char *host;
};

static const struct limit_case limits[] = {
	{"tcp_ms", ALL, {.manner = NET_IGNORES}, {.tcp_ms = 400}, 400, false, NULL},
	{"total_ms while connecting", ALL, {.manner = NET_IGNORES}, {.total_ms = 400}, 400, false, NULL},
	{"total_ms while resolving", ALL, {0}, {.total_ms = 400}, 400, false, "slow.example"},
	{"resolve_ms", TCP | WSS, {0}, {.resolve_ms = 400}, 400, false, "slow.example"},
	{"total_ms in the TLS handshake", TLS, {.manner = NET_SILENT}, {.total_ms = 400}, 400, false, NULL},
	{"total_ms in the TLS handshake, later", SSL, {.manner = NET_SILENT}, {.total_ms = 1700}, 1700, false, NULL},
	{"total_ms in the upgrade", WEB, {.ignores_request = true}, {.total_ms = 1700}, 1700, false, NULL},
	{"total_ms after CONNECT", ALL, {.answer = CAUSE_HOLDS}, {.total_ms = 1700}, 1700, false, NULL},
	{"mqtt_ms", ALL, {.answer = CAUSE_HOLDS}, {.mqtt_ms = 400}, 400, true, NULL},
};

static int64_t attempt_spends(const struct trial *trial)
{
	const struct limit_case *wanted = trial->what;
	struct cause_far *far = cause_far_start(&wanted->far, trial->door, "");
	struct user *user = client_of(far, wanted->host ? wanted->host : "127.0.0.1",
		(struct skiff_options){.engine = trial->engine, .timeouts = wanted->timeouts});
	int64_t start_ms = waiting_now_ms();
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	int64_t end_ms = waiting_now_ms();
	assert_non_null(strstr(skiff_code_slug(code), "timeout"));
	skiff_token_free(token);
	user_free(user);
	struct cause_seen seen = cause_far_end(far);
	assert_true(seen.connect_ms || !wanted->from_connect);
	assert_true(end_ms - start_ms >= wanted->limit_ms - 1);
	return end_ms - (wanted->from_connect ? seen.connect_ms : start_ms);
}

/* ---- the end of a connection ---- */

struct ending {
	enum skiff_version version;
	bool unacknowledged; /* a message of QoS 1 is under way, and stays so */
	int grace_ms;
};

static int64_t disconnect_spends(const struct trial *trial)
{
	static const struct cause_plan plan = {.answer = CAUSE_SERVES, .then = CAUSE_THEN_HOLDS};
	const struct ending *ending = trial->what;
	struct cause_far *far = cause_far_start(&plan, trial->door, "");
	struct user *user = client_of(
		far, "127.0.0.1", (struct skiff_options){.engine = trial->engine, .version = ending->version});
	user_expect(skiff_connect(user->client), SKIFF_OK);
	cause_far_go(far);
	struct skiff_token *message =
		ending->unacknowledged ? skiff_publish(user->client, "t", "x", 1, 1, false) : NULL;
	int64_t start_ms = waiting_now_ms();
	user_expect(skiff_disconnect(user->client, ending->grace_ms, NULL), message ? SKIFF_TIMEOUT : SKIFF_OK);
	int64_t end_ms = waiting_now_ms();
	if (message)
		user_expect(message, SKIFF_CLOSED);
	user_free(user);
	cause_far_end(far);
	assert_true(!message || end_ms - start_ms >= ending->grace_ms - 1);
	return end_ms - start_ms;
}

static const struct ending endings[] = {{SKIFF_MQTT_5, true, GRACE_MS}, {SKIFF_MQTT_311, true, GRACE_MS}};

/* With nothing under way the grace is not used up. */
static const struct ending idle = {SKIFF_MQTT_5, false, 5000};

/* ---- the list: every trial by itself, as all they do is wait ---- */

enum { TRIALS_MAX = 200 };

static struct trial trials[TRIALS_MAX];
static char names[TRIALS_MAX][96];
static struct CMUnitTest tests[TRIALS_MAX];
static size_t trial_count;

static void test_trial(void **state)
{
	expect_in_time(*state);
}

/* On both engines. */
static void list_trials(struct trial trial, unsigned doors)
{
	for (unsigned door = 0; door < CAUSE_DOORS; door++) {
		for (unsigned e = 0; doors & 1u << door && e < 2; e++) {
			assert(trial_count < TRIALS_MAX);
			trial.door = door;
			trial.engine = engines[e];
			snprintf(names[trial_count], sizeof names[0], "%s, %s, %s", trial.name, door_names[door],
				skiff_engine_name(trial.engine));
			trials[trial_count] = trial;
			tests[trial_count] = (struct CMUnitTest){.name = names[trial_count],
				.test_func = test_trial,
				.initial_state = &trials[trial_count]};
			trial_count++;
		}
	}
}

/* Nobody is left waiting for slow.example. */
static int answer_names(void **state)
{
	(void)state;
	names_answer();
	return 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		list_trials((struct trial){.name = limits[i].name,
				    .limit_ms = limits[i].limit_ms,
				    .spend = attempt_spends,
				    .what = &limits[i]},
			limits[i].doors);
	for (int i = 0; i < 2; i++)
		list_trials((struct trial){.name = i ? "grace, 3.1.1" : "grace, 5",
				    .limit_ms = GRACE_MS,
				    .spend = disconnect_spends,
				    .what = &endings[i]},
			ALL);
	list_trials((struct trial){.name = "idle", .spend = disconnect_spends, .what = &idle}, ALL);
	return shares_run("deadlines", tests, trial_count, SHARES, NULL, answer_names);
}
