/* SPDX-License-Identifier: Apache-2.0 */
/* waiting.c: one lock and one condition for all. */
#include "support/waiting.h"

#include <pthread.h>
#include <time.h>

static pthread_mutex_t waiting_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waiting_changed;
static pthread_once_t waiting_once = PTHREAD_ONCE_INIT;

static void waiting_init(void)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&waiting_changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct timespec waiting_deadline(int ms)
{
	struct timespec deadline;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += ms / 1000;
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	return deadline;
}

int64_t waiting_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void waiting_lock(void)
{
	pthread_once(&waiting_once, waiting_init);
	pthread_mutex_lock(&waiting_mutex);
}

void waiting_unlock(void)
{
	pthread_cond_broadcast(&waiting_changed);
	pthread_mutex_unlock(&waiting_mutex);
}

bool waiting_until(waiting_condition holds, const void *subject, int ms)
{
	struct timespec deadline = waiting_deadline(ms);
	int late = 0;
	waiting_lock();
	bool held = holds(subject);
	while (!held && !late) {
		late = pthread_cond_timedwait(&waiting_changed, &waiting_mutex, &deadline);
		held = holds(subject);
	}
	pthread_mutex_unlock(&waiting_mutex);
	return held;
}

bool waiting_poll(waiting_condition holds, const void *subject, int ms)
{
	int64_t deadline = waiting_now_ms() + ms;
	while (!holds(subject)) {
		if (waiting_now_ms() >= deadline)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return true;
}

void waiting_add(struct waiting_count *count)
{
	waiting_lock();
	count->value++;
	if (count->wanted && count->value >= count->wanted)
		pthread_cond_broadcast(&waiting_changed);
	pthread_mutex_unlock(&waiting_mutex);
}

static bool waiting_reached(const void *subject)
{
	const struct waiting_count *count = subject;
	return count->value >= count->wanted;
}

bool waiting_reach(struct waiting_count *count, uint64_t value, int ms)
{
	waiting_lock();
	count->wanted = value;
	waiting_unlock();
	return waiting_until(waiting_reached, count, ms);
}

uint64_t waiting_value(const struct waiting_count *count)
{
	waiting_lock();
	uint64_t value = count->value;
	pthread_mutex_unlock(&waiting_mutex);
	return value;
}
