/* SPDX-License-Identifier: Apache-2.0 */
/* cli_progress.c: how it goes. A thread of its own looks at the counters a few times a second, and draws over its line;
 * the work itself only counts. */
#include "cli_progress.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_MS = 250, PROGRESS_BAR = 24, PROGRESS_COLUMNS = 80, PROGRESS_LINE_BYTES = 256 };

static double progress_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned long long progress_size(int input)
{
	struct stat about;
	if (input < 0 || fstat(input, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size <= 0)
		return 0;
	off_t at = lseek(input, 0, SEEK_CUR);
	return (unsigned long long)about.st_size - (unsigned long long)(at > 0 ? at : 0);
}

static int progress_columns(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : PROGRESS_COLUMNS;
}

/* ---- the line ---- */

static int line_bar(char *line, size_t size, double share, double left_s)
{
	char bar[PROGRESS_BAR + 1];
	int full = (int)(share * PROGRESS_BAR);
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(PROGRESS_BAR - full));
	bar[PROGRESS_BAR] = '\0';
	return snprintf(line, size, "[%s] %3.0f %%  %.0f s left  ", bar, share * 100, left_s);
}

/* Rates are those since the line before. */
static void line_make(char *line, size_t size, const struct cli_progress *progress, unsigned long long messages,
	unsigned long long bytes, double rate, double byte_rate)
{
	double share = progress->size ? (double)bytes / (double)progress->size : 0;
	int len = 0;
	if (share > 1)
		share = 1;
	if (progress->size)
		len = line_bar(line, size, share, byte_rate > 0 ? (double)progress->size * (1 - share) / byte_rate : 0);
	snprintf(line + len, size - (size_t)len, "%llu messages, %.0f a second, %.2f MB/s", messages, rate,
		byte_rate / 1e6);
}

static void line_show(const char *line)
{
	int columns = progress_columns() - 1;
	dprintf(STDERR_FILENO, "\r\033[K%.*s", columns > 0 ? columns : 0, line);
}

static void *progress_run(void *data)
{
	struct cli_progress *progress = data;
	struct pollfd ended = {.fd = progress->ended[0], .events = POLLIN};
	unsigned long long messages_before = 0, bytes_before = 0;
	double before = progress->began_s;
	char line[PROGRESS_LINE_BYTES];
	while (poll(&ended, 1, PROGRESS_MS) == 0) {
		unsigned long long messages = atomic_load(&progress->messages), bytes = atomic_load(&progress->bytes);
		double now = progress_now(), time = now - before > 0 ? now - before : 1;
		line_make(line, sizeof(line), progress, messages, bytes, (double)(messages - messages_before) / time,
			(double)(bytes - bytes_before) / time);
		line_show(line);
		messages_before = messages;
		bytes_before = bytes;
		before = now;
	}
	dprintf(STDERR_FILENO, "\r\033[K");
	return NULL;
}

/* ---- life ---- */

void cli_progress_begin(struct cli_progress *progress, int input, bool quiet)
{
	const char *term = getenv("TERM");
	if (quiet || !isatty(STDERR_FILENO) || !term || strcmp(term, "dumb") == 0 || pipe(progress->ended) != 0)
		return;
	progress->size = progress_size(input);
	progress->began_s = progress_now();
	progress->shown = pthread_create(&progress->thread, NULL, progress_run, progress) == 0;
}

void cli_progress_add(struct cli_progress *progress, size_t bytes)
{
	if (!progress->shown)
		return;
	atomic_fetch_add_explicit(&progress->messages, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&progress->bytes, bytes, memory_order_relaxed);
}

void cli_progress_end(struct cli_progress *progress)
{
	if (!progress->shown)
		return;
	close(progress->ended[1]);
	pthread_join(progress->thread, NULL);
	close(progress->ended[0]);
	progress->shown = false;
}
