/* SPDX-License-Identifier: Apache-2.0 */
/* cli_text.h: UTF-8 and what may safely be shown on a terminal. */
#ifndef SKIFF_CLI_TEXT_H
#define SKIFF_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 character at `data` (1 to 4), 0 when the bytes there are not well formed [RFC 3629]. */
size_t cli_utf8_length(const void *data, size_t len);

/* Whether a well-formed character of `length` bytes, not ASCII, could make a line look like what it is not: C1
 * controls, what turns the direction of writing, what begins a line. */
bool cli_utf8_is_hostile(const void *data, size_t length);

/* The number of a well-formed character of `length` bytes. */
unsigned cli_utf8_point(const void *data, size_t length);

/* Bytes that cli_escape makes of one byte, at most. */
enum { CLI_ESCAPE_FACTOR = 4 };

/* Writes `data` to `out` (room for CLI_ESCAPE_FACTOR * len), with control characters, hostile ones and ill-formed UTF-8
 * as \xNN; those in `keep` (may be "") stay. Returns the bytes written; adds no NUL. */
size_t cli_escape(char *out, const void *data, size_t len, const char *keep);

/* A copy that ends in NUL, the caller's to free; NULL: out of memory. */
char *cli_text_copy(const void *data, size_t len);

/* Writes `word` to `out` (`size` bytes) as a shell takes it for one word: in quotes unless it is plain. Cut where there
 * is no room. Returns its length; adds a NUL. */
size_t cli_shell_word(char *out, size_t size, const char *word);

#endif
