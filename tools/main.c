/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of commands, and how one is found and run. */
#include "cli_command.h"
#include "cli_exit.h"
#include "cli_help.h"
#include "cli_output.h"
#include "cli_parse.h"
#include "cli_suggest.h"
#include "commands.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command *const cli_commands[] = {
	&cmd_pub,
	&cmd_sub,
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

static int main_run(const struct cli_command *command, int argc, char **argv)
{
	struct cli_context context;
	int code = CLI_EXIT_FAILURE;
	void *params = calloc(1, command->params_size + 1);
	if (!params) {
		cli_say(NULL, "out of memory");
		return code;
	}
	switch (cli_parse(command, argc, argv, &context, params)) {
	case CLI_PARSED_RUN:
		code = command->run(&context, params);
		break;
	case CLI_PARSED_HELP:
		cli_help_command(command);
		code = CLI_EXIT_OK;
		break;
	case CLI_PARSED_VERSION:
		code = cmd_version.run(&context, NULL);
		break;
	case CLI_PARSED_WRONG:
		code = CLI_EXIT_USAGE;
		break;
	}
	code = cli_finish_output(&context, code);
	cli_parse_free(command, params);
	free(params);
	return code;
}

int main(int argc, char **argv)
{
	main_fill_descriptors();
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as EPIPE */
	if (argc < 2) {
		cli_say(NULL, "a command is missing; 'skiff help' lists those there are");
		return CLI_EXIT_USAGE;
	}
	int used;
	const struct cli_command *command = main_find(argv + 1, argc - 1, &used);
	return command ? main_run(command, argc - 1 - used, argv + 1 + used) : main_unknown(argv[1]);
}
