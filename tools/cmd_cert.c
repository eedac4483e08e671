/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert.c: `skiff cert`: what to do is the second word; alone it says which there are. */
#include "cli_exit.h"
#include "cli_help.h"
#include "cli_suggest.h"
#include "commands.h"
#include <string.h>

static const struct cli_command *const cert_commands[] = {
	&cmd_cert_show,
	&cmd_cert_check,
	&cmd_cert_csr,
	&cmd_cert_lab,
	&cmd_cert_handshake,
	NULL,
};

static int cert_unknown(const struct cli_context *context, const char *word)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; cert_commands[i]; i++)
		cli_suggest(&best, word, strlen(word), cert_commands[i]->name + strlen("cert "));
	if (best.name)
		cli_say(context, "command '%s': unknown; did you mean '%s'?", word, best.name);
	else
		cli_say(context, "command '%s': unknown; 'skiff help cert' lists those there are", word);
	return CLI_EXIT_USAGE;
}

static int cert_run(const struct cli_context *context, void *params)
{
	(void)params;
	if (context->operand_count)
		return cert_unknown(context, context->operands[0]);
	cli_help_command(context->command);
	return CLI_EXIT_USAGE;
}

const struct cli_command cmd_cert = {
	.name = "cert",
	.summary = "look at certificates and keys, prove that they fit, have one made",
	.usage = "COMMAND [OPTION]... [ARGUMENT]...",
	.description = "Everything about certificates that happens before the first message: what a file or a server "
		       "shows, whether certificate, key and CA fit together, a signing request for a CA, certificates "
		       "with every defect to try things with, and the TLS handshake alone, for scripts.",
	.commands = cert_commands,
	.max_operands = -1,
	.run = cert_run,
};
