/* SPDX-License-Identifier: Apache-2.0 */
/* differential_plan.c: a seed becomes a plan. The same seed gives the same plan on every machine. */
#include "engine/differential.h"

#include <stdio.h>

enum { CUTS_MOST = 3, LEN_SMALL = 64, LEN_LARGE = 20000 };

const char *const plan_filters[FILTERS] = {
	[0] = "a/+",
	[1] = "a/b",
	[2] = "b/#",
	[3] = "c",
	[FILTER_WILL] = "will",
	[5] = "+/x",
	[FILTER_IN] = "in/+",
	[FILTER_SYNC] = "sync/+",
	[FILTER_MARK] = "mark",
	[FILTER_NONE] = "none",
};

static const char *const topics[] = {"a/b", "a/x", "b", "b/x/y", "c", "d", "in/x"};

enum { TOPICS = sizeof topics / sizeof *topics, TOPIC_IN = TOPICS - 1 };

struct draw {
	struct plan *plan;
	uint64_t state;
	unsigned messages, cuts;
};

/* splitmix64: neighbouring seeds have nothing in common. */
static unsigned draw_upto(struct draw *draw, unsigned bound)
{
	uint64_t z = draw->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ z >> 31) >> 33) % bound;
}

static bool draw_one_in(struct draw *draw, unsigned bound)
{
	return !draw_upto(draw, bound);
}

static bool draw_v5(const struct draw *draw)
{
	return draw->plan->version == SKIFF_MQTT_5;
}

static struct plan_message draw_message(struct draw *draw, bool peer)
{
	struct plan_message message = {.number = ++draw->messages};
	message.topic = topics[draw_upto(draw, peer ? TOPICS : TOPICS - 1)];
	message.qos = (uint8_t)draw_upto(draw, 3);
	message.retain = draw_one_in(draw, 4);
	message.properties = draw_one_in(draw, 3) && draw_v5(draw);
	if (!message.retain || draw_upto(draw, 3))
		message.len = draw_one_in(draw, 10) ? LEN_LARGE : 8 + draw_upto(draw, LEN_SMALL);
	return message;
}

static size_t draw_messages(struct draw *draw, struct plan_message *messages, size_t count, bool peer)
{
	for (size_t i = 0; i < count; i++)
		messages[i] = draw_message(draw, peer);
	return count;
}

static void draw_request(struct draw *draw, struct plan_request *request)
{
	unsigned first = draw_upto(draw, FILTER_DRAWN);
	request->subscribe = draw_upto(draw, 3) > 0;
	request->count = 1 + draw_upto(draw, PLAN_FILTERS);
	if (draw_v5(draw) && draw_one_in(draw, 2))
		request->id = 1 + draw_upto(draw, 300);
	for (size_t i = 0; i < request->count; i++) {
		request->filters[i].index = (first + (unsigned)i) % FILTER_DRAWN;
		request->filters[i].qos = (uint8_t)draw_upto(draw, 3);
		if (!draw_v5(draw))
			continue;
		request->filters[i].no_local = draw_one_in(draw, 5);
		request->filters[i].retain_as_published = draw_one_in(draw, 2);
		request->filters[i].retain_handling = (uint8_t)draw_upto(draw, 3);
	}
}

/* ---- traps ---- */

static void step_trap(struct plan_step *step, enum packet_side side, enum skiffi_packet_type type)
{
	step->trapped = true;
	step->trap_side = side;
	step->trap_type = type;
}

static void draw_publish_trap(struct draw *draw, struct plan_step *step)
{
	step->count = 1;
	step->messages[0].qos = (uint8_t)(1 + draw_one_in(draw, 2));
	if (step->messages[0].qos == 1) {
		if (draw_one_in(draw, 2))
			step_trap(step, PACKET_CLIENT, SKIFFI_PUBLISH);
		else
			step_trap(step, PACKET_BROKER, SKIFFI_PUBACK);
		return;
	}
	switch (draw_upto(draw, 4)) {
	case 0:
		step_trap(step, PACKET_CLIENT, SKIFFI_PUBLISH);
		break;
	case 1:
		step_trap(step, PACKET_BROKER, SKIFFI_PUBREC);
		break;
	case 2:
		step_trap(step, PACKET_CLIENT, SKIFFI_PUBREL);
		break;
	default:
		step_trap(step, PACKET_BROKER, SKIFFI_PUBCOMP);
	}
}

static void draw_peer_trap(struct draw *draw, struct plan_step *step)
{
	step->count = 1;
	step->messages[0].topic = topics[TOPIC_IN];
	step->messages[0].qos = (uint8_t)(1 + draw_one_in(draw, 2));
	if (step->messages[0].qos == 1) {
		step_trap(step, PACKET_CLIENT, SKIFFI_PUBACK);
		return;
	}
	switch (draw_upto(draw, 3)) {
	case 0:
		step_trap(step, PACKET_CLIENT, SKIFFI_PUBREC);
		break;
	case 1:
		step_trap(step, PACKET_BROKER, SKIFFI_PUBREL);
		break;
	default:
		step_trap(step, PACKET_CLIENT, SKIFFI_PUBCOMP);
	}
}

static void draw_request_trap(struct draw *draw, struct plan_step *step)
{
	bool subscribe = step->request.subscribe;
	if (draw_one_in(draw, 2))
		step_trap(step, PACKET_CLIENT, subscribe ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE);
	else
		step_trap(step, PACKET_BROKER, subscribe ? SKIFFI_SUBACK : SKIFFI_UNSUBACK);
}

/* ---- steps ---- */

/* Mosquitto 2.0.11 sends a PUBLISH again for which it has had PUBREC when the connection ends twice before its PUBREL
 * is through: it is not made to. Nor does the first attempt fail after the session was wiped: the next one finds the
 * session of the first, and no client can know that it is not the old one. */
static bool step_may_fail(const struct plan_step *step)
{
	return step->kind != PLAN_PEER || step->trap_type == SKIFFI_PUBREC || step->trap_type == SKIFFI_PUBACK;
}

/* A message of QoS 2 on its way, in or out, is given up or released before a request of the next connection or after
 * it: so filters stay as they are where there may be one. */
static bool step_may_request(const struct plan_step *step)
{
	return step->kind == PLAN_REQUEST || step->kind == PLAN_KILL || step->kind == PLAN_DISCONNECT;
}

static void draw_away(struct draw *draw, struct plan_step *step)
{
	struct plan_away *away = &step->away;
	away->count = draw_messages(draw, away->messages, draw_upto(draw, PLAN_AWAY + 1), false);
	away->peer_count = draw_messages(draw, away->peer, draw_upto(draw, PLAN_AWAY + 1), true);
	away->requests = draw_one_in(draw, 3) && step_may_request(step);
	draw_request(draw, &away->request);
	away->wipes = draw->plan->resume && draw_one_in(draw, 4);
	away->fails = draw_one_in(draw, 5) && step_may_fail(step) && !away->wipes;
	for (size_t i = 0; i < step->count; i++) /* which needs its number */
		if (plan_step_inbound(step) && !step->messages[i].len)
			step->messages[i].len = LEN_SMALL;
}

/* Published when the connection is dead, and the client may not have noticed: the broker gets nothing of it. Of QoS 0
 * and 2 what becomes of it would be chance. Not where the session is kept: of a message whose write failed, Paho 1.3.12
 * frees topic and payload, but keeps the message, and sends on the next connection what lies there then. */
static void draw_late(struct draw *draw, struct plan_step *step)
{
	step->count = draw->plan->resume ? 0 : draw_upto(draw, (unsigned)step->count + 1);
	for (size_t i = 0; i < step->count; i++)
		step->messages[i].qos = 1;
}

/* Under 3.1.1 the broker drops the connection instead of saying that a message is not allowed. */
static enum plan_kind draw_kind(struct draw *draw)
{
	static const enum plan_kind quiet[] = {
		PLAN_PUBLISH, PLAN_PUBLISH, PLAN_REQUEST, PLAN_REQUEST, PLAN_PEER, PLAN_PEER, PLAN_DENIED};
	static const enum plan_kind cutting[] = {PLAN_PUBLISH, PLAN_PUBLISH, PLAN_REQUEST, PLAN_PEER, PLAN_PUBLISH_CUT,
		PLAN_PUBLISH_CUT, PLAN_PEER_CUT, PLAN_KILL, PLAN_DISCONNECT};
	if (draw->cuts == CUTS_MOST || draw_upto(draw, 5) < 3)
		return quiet[draw_upto(draw, sizeof quiet / sizeof *quiet - 0)];
	draw->cuts++;
	return cutting[draw_upto(draw, sizeof cutting / sizeof *cutting)];
}

static void draw_step(struct draw *draw, struct plan_step *step)
{
	unsigned cuts = draw->cuts;
	step->kind = draw_kind(draw);
	bool cutting = draw->cuts > cuts, peer = step->kind == PLAN_PEER || step->kind == PLAN_PEER_CUT;
	step->count = draw_messages(draw, step->messages, 1 + draw_upto(draw, PLAN_MESSAGES), peer);
	draw_request(draw, &step->request);
	step->carried = draw_upto(draw, 1000);
	if (step->kind == PLAN_DENIED) {
		step->count = 1;
		step->messages[0].qos = (uint8_t)(1 + draw_upto(draw, 2));
	}
	if (step->kind == PLAN_DISCONNECT && draw_v5(draw) && draw_one_in(draw, 3))
		step->reason = 0x04;
	if (cutting && step->kind == PLAN_PUBLISH)
		draw_publish_trap(draw, step);
	else if (cutting && step->kind == PLAN_PEER)
		draw_peer_trap(draw, step);
	else if (cutting && step->kind == PLAN_REQUEST)
		draw_request_trap(draw, step);
	if (cutting)
		draw_away(draw, step);
	if (step->kind == PLAN_KILL)
		draw_late(draw, step);
}

void plan_draw(struct plan *plan, unsigned seed)
{
	struct draw draw = {.plan = plan, .state = seed};
	*plan = (struct plan){.seed = seed};
	plan->version = draw_one_in(&draw, 2) ? SKIFF_MQTT_5 : SKIFF_MQTT_311;
	plan->resume = draw_upto(&draw, 5) > 1;
	plan->first_fails = draw_one_in(&draw, 20);
	plan->will_qos = (uint8_t)draw_upto(&draw, 3);
	plan->will_retain = draw_one_in(&draw, 3);
	plan->count = 4 + draw_upto(&draw, PLAN_STEPS - 3);
	for (size_t i = 0; i < plan->count; i++)
		draw_step(&draw, &plan->steps[i]);
}

bool plan_step_cuts(const struct plan_step *step)
{
	return step->trapped || step->kind >= PLAN_KILL;
}

bool plan_step_inbound(const struct plan_step *step)
{
	return step->kind == PLAN_PEER || step->kind == PLAN_PEER_CUT;
}

bool plan_step_late(const struct plan_step *step)
{
	return step->kind == PLAN_KILL && step->count;
}

bool plan_step_loses_session(const struct plan *plan, const struct plan_step *step)
{
	return plan_step_cuts(step) && (!plan->resume || step->away.wipes);
}

/* ---- in words ---- */

static void print_messages(const char *who, const struct plan_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("      %s: m%u to %s, QoS %u%s%s, %zu bytes\n", who, messages[i].number, messages[i].topic,
			messages[i].qos, messages[i].retain ? ", retained" : "",
			messages[i].properties ? ", properties" : "", messages[i].len);
}

static void print_request(const struct plan_request *request)
{
	printf("      %s, id %u:", request->subscribe ? "subscribe" : "unsubscribe", request->id);
	for (size_t i = 0; i < request->count; i++)
		printf(" %s(QoS %u%s%s, handling %u)", plan_filters[request->filters[i].index], request->filters[i].qos,
			request->filters[i].no_local ? ", no local" : "",
			request->filters[i].retain_as_published ? ", as published" : "",
			request->filters[i].retain_handling);
	printf("\n");
}

static void print_away(const struct plan_away *away)
{
	printf("      away:%s%s\n", away->wipes ? " the session is wiped;" : "",
		away->fails ? " the first attempt fails;" : "");
	print_messages("client", away->messages, away->count);
	if (away->requests)
		print_request(&away->request);
	print_messages("peer", away->peer, away->peer_count);
}

static void print_step(const struct plan_step *step, size_t index)
{
	static const char *const names[] = {
		"publish", "denied", "request", "peer", "kill", "disconnect", "publish, cut", "peer, cut"};
	printf("    step %zu: %s", index, names[step->kind]);
	if (step->trapped)
		printf(", ends at %s from the %s", skiffi_packet_name(step->trap_type),
			step->trap_side == PACKET_CLIENT ? "client" : "broker");
	if (step->kind >= PLAN_DISCONNECT)
		printf(", reason %u, carried %u", step->reason, step->carried);
	printf("\n");
	if (step->kind == PLAN_REQUEST)
		print_request(&step->request);
	else if (step->kind != PLAN_DISCONNECT)
		print_messages("message", step->messages, step->count);
	if (plan_step_cuts(step))
		print_away(&step->away);
}

void plan_print(const struct plan *plan)
{
	printf("  seed %u: MQTT %s, %s session, will QoS %u%s%s\n", plan->seed,
		plan->version == SKIFF_MQTT_5 ? "5" : "3.1.1", plan->resume ? "resumed" : "clean", plan->will_qos,
		plan->will_retain ? ", retained" : "", plan->first_fails ? "; the first attempt fails" : "");
	for (size_t i = 0; i < plan->count; i++)
		print_step(&plan->steps[i], i);
}
