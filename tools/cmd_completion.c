/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c: `skiff completion`: the script that has a shell complete skiff's command lines. */
#include "cli_exit.h"
#include "cli_profile.h"
#include "cli_suggest.h"
#include "commands.h"
#include "completion.h"
#include <string.h>

struct completion_params {
	bool profiles;
};

static const struct cli_option completion_options[] = {
	{.name = "profiles",
		.type = CLI_FLAG,
		.field = offsetof(struct completion_params, profiles),
		.help = "print the names of the profiles instead, one a line; the scripts ask for them by this"},
};

static const struct cli_group completion_groups[] = {CLI_GROUP("Output", completion_options, 0), {0}};

static const struct {
	const char *name;
	void (*print)(void);
} completion_shells[] = {
	{"bash", completion_bash},
	{"zsh", completion_zsh},
	{"fish", completion_fish},
};

enum { COMPLETION_SHELLS = sizeof(completion_shells) / sizeof(completion_shells[0]) };

static int completion_unknown(const struct cli_context *context, const char *name)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; i < COMPLETION_SHELLS; i++)
		cli_suggest(&best, name, strlen(name), completion_shells[i].name);
	cli_say(context, "shell '%s': is not bash, zsh or fish%s%s%s", name, best.name ? "; did you mean '" : "",
		best.name ? best.name : "", best.name ? "'?" : "");
	return CLI_EXIT_USAGE;
}

static int completion_run(const struct cli_context *context, void *params)
{
	const struct completion_params *completion = params;
	const char *name = context->operands[0];
	if (completion->profiles && name) {
		cli_say(context, "argument '%s': unexpected; '--profiles' stands alone", name);
		return CLI_EXIT_USAGE;
	}
	if (completion->profiles)
		return cli_profiles_print(context);
	if (!name) {
		cli_say(context, "a shell is missing; write bash, zsh or fish after it");
		return CLI_EXIT_USAGE;
	}
	for (size_t i = 0; i < COMPLETION_SHELLS; i++) {
		if (strcmp(completion_shells[i].name, name) == 0) {
			completion_shells[i].print();
			return CLI_EXIT_OK;
		}
	}
	return completion_unknown(context, name);
}

const struct cli_command cmd_completion = {
	.name = "completion",
	.summary = "print the script that has bash, zsh or fish complete skiff's command lines",
	.usage = "bash | zsh | fish\n--profiles",
	.description =
		"Prints a script for one of these shells, made from the tables that the command line itself is read "
		"by: "
		"commands, options, their values where those are few, files where one is wanted, and profiles after "
		"'@'. An installed skiff has put each where its shell looks for it; these lines are for one that was "
		"only built.\n\nA link by the name of a mosquitto client is served too, where it leads to skiff. Bash "
		"and fish look for a script of the link's name: link that likewise, or use the lines below.",
	.examples = "# in ~/.bashrc\nsource <(skiff completion bash)\n# in ~/.zshrc, behind compinit\nsource <(skiff "
		    "completion zsh)\n# in ~/.config/fish/config.fish\nskiff completion fish | source\n",
	.groups = completion_groups,
	.params_size = sizeof(struct completion_params),
	.max_operands = 1,
	.offers = "bash zsh fish",
	.run = completion_run,
};
