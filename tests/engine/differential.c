/* SPDX-License-Identifier: Apache-2.0 */
/* differential.c: the same random operation sequences on both engines, against one broker, must end alike.
 *
 *     test_engine_differential [FIRST [LAST]]
 *
 * plays the seeds 1 to SEEDS, or those named; what fails is printed with its seed, its plan and the first differences,
 * and with one seed named both accounts in full. Many plans run at a time, as Paho takes up to a second to notice a new
 * connection; each in a process of its own, as Paho 1.3.12, when one client resumes a session with messages in flight,
 * has every other client of the process send again what that has in flight, in the middle of its connection. */
#include "engine/differential.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef TESTS_SANITIZED
enum { SEEDS = 60, PLAYERS = 12 };
#else
enum { SEEDS = 500, PLAYERS = 50 };
#endif

enum { REPORT_BYTES = 1 << 20 };

/* What the players share. */
struct score {
	atomic_uint next, failed;
	atomic_uint seed[PLAYERS]; /* that each is at */
};

static struct {
	unsigned first, last;
	struct score *score;
	struct broker *broker;
	char acl[64];
} all = {.first = 1, .last = SEEDS};

static void seed_play(unsigned seed)
{
	struct plan plan;
	struct diary native = {0}, paho = {0};
	plan_draw(&plan, seed);
	run_play(&plan, SKIFF_ENGINE_NATIVE, all.broker, &native);
	run_play(&plan, SKIFF_ENGINE_PAHO, all.broker, &paho);
	if (all.first == all.last) {
		printf("  native:\n");
		diary_print(&native);
		printf("  paho:\n");
		diary_print(&paho);
	}
	if (diary_differs(&plan, &native, &paho)) {
		atomic_fetch_add(&all.score->failed, 1);
		plan_print(&plan);
	}
	fflush(stdout);
	diary_release(&native);
	diary_release(&paho);
}

/* A process of its own. */
static void player_main(int player)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdout, NULL, _IOFBF, REPORT_BYTES); /* a seed's report in one piece */
	for (;;) {
		unsigned seed = atomic_fetch_add(&all.score->next, 1);
		if (seed > all.last)
			exit(0);
		atomic_store(&all.score->seed[player], seed);
		seed_play(seed);
	}
}

static void player_end(pid_t pid, int player)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	printf("  seed %u: the process ended with status %x\n", atomic_load(&all.score->seed[player]), status);
	atomic_fetch_add(&all.score->failed, 1);
}

static void engines_end_alike(void **state)
{
	pid_t players[PLAYERS];
	(void)state;
	all.score = mmap(NULL, sizeof *all.score, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(all.score != MAP_FAILED);
	atomic_store(&all.score->next, all.first);
	fflush(stdout);
	for (int i = 0; i < PLAYERS; i++) {
		players[i] = fork();
		assert_true(players[i] >= 0);
		if (!players[i])
			player_main(i);
	}
	for (int i = 0; i < PLAYERS; i++)
		player_end(players[i], i);
	assert_int_equal(atomic_load(&all.score->failed), 0);
}

/* Everything but the topic "denied" is allowed. */
static void acl_write(void)
{
	static const char rules[] = "topic readwrite #\ntopic deny denied\n";
	snprintf(all.acl, sizeof all.acl, "%s", "/tmp/skiff-acl-XXXXXX");
	int fd = mkstemp(all.acl);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, rules, sizeof rules - 1), (ssize_t)sizeof rules - 1);
	close(fd);
}

static int differential_start(void **state)
{
	char settings[128];
	(void)state;
	acl_write();
	snprintf(settings, sizeof settings, "acl_file %s\nmax_queued_messages 100000", all.acl);
	all.broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .settings = settings});
	return 0;
}

static int differential_stop(void **state)
{
	(void)state;
	broker_stop(all.broker);
	unlink(all.acl);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(engines_end_alike)};
	if (argc > 1)
		all.first = all.last = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		all.last = (unsigned)strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, differential_start, differential_stop);
}
