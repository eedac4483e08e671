#pragma once
#include <stdbool.h>
#include <stddef.h>
struct cli_progress {
	int x;
};
static inline void cli_progress_begin(struct cli_progress *p, int fd, bool quiet)
{
	(void)p;
	(void)fd;
	(void)quiet;
}
static inline void cli_progress_add(struct cli_progress *p, size_t n)
{
	(void)p;
	(void)n;
}
static inline void cli_progress_end(struct cli_progress *p)
{
	(void)p;
}
