/* SPDX-License-Identifier: Apache-2.0 */
/* cli_pace.c: when the next message is due. Times are added up, not measured anew, so that nothing drifts. */
#include "cli_pace.h"
#include "cli_stop.h"

static const double PACE_STALL_S = 1;

static double pace_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_pace_begin(struct cli_pace *pace, double rate, double speed)
{
	*pace = (struct cli_pace){.rate = rate, .speed = speed};
}

/* Waits for a time that lies `step_s` behind the last one. */
static bool pace_step(struct cli_pace *pace, double step_s)
{
	double now = pace_now();
	if (pace->due_s > 0)
		pace->due_s += step_s;
	if (pace->due_s < now - PACE_STALL_S)
		pace->due_s = now;
	return pace->due_s <= now || cli_stop_pause((pace->due_s - now) * 1000);
}

bool cli_pace_wait(struct cli_pace *pace)
{
	return pace->rate > 0 ? pace_step(pace, 1 / pace->rate) : true;
}

bool cli_pace_wait_recorded(struct cli_pace *pace, const struct timespec *when)
{
	if (pace->speed <= 0 || !when)
		return cli_pace_wait(pace);
	double recorded = (double)when->tv_sec + (double)when->tv_nsec / 1e9;
	double step = pace->has_recorded && recorded > pace->recorded_s ? recorded - pace->recorded_s : 0;
	pace->has_recorded = true;
	pace->recorded_s = recorded;
	return pace_step(pace, step / pace->speed);
}
