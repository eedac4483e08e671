/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_rr.c: `skiff rr`. Subscribes to a response topic, publishes a request that names it, prints the first answer, and
 * ends. */
#include "cli_event.h"
#include "cli_exit.h"
#include "cli_message.h"
#include "cli_output.h"
#include "cli_print.h"
#include "cli_session.h"
#include "cli_stop.h"
#include "cli_topic.h"
#include "commands.h"
#include <errno.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DISCONNECT_WITH_WILL = 0x04 /* [MQTT 5, 3.14.2.1] */ };

struct rr_params {
	struct cli_client_params client;
	struct cli_message_params message;
	struct cli_print_params print;
	const char *response_topic;
	bool latency, no_retained, retain_as_published;
	int retain_handling;
	long long seconds;
};

#define FIELD(member) offsetof(struct rr_params, member)

static const struct cli_word retain_words[] = {{"always", 0}, {"new", 1}, {"never", 2}, {NULL, 0}};

static const struct cli_option response_options[] = {
	{.letter = 'e',
		.type = CLI_STRING,
		.value = "TOPIC",
		.field = FIELD(response_topic),
		.help = "the topic on which the answer is awaited; default one of its own, under skiff/rr/"},
	{.letter = 'R',
		.type = CLI_FLAG,
		.field = FIELD(no_retained),
		.help = "take no message for the answer that the broker kept from before"},
	{.name = "retain-as-published",
		.type = CLI_FLAG,
		.field = FIELD(retain_as_published),
		.help = "have the broker keep the retain flag of the answer as it was published; MQTT 5"},
	{.name = "retain-handling",
		.type = CLI_ENUM,
		.value = "WHEN",
		.field = FIELD(retain_handling),
		.words = retain_words,
		.fallback = -1,
		.help = "have the broker send what it keeps on the response topic always (default), for new "
			"subscriptions, or never; MQTT 5"},
	{.name = "latency",
		.type = CLI_FLAG,
		.field = FIELD(latency),
		.help = "print the time from request to answer after it"},
	CLI_SECONDS_OPTION(FIELD(seconds), "give up"),
};

static const struct cli_group rr_groups[] = {
	{"Request", cli_message_options, CLI_MESSAGE_OPTIONS, FIELD(message)},
	CLI_GROUP("Response", response_options, 0),
	CLI_PRINT_GROUP("Output", FIELD(print)),
	CLI_MOSQUITTO_GROUPS(FIELD(client)),
	{0},
};

struct rr {
	struct cli_session session; /* first: the library's handlers get this */
	struct rr_params *params;
	struct cli_print print;
	struct skiff_properties properties;
	char topic[64]; /* where none was given */
	atomic_bool asked;
	bool answered; /* on the I/O thread only */
	struct timespec sent, came;
};

/* Whether it is mosquitto_rr 2.0, which takes the options of its subscription, and leaves them out of account. */
static bool rr_is_old(const struct rr *rr)
{
	return rr->session.context->mosquitto && rr->params->client.mosquitto.like == CLI_LIKE_20;
}

/* ---- the answer; on the library's thread ---- */

static void rr_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct rr *rr = user;
	(void)client;
	/* Mosquitto's takes whatever comes on the topic for the answer, at any time. */
	bool early = !atomic_load(&rr->asked) && !rr->session.context->mosquitto;
	bool kept = rr->params->no_retained && message->retain && !rr_is_old(rr);
	if (rr->answered || early || kept)
		return;
	clock_gettime(CLOCK_MONOTONIC, &rr->came);
	rr->answered = true;
	int error = cli_print_message(&rr->print, message);
	if (!error)
		error = cli_print_flush(&rr->print);
	if (error)
		_exit(cli_exit_spoken(cli_output_failed(rr->session.context, error), false));
	cli_stop(CLI_EXIT_OK);
}

/* As mosquitto_rr prints it. */
static void rr_print_latency(const struct rr *rr)
{
	long long ns =
		(long long)(rr->came.tv_sec - rr->sent.tv_sec) * 1000000000 + rr->came.tv_nsec - rr->sent.tv_nsec;
	if (ns >= 1000000000)
		printf("Latency: %lld.%09lld\n", ns / 1000000000, ns % 1000000000);
	else if (ns < 1000)
		printf("Latency: %lldns\n", ns);
	else
		printf("Latency: %f%s\n", (double)ns / (ns < 1000000 ? 1e3 : 1e6), ns < 1000000 ? "µs" : "ms");
}

/* ---- the request ---- */

static int rr_operation(struct rr *rr, enum skiff_code code, struct skiff_token *token)
{
	struct skiff_error error = {0};
	if (code != SKIFF_OK)
		skiff_client_error(rr->session.client, &error);
	else if (cli_session_wait(token) != SKIFF_OK)
		error = *skiff_token_error(token);
	skiff_token_free(token);
	return error.code == SKIFF_OK ? CLI_EXIT_OK : cli_session_failed(&rr->session, &error, "");
}

static int rr_subscribe(struct rr *rr)
{
	const struct rr_params *params = rr->params;
	bool v5 = params->client.version == SKIFF_MQTT_5 && !rr_is_old(rr);
	int handling = params->retain_handling >= 0 ? params->retain_handling : params->no_retained ? 2 : 0;
	struct skiff_subscription subscription = {
		.filter = params->response_topic,
		.qos = cli_message_qos(&params->message),
		.retain_as_published = v5 && params->retain_as_published,
		.retain_handling = v5 ? (uint8_t)handling : 0,
	};
	struct skiff_token *token = NULL;
	enum skiff_code code = skiff_subscribe_many(rr->session.client, &subscription, 1,
		cli_property_of(&params->client.properties, CLI_PACKET_SUBSCRIBE), &token);
	return rr_operation(rr, code, token);
}

static int rr_publish(struct rr *rr, const struct skiff_message *request)
{
	struct skiff_token *token = NULL;
	atomic_store(&rr->asked, true);
	clock_gettime(CLOCK_MONOTONIC, &rr->sent);
	enum skiff_code code = skiff_publish_message(rr->session.client, request, &token);
	return rr_operation(rr, code, token);
}

/* Waits until the answer, a signal or the time limit ends it. */
static int rr_await(const struct rr *rr)
{
	cli_stop_pause(-1);
	int code = cli_stop_code();
	if (code == CLI_EXIT_OK && rr->params->latency)
		rr_print_latency(rr);
	return code;
}

static int rr_ask(struct rr *rr, const struct skiff_message *request)
{
	int code = rr_subscribe(rr);
	if (code == CLI_EXIT_OK && cli_stop_code() < 0)
		code = rr_publish(rr, request);
	return code == CLI_EXIT_OK || cli_stop_code() == CLI_EXIT_OK ? rr_await(rr) : code;
}

/* ---- what is asked for ---- */

static int rr_choose_topic(struct rr *rr, const struct cli_context *context)
{
	struct rr_params *params = rr->params;
	unsigned char bits[8];
	char why[256];
	if (!params->response_topic && !context->mosquitto && RAND_bytes(bits, sizeof(bits)) == 1) {
		int len = snprintf(rr->topic, sizeof(rr->topic), "skiff/rr/");
		for (size_t i = 0; i < sizeof(bits); i++)
			len += snprintf(rr->topic + len, sizeof(rr->topic) - (size_t)len, "%02x", bits[i]);
		params->response_topic = rr->topic;
	}
	if (!params->response_topic) {
		cli_say(context, "option '-e': is needed; it says where the answer is awaited");
		return CLI_EXIT_USAGE;
	}
	if (cli_topic_check(context, params->response_topic, CLI_TOPIC_NAME, why, sizeof(why)))
		return CLI_EXIT_OK;
	cli_say(context, "option '-e': '%.100s': %s", params->response_topic, why);
	return CLI_EXIT_USAGE;
}

static int rr_check(struct rr *rr, const struct cli_context *context)
{
	const struct rr_params *params = rr->params;
	const struct skiff_properties *given = cli_property_of(&params->client.properties, CLI_PACKET_PUBLISH);
	size_t sources = cli_message_sources(&params->message);
	if (sources != 1) {
		cli_say(context, "%s: give one of '-m', '-f', '-s' and '-n'",
			sources ? "there is more than one message" : "there is no message");
		return CLI_EXIT_USAGE;
	}
	if (given && given->response_topic.data) {
		cli_say(context, "option '--property': the response topic is that of '-e'");
		return CLI_EXIT_USAGE;
	}
	int code = rr_choose_topic(rr, context);
	if (code != CLI_EXIT_OK || params->client.version != SKIFF_MQTT_5)
		return code;
	if (given)
		rr->properties = *given;
	rr->properties.response_topic = skiff_text(params->response_topic);
	return code;
}

/* Mosquitto's takes one message, tries once, and leaves without DISCONNECT. */
static void rr_be_mosquitto(struct rr *rr, const struct cli_context *context, struct cli_client_setup *setup)
{
	const struct skiff_properties *given = cli_property_of(&rr->params->client.properties, CLI_PACKET_CONNECT);
	if (!context->mosquitto)
		return;
	rr->session.leaves = true;
	setup->options.reconnect.off = true;
	if (!given || !(given->has & SKIFF_HAS_RECEIVE_MAXIMUM))
		setup->connect_properties.receive_maximum = 1;
}

static int rr_request(struct rr *rr, const struct cli_context *context, struct cli_client_setup *setup)
{
	const struct rr_params *params = rr->params;
	struct skiff_message request = {.qos = cli_message_qos(&params->message)};
	const char *topic = cli_message_topic(context, &params->message);
	char *owned = NULL;
	if (!topic)
		return CLI_EXIT_USAGE;
	request.topic = skiff_text(topic);
	request.properties = params->client.version == SKIFF_MQTT_5 ? &rr->properties : NULL;
	int code = cli_message_read(context, &params->message, 0, &request.payload, &owned);
	if (code == CLI_EXIT_OK)
		code = cli_print_begin(&rr->print, context, &params->print, &params->client);
	if (code == CLI_EXIT_OK) {
		setup->options.on_message = rr_message;
		rr_be_mosquitto(rr, context, setup);
		if (params->client.version == SKIFF_MQTT_5)
			rr->session.stop_reason = DISCONNECT_WITH_WILL;
		code = cli_session_open(&rr->session, context, &rr->params->client, setup);
	}
	if (code == CLI_EXIT_OK && cli_stop_code() < 0)
		code = rr_ask(rr, &request);
	cli_session_close(&rr->session);
	cli_print_end(&rr->print);
	free(owned);
	return code;
}

static int rr_run(const struct cli_context *context, void *data)
{
	struct rr_params *params = data;
	struct cli_client_setup setup;
	struct rr rr = {.params = params, .session.context = context};
	cli_client_settle(context, &params->client, SKIFF_MQTT_5);
	int code = rr_check(&rr, context);
	if (code == CLI_EXIT_OK)
		code = cli_stop_start(context, params->seconds);
	if (code != CLI_EXIT_OK)
		return code;
	code = cli_client_prepare(context, &params->client, &setup);
	if (code == CLI_EXIT_OK)
		code = rr_request(&rr, context, &setup);
	cli_client_release(&setup);
	cli_stop_say(context, code, params->seconds, "; nobody answered");
	return code;
}

const struct cli_command cmd_rr = {
	.name = "rr",
	.summary = "publish a request and print the response",
	.usage = "[@PROFILE] [OPTION]... -t TOPIC {-m TEXT | -f FILE | -s | -n} [-e RESPONSE-TOPIC]",
	.description =
		"Subscribes to the response topic, publishes one message, prints the first message that comes on the "
		"response topic, and ends. With MQTT 5 the request says where the response is awaited; with 3.1.1 the "
		"other side has to know.\n\n"
		"Without -W it waits for ever.",
	.examples = "# ask, and give up after five seconds\n"
		    "skiff rr -b mqtts://broker.example -t lamp/get -m state -W 5\n"
		    "# how long it takes\n"
		    "skiff rr -b mqtt://broker.example -t echo -e echo/answer -m hello --latency\n",
	.groups = rr_groups,
	.params_size = sizeof(struct rr_params),
	.alias = "mosquitto_rr",
	.profiles = true,
	.run = rr_run,
};
