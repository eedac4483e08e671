/* SPDX-License-Identifier: Apache-2.0 */
/* cli_pace.h: when the next message is due: at a rate, or at the pace in which messages once came. */
#ifndef SKIFF_CLI_PACE_H
#define SKIFF_CLI_PACE_H

#include <stdbool.h>
#include <time.h>

struct cli_pace {
	double rate;  /* messages a second; 0: no rate */
	double speed; /* of what was recorded; 0: no pauses */
	double due_s; /* of the next message, on the monotonic clock; 0: none yet */
	double recorded_s;
	bool has_recorded;
};

void cli_pace_begin(struct cli_pace *pace, double rate, double speed);

/* Waits until the next message is due. After a stall of more than a second the rate starts anew: what was missed is not
 * made up for. Result: false when the command is told to stop. */
bool cli_pace_wait(struct cli_pace *pace);

/* The same for a message that came at `when` (NULL: nobody knows); with a rate, as above. A clock that went backwards
 * is no pause. */
bool cli_pace_wait_recorded(struct cli_pace *pace, const struct timespec *when);

#endif
