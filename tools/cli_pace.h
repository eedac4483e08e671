#pragma once
#include <stdbool.h>
#include <time.h>
struct cli_pace {
	int x;
};
static inline void cli_pace_begin(struct cli_pace *p, double rate, double speed)
{
	(void)p;
	(void)rate;
	(void)speed;
}
static inline bool cli_pace_wait(struct cli_pace *p)
{
	(void)p;
	return true;
}
static inline bool cli_pace_wait_recorded(struct cli_pace *p, const struct timespec *t)
{
	(void)p;
	(void)t;
	return true;
}
