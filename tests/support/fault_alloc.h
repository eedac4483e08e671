/* SPDX-License-Identifier: Apache-2.0 */
/* fault_alloc.h: linked in place of base/alloc.c, it fails the allocations of a test's choice and counts all. */
#ifndef TESTS_FAULT_ALLOC_H
#define TESTS_FAULT_ALLOC_H

#include <stddef.h>

/* Counts anew; the `nth` allocation from here fails, once (1: the next). 0: none fails. */
void fault_alloc_arm(size_t nth);

/* On the calling thread, `count` more are granted and none behind them; negative: all again, which is the start. */
void fault_alloc_end_after(long count);

/* The calling thread's allocations never fail and are not counted from now on; for a far end in the same program. */
void fault_alloc_spare(void);

/* Allocations since fault_alloc_arm, those that failed included; and blocks not freed, of all that were ever given. */
size_t fault_alloc_count(void);
size_t fault_alloc_live(void);

#endif
