/* SPDX-License-Identifier: Apache-2.0 */
/* cli_srv.h: a broker found by its domain: the service record of DNS [RFC 2782]. */
#ifndef SKIFF_CLI_SRV_H
#define SKIFF_CLI_SRV_H

#include "cli_command.h"

/* Asks for _mqtt._tcp, or with `tls` _secure-mqtt._tcp, of `domain`, and gives host and port of the best record: of the
 * lowest priority the one of the greatest weight. Result: an exit code, after saying what went wrong. */
int cli_srv_find(
	const struct cli_context *context, const char *domain, bool tls, char *host, size_t size, long long *port);

#endif
