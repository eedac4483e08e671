/* SPDX-License-Identifier: Apache-2.0 */
/* differential.h: one plan, played on both engines, must read the same afterwards; shared by differential*.c only.
 *
 * plan_draw makes a plan of a seed. run_play plays it on one engine and writes a diary: what arrived, each token's
 * outcome, each event, some counters. diary_differs compares two of them, less what plan and engines excuse.
 * A plan acts only while nothing is on its way, and ends connections between two packets that it names, so that all
 * that happens is settled by the plan. */
#ifndef TESTS_DIFFERENTIAL_H
#define TESTS_DIFFERENTIAL_H

#include "support/broker.h"
#include "support/packet_relay.h"
#include <skiff/skiff.h>
#include <stdlib.h>

/* ---- the plan ---- */

enum {
	PLAN_STEPS = 12,
	PLAN_MESSAGES = 6,
	PLAN_FILTERS = 3,
	PLAN_AWAY = 3,
	/* indices into plan_filters */
	FILTER_WILL = 4,
	FILTER_DRAWN = 6, /* only the ones before are subscribed and unsubscribed by steps */
	FILTER_IN = 6,    /* always subscribed, as is that of the fences */
	FILTER_SYNC = 7,
	FILTER_MARK = 8, /* taken with QoS 0, so that nothing of it can be repeated */
	FILTER_NONE = 9, /* what no handler takes */
	FILTERS = 10
};

extern const char *const plan_filters[FILTERS];

struct plan_message {
	const char *topic;
	uint8_t qos;
	bool retain;
	bool properties; /* MQTT 5: with some */
	size_t len;      /* 0: clears what is retained */
	unsigned number; /* of this message within the plan */
};

struct plan_request {
	bool subscribe;
	size_t count;
	struct {
		unsigned index;
		uint8_t qos, retain_handling;
		bool no_local, retain_as_published;
	} filters[PLAN_FILTERS];
	uint32_t id; /* subscription identifier; 0: none */
};

/* What happens between two connections. */
struct plan_away {
	struct plan_message messages[PLAN_AWAY], peer[PLAN_AWAY];
	size_t count, peer_count;
	bool requests, wipes,
		fails; /* wipes: the broker forgets the session; fails: the first attempt gets no CONNACK */
	struct plan_request request;
};

enum plan_kind {
	PLAN_PUBLISH,     /* messages from the client */
	PLAN_DENIED,      /* one that the broker does not allow */
	PLAN_REQUEST,     /* subscribe or unsubscribe */
	PLAN_PEER,        /* messages from somebody else */
	PLAN_KILL,        /* the connection is reset while nothing is on its way, then messages at once */
	PLAN_DISCONNECT,  /* the client leaves and comes back */
	PLAN_PUBLISH_CUT, /* messages, then the end after some of the answers */
	PLAN_PEER_CUT     /* messages from somebody else, then the end after some of them, none acknowledged */
};

struct plan_step {
	enum plan_kind kind;
	bool trapped; /* PUBLISH, REQUEST, PEER: the connection ends instead of carrying this packet */
	enum packet_side trap_side;
	enum skiffi_packet_type trap_type;
	struct plan_message messages[PLAN_MESSAGES];
	size_t count;
	struct plan_request request;
	unsigned carried;      /* a cut: how many packets come through before; modulo what there is */
	uint8_t reason;        /* of the DISCONNECT */
	struct plan_away away; /* once the connection is gone */
};

struct plan {
	unsigned seed;
	enum skiff_version version;
	bool resume;
	bool first_fails; /* the very first attempt gets no CONNACK */
	uint8_t will_qos;
	bool will_retain;
	struct plan_step steps[PLAN_STEPS];
	size_t count;
};

void plan_draw(struct plan *plan, unsigned seed);
void plan_print(const struct plan *plan);

bool plan_step_inbound(const struct plan_step *step); /* whether somebody else publishes in it */
bool plan_step_late(const struct plan_step *step);    /* publishes on a dead connection */
bool plan_step_cuts(const struct plan_step *step);    /* ends the connection */
bool plan_step_loses_session(const struct plan *plan, const struct plan_step *step);

/* ---- the diary ---- */

enum diary_chapter {
	DIARY_HANDLERS, /* what the client's handlers were given */
	DIARY_WITNESS,  /* what somebody else was sent */
	DIARY_TOKENS,
	DIARY_EVENTS,
	DIARY_COUNTERS,
	DIARY_CHAPTERS
};

struct diary_line {
	char *text;
	size_t key_len;  /* lines with other keys may stand in another order; 0: none may */
	unsigned step;   /* in which it was written */
	unsigned number; /* of the message; 0: none */
	int qos;         /* -1: not of a message */
	int code, reason;
};

struct diary {
	struct diary_line *lines[DIARY_CHAPTERS];
	size_t count[DIARY_CHAPTERS];
	char stuck[256]; /* what did not come; "": nothing */
};

/* `line.text` is replaced by the formatted one. Not locked. */
void diary_write(struct diary *diary, enum diary_chapter chapter, struct diary_line line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diary_print(const struct diary *diary);
void diary_release(struct diary *diary);

/* Prints the first difference of each chapter. */
bool diary_differs(const struct plan *plan, struct diary *native, struct diary *paho);

/* ---- the run ---- */

void run_play(const struct plan *plan, enum skiff_engine engine, const struct broker *broker, struct diary *diary);

#endif
