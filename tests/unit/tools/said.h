/* SPDX-License-Identifier: Apache-2.0 */
/* said.h: in place of tools/cli_output.c: what cli_say would have written. */
#ifndef TESTS_UNIT_TOOLS_SAID_H
#define TESTS_UNIT_TOOLS_SAID_H

/* The last sentence since said_clear, "" for none; and how many there were. */
extern char said[4096];
extern unsigned said_count;

void said_clear(void);

#endif
