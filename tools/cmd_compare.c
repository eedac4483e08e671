/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_compare.c: `skiff compare`: what each door costs. */
#include "cli_client.h"
#include "cli_exit.h"
#include "commands.h"
#include "compare_doors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 5, TRIPS = 50, BURST = 500, PAYLOAD = 64 };
enum { PUBLIC_ROUNDS = 3, PUBLIC_TRIPS = 3, PUBLIC_BURST = 10 };
enum { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_MARKDOWN };

struct compare_params {
	struct compare_wishes wishes;
	bool json, csv, markdown;
	long long rounds, trips, burst, payload, rate;
};

/* ---- options ---- */

static int engines_take(void *field, char **words, int count, char *why, size_t size)
{
	bool *engines = field;
	(void)count;
	for (const char *at = words[0]; *at;) {
		size_t len = strcspn(at, ",");
		bool native = len == 6 && strncmp(at, "native", len) == 0,
		     paho = len == 4 && strncmp(at, "paho", len) == 0;
		if (!native && !paho) {
			snprintf(why, size, "'%.*s' is not native or paho", (int)len, at);
			return -1;
		}
		engines[native ? SKIFF_ENGINE_NATIVE : SKIFF_ENGINE_PAHO] = true;
		at += len + (at[len] == ',');
	}
	return 1;
}

#define FIELD(member) offsetof(struct compare_params, member)

/* clang-format off */
static const struct cli_option compare_options[] = {
	{.name = "rounds", .type = CLI_INT, .value = "N", .field = FIELD(rounds), .min = 1, .max = COMPARE_ROUNDS_MAX,
		.fallback = -1, .help = "rounds over all doors, after one that warms up; default 5"},
	{.name = "trips", .type = CLI_INT, .value = "N", .field = FIELD(trips), .min = 1, .max = 100000, .fallback = -1,
		.help = "round trips for each QoS in a round; default 50"},
	{.name = "burst", .type = CLI_INT, .value = "N", .field = FIELD(burst), .min = 1, .max = 1000000, .fallback = -1,
		.help = "messages of the burst in a round; default 500"},
	{.name = "payload", .type = CLI_INT, .value = "BYTES", .field = FIELD(payload), .min = 0, .max = 16777216,
		.fallback = PAYLOAD, .help = "the size of each message; default 64"},
	{.name = "rate", .type = CLI_INT, .value = "N", .field = FIELD(rate), .min = 0, .max = 1000000,
		.help = "start N round trips a second, and count each from when it was due; default: one after the other"},
	{.name = "engine", .type = CLI_CUSTOM, .value = "NAME,...", .field = offsetof(struct compare_params, wishes.engines),
		.take = engines_take, .help = "compare by these engines: native (default), paho or both"},
	{.name = "cafile", .type = CLI_STRING, .value = "FILE", .field = offsetof(struct compare_params, wishes.cafile),
		.help = "certificates to trust, PEM, instead of the system's"},
	{.name = "cert", .type = CLI_STRING, .value = "FILE", .field = offsetof(struct compare_params, wishes.cert),
		.help = "the client certificate, PEM"},
	{.name = "key", .type = CLI_STRING, .value = "FILE", .field = offsetof(struct compare_params, wishes.key),
		.help = "its private key, PEM"},
	{.name = "json", .type = CLI_FLAG, .field = FIELD(json),
		.help = "print one JSON object (schema skiff.compare/1) instead of the table"},
	{.name = "csv", .type = CLI_FLAG, .field = FIELD(csv), .help = "print CSV instead of the table"},
	{.name = "markdown", .type = CLI_FLAG, .field = FIELD(markdown), .help = "print the table as Markdown"},
};
/* clang-format on */

static const struct cli_group compare_groups[] = {CLI_GROUP("Compare", compare_options, 0), {0}};

static int compare_command(const struct cli_context *context, void *raw);

const struct cli_command cmd_compare = {
	.name = "compare",
	.summary = "measure what each door costs",
	.usage = "[OPTION]... URL...\n[OPTION]... HOST | lab | test.mosquitto.org",
	.description =
		"Measures doors side by side, in rounds over all of them: the set-up, full and with a resumed TLS "
		"session; round trips at QoS 0 and 1; a burst out and back; the bytes on the wire, the processor's "
		"time and the memory that each takes. Ends with what that means, and which door to take. An "
		"interval is that of 95 % confidence, by bootstrap over the rounds; a difference inside it is called "
		"noise.\n\n"
		"'lab' and 'test.mosquitto.org' mean the eleven doors of that server, each with the outcome that is "
		"expected of it (8887 must fail, 8884 must want a certificate); where another comes, the exit code "
		"is 20. For a host alone the doors are looked for. CPU time is that of this process, for a message out "
		"and back; of the bytes on the wire those that it writes are counted, for a message that leaves alone "
		"and for one of the burst, "
		"where many share a TLS record and a WebSocket frame.\n\n"
		"Against a public server few messages are sent unless more are asked for; it is no reference for "
		"speed.",
	.examples = "# every door of a broker like the public test server, here\nskiff lab -- skiff compare lab\n"
		    "# two ways to one broker, with another payload\n"
		    "skiff compare --payload 1024 mqtts://broker.example wss://broker.example/mqtt\n",
	.groups = compare_groups,
	.params_size = sizeof(struct compare_params),
	.min_operands = 1,
	.max_operands = -1,
	.run = compare_command,
};

/* ---- the work ---- */

static size_t count_of(long long asked, bool public, int usual, int few)
{
	return (size_t)(asked >= 0 ? asked : public ? few : usual);
}

static bool compare_fill(
	const struct cli_context *context, const struct compare_params *params, struct compare_report *report)
{
	bool public = false;
	for (int i = 0; i < context->operand_count; i++) {
		struct cli_client_params hidden = {0};
		public |= strcmp(context->operands[i], "test.mosquitto.org") == 0;
		bool ok = cli_client_set_broker(&hidden, context->operands[i]) &&
			  compare_doors_add(context, report, hidden.broker, &params->wishes);
		free(hidden.broker);
		if (!ok)
			return false;
	}
	report->rounds = count_of(params->rounds, public, ROUNDS, PUBLIC_ROUNDS);
	report->trips = count_of(params->trips, public, TRIPS, PUBLIC_TRIPS);
	report->burst = count_of(params->burst, public, BURST, PUBLIC_BURST);
	report->payload_len = (size_t)params->payload;
	report->rate = (double)params->rate;
	if (public && !getenv("SKIFF_LAB_DIR"))
		cli_say(context, "a public server, with few messages: no reference for speed");
	return true;
}

static void compare_show(const struct compare_params *params, const struct compare_report *report)
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
		compare_words_print(report);
	}
}

static void compare_free(struct compare_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		for (int phase = 0; phase < COMPARE_PHASES; phase++) {
			compare_sample_free(&door->full[phase]);
			compare_sample_free(&door->resumed[phase]);
		}
		compare_sample_free(&door->trip[0]);
		compare_sample_free(&door->trip[1]);
		compare_sample_free(&door->out_rate);
		compare_sample_free(&door->in_rate);
		compare_sample_free(&door->wire_alone);
		compare_sample_free(&door->wire_burst);
		compare_sample_free(&door->cpu_us);
	}
	free(report->doors);
}

static int compare_command(const struct cli_context *context, void *raw)
{
	struct compare_params *params = raw;
	struct compare_report report = {.doors = calloc(COMPARE_DOORS_MAX, sizeof(*report.doors))};
	bool *engines = params->wishes.engines;
	if (!report.doors) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	if (params->json + params->csv + params->markdown > 1) {
		cli_say(context, "only one of '--json', '--csv' and '--markdown' can be printed");
		compare_free(&report);
		return CLI_EXIT_USAGE;
	}
	if (!engines[SKIFF_ENGINE_NATIVE] && !engines[SKIFF_ENGINE_PAHO])
		engines[SKIFF_ENGINE_NATIVE] = true;
	int code = CLI_EXIT_USAGE;
	if (compare_fill(context, params, &report)) {
		compare_run(&report, isatty(STDERR_FILENO) == 1);
		compare_show(params, &report);
		code = report.exit_code;
	}
	compare_free(&report);
	return code;
}
