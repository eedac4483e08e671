/* SPDX-License-Identifier: Apache-2.0 */
/* aliases.c: inbound a table by alias, outbound the topics used last, found by hash. */
#include "session/aliases.h"

#include "base/alloc.h"

/* A shorter topic costs less than the property that would stand for it. */
enum { ALIAS_TOPIC_MIN_BYTES = 4, ALIAS_REPLACE_EVERY = 16 };

static void aliases_in_release(struct skiffi_aliases_in *aliases)
{
	for (unsigned i = 1; aliases->topics && i <= aliases->maximum; i++)
		skiffi_free(aliases->topics[i]);
	skiffi_free(aliases->topics);
	skiffi_free(aliases->lens);
	*aliases = (struct skiffi_aliases_in){0};
}

void skiffi_aliases_in_reset(struct skiffi_aliases_in *aliases, uint16_t maximum)
{
	aliases_in_release(aliases);
	aliases->maximum = maximum;
}

static bool aliases_in_prepare(struct skiffi_aliases_in *aliases)
{
	if (aliases->topics)
		return true;
	size_t count = (size_t)aliases->maximum + 1;
	aliases->topics = skiffi_calloc(count, sizeof *aliases->topics);
	aliases->lens = skiffi_calloc(count, sizeof *aliases->lens);
	if (aliases->topics && aliases->lens)
		return true;
	skiffi_free(aliases->topics);
	skiffi_free(aliases->lens);
	aliases->topics = NULL;
	aliases->lens = NULL;
	return false;
}

struct skiff_bytes skiffi_aliases_in_get(const struct skiffi_aliases_in *aliases, uint16_t alias)
{
	if (!aliases->topics || !alias || alias > aliases->maximum)
		return (struct skiff_bytes){0};
	return (struct skiff_bytes){aliases->topics[alias], aliases->lens[alias]};
}

bool skiffi_aliases_in_set(struct skiffi_aliases_in *aliases, uint16_t alias, struct skiff_bytes topic)
{
	if (!aliases_in_prepare(aliases))
		return false;
	char *copy = skiffi_memdup(topic.data, topic.len);
	if (!copy)
		return false;
	skiffi_free(aliases->topics[alias]);
	aliases->topics[alias] = copy;
	aliases->lens[alias] = (uint16_t)topic.len;
	return true;
}

bool skiffi_aliases_out_reset(struct skiffi_aliases_out *aliases, uint16_t maximum)
{
	for (unsigned i = 1; i <= aliases->count; i++)
		skiffi_free(aliases->list[i].topic);
	skiffi_free(aliases->list);
	*aliases = (struct skiffi_aliases_out){0};
	if (!maximum)
		return true;
	if (maximum > SKIFFI_ALIASES_OUT_MAX)
		maximum = SKIFFI_ALIASES_OUT_MAX;
	aliases->list = skiffi_calloc((size_t)maximum + 1, sizeof *aliases->list);
	if (!aliases->list)
		return false;
	aliases->maximum = maximum;
	return true;
}

static uint32_t alias_hash(struct skiff_bytes topic)
{
	const uint8_t *at = topic.data;
	uint32_t hash = 2166136261u; /* FNV-1a over words, which need not be secret: a collision costs one comparison */
	size_t i = 0;
	for (; i + 4 <= topic.len; i += 4) {
		uint32_t word;
		memcpy(&word, at + i, 4);
		hash = (hash ^ word) * 16777619u;
	}
	for (; i < topic.len; i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static uint16_t aliases_find(const struct skiffi_aliases_out *aliases, struct skiff_bytes topic, uint32_t hash)
{
	for (uint16_t i = aliases->buckets[hash % SKIFFI_ALIASES_BUCKETS]; i; i = aliases->list[i].next) {
		const struct skiffi_alias_out *alias = &aliases->list[i];
		if (alias->hash == hash && alias->len == topic.len && !memcmp(alias->topic, topic.data, topic.len))
			return i;
	}
	return 0;
}

static void aliases_unlink(struct skiffi_aliases_out *aliases, uint16_t index)
{
	uint16_t *link = &aliases->buckets[aliases->list[index].hash % SKIFFI_ALIASES_BUCKETS];
	while (*link != index)
		link = &aliases->list[*link].next;
	*link = aliases->list[index].next;
}

/* An unused alias, or that of the topic used longest ago. */
static uint16_t aliases_victim(struct skiffi_aliases_out *aliases)
{
	if (aliases->count < aliases->maximum)
		return ++aliases->count;
	uint16_t oldest = 1;
	for (uint16_t i = 2; i <= aliases->count; i++)
		if (aliases->list[i].used < aliases->list[oldest].used)
			oldest = i;
	aliases_unlink(aliases, oldest);
	return oldest;
}

uint16_t skiffi_aliases_out_use(struct skiffi_aliases_out *aliases, struct skiff_bytes topic, bool *known)
{
	*known = false;
	if (!aliases->maximum || topic.len < ALIAS_TOPIC_MIN_BYTES)
		return 0;
	uint32_t hash = alias_hash(topic);
	uint16_t index = aliases_find(aliases, topic, hash);
	aliases->turn++;
	if (index) {
		*known = aliases->list[index].told;
		aliases->list[index].used = aliases->turn;
		return index;
	}
	/* With more topics than aliases, giving each newcomer one would cost more than it saves. */
	if (aliases->count == aliases->maximum && aliases->turn % ALIAS_REPLACE_EVERY)
		return 0;
	char *copy = skiffi_memdup(topic.data, topic.len);
	if (!copy)
		return 0;
	index = aliases_victim(aliases);
	struct skiffi_alias_out *alias = &aliases->list[index];
	skiffi_free(alias->topic);
	uint16_t *bucket = &aliases->buckets[hash % SKIFFI_ALIASES_BUCKETS];
	*alias = (struct skiffi_alias_out){
		.topic = copy, .len = (uint16_t)topic.len, .next = *bucket, .hash = hash, .used = aliases->turn};
	*bucket = index;
	return index;
}

void skiffi_aliases_out_told(struct skiffi_aliases_out *aliases, uint16_t alias)
{
	aliases->list[alias].told = true;
}
