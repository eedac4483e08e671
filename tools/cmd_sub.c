/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_sub.c: `skiff sub`. Connects, subscribes, prints each message as it comes, and goes on until it is told to end.
 *
 * Messages are written on the library's thread, those that came together in one write: a slow reader slows the broker
 * down instead of filling memory, and a message is acknowledged only after it was written. When writing fails the
 * process ends right there, so that the broker keeps what nobody has seen. */
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_print.h"
#include "cli_progress.h"
#include "cli_session.h"
#include "cli_stop.h"
#include "cli_topic.h"
#include "commands.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	SUB_BATCH = 500,            /* filters in one SUBSCRIBE */
	SUB_WINDOW_COUNT = 20,      /* counts below this bound what the broker may send ahead */
	DISCONNECT_WITH_WILL = 0x04 /* [MQTT 5, 3.14.2.1] */
};

struct sub_params {
	struct cli_client_params client;
	struct cli_print_params print;
	struct cli_list topics, unsubscribe, filter_out;
	int qos, retain_handling;
	bool no_retained, retained_only, remove_retained, subscribe_only, retain_as_published, no_local;
	bool message_rate, count_only, watch;
	double random_percent; /* 0: not given */
	long long count, seconds;
	const char *save_dir;
};

#define FIELD(member) offsetof(struct sub_params, member)

static const struct cli_word retain_words[] = {{"always", 0}, {"new", 1}, {"never", 2}, {NULL, 0}};

static int percent_take(void *field, char **words, int count, char *why, size_t size)
{
	char *end;
	double value = strtod(words[0], &end);
	(void)count;
	if (end == words[0] || *end || !(value >= 0.1 && value <= 100)) {
		snprintf(why, size, "'%.100s' is not a number from 0.1 to 100", words[0]);
		return -1;
	}
	*(double *)field = value;
	return 1;
}

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
	{.name = "retain-handling",
		.type = CLI_ENUM,
		.value = "WHEN",
		.field = FIELD(retain_handling),
		.words = retain_words,
		.fallback = -1,
		.help = "have the broker send what it keeps always (default), for new subscriptions, or never; MQTT 5"},
	{.name = "no-local",
		.type = CLI_FLAG,
		.field = FIELD(no_local),
		.help = "have the broker send back nothing that this client published; MQTT 5"},
	{.letter = 'E',
		.type = CLI_FLAG,
		.field = FIELD(subscribe_only),
		.help = "end as soon as the broker has confirmed the subscriptions"},
};

static const struct cli_option choice_options[] = {
	{.letter = 'C',
		.type = CLI_INT,
		.value = "COUNT",
		.field = FIELD(count),
		.min = 1,
		.max = LLONG_MAX,
		.help = "end after this many messages were printed"},
	CLI_SECONDS_OPTION(FIELD(seconds), "end"),
	{.letter = 'R',
		.type = CLI_FLAG,
		.field = FIELD(no_retained),
		.help = "do not print messages that the broker kept from before"},
	{.name = "retained-only",
		.type = CLI_FLAG,
		.field = FIELD(retained_only),
		.help = "print only messages that the broker kept from before, and end at the first other one"},
	{.name = "remove-retained",
		.type = CLI_FLAG,
		.field = FIELD(remove_retained),
		.help = "have the broker forget each message that it kept and that is not filtered out by -T"},
	{.name = "filter-out",
		.letter = 'T',
		.type = CLI_LIST,
		.value = "FILTER",
		.field = FIELD(filter_out),
		.help = "do not print messages whose topic matches; may be repeated"},
	{.name = "random-filter",
		.type = CLI_CUSTOM,
		.value = "PERCENT",
		.field = FIELD(random_percent),
		.take = percent_take,
		.help = "print only this share of the messages, chosen at random: 0.1 to 100"},
	{.name = "count-only",
		.type = CLI_FLAG,
		.field = FIELD(count_only),
		.help = "print no messages, but at the end how many there were"},
	{.name = "message-rate",
		.type = CLI_FLAG,
		.field = FIELD(message_rate),
		.help = "print no messages, but each second how many there were"},
	{.name = "watch",
		.letter = 'w',
		.type = CLI_FLAG,
		.field = FIELD(watch),
		.help = "print the newest message of each topic in a line of its own on the screen"},
	{.name = "save-dir",
		.type = CLI_STRING,
		.value = "DIR",
		.field = FIELD(save_dir),
		.help = "write each payload into a file of its own in DIR, and print the names of the files",
		.man = "A file is called NUMBER-TOPIC, with '_' for what a file name should not hold. No file is "
		       "written "
		       "over."},
};

static const struct cli_group sub_groups[] = {
	CLI_GROUP("Subscription", subscription_options, 0),
	CLI_GROUP("Messages", choice_options, 0),
	CLI_PRINT_GROUP("Output", FIELD(print)),
	CLI_MOSQUITTO_GROUPS(FIELD(client)),
	{0},
};

/* Requests that are on their way, in their order. */
struct sub_requests {
	struct skiff_token **tokens;
	size_t count;
};

struct sub {
	struct cli_session session; /* first: the library's handlers get this */
	struct sub_params *params;
	struct cli_print print;
	struct cli_progress progress;
	struct sub_requests requests;
	bool printing;
	long long printed; /* on the I/O thread only, as are all below */
	atomic_llong received;
	unsigned random;
};

static int sub_check_filters(const struct cli_context *context, const char *option, const struct cli_list *list)
{
	char why[256];
	for (size_t i = 0; i < list->count; i++) {
		if (!cli_topic_check(context, list->items[i], CLI_TOPIC_FILTER, why, sizeof(why))) {
			cli_say(context, "option '%s': '%.100s': %s", option, list->items[i], why);
			return CLI_EXIT_USAGE;
		}
	}
	return CLI_EXIT_OK;
}

/* What needs MQTT 5. As one of mosquitto's clients it is left out without a word. */
static int sub_check_version(const struct cli_context *context, const struct sub_params *params)
{
	bool old = params->client.version == SKIFF_MQTT_311 || params->client.version == SKIFF_MQTT_31;
	const char *option = params->retain_as_published    ? "--retain-as-published"
			     : params->retain_handling >= 0 ? "--retain-handling"
			     : params->no_local             ? "--no-local"
							    : NULL;
	if (!old || context->mosquitto || !option)
		return CLI_EXIT_OK;
	cli_say(context, "option '%s': needs MQTT 5; '-V 311' excludes it", option);
	return CLI_EXIT_USAGE;
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
	if (params->no_retained && params->retained_only) {
		cli_say(context, "option '--retained-only': excludes '-R', with which nothing would be left");
		return CLI_EXIT_USAGE;
	}
	return sub_check_version(context, params);
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

/* Mosquitto's clients print a tenth of the share that is asked for, and so do we by their names. */
static bool sub_random_hides(struct sub *sub)
{
	double share = sub->params->random_percent / (sub->session.context->mosquitto ? 1000 : 100);
	return sub->params->random_percent > 0 && (double)rand_r(&sub->random) >= share * ((double)RAND_MAX + 1);
}

/* An error is the library's to log: the message comes again with the next subscription. */
static void sub_forget_retained(struct sub *sub, const struct skiff_message *message)
{
	struct skiff_message forget = {.topic = message->topic, .qos = 1, .retain = true};
	skiff_publish_message(sub->session.client, &forget, NULL);
}

/* Into a file of its own; result: an errno, after printing the file's name. */
static int sub_save(struct sub *sub, const struct skiff_message *message)
{
	char name[4096], topic[128];
	size_t len = message->topic.len < sizeof(topic) - 1 ? message->topic.len : sizeof(topic) - 1;
	for (size_t i = 0; i < len; i++) {
		char byte = ((const char *)message->topic.data)[i];
		topic[i] = isalnum((unsigned char)byte) || strchr(".-", byte) ? byte : '_';
	}
	snprintf(name, sizeof(name), "%s/%06lld-%.*s", sub->params->save_dir, sub->printed + 1, (int)len, topic);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	struct iovec part = {(void *)message->payload.data, message->payload.len};
	int error = fd < 0 ? errno : message->payload.len ? cli_write(fd, &part, 1) : 0;
	if (fd >= 0 && close(fd) && !error)
		error = errno;
	if (error)
		cli_say(sub->session.context, "file '%s': cannot be written: %s", name, strerror(error));
	else
		cli_buffer_print(&sub->print.out, "%s\n", name);
	return error;
}

/* Ends the process, before this message or those gathered with it can be acknowledged. */
static void sub_fail(struct sub *sub, int error)
{
	_exit(cli_exit_spoken(sub->params->save_dir && error != EPIPE ? CLI_EXIT_FILE
								      : cli_output_failed(sub->session.context, error),
		true));
}

static void sub_show(struct sub *sub, const struct skiff_message *message)
{
	const struct sub_params *params = sub->params;
	int error = params->save_dir ? sub_save(sub, message)
		    : sub->printing  ? cli_print_message(&sub->print, message)
				     : 0;
	if (error)
		sub_fail(sub, error);
}

static void sub_batch(struct skiff_client *client, void *user)
{
	struct sub *sub = user;
	(void)client;
	int error = cli_print_flush(&sub->print);
	if (error)
		sub_fail(sub, error);
}

static bool sub_is_kept(const struct sub_params *params)
{
	return params->client.keep_session || params->client.session_expiry > 1;
}

static void sub_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct sub *sub = user;
	const struct sub_params *params = sub->params;
	atomic_fetch_add_explicit(&sub->received, 1, memory_order_relaxed);
	if (params->count && sub->printed == params->count) {
		if (message->qos > 0 && sub_is_kept(params)) {
			sub_batch(client, sub);
			_exit(CLI_EXIT_OK); /* this one must not be acknowledged: it is for the next that comes */
		}
		return;
	}
	if (params->retained_only && !message->retain) {
		cli_stop(CLI_EXIT_OK);
		return;
	}
	if (sub_hides(params, message))
		return;
	if (params->remove_retained && message->retain)
		sub_forget_retained(sub, message);
	if (!sub_random_hides(sub))
		sub_show(sub, message);
	cli_progress_add(&sub->progress, message->payload.len);
	if (++sub->printed == params->count)
		cli_stop(CLI_EXIT_OK);
}

/* ---- subscriptions ---- */

/* Says which filters were refused, or granted less. Returns how many were granted. */
static size_t sub_report(struct sub *sub, const struct skiff_token *token, const char *const *filters, size_t count)
{
	const struct sub_params *params = sub->params;
	bool mosquitto = sub->session.context->mosquitto;
	size_t granted = 0;
	const char *text = skiff_token_reason_string(token);
	for (size_t i = 0; i < count; i++) {
		int reason = skiff_token_reason(token, i);
		if (reason >= 0x80 && !mosquitto)
			cli_say(sub->session.context, "filter '%.200s': refused by the broker, reason 0x%02x%s%s",
				filters[i], (unsigned)reason, *text ? ": " : "", text);
		else if (reason >= 0 && reason < params->qos && !mosquitto)
			cli_say(sub->session.context, "filter '%.200s': granted QoS %d only", filters[i], reason);
		granted += reason < 0x80;
	}
	return granted;
}

static int sub_requested(struct sub *sub, enum skiff_code code)
{
	struct skiff_error error;
	if (code == SKIFF_OK) {
		sub->requests.count++;
		return CLI_EXIT_OK;
	}
	skiff_client_error(sub->session.client, &error);
	return cli_session_failed(&sub->session, &error, "");
}

static int sub_ask_batch(struct sub *sub, const char *const *filters, size_t count)
{
	const struct sub_params *params = sub->params;
	struct skiff_subscription subscriptions[SUB_BATCH];
	bool v5 = params->client.version == SKIFF_MQTT_5;
	int handling = params->retain_handling >= 0 ? params->retain_handling : params->no_retained ? 2 : 0;
	for (size_t i = 0; i < count; i++) {
		subscriptions[i] = (struct skiff_subscription){
			.filter = filters[i],
			.qos = (uint8_t)params->qos,
			.no_local = v5 && params->no_local,
			.retain_as_published = v5 && params->retain_as_published,
			.retain_handling = v5 ? (uint8_t)handling : 0,
		};
	}
	return sub_requested(sub, skiff_subscribe_many(sub->session.client, subscriptions, count,
					  cli_property_of(&params->client.properties, CLI_PACKET_SUBSCRIBE),
					  &sub->requests.tokens[sub->requests.count]));
}

/* All requests at once, before there is a connection: what a kept session brings may come before their answers. */
static int sub_ask(struct cli_session *session)
{
	struct sub *sub = (struct sub *)session;
	const struct sub_params *params = sub->params;
	const struct cli_list *topics = &params->topics, *gone = &params->unsubscribe;
	int code = CLI_EXIT_OK;
	sub->requests.tokens = calloc(topics->count / SUB_BATCH + 1 + gone->count, sizeof(*sub->requests.tokens));
	if (!sub->requests.tokens) {
		cli_say(session->context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	for (size_t at = 0; at < topics->count && code == CLI_EXIT_OK; at += SUB_BATCH) {
		size_t count = topics->count - at < SUB_BATCH ? topics->count - at : SUB_BATCH;
		code = sub_ask_batch(sub, topics->items + at, count);
	}
	for (size_t i = 0; i < gone->count && code == CLI_EXIT_OK; i++)
		code = sub_requested(sub, skiff_unsubscribe_many(session->client, &gone->items[i], 1,
						  cli_property_of(&params->client.properties, CLI_PACKET_UNSUBSCRIBE),
						  &sub->requests.tokens[sub->requests.count]));
	return code;
}

static void sub_forget_requests(struct sub_requests *requests)
{
	for (size_t i = 0; i < requests->count; i++)
		skiff_token_free(requests->tokens[i]);
	free(requests->tokens);
	*requests = (struct sub_requests){0};
}

/* The outcome of a SUBSCRIBE of `count` filters. */
static int sub_subscribed(
	struct sub *sub, struct skiff_token *token, const char *const *filters, size_t count, size_t *granted)
{
	enum skiff_code code = cli_session_wait(token);
	if (code == SKIFF_OK || skiff_token_reason(token, 0) >= 0) {
		*granted += sub_report(sub, token, filters, count);
		return CLI_EXIT_OK;
	}
	return cli_session_failed(&sub->session, skiff_token_error(token), "");
}

/* Waits for all of them. */
static int sub_answered(struct sub *sub)
{
	const struct sub_requests *requests = &sub->requests;
	const struct cli_list *topics = &sub->params->topics;
	size_t granted = 0, at = 0;
	int code = CLI_EXIT_OK;
	for (size_t i = 0; i < requests->count && code == CLI_EXIT_OK && cli_stop_code() < 0; i++) {
		size_t left = topics->count - at, count = left < SUB_BATCH ? left : SUB_BATCH;
		if (count)
			code = sub_subscribed(sub, requests->tokens[i], topics->items + at, count, &granted);
		else if (!sub->params->subscribe_only && cli_session_wait(requests->tokens[i]) != SKIFF_OK)
			code = cli_session_failed(&sub->session, skiff_token_error(requests->tokens[i]), "");
		at += count;
	}
	if (code == CLI_EXIT_OK && cli_stop_code() < 0 && topics->count && granted == 0) {
		cli_say(sub->session.context, "every subscription was refused");
		code = CLI_EXIT_REFUSED;
	}
	return code;
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

/* Prints each second how many messages there were. */
static int sub_print_rate(struct sub *sub)
{
	while (cli_stop_pause(1000)) {
		printf("%lld msgs/s\n", atomic_exchange(&sub->received, 0));
		if (fflush(stdout))
			return cli_output_failed(sub->session.context, errno);
	}
	return cli_stop_code();
}

static int sub_go(struct sub *sub)
{
	int code = sub_answered(sub);
	if (code != CLI_EXIT_OK || sub->params->subscribe_only)
		return code;
	return sub->params->message_rate ? sub_print_rate(sub) : sub_wait();
}

/* Lets the broker send no more ahead than will be printed, so that what comes after stays with it. In a session that is
 * kept, one by one: only then the last acknowledgement has certainly left before another message can come. */
static void sub_bound_window(struct sub *sub, struct cli_client_setup *setup)
{
	const struct sub_params *params = sub->params;
	const struct skiff_properties *given = cli_property_of(&params->client.properties, CLI_PACKET_CONNECT);
	struct skiff_properties *connect = &setup->connect_properties;
	bool one_by_one = params->client.keep_session && !sub->session.context->mosquitto;
	if (params->count == 0 || params->count >= SUB_WINDOW_COUNT || params->client.version != SKIFF_MQTT_5 ||
		(given && given->has & SKIFF_HAS_RECEIVE_MAXIMUM))
		return;
	connect->receive_maximum = one_by_one ? 1 : (uint16_t)params->count;
	connect->has |= SKIFF_HAS_RECEIVE_MAXIMUM;
	setup->options.connect_properties = connect;
}

static int sub_prepare(struct sub *sub, const struct cli_context *context, struct cli_client_setup *setup)
{
	struct sub_params *params = sub->params;
	const struct cli_mosquitto_params *mosquitto = &params->client.mosquitto;
	int code = cli_print_begin(&sub->print, context, &params->print, &params->client);
	if (code != CLI_EXIT_OK)
		return code;
	if (params->save_dir && access(params->save_dir, W_OK | X_OK)) {
		cli_say(context, "option '--save-dir': '%s' cannot be written to: %s; make it first", params->save_dir,
			strerror(errno));
		return CLI_EXIT_FILE;
	}
	sub->printing = !params->count_only && !params->message_rate;
	sub->random = (unsigned)getpid() ^ (unsigned)time(NULL);
	params->client.log_granted = true;
	if (params->client.version == SKIFF_MQTT_5 && context->mosquitto)
		sub->session.stop_reason = DISCONNECT_WITH_WILL;
	if (params->watch && sub->printing)
		cli_print_watch(&sub->print, mosquitto->unix_path    ? mosquitto->unix_path
					     : params->client.host   ? params->client.host
					     : params->client.broker ? params->client.broker
								     : "localhost");
	if (!sub->printing || !isatty(STDOUT_FILENO))
		cli_progress_begin(&sub->progress, -1, params->client.quiet || context->mosquitto);
	sub_bound_window(sub, setup);
	sub->session.ask = sub_ask;
	setup->options.on_message = sub_message;
	setup->options.on_batch = sub_batch;
	return CLI_EXIT_OK;
}

static int sub_run(const struct cli_context *context, void *data)
{
	struct sub_params *params = data;
	struct cli_client_setup setup;
	struct sub sub = {.params = params, .session.context = context};
	cli_client_settle(context, &params->client, SKIFF_MQTT_311);
	int code = sub_check(context, params);
	if (code == CLI_EXIT_OK)
		code = cli_stop_start(context, params->seconds);
	if (code != CLI_EXIT_OK)
		return code;
	code = cli_client_prepare(context, &params->client, &setup);
	if (code == CLI_EXIT_OK)
		code = sub_prepare(&sub, context, &setup);
	if (code == CLI_EXIT_OK)
		code = cli_session_open(&sub.session, context, &params->client, &setup);
	if (code == CLI_EXIT_OK && cli_stop_code() < 0)
		code = sub_go(&sub);
	cli_session_close(&sub.session);
	sub_forget_requests(&sub.requests);
	cli_progress_end(&sub.progress);
	cli_print_end(&sub.print);
	cli_client_release(&setup);
	if (params->count_only)
		printf("%lld\n", sub.printed);
	cli_stop_say(context, code, params->seconds, "");
	return code;
}

const struct cli_command cmd_sub = {
	.name = "sub",
	.summary = "print messages as they are published",
	.usage = "[@PROFILE] [OPTION]... -t FILTER [-t FILTER]...",
	.description =
		"Subscribes, and prints the payload of each message and a newline to standard output, as they come. "
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
