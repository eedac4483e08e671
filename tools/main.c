/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of commands, and how one is found and run. */
#include "cli_command.h"
#include "cli_exit.h"
#include "cli_help.h"
#include "cli_output.h"
#include "cli_parse.h"
#include "cli_profile.h"
#include "cli_settings.h"
#include "cli_suggest.h"
#include "commands.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command *const cli_commands[] = {
	&cmd_pub,
	&cmd_sub,
	&cmd_rr,
	&cmd_check,
	&cmd_compare,
	&cmd_cert,
	&cmd_lab,
	&cmd_completion,
	&cmd_version,
	&cmd_help,
	NULL,
};

/* A descriptor missing at the start would be given to the next file or socket, and messages written into that. Opened
 * the wrong way round, so that using it still fails. */
static void main_fill_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(CLI_EXIT_FAILURE);
	}
}

/* ---- the command ---- */

/* The command that a link of this name is called for; NULL: it is skiff itself. */
static const struct cli_command *main_of_link(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->alias && strcmp(cli_commands[i]->alias, name) == 0)
			return cli_commands[i];
	}
	return NULL;
}

static const struct cli_command *main_find(char **words, int count, int *used)
{
	*used = 1;
	if (strcmp(words[0], "--help") == 0)
		return &cmd_help;
	if (strcmp(words[0], "--version") == 0)
		return &cmd_version;
	return cli_command_find(words, count, used);
}

static int main_unknown(const char *name)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; cli_commands[i]; i++)
		cli_suggest(&best, name, strlen(name), cli_commands[i]->name);
	if (best.name)
		cli_say(NULL, "command '%s': unknown; did you mean '%s'?", name, best.name);
	else
		cli_say(NULL, "command '%s': unknown; 'skiff help' lists those there are", name);
	return CLI_EXIT_USAGE;
}

/* ---- options that are in a file ---- */

/* The word after the last -o, without regard to what is whose value, as mosquitto's clients look for it. */
static const char *main_options_file(int argc, char **argv)
{
	const char *file = NULL;
	for (int i = 0; i + 1 < argc; i++) {
		if (strcmp(argv[i], "-o") == 0)
			file = argv[i + 1];
	}
	return file;
}

/* The exit codes that the command line asks for, wherever it does: they are those of faults before it, too. */
static void main_exit_codes(int argc, char **argv)
{
	static const char option[] = "--exit-codes";
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *rest =
			strncmp(argv[i], option, sizeof(option) - 1) == 0 ? argv[i] + sizeof(option) - 1 : "-";
		const char *word = *rest == '=' ? rest + 1 : !*rest && i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(word, "skiff") == 0)
			cli_exit_choose(CLI_EXIT_CODES_SKIFF);
		else if (strcmp(word, "mosquitto") == 0)
			cli_exit_choose(CLI_EXIT_CODES_MOSQUITTO);
	}
}

/* Reads the file of options, or the profile, that there is. Steps over a "@NAME". Result: an exit code. */
static int main_settings(struct cli_context *context, int *argc, char ***argv)
{
	const struct cli_command *command = context->command;
	const char *file = command->alias ? main_options_file(*argc, *argv) : NULL, *name = NULL;
	char path[4096];
	if (command->profiles && !context->mosquitto && *argc > 0 && (*argv)[0][0] == '@') {
		name = (*argv)[0] + 1;
		++*argv;
		--*argc;
	}
	if (name && file) {
		cli_say(context, "option '-o': excludes a profile; there can be one file of options");
		return CLI_EXIT_USAGE;
	}
	if (name)
		return cli_settings_from_profile(context, name, context->settings);
	bool must_exist = file != NULL;
	if (!file && context->mosquitto && cli_settings_default_path(command->alias, path, sizeof(path)))
		file = path;
	if (!file)
		return CLI_EXIT_OK;
	return cli_settings_from_file(context, file, must_exist, context->settings);
}

/* ---- running it ---- */

static int main_help(const struct cli_context *context)
{
	cli_help_command(context->command);
	return context->mosquitto ? CLI_EXIT_FAILURE : CLI_EXIT_OK;
}

static int main_version(const struct cli_context *context)
{
	if (!context->mosquitto)
		return cmd_version.run(context, NULL);
	printf("%s version 2.0.11 running on libskiff %s.\n", context->command->alias, skiff_version());
	return CLI_EXIT_FAILURE;
}

static int main_wrong(const struct cli_context *context)
{
	if (context->mosquitto)
		cli_say(context, "'%s --help' lists the options there are", context->command->alias);
	return CLI_EXIT_USAGE;
}

static int main_parsed(struct cli_context *context, int argc, char **argv, void *params)
{
	int code = main_settings(context, &argc, &argv);
	if (code != CLI_EXIT_OK)
		return code;
	switch (cli_parse(argc, argv, context, params)) {
	case CLI_PARSED_RUN:
		return context->command->run(context, params);
	case CLI_PARSED_HELP:
		return main_help(context);
	case CLI_PARSED_VERSION:
		return main_version(context);
	case CLI_PARSED_WRONG:
		break;
	}
	return main_wrong(context);
}

static int main_run(const struct cli_command *command, bool mosquitto, int argc, char **argv)
{
	struct cli_settings settings = {0};
	struct cli_context context = {.command = command, .mosquitto = mosquitto, .settings = &settings};
	void *params = calloc(1, command->params_size + 1);
	if (!params) {
		cli_say(NULL, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	if (mosquitto)
		cli_exit_choose(CLI_EXIT_CODES_MOSQUITTO);
	if (command->alias)
		main_exit_codes(argc, argv);
	int code = main_parsed(&context, argc, argv, params);
	code = cli_exit_spoken(cli_finish_output(&context, code), command == &cmd_sub);
	cli_parse_free(command, params);
	cli_settings_free(&settings);
	free(params);
	return code;
}

int main(int argc, char **argv)
{
	main_fill_descriptors();
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as EPIPE */
	const struct cli_command *command = argc > 0 ? main_of_link(argv[0]) : NULL;
	if (command)
		return main_run(command, true, argc - 1, argv + 1);
	if (argc < 2) {
		cli_say(NULL, "a command is missing; 'skiff help' lists those there are");
		return CLI_EXIT_USAGE;
	}
	int used;
	command = main_find(argv + 1, argc - 1, &used);
	return command ? main_run(command, false, argc - 1 - used, argv + 1 + used) : main_unknown(argv[1]);
}
