/* SPDX-License-Identifier: Apache-2.0 */
/* cli_progress.h: how it goes, in one line on a terminal: how many messages, at what rate, and where the size of the
 * input is known how much of it. Nothing where standard error is no terminal. */
#ifndef SKIFF_CLI_PROGRESS_H
#define SKIFF_CLI_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_progress {
	bool shown;
	pthread_t thread;
	int ended[2]; /* a pipe; closed at the end */
	atomic_ullong messages, bytes;
	unsigned long long size; /* of the input; 0: not known */
	double began_s;
};

/* `input` is the descriptor that is read, -1: none. `quiet`: shows nothing. */
void cli_progress_begin(struct cli_progress *progress, int input, bool quiet);

/* One message more; any thread. */
void cli_progress_add(struct cli_progress *progress, size_t bytes);

/* Takes the line away. */
void cli_progress_end(struct cli_progress *progress);

#endif
