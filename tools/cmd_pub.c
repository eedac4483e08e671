/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pub.c: `skiff pub`. Reads the payload, connects, publishes, waits until each message is through, disconnects.
 * Lines of standard input stream through the library's queue, which bounds the memory. */
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_message.h"
#include "cli_pace.h"
#include "cli_progress.h"
#include "cli_record.h"
#include "cli_session.h"
#include "cli_stop.h"
#include "commands.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PUB_QUEUE_BYTES = 64 << 20,
	PUB_LINE_MAX = 32 << 20, /* so that at least one waits while another is sent */
	PUB_FAILURES_SAID = 10,
	PUB_WINDOW = 1024, /* QoS 1 and 2: lines whose outcome is not known yet */
	PUB_BATCH = 512,   /* lines that were read together and leave together */
	PUB_LOOK_MS = 250,
	PUB_SECONDS_MAX = 1000000000
};

struct pub_params {
	struct cli_client_params client;
	struct cli_message_params message;
	bool lines, json_in, stdin_topic;
	bool retain;
	long long seconds, repeat;
	double repeat_delay_s, rate, speed;
};

#define FIELD(member) offsetof(struct pub_params, member)

static int seconds_take(void *field, char **words, int count, char *why, size_t size)
{
	char *end;
	double value = strtod(words[0], &end);
	(void)count;
	if (end == words[0] || *end || !(value >= 0 && value <= PUB_SECONDS_MAX)) {
		snprintf(why, size, "'%.100s' is not a number from 0 up", words[0]);
		return -1;
	}
	*(double *)field = value;
	return 1;
}

/* Stored one higher, so that a zeroed field means "not given". */
static int speed_take(void *field, char **words, int count, char *why, size_t size)
{
	int taken = seconds_take(field, words, count, why, size);
	if (taken > 0)
		*(double *)field += 1;
	return taken;
}

static const struct cli_option publish_options[] = {
	{.name = "stdin-line",
		.letter = 'l',
		.type = CLI_FLAG,
		.field = FIELD(lines),
		.once = true,
		.help = "publish each line of standard input as a message of its own",
		.man = "The newline is not part of the message, everything else is, also a carriage return; an empty "
		       "line is an "
		       "empty message. The last line need not end in a newline. A line may have up to 33554432 bytes."},
	{.name = "stdin-topic",
		.type = CLI_FLAG,
		.field = FIELD(stdin_topic),
		.help = "as -l, and each line begins with its topic, then a blank; no -t",
		.man = "A line without a blank is a topic with an empty message. 'skiff sub -v' prints such lines."},
	{.name = "json-in",
		.type = CLI_FLAG,
		.field = FIELD(json_in),
		.help = "publish the messages that standard input has, one a line, as 'skiff sub --json' or "
			"'mosquitto_sub -F %j' printed them",
		.man = "Topic, payload, QoS, retain flag and properties are those of each line, but for what -t, -q or "
		       "-r say; no properties with -V 311. Schema skiff.message/1."},
	{.name = "rate",
		.type = CLI_CUSTOM,
		.value = "NUMBER",
		.field = FIELD(rate),
		.take = seconds_take,
		.help = "publish so many messages a second, such as 200 or 0.5; 0 as fast as it goes (default)"},
	{.name = "speed",
		.type = CLI_CUSTOM,
		.value = "FACTOR",
		.field = FIELD(speed),
		.take = speed_take,
		.help = "with --json-in: keep the pace in which the messages came, 1 as it was, 10 ten times as fast; "
			"0 "
			"as fast as it goes (default)"},
	{.name = "retain",
		.letter = 'r',
		.type = CLI_FLAG,
		.field = FIELD(retain),
		.help = "have the broker keep the message for later subscribers; with -n, forget the one it keeps"},
	{.name = "repeat",
		.type = CLI_INT,
		.value = "COUNT",
		.field = FIELD(repeat),
		.min = 1,
		.max = 2147483647,
		.fallback = 1,
		.help = "publish the message so often, each once the one before is through"},
	{.name = "repeat-delay",
		.type = CLI_CUSTOM,
		.value = "SECONDS",
		.field = FIELD(repeat_delay_s),
		.take = seconds_take,
		.help = "with --repeat: the time between them, such as 0.5; default 0"},
	CLI_SECONDS_OPTION(FIELD(seconds), "give up"),
};

static const struct cli_group pub_groups[] = {
	{"Message", cli_message_options, CLI_MESSAGE_OPTIONS, FIELD(message)},
	CLI_GROUP("Publishing", publish_options, 0),
	CLI_MOSQUITTO_GROUPS(FIELD(client)),
	{0},
};

/* A line whose outcome is not known yet. */
struct pub_line {
	struct skiff_token *token; /* owned */
	unsigned long long number;
};

struct pub {
	struct cli_session session; /* first: the library's handlers get this */
	struct pub_params *params;
	struct skiff_message message;    /* topic "": that of each line */
	struct skiff_token *first_token; /* of the message that is asked for before there is a connection */
	struct cli_pace pace;
	struct cli_progress progress;
	struct pub_line window[PUB_WINDOW]; /* a ring, oldest at `first` */
	size_t first, waiting;
	bool given_up;                         /* a stop allows no more time for the outcome of lines */
	struct skiff_message batch[PUB_BATCH]; /* their bytes are those of lines at hand */
	size_t gathered;
	char *decoded; /* owned; of a line */
	struct cli_record record;
	unsigned long long lines, failed;
	bool timeless; /* it was said that a record has no time for --speed to go by */
	int code;      /* of the first failure */
};

static bool pub_reads_lines(const struct pub_params *params)
{
	return params->lines || params->stdin_topic || params->json_in;
}

/* Whether an option is given in vain, after saying so. */
static bool pub_in_vain(const struct cli_context *context, const struct pub_params *params)
{
	bool properties = params->client.properties.given[CLI_PACKET_PUBLISH];
	const struct {
		bool given;
		const char *option, *why;
	} cases[] = {
		{params->speed > 0 && !params->json_in, "--speed", "is that of a recording; add '--json-in'"},
		{params->speed > 0 && params->rate > 0, "--speed", "excludes '--rate'"},
		{params->json_in && params->message.decode, "--decode",
			"excludes '--json-in', whose lines say it themselves"},
		{params->json_in && properties, "-D publish",
			"excludes '--json-in', whose lines have their properties"},
		{params->stdin_topic && params->message.topics.count, "--topic", "excludes '--stdin-topic'"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (cases[i].given) {
			cli_say(context, "option '%s': %s", cases[i].option, cases[i].why);
			return true;
		}
	}
	return false;
}

static int pub_check(const struct cli_context *context, const struct pub_params *params)
{
	bool lines = params->lines || params->stdin_topic;
	size_t files = params->message.files.count, sources = cli_message_sources(&params->message);
	if (files > 1 && sources == files && !context->mosquitto)
		sources = 1; /* several files are several messages */
	sources += (size_t)lines + params->json_in;
	if (sources != 1) {
		cli_say(context, "%s: give one of '-m', '-f', '-l', '-s', '-n', '--stdin-topic' and '--json-in'",
			sources ? "there is more than one message" : "there is no message");
		return CLI_EXIT_USAGE;
	}
	if (pub_in_vain(context, params))
		return CLI_EXIT_USAGE;
	if (params->client.pw_file && strcmp(params->client.pw_file, "-") == 0 &&
		(pub_reads_lines(params) || params->message.whole)) {
		cli_say(context, "option '--pw-file': standard input is the message already");
		return CLI_EXIT_USAGE;
	}
	return CLI_EXIT_OK;
}

/* ---- one message, or several files ---- */

static int pub_ask(struct pub *pub, struct skiff_token **token)
{
	struct skiff_error error;
	if (skiff_publish_message(pub->session.client, &pub->message, token) == SKIFF_OK)
		return CLI_EXIT_OK;
	skiff_client_error(pub->session.client, &error);
	return cli_session_failed(&pub->session, &error, "");
}

/* The first message leaves with the answer to CONNACK. */
static int pub_ask_first(struct cli_session *session)
{
	struct pub *pub = (struct pub *)session;
	return pub_ask(pub, &pub->first_token);
}

/* Waits for it; it is freed. */
static int pub_await(struct pub *pub, struct skiff_token *token)
{
	struct skiff_error error = {0};
	if (cli_session_wait(token) != SKIFF_OK)
		error = skiff_token_done(token)
				? *skiff_token_error(token)
				: (struct skiff_error){SKIFF_TIMEOUT, 0, "stopped before it was through"};
	skiff_token_free(token);
	return error.code == SKIFF_OK ? CLI_EXIT_OK : cli_session_failed(&pub->session, &error, "");
}

static int pub_once(struct pub *pub)
{
	struct skiff_token *token = pub->first_token;
	pub->first_token = NULL;
	int code = token ? CLI_EXIT_OK : pub_ask(pub, &token);
	return code == CLI_EXIT_OK ? pub_await(pub, token) : code;
}

static int pub_repeated(struct pub *pub)
{
	const struct pub_params *params = pub->params;
	int code = pub_once(pub);
	for (long long i = 1; i < params->repeat && code == CLI_EXIT_OK; i++) {
		if (!cli_stop_pause(params->repeat_delay_s * 1000) || !cli_pace_wait(&pub->pace))
			return cli_stop_code();
		code = pub_once(pub);
	}
	return code;
}

static int pub_messages(struct pub *pub)
{
	const struct cli_message_params *params = &pub->params->message;
	int code = pub_repeated(pub);
	for (size_t i = 1; i < params->files.count && code == CLI_EXIT_OK; i++) {
		char *owned;
		code = cli_message_read(pub->session.context, params, i, &pub->message.payload, &owned);
		if (code == CLI_EXIT_OK && !cli_pace_wait(&pub->pace))
			code = cli_stop_code();
		if (code == CLI_EXIT_OK)
			code = pub_repeated(pub);
		free(owned);
	}
	return code;
}

/* ---- lines ---- */

static void pub_line_failed(struct pub *pub, unsigned long long line, const struct skiff_error *error)
{
	char subject[48];
	if (pub->failed++ >= PUB_FAILURES_SAID)
		return;
	snprintf(subject, sizeof(subject), "line %llu", line);
	int code = cli_session_failed(&pub->session, error, subject);
	if (pub->failed == 1)
		pub->code = code;
	if (pub->failed == PUB_FAILURES_SAID && cli_stop_code() < 0)
		cli_say(pub->session.context, "further failures are only counted");
}

/* Takes the outcome of the oldest line that waits for one. */
static void pub_settle_oldest(struct pub *pub)
{
	static const struct skiff_error late = {SKIFF_TIMEOUT, 0, "stopped before it was through"};
	struct pub_line line = pub->window[pub->first];
	pub->first = (pub->first + 1) % PUB_WINDOW;
	pub->waiting--;
	enum skiff_code code = pub->given_up ? skiff_token_wait(line.token, 0) : cli_session_wait(line.token);
	pub->given_up |= !skiff_token_done(line.token);
	if (code != SKIFF_OK)
		pub_line_failed(pub, line.number, skiff_token_done(line.token) ? skiff_token_error(line.token) : &late);
	skiff_token_free(line.token);
}

static void pub_settle_all(struct pub *pub)
{
	while (pub->waiting > 0)
		pub_settle_oldest(pub);
}

/* Makes room in the window for as many lines. Waits for its middle, and so sleeps once for many. */
static void pub_settle_some(struct pub *pub, size_t count)
{
	if (pub->waiting + count > PUB_WINDOW)
		cli_session_wait(pub->window[(pub->first + pub->waiting / 2) % PUB_WINDOW].token);
	while (pub->waiting + count > PUB_WINDOW ||
		(pub->waiting > 0 && skiff_token_done(pub->window[pub->first].token)))
		pub_settle_oldest(pub);
}

static void pub_refused(struct pub *pub, enum skiff_code code)
{
	struct skiff_error error;
	skiff_client_error(pub->session.client, &error);
	if (error.code != code) { /* the last there was is another one's by now */
		error = (struct skiff_error){.code = code};
		snprintf(error.text, sizeof(error.text), "%s", skiff_code_text(code));
	}
	pub_settle_all(pub);
	pub_line_failed(pub, ++pub->lines, &error);
}

/* Publishes lines up to one that is refused. Result: how many are done with. */
static size_t pub_send_some(struct pub *pub, const struct skiff_message *messages, size_t count)
{
	struct skiff_token *tokens[PUB_BATCH];
	bool outcomes = messages->qos > 0; /* a QoS 0 line has none but that of the final flush */
	size_t accepted;
	pub_settle_some(pub, count);
	if (cli_stop_code() >= 0)
		return count;
	enum skiff_code code =
		skiff_publish_many(pub->session.client, messages, count, outcomes ? tokens : NULL, &accepted);
	for (size_t i = 0; i < accepted; i++) {
		pub->lines++;
		if (outcomes)
			pub->window[(pub->first + pub->waiting++) % PUB_WINDOW] =
				(struct pub_line){tokens[i], pub->lines};
	}
	if (code == SKIFF_OK)
		return count;
	pub_refused(pub, code);
	return accepted + 1;
}

static void pub_send(struct pub *pub)
{
	size_t sent = 0;
	while (sent < pub->gathered && cli_stop_code() < 0)
		sent += pub_send_some(pub, pub->batch + sent, pub->gathered - sent);
	pub->gathered = 0;
}

/* Lines of text at hand go together. */
static void pub_publish(struct pub *pub, const struct skiff_message *message)
{
	const struct pub_params *params = pub->params;
	bool alone = params->json_in || params->message.decode || params->rate > 0;
	pub->batch[pub->gathered++] = *message;
	if (alone || pub->gathered == PUB_BATCH)
		pub_send(pub);
}

/* Counts a line that is no message, after saying why. */
static void pub_line_bad(struct pub *pub, const char *why)
{
	pub->lines++;
	if (pub->failed++ < PUB_FAILURES_SAID)
		cli_say(pub->session.context, "line %llu: %s", pub->lines, why);
	if (pub->failed == PUB_FAILURES_SAID)
		cli_say(pub->session.context, "further failures are only counted");
	if (pub->code == CLI_EXIT_OK)
		pub->code = CLI_EXIT_FILE;
}

/* A line of text: the payload, or topic and payload. */
static void pub_text(struct pub *pub, struct skiff_bytes line)
{
	struct skiff_message message = pub->message;
	char subject[48];
	if (pub->params->stdin_topic) {
		const char *start = line.data, *blank = line.len ? memchr(start, ' ', line.len) : NULL;
		size_t len = blank ? (size_t)(blank - start) : line.len;
		message.topic = (struct skiff_bytes){start, len};
		line = (struct skiff_bytes){start + len + (blank != NULL), line.len - len - (blank != NULL)};
	}
	message.payload = line;
	if (pub->params->message.decode) {
		snprintf(subject, sizeof(subject), "line %llu", pub->lines + 1);
		int code = cli_message_decode(
			pub->session.context, &pub->params->message, subject, &message.payload, &pub->decoded);
		if (code != CLI_EXIT_OK) {
			pub->lines++;
			pub->failed++;
			pub->code = CLI_EXIT_FILE;
			return;
		}
	}
	if (cli_pace_wait(&pub->pace))
		pub_publish(pub, &message);
}

/* A line of JSON; what the command line says counts. */
static void pub_record(struct pub *pub, struct skiff_bytes line)
{
	const struct pub_params *params = pub->params;
	char why[256];
	if (!line.len)
		return;
	if (!cli_record_read(line.data, line.len, &pub->record, why, sizeof(why))) {
		pub_line_bad(pub, why);
		return;
	}
	struct skiff_message *message = &pub->record.message;
	if (pub->message.topic.len)
		message->topic = pub->message.topic;
	if (params->message.qos >= 0)
		message->qos = pub->message.qos;
	message->retain |= params->retain;
	if (params->client.version != SKIFF_MQTT_5)
		message->properties = NULL;
	if (params->speed > 0 && !pub->record.has_time && !pub->timeless) {
		cli_warn(pub->session.context,
			"line %llu has no time to go by, and leaves at once; so do others like it", pub->lines + 1);
		pub->timeless = true;
	}
	if (cli_pace_wait_recorded(&pub->pace, pub->record.has_time ? &pub->record.time : NULL))
		pub_publish(pub, message);
}

/* What ended the lines, as an exit code. */
static int pub_lines_ended(struct pub *pub, enum cli_line how, const struct cli_lines *lines)
{
	switch (how) {
	case CLI_LINE:
	case CLI_LINE_END:
		return CLI_EXIT_OK;
	case CLI_LINE_STOPPED:
		return cli_stop_code();
	case CLI_LINE_TOO_LONG:
		cli_say(pub->session.context,
			"line %llu: is longer than %zu bytes; use '-s' or '-f' for large messages", pub->lines + 1,
			lines->max);
		return CLI_EXIT_FILE;
	case CLI_LINE_ERROR:
		break;
	}
	cli_say(pub->session.context, "file 'standard input': cannot be read: %s", strerror(errno));
	return errno == ENOMEM ? CLI_EXIT_FAILURE : CLI_EXIT_FILE;
}

/* Waits for the last lines; no longer than a stop allows. */
static enum skiff_code pub_flush(struct pub *pub)
{
	enum skiff_code code;
	do {
		code = skiff_flush(pub->session.client, PUB_LOOK_MS);
	} while (code == SKIFF_TIMEOUT && cli_stop_code() < 0);
	return code;
}

/* What was gathered leaves before more is waited for. */
static enum cli_line pub_next_line(struct pub *pub, struct cli_lines *lines, struct skiff_bytes *line)
{
	if (cli_lines_at_hand(lines, line))
		return CLI_LINE;
	pub_send(pub);
	return cli_lines_next(lines, line);
}

static int pub_all_lines(struct pub *pub)
{
	struct cli_lines lines = {.fd = STDIN_FILENO, .max = PUB_LINE_MAX};
	struct skiff_bytes line;
	enum cli_line how = CLI_LINE;
	cli_progress_begin(&pub->progress, STDIN_FILENO, pub->params->client.quiet);
	while (cli_stop_code() < 0 && (how = pub_next_line(pub, &lines, &line)) == CLI_LINE) {
		if (pub->params->json_in)
			pub_record(pub, line);
		else
			pub_text(pub, line);
		cli_progress_add(&pub->progress, line.len + 1);
	}
	cli_progress_end(&pub->progress);
	int code = cli_stop_code() >= 0 ? cli_stop_code() : pub_lines_ended(pub, how, &lines);
	cli_lines_free(&lines);
	pub_settle_all(pub);
	enum skiff_code flushed = pub_flush(pub);
	if (cli_stop_code() >= 0)
		return cli_stop_code();
	if (pub->failed)
		cli_say(pub->session.context, "%llu of %llu lines were not published", pub->failed, pub->lines);
	if (code == CLI_EXIT_OK && flushed != SKIFF_OK) {
		cli_say(pub->session.context, "the last lines may not have been sent: %s", skiff_code_text(flushed));
		code = cli_exit_for_operation(flushed);
	}
	return code != CLI_EXIT_OK ? code : pub->code;
}

/* What the options say of each message. */
static int pub_prepare(struct pub *pub, const struct cli_context *context)
{
	struct pub_params *params = pub->params;
	const struct skiff_properties *properties = cli_property_of(&params->client.properties, CLI_PACKET_PUBLISH);
	bool own_topics = params->stdin_topic || (params->json_in && !params->message.topics.count);
	const char *topic = own_topics ? "" : cli_message_topic(context, &params->message);
	if (!topic)
		return CLI_EXIT_USAGE;
	pub->message.topic = skiff_text(topic);
	pub->message.qos = cli_message_qos(&params->message);
	pub->message.retain = params->retain;
	pub->message.properties = properties;
	cli_pace_begin(&pub->pace, params->rate, params->speed > 0 ? params->speed - 1 : 0);
	return CLI_EXIT_OK;
}

static int pub_connected(struct pub *pub, const struct cli_context *context, struct cli_client_setup *setup)
{
	struct pub_params *params = pub->params;
	struct skiff_bytes *payload = &pub->message.payload;
	bool lines = pub_reads_lines(params);
	char *owned = NULL;
	int code = lines ? CLI_EXIT_OK : cli_message_read(context, &params->message, 0, payload, &owned);
	if (code == CLI_EXIT_OK) {
		setup->options.queue.full = SKIFF_FULL_WAIT;
		setup->options.queue.max_bytes = PUB_QUEUE_BYTES + payload->len;
		pub->session.ask = lines ? NULL : pub_ask_first;
		setup->options.reconnect.off |= context->mosquitto && !lines; /* as there */
		code = cli_session_open(&pub->session, context, &params->client, setup);
	}
	if (code == CLI_EXIT_OK)
		code = lines ? pub_all_lines(pub) : pub_messages(pub);
	cli_session_close(&pub->session);
	skiff_token_free(pub->first_token);
	free(owned);
	return code;
}

static int pub_run(const struct cli_context *context, void *data)
{
	struct pub_params *params = data;
	struct cli_client_setup setup = {0};
	int code = pub_check(context, params);
	if (code == CLI_EXIT_OK)
		code = cli_stop_start(context, params->seconds);
	if (code != CLI_EXIT_OK)
		return code;
	struct pub *pub = calloc(1, sizeof(*pub));
	if (!pub) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	pub->params = params;
	cli_client_settle(context, &params->client, SKIFF_MQTT_311);
	code = cli_client_prepare(context, &params->client, &setup);
	if (code == CLI_EXIT_OK)
		code = pub_prepare(pub, context);
	if (code == CLI_EXIT_OK)
		code = pub_connected(pub, context, &setup);
	cli_client_release(&setup);
	cli_stop_say(context, code, params->seconds, "");
	cli_record_free(&pub->record);
	free(pub->decoded);
	free(pub);
	return code;
}

const struct cli_command cmd_pub = {
	.name = "pub",
	.summary = "publish messages",
	.usage = "[@PROFILE] [OPTION]... -t TOPIC {-m TEXT | -f FILE... | -l | -s | -n}\n"
		 "[@PROFILE] [OPTION]... {--stdin-topic | --json-in}",
	.description =
		"Publishes one message, or one for each line of standard input, and ends when all of them are through: "
		"QoS 0 handed "
		"to the connection, QoS 1 acknowledged, QoS 2 complete.\n\n"
		"The first attempt to connect must succeed. A connection that is lost later is made again, and what "
		"was not through "
		"is sent again. On SIGINT and SIGTERM the connection is ended properly; a second signal ends at once.",
	.examples = "# one message, delivered at least once\n"
		    "skiff pub -b mqtts://broker.example -u me --pw-ask -t lamp/set -m on -q 1\n"
		    "# each line of a log, over a WebSocket\n"
		    "tail -f app.log | skiff pub -b wss://broker.example/mqtt -t logs/app -l\n",
	.groups = pub_groups,
	.params_size = sizeof(struct pub_params),
	.alias = "mosquitto_pub",
	.profiles = true,
	.run = pub_run,
};
