/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lab.c: `skiff lab`, a replica of test.mosquitto.org on this machine, run by the real mosquitto.
 *
 * Folder, certificates, ports, configuration, broker; then the table of doors until a signal comes, or a command that
 * is told where the doors are. Whatever happens, the broker goes when the lab goes. A failure is one sentence. */
#include "cli_command.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "commands.h"
#include "lab_broker.h"
#include "lab_dir.h"
#include "lab_environment.h"
#include "lab_link.h"
#include "lab_namespace.h"
#include "lab_print.h"
#include "lab_process.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BASE_DEFAULT = 10000, BASE_MAX = 65535 - 8887, BASE_NOT_GIVEN = -1 };

struct params {
	long long base;
	const char *as, *dir, *mosquitto;
	bool json;
	struct lab_link link;
};

/* clang-format off */
static const struct cli_option lab_options[] = {
	{.name = "base", .type = CLI_INT, .value = "N", .field = offsetof(struct params, base), .max = BASE_MAX,
		.fallback = BASE_NOT_GIVEN, .help = "open the doors at their real ports + N (10000); 0: at free ports"},
	{.name = "as", .type = CLI_STRING, .value = "NAME", .field = offsetof(struct params, as),
		.help = "be NAME, at the real ports, in a private network that only COMMAND sees",
		.man = "Needs root, or user namespaces. COMMAND reaches nothing else, and trusts the CA of 8886 and 8081 "
		       "through SSL_CERT_FILE, as it would trust the real host's."},
	{.name = "dir", .type = CLI_STRING, .value = "DIR", .field = offsetof(struct params, dir),
		.help = "keep the lab's files in DIR; default: a temporary folder that goes with the lab"},
	{.name = "mosquitto", .type = CLI_STRING, .value = "FILE", .field = offsetof(struct params, mosquitto),
		.help = "the broker; default: looked for in PATH, /usr/sbin and /usr/local/sbin"},
	{.name = "link", .type = CLI_CUSTOM, .value = "LINK", .field = offsetof(struct params, link), .take = lab_link_take,
		.help = "put a simulated link before the doors: delay=40ms,jitter=5ms,rate=1mbit,loss=1%",
		.man = "Delay and jitter count each way, and the rate for each connection and direction. What is lost comes "
		       "as late as TCP would bring it again. TCP's own handshake is not delayed, nor is the Unix socket."},
	{.name = "json", .type = CLI_FLAG, .field = offsetof(struct params, json),
		.help = "print the table of doors as one line of JSON"},
};
/* clang-format on */

static const struct cli_group lab_groups[] = {CLI_GROUP("Lab", lab_options, 0), {0}};

static int lab_run(const struct cli_context *context, void *params);

const struct cli_command cmd_lab = {
	.name = "lab",
	.summary = "replay test.mosquitto.org on this machine",
	.usage = "[--base N] [--dir DIR] [--link LINK] [--json]\n[--base N | --as NAME] [--dir DIR] [--link LINK] -- "
		 "COMMAND...",
	.description =
		"Runs mosquitto with the eleven doors of test.mosquitto.org on loopback, and a Unix socket: with and "
		"without "
		"TLS, WebSocket, password and client certificate, one of them with an expired certificate. Makes all "
		"certificates for it, prints the table of doors with commands to paste, and stays until "
		"interrupted.\n\n"
		"With COMMAND, runs it with the lab up, ends the lab, and exits with the command's status. The command "
		"sees "
		"SKIFF_LAB_DIR, SKIFF_LAB_CA (the CA of 8883, 8884, 8885, 8887 and 8091), SKIFF_LAB_WEB_CA (the root "
		"CA of "
		"8886 and 8081), SKIFF_LAB_CERT and SKIFF_LAB_KEY (for 8884), SKIFF_LAB_UNIX, and the URL of each door "
		"as "
		"SKIFF_LAB_URL_1883 to SKIFF_LAB_URL_8091, with user name and password where the door wants them.\n\n"
		"Accounts are rw/readwrite, ro/readonly and wo/writeonly. Unlike the real host, the lab lets everybody "
		"subscribe "
		"to '#', and does not know the user 'wildcard'.",
	.examples = "# every door, until ^C\nskiff lab\n# a script with the lab up, at free ports\n"
		    "skiff lab --base 0 -- sh -c 'skiff pub -b \"$SKIFF_LAB_URL_1883\" -t demo -m hello'\n"
		    "# the doors as over a far and thin network\nskiff lab --link delay=40ms,rate=1mbit -- skiff "
		    "compare lab\n"
		    "# the real name and the real ports, without the real host\n"
		    "skiff lab --as test.mosquitto.org -- skiff pub -b mqtt://test.mosquitto.org -t demo -m hello\n",
	.groups = lab_groups,
	.params_size = sizeof(struct params),
	.max_operands = -1,
	.run = lab_run,
};

/* What is wrong with the options taken together; NULL: nothing. */
static const char *params_fault(const struct params *params, const struct cli_context *context)
{
	bool command = context->operand_count > 0;

	if (params->json && command)
		return "'--json' prints the table that a command replaces; leave out one of them";
	if (params->as == NULL)
		return NULL;
	if (!command)
		return "'--as' needs a command, for nobody else could come in; add '-- COMMAND', such as '-- sh'";
	if (params->base != BASE_NOT_GIVEN)
		return "'--as' means the real ports; leave out '--base'";
	if (!lab_namespace_name_valid(params->as))
		return "'--as' needs a host name, such as test.mosquitto.org";
	return NULL;
}

static bool lab_open(struct lab *lab)
{
	return lab_broker_find(lab) && lab_dir_open(lab) && (lab->as == NULL || lab_namespace_enter(lab)) &&
	       lab_dir_certificates(lab) && lab_broker_start(lab);
}

static int lab_show(const struct cli_context *context, struct lab *lab, bool json)
{
	int status;

	if (json)
		lab_print_json(stdout, lab);
	else
		lab_print_table(stdout, lab);
	if (fflush(stdout) != 0)
		return cli_output_failed(context, errno);
	while (!lab_process_interrupted(lab) && !lab_process_sleep(lab, -1)) {
		if (lab_process_ended(&lab->broker_pid, &status)) {
			lab_broker_fail(lab, "has ended");
			return CLI_EXIT_FAILURE;
		}
	}
	return CLI_EXIT_OK;
}

static int lab_command(const struct cli_context *context, struct lab *lab)
{
	int status = CLI_EXIT_FAILURE, broker_status;
	pid_t pid =
		lab_environment_set(lab) ? lab_process_start_command(lab, (const char *const *)context->operands) : -1;

	if (pid < 0)
		return CLI_EXIT_FAILURE;
	while (!lab_process_ended(&pid, &status)) {
		if (lab_process_sleep(lab, -1) && !lab->ended_by_terminal)
			kill(pid, lab->ended_by);
		if (lab_process_ended(&lab->broker_pid, &broker_status)) {
			lab_broker_fail(lab, "has ended");
			cli_say(context, "%s", lab->error);
			lab->error[0] = '\0';
		}
	}
	return status;
}

static int lab_run(const struct cli_context *context, void *raw)
{
	const struct params *params = raw;
	const char *fault = params_fault(params, context);
	int status = CLI_EXIT_FAILURE;
	struct lab lab = {
		.dir_wanted = params->dir,
		.as = params->as,
		.host = params->as != NULL ? params->as : "127.0.0.1",
		.program = params->mosquitto,
		.base = params->base == BASE_NOT_GIVEN ? BASE_DEFAULT : (int)params->base,
		.link = params->link,
		.lock = -1,
		.keeper = -1,
	};

	if (fault != NULL) {
		cli_say(context, "%s", fault);
		return CLI_EXIT_USAGE;
	}
	lab_signals_block(&lab);
	if (lab_open(&lab))
		status =
			context->operand_count > 0 ? lab_command(context, &lab) : lab_show(context, &lab, params->json);
	else if (lab_process_interrupted(&lab))
		status = 128 + lab.ended_by;
	if (lab.error[0] != '\0' && lab.ended_by == 0)
		cli_say(context, "%s", lab.error);
	lab_broker_stop(&lab);
	lab_dir_close(&lab);
	return status;
}
