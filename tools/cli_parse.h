/* SPDX-License-Identifier: Apache-2.0 */
/* cli_parse.h: words of the command line into the parameters of a command, by its option table.
 *
 * Spelling as in mosquitto_pub: names are exact, short options are not bundled, a value is the next word whatever it
 * looks like. Beyond that a long option may also be written --name=value, and `--` ends the options. An option that
 * holds one value and is repeated keeps the last. Every fault is one sentence on stderr.
 *
 * As mosquitto_pub and so on (context->mosquitto) all is as there: no '=' and no `--`, nothing but options, and numbers
 * are read as far as they are some. */
#ifndef SKIFF_CLI_PARSE_H
#define SKIFF_CLI_PARSE_H

#include "cli_command.h"

enum cli_parsed {
	CLI_PARSED_RUN,
	CLI_PARSED_HELP,    /* --help was met; what follows it was not read */
	CLI_PARSED_VERSION, /* --version was met */
	CLI_PARSED_WRONG    /* and said why */
};

/* Parses the options of context->settings, then `argv` (without the command's name), for context->command. `params`
 * must be zeroed and at least params_size large; whatever the result, cli_parse_free it. Reorders `argv`: operands move
 * to its front. */
enum cli_parsed cli_parse(int argc, char **argv, struct cli_context *context, void *params);

/* Frees and wipes what cli_parse put into `params`. */
void cli_parse_free(const struct cli_command *command, void *params);

/* The groups of a command by index, the common one last; NULL after it. */
const struct cli_group *cli_group_at(const struct cli_command *command, size_t index);

/* How messages name an option: "--qos", or "-C" where there is no long name. `buffer` holds 64 bytes. */
const char *cli_option_label(const struct cli_option *option, char *buffer);

#endif
