/* SPDX-License-Identifier: Apache-2.0 */
#include "session/world.h"

#include "fuzz/fuzz.h"
#include "session/model_broker.h"
#include "session/session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_BYTES = 17000, SETTLE_STEPS = 20000 };

/* A request, and what became of it: open -> any of the others, once. */
enum op_state { OP_OPEN = 1, OP_DONE, OP_ERROR, OP_LOST, OP_GONE };

struct op {
	enum op_state state;
	bool message; /* else a subscribe or unsubscribe */
	unsigned number;
	uint8_t qos;
	struct skiffi_kept *kept; /* given back, to be sent first */
};

struct world {
	const struct world_plan *plan;
	struct world_report *report;
	struct dice dice;
	struct skiffi_session_config config;
	struct skiff_properties properties;
	struct skiffi_session *session;
	struct model_broker broker;
	enum skiffi_protocol version;
	int64_t now_us;
	bool connected, over; /* over: the session has told of the end of the connection */

	struct skiffi_output taken;
	struct bytes link; /* from the client, on its way */
	struct op ops[2 * MODEL_MESSAGES];
	size_t op_count;
	struct op *given_back[MODEL_MESSAGES]; /* in order, from `given_first` */
	size_t given_first, given_count;
	uint32_t seq;
	unsigned out_count, in_count;
	unsigned got[MODEL_MESSAGES]; /* messages from the broker, by number */
	uint8_t in_qos[MODEL_MESSAGES];
};

static uint32_t roll(struct world *world, uint32_t sides)
{
	return dice_roll(&world->dice, sides);
}

/* ---- requests ---- */

static size_t world_payload(char *payload, unsigned number, bool large)
{
	const char *topic = model_topics[number % MODEL_TOPICS];
	int len = snprintf(payload, 200, "%u|%s|", number, topic);
	if (!large)
		return (size_t)len;
	memset(payload + len, '.', LARGE_BYTES);
	return (size_t)len + LARGE_BYTES;
}

static void world_sent_as_new(struct world *world, unsigned number)
{
	world->broker.in[number].seq = ++world->seq;
	world->broker.in[number].connection = world->broker.connection;
}

static void world_publish(struct world *world)
{
	static char payload[LARGE_BYTES + 200];
	if (world->out_count == MODEL_MESSAGES || world->given_first < world->given_count)
		return;
	struct op *op = &world->ops[world->op_count];
	unsigned number = world->out_count;
	struct skiff_message message = {.topic = skiff_text(model_topics[number % MODEL_TOPICS]),
		.payload = {payload, world_payload(payload, number, !roll(world, 40))},
		.qos = (uint8_t)roll(world, 3)};
	enum skiff_code code = skiffi_session_publish(world->session, &message, NULL, op, NULL);
	CHECK(code == SKIFF_OK || code == SKIFF_AGAIN || (code == SKIFF_MEMORY && world->plan->memory_fails));
	if (code)
		return;
	world_sent_as_new(world, number);
	world->out_count++;
	world->op_count++;
	*op = (struct op){.state = OP_OPEN, .message = true, .number = number, .qos = message.qos};
}

static void world_republish(struct world *world)
{
	if (world->given_first == world->given_count)
		return;
	struct op *op = world->given_back[world->given_first];
	enum skiff_code code = skiffi_session_publish(world->session, NULL, op->kept, op, NULL);
	CHECK(code == SKIFF_OK || code == SKIFF_AGAIN || (code == SKIFF_MEMORY && world->plan->memory_fails));
	if (code)
		return;
	world_sent_as_new(world, op->number);
	skiffi_session_unkeep(world->session, op->kept);
	op->kept = NULL;
	world->given_first++;
}

static void world_subscribe(struct world *world)
{
	struct skiffi_filter filters[3] = {{skiff_text("a/+"), 1}, {skiff_text("b/#"), 2}, {skiff_text("c"), 0}};
	struct op *op = &world->ops[world->op_count];
	if (world->op_count + MODEL_MESSAGES >= 2 * MODEL_MESSAGES)
		return;
	enum skiff_code code = skiffi_session_subscribe(world->session,
		roll(world, 2) ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE, filters, 1 + roll(world, 3), NULL, op, NULL);
	CHECK(code == SKIFF_OK || code == SKIFF_AGAIN || (code == SKIFF_MEMORY && world->plan->memory_fails));
	if (code)
		return;
	world->op_count++;
	*op = (struct op){.state = OP_OPEN};
}

/* ---- events ---- */

static void world_on_message(struct world *world, const struct skiff_message *message)
{
	char text[128], *end;
	snprintf(text, sizeof text, "%.*s", (int)message->payload.len, (const char *)message->payload.data);
	unsigned number = (unsigned)strtoul(text, &end, 10);
	CHECK(*end == '|' && number < world->in_count);
	char *close = strchr(end + 1, '|');
	CHECK(close);
	*close = '\0';
	CHECK(strlen(end + 1) == message->topic.len && !memcmp(end + 1, message->topic.data, message->topic.len));
	CHECK(message->qos == world->in_qos[number]);
	world->got[number]++;
	CHECK(message->qos != 2 || world->got[number] == 1); /* [MQTT-4.3.3-10] */
	world->report->messages_in++;
}

static void world_on_done(struct world *world, struct op *op, const struct skiffi_event *event)
{
	CHECK(op->state == OP_OPEN && !op->kept); /* its only outcome */
	if (event->code == SKIFF_MQTT_DISCONNECTED) {
		CHECK(op->message && op->qos == 0 && !world->connected);
		op->state = OP_GONE;
		return;
	}
	CHECK(!event->code || (op->message && op->qos && event->reason == 0x97));
	op->state = event->code ? OP_ERROR : OP_DONE;
	world->report->done++;
}

static void world_on_event(struct world *world, const struct skiffi_event *event)
{
	struct op *op = event->kind == SKIFFI_EVENT_REQUEUE ? event->kept->op : event->op;
	switch (event->kind) {
	case SKIFFI_EVENT_UP:
		world->report->resumed += event->session_present;
		world->broker.began = false;
		break;
	case SKIFFI_EVENT_MESSAGE:
		world_on_message(world, &event->message);
		break;
	case SKIFFI_EVENT_DONE:
		world_on_done(world, op, event);
		break;
	case SKIFFI_EVENT_REQUEUE:
		CHECK(op->state == OP_OPEN && op->message && op->qos == 1 && !op->kept);
		op->kept = event->kept;
		if (world->given_first == world->given_count)
			world->given_first = world->given_count = 0;
		CHECK(world->given_count < MODEL_MESSAGES);
		world->given_back[world->given_count++] = op;
		world->report->requeued++;
		break;
	case SKIFFI_EVENT_AGAIN:
		CHECK(op->state == OP_OPEN && !op->message && !world->connected);
		op->state = OP_GONE;
		break;
	case SKIFFI_EVENT_LOST:
		CHECK(op->state == OP_OPEN && op->message && op->qos == 2);
		op->state = OP_LOST;
		world->report->lost++;
		break;
	case SKIFFI_EVENT_DOWN:
		CHECK(event->code == SKIFF_MQTT_KEEP_ALIVE ||
			(event->code == SKIFF_MEMORY && world->plan->memory_fails));
		world->over = true;
		break;
	}
}

static void world_pull(struct world *world)
{
	struct skiffi_event events[5];
	size_t count, max = 1 + roll(world, 5);
	while ((count = skiffi_session_pull(world->session, world->now_us, events, max)))
		for (size_t i = 0; i < count; i++)
			world_on_event(world, &events[i]);
}

/* ---- the link ---- */

static void world_output(struct world *world, size_t len)
{
	struct iovec pieces[3];
	if (!world->taken.len && !skiffi_session_take_output(world->session, &world->taken))
		return;
	size_t count = skiffi_output_pieces(&world->taken, pieces, 3), sent = 0;
	for (size_t i = 0; i < count && sent < len; i++) {
		size_t part = pieces[i].iov_len < len - sent ? pieces[i].iov_len : len - sent;
		bytes_add(&world->link, pieces[i].iov_base, part);
		sent += part;
	}
	CHECK(sent);
	skiffi_output_take(&world->taken, sent);
	skiffi_session_sent(world->session, sent, world->now_us);
	if (!world->taken.len)
		skiffi_session_give_back(world->session, &world->taken);
	world_pull(world);
}

static void world_arrive(struct world *world, size_t len)
{
	if (len > world->link.len)
		len = world->link.len;
	if (!len)
		return;
	model_input(&world->broker, world->link.data, len);
	bytes_drop(&world->link, len);
}

static void world_input(struct world *world, size_t len)
{
	if (len > world->broker.to.len)
		len = world->broker.to.len;
	if (!len || world->over)
		return;
	uint8_t *copy = malloc(len);
	CHECK(copy);
	memcpy(copy, world->broker.to.data, len);
	bytes_drop(&world->broker.to, len);
	skiffi_session_input(world->session, copy, len);
	world_pull(world);
	free(copy);
}

static void world_cut(struct world *world)
{
	if (!world->connected)
		return;
	if (roll(world, 4) == 0) { /* what was on its way to the broker may still arrive */
		world_arrive(world, SIZE_MAX);
		for (size_t n = roll(world, 4); n; n--)
			model_answer(&world->broker);
	}
	world->connected = world->over = false;
	world->link.len = 0;
	model_cut(&world->broker);
	skiffi_session_give_back(world->session, &world->taken);
	skiffi_session_down(world->session);
	world_pull(world);
	CHECK(!skiffi_session_unanswered(world->session) && !skiffi_session_unsent(world->session));
	world->report->cuts++;
}

static void world_connect(struct world *world, bool may_forget)
{
	if (world->connected)
		return;
	world->broker.forgets |= may_forget && roll(world, 6) == 0;
	model_connect(&world->broker);
	world->connected = true;
	enum skiff_code code = skiffi_session_start(world->session, world->now_us);
	CHECK(code == SKIFF_OK || (code == SKIFF_MEMORY && world->plan->memory_fails));
	world_pull(world);
}

static void world_time(struct world *world, int64_t step_us)
{
	world->now_us += step_us;
	skiffi_session_tick(world->session, world->now_us);
	world_pull(world);
	/* A deadline that is past, with the tick done, would make a loop spin. */
	CHECK(skiffi_session_deadline(world->session) > world->now_us);
}

static void world_broker_publish(struct world *world)
{
	if (world->in_count == MODEL_MESSAGES || !world->broker.held)
		return;
	unsigned number = world->in_count++;
	world->in_qos[number] = (uint8_t)roll(world, 3);
	if (!world->broker.up && !world->in_qos[number])
		world->in_qos[number] = 1;
	model_publish(&world->broker, number, world->in_qos[number]);
}

static void world_step(struct world *world)
{
	uint32_t what = roll(world, 100);
	if (world->over || what < 2)
		world_cut(world);
	else if (!world->connected)
		world_connect(world, true);
	else if (what < 20)
		world_publish(world);
	else if (what < 30)
		world_republish(world);
	else if (what < 34)
		world_subscribe(world);
	else if (what < 48)
		world_output(world, roll(world, 3) ? SIZE_MAX : 1 + roll(world, 60));
	else if (what < 62)
		world_arrive(world, roll(world, 3) ? SIZE_MAX : 1 + roll(world, 60));
	else if (what < 78)
		world_input(world, roll(world, 3) ? SIZE_MAX : 1 + roll(world, 30));
	else if (what < 90)
		model_answer(&world->broker);
	else if (what < 97)
		world_broker_publish(world);
	else
		world_time(world, roll(world, 4000000));
}

/* ---- the end ---- */

static bool world_idle(const struct world *world)
{
	return world->connected && !world->over && world->given_first == world->given_count && !world->taken.len &&
	       !world->link.len && !skiffi_session_inflight(world->session) &&
	       !skiffi_session_unanswered(world->session) && !skiffi_session_unsent(world->session) &&
	       model_idle(&world->broker);
}

static void world_settle(struct world *world)
{
	for (unsigned i = 0; !world_idle(world); i++) {
		CHECK(i < SETTLE_STEPS); /* everything comes to an end once the faults have stopped */
		if (world->over)
			world_cut(world);
		world_connect(world, false);
		world_republish(world);
		world_output(world, SIZE_MAX);
		world_arrive(world, SIZE_MAX);
		model_answer(&world->broker);
		world_input(world, SIZE_MAX);
	}
}

static void world_check_op(const struct world *world, const struct op *op)
{
	unsigned arrived = op->message ? world->broker.in[op->number].arrived : 0;
	CHECK(op->state != OP_OPEN);
	if (!op->message)
		return;
	switch (op->qos) {
	case 0:
		CHECK(arrived <= (op->state == OP_DONE));
		break;
	case 1:
		CHECK(op->state == OP_ERROR || arrived >= 1);
		break;
	default:
		CHECK(op->state == OP_DONE ? arrived == 1 : op->state == OP_ERROR ? !arrived : arrived <= 1);
	}
}

static void world_check(const struct world *world)
{
	for (size_t i = 0; i < world->op_count; i++)
		world_check_op(world, &world->ops[i]);
	for (unsigned i = world->out_count; i < MODEL_MESSAGES; i++)
		CHECK(!world->broker.in[i].arrived);
	for (unsigned i = 0; i < world->in_count; i++) {
		CHECK(world->in_qos[i] != 0 || world->got[i] <= 1);
		CHECK(world->in_qos[i] == 0 || world->broker.dropped[i] || world->got[i] >= 1);
	}
}

static void world_begin(struct world *world)
{
	bool v5 = roll(world, 2);
	world->version = v5 ? SKIFFI_V5 : SKIFFI_V311;
	world->config = (struct skiffi_session_config){
		.connect = {.client_id = skiff_text("world"), .keep_alive_s = 10, .properties = &world->properties},
		.resume = roll(world, 5) != 0,
		.outbound_aliases = (uint16_t)roll(world, 6),
		.output_high_bytes = 4000,
		.ping_timeout_us = 10000000};
	world->properties = (struct skiff_properties){
		.has = SKIFF_HAS_RECEIVE_MAXIMUM | SKIFF_HAS_TOPIC_ALIAS_MAXIMUM | SKIFF_HAS_SESSION_EXPIRY,
		.receive_maximum = (uint16_t)(1 + roll(world, 10)),
		.topic_alias_maximum = (uint16_t)roll(world, 6),
		.session_expiry_s = 3600};
	model_reset(&world->broker, &world->dice, world->version);
}

static void world_end(struct world *world)
{
	for (size_t i = world->given_first; i < world->given_count; i++)
		skiffi_session_unkeep(world->session, world->given_back[i]->kept);
	if (world->session)
		skiffi_session_give_back(world->session, &world->taken);
	skiffi_output_release(&world->taken, &(struct skiffi_kept_pool){0});
	skiffi_session_free(world->session);
	bytes_free(&world->link);
	model_free(&world->broker);
}

void world_run(const struct world_plan *plan, struct world_report *report)
{
	static struct world world; /* too large for a stack */
	memset(&world, 0, sizeof world);
	world.plan = plan;
	world.report = report;
	world.now_us = 1000000;
	world.dice.state = plan->seed * 0x9e3779b97f4a7c15u + 1;
	world_begin(&world);
	world.session = skiffi_session_new(&world.config, world.version);
	CHECK(world.session || plan->memory_fails);
	if (world.session) {
		for (unsigned i = 0; i < plan->steps; i++)
			world_step(&world);
		world_settle(&world);
		world_check(&world);
	}
	world_end(&world);
}
