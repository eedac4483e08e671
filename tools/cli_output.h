/* SPDX-License-Identifier: Apache-2.0 */
/* cli_output.h: messages go to stdout, talk to stderr; whether in colour, and whether what comes from strangers is
 * escaped, is decided here. */
#ifndef SKIFF_CLI_OUTPUT_H
#define SKIFF_CLI_OUTPUT_H

#include <stdbool.h>
#include <sys/uio.h>

struct cli_context;

/* Whether cli_say and cli_note stay silent from now on (--quiet). */
void cli_quiet(bool quiet);

/* One line on stderr without "skiff NAME:" and not silenced by --quiet: what was asked for, such as the log. */
void cli_note(const char *line);

/* Whether colour may be used on `fd`: a terminal that is not dumb, and NO_COLOR not set. */
bool cli_colour(int fd);

/* Writes all parts, waiting where `fd` does not block. Changes `parts`. Result: 0, or an errno. */
int cli_write(int fd, struct iovec *parts, int count);

/* Flushes stdout and gives the exit code: `code`, or that of the failed writing, which it reports. */
int cli_finish_output(const struct cli_context *context, int code);

/* The exit code for a failed write to stdout, after saying so; silent when the reader has gone. */
int cli_output_failed(const struct cli_context *context, int error);

#endif
