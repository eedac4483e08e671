/* SPDX-License-Identifier: Apache-2.0 */
/* completion.h: what shells offer while a command line is typed, from the same tables that the parser reads. Each shell
 * has a script of its own (completion/skiff.*), to which the tables are added in its words. */
#ifndef SKIFF_COMPLETION_H
#define SKIFF_COMPLETION_H

#include "cli_command.h"

enum completion_kind {
	COMPLETION_NOTHING, /* it can be anything */
	COMPLETION_FILES,
	COMPLETION_FOLDERS,
	COMPLETION_WORDS /* one of some words */
};

/* What the first word of an option's value may be; it is no flag. */
enum completion_kind completion_of_option(const struct cli_option *option);

/* What an operand of a command may be. */
enum completion_kind completion_of_operand(const struct cli_command *command);

/* How many words an option's value has; 0 for a flag. */
int completion_value_words(const struct cli_option *option);

/* Whether an option may stand on a line more than once. */
bool completion_repeats(const struct cli_option *option);

/* Calls `print` for every command, those of two words included. */
void completion_each(void (*print)(const struct cli_command *command));

/* Prints to stdout, the words of COMPLETION_WORDS with a blank between them. */
void completion_print_words(const struct cli_option *option);
void completion_print_operand_words(const struct cli_command *command);

/* Prints `text` to stdout for a place within single quotes: each apostrophe is replaced, and each character of
 * `special` has a backslash before it. */
void completion_print_text(const char *text, const char *apostrophe, const char *special);

/* The second word of a command's name, its name where it has one word. */
const char *completion_last_word(const struct cli_command *command);

/* The scripts, to stdout. */
void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
