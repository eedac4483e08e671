/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c: what the tables of options tell a shell, whichever it is. */
#include "completion.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Whether `word` stands in `text`, as "FILE" in "FILE[:NAME]" but not in "PROFILE". */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		bool begins = at == text || !isalpha((unsigned char)at[-1]);
		if (begins && !isalpha((unsigned char)at[len]))
			return true;
	}
	return false;
}

static enum completion_kind kind_by_name(const char *name)
{
	if (has_word(name, "FILE"))
		return COMPLETION_FILES;
	return has_word(name, "DIR") ? COMPLETION_FOLDERS : COMPLETION_NOTHING;
}

enum completion_kind completion_of_option(const struct cli_option *option)
{
	return option->type == CLI_ENUM ? COMPLETION_WORDS : kind_by_name(option->value);
}

enum completion_kind completion_of_operand(const struct cli_command *command)
{
	if (!command->offers)
		return COMPLETION_NOTHING;
	enum completion_kind kind = kind_by_name(command->offers);
	return kind == COMPLETION_NOTHING ? COMPLETION_WORDS : kind;
}

int completion_value_words(const struct cli_option *option)
{
	int count = option->value != NULL;
	for (const char *at = option->value; at && *at; at++)
		count += *at == ' ';
	return count;
}

bool completion_repeats(const struct cli_option *option)
{
	return option->type == CLI_LIST || option->type == CLI_CUSTOM;
}

void completion_each(void (*print)(const struct cli_command *command))
{
	for (size_t i = 0; cli_commands[i]; i++) {
		print(cli_commands[i]);
		for (size_t j = 0; cli_commands[i]->commands && cli_commands[i]->commands[j]; j++)
			print(cli_commands[i]->commands[j]);
	}
}

void completion_print_words(const struct cli_option *option)
{
	for (const struct cli_word *word = option->words; word->word; word++)
		printf("%s%s", word == option->words ? "" : " ", word->word);
}

void completion_print_operand_words(const struct cli_command *command)
{
	static const char commands[] = "COMMAND";
	const char *offers = command->offers;
	if (strncmp(offers, commands, strlen(commands)) == 0) {
		for (size_t i = 0; cli_commands[i]; i++)
			printf("%s%s", i ? " " : "", cli_commands[i]->name);
		offers += strlen(commands);
	}
	fputs(offers, stdout);
}

void completion_print_text(const char *text, const char *apostrophe, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs(apostrophe, stdout);
			continue;
		}
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

const char *completion_last_word(const struct cli_command *command)
{
	const char *blank = strrchr(command->name, ' ');
	return blank ? blank + 1 : command->name;
}
