/* SPDX-License-Identifier: Apache-2.0 */
/* cli_event.c: a flag, a lock and a condition on the monotonic clock. */
#include "cli_event.h"
#include <time.h>

void cli_event_init(struct cli_event *event)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&event->lock, NULL);
	pthread_cond_init(&event->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	event->set = false;
}

void cli_event_destroy(struct cli_event *event)
{
	pthread_cond_destroy(&event->changed);
	pthread_mutex_destroy(&event->lock);
}

void cli_event_set(struct cli_event *event)
{
	pthread_mutex_lock(&event->lock);
	event->set = true;
	pthread_cond_signal(&event->changed);
	pthread_mutex_unlock(&event->lock);
}

bool cli_event_wait(struct cli_event *event, int ms)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_nsec -= 1000000000L;
		end.tv_sec++;
	}
	pthread_mutex_lock(&event->lock);
	int late = 0;
	while (!event->set && !late)
		late = pthread_cond_timedwait(&event->changed, &event->lock, &end);
	bool set = event->set;
	event->set = false;
	pthread_mutex_unlock(&event->lock);
	return set;
}
