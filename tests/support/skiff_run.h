/* SPDX-License-Identifier: Apache-2.0 */
/* skiff_run.h: runs the command, SKIFF being its path. */
#ifndef TESTS_SKIFF_RUN_H
#define TESTS_SKIFF_RUN_H

#include <stddef.h>

/* What `skiff WORDS`, words as a shell takes them, prints to stdout, cut to `size` with its NUL. Result: its exit code.
 */
int skiff_run(const char *words, char *output, size_t size);

#endif
