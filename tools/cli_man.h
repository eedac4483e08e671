/* SPDX-License-Identifier: Apache-2.0 */
/* cli_man.h: manual pages in roff, from the same tables that the parser reads. */
#ifndef SKIFF_CLI_MAN_H
#define SKIFF_CLI_MAN_H

#include "cli_command.h"

/* Prints skiff-NAME(1), or skiff(1) when `command` is NULL, to stdout. */
void cli_man(const struct cli_command *command);

#endif
