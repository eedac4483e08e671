/* SPDX-License-Identifier: Apache-2.0 */
/* alloc_twin.c: the heap of a test, which can run out. */
#include "support/alloc_twin.h"
#include "base/alloc.h"
#include <stdbool.h>
#include <stdlib.h>

static _Thread_local long left = -1;

void alloc_twin_fail_after(long count)
{
	left = count;
}

static bool granted(void)
{
	if (left > 0)
		left--;
	else if (left == 0)
		return false;
	return true;
}

void *skiffi_malloc(size_t size)
{
	return granted() ? malloc(size ? size : 1) : NULL;
}

void *skiffi_calloc(size_t count, size_t size)
{
	return granted() ? calloc(count ? count : 1, size ? size : 1) : NULL;
}

void *skiffi_realloc(void *memory, size_t size)
{
	return granted() ? realloc(memory, size ? size : 1) : NULL;
}

void skiffi_free(void *memory)
{
	free(memory);
}
