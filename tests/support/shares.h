/* SPDX-License-Identifier: Apache-2.0 */
/* shares.h: a group of tests run by several processes at once, for tests that mostly wait.
 *
 * Each process runs every so-manieth test, so that neighbours, which take alike, are spread. Whatever the tests share
 * must stand before, and no thread may run yet. What is printed may be mixed line by line, never within a line.
 * Failure: a test that fails, and a process that dies, counts; where one exits with 77, all is skipped. Under the
 * thread sanitizer one process runs them all. */
#ifndef TESTS_SHARES_H
#define TESTS_SHARES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SHARES_MAX = 16 };

typedef int (*share_fixture)(void **state);

/* The number of processes in which something failed. In each `begin` runs first and `end` last, as cmocka's fixtures of
 * a group do; NULL: nothing does. */
int shares_run(const char *group, const struct CMUnitTest tests[], size_t count, size_t shares, share_fixture begin,
	share_fixture end);

#endif
