/* SPDX-License-Identifier: Apache-2.0 */
/* alloc_twin.h: linked in place of base/alloc.c, it fails where a test says. */
#ifndef TESTS_ALLOC_TWIN_H
#define TESTS_ALLOC_TWIN_H

/* The allocation after `count` more fails, and so do all behind it; negative: none fails, which is the start. */
void alloc_twin_fail_after(long count);

#endif
