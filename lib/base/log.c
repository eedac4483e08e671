/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: one line at a time to the process's sink; nothing where there is none. */
#include "base/log.h"

#include "base/escape.h"
#include <stdarg.h>
#include <stdio.h>

_Atomic(int) skiffi_log_level = SKIFF_LOG_NONE;

static struct {
	skiff_log_fn sink;
	void *user;
} log_target;

void skiff_log_set(enum skiff_log_level level, skiff_log_fn sink, void *user)
{
	atomic_store(&skiffi_log_level, SKIFF_LOG_NONE);
	log_target.sink = sink;
	log_target.user = user;
	if (sink)
		atomic_store(&skiffi_log_level, (int)level);
}

void skiffi_log_line(enum skiff_log_level level, const char *component, const char *format, ...)
{
	char text[1024], line[2048];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len < 0)
		return;
	skiffi_escape(line, sizeof line, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
	log_target.sink(level, component, line, log_target.user);
}
