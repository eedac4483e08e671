/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pub.c: `skiff pub`. Reads the payload, connects, publishes, waits until each message is through, disconnects.
 * Lines of standard input stream through the library's queue, which bounds the memory. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_session.h"
#include "cli_stop.h"
#include "cli_topic.h"
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
	PUB_WINDOW = 4096 /* QoS 1 and 2: lines whose outcome is not known yet */
};

struct pub_params {
	struct cli_client_params client;
	struct cli_list topics;
	const char *message, *file;
	bool lines, null, whole;
	int qos;
	bool retain;
	long long seconds;
};

#define FIELD(member) offsetof(struct pub_params, member)

static const struct cli_option message_options[] = {
	{.name = "topic",
		.letter = 't',
		.type = CLI_LIST,
		.value = "TOPIC",
		.field = FIELD(topics),
		.help = "the topic to publish to; needed"},
	{.name = "message",
		.letter = 'm',
		.type = CLI_STRING,
		.value = "TEXT",
		.field = FIELD(message),
		.help = "publish this text"},
	{.name = "file",
		.letter = 'f',
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(file),
		.help = "publish the whole file as one message; '-' is standard input"},
	{.name = "stdin-line",
		.letter = 'l',
		.type = CLI_FLAG,
		.field = FIELD(lines),
		.help = "publish each line of standard input as a message of its own",
		.man = "The newline is not part of the message, everything else is, also a carriage return; an empty "
		       "line is an "
		       "empty message. The last line need not end in a newline. A line may have up to 33554432 bytes."},
	{.name = "stdin-file",
		.letter = 's',
		.type = CLI_FLAG,
		.field = FIELD(whole),
		.help = "publish the whole of standard input as one message"},
	{.name = "null-message",
		.letter = 'n',
		.type = CLI_FLAG,
		.field = FIELD(null),
		.help = "publish an empty message"},
	{.name = "qos",
		.letter = 'q',
		.type = CLI_ENUM,
		.value = "QOS",
		.field = FIELD(qos),
		.words = cli_qos_words,
		.help = "0: at most once (default), 1: at least once, 2: exactly once"},
	{.name = "retain",
		.letter = 'r',
		.type = CLI_FLAG,
		.field = FIELD(retain),
		.help = "have the broker keep the message for later subscribers; with -n, forget the one it keeps"},
	{.letter = 'W',
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(seconds),
		.min = 1,
		.max = 2147483647,
		.help = "give up after this time, with exit code 27"},
};

static const struct cli_group pub_groups[] = {
	CLI_GROUP("Message", message_options, 0),
	CLI_CLIENT_GROUPS(FIELD(client)),
	{0},
};

struct pub {
	struct cli_session session; /* first: the library's handlers get this */
	struct pub_params *params;
	struct skiff_message message;
	char *payload; /* owned */
	size_t payload_len;
	struct skiff_token *window[PUB_WINDOW]; /* a ring, oldest at `first` */
	size_t first, waiting;
	unsigned long long lines, failed;
	int code; /* of the first failure */
};

static int pub_check(const struct cli_context *context, const struct pub_params *params)
{
	char why[256];
	int sources = (params->message != NULL) + (params->file != NULL) + params->lines + params->null + params->whole;
	if (params->topics.count != 1) {
		cli_say(context, "option '--topic': %s",
			params->topics.count ? "given more than once; a message has one topic"
					     : "is needed; it says where to publish");
		return CLI_EXIT_USAGE;
	}
	if (!cli_topic_check(params->topics.items[0], CLI_TOPIC_NAME, why, sizeof(why))) {
		cli_say(context, "option '--topic': '%.100s': %s", params->topics.items[0], why);
		return CLI_EXIT_USAGE;
	}
	if (sources != 1) {
		cli_say(context, "%s: give one of '-m', '-f', '-l', '-s' and '-n'",
			sources ? "there is more than one message" : "there is no message");
		return CLI_EXIT_USAGE;
	}
	if (params->client.pw_file && strcmp(params->client.pw_file, "-") == 0 && (params->lines || params->whole)) {
		cli_say(context, "option '--pw-file': standard input is the message already");
		return CLI_EXIT_USAGE;
	}
	return CLI_EXIT_OK;
}

/* One message's payload; nothing for lines. */
static int pub_read(const struct cli_context *context, struct pub *pub)
{
	const struct pub_params *params = pub->params;
	if (params->message) {
		pub->message.payload = skiff_text(params->message);
	} else if (params->file || params->whole) {
		const char *path = params->whole ? "-" : params->file;
		int code = cli_input_read(context, path, CLI_PAYLOAD_MAX, &pub->payload, &pub->payload_len);
		if (code != CLI_EXIT_OK)
			return code;
		pub->message.payload = (struct skiff_bytes){pub->payload, pub->payload_len};
	}
	return CLI_EXIT_OK;
}

static int pub_one(struct pub *pub)
{
	struct skiff_token *token = NULL;
	struct skiff_error error = {0};
	enum skiff_code code = skiff_publish_message(pub->session.client, &pub->message, &token);
	if (code == SKIFF_OK) {
		skiff_token_wait(token, -1);
		error = *skiff_token_error(token);
	} else {
		skiff_client_error(pub->session.client, &error);
	}
	skiff_token_free(token);
	return error.code == SKIFF_OK ? CLI_EXIT_OK : cli_session_failed(&pub->session, &error, "");
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
	struct skiff_token *token = pub->window[pub->first];
	unsigned long long line = pub->lines - pub->waiting + 1;
	pub->first = (pub->first + 1) % PUB_WINDOW;
	pub->waiting--;
	if (skiff_token_wait(token, -1) != SKIFF_OK)
		pub_line_failed(pub, line, skiff_token_error(token));
	skiff_token_free(token);
}

/* Makes room in the window. Waits for its middle, and so sleeps once for many lines. */
static void pub_settle_some(struct pub *pub)
{
	if (pub->waiting == PUB_WINDOW)
		skiff_token_wait(pub->window[(pub->first + PUB_WINDOW / 2) % PUB_WINDOW], -1);
	while (pub->waiting == PUB_WINDOW || (pub->waiting > 0 && skiff_token_done(pub->window[pub->first])))
		pub_settle_oldest(pub);
}

static void pub_line(struct pub *pub)
{
	struct skiff_token *token = NULL;
	pub_settle_some(pub);
	/* A QoS 0 line has no outcome but that of the final flush. */
	enum skiff_code code =
		skiff_publish_message(pub->session.client, &pub->message, pub->message.qos ? &token : NULL);
	pub->lines++;
	if (code != SKIFF_OK) {
		struct skiff_error error = {.code = code};
		skiff_client_error(pub->session.client, &error);
		while (pub->waiting > 0)
			pub_settle_oldest(pub);
		pub_line_failed(pub, pub->lines, &error);
	} else if (token) {
		pub->window[(pub->first + pub->waiting++) % PUB_WINDOW] = token;
	}
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

static int pub_all_lines(struct pub *pub)
{
	struct cli_lines lines = {.fd = STDIN_FILENO, .max = PUB_LINE_MAX};
	enum cli_line how = CLI_LINE;
	while (cli_stop_code() < 0 && (how = cli_lines_next(&lines, &pub->message.payload)) == CLI_LINE)
		pub_line(pub);
	int code = cli_stop_code() >= 0 ? cli_stop_code() : pub_lines_ended(pub, how, &lines);
	cli_lines_free(&lines);
	while (pub->waiting > 0)
		pub_settle_oldest(pub);
	enum skiff_code flushed = skiff_flush(pub->session.client, -1);
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

static int pub_run(const struct cli_context *context, void *data)
{
	struct pub_params *params = data;
	struct cli_client_setup setup = {0};
	int code = pub_check(context, params);
	if (code != CLI_EXIT_OK)
		return code;
	struct pub *pub = calloc(1, sizeof(*pub));
	if (!pub || !cli_stop_start(params->seconds)) {
		cli_say(context, "cannot start: %s", strerror(errno));
		free(pub);
		return CLI_EXIT_FAILURE;
	}
	pub->params = params;
	pub->message.topic = skiff_text(params->topics.items[0]);
	pub->message.qos = (uint8_t)params->qos;
	pub->message.retain = params->retain;
	pub->message.properties = cli_property_of(&params->client.properties, CLI_PACKET_PUBLISH);

	code = cli_client_prepare(context, &params->client, &setup);
	if (code == CLI_EXIT_OK)
		code = pub_read(context, pub);
	if (code == CLI_EXIT_OK) {
		setup.options.queue.full = SKIFF_FULL_WAIT;
		setup.options.queue.max_bytes = PUB_QUEUE_BYTES + pub->payload_len;
		code = cli_session_open(&pub->session, context, &setup.options,
			cli_property_of(&params->client.properties, CLI_PACKET_DISCONNECT));
	}
	if (code == CLI_EXIT_OK)
		code = params->lines ? pub_all_lines(pub) : pub_one(pub);
	cli_session_close(&pub->session);
	cli_client_release(&setup);
	if (code == CLI_EXIT_TIMEOUT && cli_stop_code() == code)
		cli_say(context, "time is up after %lld seconds", params->seconds);
	free(pub->payload);
	free(pub);
	return code;
}

const struct cli_command cmd_pub = {
	.name = "pub",
	.summary = "publish messages",
	.usage = "[OPTION]... -t TOPIC {-m TEXT | -f FILE | -l | -s | -n}",
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
