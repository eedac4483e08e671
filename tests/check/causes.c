/* SPDX-License-Identifier: Apache-2.0 */
/* causes.c: `skiff check` at far ends that fail in a known way, door by door: cause, stage and exit code are those of
 * the table, the password is nowhere, and no client certificate went to a server that was not verified. An argument of
 * the program is a filter for the names of the tests, with * and ?. */
#include "engine/causes_rows.h"

#include "support/shares.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSWORD "s3cret-w0rd"

enum { OUTPUT_BYTES = 65536, WORDS_MAX = 32, SHARES = 4 };

static char certs_dir[CAUSE_CERTS_BYTES];

static const struct {
	enum skiff_class class_;
	const char *stage;
	int exit_code;
} stages[] = {
	{SKIFF_CLASS_FILE, "files", 10},
	{SKIFF_CLASS_TCP, "tcp", 12},
	{SKIFF_CLASS_TLS, "tls", 14},
	{SKIFF_CLASS_WS, "websocket", 15},
	{SKIFF_CLASS_MQTT, "mqtt", 16},
};

/* ---- the command ---- */

struct line {
	char *words[WORDS_MAX];
	size_t count;
	char texts[WORDS_MAX][256];
};

static void line_add(struct line *line, const char *word)
{
	assert_true(line->count + 1 < WORDS_MAX && strlen(word) < sizeof line->texts[0]);
	line->words[line->count] = strcpy(line->texts[line->count], word);
	line->count++;
}

static void line_add_file(struct line *line, const char *option, const char *name, const char *ending)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s%s", certs_dir, name, ending);
	line_add(line, option);
	line_add(line, path);
}

static void line_add_time(struct line *line, const struct skiff_timeouts *asked)
{
	const int limits[] = {asked->tls_ms, asked->websocket_ms, asked->mqtt_ms};
	char text[32];
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (!limits[i])
			continue;
		line_add(line, "--timeout"); /* of every stage, and the others may take their time on a busy machine */
		line_add(line, "1500ms");
		return;
	}
	if (!asked->tcp_ms && !asked->total_ms)
		return;
	snprintf(text, sizeof text, "%dms", asked->tcp_ms ? asked->tcp_ms : asked->total_ms);
	line_add(line, asked->tcp_ms ? "--timeout" : "--deadline");
	line_add(line, text);
}

static void line_make(struct line *line, const struct cause_row *row, enum cause_door door, const struct cause_far *far)
{
	const char *ca = door == CAUSE_SSL || door == CAUSE_WSS ? cause_far_ca(far) : NULL;
	char url[NET_URL_BYTES];
	cause_far_url(far, "127.0.0.1", url, sizeof url);
	line_add(line, SKIFF);
	line_add(line, "check");
	line_add(line, "--json");
	line_add(line, "--connect-only");
	line_add(line, "-u");
	line_add(line, "kara");
	if (row->ask.version) {
		line_add(line, "-V");
		line_add(line, row->ask.version == SKIFF_MQTT_311 ? "311" : "auto");
	}
	if (ca) {
		line_add(line, "--cafile");
		line_add(line, ca);
	}
	if (row->ask.tls.alpn) {
		line_add(line, "--tls-alpn");
		line_add(line, row->ask.tls.alpn);
	}
	if (row->client) {
		line_add_file(line, "--cert", row->client, ".crt");
		line_add_file(line, "--key", row->client, ".key");
	}
	line_add_time(line, &row->ask.timeouts);
	line_add(line, url);
}

/* What it prints, on both of its outputs; its exit code. */
static int line_run(struct line *line, char *output)
{
	int pipes[2], status;
	size_t used = 0;
	ssize_t got;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		setenv("SKIFF_PASSWORD", PASSWORD, 1);
		execv(SKIFF, line->words);
		_exit(127);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], output + used, OUTPUT_BYTES - 1 - used)) > 0)
		used += (size_t)got;
	output[used] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---- what is expected ---- */

/* The first stage of the way that another protocol spoils. */
static const char *strange_stage(const struct cause_row *row, enum cause_door door)
{
	bool tls = door == CAUSE_SSL || door == CAUSE_WSS;
	return tls && row->far.plain ? "tls" : door == CAUSE_TCP || door == CAUSE_SSL ? "mqtt" : "websocket";
}

static void expect_failure(const struct cause_row *row, enum cause_door door, const char *output, int code)
{
	char wanted[128];
	const char *cause = row->check ? row->check : skiff_code_slug(row->code);
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		bool strange = !strcmp(cause, "wrong-protocol");
		const char *stage = stages[i].stage;
		if (strange ? strcmp(stage, strange_stage(row, door)) != 0
			    : stages[i].class_ != skiff_code_class(row->code))
			continue;
		snprintf(wanted, sizeof wanted, "\"failure\":{\"stage\":\"%s\",\"cause\":\"%s\",", stage, cause);
		if (!strstr(output, wanted) || code != stages[i].exit_code)
			fail_msg("exit code %d, not %d and %s: %s", code, stages[i].exit_code, wanted, output);
		assert_null(strstr(output, "\"remedy\":\"\""));
		return;
	}
	fail_msg("no stage for %s", cause);
}

struct cause_test {
	const struct cause_row *row;
	enum cause_door door;
	char name[96];
};

static void test_cause(void **state)
{
	static char output[OUTPUT_BYTES];
	const struct cause_test *test = *state;
	const struct cause_row *row = test->row;
	struct line line = {.count = 0};
	if (row->level > cause_security_level())
		skip();
	struct cause_far *far = cause_far_start(&row->far, test->door, certs_dir);
	line_make(&line, row, test->door, far);
	int code = line_run(&line, output);
	struct cause_seen seen = cause_far_end(far);
	if (row->code)
		expect_failure(row, test->door, output, code);
	else if (code)
		fail_msg("exit code %d: %s", code, output);
	assert_null(strstr(output, PASSWORD));
	if (row->code != SKIFF_TLS_CLIENT_CERT_REJECTED && seen.certificates)
		fail_msg("the far end saw the client certificate before it was known to be the right one");
}

/* ---- the tests ---- */

static struct cause_test cause_tests[ROWS * CAUSE_DOORS];
static struct CMUnitTest tests[ROWS * CAUSE_DOORS];

/* Names are looked up in vain by others; what comes after CONNACK is not for check. */
static bool row_suits(const struct cause_row *row)
{
	bool was_up = row->far.answer == CAUSE_SERVES && skiff_code_class(row->code) != SKIFF_CLASS_TLS &&
		      skiff_code_class(row->code) != SKIFF_CLASS_WS;
	return !row->host && !was_up;
}

static size_t list_tests(void)
{
	static const char *const names[] = {"tcp", "ssl", "ws", "wss"};
	size_t count = 0;
	for (size_t i = 0; i < ROWS; i++) {
		for (unsigned door = 0; door < CAUSE_DOORS; door++) {
			struct cause_test *test = &cause_tests[count];
			if (!(rows[i].doors & 1u << door) || !row_suits(&rows[i]))
				continue;
			*test = (struct cause_test){.row = &rows[i], .door = door};
			snprintf(test->name, sizeof test->name, "%s: %s", names[door], rows[i].name);
			tests[count++] =
				(struct CMUnitTest){.name = test->name, .test_func = test_cause, .initial_state = test};
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	size_t count = list_tests();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (!cause_certs_make(certs_dir))
		return 1;
	int failed = shares_run("check_causes", tests, count, SHARES, NULL, NULL);
	return !cause_certs_remove(certs_dir) || failed;
}
