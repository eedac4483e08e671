/* SPDX-License-Identifier: Apache-2.0 */
/* log.h: the library's own words, for the sink of <skiff/log.h>. */
#ifndef SKIFFI_LOG_H
#define SKIFFI_LOG_H

#include <skiff/log.h>
#include <stdatomic.h>
#include <stdbool.h>

extern _Atomic(int) skiffi_log_level;

/* One line; control characters in it become escapes. Never hand it a secret or a payload. */
void skiffi_log_line(enum skiff_log_level level, const char *component, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether a line of this level goes anywhere: for those who would have to fetch what it says. */
static inline bool skiffi_log_wanted(enum skiff_log_level level)
{
	return atomic_load_explicit(&skiffi_log_level, memory_order_relaxed) >= (int)level;
}

#define skiffi_log(level, component, ...) \
	do { \
		if (skiffi_log_wanted(level)) \
			skiffi_log_line(level, component, __VA_ARGS__); \
	} while (0)

#endif
