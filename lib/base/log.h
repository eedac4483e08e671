/* SPDX-License-Identifier: Apache-2.0 */
/* log.h: the library's own words, for the sink of <skiff/log.h>. */
#ifndef SKIFFI_LOG_H
#define SKIFFI_LOG_H

#include <skiff/log.h>
#include <stdatomic.h>

extern _Atomic(int) skiffi_log_level;

/* One line; control characters in it become escapes. Never hand it a secret or a payload. */
void skiffi_log_line(enum skiff_log_level level, const char *component, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define skiffi_log(level, component, ...) \
	do { \
		if (atomic_load_explicit(&skiffi_log_level, memory_order_relaxed) >= (int)(level)) \
			skiffi_log_line(level, component, __VA_ARGS__); \
	} while (0)

#endif
