/* SPDX-License-Identifier: Apache-2.0 */
/* completion_fish.c: the tables as lines of fish's `complete`, one an option. */
#include "cli_parse.h"
#include "completion.h"
#include <stdio.h>

extern const char completion_script_fish[]; /* completion/skiff.fish, put in by the build */

/* The beginning of a line that counts once the line has this command; "": before there is one. */
static void line_begin(const char *command, const char *more)
{
	printf("complete -c skiff -n '__skiff_is \"%s\"%s'", command, more);
}

static void line_describe(const char *text)
{
	fputs(" -d '", stdout);
	completion_print_text(text, "\\'", "\\");
	puts("'");
}

static void option_print(const struct cli_command *command, const struct cli_option *option)
{
	line_begin(command->name, "");
	if (option->letter)
		printf(" -s %c", option->letter);
	if (option->name)
		printf(" -l %s", option->name);
	enum completion_kind kind = option->value ? completion_of_option(option) : COMPLETION_NOTHING;
	if (kind == COMPLETION_FILES)
		fputs(" -r -F", stdout);
	else if (kind == COMPLETION_FOLDERS)
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
	else if (option->value)
		fputs(" -x", stdout);
	if (kind == COMPLETION_WORDS) {
		fputs(" -a '", stdout);
		completion_print_words(option);
		putchar('\'');
	}
	line_describe(option->help);
}

static void operands_print(const struct cli_command *command)
{
	enum completion_kind kind = completion_of_operand(command);
	if (command->profiles) {
		line_begin(command->name, "; and __skiff_first");
		puts(" -a '(__skiff_profiles)' -d profile");
	}
	if (kind == COMPLETION_NOTHING)
		return;
	line_begin(command->name, "");
	if (kind == COMPLETION_FILES) {
		puts(" -F");
	} else if (kind == COMPLETION_FOLDERS) {
		puts(" -a '(__fish_complete_directories)'");
	} else {
		fputs(" -a '", stdout);
		completion_print_operand_words(command);
		puts("'");
	}
}

/* What may follow `before`: the commands of one word, or the second words of a command. */
static void commands_print(const char *before, const struct cli_command *const *commands)
{
	for (size_t i = 0; commands && commands[i]; i++) {
		line_begin(before, "");
		printf(" -a %s", completion_last_word(commands[i]));
		line_describe(commands[i]->summary);
	}
}

static void command_print(const struct cli_command *command)
{
	const struct cli_group *group;
	printf("\n# %s\n", command->name);
	commands_print(command->name, command->commands);
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++)
			option_print(command, &group->options[j]);
	}
	operands_print(command);
}

static void second_print(const struct cli_command *command)
{
	for (size_t i = 0; command->commands && command->commands[i]; i++)
		printf("\techo '%s'\n", command->commands[i]->name);
}

void completion_fish(void)
{
	fputs(completion_script_fish, stdout);
	puts("\nfunction __skiff_seconds");
	completion_each(second_print);
	puts("end\n");
	commands_print("", cli_commands);
	completion_each(command_print);
	putchar('\n');
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias)
			printf("__skiff_link %s %s\n", cli_commands[i]->alias, cli_commands[i]->name);
	}
	puts("true"); /* a link that is not there is no failure of the one who reads this script */
}
