/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c: `skiff version`. */
#include "cli_command.h"
#include "cli_exit.h"
#include "commands.h"
#include <skiff/version.h>
#include <stdio.h>

static int version_run(const struct cli_context *context, void *params)
{
	(void)context;
	(void)params;
	puts(skiff_version_components());
	return CLI_EXIT_OK;
}

const struct cli_command cmd_version = {
	.name = "version",
	.summary = "print the version, and those of the libraries underneath",
	.usage = "",
	.description = "Prints the version of skiff and those of OpenSSL, libwebsockets and libuv as they are running.",
	.run = version_run,
};
