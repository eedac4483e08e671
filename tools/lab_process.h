/* SPDX-License-Identifier: Apache-2.0 */
/* lab_process.h: the lab's children: how they start, and that none outlives the lab.
 *
 * Every child begins with the signals as they were before the lab, in a process group of its own where it is the lab's
 * (so that ^C ends the command first and the broker last). The kernel ends the lab's own children when the lab is
 * killed. */
#ifndef SKIFF_LAB_PROCESS_H
#define SKIFF_LAB_PROCESS_H

#include "lab_state.h"

/* Blocks the signals that end a lab, those that are not ignored, and SIGCHLD. */
void lab_signals_block(struct lab *lab);

/* Whether a signal has come that ends the lab; it is then in `ended_by`. Never sleeps. */
bool lab_process_interrupted(struct lab *lab);

/* Sleeps until a child ends or a signal comes, at most `ms`, -1 for ever: true for a signal that ends the lab. */
bool lab_process_sleep(struct lab *lab, int ms);

/* Starts `argv[0]`, looked for in PATH, as the lab's own child: its folder `dir`, its input /dev/null, its output
 * appended to the file `log`. Gives the process id, or -1 with a sentence. */
pid_t lab_process_start(struct lab *lab, const char *const argv[], const char *log);

/* Forks a child of the lab's that goes on in our own code: 0 in the child, as fork(2). */
pid_t lab_process_fork(struct lab *lab);

/* Starts the user's command: our terminal, our process group. */
pid_t lab_process_start_command(struct lab *lab, const char *const argv[]);

/* Waits for `pid`: its exit status as a shell gives it (128 + signal). */
int lab_process_wait(pid_t pid);

/* Whether `*pid` has ended; then it is 0 from now on. */
bool lab_process_ended(pid_t *pid, int *status);

/* Ends `*pid` with SIGTERM, with SIGKILL after 3 seconds, waits for it and sets it to 0. No-op at 0. */
void lab_process_stop(pid_t *pid);

#endif
