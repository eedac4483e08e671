/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c: who waits for the system's resolver, and who does not. It is this file's: the names that begin with "slow"
 * are answered when the test says so, the others at once. */
#include "endpoint/lookup.h"

#include "loop/loop.h"
#include "support/waiting.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 140, THREADS = 128, ALIKE = 3, CHILD_S = 20 };

/* ---- the resolver ---- */

static struct {
	int gate[2]; /* a pipe: they are answered once there is something to read */
	struct waiting_count asked, answered;
} resolver;

__attribute__((visibility("default"))) int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	struct pollfd gate = {.fd = resolver.gate[0], .events = POLLIN};
	(void)service, (void)hints, (void)answer;
	if (!strncmp(name, "slow", 4)) {
		waiting_add(&resolver.asked);
		poll(&gate, 1, WAITING_LONG_MS);
		waiting_add(&resolver.answered);
	}
	return EAI_NONAME;
}

static void resolver_answer(void)
{
	assert_int_equal(write(resolver.gate[1], "", 1), 1);
}

static int resolver_start(void **state)
{
	(void)state;
	return pipe(resolver.gate);
}

/* Everything that was asked has been answered. */
static int resolver_stop(void **state)
{
	(void)state;
	resolver_answer();
	assert_true(waiting_reach(&resolver.answered, waiting_value(&resolver.asked), WAITING_LONG_MS));
	close(resolver.gate[0]);
	close(resolver.gate[1]);
	memset(&resolver, 0, sizeof resolver);
	return 0;
}

/* ---- those who ask ---- */

struct asker {
	struct skiffi_job job;
	struct skiffi_loop *loop;
	char name[32];
	struct skiffi_lookup *lookup;
	bool begun, cancelled; /* these, and what is below, under the lock of waiting.h */
	int answers, error;
};

static bool asker_begun(const void *subject)
{
	return ((const struct asker *)subject)->begun;
}

static bool asker_cancelled(const void *subject)
{
	return ((const struct asker *)subject)->cancelled;
}

static bool asker_answered(const void *subject)
{
	return ((const struct asker *)subject)->answers;
}

static void asker_done(void *user, const struct skiffi_lookup_answer *answer)
{
	struct asker *asker = user;
	waiting_lock();
	asker->answers++;
	asker->error = answer->error;
	waiting_unlock();
}

static void asker_begin(struct skiffi_job *job)
{
	struct asker *asker = (struct asker *)job;
	asker->lookup = skiffi_lookup_start(&asker->loop->uv, asker->name, AF_UNSPEC, asker_done, asker);
	assert_non_null(asker->lookup);
	waiting_lock();
	asker->begun = true;
	waiting_unlock();
}

static void asker_give_up(struct skiffi_job *job)
{
	struct asker *asker = (struct asker *)job;
	skiffi_lookup_cancel(asker->lookup);
	waiting_lock();
	asker->cancelled = true;
	waiting_unlock();
}

static void ask(struct asker *asker, const char *name, int number)
{
	memset(asker, 0, sizeof *asker);
	snprintf(asker->name, sizeof asker->name, "%s%d", name, number);
	asker->job.run = asker_begin;
	asker->loop = skiffi_loop_ref();
	assert_non_null(asker->loop);
	skiffi_loop_post(asker->loop, &asker->job);
	assert_true(waiting_until(asker_begun, asker, WAITING_LONG_MS));
}

static void give_up(struct asker *asker)
{
	asker->job.run = asker_give_up;
	skiffi_loop_post(asker->loop, &asker->job);
	assert_true(waiting_until(asker_cancelled, asker, WAITING_LONG_MS));
	skiffi_loop_unref(asker->loop);
}

static void is_answered(struct asker *asker)
{
	assert_true(waiting_until(asker_answered, asker, WAITING_LONG_MS));
	skiffi_loop_unref(asker->loop);
	assert_int_equal(asker->answers, 1);
	assert_int_equal(asker->error, EAI_NONAME);
}

/* ---- the tests ---- */

static void same_question_is_shared(void **state)
{
	struct asker askers[MANY];
	(void)state;
	skiffi_loop_spread(2);
	for (int i = 0; i < MANY; i++)
		ask(&askers[i], "slow", 0);
	skiffi_loop_spread(1);
	assert_true(waiting_reach(&resolver.asked, ALIKE, WAITING_LONG_MS));
	give_up(&askers[0]); /* the first, one in between and the last are no matter to the others */
	give_up(&askers[MANY / 2]);
	give_up(&askers[MANY - 1]);
	resolver_answer();
	for (int i = 1; i < MANY - 1; i++)
		if (i != MANY / 2)
			is_answered(&askers[i]);
	assert_int_equal(waiting_value(&resolver.asked), ALIKE);
	assert_int_equal(askers[0].answers + askers[MANY / 2].answers + askers[MANY - 1].answers, 0);
}

/* Who comes again and again does not fill the threads with one name. */
static void what_is_given_up_is_bounded(void **state)
{
	struct asker slow, quick;
	(void)state;
	for (int i = 0; i < 2 * THREADS; i++) {
		ask(&slow, "slow", i % 2);
		give_up(&slow);
	}
	ask(&quick, "quick", 0);
	is_answered(&quick);
	assert_true(waiting_value(&resolver.asked) <= 2 * ALIKE);
}

static void slow_names_hold_up_nobody(void **state)
{
	struct asker slow[8], quick;
	(void)state;
	for (int i = 0; i < 8; i++)
		ask(&slow[i], "slow", i);
	assert_true(waiting_reach(&resolver.asked, 8, WAITING_LONG_MS));
	ask(&quick, "quick", 0);
	is_answered(&quick);
	resolver_answer();
	for (int i = 0; i < 8; i++)
		is_answered(&slow[i]);
}

static void threads_are_bounded(void **state)
{
	struct asker askers[MANY];
	(void)state;
	for (int i = 0; i < MANY; i++)
		ask(&askers[i], "slow", i);
	assert_true(waiting_reach(&resolver.asked, THREADS, WAITING_LONG_MS));
	give_up(&askers[MANY - 1]); /* it is never asked */
	resolver_answer();
	for (int i = 0; i < MANY - 1; i++)
		is_answered(&askers[i]);
	assert_int_equal(waiting_value(&resolver.asked), MANY - 1);
}

/* The network may be better by now. */
static void given_up_is_asked_anew(void **state)
{
	struct asker first, second;
	(void)state;
	ask(&first, "slow", 0);
	assert_true(waiting_reach(&resolver.asked, 1, WAITING_LONG_MS));
	give_up(&first);
	skiffi_loop_end_unused(); /* does not wait for it */
	ask(&second, "slow", 0);
	assert_true(waiting_reach(&resolver.asked, 2, WAITING_LONG_MS));
	resolver_answer();
	is_answered(&second);
	assert_int_equal(first.answers, 0);
}

/* ---- processes ---- */

/* Its exit code; it is killed when it takes too long. */
static int child_ends_with(pid_t child)
{
	struct timespec limit = {.tv_sec = CHILD_S};
	sigset_t set;
	int status = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigtimedwait(&set, NULL, &limit) < 0)
		kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t child_start(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(NULL);
	return fork();
}

static void process_ends_while_a_name_is_looked_up(void **state)
{
	struct asker asker;
	(void)state;
	pid_t child = child_start();
	if (!child) {
		ask(&asker, "slow", 0);
		waiting_reach(&resolver.asked, 1, WAITING_LONG_MS);
		give_up(&asker);
		exit(7);
	}
	assert_int_equal(child_ends_with(child), 7);
}

/* The threads are the parent's. */
static void forked_child_asks_anew(void **state)
{
	struct asker asker;
	(void)state;
#ifdef __SANITIZE_THREAD__ /* which allows no threads in such a child */
	skip();
#endif
	ask(&asker, "slow", 0);
	assert_true(waiting_reach(&resolver.asked, 1, WAITING_LONG_MS));
	pid_t child = child_start();
	if (!child) {
		struct asker own;
		resolver_start(NULL);
		resolver_answer();
		ask(&own, "slow", 0);
		is_answered(&own);
		_exit(7);
	}
	assert_int_equal(child_ends_with(child), 7);
	assert_int_equal(asker.answers, 0);
	resolver_answer();
	is_answered(&asker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, resolver_start, resolver_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(process_ends_while_a_name_is_looked_up), /* before there are threads */
		TEST(same_question_is_shared),
		TEST(what_is_given_up_is_bounded),
		TEST(slow_names_hold_up_nobody),
		TEST(threads_are_bounded),
		TEST(given_up_is_asked_anew),
		TEST(forked_child_asks_anew),
	};
	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
