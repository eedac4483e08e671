/* SPDX-License-Identifier: Apache-2.0 */
/* cli_help.c: what `skiff help` prints, from the same tables that the parser reads. */
#include "cli_help.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_parse.h"
#include <skiff/engine.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HELP_WIDTH = 100, HELP_COLUMN = 32 };

const struct cli_variable cli_variables[] = {
	{"SKIFF_BROKER", "the broker's URL where neither --broker nor --host is given"},
	{"SKIFF_PASSWORD", "the password for the user name; emptied as soon as it is read, and not handed to children"},
	{"SKIFF_KEY_PASSWORD", "the password of an encrypted private key; treated likewise"},
	{"SKIFF_CONFIG", "the file of profiles; default skiff/config.toml in XDG_CONFIG_HOME or ~/.config"},
	{"SKIFF_ENGINE", "the engine where --engine is not given: native or paho ('skiff help engines')"},
	{"https_proxy, http_proxy", "with --proxy-env: the proxy for URLs with TLS, and for those without"},
	{"all_proxy, no_proxy", "with --proxy-env: the proxy where neither is set, and the hosts that need none"},
	{"NO_COLOR", "when set and not empty, nothing is coloured"},
	{NULL, NULL},
};

static void help_heading(const char *text)
{
	bool colour = cli_colour(STDOUT_FILENO);
	printf("\n%s%s:%s\n", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

void cli_help_wrap(const char *text, size_t indent)
{
	size_t column = indent;
	while (*text) {
		size_t word = strcspn(text, " \n"), next = 0;
		printf("%.*s", (int)word, text);
		column += word;
		text += word;
		if (*text == ' ')
			next = 1 + strcspn(text + 1, " \n");
		if (*text == '\n' || column + next > HELP_WIDTH) {
			printf("\n%*s", text[0] == '\n' && text[1] == '\n' ? 0 : (int)indent, "");
			column = indent;
		} else if (*text == ' ') {
			putchar(' ');
			column++;
		}
		if (*text)
			text++;
	}
	putchar('\n');
}

/* A name on the left, its text on the right. */
static void help_row(const char *name, const char *text, size_t indent)
{
	size_t column = strlen(name) + 2;
	printf("  %s", name);
	if (column + 2 > indent) {
		putchar('\n');
		column = 0;
	}
	printf("%*s", (int)(indent - column), "");
	cli_help_wrap(text, indent);
}

static void help_option(const struct cli_option *option)
{
	char name[128];
	char letter[8] = "    ";
	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c%s", option->letter, option->name ? ", " : "");
	snprintf(name, sizeof(name), "%s%s%s%s%s", letter, option->name ? "--" : "", option->name ? option->name : "",
		option->value ? " " : "", option->value ? option->value : "");
	help_row(name, option->help, HELP_COLUMN);
}

static void help_usage(const struct cli_command *command)
{
	const char *lead = "usage:";
	for (const char *line = command->usage; line;) {
		size_t len = strcspn(line, "\n");
		printf("%s skiff %s%s%.*s\n", lead, command->name, len ? " " : "", (int)len, line);
		lead = "   or:";
		line = line[len] ? line + len + 1 : NULL;
	}
}

const struct cli_command *cli_command_find(char **words, int count, int *used)
{
	const struct cli_command *found = NULL;
	const struct cli_command *const *list = cli_commands;
	for (*used = 0; list && *used < count && *used < 2; ++*used) {
		size_t skip = found ? strlen(found->name) + 1 : 0, i = 0;
		while (list[i] && strcmp(list[i]->name + skip, words[*used]) != 0)
			i++;
		if (!list[i])
			break;
		found = list[i];
		list = found->commands;
	}
	return found;
}

static void help_commands(const struct cli_command *const *commands, size_t indent)
{
	help_heading("Commands");
	for (size_t i = 0; commands[i]; i++)
		help_row(commands[i]->name, commands[i]->summary, indent);
}

void cli_help_command(const struct cli_command *command)
{
	help_usage(command);
	putchar('\n');
	cli_help_wrap(command->description, 0);
	if (command->commands)
		help_commands(command->commands, 20);
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		help_heading(group->title);
		for (size_t j = 0; j < group->count; j++)
			help_option(&group->options[j]);
	}
	if (command->examples) {
		help_heading("Examples");
		printf("  ");
		for (const char *at = command->examples; *at; at++)
			printf("%c%s", *at, *at == '\n' && at[1] ? "  " : "");
	}
	puts("\nExit codes: 'skiff help exit'. Environment: 'skiff help environment'. Manual: 'man skiff'.");
}

void cli_help_overview(void)
{
	puts("skiff carries MQTT over any water: TCP, TLS, WebSocket, secure WebSocket, Unix socket.\n"
	     "\nusage: skiff COMMAND [OPTION]... [ARGUMENT]...");
	help_commands(cli_commands, 16);
	help_heading("More");
	help_row("help COMMAND", "every option of a command", 22);
	help_row("help exit", "the exit codes", 22);
	help_row("help environment", "the environment variables", 22);
	help_row("help causes", "why a door does not open, and what to do", 22);
	help_row("help engines", "the ways to speak MQTT, and what each can do", 22);
	help_heading("Start");
	puts("  skiff check mqtts://test.mosquitto.org:8886\n"
	     "  skiff sub -b mqtts://test.mosquitto.org:8886 -t 'some/topic' -v\n"
	     "  skiff pub -b mqtts://test.mosquitto.org:8886 -t 'some/topic' -m 'ahoy'");
}

void cli_help_exit(void)
{
	puts("Every command ends with one of these exit codes:\n");
	char number[16];
#define HELP_EXIT(name, code, text) \
	snprintf(number, sizeof(number), "%d", code); \
	help_row(number, text, 8);
	CLI_EXITS(HELP_EXIT)
#undef HELP_EXIT
}

void cli_help_environment(void)
{
	puts("Environment variables:\n");
	for (const struct cli_variable *variable = cli_variables; variable->name; variable++)
		help_row(variable->name, variable->help, 24);
}

/* ---- engines ---- */

const char cli_engines_text[] =
	"An engine is what speaks MQTT: packets, sessions, and the connection beneath them. The queue, reconnecting, "
	"handlers and tokens are skiff's own with each, and so are the options and the errors.\n\n"
	"A command is told by --engine, a program by 'engine' of struct skiff_options. Without that, SKIFF_ENGINE says "
	"which; without that, it is native.\n\n"
	"What an engine cannot do is refused by the name of the option that asks for it. Where no option asks, it is "
	"not done, or not told.";

void cli_engines_table(void)
{
	enum skiff_engine first = SKIFF_ENGINE_NATIVE, engine;
	for (engine = first; *skiff_engine_name(engine); engine++)
		printf("%s  ", skiff_engine_name(engine));
	puts("what");
	for (int can = 0; can < SKIFF_CAPABILITY_COUNT; can++) {
		size_t column = 0;
		for (engine = first; *skiff_engine_name(engine); engine++) {
			bool yes = skiff_engine_can(engine, (enum skiff_capability)can);
			int width = (int)strlen(skiff_engine_name(engine)) + 2;
			printf("%-*s", width, yes ? "yes" : "-");
			column += (size_t)width;
		}
		cli_help_wrap(skiff_capability_text((enum skiff_capability)can), column);
	}
}

void cli_help_engines(void)
{
	cli_help_wrap(cli_engines_text, 0);
	help_heading("Engines");
	for (enum skiff_engine engine = SKIFF_ENGINE_NATIVE; *skiff_engine_name(engine); engine++) {
		char text[128];
		snprintf(text, sizeof(text), "%s; %s", skiff_engine_library(engine),
			skiff_engine_built(engine) ? "built in" : "not built in (SKIFF_PAHO was off)");
		help_row(skiff_engine_name(engine), text, 12);
	}
	help_heading("What each can do");
	cli_engines_table();
}
