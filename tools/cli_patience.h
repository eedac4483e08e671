/* SPDX-License-Identifier: Apache-2.0 */
/* cli_patience.h: a call that may block for long, such as one to the system's resolver, and that nobody waits for
 * longer than he said. */
#ifndef CLI_PATIENCE_H
#define CLI_PATIENCE_H

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>

enum { CLI_PATIENCE_MS = 8000 }; /* for a name, where nobody says: as the library's own */

/* Something to do; embedded in memory of its own, on the heap, that holds all `run` uses. */
struct cli_task {
	void (*run)(struct cli_task *task);
	void (*drop)(struct cli_task *task); /* frees it */
	pthread_mutex_t lock;
	bool done, left;
	pthread_cond_t changed;
};

/* Has `task->run` called on another thread, and waits for it. True: it has been, and the task is the caller's again.
 * False: it takes longer than `ms` milliseconds, or there are no threads; the task is dropped, now or later. */
bool cli_patience(struct cli_task *task, int ms);

/* As getaddrinfo for stream addresses of `host`: 0 with `*found`, which freeaddrinfo frees, or EAI_* with NULL;
 * EAI_AGAIN also after `ms` milliseconds without an answer. */
int cli_patience_addresses(const char *host, int family, int ms, struct addrinfo **found);

#endif
