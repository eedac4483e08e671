/* SPDX-License-Identifier: Apache-2.0 */
/* output.c: one stream made of a buffer and of payloads that stand at places of it. */
#include "session/output.h"

#include "base/alloc.h"
#include <assert.h>

static bool output_reserve_reference(struct skiffi_output *output)
{
	if (output->reference_count < output->reference_capacity)
		return true;
	size_t capacity = output->reference_capacity ? output->reference_capacity * 2 : 8;
	struct skiffi_output_reference *references = skiffi_realloc(output->references, capacity * sizeof *references);
	if (!references)
		return false;
	output->references = references;
	output->reference_capacity = capacity;
	return true;
}

uint8_t *skiffi_output_add(struct skiffi_output *output, size_t len, struct skiffi_kept *kept)
{
	if (kept && !output_reserve_reference(output))
		return NULL;
	assert(!output->bytes.head); /* what is being taken is not written to: references are places in `bytes` */
	uint8_t *at = skiffi_buffer_reserve(&output->bytes, len);
	if (!at)
		return NULL;
	skiffi_buffer_commit(&output->bytes, len);
	output->len += len;
	if (kept) {
		output->references[output->reference_count++] =
			(struct skiffi_output_reference){output->bytes.tail, skiffi_kept_ref(kept)};
		output->len += kept->payload_len;
	}
	return at;
}

size_t skiffi_output_pieces(const struct skiffi_output *output, struct iovec *pieces, size_t max)
{
	size_t count = 0, place = output->bytes.head, done = output->reference_done;
	for (size_t i = output->reference_next; count + 1 < max; i++) {
		bool more = i < output->reference_count;
		size_t end = more ? output->references[i].at : output->bytes.tail;
		if (end > place)
			pieces[count++] = (struct iovec){output->bytes.data + place, end - place};
		place = end;
		if (!more)
			break;
		struct skiff_bytes payload = skiffi_kept_payload(output->references[i].kept);
		if (payload.len > done)
			pieces[count++] = (struct iovec){(uint8_t *)payload.data + done, payload.len - done};
		done = 0;
	}
	return count;
}

static size_t output_take_bytes(struct skiffi_output *output, size_t len)
{
	bool more = output->reference_next < output->reference_count;
	size_t end = more ? output->references[output->reference_next].at : output->bytes.tail;
	size_t take = end - output->bytes.head < len ? end - output->bytes.head : len;
	output->bytes.head += take;
	return take;
}

static size_t output_take_payload(struct skiffi_output *output, size_t len)
{
	size_t left = output->references[output->reference_next].kept->payload_len - output->reference_done;
	size_t take = left < len ? left : len;
	output->reference_done += take;
	if (take == left) {
		output->reference_next++;
		output->reference_done = 0;
	}
	return take;
}

void skiffi_output_take(struct skiffi_output *output, size_t len)
{
	assert(len <= output->len);
	output->len -= len;
	while (len) {
		len -= output_take_bytes(output, len);
		if (len)
			len -= output_take_payload(output, len);
	}
}

bool skiffi_output_settle(struct skiffi_output *output, struct skiffi_kept_pool *pool)
{
	for (size_t i = output->reference_next; i < output->reference_count; i++)
		if (!skiffi_kept_settle(pool, output->references[i].kept))
			return false;
	return true;
}

void skiffi_output_clear(struct skiffi_output *output, struct skiffi_kept_pool *pool)
{
	for (size_t i = 0; i < output->reference_count; i++)
		skiffi_kept_unref(pool, output->references[i].kept);
	output->reference_count = output->reference_next = output->reference_done = 0;
	output->len = 0;
	skiffi_buffer_clear(&output->bytes, SKIFFI_OUTPUT_KEEP_BYTES);
}

void skiffi_output_release(struct skiffi_output *output, struct skiffi_kept_pool *pool)
{
	skiffi_output_clear(output, pool);
	skiffi_buffer_release(&output->bytes);
	skiffi_free(output->references);
	*output = (struct skiffi_output){0};
}
