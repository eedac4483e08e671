/* SPDX-License-Identifier: Apache-2.0 */
/* shares.c: one fork for each share; the kernel ends them when the parent dies first. */
#include "support/shares.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARES_SKIP = 77 };

struct share {
	const char *group;
	const struct CMUnitTest *tests;
	size_t count, first, step;
	share_fixture begin, end;
};

_Noreturn static void share_run(const struct share *share, pid_t parent)
{
	struct CMUnitTest *own = calloc(share->count + 1, sizeof *own);
	size_t count = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!own || getppid() != parent)
		abort();
	for (size_t i = share->first; i < share->count; i += share->step)
		own[count++] = share->tests[i];
	int failed = _cmocka_run_group_tests(share->group, own, count, share->begin, share->end);
	free(own);
	exit(failed != 0);
}

int shares_run(const char *group, const struct CMUnitTest tests[], size_t count, size_t shares, share_fixture begin,
	share_fixture end)
{
	struct share share = {group, tests, count, 0, shares, begin, end};
	pid_t parent = getpid(), children[SHARES_MAX];
	int failed = 0, skipped = 0;
#ifdef __SANITIZE_THREAD__ /* it sees more of what one process goes through */
	share.step = shares = 1;
#endif
	if (shares > SHARES_MAX)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; share.first < shares; share.first++) {
		children[share.first] = fork();
		if (!children[share.first])
			share_run(&share, parent);
	}
	for (size_t i = 0; i < shares; i++) {
		int status = 0;
		bool ended = waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status);
		skipped += ended && WEXITSTATUS(status) == SHARES_SKIP;
		failed += !ended || WEXITSTATUS(status);
	}
	if (skipped && skipped == failed)
		exit(SHARES_SKIP);
	return failed;
}
