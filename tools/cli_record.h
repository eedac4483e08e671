#pragma once
#include "cli_buffer.h"
#include <skiff/message.h>
#include <time.h>
struct cli_record {
	struct skiff_message message;
	bool has_time;
	struct timespec time;
};
static inline void cli_record_append(struct cli_buffer *b, const struct skiff_message *m, const struct timespec *t)
{
	(void)b;
	(void)m;
	(void)t;
}
static inline bool cli_record_read(const char *line, size_t len, struct cli_record *r, char *why, size_t size)
{
	(void)line;
	(void)len;
	(void)r;
	(void)why;
	(void)size;
	return false;
}
static inline void cli_record_free(struct cli_record *r)
{
	(void)r;
}
