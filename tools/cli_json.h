/* SPDX-License-Identifier: Apache-2.0 */
/* cli_json.h: JSON, written as it comes: one line, UTF-8, what is not UTF-8 replaced, what could fool a
 * terminal as \uNNNN [RFC 8259]. */
#ifndef SKIFF_CLI_JSON_H
#define SKIFF_CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

struct cli_json {
	FILE *out;
	bool more; /* the next value is not the first of its kind */
};

/* `name` NULL: an element of an array, or the whole. */
void cli_json_open(struct cli_json *json, const char *name, char bracket);
void cli_json_close(struct cli_json *json, char bracket);

void cli_json_text(struct cli_json *json, const char *name, const char *text);              /* NULL: null */
void cli_json_bytes(struct cli_json *json, const char *name, const void *data, size_t len); /* any, also NUL */
void cli_json_integer(struct cli_json *json, const char *name, long long value);
/* With `digits` behind the point; what is no number is null. */
void cli_json_number(struct cli_json *json, const char *name, double value, int digits);
void cli_json_bool(struct cli_json *json, const char *name, bool value);
void cli_json_null(struct cli_json *json, const char *name);

#endif
