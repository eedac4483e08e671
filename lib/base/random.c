/* SPDX-License-Identifier: Apache-2.0 */
/* random.c: OpenSSL's generator; without it nothing sound can go on, so its failure ends the process. */
#include "base/random.h"

#include <openssl/rand.h>
#include <stdlib.h>

void skiffi_random(void *data, size_t len)
{
	/* OpenSSL's generator fails only when the system's does; nothing sound can go on without it. */
	if (RAND_bytes(data, (int)len) != 1)
		abort();
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
