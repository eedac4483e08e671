/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.h: packet identifiers, and what waits on each [MQTT 5, 2.2.1]. Nothing is searched: an id is an index. */
#ifndef SKIFFI_INFLIGHT_H
#define SKIFFI_INFLIGHT_H

#include "session/kept.h"

/* What an id waits for. Moves: FREE -> PUBACK -> FREE; FREE -> PUBREC -> PUBCOMP -> FREE; PUBREC -> FREE on an error
 * reason; FREE -> SUBACK or UNSUBACK -> FREE. */
enum skiffi_await {
	SKIFFI_AWAIT_NOTHING, /* free */
	SKIFFI_AWAIT_PUBACK,
	SKIFFI_AWAIT_PUBREC,
	SKIFFI_AWAIT_PUBCOMP,
	SKIFFI_AWAIT_SUBACK,
	SKIFFI_AWAIT_UNSUBACK
};

struct skiffi_slot {
	struct skiffi_kept *kept; /* PUBACK, PUBREC */
	void *op;
	uint16_t next, prev; /* in its list: the free ids, or those in order of sending; 0 ends */
	uint16_t filters;    /* SUBACK, UNSUBACK: how many were asked for */
	uint8_t await;       /* enum skiffi_await */
	bool waits;          /* to be sent again, which this connection has not done yet */
};

struct skiffi_order {
	uint16_t first, last;
};

/* All-zero is an empty table. */
struct skiffi_inflight {
	struct skiffi_slot *slots; /* index 0 is unused */
	uint32_t count;            /* slots in the table, index 0 included */
	struct skiffi_order free;
	struct skiffi_order publishes; /* PUBACK and PUBREC awaited, in the order they were sent [MQTT-4.6.0-1] */
	struct skiffi_order releases;  /* PUBCOMP awaited, in the order of the PUBRECs [MQTT-4.6.0-4] */
	size_t messages;               /* ids in those two lists */
	size_t others;                 /* SUBACK and UNSUBACK awaited */
};

/* Takes a free id for something new; 0 when all 65535 are in use or memory is out. */
uint16_t skiffi_inflight_new(
	struct skiffi_inflight *inflight, enum skiffi_await await, struct skiffi_kept *kept, void *op);

/* The slot of a live id, or NULL. */
struct skiffi_slot *skiffi_inflight_at(struct skiffi_inflight *inflight, uint16_t id);

/* PUBREC -> PUBCOMP: behind the other releases. The message is the caller's to let go. */
void skiffi_inflight_released(struct skiffi_inflight *inflight, uint16_t id);

/* Frees the id; what the slot held is the caller's to let go. */
void skiffi_inflight_end(struct skiffi_inflight *inflight, uint16_t id);

void skiffi_inflight_release(struct skiffi_inflight *inflight);

#endif
