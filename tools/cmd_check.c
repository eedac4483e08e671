/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c: `skiff check`: why a door does not open, or that it does. */
#include "check_explain.h"
#include "check_map.h"
#include "check_walk.h"
#include "cli_client.h"
#include "cli_duration.h"
#include "cli_text.h"
#include "cli_topic.h"
#include "commands.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECK_TIMEOUT_MS = 5000, CHECK_DEADLINE_MS = 15000 };

struct check_limits {
	struct check_limit list[CHECK_LIMITS];
	size_t count;
};

struct check_params {
	struct cli_client_params client;
	double timeout_ms, deadline_ms;
	long long warn_days;
	bool json, connect_only;
	int versions;
	const char *topic;
	struct check_limits limits;
	struct check_ports ports;
};

/* ---- options ---- */

static bool limit_name_known(const char *name)
{
	for (int stage = CHECK_DNS; stage < CHECK_STAGE_COUNT; stage++)
		if (strcmp(name, check_stage_name((enum check_stage)stage)) == 0)
			return true;
	return strcmp(name, "total") == 0;
}

static bool limit_read(struct check_limit *limit, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	if (!equals || (size_t)(equals - text) >= sizeof(limit->name))
		return false;
	*limit = (struct check_limit){.ms = -1};
	memcpy(limit->name, text, (size_t)(equals - text));
	return limit_name_known(limit->name) &&
	       cli_duration_read(equals + 1, len - (size_t)(equals + 1 - text), &limit->limit_ms);
}

static int limits_take(void *field, char **words, int count, char *why, size_t size)
{
	struct check_limits *limits = field;
	(void)count;
	for (const char *at = words[0]; *at;) {
		size_t len = strcspn(at, ",");
		if (limits->count == CHECK_LIMITS || !limit_read(&limits->list[limits->count], at, len)) {
			snprintf(why, size,
				"'%.*s' is not a stage or 'total', '=' and a time, as in tls=50ms,total=200ms",
				(int)len, at);
			return -1;
		}
		limits->count++;
		at += len + (at[len] == ',');
	}
	return 1;
}

enum { VERSIONS_ONE, VERSIONS_ALL, WARN_DAYS = 30 };
static const struct cli_word versions_words[] = {{"all", VERSIONS_ALL}, {NULL, 0}};

#define FIELD(member) offsetof(struct check_params, member)

/* clang-format off */
static const struct cli_option check_options[] = {
	{.name = "json", .type = CLI_FLAG, .field = FIELD(json),
		.help = "print one JSON object instead of the page (schemas skiff.check/1, skiff.map/1)"},
	{.name = "timeout", .type = CLI_CUSTOM, .value = "TIME", .field = FIELD(timeout_ms), .take = cli_duration_take,
		.help = "the time that each stage may take, such as 500ms or 3s; default 5s"},
	{.name = "deadline", .type = CLI_CUSTOM, .value = "TIME", .field = FIELD(deadline_ms), .take = cli_duration_take,
		.help = "the time that the whole way may take; default 15s"},
	{.name = "slo", .type = CLI_CUSTOM, .value = "STAGE=TIME,...", .field = FIELD(limits), .take = limits_take,
		.help = "limits for stages and 'total' (look-up to CONNACK), such as tls=50ms,total=200ms; exit code 21 when "
			"one is exceeded"},
	{.name = "warn-days", .type = CLI_INT, .value = "DAYS", .field = FIELD(warn_days), .min = 0, .max = 36500,
		.fallback = WARN_DAYS, .help = "warn of certificates that end sooner than this; default 30"},
	{.name = "mqtt-version", .type = CLI_ENUM, .value = "all", .field = FIELD(versions), .words = versions_words,
		.fallback = VERSIONS_ONE, .help = "try MQTT 5 and 3.1.1, and show which the broker takes"},
	{.name = "topic", .letter = 't', .type = CLI_STRING, .value = "TOPIC", .field = FIELD(topic),
		.help = "send the message that goes there and back to TOPIC; default one of its own, under skiff/check/"},
	{.name = "connect-only", .type = CLI_FLAG, .field = FIELD(connect_only),
		.help = "go as far as CONNACK: no subscription, no message"},
	{.name = "ports", .type = CLI_CUSTOM, .value = "LIST", .field = FIELD(ports), .take = check_ports_take,
		.help = "with HOST: the ports to look at, such as 1883,8080-8084, instead of the usual ones"},
};
/* clang-format on */

static const struct cli_group check_groups[] = {
	CLI_GROUP("Check", check_options, 0), CLI_CLIENT_GROUPS(offsetof(struct check_params, client)), {0}};

static int check_run(const struct cli_context *context, void *raw);

const struct cli_command cmd_check = {
	.name = "check",
	.summary = "find out why a door does not open, or that it does",
	.usage = "[OPTION]... URL\n[OPTION]... HOST",
	.description =
		"With a URL: walks the whole way to the broker and back, and shows each stage with its time: options, "
		"files, dns, tcp, proxy, tls, websocket, mqtt, subscribe, publish, roundtrip, disconnect. Then what "
		"was "
		"negotiated, the server's certificates, and what the broker grants. When a stage fails it says the "
		"cause "
		"('skiff help causes' lists them all), the evidence, and what to do. A port that speaks something else "
		"is "
		"tried in the other ways, and the URL that works is named; so is the path of a WebSocket.\n\n"
		"With a host alone: looks at its usual ports, and shows what each speaks and the URLs to use.\n\n"
		"It may be pointed at a broker in use: the client id is random, nothing is retained, the topic is one "
		"of "
		"its own; more connections than one are made only after a failure, for the other addresses of a name, "
		"with --mqtt-version, and with the engine paho, beside which the engine native looks at the wire. No "
		"user name or password goes to a server that was not verified.",
	.examples = "# does it work from here, and what does it cost?\nskiff check mqtts://test.mosquitto.org:8886\n"
		    "# which doors does it have?\nskiff check test.mosquitto.org\n"
		    "# in a script: 14 means TLS, 21 that it is too slow\n"
		    "skiff check --json --slo total=500ms wss://broker.example/mqtt\n",
	.groups = check_groups,
	.params_size = sizeof(struct check_params),
	.max_operands = 1,
	.run = check_run,
};

/* ---- the work ---- */

static double limit_spent(const struct check_report *report, const char *name)
{
	for (int stage = 0; stage < CHECK_STAGE_COUNT; stage++)
		if (strcmp(name, check_stage_name((enum check_stage)stage)) == 0)
			return report->steps[stage].ms;
	return report->total_ms;
}

static void check_judge_limits(struct check_report *report, const struct check_limits *limits)
{
	report->limit_count = limits->count;
	for (size_t i = 0; i < limits->count; i++) {
		struct check_limit *limit = &report->limits[i];
		*limit = limits->list[i];
		limit->ms = limit_spent(report, limit->name);
		limit->exceeded = limit->ms > limit->limit_ms;
		if (limit->exceeded && !report->exit_code)
			report->exit_code = CLI_EXIT_SLO;
	}
}

static struct check_settings check_settings_of(struct check_params *params)
{
	double seconds_ms = (double)params->client.connect_timeout * 1000;
	double whole_ms = seconds_ms > 0 ? seconds_ms : CHECK_DEADLINE_MS;
	return (struct check_settings){
		.timeout_ms = params->timeout_ms > 0 ? fmax(params->timeout_ms, 1) : CHECK_TIMEOUT_MS,
		.deadline_ms = params->deadline_ms > 0 ? fmax(params->deadline_ms, 1) : whole_ms,
		.warn_days = params->warn_days,
		.connect_only = params->connect_only,
		.all_versions = params->versions == VERSIONS_ALL,
		.topic = params->topic,
		.debug = params->client.debug ? &params->client : NULL,
	};
}

/* Adds `option` and its value, a word for a shell. */
static void given_add(char out[CHECK_TEXT_BYTES], const char *option, const char *value)
{
	char word[CHECK_TEXT_BYTES];
	size_t used = strlen(out);
	if (!value)
		return;
	cli_shell_word(word, sizeof(word), value);
	snprintf(out + used, CHECK_TEXT_BYTES - used, "%s %s ", option, word);
}

static void given_add_flag(char out[CHECK_TEXT_BYTES], const char *option, bool given)
{
	size_t used = strlen(out);
	if (given)
		snprintf(out + used, CHECK_TEXT_BYTES - used, "%s ", option);
}

/* So that what is said to be tried next can be tried as it stands. */
static void check_note_given(struct check_report *report, const struct cli_client_params *client)
{
	given_add(report->given, "-u", client->username);
	given_add(report->given, "--pw-file", client->pw_file);
	given_add_flag(report->given, "--pw-ask", client->pw_ask);
	given_add(report->given, "-i", client->id);
	given_add_flag(report->given, "-V 311", client->version == SKIFF_MQTT_311);
	given_add_flag(report->given, "--proxy-env", client->proxy_env);
	given_add_flag(report->given, "-4", client->ipv4);
	given_add_flag(report->given, "-6", client->ipv6);
	if (client->proxy && !strchr(client->proxy, '@')) /* no secrets */
		given_add(report->given, "--proxy", client->proxy);
	given_add(report->given_tls, "--cert", client->tls.cert);
	given_add(report->given_tls, "--key", client->tls.key);
	given_add(report->given_tls, "--key-password-file", client->tls.key_password_file);
	given_add(report->given_tls, "--server-name", client->tls.server_name);
	given_add(report->given_tls, "--tls-alpn", client->tls.alpn);
	given_add_flag(report->given_tls, "--no-server-name", client->tls.no_server_name);
	given_add(report->given_tls, "--ciphers", client->tls.ciphers);
	given_add(report->given_tls, "--psk-identity", client->tls.psk_identity);
	given_add(report->given_tls, "--psk-file", client->tls.psk_file);
	given_add(report->given_ca, "--cafile", client->tls.cafile);
	given_add(report->given_ca, "--capath", client->tls.capath);
	given_add_flag(report->given_ca, "--ca-system", client->tls.ca_system);
	given_add(report->given_ca, "--crlfile", client->tls.crlfile);
	given_add(report->given_ca, "--crlpath", client->tls.crlpath);
	given_add(report->given_ca, "--pin", client->tls.pin);
	given_add(report->given_ca, "--known-hosts", client->tls.known_hosts);
}

/* Where the way ends early, a proxy that others use may be meant: which, a client says that would take it. */
static void check_mention_proxy(struct check_report *report, const char *url)
{
	struct check_failure *failure = &report->failure;
	struct skiff_connection seen = {.proxy_from = ""};
	size_t used = strlen(failure->remedy);
	if (!*failure->cause || (failure->stage != CHECK_DNS && failure->stage != CHECK_TCP) ||
		*report->connection.proxy)
		return;
	struct skiff_client *client = skiff_client_new(
		&(struct skiff_options){.url = url, .engine = SKIFF_ENGINE_NATIVE, .proxy_environment = true}, NULL);
	if (client)
		skiff_client_connection(client, &seen);
	skiff_client_free(client);
	if (*seen.proxy_from)
		snprintf(failure->remedy + used, sizeof(failure->remedy) - used,
			" The environment has %s, which is not looked at; to go through that proxy give '--proxy-env'.",
			seen.proxy_from);
}

static int check_url(const struct cli_context *context, struct check_params *params)
{
	struct check_settings settings = check_settings_of(params);
	struct cli_client_setup setup;
	char why[256];
	if (params->topic && !cli_topic_check(context, params->topic, CLI_TOPIC_NAME, why, sizeof(why))) {
		cli_say(context, "option '--topic': %s", why);
		return CLI_EXIT_USAGE;
	}
	check_settings_begin(&settings);
	struct check_report *report = calloc(1, sizeof(*report));
	int code = cli_client_prepare(context, &params->client, &setup);
	if (!report) {
		cli_say(context, "out of memory");
		code = CLI_EXIT_FAILURE;
	}
	if (code == CLI_EXIT_OK) {
		check_note_given(report, &params->client);
		check_walk(report, &setup.options, &settings);
		check_mention_proxy(report, setup.options.url);
		check_judge_limits(report, &params->limits);
		if (params->json)
			check_json_print(report);
		else
			check_page_print(report);
		code = report->exit_code;
	}
	cli_client_release(&setup);
	free(report);
	return code;
}

void check_explain(const struct skiff_options *options)
{
	struct check_params params = {.warn_days = WARN_DAYS};
	struct check_settings settings = check_settings_of(&params);
	struct skiff_options own = *options; /* the way alone: nothing of what was to be done there */
	own.on_message = NULL;
	own.on_batch = NULL;
	own.on_event = NULL;
	own.client_id = own.user = NULL;
	own.resume_session = false;
	own.session_expiry_s = 0;
	own.will = (struct skiff_will){0};
	own.queue = (struct skiff_queue_options){0};
	struct check_report *report = calloc(1, sizeof(*report));
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	fflush(stdout);
	if (report && out >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) {
		check_settings_begin(&settings);
		check_walk(report, &own, &settings);
		check_page_print(report);
		fflush(stdout);
		dup2(out, STDOUT_FILENO);
	}
	close(out);
	free(report);
}

static int check_run(const struct cli_context *context, void *raw)
{
	struct check_params *params = raw;
	char *operand = context->operands[0];
	struct check_settings settings = check_settings_of(params);
	cli_client_settle(context, &params->client, SKIFF_MQTT_5);
	if (operand && (params->client.broker || params->client.host)) {
		cli_say(context, "the broker is given twice; leave out '%s'",
			params->client.broker ? "--broker" : "--host");
		return CLI_EXIT_USAGE;
	}
	if (operand && *operand == '@') {
		cli_say(context, "argument '%s': profiles are for 'pub', 'sub' and 'rr'; give a URL or a host",
			operand);
		return CLI_EXIT_USAGE;
	}
	if (operand && check_place_is_host(operand)) {
		if (params->limits.count || params->versions == VERSIONS_ALL || params->connect_only || params->topic ||
			params->client.proxy || params->client.proxy_env) {
			cli_say(context, "option '%s': goes with a URL, not with a host alone",
				params->limits.count               ? "--slo"
				: params->versions == VERSIONS_ALL ? "--mqtt-version"
				: params->connect_only             ? "--connect-only"
				: params->topic                    ? "--topic"
				: params->client.proxy             ? "--proxy"
								   : "--proxy-env");
			return CLI_EXIT_USAGE;
		}
		int version = params->client.ipv4 ? 4 : params->client.ipv6 ? 6 : 0;
		return check_map(context, operand, &params->ports, version, &settings, params->json);
	}
	if (params->ports.count) {
		cli_say(context, "option '--ports': goes with a host alone, not with a URL");
		return CLI_EXIT_USAGE;
	}
	if (operand && !cli_client_set_broker(&params->client, operand)) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	return check_url(context, params);
}
