/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: monotonic time. */
#ifndef SKIFFI_CLOCK_H
#define SKIFFI_CLOCK_H

#include <stdint.h>

/* No deadline. */
#define SKIFFI_NEVER INT64_MAX

/* Microseconds since some fixed point; never goes back. */
int64_t skiffi_now_us(void);

#endif
