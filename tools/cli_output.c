/* SPDX-License-Identifier: Apache-2.0 */
/* cli_output.c: messages go to stdout, talk to stderr. A sentence leaves in one write, so that lines of several
 * threads or processes do not mix. A failed write to stderr has nobody left to be told. */
#include "cli_output.h"
#include "cli_command.h"
#include "cli_exit.h"
#include "cli_text.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENTENCE_BYTES = 2048 };

static atomic_bool quiet_now;

void cli_quiet(bool quiet)
{
	atomic_store(&quiet_now, quiet);
}

bool cli_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	if (no_colour && *no_colour)
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

static void line_write(const char *prefix, const char *text)
{
	static char newline[] = "\n";
	char escaped[CLI_ESCAPE_FACTOR * SENTENCE_BYTES];
	size_t len = cli_escape(escaped, text, strnlen(text, SENTENCE_BYTES), "");
	struct iovec parts[] = {{(void *)prefix, strlen(prefix)}, {escaped, len}, {newline, 1}};
	cli_write(STDERR_FILENO, parts, 3);
}

void cli_note(const char *line)
{
	line_write("", line);
}

static void say(const struct cli_context *context, const char *kind, const char *format, va_list arguments)
{
	char prefix[128], text[SENTENCE_BYTES];
	const struct cli_command *command = context ? context->command : NULL;
	const char *name = !command ? NULL : context->mosquitto ? command->alias : command->name;
	const char *program = context && context->mosquitto ? "" : name ? "skiff " : "skiff";
	const char *on = "", *off = "";
	if (atomic_load(&quiet_now))
		return;
	if (cli_colour(STDERR_FILENO)) {
		on = "\033[1m";
		off = "\033[0m";
	}
	snprintf(prefix, sizeof(prefix), "%s%s%s:%s %s", on, program, name ? name : "", off, kind);
	vsnprintf(text, sizeof(text), format, arguments);
	line_write(prefix, text);
}

void cli_say(const struct cli_context *context, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(context, "", format, arguments);
	va_end(arguments);
}

void cli_warn(const struct cli_context *context, const char *format, ...)
{
	va_list arguments;
	if (context->mosquitto)
		return;
	va_start(arguments, format);
	say(context, "warning: ", format, arguments);
	va_end(arguments);
}

/* Steps over `written` bytes; returns how many parts are done with. */
static int parts_advance(struct iovec *parts, int count, size_t written)
{
	int done = 0;
	while (done < count && written >= parts[done].iov_len)
		written -= parts[done++].iov_len;
	if (done < count) {
		parts[done].iov_base = (char *)parts[done].iov_base + written;
		parts[done].iov_len -= written;
	}
	return done;
}

int cli_write(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t written = writev(fd, parts, count);
		if (written >= 0) {
			int done = parts_advance(parts, count, (size_t)written);
			parts += done;
			count -= done;
		} else if (errno == EAGAIN) {
			struct pollfd writable = {.fd = fd, .events = POLLOUT};
			poll(&writable, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

int cli_output_failed(const struct cli_context *context, int error)
{
	if (error == EPIPE)
		return CLI_EXIT_PIPE;
	cli_say(context, "write error on standard output: %s", strerror(error));
	return CLI_EXIT_OUTPUT;
}

int cli_finish_output(const struct cli_context *context, int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return cli_output_failed(context, errno ? errno : EIO);
}
