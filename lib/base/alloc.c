/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.c: the heap. Tests link a twin of this file that fails where they say. */
#include "base/alloc.h"

#include <stdlib.h>

void *skiffi_malloc(size_t size)
{
	return malloc(size ? size : 1);
}

void *skiffi_calloc(size_t count, size_t size)
{
	return calloc(count ? count : 1, size ? size : 1);
}

void *skiffi_realloc(void *memory, size_t size)
{
	return realloc(memory, size ? size : 1);
}

void skiffi_free(void *memory)
{
	free(memory);
}
