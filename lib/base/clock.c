/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: CLOCK_MONOTONIC. */
#include "base/clock.h"

#include <time.h>

int64_t skiffi_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
