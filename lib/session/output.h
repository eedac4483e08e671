/* SPDX-License-Identifier: Apache-2.0 */
/* output.h: bytes on their way out: small things copied one behind the other, large payloads by reference between. */
#ifndef SKIFFI_OUTPUT_H
#define SKIFFI_OUTPUT_H

#include "base/buffer.h"
#include "session/kept.h"
#include <sys/uio.h>

/* From this size on a payload is referred to and not copied. */
enum { SKIFFI_OUTPUT_BY_REFERENCE_BYTES = 16 * 1024, SKIFFI_OUTPUT_KEEP_BYTES = 128 * 1024 };

struct skiffi_output_reference {
	size_t at; /* it stands before the byte at this place of `bytes` */
	struct skiffi_kept *kept;
};

/* All-zero is empty. */
struct skiffi_output {
	struct skiffi_buffer bytes;
	struct skiffi_output_reference *references;
	size_t reference_count, reference_capacity;
	size_t reference_next; /* first not wholly taken */
	size_t reference_done; /* bytes of it that are */
	size_t len;            /* bytes not yet taken, in all */
};

/* Room for `len` bytes to be written now, followed by the payload of `kept` when that is not NULL (then a reference is
 * taken). Result: where to write, and all of it counts; NULL when memory is out, and nothing has changed. */
uint8_t *skiffi_output_add(struct skiffi_output *output, size_t len, struct skiffi_kept *kept);

/* The front of what is left, as at most `max` pieces; their number. */
size_t skiffi_output_pieces(const struct skiffi_output *output, struct iovec *pieces, size_t max);

/* Marks `len` bytes of the front as taken. References are let go by clear only, as that needs the lock. */
void skiffi_output_take(struct skiffi_output *output, size_t len);

/* Has the lent payloads that it refers to, and has not wholly taken, copied. False: memory is out. */
bool skiffi_output_settle(struct skiffi_output *output, struct skiffi_kept_pool *pool);

/* Empties it and lets go of the references; keeps some memory for the next time. */
void skiffi_output_clear(struct skiffi_output *output, struct skiffi_kept_pool *pool);

/* As clear, and frees the memory. */
void skiffi_output_release(struct skiffi_output *output, struct skiffi_kept_pool *pool);

#endif
