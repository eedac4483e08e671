/* SPDX-License-Identifier: Apache-2.0 */
/* lab_state.h: one lab, from the choice of its ports to its end; what the lab_* files share.
 *
 * Happy path: lab_dir_open, lab_dir_certificates, lab_ports_choose, lab_config_write, lab_broker_start, then either
 * lab_print or a command with lab_environment_set, lab_broker_stop, lab_dir_close.
 * Failure: every step returns false and leaves one sentence in `error`. */
#ifndef SKIFF_LAB_STATE_H
#define SKIFF_LAB_STATE_H

#include "lab_doors.h"
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

enum { LAB_PATH_BYTES = PATH_MAX };

/* What the doors are reached through (lab_link.h). */
struct lab_link {
	bool on;
	double delay_ms, jitter_ms; /* each way */
	double bits_per_s;          /* 0: as fast as it goes */
	double loss_percent;
};

struct lab {
	/* what was asked for */
	struct lab_link link;
	const char *dir_wanted; /* NULL: a temporary one that goes with the lab */
	const char *as;         /* the real name to stand under, in a network of its own; NULL: loopback */
	const char *program;    /* the mosquitto to run; NULL: look for it */
	int base;               /* added to the real ports; 0: free ports */

	/* what came of it */
	const char *host; /* as it stands in URLs */
	char dir[LAB_PATH_BYTES];
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int ports[LAB_DOORS];
	bool relay; /* the broker cannot listen on a Unix socket: ours does */
	char broker[LAB_PATH_BYTES];
	int lock;   /* file that says that `dir` is in use; -1 */
	int keeper; /* our end of the keeper's pipe; -1 */
	pid_t keeper_pid, broker_pid, relay_pid, link_pid;
	sigset_t signals;       /* those that end the lab, and SIGCHLD: blocked, and waited for */
	int ended_by;           /* the signal that ends the lab; 0: none yet */
	bool ended_by_terminal; /* it came by ^C, and so to the command too */
	char error[1024];
};

/* Sets the sentence, without a newline, and returns false. */
bool lab_fail(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes `dir`/`name` into `path` of LAB_PATH_BYTES; false with a sentence where it does not fit. */
bool lab_path(struct lab *lab, char *path, const char *name);

/* The URL of `socket`; `url` of LAB_URL_BYTES always holds it. */
void lab_unix_url(const struct lab *lab, char *url);

#endif
