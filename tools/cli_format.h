/* SPDX-License-Identifier: Apache-2.0 */
/* cli_format.h: one message in words, as the option -F of mosquitto_sub has it.
 *
 *   %[-][0][WIDTH][.PRECISION][SEPARATOR]LETTER   a field of the message
 *   @LETTER                                       a field of the time, as in strftime; @N nanoseconds
 *   \LETTER                                       a control character
 */
#ifndef SKIFF_CLI_FORMAT_H
#define SKIFF_CLI_FORMAT_H

#include "cli_buffer.h"
#include <skiff/message.h>
#include <time.h>

/* Whose output is meant where the versions of mosquitto_sub differ. */
enum cli_format_like { CLI_LIKE_20, CLI_LIKE_21 };

struct cli_format_options {
	enum cli_format_like like;
	bool pretty; /* JSON over several lines */
	bool escape; /* topics and payloads without what a terminal obeys */
	bool binary; /* JSON that keeps payloads which are no text: as base64, in another member */
};

/* Whether `format` can be; if not, `why` (`size` bytes) says so. */
bool cli_format_check(const char *format, char *why, size_t size);

/* Adds `message`, which came at `when`, to `out`, in a `format` that was checked. Result: NULL, or a sentence on what
 * was left out, for stderr. */
const char *cli_format_add(struct cli_buffer *out, const char *format, const struct cli_format_options *options,
	const struct skiff_message *message, const struct timespec *when);

/* %j (`parsed` false) and %J: the message as JSON. Result as above. */
const char *cli_format_json(struct cli_buffer *out, const struct cli_format_options *options,
	const struct skiff_message *message, const struct timespec *when, bool parsed);

/* The payload in hexadecimal, or in base64. */
void cli_format_hex(struct cli_buffer *out, struct skiff_bytes payload);
void cli_format_base64(struct cli_buffer *out, struct skiff_bytes payload);

#endif
