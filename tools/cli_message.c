/* SPDX-License-Identifier: Apache-2.0 */
/* cli_message.c: the message that `pub` and `rr` are told to publish. */
#include "cli_message.h"
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_payload.h"
#include "cli_topic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(member) offsetof(struct cli_message_params, member)

static const struct cli_word decode_words[] = {{"hex", CLI_DECODE_HEX}, {"base64", CLI_DECODE_BASE64}, {NULL, 0}};

const struct cli_option cli_message_options[] = {
	{.name = "topic",
		.letter = 't',
		.type = CLI_LIST,
		.value = "TOPIC",
		.field = FIELD(topics),
		.help = "the topic to publish to; needed"},
	{.name = "message",
		.letter = 'm',
		.type = CLI_LIST,
		.value = "TEXT",
		.field = FIELD(messages),
		.help = "publish this text"},
	{.name = "file",
		.letter = 'f',
		.type = CLI_LIST,
		.value = "FILE",
		.field = FIELD(files),
		.help = "publish the whole file as one message; '-' is standard input"},
	{.name = "stdin-file",
		.letter = 's',
		.type = CLI_FLAG,
		.field = FIELD(whole),
		.once = true,
		.help = "publish the whole of standard input as one message"},
	{.name = "null-message",
		.letter = 'n',
		.type = CLI_FLAG,
		.field = FIELD(null),
		.once = true,
		.help = "publish an empty message"},
	{.name = "decode",
		.type = CLI_ENUM,
		.value = "CODE",
		.field = FIELD(decode),
		.words = decode_words,
		.help = "the payload is given in this code, hex or base64, and published as the bytes it stands for"},
	{.name = "qos",
		.letter = 'q',
		.type = CLI_ENUM,
		.value = "QOS",
		.field = FIELD(qos),
		.words = cli_qos_words,
		.fallback = -1,
		.help = "0: at most once (default), 1: at least once, 2: exactly once"},
};

size_t cli_message_sources(const struct cli_message_params *params)
{
	return params->messages.count + params->files.count + params->whole + params->null;
}

/* The last one counts for mosquitto's clients. */
const char *cli_message_topic(const struct cli_context *context, const struct cli_message_params *params)
{
	char why[256];
	size_t count = params->topics.count;
	const char *topic = count ? params->topics.items[count - 1] : NULL;
	if (count == 0 || (count > 1 && !context->mosquitto)) {
		cli_say(context, "option '--topic': %s",
			count ? "given more than once; a message has one topic"
			      : "is needed; it says where to publish");
		return NULL;
	}
	if (!cli_topic_check(context, topic, CLI_TOPIC_NAME, why, sizeof(why))) {
		cli_say(context, "option '--topic': '%.100s': %s", topic, why);
		return NULL;
	}
	return topic;
}

int cli_message_decode(const struct cli_context *context, const struct cli_message_params *params, const char *subject,
	struct skiff_bytes *payload, char **owned)
{
	char why[256];
	if (params->decode == CLI_DECODE_NONE)
		return CLI_EXIT_OK;
	enum cli_payload_code code = params->decode == CLI_DECODE_HEX ? CLI_PAYLOAD_IN_HEX : CLI_PAYLOAD_IN_BASE64;
	char *room = realloc(*owned, payload->len + 1);
	if (!room) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	*owned = room;
	size_t len;
	if (!cli_payload_decode(code, payload->data, payload->len, room, &len, why, sizeof(why))) {
		cli_say(context, "%s: %s", subject, why);
		return CLI_EXIT_USAGE;
	}
	*payload = (struct skiff_bytes){room, len};
	return CLI_EXIT_OK;
}

static int message_read_file(const struct cli_context *context, const struct cli_message_params *params, size_t index,
	struct skiff_bytes *payload, char **owned)
{
	const char *path = params->whole ? "-" : params->files.items[index];
	size_t len;
	if (context->mosquitto && !params->whole && strcmp(path, "-") == 0)
		path = "./-"; /* a file of that name there */
	int code = cli_input_read(context, path, CLI_PAYLOAD_MAX, owned, &len);
	if (code != CLI_EXIT_OK)
		return code;
	*payload = (struct skiff_bytes){*owned, len};
	if (context->mosquitto && params->whole && !len) { /* which takes an empty file, but no empty input */
		cli_say(context, "standard input is empty; '-n' publishes an empty message");
		return CLI_EXIT_FILE;
	}
	return CLI_EXIT_OK;
}

int cli_message_read(const struct cli_context *context, const struct cli_message_params *params, size_t index,
	struct skiff_bytes *payload, char **owned)
{
	char *decoded = NULL;
	int code = CLI_EXIT_OK;
	*payload = (struct skiff_bytes){"", 0};
	*owned = NULL;
	if (params->messages.count)
		*payload = skiff_text(params->messages.items[0]);
	else if (params->whole || params->files.count)
		code = message_read_file(context, params, index, payload, owned);
	if (code == CLI_EXIT_OK && params->decode != CLI_DECODE_NONE) {
		code = cli_message_decode(context, params, "the payload", payload, &decoded);
		free(*owned);
		*owned = decoded;
	}
	return code;
}
