/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c: grows by doubling, and slides what is unread to the front where that is cheaper. */
#include "base/buffer.h"

#include "base/alloc.h"
#include <string.h>

enum { BUFFER_FIRST_BYTES = 512 };

/* Moves what is unread to the start when that makes room enough and costs little. */
static bool buffer_slide(struct skiffi_buffer *buffer, size_t len)
{
	size_t used = skiffi_buffer_len(buffer);
	if (!buffer->data || buffer->head < used || buffer->capacity - used < len)
		return false;
	memmove(buffer->data, buffer->data + buffer->head, used);
	buffer->head = 0;
	buffer->tail = used;
	return true;
}

static bool buffer_grow(struct skiffi_buffer *buffer, size_t len)
{
	size_t need = buffer->tail + len;
	size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST_BYTES;
	while (capacity < need)
		capacity = capacity < ((size_t)64 << 20) ? capacity * 2 : need;
	uint8_t *data = skiffi_realloc(buffer->data, capacity);
	if (!data)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

uint8_t *skiffi_buffer_reserve(struct skiffi_buffer *buffer, size_t len)
{
	if (buffer->capacity - buffer->tail >= len && buffer->data)
		return buffer->data + buffer->tail;
	if (!buffer_slide(buffer, len) && !buffer_grow(buffer, len))
		return NULL;
	return buffer->data + buffer->tail;
}

bool skiffi_buffer_append(struct skiffi_buffer *buffer, const void *data, size_t len)
{
	if (!len)
		return true;
	uint8_t *at = skiffi_buffer_reserve(buffer, len);
	if (!at)
		return false;
	memcpy(at, data, len);
	skiffi_buffer_commit(buffer, len);
	return true;
}

bool skiffi_buffer_same(const struct skiffi_buffer *one, const struct skiffi_buffer *other)
{
	size_t len = skiffi_buffer_len(one);
	return len == skiffi_buffer_len(other) &&
	       (!len || !memcmp(skiffi_buffer_head(one), skiffi_buffer_head(other), len));
}

void skiffi_buffer_clear(struct skiffi_buffer *buffer, size_t keep)
{
	buffer->head = buffer->tail = 0;
	if (buffer->capacity > keep)
		skiffi_buffer_release(buffer);
}

void skiffi_buffer_release(struct skiffi_buffer *buffer)
{
	skiffi_free(buffer->data);
	*buffer = (struct skiffi_buffer){0};
}
