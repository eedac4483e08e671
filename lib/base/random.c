/* SPDX-License-Identifier: Apache-2.0 */
/* random.c: the system's generator; without it nothing sound can go on, so its failure ends the process. */
#include "base/random.h"

#include <stdlib.h>
#include <unistd.h>

enum { RANDOM_CALL_BYTES = 256 }; /* getentropy gives no more at a time */

void skiffi_random(void *data, size_t len)
{
	for (uint8_t *at = data; len;) {
		size_t some = len < RANDOM_CALL_BYTES ? len : RANDOM_CALL_BYTES;
		if (getentropy(at, some))
			abort();
		at += some;
		len -= some;
	}
}

uint64_t skiffi_random_upto(uint64_t limit)
{
	if (!limit)
		return 0;
	uint64_t value, span = limit + 1;
	if (!span) {
		skiffi_random(&value, sizeof value);
		return value;
	}
	uint64_t fair = UINT64_MAX - UINT64_MAX % span;
	do
		skiffi_random(&value, sizeof value);
	while (value >= fair);
	return value % span;
}
