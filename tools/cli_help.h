/* SPDX-License-Identifier: Apache-2.0 */
/* cli_help.h: what `skiff help` prints, from the same tables that the parser reads. */
#ifndef SKIFF_CLI_HELP_H
#define SKIFF_CLI_HELP_H

#include "cli_command.h"

/* An environment variable that commands look at. */
struct cli_variable {
	const char *name;
	const char *help;
};

/* Ends with a NULL name. */
extern const struct cli_variable cli_variables[];

/* What an engine is, and how one is chosen: paragraphs, separated by an empty line. */
extern const char cli_engines_text[];

/* The table of what each engine can do, from the engines' own sets; at most 100 columns. */
void cli_engines_table(void);

/* Prints words up to the right margin, going on at `indent`, where the cursor stands. An empty line stays one. */
void cli_help_wrap(const char *text, size_t indent);

/* All of these print to stdout. */
void cli_help_overview(void);
void cli_help_command(const struct cli_command *command);
void cli_help_exit(void);
void cli_help_environment(void);
void cli_help_engines(void);

#endif
