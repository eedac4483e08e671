/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.h: the only door to the heap, so that tests can make any allocation fail. */
#ifndef SKIFFI_ALLOC_H
#define SKIFFI_ALLOC_H

#include <stddef.h>

/* As malloc, calloc, realloc, free; `skiffi_free` accepts NULL. */
void *skiffi_malloc(size_t size);
void *skiffi_calloc(size_t count, size_t size);
void *skiffi_realloc(void *memory, size_t size);
void skiffi_free(void *memory);

/* A copy of `text`, or of `len` bytes with a NUL put behind them; NULL when memory is out, or `text` is NULL. */
char *skiffi_strdup(const char *text);
char *skiffi_memdup(const void *data, size_t len);

/* Wipes `len` bytes before they are let go; the compiler cannot drop it. */
void skiffi_wipe(void *memory, size_t len);

#endif
