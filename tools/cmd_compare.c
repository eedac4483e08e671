/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_compare.c: `skiff compare`: what each door costs. */
#include "cli_client.h"
#include "cli_duration.h"
#include "cli_exit.h"
#include "cli_stop.h"
#include "commands.h"
#include "compare_doors.h"
#include <errno.h>
#include <skiff/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 5, TRIPS = 50, BURST = 500, PAYLOAD = 64 };
enum { PUBLIC_ROUNDS = 3, PUBLIC_TRIPS = 3, PUBLIC_BURST = 10 };

struct compare_params {
	struct cli_client_params client;
	bool engines[3]; /* by enum skiff_engine */
	bool versions[2];
	bool qos[COMPARE_QOS];
	bool json, csv, markdown;
	const char *html;
	double duration_ms;
	long long rounds, trips, burst, payload, rate;
};

/* ---- options ---- */

/* Sets those of `flags` that the words of a list with commas name: the numbers of `known`, which ends with NULL. */
static int flags_take(bool *flags, const struct cli_word *known, const char *list, char *why, size_t size)
{
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ",");
		const struct cli_word *word = known;
		while (word->word && (strlen(word->word) != len || strncmp(word->word, at, len) != 0))
			word++;
		if (!word->word) {
			snprintf(why, size, "'%.*s' is not one of", (int)len, at);
			for (word = known; word->word; word++)
				snprintf(why + strlen(why), size - strlen(why), "%s %s", word == known ? "" : ",",
					word->word);
			return -1;
		}
		flags[word->value] = true;
		at += len + (at[len] == ',');
	}
	return 1;
}

static int engines_take(void *field, char **words, int count, char *why, size_t size)
{
	static const struct cli_word known[] = {
		{"native", SKIFF_ENGINE_NATIVE}, {"paho", SKIFF_ENGINE_PAHO}, {NULL, 0}};
	(void)count;
	return flags_take(field, known, words[0], why, size);
}

static int versions_take(void *field, char **words, int count, char *why, size_t size)
{
	static const struct cli_word known[] = {{"5", SKIFF_MQTT_5}, {"311", SKIFF_MQTT_311}, {NULL, 0}};
	(void)count;
	return flags_take(field, known, words[0], why, size);
}

static int qos_take(void *field, char **words, int count, char *why, size_t size)
{
	(void)count;
	return flags_take(field, cli_qos_words, words[0], why, size);
}

#define FIELD(member) offsetof(struct compare_params, member)

/* clang-format off */
static const struct cli_option compare_options[] = {
	{.name = "rounds", .type = CLI_INT, .value = "N", .field = FIELD(rounds), .min = 1, .max = COMPARE_ROUNDS_MAX,
		.fallback = -1, .help = "rounds over all doors, after one that warms up; default 5"},
	{.name = "duration", .type = CLI_CUSTOM, .value = "TIME", .field = FIELD(duration_ms), .take = cli_duration_take,
		.help = "begin rounds for as long as this, such as 30s or 5m, instead of a number of them"},
	{.name = "qos", .type = CLI_CUSTOM, .value = "QOS,...", .field = FIELD(qos), .take = qos_take,
		.help = "measure round trips at these: 0, 1, 2; default 0,1; the least is that of the bursts too"},
	{.name = "trips", .type = CLI_INT, .value = "N", .field = FIELD(trips), .min = 1, .max = 100000, .fallback = -1,
		.help = "round trips for each QoS in a round; default 50"},
	{.name = "burst", .type = CLI_INT, .value = "N", .field = FIELD(burst), .min = 1, .max = 1000000, .fallback = -1,
		.help = "messages of each burst in a round; default 500"},
	{.name = "payload", .type = CLI_INT, .value = "BYTES", .field = FIELD(payload), .min = 0, .max = 16777216,
		.fallback = PAYLOAD, .help = "the size of each message; default 64"},
	{.name = "rate", .type = CLI_INT, .value = "N", .field = FIELD(rate), .min = 0, .max = 1000000,
		.help = "start N round trips a second, and count each from when it was due; default: one after the other"},
	{.name = "engine", .type = CLI_CUSTOM, .value = "NAME,...", .field = FIELD(engines), .take = engines_take,
		.help = "compare by these engines: native (default), paho or both"},
	{.name = "mqtt-version", .letter = 'V', .type = CLI_CUSTOM, .value = "VERSION,...", .field = FIELD(versions),
		.take = versions_take, .help = "compare by these versions of MQTT: 5 (default), 311 or both"},
	{.name = "json", .type = CLI_FLAG, .field = FIELD(json),
		.help = "print one JSON object (schema skiff.compare/1) instead of the table"},
	{.name = "csv", .type = CLI_FLAG, .field = FIELD(csv), .help = "print CSV instead of the table"},
	{.name = "markdown", .type = CLI_FLAG, .field = FIELD(markdown), .help = "print the table as Markdown"},
	{.name = "html", .type = CLI_STRING, .value = "FILE", .field = FIELD(html),
		.help = "write a page for a browser to FILE as well; it needs no network"},
};
/* clang-format on */

static const struct cli_group compare_groups[] = {
	CLI_GROUP("Compare", compare_options, 0), CLI_MANY_GROUPS(FIELD(client)), {0}};

static int compare_command(const struct cli_context *context, void *raw);

const struct cli_command cmd_compare = {
	.name = "compare",
	.summary = "measure what each door costs",
	.usage = "[OPTION]... URL...\n[OPTION]... HOST | lab | test.mosquitto.org",
	.description =
		"Measures doors side by side, in rounds over all of them: the set-up, phase by phase, full and with a "
		"resumed TLS session; round trips; the rates of a burst outward and of one that comes back; the bytes "
		"on the wire, the processor's time and the memory that each takes. Ends with what that means, and "
		"which door to take. An interval is that of 95 % confidence, by bootstrap over the rounds; a "
		"difference inside it is called noise.\n\n"
		"'lab' and 'test.mosquitto.org' mean the eleven doors of that server, each with the outcome that is "
		"expected of it (8887 must fail, 8884 must want a certificate); where another comes, the exit code "
		"is 20. For a host alone the doors are looked for. A name is looked up once, and all of its doors are "
		"measured at that address; paho and proxies look it up themselves.\n\n"
		"CPU time is that of this process, for a message out and back. Bytes are those that TCP carried, with "
		"TLS records and WebSocket frames: 'wire B' those written for a message that leaves alone, 'back B' "
		"those read for it, 'burst B' those written for one of a burst, where many share a record and a frame. "
		"With --rate a round trip counts from when it was due, so that one that is late makes those behind it "
		"late too; without, each begins when the one before is back, and a stall shows once.\n\n"
		"Against a public server few messages are sent unless more are asked for; it is no reference for "
		"speed.",
	.examples = "# every door of a broker like the public test server, here\nskiff lab -- skiff compare lab\n"
		    "# two ways to one broker, with another payload\n"
		    "skiff compare --payload 1024 mqtts://broker.example wss://broker.example/mqtt\n"
		    "# the same as a page, over both versions of MQTT\n"
		    "skiff compare --html doors.html --mqtt-version 5,311 broker.example\n",
	.groups = compare_groups,
	.params_size = sizeof(struct compare_params),
	.min_operands = 1,
	.max_operands = -1,
	.offers = "lab test.mosquitto.org",
	.run = compare_command,
};

/* ---- the work ---- */

static size_t count_of(long long asked, bool public, int usual, int few)
{
	return (size_t)(asked >= 0 ? asked : public ? few : usual);
}

/* Names the doors; a word of the command line that shows a password is overwritten. */
static int compare_add_doors(const struct cli_context *context, const struct compare_wishes *wishes,
	struct compare_report *report, bool *public)
{
	for (int i = 0; i < context->operand_count; i++) {
		struct cli_client_params hidden = {0};
		*public |= strcmp(context->operands[i], "test.mosquitto.org") == 0;
		int code = CLI_EXIT_FAILURE;
		if (cli_client_set_broker(&hidden, context->operands[i]))
			code = compare_doors_add(context, report, hidden.broker, wishes);
		free(hidden.broker);
		if (code != CLI_EXIT_OK)
			return code;
	}
	return compare_doors_check(context, report);
}

static void flags_default(bool *flags, size_t count, size_t first, size_t last)
{
	for (size_t i = 0; i < count; i++)
		if (flags[i])
			return;
	for (size_t i = first; i <= last; i++)
		flags[i] = true;
}

static int compare_fill(const struct cli_context *context, struct compare_params *params,
	const struct skiff_options *options, struct compare_report *report)
{
	bool public = false;
	struct compare_wishes wishes = {.options = options};
	flags_default(params->engines, 3, SKIFF_ENGINE_NATIVE, SKIFF_ENGINE_NATIVE);
	flags_default(params->versions, 2, SKIFF_MQTT_5, SKIFF_MQTT_5);
	flags_default(params->qos, COMPARE_QOS, 0, 1);
	memcpy(wishes.engines, params->engines, sizeof(wishes.engines));
	memcpy(wishes.versions, params->versions, sizeof(wishes.versions));
	memcpy(report->qos, params->qos, sizeof(report->qos));
	int code = compare_add_doors(context, &wishes, report, &public);
	if (code != CLI_EXIT_OK)
		return code;
	bool endless = params->duration_ms > 0;
	report->rounds =
		count_of(params->rounds, public && !endless, endless ? COMPARE_ROUNDS_MAX : ROUNDS, PUBLIC_ROUNDS);
	report->trips = count_of(params->trips, public, TRIPS, PUBLIC_TRIPS);
	report->burst = count_of(params->burst, public, BURST, PUBLIC_BURST);
	report->payload_len = (size_t)params->payload;
	report->rate = (double)params->rate;
	report->duration_ms = params->duration_ms;
	if (public && !getenv("SKIFF_LAB_DIR"))
		cli_say(context, "a public server, with few messages: no reference for speed");
	return CLI_EXIT_OK;
}

static void compare_show(const struct compare_params *params, struct compare_report *report)
{
	if (params->json) {
		compare_json_print(report);
	} else if (params->csv) {
		compare_csv_print(report);
	} else {
		if (params->markdown)
			compare_markdown_print(report);
		else
			compare_table_print(report);
		compare_words_print(report, stdout);
	}
}

/* ---- the page ---- */

static bool page_failed(const struct cli_context *context, const char *name, int error)
{
	cli_say(context, "option '--html': cannot write '%s': %s", name, strerror(error));
	return false;
}

/* It gets its name when it is whole, so that one from before is not lost where this one cannot be written. The name
 * with ".part" behind it; NULL after saying why not. */
static char *page_part(const struct cli_context *context, const char *name)
{
	char *part;
	if (asprintf(&part, "%s.part", name) >= 0)
		return part;
	page_failed(context, name, ENOMEM);
	return NULL;
}

/* Whether a page could be written: told before it is measured for. */
static bool page_try(const struct cli_context *context, const char *name)
{
	char *part = page_part(context, name);
	if (!part)
		return false;
	struct stat status;
	bool folder = stat(name, &status) == 0 && S_ISDIR(status.st_mode);
	FILE *out = folder ? NULL : fopen(part, "we");
	bool ok = out ? true : page_failed(context, name, folder ? EISDIR : errno);
	if (out) {
		fclose(out);
		unlink(part);
	}
	free(part);
	return ok;
}

static bool page_write(const struct cli_context *context, const char *name, struct compare_report *report)
{
	char *part = page_part(context, name);
	if (!part)
		return false;
	FILE *out = fopen(part, "we");
	bool ok = out != NULL;
	if (ok) {
		compare_html_print(report, out);
		ok = !ferror(out);
		ok = fclose(out) == 0 && ok && rename(part, name) == 0;
	}
	if (!ok) {
		page_failed(context, name, errno ? errno : EIO);
		if (out)
			unlink(part);
	}
	free(part);
	return ok;
}

/* ---- the command ---- */

static int compare_measure(
	const struct cli_context *context, const struct compare_params *params, struct compare_report *report)
{
	if (params->html && !page_try(context, params->html))
		return CLI_EXIT_FAILURE;
	compare_run(report, isatty(STDERR_FILENO) == 1 && !params->client.debug && !params->client.quiet);
	compare_show(params, report);
	if (params->html && !page_write(context, params->html, report))
		return CLI_EXIT_FAILURE;
	if (cli_stop_code() >= 0)
		cli_say(context, "interrupted: the figures are those of %zu rounds", report->rounds);
	return cli_stop_code() >= 0 ? cli_stop_code() : report->exit_code;
}

static int compare_command(const struct cli_context *context, void *raw)
{
	struct compare_params *params = raw;
	struct compare_report *report = calloc(1, sizeof(*report));
	struct cli_client_setup setup;
	if (params->json + params->csv + params->markdown > 1) {
		cli_say(context, "only one of '--json', '--csv' and '--markdown' can be printed");
		free(report);
		return CLI_EXIT_USAGE;
	}
	if (report)
		report->doors = calloc(COMPARE_DOORS_MAX, sizeof(*report->doors));
	if (!report || !report->doors) {
		cli_say(context, "out of memory");
		free(report);
		return CLI_EXIT_FAILURE;
	}
	int code = cli_stop_start(context, 0);
	if (code != CLI_EXIT_OK) {
		compare_report_free(report);
		free(report);
		return code;
	}
	code = cli_client_prepare_many(context, &params->client, &setup);
	if (!params->client.debug) /* of each door, in each round */
		skiff_log_set(SKIFF_LOG_NONE, NULL, NULL);
	if (code == CLI_EXIT_OK)
		code = compare_fill(context, params, &setup.options, report);
	if (code == CLI_EXIT_OK)
		code = compare_measure(context, params, report);
	cli_client_release(&setup);
	compare_report_free(report);
	free(report);
	return code;
}
