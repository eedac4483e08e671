/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: a session and the model broker with a link between them, moved by dice.
 *
 * Requests, pieces of bytes either way, answers in any order, cuts at any byte, resumption, a broker that forgets,
 * time. Everything that must hold is checked at each step and, once the faults have stopped and all is quiet, at the
 * end: a breach ends the program with the seed. */
#ifndef SKIFF_TESTS_WORLD_H
#define SKIFF_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct world_plan {
	uint64_t seed;
	unsigned steps;
	bool memory_fails; /* an allocation may fail: then requests and connections may */
};

/* What a run saw, so that a test can tell that it saw enough. */
struct world_report {
	unsigned cuts, resumed, lost, requeued, done, messages_in, aliased;
};

void world_run(const struct world_plan *plan, struct world_report *report);

#endif
