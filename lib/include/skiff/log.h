/* SPDX-License-Identifier: Apache-2.0 */
/* log.h: where the library's own words go. By default nowhere: the library never prints. */
#ifndef SKIFF_LOG_H
#define SKIFF_LOG_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum skiff_log_level {
	SKIFF_LOG_NONE,
	SKIFF_LOG_ERROR, /* somebody must act */
	SKIFF_LOG_WARN,  /* the library acted, or a setting is unsafe */
	SKIFF_LOG_INFO,  /* life cycle */
	SKIFF_LOG_DEBUG, /* state changes */
	SKIFF_LOG_TRACE  /* packets, by kind and size; never payloads or secrets */
};

/** Receives one line, without a line end. `component` is a folder's name, such as "transport". Called on any thread,
 * possibly on several at once; must not call the library. */
typedef void (*skiff_log_fn)(enum skiff_log_level level, const char *component, const char *line, void *user);

/** Sets the process-wide sink and level; NULL or SKIFF_LOG_NONE switches logging off. Call before the first client is
 * created, or while none exists. */
void skiff_log_set(enum skiff_log_level level, skiff_log_fn sink, void *user);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
