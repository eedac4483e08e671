/* SPDX-License-Identifier: Apache-2.0 */
/* cli_man.c: manual pages in roff, from the same tables that the parser reads. */
#include "cli_man.h"
#include "cli_exit.h"
#include "cli_help.h"
#include "cli_parse.h"
#include <ctype.h>
#include <skiff/version.h>
#include <stdio.h>
#include <string.h>

/* Text of ours as roff: nothing in it is a request, a minus stays a minus, an empty line ends a paragraph. */
static void man_text(const char *text)
{
	bool line_start = true;
	for (const char *at = text; *at; at++) {
		if (at[0] == '\n' && at[1] == '\n') {
			fputs("\n.PP\n", stdout);
			at++;
			line_start = true;
			continue;
		}
		if (line_start && (*at == '.' || *at == '\''))
			fputs("\\&", stdout);
		if (*at == '\\')
			fputs("\\e", stdout);
		else if (*at == '-')
			fputs("\\-", stdout);
		else if (*at == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(*at);
		line_start = *at == '\n';
	}
}

static void man_sentence(const char *text)
{
	putchar(toupper((unsigned char)text[0]));
	man_text(text + 1);
	if (!strchr(".?!", text[strlen(text) - 1]))
		putchar('.');
}

/* The name of a page, after "skiff": words with hyphens between. */
static void man_page_name(const char *name, bool capitals)
{
	if (*name)
		fputs("\\-", stdout);
	for (const char *at = name; *at; at++) {
		if (*at == ' ')
			fputs("\\-", stdout);
		else
			putchar(capitals ? toupper((unsigned char)*at) : *at);
	}
}

static void man_header(const char *name, const char *summary)
{
	printf(".TH SKIFF");
	man_page_name(name, true);
	printf(" 1 \"\" \"skiff %s\" \"User Commands\"\n.SH NAME\nskiff", SKIFF_VERSION);
	man_page_name(name, false);
	printf(" \\- ");
	man_text(summary);
	puts("\n.SH SYNOPSIS");
}

static void man_option(const struct cli_option *option)
{
	printf(".TP\n.B ");
	if (option->letter)
		printf("\\-%c%s", option->letter, option->name ? ", " : "");
	if (option->name) {
		fputs("\\-\\-", stdout);
		man_text(option->name);
	}
	if (option->value) {
		fputs(" \\fI", stdout);
		man_text(option->value);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	man_sentence(option->help);
	if (option->man) {
		putchar(' ');
		man_text(option->man);
	}
	putchar('\n');
}

static void man_term(const char *term, const char *text)
{
	fputs(".TP\n.B ", stdout);
	man_text(term);
	putchar('\n');
	man_sentence(text);
	putchar('\n');
}

static void man_exit_status(void)
{
	char number[16];
	puts(".SH \"EXIT STATUS\"");
#define MAN_EXIT(name, code, text) \
	snprintf(number, sizeof(number), "%d", code); \
	man_term(number, text);
	CLI_EXITS(MAN_EXIT)
#undef MAN_EXIT
}

static void man_environment(void)
{
	puts(".SH ENVIRONMENT");
	for (const struct cli_variable *variable = cli_variables; variable->name; variable++)
		man_term(variable->name, variable->help);
}

static void man_engines(void)
{
	puts(".SH ENGINES");
	man_text(cli_engines_text);
	puts("\n.PP\n.nf");
	cli_engines_table();
	puts(".fi");
}

static void man_pages(const struct cli_command *const *commands, const struct cli_command *but, const char *separator)
{
	for (size_t i = 0; commands && commands[i]; i++) {
		if (commands[i] == but)
			continue;
		printf("%s.BR skiff", separator);
		man_page_name(commands[i]->name, false);
		fputs(" (1)", stdout);
		separator = ",\n";
	}
}

static void man_see_also(const struct cli_command *but)
{
	fputs(".SH \"SEE ALSO\"\n", stdout);
	if (but)
		fputs(".BR skiff (1)", stdout);
	if (but && but->commands)
		man_pages(but->commands, NULL, ",\n");
	man_pages(cli_commands, but, but ? ",\n" : "");
	putchar('\n');
}

static void man_commands(const struct cli_command *const *commands)
{
	puts(".SH COMMANDS");
	for (size_t i = 0; commands[i]; i++) {
		char term[64];
		snprintf(term, sizeof(term), "skiff %s", commands[i]->name);
		man_term(term, commands[i]->summary);
	}
}

static void man_command(const struct cli_command *command)
{
	man_header(command->name, command->summary);
	for (const char *line = command->usage; line;) {
		size_t len = strcspn(line, "\n");
		char text[512];
		snprintf(text, sizeof(text), "%.*s", (int)len, line);
		printf(".B skiff %s\n", command->name);
		man_text(text);
		line = line[len] ? line + len + 1 : NULL;
		puts(line ? "\n.br" : "");
	}
	puts(".SH DESCRIPTION");
	man_text(command->description);
	putchar('\n');
	if (command->commands)
		man_commands(command->commands);
	puts(".SH OPTIONS");
	puts("The value of an option is the next word; a long option may also be written \\fB\\-\\-name=value\\fR.\n"
	     "Short options are not bundled. An option that holds one value and is repeated keeps the last. After\n"
	     "\\fB\\-\\-\\fR no word is an option.");
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		printf(".SS \"%s\"\n", group->title);
		for (size_t j = 0; j < group->count; j++)
			man_option(&group->options[j]);
	}
	if (command->examples) {
		puts(".SH EXAMPLES\n.nf");
		man_text(command->examples);
		puts(".fi");
	}
}

static void man_overview(void)
{
	man_header("", "MQTT over TCP, TLS, WebSocket, secure WebSocket and Unix sockets");
	puts(".B skiff\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n.SH DESCRIPTION\n"
	     "A broker is named by a URL: mqtt:// (also tcp://), mqtts:// (also ssl:// and tls://), ws://, wss:// or\n"
	     "unix://. The default ports are 1883, 8883, 80 and 443, and the default WebSocket path is /mqtt.");
	man_commands(cli_commands);
}

void cli_man(const struct cli_command *command)
{
	if (command)
		man_command(command);
	else
		man_overview();
	man_exit_status();
	man_environment();
	if (!command)
		man_engines();
	man_see_also(command);
}
