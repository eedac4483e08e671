/* SPDX-License-Identifier: Apache-2.0 */
/* cli_stop.h: the one way in which a running command is told to end: by SIGINT, SIGTERM, a time limit, or by itself.
 *
 * A thread of its own waits for signals, so that nothing runs in a signal handler. The first reason counts: it sets the
 * exit code, makes cli_stop_fd() readable, and calls the function that ends what the command is waiting for. A second
 * signal ends the process at once. SIGHUP ends a command whose terminal is gone; else it has files read again, where
 * the command has such. */
#ifndef SKIFF_CLI_STOP_H
#define SKIFF_CLI_STOP_H

#include "cli_command.h"
#include <stdbool.h>

/* -W, which ends `what`. */
#define CLI_SECONDS_OPTION(at, what) \
	{ \
		.letter = 'W', .type = CLI_INT, .value = "SECONDS", .field = (at), .min = 1, .max = 2147483647, \
		.help = what " after this time, with exit code 27" \
	}

/* Must not block, nor call back into cli_stop. */
typedef void (*cli_stop_fn)(void *user);

/* Begins to watch; before any other thread is started. `seconds` 0: no time limit. Result: an exit code,
 * after saying what went wrong. */
int cli_stop_start(const struct cli_context *context, long long seconds);

/* Says that time is up, where that is why the command ends with `code`; `more` ends the sentence. */
void cli_stop_say(const struct cli_context *context, int code, long long seconds, const char *more);

/* Asks for the end with `code`; ignored when somebody asked before. Any thread. */
void cli_stop(int code);

/* The exit code asked for, -1 while nobody did. Any thread. */
int cli_stop_code(void);

/* A descriptor that is readable from the stop on; do not read it. */
int cli_stop_fd(void);

/* `fn` is called once when the stop comes, or now if it has come. NULL: it does not run any more once this returns. */
void cli_stop_notify(cli_stop_fn fn, void *user);

/* `fn` is called at each SIGHUP that does not end the command. NULL: it does not run any more once this returns. */
void cli_stop_on_hangup(cli_stop_fn fn, void *user);

/* Waits for a time in milliseconds, -1: without end. Result: false when the stop comes first. */
bool cli_stop_pause(double ms);

/* Waits until `fd` is ready for `events` (poll). Result: false when the stop comes first. */
bool cli_stop_wait(int fd, short events);

#endif
