/* SPDX-License-Identifier: Apache-2.0 */
/* differential_run.c: plays a plan on one engine.
 *
 * The client under test goes through a relay; the peer, native and undisturbed, publishes too and is the witness of all
 * that the broker sends to prefix/#. A fence is a message of QoS 2 that the client sends to itself: when it has come
 * back, and the relay says that nothing is on its way, everything before is settled. */
#include "engine/differential.h"

#include "support/waiting.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RUN_TOKENS = PLAN_MESSAGES + PLAN_AWAY + 3, RUN_PREFIX = 32, RUN_TOPIC = 96, GRACE_MS = 30000 };

struct run;

struct run_filter {
	struct run *run;
	unsigned index;
};

/* A token whose outcome is to come. */
struct run_token {
	struct skiff_token *token;
	const struct plan_message *message; /* NULL: of a request */
	size_t reasons;
	char what[64];
};

struct run {
	const struct plan *plan;
	const struct broker *broker;
	enum skiff_engine engine;
	char prefix[RUN_PREFIX], id[RUN_PREFIX];
	struct packet_relay *relay;
	struct skiff_client *client, *peer;
	struct run_filter filters[FILTERS];
	uint8_t *payload; /* LEN_MOST bytes */
	struct run_token tokens[RUN_TOKENS];
	size_t token_count;
	unsigned fences, wills; /* that must have come */

	pthread_mutex_t lock; /* guards what follows; the diary also */
	pthread_cond_t changed;
	struct diary *diary;
	unsigned step;
	unsigned fences_back, fences_seen, wills_seen;
	unsigned events[SKIFF_EVENT_SESSION_LOST + 1];
};

enum { LEN_MOST = 20000 };

/* ---- waiting ---- */

/* The first thing that does not come ends the run. */
static void run_stick(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void run_stick(struct run *run, const char *format, ...)
{
	char what[128];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	pthread_mutex_lock(&run->lock);
	if (!*run->diary->stuck)
		snprintf(run->diary->stuck, sizeof run->diary->stuck, "step %u: %s", run->step, what);
	pthread_mutex_unlock(&run->lock);
}

static bool run_stuck(const struct run *run)
{
	return *run->diary->stuck;
}

/* Until `*value`, which handlers count, is `wanted`. */
static void run_await(struct run *run, const unsigned *value, unsigned wanted, const char *what)
{
	struct timespec deadline;
	int late = 0;
	if (run_stuck(run))
		return;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += WAITING_LONG_MS / 1000;
	pthread_mutex_lock(&run->lock);
	while (*value < wanted && !late)
		late = pthread_cond_timedwait(&run->changed, &run->lock, &deadline);
	bool come = *value >= wanted;
	pthread_mutex_unlock(&run->lock);
	if (!come)
		run_stick(run, "%s %u did not come", what, wanted);
}

static unsigned run_seen(struct run *run, enum skiff_event_kind kind)
{
	pthread_mutex_lock(&run->lock);
	unsigned seen = run->events[kind];
	pthread_mutex_unlock(&run->lock);
	return seen;
}

/* ---- what comes ---- */

/* From the peer: what it published before has passed the broker. */
static const struct plan_message run_mark = {.topic = "mark", .qos = 1, .len = 4};

static bool text_is(struct skiff_bytes text, const char *wanted)
{
	return text.len == strlen(wanted) && !memcmp(text.data, wanted, text.len);
}

static bool topic_starts(struct skiff_bytes topic, const char *start)
{
	return topic.len >= strlen(start) && !memcmp(topic.data, start, strlen(start));
}

/* Without the prefix. */
static struct skiff_bytes topic_of(const struct run *run, const struct skiff_message *message)
{
	size_t len = strlen(run->prefix);
	if (message->topic.len < len || memcmp(message->topic.data, run->prefix, len) != 0)
		return message->topic;
	return (struct skiff_bytes){(const char *)message->topic.data + len, message->topic.len - len};
}

static void describe_properties(char *into, size_t size, const struct skiff_properties *properties)
{
	struct skiff_user_property user;
	size_t len = 0;
	*into = '\0';
	for (size_t i = 0; properties && skiff_subscription_id_at(properties, i) && len < size; i++)
		len += (size_t)snprintf(into + len, size - len, " id %u", skiff_subscription_id_at(properties, i));
	for (size_t i = 0; skiff_user_property_at(properties, i, &user) && len < size; i++)
		len += (size_t)snprintf(into + len, size - len, " %.*s=%.*s", (int)user.name.len,
			(const char *)user.name.data, (int)user.value.len, (const char *)user.value.data);
	if (properties && len < size)
		snprintf(into + len, size - len, " has %x type '%.*s' answers to '%.*s'%zu", properties->has & 3,
			(int)properties->content_type.len, (const char *)properties->content_type.data,
			(int)properties->response_topic.len, (const char *)properties->response_topic.data,
			properties->correlation_data.len);
}

static unsigned payload_sum(struct skiff_bytes payload)
{
	unsigned sum = 0;
	for (size_t i = 0; i < payload.len; i++)
		sum = sum * 31 + ((const uint8_t *)payload.data)[i];
	return sum;
}

static unsigned payload_number(struct skiff_bytes payload)
{
	char text[16] = "";
	memcpy(text, payload.data, payload.len < sizeof text - 1 ? payload.len : sizeof text - 1);
	return *text == 'm' ? (unsigned)strtoul(text + 1, NULL, 10) : 0;
}

static void run_note(struct run *run, enum diary_chapter chapter, const char *who, const struct skiff_message *message)
{
	char properties[256];
	struct skiff_bytes topic = topic_of(run, message);
	struct diary_line line = {.step = run->step, .qos = message->qos};
	line.number = message->payload.len ? payload_number(message->payload) : 0;
	line.key_len = strlen(who) + 1 + topic.len + 5; /* with " qos" and the figure */
	describe_properties(properties, sizeof properties, message->properties);
	diary_write(run->diary, chapter, line, "%s %.*s qos%u%s m%u, %zu bytes, sum %x%s", who, (int)topic.len,
		(const char *)topic.data, message->qos, message->retain ? " retain" : "", line.number,
		message->payload.len, payload_sum(message->payload), properties);
}

static void fence_came(const struct skiff_message *message, unsigned *count)
{
	char text[16] = "";
	memcpy(text, message->payload.data, message->payload.len < sizeof text ? message->payload.len : 0);
	if (*text == 'f')
		*count = (unsigned)strtoul(text + 1, NULL, 10);
}

static void on_filter(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct run_filter *filter = user;
	struct run *run = filter->run;
	(void)client;
	pthread_mutex_lock(&run->lock);
	if (filter->index == FILTER_SYNC)
		fence_came(message, &run->fences_back);
	else if (filter->index != FILTER_MARK)
		run_note(run, DIARY_HANDLERS, plan_filters[filter->index], message);
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

static void on_stray(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	on_filter(client, message, &((struct run *)user)->filters[FILTER_NONE]);
}

static void on_witness(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct run *run = user;
	struct skiff_bytes topic = topic_of(run, message);
	(void)client;
	pthread_mutex_lock(&run->lock);
	if (topic_starts(topic, "sync/"))
		fence_came(message, &run->fences_seen);
	else if (!text_is(topic, run_mark.topic))
		run_note(run, DIARY_WITNESS, "witness", message);
	run->wills_seen += text_is(topic, plan_filters[FILTER_WILL]);
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

static void on_event(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	static const char *const names[] = {"CONNECTING", "CONNECTED", "FAILED", "DISCONNECTED", "SESSION_LOST"};
	struct run *run = user;
	struct diary_line line = {.qos = -1};
	(void)client;
	pthread_mutex_lock(&run->lock);
	line.step = run->step;
	diary_write(run->diary, DIARY_EVENTS, line, "%s, attempt %u%s%s, lost %zu: %s", names[event->kind],
		event->attempt, event->session_present ? ", session" : "",
		event->error && event->retry_ms >= 0 ? ", again" : "", event->lost,
		event->error ? skiff_code_slug(event->error->code) : "");
	run->events[event->kind]++;
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

/* ---- tokens ---- */

static void run_keep(struct run *run, struct run_token token)
{
	if (run->token_count == RUN_TOKENS)
		abort();
	run->tokens[run->token_count++] = token;
}

static void token_write(struct run *run, const struct run_token *kept)
{
	const struct plan_message *message = kept->message;
	char reasons[64] = "";
	struct diary_line line = {.step = run->step,
		.number = message ? message->number : 0,
		.qos = message ? message->qos : -1,
		.code = (int)skiff_token_error(kept->token)->code,
		.reason = skiff_token_reason(kept->token, 0)};
	for (size_t i = 0, len = 0; i < kept->reasons && len < sizeof reasons; i++)
		len += (size_t)snprintf(reasons + len, sizeof reasons - len, " %d", skiff_token_reason(kept->token, i));
	pthread_mutex_lock(&run->lock);
	diary_write(run->diary, DIARY_TOKENS, line, "%s: %s,%s", kept->what,
		skiff_code_slug((enum skiff_code)line.code), reasons);
	pthread_mutex_unlock(&run->lock);
}

static void run_settle(struct run *run)
{
	for (size_t i = 0; i < run->token_count; i++) {
		struct run_token *kept = &run->tokens[i];
		if (!run_stuck(run) && !skiff_token_done(kept->token))
			skiff_token_wait(kept->token, WAITING_LONG_MS);
		if (skiff_token_done(kept->token))
			token_write(run, kept);
		else
			run_stick(run, "the token of %s has no outcome", kept->what);
		skiff_token_free(kept->token);
	}
	run->token_count = 0;
}

/* ---- operations ---- */

static void run_topic(const struct run *run, char topic[RUN_TOPIC], const char *name)
{
	snprintf(topic, RUN_TOPIC, "%s%s", run->prefix, name);
}

static enum skiff_code run_publish_to(struct run *run, struct skiff_client *client, const char *topic,
	const struct plan_message *message, struct skiff_token **token)
{
	char number[16];
	struct skiff_user_property user = {skiff_text("number"), {number, 0}};
	struct skiff_properties properties = {.has = SKIFF_HAS_PAYLOAD_FORMAT,
		.payload_format = 1,
		.content_type = skiff_text("text/plain"),
		.response_topic = skiff_text("answers"),
		.correlation_data = {"\0\1\2", 3},
		.user = &user,
		.user_count = 1};
	int len = snprintf((char *)run->payload, LEN_MOST, "m%u.", message->number);
	memset(run->payload + len, 'a' + (int)(message->number % 26), LEN_MOST - (size_t)len);
	user.value.len = (size_t)snprintf(number, sizeof number, "%u", message->number);
	return skiff_publish_message(client,
		&(struct skiff_message){.topic = skiff_text(topic),
			.payload = {run->payload, message->len},
			.qos = message->qos,
			.retain = message->retain,
			.properties = message->properties ? &properties : NULL},
		token);
}

static void run_publish(struct run *run, const struct plan_message *message, bool denied)
{
	struct run_token kept = {.message = message, .reasons = 1};
	char topic[RUN_TOPIC] = "denied";
	if (!denied)
		run_topic(run, topic, message->topic);
	snprintf(kept.what, sizeof kept.what, "m%u, QoS %u", message->number, message->qos);
	enum skiff_code code = run_publish_to(run, run->client, topic, message, &kept.token);
	if (code)
		run_stick(run, "%s was refused: %s", kept.what, skiff_code_slug(code));
	else
		run_keep(run, kept);
}

static void run_publish_all(struct run *run, const struct plan_message *messages, size_t count, bool denied)
{
	for (size_t i = 0; i < count; i++)
		run_publish(run, &messages[i], denied);
}

static void run_peer_publish_one(struct run *run, const struct plan_message *message)
{
	struct skiff_token *token = NULL;
	char topic[RUN_TOPIC];
	if (run_stuck(run))
		return;
	run_topic(run, topic, message->topic);
	enum skiff_code code = run_publish_to(run, run->peer, topic, message, &token);
	if (code || (code = skiff_wait(token, WAITING_LONG_MS)))
		run_stick(run, "the peer's m%u: %s", message->number, skiff_code_slug(code));
}

/* Until the broker has them all: it has what came before a mark that it acknowledged. */
static void run_peer_publish(struct run *run, const struct plan_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_peer_publish_one(run, &messages[i]);
	if (count && !messages[count - 1].qos)
		run_peer_publish_one(run, &run_mark);
}

static void run_request(struct run *run, const struct plan_request *request)
{
	char texts[PLAN_FILTERS][RUN_TOPIC];
	const char *filters[PLAN_FILTERS];
	struct skiff_subscription list[PLAN_FILTERS];
	struct skiff_properties id = {.has = SKIFF_HAS_SUBSCRIPTION_ID, .subscription_id = request->id};
	struct run_token kept = {.reasons = request->count};
	for (size_t i = 0; i < request->count; i++) {
		unsigned index = request->filters[i].index;
		run_topic(run, texts[i], plan_filters[index]);
		filters[i] = texts[i];
		list[i] = (struct skiff_subscription){.filter = texts[i],
			.qos = request->filters[i].qos,
			.no_local = request->filters[i].no_local,
			.retain_as_published = request->filters[i].retain_as_published,
			.retain_handling = request->filters[i].retain_handling,
			.handler = on_filter,
			.user = &run->filters[index]};
	}
	snprintf(kept.what, sizeof kept.what, "%s %s", request->subscribe ? "subscribe" : "unsubscribe",
		plan_filters[request->filters[0].index]);
	enum skiff_code code =
		request->subscribe
			? skiff_subscribe_many(run->client, list, request->count, request->id ? &id : NULL, &kept.token)
			: skiff_unsubscribe_many(run->client, filters, request->count, NULL, &kept.token);
	if (code)
		run_stick(run, "%s was refused: %s", kept.what, skiff_code_slug(code));
	else
		run_keep(run, kept);
}

/* Everything before is settled, on both sides of the broker. */
static void run_fence(struct run *run)
{
	char topic[RUN_TOPIC], text[16];
	if (run_stuck(run))
		return;
	run_topic(run, topic, "sync/fence");
	int len = snprintf(text, sizeof text, "f%u", ++run->fences);
	enum skiff_code code =
		skiff_wait(skiff_publish(run->client, topic, text, (size_t)len, 2, false), WAITING_LONG_MS);
	if (code)
		run_stick(run, "fence %u: %s", run->fences, skiff_code_slug(code));
	run_await(run, &run->fences_back, run->fences, "to the client fence");
	run_await(run, &run->fences_seen, run->fences, "to the witness fence");
	if (!run_stuck(run) && !packet_relay_await_quiet(run->relay))
		run_stick(run, "something stayed on its way");
}

/* ---- the end of a connection, and the next ---- */

/* The connection is gone at the broker, which has published the will if it was to. */
static void run_gone(struct run *run, bool will)
{
	if (!run_stuck(run) && !packet_relay_await_gone(run->relay))
		run_stick(run, "a connection stayed");
	run->wills += will;
	run_await(run, &run->wills_seen, run->wills, "will");
}

/* Somebody else under the same id has the broker forget the session. */
static void run_wipe(struct run *run)
{
	struct skiff_options options = {.url = broker_url(run->broker, BROKER_TCP),
		.engine = SKIFF_ENGINE_NATIVE,
		.version = run->plan->version,
		.client_id = run->id};
	struct skiff_client *thief = skiff_client_new(&options, NULL);
	enum skiff_code code = skiff_wait(skiff_connect(thief), WAITING_LONG_MS);
	code = code ? code : skiff_wait(skiff_disconnect(thief, GRACE_MS, NULL), WAITING_LONG_MS);
	if (code)
		run_stick(run, "the session could not be wiped: %s", skiff_code_slug(code));
	skiff_client_free(thief);
}

static void run_fail_attempt(struct run *run)
{
	unsigned failed = run_seen(run, SKIFF_EVENT_FAILED);
	packet_relay_trap(run->relay, PACKET_BROKER, SKIFFI_CONNACK);
	packet_relay_gate(run->relay, true);
	run_await(run, &run->events[SKIFF_EVENT_FAILED], failed + 1, "failed attempt");
	run_gone(run, true);
}

static void run_away(struct run *run, const struct plan_away *away)
{
	run_publish_all(run, away->messages, away->count, false);
	if (away->requests)
		run_request(run, &away->request);
	run_peer_publish(run, away->peer, away->peer_count);
	if (away->wipes)
		run_wipe(run);
}

/* After a cut: the client comes back by itself. */
static void run_return(struct run *run, const struct plan_step *step, unsigned connected, unsigned disconnected)
{
	run_await(run, &run->events[SKIFF_EVENT_DISCONNECTED], disconnected + 1, "end of the connection");
	run_gone(run, true);
	run_away(run, &step->away);
	if (step->away.fails)
		run_fail_attempt(run);
	packet_relay_gate(run->relay, true);
	run_await(run, &run->events[SKIFF_EVENT_CONNECTED], connected + 1, "connection");
}

static void run_connect(struct run *run, bool fails)
{
	struct run_token kept = {.what = "connect", .reasons = 1};
	if (fails) {
		packet_relay_gate(run->relay, false);
		kept.token = skiff_connect(run->client);
		run_keep(run, kept);
		run_fail_attempt(run);
		skiff_token_wait(kept.token, WAITING_LONG_MS);
	}
	packet_relay_gate(run->relay, true);
	kept.token = skiff_connect(run->client);
	run_keep(run, kept);
}

static void run_disconnect(struct run *run, const struct plan_step *step)
{
	unsigned disconnected = run_seen(run, SKIFF_EVENT_DISCONNECTED);
	struct skiff_disconnect_options how = {.reason = step ? step->reason : 0};
	run_keep(run, (struct run_token){.token = skiff_disconnect(run->client, GRACE_MS, &how), .what = "disconnect"});
	run_settle(run);
	run_await(run, &run->events[SKIFF_EVENT_DISCONNECTED], disconnected + 1, "end of the connection");
	run_gone(run, how.reason == 0x04);
}

/* ---- steps ---- */

/* The client's messages reach the broker; of the answers, and what else comes, some come through. */
static void run_publish_cut(struct run *run, const struct plan_step *step)
{
	unsigned of[3] = {0};
	for (size_t i = 0; i < step->count; i++)
		of[step->messages[i].qos]++;
	packet_relay_hold(run->relay, PACKET_CLIENT, false);
	packet_relay_hold(run->relay, PACKET_BROKER, true);
	run_publish_all(run, step->messages, step->count, false);
	if (run_stuck(run) || !packet_relay_await(run->relay, PACKET_CLIENT, SKIFFI_PUBLISH, (unsigned)step->count) ||
		!packet_relay_await(run->relay, PACKET_BROKER, SKIFFI_PUBACK, of[1]) ||
		!packet_relay_await(run->relay, PACKET_BROKER, SKIFFI_PUBREC, of[2]))
		run_stick(run, "messages or answers did not come");
	packet_relay_hold(run->relay, PACKET_CLIENT, true);
	packet_relay_end_after(run->relay, PACKET_BROKER, step->carried % (of[1] + of[2] + 1));
}

/* The peer's messages are held before the client; result: how many packets, -1: they did not come. */
static int run_peer_hold(struct run *run, const struct plan_step *step)
{
	packet_relay_hold(run->relay, PACKET_BROKER, true);
	run_peer_publish(run, step->messages, step->count);
	run_peer_publish_one(run, &run_mark);
	int held = run_stuck(run) ? -1 : packet_relay_await_topic(run->relay, run_mark.topic);
	if (held < 0)
		run_stick(run, "the peer's messages did not come");
	return held;
}

/* Before a trap all copies of the message reach the client together. */
static void run_peer(struct run *run, const struct plan_step *step)
{
	if (step->trapped)
		run_peer_hold(run, step);
	else
		run_peer_publish(run, step->messages, step->count);
	packet_relay_hold(run->relay, PACKET_BROKER, false);
}

/* Of the peer's messages some come through, and no acknowledgement of them. */
static void run_peer_cut(struct run *run, const struct plan_step *step)
{
	int held = run_peer_hold(run, step);
	packet_relay_hold(run->relay, PACKET_CLIENT, true);
	packet_relay_end_after(run->relay, PACKET_BROKER, held < 0 ? 0 : step->carried % (unsigned)(held + 1));
}

static void run_act(struct run *run, const struct plan_step *step)
{
	if (step->trapped)
		packet_relay_trap(run->relay, step->trap_side, step->trap_type);
	switch (step->kind) {
	case PLAN_PUBLISH:
	case PLAN_DENIED:
		run_publish_all(run, step->messages, step->count, step->kind == PLAN_DENIED);
		break;
	case PLAN_REQUEST:
		run_request(run, &step->request);
		break;
	case PLAN_PEER:
		run_peer(run, step);
		break;
	case PLAN_KILL:
		packet_relay_kill(run->relay);
		run_publish_all(run, step->messages, step->count, false);
		break;
	case PLAN_DISCONNECT:
		run_disconnect(run, step);
		run_away(run, &step->away);
		run_connect(run, step->away.fails);
		break;
	case PLAN_PUBLISH_CUT:
		run_publish_cut(run, step);
		break;
	case PLAN_PEER_CUT:
		run_peer_cut(run, step);
		break;
	}
}

static void run_step(struct run *run, const struct plan_step *step)
{
	unsigned connected = run_seen(run, SKIFF_EVENT_CONNECTED);
	unsigned disconnected = run_seen(run, SKIFF_EVENT_DISCONNECTED);
	run_act(run, step);
	if (plan_step_cuts(step) && step->kind != PLAN_DISCONNECT)
		run_return(run, step, connected, disconnected);
	run_settle(run); /* first, as a message of QoS 0 may be overtaken by one of QoS 2 */
	run_fence(run);
}

/* ---- the whole ---- */

static void run_open_peer(struct run *run)
{
	struct skiff_options options = {.url = broker_url(run->broker, BROKER_TCP),
		.engine = SKIFF_ENGINE_NATIVE,
		.on_message = on_witness,
		.user = run};
	char all[RUN_TOPIC];
	run_topic(run, all, "#");
	run->peer = skiff_client_new(&options, NULL);
	enum skiff_code code = skiff_wait(skiff_connect(run->peer), WAITING_LONG_MS);
	code = code ? code : skiff_wait(skiff_subscribe(run->peer, all, 2, on_witness, run), WAITING_LONG_MS);
	if (code)
		run_stick(run, "the peer: %s", skiff_code_slug(code));
}

static void run_open_client(struct run *run)
{
	char will[RUN_TOPIC];
	struct skiff_error error;
	run_topic(run, will, plan_filters[FILTER_WILL]);
	struct skiff_options options = {.url = packet_relay_url(run->relay),
		.engine = run->engine,
		.version = run->plan->version,
		.client_id = run->id,
		.resume_session = run->plan->resume,
		.keep_alive_s = 3600,
		.will = {.topic = skiff_text(will),
			.payload = skiff_text("gone"),
			.qos = run->plan->will_qos,
			.retain = run->plan->will_retain},
		.timeouts = {.tcp_ms = -1, .mqtt_ms = -1, .total_ms = -1},
		.reconnect = {.min_ms = 1, .max_ms = 10, .stable_ms = 3600000},
		.on_message = on_stray,
		.on_event = on_event,
		.user = run};
	run->client = skiff_client_new(&options, &error);
	if (!run->client)
		run_stick(run, "%.100s", error.text);
}

static void run_begin(struct run *run)
{
	struct plan_request always = {.subscribe = true, .count = 3};
	always.filters[0].index = FILTER_IN;
	always.filters[1].index = FILTER_SYNC;
	always.filters[2].index = FILTER_MARK;
	always.filters[0].qos = always.filters[1].qos = 2;
	run_open_peer(run);
	run_open_client(run);
	if (run_stuck(run))
		return;
	run_connect(run, run->plan->first_fails);
	run_request(run, &always);
	run_settle(run); /* first, as a message of QoS 0 may be overtaken by one of QoS 2 */
	run_fence(run);
}

static void run_count(struct run *run)
{
	struct skiff_statistics counted;
	skiff_client_statistics(run->client, &counted);
	diary_write(run->diary, DIARY_COUNTERS, (struct diary_line){.qos = -1},
		"attempts %u, connects %u, reconnects %u, disconnects %u, queued %u, inflight %u, dropped %u",
		(unsigned)counted.attempts, (unsigned)counted.connects, (unsigned)counted.reconnects,
		(unsigned)counted.disconnects, (unsigned)counted.queued_messages, (unsigned)counted.inflight,
		(unsigned)counted.dropped);
	diary_write(run->diary, DIARY_COUNTERS, (struct diary_line){.qos = -1}, "messages out %u",
		(unsigned)counted.messages_out);
	diary_write(run->diary, DIARY_COUNTERS, (struct diary_line){.qos = -1}, "messages in %u",
		(unsigned)counted.messages_in);
}

static void run_init(struct run *run)
{
	pthread_condattr_t attributes;
	pthread_mutex_init(&run->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&run->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	for (unsigned i = 0; i < FILTERS; i++)
		run->filters[i] = (struct run_filter){run, i};
	char engine = skiff_engine_name(run->engine)[0]; /* as long for both */
	snprintf(run->prefix, sizeof run->prefix, "%c%u/", engine, run->plan->seed);
	snprintf(run->id, sizeof run->id, "differential-%c%u", engine, run->plan->seed);
	run->payload = malloc(LEN_MOST);
	if (!run->payload)
		abort();
	run->relay = packet_relay_start(broker_port(run->broker, BROKER_TCP));
}

static void run_end(struct run *run)
{
	run_settle(run);
	skiff_client_free(run->client);
	skiff_client_free(run->peer);
	packet_relay_stop(run->relay);
	pthread_cond_destroy(&run->changed);
	pthread_mutex_destroy(&run->lock);
	free(run->payload);
}

void run_play(const struct plan *plan, enum skiff_engine engine, const struct broker *broker, struct diary *diary)
{
	struct run run = {.plan = plan, .engine = engine, .broker = broker, .diary = diary};
	run_init(&run);
	run_begin(&run);
	for (size_t i = 0; i < plan->count && !run_stuck(&run); i++) {
		pthread_mutex_lock(&run.lock);
		run.step = (unsigned)i;
		pthread_mutex_unlock(&run.lock);
		run_step(&run, &plan->steps[i]);
	}
	if (!run_stuck(&run)) {
		run_disconnect(&run, NULL);
		run_count(&run);
	}
	run_end(&run);
}
