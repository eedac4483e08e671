/* SPDX-License-Identifier: Apache-2.0 */
/* cli_profile.h: settings under a name, `skiff pub @prod`: a table [prod] of the file that SKIFF_CONFIG names, else of
 * skiff/config.toml in $XDG_CONFIG_HOME or ~/.config.
 *
 *   [lab]
 *   broker = "mqtts://localhost:8883"
 *   cafile = "/etc/skiff/lab-ca.crt"
 *   qos = 1
 *
 *   [prod]
 *   inherits = "lab"                  # all of it first, but for the keys below
 *   broker = "wss://mqtt.example.com/mqtt"
 *   ws-header = ["X-Site: 7", "X-Line: 2"]
 *   debug = false
 *
 * A key is an option's long name without dashes, or its letter. A string or an integer is its value, true gives a flag,
 * false leaves it out, an array repeats the option. */
#ifndef SKIFF_CLI_PROFILE_H
#define SKIFF_CLI_PROFILE_H

#include "cli_settings.h"

/* The settings of the profile `name`. Warns when others may read the file and there is a secret in it. Result: an exit
 * code, after saying what went wrong; the settings are the caller's to free. */
int cli_settings_from_profile(const struct cli_context *context, const char *name, struct cli_settings *settings);

/* Prints the name of each profile on a line of stdout, none where there is no file. Result: an exit code, after saying
 * what went wrong. */
int cli_profiles_print(const struct cli_context *context);

#endif
