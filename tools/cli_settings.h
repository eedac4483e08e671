/* SPDX-License-Identifier: Apache-2.0 */
/* cli_settings.h: options that stand in a file instead of on the command line, in the order in which they are to be
 * taken: before those of the command line, which so come last and count.
 *
 * Parameters that the parser fills from a setting may point into it: it is freed after they are. */
#ifndef SKIFF_CLI_SETTINGS_H
#define SKIFF_CLI_SETTINGS_H

#include "cli_command.h"

struct cli_setting {
	char *option; /* as on a command line: "--qos", "-q" */
	char *value;  /* NULL: the option stands alone, as a flag does */
	int line;     /* of the file */
};

/* All zero: none. */
struct cli_settings {
	struct cli_setting *items;
	size_t count;
	char *path;  /* the file's */
	bool secret; /* a profile's file holds one */
};

/* Where mosquitto_pub, mosquitto_sub or mosquitto_rr (`name`) look for options: $XDG_CONFIG_HOME, else $HOME/.config.
 * False when neither is set, or `size` bytes of `buffer` are too few. */
bool cli_settings_default_path(const char *name, char *buffer, size_t size);

/* Reads the options file of those commands: an option a line, then a blank and its value, to the end of the line. A
 * line that is empty or begins with '#' is none. A file that cannot be opened gives no settings, unless it
 * `must_exist`. Result: an exit code, after saying what went wrong; the settings are the caller's to free. */
int cli_settings_from_file(
	const struct cli_context *context, const char *path, bool must_exist, struct cli_settings *settings);

/* Adds a copy of `option`, with `prefix` before it, and of `value` (may be NULL). False: out of memory. */
bool cli_settings_add(
	struct cli_settings *settings, const char *prefix, const char *option, const char *value, int line);

/* Takes out what was added for this option. */
void cli_settings_drop(struct cli_settings *settings, const char *prefix, const char *option);

/* Whether an option of this name, without dashes, has a secret for `value`: a password, a key, a URL with a password.
 */
bool cli_settings_is_secret(const char *name, const char *value);

/* Warns when one of the settings is a secret and their file may be read by others. */
void cli_settings_check_secrets(const struct cli_context *context, const struct cli_settings *settings);

/* Wipes and frees. */
void cli_settings_free(struct cli_settings *settings);

#endif
