/* SPDX-License-Identifier: Apache-2.0 */
/* cert_peer.h: a server's end of a TLS handshake, and nothing after it: no WebSocket, no MQTT. */
#ifndef SKIFF_CERT_PEER_H
#define SKIFF_CERT_PEER_H

#include "cli_client.h"
#include <openssl/x509.h>
#include <skiff/skiff.h>

enum { CERT_URL_BYTES = 600 };

struct cert_peer {
	char url[CERT_URL_BYTES];           /* without user info */
	struct skiff_error error;           /* SKIFF_OK: the server was accepted, and we as far as it asked */
	struct skiff_connection connection; /* what is known of the way, also after a failure */
	STACK_OF(X509) * chain;             /* as the server sent it, its own first; empty: it came not so far */
};

/* The options of a command with a peer; `base` is where its struct cli_client_params lies. */
#define CERT_PEER_GROUPS(base) \
	{"Connection", cli_connection_options + CLI_BROKER_OPTIONS, CLI_CONNECTION_OPTIONS - CLI_BROKER_OPTIONS, \
		(base)}, \
	{ \
		"TLS", cli_tls_options, CLI_TLS_OPTIONS, (base) \
	}

/* Shakes hands with `url`, in which a password is made unreadable. Result: CLI_EXIT_OK when it was tried, whatever came
 * of that; else an exit code, after saying what is wrong with options or files, which `error` has, too. `peer` must be
 * freed in any case. */
int cert_peer_meet(
	const struct cli_context *context, struct cli_client_params *params, char *url, struct cert_peer *peer);

/* The exit code for `peer->error`: what is not TLS at all is refused by TLS, too. */
int cert_peer_exit(const struct cert_peer *peer);

void cert_peer_free(struct cert_peer *peer);

#endif
