/* SPDX-License-Identifier: Apache-2.0 */
/* random.h: random numbers from the system. */
#ifndef SKIFFI_RANDOM_H
#define SKIFFI_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `len` bytes; good enough for identifiers and keys. */
void skiffi_random(void *data, size_t len);

/* A number drawn evenly from 0 to `limit` inclusive. */
uint64_t skiffi_random_upto(uint64_t limit);

#endif
