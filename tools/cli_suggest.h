/* SPDX-License-Identifier: Apache-2.0 */
/* cli_suggest.h: what somebody who mistyped a name may have meant. */
#ifndef SKIFF_CLI_SUGGEST_H
#define SKIFF_CLI_SUGGEST_H

#include <stddef.h>

/* The nearest name so far; start with all zero. */
struct cli_suggestion {
	const char *name; /* NULL: none near enough */
	size_t distance;
};

/* Keeps `name` when it is near `typed` (`len` bytes) and nearer than what was kept before. */
void cli_suggest(struct cli_suggestion *best, const char *typed, size_t len, const char *name);

#endif
