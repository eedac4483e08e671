/* SPDX-License-Identifier: Apache-2.0 */
/* completion_bash.c: the tables as functions of bash: each sets variables of the script for the command it is given. */
#include "cli_parse.h"
#include "completion.h"
#include <stdio.h>

extern const char completion_script_bash[]; /* completion/skiff.bash, put in by the build */

static void names_print(const struct cli_option *option, const char *before_letter, const char *before_name)
{
	if (option->letter)
		printf("%s%c", before_letter, option->letter);
	if (option->name)
		printf("%s%s", before_name, option->name);
}

/* "kind" and "words" as assignments, after `prefix`. */
static void kind_print(enum completion_kind kind, const char *prefix)
{
	if (kind == COMPLETION_FILES || kind == COMPLETION_FOLDERS)
		printf("%skind=%s ", prefix, kind == COMPLETION_FILES ? "files" : "folders");
	else if (kind == COMPLETION_WORDS)
		printf("%swords='", prefix);
}

static void command_print(const struct cli_command *command)
{
	const struct cli_group *group;
	printf("\t'%s')\n\t\t", command->name);
	if (command->profiles)
		fputs("profiles=1 ", stdout);
	enum completion_kind kind = completion_of_operand(command);
	kind_print(kind, "operand_");
	if (kind == COMPLETION_WORDS) {
		completion_print_operand_words(command);
		fputs("' ", stdout);
	}
	if (command->commands) {
		fputs("seconds='", stdout);
		for (size_t i = 0; command->commands[i]; i++)
			printf("%s%s", i ? " " : "", completion_last_word(command->commands[i]));
		fputs("' ", stdout);
	}
	fputs("options='", stdout);
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++) {
			names_print(&group->options[j], " -", " --");
		}
	}
	puts("'\n\t\t;;");
}

/* "'pub -q' | 'pub --qos') words='0 1 2' ;;" */
static void value_print(const struct cli_command *command, const struct cli_option *option)
{
	int count = completion_value_words(option);
	fputs("\t", stdout);
	if (option->letter)
		printf("'%s -%c'", command->name, option->letter);
	if (option->letter && option->name)
		fputs(" | ", stdout);
	if (option->name)
		printf("'%s --%s'", command->name, option->name);
	fputs(") ", stdout);
	if (count > 1)
		printf("count=%d ", count);
	enum completion_kind kind = completion_of_option(option);
	kind_print(kind, "");
	if (kind == COMPLETION_WORDS) {
		completion_print_words(option);
		fputs("' ", stdout);
	}
	puts(";;");
}

static void values_print(const struct cli_command *command)
{
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++) {
			if (group->options[j].value)
				value_print(command, &group->options[j]);
		}
	}
}

static void commands_print(void)
{
	fputs("_skiff_names()\n{\n\t_skiff_offer \"\"", stdout);
	for (size_t i = 0; cli_commands[i]; i++)
		printf(" %s", cli_commands[i]->name);
	puts(" --help --version\n}\n");
}

static void links_print(void)
{
	puts("# The command that a link of this name is.\n_skiff_link()\n{\n\tcase $1 in");
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias)
			printf("\t%s) echo %s ;;\n", cli_commands[i]->alias, cli_commands[i]->name);
	}
	puts("\tesac\n}\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias)
			printf("_skiff_register %s\n", cli_commands[i]->alias);
	}
}

void completion_bash(void)
{
	fputs(completion_script_bash, stdout);
	commands_print();
	puts("# What a command takes.\n_skiff_command()\n{\n"
	     "\toptions= seconds= profiles= operand_kind= operand_words=\n\tcase $1 in");
	completion_each(command_print);
	puts("\tesac\n}\n");
	puts("# The value of an option: in how many words, and what the first may be.\n_skiff_value()\n{\n"
	     "\tcount=1 kind= words=\n\tcase \"$1 $2\" in");
	completion_each(values_print);
	puts("\t*) count=0 ;;\n\tesac\n}\n");
	links_print();
	puts("true"); /* a link that is not there is no failure of the one who reads this script */
}
