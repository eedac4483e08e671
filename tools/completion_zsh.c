/* SPDX-License-Identifier: Apache-2.0 */
/* completion_zsh.c: the tables as functions of zsh, one a command, which hand them to _arguments. */
#include "cli_parse.h"
#include "completion.h"
#include <stdio.h>
#include <string.h>

extern const char completion_script_zsh[]; /* completion/skiff.zsh, put in by the build */

static void text_print(const char *text, const char *special)
{
	completion_print_text(text, "'\\''", special);
}

/* "_skiff_in_cert_show" */
static void function_print(const struct cli_command *command)
{
	fputs("_skiff_in_", stdout);
	for (const char *at = command->name; *at; at++)
		putchar(*at == ' ' ? '_' : *at);
	fputs("()\n{\n", stdout);
}

/* One word of a value, whose name has `len` bytes, and what it may be; `option` NULL: anything. */
static void word_print(const char *name, size_t len, const struct cli_option *option)
{
	char text[64];
	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	putchar(':');
	text_print(text, ":\\");
	putchar(':');
	switch (option ? completion_of_option(option) : COMPLETION_NOTHING) {
	case COMPLETION_FILES:
		fputs("_files", stdout);
		break;
	case COMPLETION_FOLDERS:
		fputs("_files -/", stdout);
		break;
	case COMPLETION_WORDS:
		putchar('(');
		completion_print_words(option);
		putchar(')');
		break;
	case COMPLETION_NOTHING:
		putchar(' ');
	}
}

static void value_print(const struct cli_option *option)
{
	for (const char *at = option->value; at && *at;) {
		size_t len = strcspn(at, " ");
		word_print(at, len, at == option->value ? option : NULL);
		at += len + (at[len] == ' ');
	}
}

/* "'(-q --qos)'{-q,--qos$equals}'[its QoS]:QOS:(0 1 2)'" */
static void option_print(const struct cli_option *option)
{
	const char *equals = option->value ? "$equals" : "";
	bool both = option->letter && option->name;
	fputs("\t\t", stdout);
	if (completion_repeats(option))
		fputs("'*'", stdout);
	else if (both)
		printf("'(-%c --%s)'", option->letter, option->name);
	if (both)
		printf("{-%c,--%s%s}", option->letter, option->name, equals);
	else if (option->name)
		printf("--%s%s", option->name, equals);
	else
		printf("-%c", option->letter);
	fputs("'[", stdout);
	text_print(option->help, "[]\\");
	putchar(']');
	value_print(option);
	puts("' \\");
}

static void operands_print(const struct cli_command *command)
{
	enum completion_kind kind = completion_of_operand(command);
	if (command->profiles)
		fputs("\t\t'1: :_skiff_first'", stdout);
	else if (kind == COMPLETION_FILES || kind == COMPLETION_FOLDERS)
		printf("\t\t'*: :_files%s'", kind == COMPLETION_FILES ? "" : " -/");
	else if (kind == COMPLETION_WORDS) {
		fputs("\t\t'*: :(", stdout);
		completion_print_operand_words(command);
		fputs(")'", stdout);
	}
	putchar('\n');
}

/* Names and summaries for _describe, as the array `names`. */
static void names_print(const struct cli_command *const *commands)
{
	puts("\tlocal -a names=(");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t\t'%s:", completion_last_word(commands[i]));
		text_print(commands[i]->summary, "");
		puts("'");
	}
	puts("\t)\n\t_describe -t commands command names");
}

/* A command whose second word says what to do. */
static void second_print(const struct cli_command *command)
{
	puts("\tif (( CURRENT > 2 )); then\n\t\tlocal name=$words[2]\n\t\tshift words\n\t\t(( CURRENT-- ))");
	printf("\t\t(( $+functions[_skiff_in_%s_$name] )) && _skiff_in_%s_$name\n\t\treturn\n\tfi\n", command->name,
		command->name);
	names_print(command->commands);
}

static void command_print(const struct cli_command *command)
{
	const struct cli_group *group;
	function_print(command);
	if (command->commands) {
		second_print(command);
	} else {
		puts("\t_arguments -S : \\");
		for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
			for (size_t j = 0; j < group->count; j++)
				option_print(&group->options[j]);
		}
		operands_print(command);
	}
	puts("}\n");
}

static void aliases_print(void)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias)
			printf(" %s", cli_commands[i]->alias);
	}
	putchar('\n');
}

static void links_print(void)
{
	puts("# The command that a link of this name is.\n_skiff_link()\n{\n\tcase $1 in");
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias)
			printf("\t%s) print %s ;;\n", cli_commands[i]->alias, cli_commands[i]->name);
	}
	puts("\tesac\n}\n");
}

void completion_zsh(void)
{
	fputs("#compdef skiff", stdout);
	aliases_print();
	fputs(completion_script_zsh, stdout);
	puts("_skiff_names()\n{");
	names_print(cli_commands);
	puts("}\n");
	completion_each(command_print);
	links_print();
	fputs("if [[ $funcstack[1] = _skiff ]]; then\n\t_skiff \"$@\"\nelse\n\tcompdef _skiff skiff", stdout);
	aliases_print();
	puts("fi");
}
