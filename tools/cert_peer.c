/* SPDX-License-Identifier: Apache-2.0 */
/* cert_peer.c: a client of the library that stops when TLS stands (tls.handshake_only).
 *
 * Happy path: options, client, connect; the chain is copied when the library shows it, before it is judged.
 * Failure: of options and files it is said here; of the way and the handshake it stays in `error`. */
#include "cert_peer.h"
#include "check_place.h"
#include "cli_exit.h"
#include <openssl/err.h>
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
	int code = cli_client_prepare_many(context, params, &setup);
	if (code == CLI_EXIT_OK && params->ws_headers.count) {
		cli_say(context, "option '--ws-header': means nothing here; the way ends with TLS, before WebSocket");
		code = CLI_EXIT_USAGE;
	}
	if (code == CLI_EXIT_OK && (!peer->chain || !cli_client_set_broker(params, url))) {
		cli_say(context, "out of memory");
		code = CLI_EXIT_FAILURE;
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
