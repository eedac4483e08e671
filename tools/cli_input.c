/* SPDX-License-Identifier: Apache-2.0 */
/* cli_input.c: payloads from files and standard input, byte for byte. */
#include "cli_input.h"
#include "cli_exit.h"
#include "cli_stop.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

/* read(2), once there is something to read. Result: ECANCELED in errno when the stop came first. */
static ssize_t input_read_some(int fd, void *data, size_t len)
{
	for (;;) {
		if (!cli_stop_wait(fd, POLLIN)) {
			errno = ECANCELED;
			return -1;
		}
		ssize_t got = read(fd, data, len);
		if (got >= 0 || (errno != EINTR && errno != EAGAIN))
			return got;
	}
}

/* Makes room for more behind `used`. Seldom moves, so that a secret is not left behind. */
static bool input_grow(char **data, size_t *size, size_t used)
{
	if (*size - used >= READ_BYTES / 2)
		return true;
	size_t wanted = *size * 2 > used + READ_BYTES ? *size * 2 : used + READ_BYTES;
	char *grown = realloc(*data, wanted);
	if (!grown) {
		errno = ENOMEM;
		return false;
	}
	*data = grown;
	*size = wanted;
	return true;
}

/* Reads until the end. Result: 0, or an errno; EFBIG beyond `max`. */
static int input_read_all(int fd, size_t max, char **data, size_t *len)
{
	size_t size = 0;
	*data = NULL;
	*len = 0;
	for (;;) {
		if (!input_grow(data, &size, *len))
			return ENOMEM;
		ssize_t got = input_read_some(fd, *data + *len, size - *len);
		if (got < 0)
			return errno;
		if (got == 0)
			return 0;
		*len += (size_t)got;
		if (*len > max)
			return EFBIG;
	}
}

/* Does not wait for who writes to a FIFO: input_read_some does. Result: the descriptor, or -1 with errno. */
static int input_open(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
		close(fd);
		errno = EISDIR;
		return -1;
	}
	return fd;
}

int cli_input_read(const struct cli_context *context, const char *path, size_t max, char **data, size_t *len)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	*data = NULL;
	*len = 0;
	int fd = standard ? STDIN_FILENO : input_open(path);
	int error = fd < 0 ? errno : input_read_all(fd, max, data, len);
	if (fd >= 0 && !standard)
		close(fd);
	if (error == 0)
		return CLI_EXIT_OK;
	free(*data);
	*data = NULL;
	if (error == ECANCELED)
		return cli_stop_code();
	if (error == EFBIG)
		cli_say(context, "file '%s': holds more than the %zu bytes allowed", name, max);
	else
		cli_say(context, "file '%s': cannot be read: %s", name, strerror(error));
	return error == ENOMEM ? CLI_EXIT_FAILURE : CLI_EXIT_FILE;
}

/* ---- lines ---- */

/* Moves what is left to the front and reads more. */
static enum cli_line lines_fill(struct cli_lines *lines)
{
	if (lines->start > 0) {
		memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	if (!input_grow(&lines->buffer, &lines->size, lines->end))
		return CLI_LINE_ERROR;
	ssize_t got = input_read_some(lines->fd, lines->buffer + lines->end, lines->size - lines->end);
	if (got < 0)
		return errno == ECANCELED ? CLI_LINE_STOPPED : CLI_LINE_ERROR;
	lines->ended = got == 0;
	lines->end += (size_t)got;
	return CLI_LINE;
}

bool cli_lines_at_hand(struct cli_lines *lines, struct skiff_bytes *line)
{
	size_t have = lines->end - lines->start;
	char *from = lines->buffer ? lines->buffer + lines->start : NULL;
	char *newline = have > lines->searched ? memchr(from + lines->searched, '\n', have - lines->searched) : NULL;
	size_t len = newline ? (size_t)(newline - from) : have;
	bool whole = (newline || (lines->ended && have > 0)) && len <= lines->max;
	lines->searched = newline ? 0 : have;
	if (!whole)
		return false;
	*line = (struct skiff_bytes){from, len};
	lines->start += len + (newline != NULL);
	return true;
}

enum cli_line cli_lines_next(struct cli_lines *lines, struct skiff_bytes *line)
{
	while (!cli_lines_at_hand(lines, line)) {
		if (lines->end - lines->start > lines->max)
			return CLI_LINE_TOO_LONG;
		enum cli_line filled = lines->ended ? CLI_LINE_END : lines_fill(lines);
		if (filled != CLI_LINE)
			return filled;
	}
	return CLI_LINE;
}

void cli_lines_free(struct cli_lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}
