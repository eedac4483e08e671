/* SPDX-License-Identifier: Apache-2.0 */
/* cli_input.h: payloads from files and standard input, byte for byte. A stop (cli_stop.h) ends every wait. */
#ifndef SKIFF_CLI_INPUT_H
#define SKIFF_CLI_INPUT_H

#include "cli_command.h"
#include <skiff/bytes.h>

/* The largest remaining length of a packet [MQTT 5, 1.5.5], and so of a payload. */
enum { CLI_PAYLOAD_MAX = 268435455 };

/* Reads the whole of the file `path` ("-": standard input) into `*data`, the caller's to free. At most `max` bytes.
 * Result: an exit code, after saying what went wrong. */
int cli_input_read(const struct cli_context *context, const char *path, size_t max, char **data, size_t *len);

/* Lines of a descriptor; all zero but `fd` at the start. */
struct cli_lines {
	int fd;
	bool ended;
	char *buffer;
	size_t size, start, end; /* what is read and not yet given lies from start to end */
	size_t searched;         /* of that, holds no newline; bytes */
	size_t max;              /* of a line; bytes */
};

enum cli_line {
	CLI_LINE,         /* one line, without its newline; the last one may have had none */
	CLI_LINE_END,     /* of the input */
	CLI_LINE_STOPPED, /* by cli_stop */
	CLI_LINE_TOO_LONG,
	CLI_LINE_ERROR /* errno */
};

/* The next line, if it was read already; `*line` is borrowed until the next call of cli_lines_next. */
bool cli_lines_at_hand(struct cli_lines *lines, struct skiff_bytes *line);

/* The next line, which is waited for; `*line` is borrowed until the next call. */
enum cli_line cli_lines_next(struct cli_lines *lines, struct skiff_bytes *line);

void cli_lines_free(struct cli_lines *lines);

#endif
