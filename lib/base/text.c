/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: copies on the heap, and their wiping; apart from alloc.c so that these go through its door too. */
#include "base/alloc.h"

#include <string.h>

char *skiffi_memdup(const void *data, size_t len)
{
	char *copy = skiffi_malloc(len + 1);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

char *skiffi_strdup(const char *text)
{
	return text ? skiffi_memdup(text, strlen(text)) : NULL;
}

void skiffi_wipe(void *memory, size_t len)
{
	if (memory)
		explicit_bzero(memory, len);
}
