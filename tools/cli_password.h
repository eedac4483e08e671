/* SPDX-License-Identifier: Apache-2.0 */
/* cli_password.h: passwords that never need to stand on a command line: from the environment, a file, or a terminal. */
#ifndef SKIFF_CLI_PASSWORD_H
#define SKIFF_CLI_PASSWORD_H

#include "cli_command.h"
#include <stdbool.h>
#include <sys/stat.h>

/* Owned bytes; all zero: absent. */
struct cli_secret {
	char *data;
	size_t len;
};

/* Each of these gives an exit code, after saying what went wrong; the secret is the caller's to wipe. */

/* The variable's value, which is then wiped from the environment; absent when it is not set. */
int cli_password_from_environment(const struct cli_context *context, const char *variable, struct cli_secret *secret);

/* The file's bytes without one newline at the end. Warns when others may read it. */
int cli_password_from_file(const struct cli_context *context, const char *path, struct cli_secret *secret);

/* A line typed on the terminal, unseen. */
int cli_password_ask(const struct cli_context *context, const char *prompt, struct cli_secret *secret);

/* A copy of `text`. */
int cli_password_copy(const struct cli_context *context, const char *text, struct cli_secret *secret);

/* Has a variable that the library reads stand elsewhere: /proc/PID/environ no longer shows its value. */
void cli_secret_hide_variable(const char *variable);

/* Whether the file `path` may be read by any of `who`, S_IRGRP and S_IROTH. */
bool cli_secret_file_is_open(const char *path, mode_t who);

/* Warns when the file `path` may be read by others. */
void cli_secret_file_check(const struct cli_context *context, const char *path);

void cli_secret_wipe(struct cli_secret *secret);

/* The same for a text of its own, which may be NULL and is so after. */
void cli_secret_forget(char **text);

/* From here on a crash of this process leaves no core file, in which secrets would stand. */
void cli_secret_keep_from_core(void);

#endif
