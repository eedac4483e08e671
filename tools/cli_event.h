/* SPDX-License-Identifier: Apache-2.0 */
/* cli_event.h: something that happens on one thread and is awaited on another, such as a message's arrival. */
#ifndef SKIFF_CLI_EVENT_H
#define SKIFF_CLI_EVENT_H

#include <pthread.h>
#include <stdbool.h>

struct cli_event {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool set;
};

void cli_event_init(struct cli_event *event);
void cli_event_destroy(struct cli_event *event);

/* What was written before this is seen by who awaited it. Any thread. */
void cli_event_set(struct cli_event *event);

/* Waits until it is set, `ms` at most, and takes it back; false: it was not. */
bool cli_event_wait(struct cli_event *event, int ms);

#endif
