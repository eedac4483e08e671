/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c: blocks of memory with a count; small ones come from a pool and go back to it. */
#include "session/kept.h"

#include "base/alloc.h"
#include "codec/properties.h"
#include <assert.h>

static struct skiffi_kept *kept_alloc(struct skiffi_kept_pool *pool, size_t data_len)
{
	bool small = data_len <= SKIFFI_KEPT_SMALL_BYTES;
	struct skiffi_kept *kept = small ? pool->free : NULL;
	if (kept) {
		pool->free = kept->next;
		pool->count--;
	} else {
		kept = skiffi_malloc(sizeof *kept + (small ? SKIFFI_KEPT_SMALL_BYTES : data_len));
	}
	if (kept)
		*kept = (struct skiffi_kept){.refs = 1, .small = small};
	return kept;
}

/* All but the payload, with room for that if `inside`. */
static struct skiffi_kept *kept_make(struct skiffi_kept_pool *pool, const struct skiff_message *message, bool inside)
{
	size_t properties_len = skiffi_properties_len(message->properties);
	size_t payload_room = inside ? message->payload.len : 0;
	struct skiffi_kept *kept = kept_alloc(pool, message->topic.len + properties_len + payload_room);
	if (!kept)
		return NULL;
	kept->qos = message->qos;
	kept->retain = message->retain;
	kept->topic_len = (uint16_t)message->topic.len;
	kept->properties_len = (uint32_t)properties_len;
	kept->payload_len = (uint32_t)message->payload.len;
	memcpy(kept->data, message->topic.data, message->topic.len);
	if (properties_len)
		skiffi_properties_write(kept->data + message->topic.len, message->properties);
	return kept;
}

struct skiffi_kept *skiffi_kept_new(struct skiffi_kept_pool *pool, const struct skiff_message *message)
{
	struct skiffi_kept *kept = kept_make(pool, message, true);
	if (kept && message->payload.len)
		memcpy((uint8_t *)skiffi_kept_payload(kept).data, message->payload.data, message->payload.len);
	return kept;
}

struct skiffi_kept *skiffi_kept_lend(struct skiffi_kept_pool *pool, const struct skiff_message *message)
{
	struct skiffi_kept *kept = kept_make(pool, message, false);
	if (!kept)
		return NULL;
	kept->outside = message->payload.data;
	pool->lent++;
	return kept;
}

bool skiffi_kept_settle(struct skiffi_kept_pool *pool, struct skiffi_kept *kept)
{
	if (!kept->outside || kept->outside_owned)
		return true;
	void *copy = skiffi_memdup(kept->outside, kept->payload_len);
	if (!copy)
		return false;
	kept->outside = copy;
	kept->outside_owned = true;
	pool->lent--;
	return true;
}

struct skiffi_publish skiffi_publish_of(const struct skiff_message *message, const struct skiffi_kept *kept)
{
	if (!kept)
		return (struct skiffi_publish){.qos = message->qos,
			.retain = message->retain,
			.topic = message->topic,
			.payload = message->payload,
			.properties = message->properties};
	return (struct skiffi_publish){.qos = kept->qos,
		.retain = kept->retain,
		.topic = skiffi_kept_topic(kept),
		.payload = skiffi_kept_payload(kept),
		.raw_properties = skiffi_kept_properties(kept)};
}

void skiffi_kept_unref(struct skiffi_kept_pool *pool, struct skiffi_kept *kept)
{
	if (!kept)
		return;
	assert(kept->refs > 0);
	if (--kept->refs)
		return;
	if (kept->outside_owned)
		skiffi_free((void *)kept->outside);
	else if (kept->outside)
		pool->lent--;
	if (kept->small && pool->count < SKIFFI_KEPT_POOL_MAX) {
		kept->next = pool->free;
		pool->free = kept;
		pool->count++;
		return;
	}
	skiffi_free(kept);
}

void skiffi_kept_pool_release(struct skiffi_kept_pool *pool)
{
	while (pool->free) {
		struct skiffi_kept *kept = pool->free;
		pool->free = kept->next;
		skiffi_free(kept);
	}
	pool->count = 0;
}
