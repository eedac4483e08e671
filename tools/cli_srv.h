/* SPDX-License-Identifier: Apache-2.0 */
/* cli_srv.h: a broker found by its domain: the service record of DNS [RFC 2782]. */
#ifndef SKIFF_CLI_SRV_H
#define SKIFF_CLI_SRV_H

#include "cli_command.h"

/* A record of an answer. */
struct cli_srv {
	unsigned priority, weight, port;
	char host[256];
};

/* Of the usable records in an answer of DNS one of the lowest priority, drawn by weight. Result: whether there is one.
 */
bool cli_srv_choose(const unsigned char *answer, size_t len, struct cli_srv *best);

/* Asks for _mqtt._tcp, or with `tls` _secure-mqtt._tcp, of `domain`, for at most `timeout_ms`, and gives host and port
 * of the chosen record. Result: an exit code, after saying what went wrong. */
int cli_srv_find(const struct cli_context *context, const char *domain, bool tls, int timeout_ms, char *host,
	size_t size, long long *port);

#endif
