/* SPDX-License-Identifier: Apache-2.0 */
/* cert_peer.c: a client of the library that stops when TLS stands (tls.handshake_only).
 *
 * Happy path: options, client, connect; the chain is copied when the library shows it, before it is judged.
 * Failure: it stays in `error`; of options and files it is said here, too. */
#include "cert_peer.h"
#include "check_place.h"
#include "cli_exit.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* On the client's I/O thread, which is done with it before the token ends. */
static void peer_on_chain(const struct skiff_bytes *certificates, size_t count, void *user)
{
	struct cert_peer *peer = user;
	while (sk_X509_num(peer->chain) > 0)
		X509_free(sk_X509_pop(peer->chain));
	for (size_t i = 0; i < count; i++) {
		const unsigned char *at = certificates[i].data;
		X509 *certificate = d2i_X509(NULL, &at, (long)certificates[i].len);
		if (certificate && !sk_X509_push(peer->chain, certificate))
			X509_free(certificate);
	}
	ERR_clear_error();
}

/* Says what is wrong with what was asked for. */
static int peer_wrong(
	const struct cli_context *context, struct cert_peer *peer, enum skiff_code error, int code, const char *text)
{
	peer->error.code = error;
	snprintf(peer->error.text, sizeof(peer->error.text), "%s", text);
	cli_say(context, "%s", text);
	return code;
}

static void peer_connect(struct cert_peer *peer, struct skiff_client *client)
{
	struct skiff_token *token = skiff_connect(client);
	skiff_token_wait(token, -1);
	if (token)
		peer->error = *skiff_token_error(token);
	else
		peer->error.code = SKIFF_MEMORY;
	skiff_token_free(token);
	skiff_client_connection(client, &peer->connection);
}

int cert_peer_meet(
	const struct cli_context *context, struct cli_client_params *params, char *url, struct cert_peer *peer)
{
	struct cli_client_setup setup;
	struct skiff_client *client = NULL;
	*peer = (struct cert_peer){.chain = sk_X509_new_null()};
	check_place_bare(peer->url, url, false);
	int code = cli_client_prepare_many(context, params, &setup);
	if (code != CLI_EXIT_OK) {
		peer->error.code = code == CLI_EXIT_FILE ? SKIFF_FILE_UNREADABLE : SKIFF_USAGE_OPTION;
		snprintf(peer->error.text, sizeof(peer->error.text),
			"an option, or a file that it names, is at fault; standard error says which");
	} else if (params->ws_headers.count) {
		code = peer_wrong(context, peer, SKIFF_USAGE_OPTION, CLI_EXIT_USAGE,
			"option '--ws-header': means nothing here; the way ends with TLS, before WebSocket");
	} else if (!peer->chain || !cli_client_set_broker(params, url)) {
		code = peer_wrong(context, peer, SKIFF_MEMORY, CLI_EXIT_FAILURE, "out of memory");
	}
	if (code == CLI_EXIT_OK) {
		setup.options.url = params->broker;
		setup.options.engine = SKIFF_ENGINE_NATIVE;
		setup.options.reconnect.off = true;
		setup.options.tls.handshake_only = true;
		setup.options.tls.on_chain = peer_on_chain;
		setup.options.tls.on_chain_user = peer;
		client = skiff_client_new(&setup.options, &peer->error);
		check_place_bare(peer->url, params->broker, client != NULL);
		if (!client) {
			cli_say(context, "%s", peer->error.text);
			code = cli_exit_for(peer->error.code);
		}
	}
	if (client)
		peer_connect(peer, client);
	skiff_client_free(client);
	cli_client_release(&setup);
	cli_client_drop_broker(params);
	return code;
}

int cert_peer_exit(const struct cert_peer *peer)
{
	return peer->error.code == SKIFF_WRONG_PROTOCOL ? CLI_EXIT_TLS : cli_exit_for(peer->error.code);
}

void cert_peer_free(struct cert_peer *peer)
{
	sk_X509_pop_free(peer->chain, X509_free);
	peer->chain = NULL;
}
