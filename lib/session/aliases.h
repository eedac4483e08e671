/* SPDX-License-Identifier: Apache-2.0 */
/* aliases.h: topic aliases, both ways [MQTT 5, 3.3.2.3.4]. They die with the connection [MQTT-3.3.2-7]. */
#ifndef SKIFFI_ALIASES_H
#define SKIFFI_ALIASES_H

#include <skiff/bytes.h>
#include <stdbool.h>
#include <stdint.h>

/* Inbound: alias -> topic. All-zero: none allowed. */
struct skiffi_aliases_in {
	char **topics; /* by alias; index 0 unused */
	uint16_t *lens;
	uint16_t maximum; /* what we announced */
};

/* Forgets all and allows `maximum`. */
void skiffi_aliases_in_reset(struct skiffi_aliases_in *aliases, uint16_t maximum);

/* The topic behind `alias` (1..maximum), absent when none was given yet. */
struct skiff_bytes skiffi_aliases_in_get(const struct skiffi_aliases_in *aliases, uint16_t alias);

/* Remembers it; false when memory is out. */
bool skiffi_aliases_in_set(struct skiffi_aliases_in *aliases, uint16_t alias, struct skiff_bytes topic);

/* Outbound: the topics used last, at most `maximum`. All-zero: none. */
struct skiffi_alias_out {
	char *topic;
	uint16_t len;
	uint16_t next; /* in its bucket; 0 ends */
	uint32_t hash;
	bool told;     /* the topic has been written with it */
	uint64_t used; /* when, by `turn` */
};
enum { SKIFFI_ALIASES_OUT_MAX = 256, SKIFFI_ALIASES_BUCKETS = 64 };
struct skiffi_aliases_out {
	struct skiffi_alias_out *list; /* by alias; index 0 unused */
	uint16_t buckets[SKIFFI_ALIASES_BUCKETS];
	uint16_t maximum, count;
	uint64_t turn;
};

bool skiffi_aliases_out_reset(struct skiffi_aliases_out *aliases, uint16_t maximum);

/* The alias to send `topic` with, 0: none. `*known`: the broker knows it, so that the topic itself can be left out. */
uint16_t skiffi_aliases_out_use(struct skiffi_aliases_out *aliases, struct skiff_bytes topic, bool *known);

/* The packet that names the topic of `alias` has been written: from now on the broker knows it. */
void skiffi_aliases_out_told(struct skiffi_aliases_out *aliases, uint16_t alias);

#endif
