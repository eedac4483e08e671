/* SPDX-License-Identifier: Apache-2.0 */
/* kept.h: a message of ours that must outlive the call that brought it: waiting, in flight, or half written.
 *
 * One block of memory, shared by count. It holds neither version nor packet id nor alias, so that it can be sent on
 * any later connection. All calls under the lock of the client that owns it. */
#ifndef SKIFFI_KEPT_H
#define SKIFFI_KEPT_H

#include "codec/packet.h"

enum { SKIFFI_KEPT_SMALL_BYTES = 192, SKIFFI_KEPT_POOL_MAX = 1024 };

struct skiffi_kept {
	struct skiffi_kept *next; /* in a queue or in the pool */
	void *op;                 /* whose outcome it is; NULL: nobody waits */
	uint32_t refs;
	uint32_t properties_len;
	uint32_t payload_len;
	uint16_t topic_len;
	uint8_t qos;
	bool retain;
	bool small;          /* SKIFFI_KEPT_SMALL_BYTES of room: goes back to the pool */
	const void *outside; /* the payload, when it is not in `data`: lent, or a copy of one that was */
	bool outside_owned;  /* that copy */
	uint8_t data[];      /* topic, encoded properties, payload */
};

/* Freed small blocks, so that a steady flow of messages allocates nothing. All-zero is an empty pool. */
struct skiffi_kept_pool {
	struct skiffi_kept *free;
	size_t count;
	size_t lent; /* messages whose payload is still somebody else's */
};

/* A copy of `message`, with one reference; NULL when memory is out. */
struct skiffi_kept *skiffi_kept_new(struct skiffi_kept_pool *pool, const struct skiff_message *message);

/* As skiffi_kept_new, but the payload stays the caller's until nothing refers to it, or it is settled. */
struct skiffi_kept *skiffi_kept_lend(struct skiffi_kept_pool *pool, const struct skiff_message *message);

/* Has a lent payload copied. False: memory is out. */
bool skiffi_kept_settle(struct skiffi_kept_pool *pool, struct skiffi_kept *kept);

static inline struct skiffi_kept *skiffi_kept_ref(struct skiffi_kept *kept)
{
	kept->refs++;
	return kept;
}

/* The packet that carries `kept`, or, where that is NULL, `message`; a view of it. */
struct skiffi_publish skiffi_publish_of(const struct skiff_message *message, const struct skiffi_kept *kept);

/* NULL is allowed. */
void skiffi_kept_unref(struct skiffi_kept_pool *pool, struct skiffi_kept *kept);

void skiffi_kept_pool_release(struct skiffi_kept_pool *pool);

static inline struct skiff_bytes skiffi_kept_topic(const struct skiffi_kept *kept)
{
	return (struct skiff_bytes){kept->data, kept->topic_len};
}

static inline struct skiff_bytes skiffi_kept_properties(const struct skiffi_kept *kept)
{
	return (struct skiff_bytes){kept->data + kept->topic_len, kept->properties_len};
}

static inline struct skiff_bytes skiffi_kept_payload(const struct skiffi_kept *kept)
{
	if (kept->outside)
		return (struct skiff_bytes){kept->outside, kept->payload_len};
	return (struct skiff_bytes){kept->data + kept->topic_len + kept->properties_len, kept->payload_len};
}

/* What a message with so many bytes of topic, properties and payload weighs against a bound: the memory it takes. */
static inline size_t skiffi_kept_weight_of(size_t data_len)
{
	return sizeof(struct skiffi_kept) + (data_len <= SKIFFI_KEPT_SMALL_BYTES ? SKIFFI_KEPT_SMALL_BYTES : data_len);
}

static inline size_t skiffi_kept_weight(const struct skiffi_kept *kept)
{
	return skiffi_kept_weight_of((size_t)kept->topic_len + kept->properties_len + kept->payload_len);
}

#endif
