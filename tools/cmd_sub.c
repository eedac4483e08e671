/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_sub.c: `skiff sub`. Connects, subscribes, prints each message as it comes, and goes on until it is told to end.
 *
 * Messages are written inside the library's handler, one write each: a slow reader slows the broker down instead of
 * filling memory, and a message is acknowledged only after it was written. When writing fails the process ends right
 * there, so that the broker keeps what nobody has seen. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_session.h"
#include "cli_stop.h"
#include "cli_text.h"
#include "cli_topic.h"
#include "commands.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SUB_BATCH = 500,      /* filters in one SUBSCRIBE */
	SUB_WINDOW_COUNT = 20 /* counts below this bound what the broker may send ahead */
};

struct sub_params {
	struct cli_client_params client;
	struct cli_list topics, unsubscribe, filter_out;
	int qos;
	bool verbose, no_newline, no_retained, subscribe_only, retain_as_published, raw;
	long long count, seconds;
};

#define FIELD(member) offsetof(struct sub_params, member)

static const struct cli_option subscription_options[] = {
	{.name = "topic",
		.letter = 't',
		.type = CLI_LIST,
		.value = "FILTER",
		.field = FIELD(topics),
		.help = "the topic filter to subscribe to; may be repeated; needed unless -U is given",
		.man = "'+' stands for one level, '#' at the end for all that follow; '$share/NAME/FILTER' shares the "
		       "messages with "
		       "the other subscribers of that name."},
	{.name = "qos",
		.letter = 'q',
		.type = CLI_ENUM,
		.value = "QOS",
		.field = FIELD(qos),
		.words = cli_qos_words,
		.help = "the highest QoS to receive with: 0 (default), 1 or 2"},
	{.name = "unsubscribe",
		.letter = 'U',
		.type = CLI_LIST,
		.value = "FILTER",
		.field = FIELD(unsubscribe),
		.help = "a filter of the kept session to unsubscribe from; may be repeated"},
	{.name = "retain-as-published",
		.type = CLI_FLAG,
		.field = FIELD(retain_as_published),
		.help = "have the broker keep the retain flag as it was published; MQTT 5"},
	{.letter = 'E',
		.type = CLI_FLAG,
		.field = FIELD(subscribe_only),
		.help = "end as soon as the broker has confirmed the subscriptions"},
};

static const struct cli_option output_options[] = {
	{.name = "verbose",
		.letter = 'v',
		.type = CLI_FLAG,
		.field = FIELD(verbose),
		.help = "print the topic and a space before each payload; an empty payload is printed as (null)"},
	{.letter = 'C',
		.type = CLI_INT,
		.value = "COUNT",
		.field = FIELD(count),
		.min = 1,
		.max = LLONG_MAX,
		.help = "end after this many messages were printed"},
	{.letter = 'W',
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(seconds),
		.min = 1,
		.max = 2147483647,
		.help = "end after this time, with exit code 27"},
	{.letter = 'N', .type = CLI_FLAG, .field = FIELD(no_newline), .help = "print no newline after a payload"},
	{.letter = 'R',
		.type = CLI_FLAG,
		.field = FIELD(no_retained),
		.help = "do not print messages that the broker kept from before"},
	{.name = "filter-out",
		.letter = 'T',
		.type = CLI_LIST,
		.value = "FILTER",
		.field = FIELD(filter_out),
		.help = "do not print messages whose topic matches; may be repeated"},
	{.name = "raw",
		.type = CLI_FLAG,
		.field = FIELD(raw),
		.help = "print control characters as they are on a terminal too, which may obey them",
		.man = "Where standard output is no terminal, payloads are always printed byte for byte."},
};

static const struct cli_group sub_groups[] = {
	CLI_GROUP("Subscription", subscription_options, 0),
	CLI_GROUP("Output", output_options, 0),
	CLI_CLIENT_GROUPS(FIELD(client)),
	{0},
};

struct sub {
	struct cli_session session; /* first: the library's handlers get this */
	const struct sub_params *params;
	bool escape, colour, one_by_one;
	long long printed; /* on the I/O thread only */
};

static int sub_check_filters(const struct cli_context *context, const char *option, const struct cli_list *list)
{
	char why[256];
	for (size_t i = 0; i < list->count; i++) {
		if (!cli_topic_check(list->items[i], CLI_TOPIC_FILTER, why, sizeof(why))) {
			cli_say(context, "option '%s': '%.100s': %s", option, list->items[i], why);
			return CLI_EXIT_USAGE;
		}
	}
	return CLI_EXIT_OK;
}

static int sub_check(const struct cli_context *context, const struct sub_params *params)
{
	int code = sub_check_filters(context, "--topic", &params->topics);
	if (code == CLI_EXIT_OK)
		code = sub_check_filters(context, "--unsubscribe", &params->unsubscribe);
	if (code == CLI_EXIT_OK)
		code = sub_check_filters(context, "--filter-out", &params->filter_out);
	if (code != CLI_EXIT_OK)
		return code;
	if (params->topics.count == 0 && params->unsubscribe.count == 0) {
		cli_say(context, "option '--topic': is needed; it says what to subscribe to");
		return CLI_EXIT_USAGE;
	}
	if (params->retain_as_published && params->client.version == SKIFF_MQTT_311) {
		cli_say(context, "option '--retain-as-published': needs MQTT 5; '-V 311' excludes it");
		return CLI_EXIT_USAGE;
	}
	return CLI_EXIT_OK;
}

/* ---- messages; on the library's thread ---- */

static bool sub_hides(const struct sub_params *params, const struct skiff_message *message)
{
	if (params->no_retained && message->retain)
		return true;
	for (size_t i = 0; i < params->filter_out.count; i++) {
		if (cli_topic_matches(params->filter_out.items[i], message->topic.data, message->topic.len))
			return true;
	}
	return false;
}

/* Colour, topic, colour, space, payload, newline. Nothing at all for an empty payload without its topic. */
static int sub_line(const struct sub *sub, struct skiff_bytes topic, struct skiff_bytes payload)
{
	static char on[] = "\033[36m", off[] = "\033[0m", space[] = " ", newline[] = "\n", null[] = "(null)";
	struct iovec parts[6];
	int count = 0;
	if (sub->params->verbose) {
		if (sub->colour)
			parts[count++] = (struct iovec){on, sizeof(on) - 1};
		parts[count++] = (struct iovec){(void *)topic.data, topic.len};
		if (sub->colour)
			parts[count++] = (struct iovec){off, sizeof(off) - 1};
		parts[count++] = (struct iovec){space, 1};
		if (payload.len == 0)
			payload = skiff_text(null);
	} else if (payload.len == 0) {
		return 0;
	}
	parts[count++] = (struct iovec){(void *)payload.data, payload.len};
	if (!sub->params->no_newline)
		parts[count++] = (struct iovec){newline, 1};
	return cli_write(STDOUT_FILENO, parts, count);
}

/* The same for a terminal, where control characters might do harm. */
static int sub_line_escaped(const struct sub *sub, struct skiff_bytes topic, struct skiff_bytes payload)
{
	char *room = malloc(CLI_ESCAPE_FACTOR * (topic.len + payload.len) + 1);
	if (!room)
		return ENOMEM;
	struct skiff_bytes shown_topic = {room, cli_escape(room, topic.data, topic.len, "")};
	char *rest = room + shown_topic.len;
	struct skiff_bytes shown_payload = {rest, cli_escape(rest, payload.data, payload.len, "\n\t")};
	int error = sub_line(sub, shown_topic, shown_payload);
	free(room);
	return error;
}

static void sub_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct sub *sub = user;
	const struct sub_params *params = sub->params;
	(void)client;
	if (params->count && sub->printed == params->count) {
		if (sub->one_by_one && message->qos > 0)
			_exit(CLI_EXIT_OK); /* the last one printed is acknowledged, this one must not be */
		return;
	}
	if (sub_hides(params, message))
		return;
	int error = sub->escape ? sub_line_escaped(sub, message->topic, message->payload)
				: sub_line(sub, message->topic, message->payload);
	if (error)
		_exit(cli_output_failed(sub->session.context, error)); /* before this message can be acknowledged */
	if (++sub->printed == params->count)
		cli_stop(CLI_EXIT_OK);
}

/* ---- subscriptions ---- */

/* Says which filters were refused, or granted less. Returns how many were granted. */
static size_t sub_report(struct sub *sub, const struct skiff_token *token, const char *const *filters, size_t count)
{
	size_t granted = 0;
	const char *text = skiff_token_reason_string(token);
	for (size_t i = 0; i < count; i++) {
		int reason = skiff_token_reason(token, i);
		if (reason >= 0x80)
			cli_say(sub->session.context, "filter '%.200s': refused by the broker, reason 0x%02x%s%s",
				filters[i], (unsigned)reason, *text ? ": " : "", text);
		else if (reason >= 0 && reason < sub->params->qos)
			cli_say(sub->session.context, "filter '%.200s': granted QoS %d only", filters[i], reason);
		granted += reason < 0x80;
	}
	return granted;
}

static int sub_subscribe_batch(struct sub *sub, const char *const *filters, size_t count, size_t *granted)
{
	const struct sub_params *params = sub->params;
	struct skiff_subscription subscriptions[SUB_BATCH];
	struct skiff_token *token = NULL;
	struct skiff_error error = {0};
	bool no_retained = params->no_retained && params->client.version == SKIFF_MQTT_5;
	for (size_t i = 0; i < count; i++) {
		subscriptions[i] = (struct skiff_subscription){
			.filter = filters[i],
			.qos = (uint8_t)params->qos,
			.retain_as_published = params->retain_as_published,
			.retain_handling = no_retained ? 2 : 0,
		};
	}
	enum skiff_code code = skiff_subscribe_many(sub->session.client, subscriptions, count,
		cli_property_of(&params->client.properties, CLI_PACKET_SUBSCRIBE), &token);
	if (code != SKIFF_OK) {
		skiff_client_error(sub->session.client, &error);
		return cli_session_failed(&sub->session, &error, "");
	}
	code = cli_session_wait(token);
	int result = CLI_EXIT_OK;
	if (code == SKIFF_OK || skiff_token_reason(token, 0) >= 0)
		*granted += sub_report(sub, token, filters, count);
	else
		result = cli_session_failed(&sub->session, skiff_token_error(token), "");
	skiff_token_free(token);
	return result;
}

static int sub_subscribe(struct sub *sub)
{
	const struct cli_list *topics = &sub->params->topics;
	size_t granted = 0;
	for (size_t at = 0; at < topics->count; at += SUB_BATCH) {
		size_t count = topics->count - at < SUB_BATCH ? topics->count - at : SUB_BATCH;
		int code = sub_subscribe_batch(sub, topics->items + at, count, &granted);
		if (code != CLI_EXIT_OK || cli_stop_code() >= 0)
			return code;
	}
	if (topics->count && granted == 0) {
		cli_say(sub->session.context, "every subscription was refused");
		return CLI_EXIT_REFUSED;
	}
	return CLI_EXIT_OK;
}

static int sub_unsubscribe(struct sub *sub)
{
	const struct cli_list *list = &sub->params->unsubscribe;
	struct skiff_token *token = NULL;
	struct skiff_error error = {0};
	if (list->count == 0)
		return CLI_EXIT_OK;
	enum skiff_code code = skiff_unsubscribe_many(sub->session.client, list->items, list->count,
		cli_property_of(&sub->params->client.properties, CLI_PACKET_UNSUBSCRIBE), &token);
	if (code != SKIFF_OK) {
		skiff_client_error(sub->session.client, &error);
	} else if (cli_session_wait(token) != SKIFF_OK) {
		error = *skiff_token_error(token);
	}
	skiff_token_free(token);
	return error.code == SKIFF_OK ? CLI_EXIT_OK : cli_session_failed(&sub->session, &error, "");
}

/* Waits for a reason to end: somebody stops us, or the reader of our output goes. */
static int sub_wait(void)
{
	struct pollfd fds[] = {{.fd = cli_stop_fd(), .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[0].revents)
			return cli_stop_code();
		if (fds[1].revents & POLLERR)
			return CLI_EXIT_PIPE;
		fds[1].fd = -1; /* a terminal that hung up; the signal for it is on its way */
	}
}

static int sub_go(struct sub *sub)
{
	int code = sub_subscribe(sub);
	if (code == CLI_EXIT_OK)
		code = sub_unsubscribe(sub);
	if (code != CLI_EXIT_OK || sub->params->subscribe_only)
		return code;
	return sub_wait();
}

/* Lets the broker send no more ahead than will be printed, so that what comes after stays with it. In a session that is
 * kept, one by one: only then the last acknowledgement has certainly left before another message can come. */
static void sub_bound_window(struct sub *sub, struct cli_client_setup *setup)
{
	const struct sub_params *params = sub->params;
	struct skiff_properties *connect = &setup->connect_properties;
	if (params->count == 0 || params->count >= SUB_WINDOW_COUNT || params->client.version != SKIFF_MQTT_5 ||
		connect->has & SKIFF_HAS_RECEIVE_MAXIMUM)
		return;
	connect->receive_maximum = params->client.keep_session ? 1 : (uint16_t)params->count;
	connect->has |= SKIFF_HAS_RECEIVE_MAXIMUM;
	setup->options.connect_properties = connect;
	sub->one_by_one = connect->receive_maximum == 1;
}

static int sub_run(const struct cli_context *context, void *data)
{
	struct sub_params *params = data;
	struct cli_client_setup setup;
	struct sub sub = {.params = params};
	int code = sub_check(context, params);
	if (code != CLI_EXIT_OK)
		return code;
	if (!cli_stop_start(params->seconds)) {
		cli_say(context, "cannot start: %s", strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	sub.escape = isatty(STDOUT_FILENO) && !params->raw;
	sub.colour = cli_colour(STDOUT_FILENO);
	code = cli_client_prepare(context, &params->client, &setup);
	if (code == CLI_EXIT_OK) {
		sub_bound_window(&sub, &setup);
		setup.options.on_message = sub_message;
		code = cli_session_open(&sub.session, context, &setup.options,
			cli_property_of(&params->client.properties, CLI_PACKET_DISCONNECT));
	}
	if (code == CLI_EXIT_OK && cli_stop_code() < 0)
		code = sub_go(&sub);
	cli_session_close(&sub.session);
	cli_client_release(&setup);
	if (code == CLI_EXIT_TIMEOUT && cli_stop_code() == code)
		cli_say(context, "time is up after %lld seconds", params->seconds);
	return code;
}

const struct cli_command cmd_sub = {
	.name = "sub",
	.summary = "print messages as they are published",
	.usage = "[OPTION]... -t FILTER [-t FILTER]...",
	.description =
		"Subscribes, and prints the payload of each message and a newline to standard output, one by one. "
		"Everything else is "
		"said on standard error. On a terminal control characters are escaped; elsewhere payloads come out "
		"byte for byte. A "
		"message is acknowledged after it was written, and when writing fails nothing more is acknowledged.\n\n"
		"The first attempt to connect must succeed. A connection that is lost later is made again, for ever, "
		"unless trying "
		"again cannot help. On SIGINT and SIGTERM the connection is ended properly; a second signal ends at "
		"once. SIGHUP "
		"ends a command whose terminal has gone; else it has the files of TLS read again, for the next "
		"connection.",
	.examples = "# everything below 'house', with topics\n"
		    "skiff sub -b mqtt://broker.example -t 'house/#' -v\n"
		    "# the next message, or exit code 27 after ten seconds\n"
		    "skiff sub -b mqtts://broker.example -t lamp/state -C 1 -W 10\n",
	.groups = sub_groups,
	.params_size = sizeof(struct sub_params),
	.alias = "mosquitto_sub",
	.profiles = true,
	.run = sub_run,
};
