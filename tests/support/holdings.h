/* SPDX-License-Identifier: Apache-2.0 */
/* holdings.h: what this process has of the kernel's. */
#ifndef TESTS_HOLDINGS_H
#define TESTS_HOLDINGS_H

#include <stddef.h>

size_t holdings_descriptors(void);
size_t holdings_threads(void);

#endif
