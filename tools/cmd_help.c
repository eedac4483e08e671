/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c: `skiff help`. */
#include "check_causes.h"
#include "cli_command.h"
#include "cli_exit.h"
#include "cli_help.h"
#include "cli_man.h"
#include "cli_suggest.h"
#include "commands.h"
#include <string.h>

struct help_params {
	bool man;
};

static const struct cli_option help_options[] = {
	{.name = "man",
		.type = CLI_FLAG,
		.field = offsetof(struct help_params, man),
		.help = "print the manual page in roff instead, for man(1): 'skiff help --man pub | man -l -'"},
};

static const struct cli_group help_groups[] = {CLI_GROUP("Output", help_options, 0), {0}};

static const struct {
	const char *name;
	void (*print)(void);
} help_topics[] = {
	{"exit", cli_help_exit},
	{"environment", cli_help_environment},
	{"engines", cli_help_engines},
	{"causes", check_causes_print},
};

enum { HELP_TOPICS = sizeof(help_topics) / sizeof(help_topics[0]) };

static int help_unknown(const struct cli_context *context, const char *name, bool man)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; cli_commands[i]; i++)
		cli_suggest(&best, name, strlen(name), cli_commands[i]->name);
	for (size_t i = 0; i < HELP_TOPICS; i++)
		cli_suggest(&best, name, strlen(name), help_topics[i].name);
	if (man && best.name && !strcmp(best.name, name))
		cli_say(context, "topic '%s': has no manual page of its own; it is in skiff(1)", name);
	else if (best.name)
		cli_say(context, "topic '%s': unknown; did you mean '%s'?", name, best.name);
	else
		cli_say(context, "topic '%s': unknown; 'skiff help' lists the commands", name);
	return CLI_EXIT_USAGE;
}

/* A word too many, or a second one that is none of the command's. */
static int help_unknown_second(const struct cli_context *context, const struct cli_command *command, const char *name)
{
	if (command && command->commands)
		cli_say(context, "topic '%s %s': unknown; 'skiff help %s' lists those there are", command->name, name,
			command->name);
	else
		cli_say(context, "argument '%s': unexpected; 'skiff help help' says what is taken", name);
	return CLI_EXIT_USAGE;
}

static int help_run(const struct cli_context *context, void *params)
{
	const struct help_params *help = params;
	const char *name = context->operands[0];
	int used;
	if (!name) {
		if (help->man)
			cli_man(NULL);
		else
			cli_help_overview();
		return CLI_EXIT_OK;
	}
	const struct cli_command *command = cli_command_find(context->operands, context->operand_count, &used);
	if (command && used == context->operand_count) {
		if (help->man)
			cli_man(command);
		else
			cli_help_command(command);
		return CLI_EXIT_OK;
	}
	if (context->operand_count > 1)
		return help_unknown_second(context, command, context->operands[command ? used : 1]);
	for (size_t i = 0; i < HELP_TOPICS && !help->man; i++) {
		if (strcmp(help_topics[i].name, name) == 0) {
			help_topics[i].print();
			return CLI_EXIT_OK;
		}
	}
	return help_unknown(context, name, help->man);
}

const struct cli_command cmd_help = {
	.name = "help",
	.summary = "explain a command, the exit codes, the environment, the engines or the causes of failures",
	.usage = "[COMMAND [WORD] | exit | environment | engines | causes] | --man [COMMAND [WORD]]",
	.description =
		"Prints what skiff can do, or everything about one command. The text comes from the tables that the "
		"command line itself is read by.",
	.groups = help_groups,
	.params_size = sizeof(struct help_params),
	.max_operands = 2,
	.offers = "COMMAND exit environment engines causes",
	.run = help_run,
};
