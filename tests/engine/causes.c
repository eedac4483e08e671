/* SPDX-License-Identifier: Apache-2.0 */
/* causes.c DOOR [FILTER]: the same failure has the same error on both engines, door by door. One table: what the far
 * end does, what the client asks for, and the error of each engine; where Paho's is another one, the row says why.
 *
 * Of every failure it is also checked that the sentence says something and holds no password, and that the far end saw
 * no CONNECT, no upgrade and no client certificate twice: the second look of the engine paho must not show them again.
 * Most of the time is Paho's, who looks at its sockets once a second, so that several processes share the rows.
 * FILTER is one for the names of the tests, with * and ?. */
#include "engine/causes_rows.h"
#include "support/broker.h"
#include "support/names.h"
#include "support/shares.h"
#include "support/user.h"
#include <stdio.h>

enum { QUICK_MS = 20000, SHARES = 6 };

#define PASSWORD "s3cret-w0rd"

static char certs_dir[CAUSE_CERTS_BYTES];

/* ---- one row, one door, one engine ---- */

struct cause_outcome {
	struct skiff_error error;
	struct cause_seen seen;
	int64_t spent_ms;
};

static enum skiff_code expected(const struct cause_row *row, enum skiff_engine engine)
{
	if (engine == SKIFF_ENGINE_PAHO && row->paho_connects)
		return SKIFF_OK;
	return engine == SKIFF_ENGINE_PAHO && row->paho ? row->paho : row->code;
}

static void outcome_is(const struct cause_row *row, enum skiff_engine engine, const struct cause_outcome *outcome)
{
	const struct skiff_error *error = &outcome->error;
	const struct cause_seen *seen = &outcome->seen;
	unsigned connects = row->ask.version == SKIFF_MQTT_AUTO ? 2 : 1;
	enum skiff_code wanted = expected(row, engine);
	print_message("    %s, %d ms, %u/%u/%u/%u: %s: %s\n", skiff_engine_name(engine), (int)outcome->spent_ms,
		seen->connections, seen->certificates, seen->upgrades, seen->connects, skiff_code_slug(error->code),
		error->text);
	bool closed = row->or_closed && engine == SKIFF_ENGINE_PAHO && error->code == SKIFF_MQTT_CLOSED;
	wanted = closed ? SKIFF_MQTT_CLOSED : wanted;
	if (error->code != wanted)
		fail_msg("%s instead of %s: %s", skiff_code_slug(error->code), skiff_code_slug(wanted), error->text);
	if (!row->other_class && !closed && wanted)
		assert_int_equal(skiff_code_class(error->code), skiff_code_class(row->code));
	if (wanted && (strlen(error->text) < 30 || strstr(error->text, " -1")))
		fail_msg("\"%s\" says too little", error->text);
	if (wanted && row->says && !closed && !strstr(error->text, row->says))
		fail_msg("\"%s\" does not say \"%s\"", error->text, row->says);
	assert_null(strstr(error->text, PASSWORD));
	bool verified = row->code == SKIFF_TLS_CLIENT_CERT_REJECTED || (engine == SKIFF_ENGINE_PAHO && row->paho_shows);
	if (!verified && seen->certificates)
		fail_msg("the far end saw the client certificate before it was known to be the right one");
	if (seen->connects > connects || seen->upgrades > connects || seen->certificates > 1)
		fail_msg("the far end saw CONNECT %u times, the upgrade %u times, the client certificate %u times",
			seen->connects, seen->upgrades, seen->certificates);
}

static struct user *start_client(
	const struct cause_row *row, enum skiff_engine engine, const struct cause_far *far, char *url, size_t size)
{
	struct skiff_options options = row->ask;
	char cert[128], key[128];
	cause_far_url(far, row->host ? row->host : "127.0.0.1", url, size);
	options.url = url;
	options.engine = engine;
	options.user_name = "kara";
	options.password = skiff_text(PASSWORD);
	options.reconnect.off = true;
	options.tls.ca_file = cause_far_ca(far);
	if (engine == SKIFF_ENGINE_NATIVE && options.keep_alive_s)
		options.ping_timeout_ms = 300; /* what Paho waits, it does not let be chosen */
	if (row->client) {
		snprintf(cert, sizeof cert, "%s/%s.crt", certs_dir, row->client);
		snprintf(key, sizeof key, "%s/%s.key", certs_dir, row->client);
		options.tls.cert_file = cert;
		options.tls.key_file = key;
	}
	return user_new(&options);
}

static struct skiff_error fails_with(struct user *user, struct cause_far *far, bool was_up)
{
	struct skiff_token *token = skiff_connect(user->client);
	skiff_token_wait(token, QUICK_MS);
	struct skiff_error error = *skiff_token_error(token);
	skiff_token_free(token);
	cause_far_go(far);
	if (error.code || !was_up)
		return error;
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	return down->error;
}

static void run_cause(const struct cause_row *row, enum cause_door door, enum skiff_engine engine)
{
	char url[NET_URL_BYTES];
	struct cause_outcome outcome;
	struct cause_far *far = cause_far_start(&row->far, door, certs_dir);
	struct user *user = start_client(row, engine, far, url, sizeof url);
	int64_t start_ms = waiting_now_ms();
	bool was_up = row->far.answer == CAUSE_SERVES && expected(row, engine);
	outcome.error = fails_with(user, far, was_up);
	outcome.spent_ms = waiting_now_ms() - start_ms;
	user_free(user);
	outcome.seen = cause_far_end(far);
	outcome_is(row, engine, &outcome);
}

/* ---- the tests ---- */

struct cause_test {
	const struct cause_row *row;
	enum cause_door door;
	char name[96];
};

static struct cause_test cause_tests[ROWS * CAUSE_DOORS];
static struct CMUnitTest tests[ROWS * CAUSE_DOORS];

static void test_cause(void **state)
{
	const struct cause_test *test = *state;
	if (test->row->level > cause_security_level())
		skip();
	run_cause(test->row, test->door, SKIFF_ENGINE_NATIVE);
	run_cause(test->row, test->door, SKIFF_ENGINE_PAHO);
}

static size_t list_tests(const char *only)
{
	static const char *const names[] = {"tcp", "ssl", "ws", "wss"};
	size_t count = 0;
	for (size_t i = 0; i < ROWS; i++) {
		for (unsigned door = 0; door < CAUSE_DOORS; door++) {
			struct cause_test *test = &cause_tests[count];
			if (!(rows[i].doors & 1u << door) || strcmp(names[door], only))
				continue;
			*test = (struct cause_test){.row = &rows[i], .door = door};
			snprintf(test->name, sizeof test->name, "%s: %s", names[door], rows[i].name);
			tests[count++] =
				(struct CMUnitTest){.name = test->name, .test_func = test_cause, .initial_state = test};
		}
	}
	return count;
}

/* Nobody is left waiting for slow.example. */
static int answer_names(void **state)
{
	(void)state;
	names_answer();
	return 0;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? list_tests(argv[1]) : 0;
	if (!count)
		return 1;
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	if (!cause_certs_make(certs_dir))
		return 1;
	int failed = shares_run("causes", tests, count, SHARES, NULL, answer_names);
	return !cause_certs_remove(certs_dir) || failed;
}
