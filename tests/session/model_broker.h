/* SPDX-License-Identifier: Apache-2.0 */
/* model_broker.h: a broker of one client, small enough to be right, that checks what it is sent.
 *
 * It keeps a session as the standard asks, answers when told to and in any order that is legal, and counts how often
 * each numbered message has arrived. A message's payload is "NUMBER|TOPIC|", so that a topic restored from an alias can
 * be compared. What a client must not do ends the program with its words. */
#ifndef SKIFF_TESTS_MODEL_BROKER_H
#define SKIFF_TESTS_MODEL_BROKER_H

#include "codec/packet.h"
#include "session/packet_text.h"

enum { MODEL_MESSAGES = 512, MODEL_TOPICS = 8, MODEL_PENDING = 512 };

extern const char *const model_topics[MODEL_TOPICS];

/* Numbers that follow from a seed. */
struct dice {
	uint64_t state;
};
uint32_t dice_roll(struct dice *dice, uint32_t sides);

/* What the model knows of a message from the client. */
struct model_in {
	unsigned arrived;    /* times it was taken as new */
	uint32_t seq;        /* place in the order of sending; set by the world at each sending as new */
	unsigned connection; /* on which it was first sent with that place */
};

/* A message to the client. */
struct model_out {
	uint16_t id;
	uint8_t qos;
	unsigned number;
	enum { OUT_WAITING, OUT_SENT, OUT_RELEASED, OUT_DONE } state;
	bool sent_before, sent_here;
};

struct model_answer {
	uint8_t type, reason;
	uint16_t id;
	unsigned count; /* SUBACK, UNSUBACK */
};

struct model_broker {
	struct dice *dice;
	enum skiffi_protocol version;
	bool forgets; /* the session is gone when the client comes back */

	/* the session */
	bool held;
	bool taken[65536]; /* QoS 2 in: PUBREL has not come */
	unsigned taken_number[65536];
	struct model_in in[MODEL_MESSAGES];
	struct model_out out[MODEL_MESSAGES];
	size_t out_count;
	bool dropped[MODEL_MESSAGES]; /* went with a session, by number */

	/* the connection */
	unsigned connection;
	bool up, greeted;
	struct bytes from, to; /* arrived and not looked at; to go */
	struct model_answer pending[MODEL_PENDING];
	size_t pending_count;
	bool busy[65536]; /* ids of exchanges and requests of the client, until their end is written */
	unsigned open;    /* exchanges among them */
	uint16_t receive_maximum, alias_maximum; /* ours */
	char *aliases_in[16];
	uint16_t client_receive_maximum, client_alias_maximum;
	unsigned client_open;
	int aliases_out[16]; /* topic, -1: none */
	uint32_t last_seq;
	uint32_t release_order[65536], release_turn, release_last;
	uint16_t owed[MODEL_PENDING]; /* PUBACKs and PUBRECs that the client owes, in order, type in the high bits */
	uint8_t owed_type[MODEL_PENDING];
	size_t owed_count;
	bool began;   /* a new session, which the client has not heard of yet */
	bool refused; /* the client sent DISCONNECT */
};

void model_reset(struct model_broker *broker, struct dice *dice, enum skiffi_protocol version);
void model_free(struct model_broker *broker);

/* A connection begins, ends. */
void model_connect(struct model_broker *broker);
void model_cut(struct model_broker *broker);

/* `len` bytes arrive. */
void model_input(struct model_broker *broker, const uint8_t *data, size_t len);

/* Writes one answer that is due, any of them; false when none is. */
bool model_answer(struct model_broker *broker);

/* A new message to the client; and sends what its window allows. */
void model_publish(struct model_broker *broker, unsigned number, uint8_t qos);
void model_send(struct model_broker *broker);

/* Whether nothing is under way. */
bool model_idle(const struct model_broker *broker);

#endif
