/* SPDX-License-Identifier: Apache-2.0 */
/* cli_print.c: messages on standard output. */
#include "cli_print.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_record.h"
#include "cli_text.h"
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRINT_FLUSH_BYTES = 256 * 1024, PRINT_KEEP_BYTES = 1024 * 1024 };

#define FIELD(member) offsetof(struct cli_print_params, member)

static const struct cli_word payload_words[] = {
	{"as-is", CLI_PAYLOAD_AS_IS},
	{"hex", CLI_PAYLOAD_HEX},
	{"base64", CLI_PAYLOAD_BASE64},
	{NULL, 0},
};

const struct cli_option cli_print_options[] = {
	{.name = "verbose",
		.letter = 'v',
		.type = CLI_FLAG,
		.field = FIELD(verbose),
		.help = "print the topic and a space before each payload; an empty payload is printed as (null)"},
	{.letter = 'N', .type = CLI_FLAG, .field = FIELD(no_newline), .help = "print no newline after a payload"},
	{.letter = 'F',
		.type = CLI_STRING,
		.value = "FORMAT",
		.field = FIELD(format),
		.help = "print each message as FORMAT says, such as '%I %t %p'",
		.man = "Fields: %t topic, %p payload, %x and %X payload in hexadecimal, %l its length, %q QoS, %r "
		       "retained, %m packet id, %I time as in ISO 8601, %U seconds since 1970, %j JSON with the "
		       "payload "
		       "as a string, %J JSON with the payload as JSON, %f and %d a payload of 4 or 8 bytes as a "
		       "number, "
		       "%% a percent sign; MQTT 5: %A topic alias, %C content type, %D correlation data, %E expiry, %F "
		       "payload format, %P user properties, %R response topic, %S subscription identifier. Before the "
		       "letter may stand '-' (to the left), '0' (filled with zeros), a width, '.' and the most "
		       "characters "
		       "or digits (of %x, after how many digits a separator stands, which then follows). @X is what "
		       "strftime makes of %X, and @N nanoseconds; \\\\, \\0, \\a, \\e, \\n, \\r, \\t and \\v are as in "
		       "C."},
	{.name = "pretty", .type = CLI_FLAG, .field = FIELD(pretty), .help = "print %j and %J over several lines"},
	{.name = "json",
		.type = CLI_FLAG,
		.field = FIELD(json),
		.help = "print each message as one line of JSON that 'skiff pub --json-in' can publish again, byte for "
			"byte (schema skiff.message/1)"},
	{.name = "binary-safe",
		.type = CLI_FLAG,
		.field = FIELD(binary_safe),
		.help = "in %j, a payload that is no text stands as base64 in payload_base64; else it ends at its "
			"first "
			"NUL"},
	{.name = "payload",
		.type = CLI_ENUM,
		.value = "HOW",
		.field = FIELD(payload),
		.words = payload_words,
		.help = "print payloads as they are (as-is), or in hex or base64"},
	{.name = "raw",
		.type = CLI_FLAG,
		.field = FIELD(raw),
		.help = "print control characters as they are on a terminal too, which may obey them",
		.man = "Where standard output is no terminal, payloads are always printed byte for byte."},
};

int cli_print_begin(struct cli_print *print, const struct cli_context *context, const struct cli_print_params *params,
	const struct cli_client_params *client)
{
	char why[256];
	print->context = context;
	print->params = params;
	if (params->format && !cli_format_check(params->format, why, sizeof(why))) {
		cli_say(context, "option '-F': %s", why);
		return CLI_EXIT_USAGE;
	}
	if (params->json && (params->format || params->verbose || params->payload)) {
		cli_say(context, "option '--json': excludes '-F', '-v' and '--payload'");
		return CLI_EXIT_USAGE;
	}
	print->options = (struct cli_format_options){
		.like = (enum cli_format_like)client->mosquitto.like,
		.pretty = params->pretty,
		.binary = params->binary_safe,
		.escape = isatty(STDOUT_FILENO) && !params->raw && !context->mosquitto,
	};
	print->colour = cli_colour(STDOUT_FILENO) && !context->mosquitto;
	return CLI_EXIT_OK;
}

/* ---- a line for each topic ---- */

struct cli_print_watched {
	char *topic;
	int line;
};

enum { WATCH_FIRST_LINE = 2 };

static int watched_compare(const void *one, const void *other)
{
	return strcmp(((const struct cli_print_watched *)one)->topic, ((const struct cli_print_watched *)other)->topic);
}

void cli_print_watch(struct cli_print *print, const char *broker)
{
	print->watched_lines = WATCH_FIRST_LINE;
	cli_buffer_print(&print->out, "\033[2J\033[1;1HBroker: %s\n", broker);
}

static void print_go_to_line(struct cli_print *print, struct skiff_bytes topic)
{
	struct cli_print_watched *item = malloc(sizeof(*item));
	char *name = cli_text_copy(topic.data, topic.len);
	struct cli_print_watched **found = NULL;
	if (item && name) {
		*item = (struct cli_print_watched){name, print->watched_lines};
		found = tsearch(item, &print->watched, watched_compare);
	}
	if (!found || *found != item) {
		free(name);
		free(item);
	} else {
		print->watched_lines++;
	}
	if (found)
		cli_buffer_print(&print->out, "\033[%d;1H", (*found)->line);
}

static void watched_free(void *data)
{
	struct cli_print_watched *item = data;
	free(item->topic);
	free(item);
}

/* ---- one message ---- */

static void print_bytes(struct cli_print *print, struct skiff_bytes bytes, const char *keep)
{
	if (!print->options.escape) {
		cli_buffer_add(&print->out, bytes.data, bytes.len);
		return;
	}
	char *room = cli_buffer_room(&print->out, CLI_ESCAPE_FACTOR * bytes.len + 1);
	if (room)
		cli_buffer_commit(&print->out, cli_escape(room, bytes.data, bytes.len, keep));
}

static void print_payload(struct cli_print *print, struct skiff_bytes payload)
{
	if (print->params->payload == CLI_PAYLOAD_HEX)
		cli_format_hex(&print->out, payload);
	else if (print->params->payload == CLI_PAYLOAD_BASE64)
		cli_format_base64(&print->out, payload);
	else
		print_bytes(print, payload, "\n\t");
}

/* Colour, topic, colour, space, payload, newline. Nothing at all for an empty payload without its topic. */
static void print_plain(struct cli_print *print, const struct skiff_message *message)
{
	struct cli_buffer *out = &print->out;
	bool null = print->params->verbose && message->payload.len == 0;
	if (message->payload.len == 0 && (!null || (print->context->mosquitto && print->params->no_newline)))
		return;
	if (print->params->verbose) {
		if (print->colour)
			cli_buffer_print(out, "\033[36m");
		print_bytes(print, message->topic, "");
		if (print->colour)
			cli_buffer_print(out, "\033[0m");
		cli_buffer_byte(out, ' ');
	}
	if (null)
		cli_buffer_add(out, "(null)", 6);
	else
		print_payload(print, message->payload);
	if (!print->params->no_newline)
		cli_buffer_byte(out, '\n');
}

static void print_formatted(struct cli_print *print, const struct skiff_message *message, const struct timespec *now)
{
	const char *fault = cli_format_add(&print->out, print->params->format, &print->options, message, now);
	if (!print->params->no_newline)
		cli_buffer_byte(&print->out, '\n');
	if (fault && (fault != print->fault || print->context->mosquitto))
		cli_say(print->context, "topic '%.*s': %s", (int)message->topic.len, (const char *)message->topic.data,
			fault);
	print->fault = fault ? fault : print->fault;
}

int cli_print_message(struct cli_print *print, const struct skiff_message *message)
{
	struct timespec now = {0};
	if (print->params->format || print->params->json)
		clock_gettime(CLOCK_REALTIME, &now);
	if (print->watched_lines)
		print_go_to_line(print, message->topic);
	if (print->params->json)
		cli_record_append(&print->out, message, &now);
	else if (print->params->format)
		print_formatted(print, message, &now);
	else
		print_plain(print, message);
	if (print->watched_lines)
		cli_buffer_print(&print->out, "\033[%d;1H\n", print->watched_lines - 1);
	return print->out.len >= PRINT_FLUSH_BYTES ? cli_print_flush(print) : print->out.failed ? ENOMEM : 0;
}

int cli_print_flush(struct cli_print *print)
{
	struct iovec part = {print->out.data, print->out.len};
	int error = print->out.failed ? ENOMEM : print->out.len ? cli_write(STDOUT_FILENO, &part, 1) : 0;
	print->out.len = 0;
	if (print->out.size > PRINT_KEEP_BYTES)
		cli_buffer_free(&print->out);
	return error;
}

void cli_print_end(struct cli_print *print)
{
	tdestroy(print->watched, watched_free);
	print->watched = NULL;
	cli_buffer_free(&print->out);
}
