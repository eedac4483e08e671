/* SPDX-License-Identifier: Apache-2.0 */
/* waiting.h: a test waits for what another thread does, with a deadline and without sleeping.
 *
 * One lock for the whole program guards what handlers and tests share. 1. The handler takes it, changes something, lets
 * go. 2. The test waits until a condition on it holds. A deadline that passes gives false, which the test asserts on.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include <stdbool.h>
#include <stdint.h>

/* Long enough for any machine: only a failure takes so long. */
enum { WAITING_LONG_MS = 60000 };

typedef bool (*waiting_condition)(const void *subject);

void waiting_lock(void);
void waiting_unlock(void); /* and whoever waits looks again */

/* Until `holds(subject)`, asked under the lock, at most `ms`. Result: whether it holds. */
bool waiting_until(waiting_condition holds, const void *subject, int ms);

/* The same for what no other thread announces, such as a statistic: asked every millisecond, without the lock. */
bool waiting_poll(waiting_condition holds, const void *subject, int ms);

/* Something that is counted, often; nobody is woken before the count that is waited for. All-zero is a count of 0. */
struct waiting_count {
	uint64_t value, wanted;
};

void waiting_add(struct waiting_count *count);
bool waiting_reach(struct waiting_count *count, uint64_t value, int ms);
uint64_t waiting_value(const struct waiting_count *count);

/* Milliseconds of a monotonic clock. */
int64_t waiting_now_ms(void);

#endif
