/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.h: bytes that are written at the end and read from the front. */
#ifndef SKIFFI_BUFFER_H
#define SKIFFI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All-zero is an empty buffer. */
struct skiffi_buffer {
	uint8_t *data;
	size_t head;     /* first byte not yet read */
	size_t tail;     /* end of what was written */
	size_t capacity; /* bytes */
};

static inline size_t skiffi_buffer_len(const struct skiffi_buffer *buffer)
{
	return buffer->tail - buffer->head;
}

static inline uint8_t *skiffi_buffer_head(const struct skiffi_buffer *buffer)
{
	return buffer->data + buffer->head;
}

/* Makes room for `len` more bytes behind the tail and gives the place; NULL when memory is out, and the buffer is as
 * it was. What is written there counts after skiffi_buffer_commit. */
uint8_t *skiffi_buffer_reserve(struct skiffi_buffer *buffer, size_t len);

static inline void skiffi_buffer_commit(struct skiffi_buffer *buffer, size_t len)
{
	buffer->tail += len;
}

/* Appends a copy; false when memory is out. */
bool skiffi_buffer_append(struct skiffi_buffer *buffer, const void *data, size_t len);

/* Drops `len` bytes from the front. */
static inline void skiffi_buffer_consume(struct skiffi_buffer *buffer, size_t len)
{
	buffer->head += len;
	if (buffer->head == buffer->tail)
		buffer->head = buffer->tail = 0;
}

/* Whether two hold the same bytes. */
bool skiffi_buffer_same(const struct skiffi_buffer *one, const struct skiffi_buffer *other);

/* Empties it and keeps the memory, unless that is more than `keep` bytes. */
void skiffi_buffer_clear(struct skiffi_buffer *buffer, size_t keep);

/* Frees the memory; the buffer is empty and may be used again. */
void skiffi_buffer_release(struct skiffi_buffer *buffer);

#endif
