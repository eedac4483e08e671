/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h: every command; one cmd_*.c each. */
#ifndef SKIFF_COMMANDS_H
#define SKIFF_COMMANDS_H

#include "cli_command.h"

extern const struct cli_command cmd_cert;
extern const struct cli_command cmd_check;
extern const struct cli_command cmd_compare;
extern const struct cli_command cmd_help;
extern const struct cli_command cmd_lab;
extern const struct cli_command cmd_pub;
extern const struct cli_command cmd_rr;
extern const struct cli_command cmd_sub;
extern const struct cli_command cmd_version;

/* The second words of `skiff cert`; one cert_*.c each. */
extern const struct cli_command cmd_cert_check;
extern const struct cli_command cmd_cert_csr;
extern const struct cli_command cmd_cert_handshake;
extern const struct cli_command cmd_cert_lab;
extern const struct cli_command cmd_cert_show;

#endif
