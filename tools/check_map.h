/* SPDX-License-Identifier: Apache-2.0 */
/* check_map.h: `skiff check HOST`: which doors a host has, and what each speaks. */
#ifndef SKIFF_CHECK_MAP_H
#define SKIFF_CHECK_MAP_H

#include "check_walk.h"

enum { CHECK_PORTS_MAX = 64 };

struct check_ports {
	int list[CHECK_PORTS_MAX];
	size_t count;
};

/* Reads "1883,8883,8080-8084" for an option; the `take` of cli_command.h for a struct check_ports. */
int check_ports_take(void *field, char **words, int count, char *why, size_t size);

/* Looks at `ports` (none: the usual ones) of `host`, a few at a time, and prints the map. Result: the exit code. */
int check_map(const struct cli_context *context, const char *host, const struct check_ports *ports, int ip_version,
	const struct check_settings *settings, bool json);

/* Whether the host's name can be looked up; false after saying why not, with the exit code. */
bool check_map_resolves(const struct cli_context *context, const char *host, int ip_version, int timeout_ms, int *code);

/* The URLs of those of its usual doors that open without credentials, or with `locked_too` of all; at most `max`. Their
 * number. */
size_t check_map_urls(
	const char *host, int ip_version, bool locked_too, int timeout_ms, char urls[][CHECK_URL_BYTES], size_t max);

#endif
