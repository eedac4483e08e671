/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fault_alloc.h"

#include "base/alloc.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static _Atomic(size_t) fault_nth, fault_count, fault_live;
static _Thread_local long fault_left = -1; /* allocations of this thread that are still granted; negative: all */
static _Thread_local bool fault_spared;

void fault_alloc_arm(size_t nth)
{
	fault_nth = nth;
	fault_count = 0;
}

size_t fault_alloc_count(void)
{
	return fault_count;
}

size_t fault_alloc_live(void)
{
	return fault_live;
}

void fault_alloc_end_after(long count)
{
	fault_left = count;
}

void fault_alloc_spare(void)
{
	fault_spared = true;
}

static bool fault_granted(void)
{
	if (fault_spared)
		return true;
	if (!fault_left)
		return false;
	if (fault_left > 0)
		fault_left--;
	return ++fault_count != fault_nth;
}

static void *fault_given(void *memory)
{
	fault_live += memory != NULL;
	return memory;
}

void *skiffi_malloc(size_t size)
{
	return fault_granted() ? fault_given(malloc(size ? size : 1)) : NULL;
}

void *skiffi_calloc(size_t count, size_t size)
{
	return fault_granted() ? fault_given(calloc(count ? count : 1, size ? size : 1)) : NULL;
}

void *skiffi_realloc(void *memory, size_t size)
{
	if (!fault_granted())
		return NULL;
	void *moved = realloc(memory, size ? size : 1);
	return memory ? moved : fault_given(moved);
}

void skiffi_free(void *memory)
{
	fault_live -= memory != NULL;
	free(memory);
}
