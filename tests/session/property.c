/* SPDX-License-Identifier: Apache-2.0 */
/* property.c: two thousand random lives of a session. SKIFF_SEED plays one again, SKIFF_SEEDS sets their number. */
#include "session/world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 2000, STEPS = 400 };

static volatile uint64_t seed_now;

/* A breach aborts: the seed is said before the program goes. */
static void property_broken(int signal_number)
{
	fprintf(stderr, "seed %llu: play it again with SKIFF_SEED=%llu\n", (unsigned long long)seed_now,
		(unsigned long long)seed_now);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static uint64_t property_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void promises_hold(void **state)
{
	struct world_report report = {0};
	uint64_t only = property_number("SKIFF_SEED", 0), seeds = property_number("SKIFF_SEEDS", SEEDS);
	(void)state;
	signal(SIGABRT, property_broken);
	for (uint64_t seed = only ? only : 1; seed <= (only ? only : seeds); seed++) {
		struct world_plan plan = {.seed = seed, .steps = STEPS};
		seed_now = seed;
		world_run(&plan, &report);
	}
	printf("%u cuts, %u resumed, %u done, %u given back, %u lost, %u messages in\n", report.cuts, report.resumed,
		report.done, report.requeued, report.lost, report.messages_in);
	if (only)
		return;
	/* Lives in which nothing happens would prove nothing. */
	assert_true(report.cuts > seeds && report.resumed > seeds && report.done > 10 * seeds);
	assert_true(report.requeued > seeds / 10 && report.lost > seeds / 20 && report.messages_in > 5 * seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{.name = "5: MQTT-2.2.1-3 MQTT-3.3.4-7 MQTT-4.3.2-3 MQTT-4.3.3-10 MQTT-4.6.0-1 MQTT-4.6.0-2 "
			 "MQTT-4.6.0-3 "
			 "MQTT-4.6.0-4; 3.1.1: MQTT-2.3.1-3 MQTT-4.3.2-1 MQTT-4.3.2-2 MQTT-4.3.3-1 MQTT-4.3.3-2 "
			 "MQTT-4.6.0-1 -- the promises hold over random lives",
			.test_func = promises_hold},
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
