/* SPDX-License-Identifier: Apache-2.0 */
#include "support/skiff_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { COMMAND_BYTES = 8192 };

int skiff_run(const char *words, char *output, size_t size)
{
	char command[COMMAND_BYTES];
	int len = snprintf(command, sizeof command, "%s %s", SKIFF, words);
	FILE *pipe = len > 0 && len < COMMAND_BYTES ? popen(command, "r") : NULL;
	if (!pipe) {
		perror("skiff_run");
		abort();
	}
	output[fread(output, 1, size - 1, pipe)] = '\0';
	int status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
