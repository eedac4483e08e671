/* SPDX-License-Identifier: Apache-2.0 */
/* cli_patience.c: a thread that is left to itself when it takes too long. Whoever comes second, it with its end or the
 * caller with his limit, has the task. */
#include "cli_patience.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *patience_run(void *argument)
{
	struct cli_task *task = argument;
	task->run(task);
	pthread_mutex_lock(&task->lock);
	task->done = true;
	bool left = task->left;
	pthread_cond_signal(&task->changed);
	pthread_mutex_unlock(&task->lock);
	if (left)
		task->drop(task);
	return NULL;
}

static bool patience_start(struct cli_task *task)
{
	pthread_t thread;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&task->lock, NULL);
	pthread_cond_init(&task->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	task->done = task->left = false;
	if (pthread_create(&thread, NULL, patience_run, task) != 0)
		return false;
	pthread_detach(thread);
	return true;
}

bool cli_patience(struct cli_task *task, int ms)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	long ns = end.tv_nsec + ms % 1000 * 1000000L;
	end = (struct timespec){end.tv_sec + ms / 1000 + ns / 1000000000, ns % 1000000000};
	if (!patience_start(task)) {
		task->drop(task);
		return false;
	}
	pthread_mutex_lock(&task->lock);
	while (!task->done && pthread_cond_timedwait(&task->changed, &task->lock, &end) == 0)
		continue;
	bool done = task->done;
	task->left = !done;
	pthread_mutex_unlock(&task->lock);
	return done;
}

/* ---- names ---- */

struct patience_names {
	struct cli_task task; /* first */
	struct addrinfo hints, *found;
	int error;
	char host[];
};

static void names_run(struct cli_task *task)
{
	struct patience_names *names = (struct patience_names *)task;
	names->error = getaddrinfo(names->host, NULL, &names->hints, &names->found);
}

static void names_drop(struct cli_task *task)
{
	struct patience_names *names = (struct patience_names *)task;
	if (names->found)
		freeaddrinfo(names->found);
	free(names);
}

int cli_patience_addresses(const char *host, int family, int ms, struct addrinfo **found)
{
	size_t size = strlen(host) + 1;
	struct patience_names *names = calloc(1, sizeof(*names) + size);
	*found = NULL;
	if (!names)
		return EAI_MEMORY;
	names->task = (struct cli_task){.run = names_run, .drop = names_drop};
	names->hints = (struct addrinfo){.ai_family = family, .ai_socktype = SOCK_STREAM};
	memcpy(names->host, host, size);
	if (!cli_patience(&names->task, ms))
		return EAI_AGAIN;
	int error = names->error;
	*found = error ? NULL : names->found;
	names->found = NULL;
	names_drop(&names->task);
	return error;
}
