/* SPDX-License-Identifier: Apache-2.0 */
/* cli_duration.h: times as people write them: 500ms, 3s, 1.5s, 2m. */
#ifndef SKIFF_CLI_DURATION_H
#define SKIFF_CLI_DURATION_H

#include <stdbool.h>
#include <stddef.h>

enum { CLI_DURATION_MAX_MS = 24 * 60 * 60 * 1000 };

/* Reads `text` of `len` bytes into milliseconds, above 0 and up to a day. False: it is none. */
bool cli_duration_read(const char *text, size_t len, double *ms);

/* The `take` of an option (cli_command.h) whose field is a double, in milliseconds. */
int cli_duration_take(void *field, char **words, int count, char *why, size_t size);

#endif
