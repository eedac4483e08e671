/* SPDX-License-Identifier: Apache-2.0 */
/* fault_alloc.h: linked in place of base/alloc.c, it fails one allocation of a test's choice and counts all of them. */
#ifndef TESTS_FAULT_ALLOC_H
#define TESTS_FAULT_ALLOC_H

#include <stddef.h>

/* Counts anew; the `nth` allocation from here fails, once (1: the next). 0: none fails. */
void fault_alloc_arm(size_t nth);

/* Allocations since then, those that failed included; and blocks not freed, of all that were ever given. */
size_t fault_alloc_count(void);
size_t fault_alloc_live(void);

#endif
