/* SPDX-License-Identifier: Apache-2.0 */
/* cert_show.c: `skiff cert show`: what is in a file, or what a server shows.
 *
 * Happy path: a file is read item by item, a server's chain comes from a handshake that stops there; both are shown in
 * the same way. A server that is not accepted is shown all the same, and that it is not is said.
 * Failure: no file, nothing of the kind in it, or no TLS at the URL. */
#include "cert_show.h"
#include "cert_words.h"
#include "cli_exit.h"
#include "cli_text.h"
#include "commands.h"
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOW_TREES_MAX = 64 };

struct show_params {
	struct cli_client_params client;
	bool json, pem;
};

static const struct cli_option show_options[] = {
	{.name = "json",
		.type = CLI_FLAG,
		.field = offsetof(struct show_params, json),
		.help = "print one JSON object instead of the page (schema skiff.cert/1); names are not shortened"},
	{.name = "pem",
		.type = CLI_FLAG,
		.field = offsetof(struct show_params, pem),
		.help = "print the certificates as PEM and nothing else, to be saved or handed on"},
};

static const struct cli_group show_groups[] = {
	CLI_GROUP("Output", show_options, 0), CERT_PEER_GROUPS(offsetof(struct show_params, client)), {0}};

size_t cert_view_number(const struct cert_view *view, int index)
{
	size_t number = 0;
	for (int seen = -1; seen < index; number++)
		seen += view->items->list[number].certificate != NULL;
	return number;
}

/* ---- chains ---- */

static bool view_signed_another(const struct cert_view *view, int index)
{
	X509 *issuer = sk_X509_value(view->certificates, index);
	for (int i = 0; i < sk_X509_num(view->certificates); i++)
		if (i != index && X509_check_issued(issuer, sk_X509_value(view->certificates, i)) == X509_V_OK &&
			X509_cmp(issuer, sk_X509_value(view->certificates, i)) != 0)
			return true;
	return false;
}

static void view_chain_tell(const struct cert_view *view, int index, bool told[], cert_view_chain_fn each, void *user)
{
	struct cert_chain chain;
	cert_chain_build(&chain, view->certificates, index, view->trust);
	for (size_t i = 0; i < chain.count; i++)
		if (chain.links[i].index >= 0)
			told[chain.links[i].index] = true;
	each(view, &chain, user);
	cert_chain_free(&chain);
}

void cert_view_chains(const struct cert_view *view, cert_view_chain_fn each, void *user)
{
	bool told[SHOW_TREES_MAX] = {false};
	int count = sk_X509_num(view->certificates);
	if (count < 1 || count > SHOW_TREES_MAX)
		return;
	for (int i = 0; i < count; i++)
		if ((view->peer && i == 0) || (!told[i] && !view_signed_another(view, i)))
			view_chain_tell(view, i, told, each, user);
	for (int i = 0; i < count; i++)
		if (!told[i])
			view_chain_tell(view, i, told, each, user);
}

/* ---- what a client must load ---- */

/* Whether it is for want of trust that the peer was refused. */
static bool peer_is_stranger(enum skiff_code code)
{
	return code == SKIFF_TLS_UNKNOWN_CA || code == SKIFF_TLS_SELF_SIGNED || code == SKIFF_TLS_MISSING_INTERMEDIATE;
}

/* The issuer that is neither sent nor trusted. OpenSSL wants each certificate up to the root: one file must have all.
 */
static void load_missing(struct cert_view *view, const char *name, const struct cli_client_params *client)
{
	if (view->peer->error.code == SKIFF_TLS_MISSING_INTERMEDIATE)
		snprintf(view->load, sizeof(view->load),
			"the intermediate \"%s\", which the server must send and does not: have the server mended; "
			"until "
			"then, put that certificate and the one of its root into ONE file, then '--cafile FILE'",
			name);
	else if (client->tls.cafile)
		snprintf(view->load, sizeof(view->load),
			"the certificate of \"%s\", which the server does not send: have it given by whoever runs the "
			"server, and put it into ONE file with those of '--cafile' here; if it is an intermediate, its "
			"root too",
			name);
	else
		snprintf(view->load, sizeof(view->load),
			"the certificate of \"%s\", which the server does not send: have it given by whoever runs the "
			"server, then '--cafile FILE'; if it is an intermediate, its root goes into the same FILE",
			name);
}

static void load_for_stranger(
	struct cert_view *view, const struct cert_chain *chain, const struct cli_client_params *client)
{
	const struct cert_link *last = &chain->links[chain->count - 1];
	char name[CERT_WHY_BYTES], word[4 * CERT_URL_BYTES];
	if (chain->ends) {
		cli_shell_word(word, sizeof(word), view->source);
		snprintf(view->load, sizeof(view->load),
			"certificate %d, if its SHA-256 is the one that its owner tells you: save it by 'skiff cert "
			"show "
			"--pem %.300s > ca.pem', then '--cafile ca.pem'",
			(int)cert_view_number(view, last->index), word);
		return;
	}
	cert_name_text(name, sizeof(name), X509_get_issuer_name(last->certificate));
	load_missing(view, name, client);
}

static void view_say_load(struct cert_view *view, const struct cli_client_params *client)
{
	enum skiff_code code = view->peer->error.code;
	struct cert_chain chain;
	if (client->tls.insecure_chain) {
		snprintf(view->load, sizeof(view->load), "unknown: '--insecure-chain' takes anything");
	} else if (peer_is_stranger(code) && sk_X509_num(view->certificates) > 0) {
		cert_chain_build(&chain, view->certificates, 0, view->trust);
		load_for_stranger(view, &chain, client);
		cert_chain_free(&chain);
	} else if (client->tls.cafile || client->tls.capath) {
		snprintf(view->load, sizeof(view->load), "'%s', as here", client->tls.cafile ? "--cafile" : "--capath");
	} else {
		snprintf(view->load, sizeof(view->load), "nothing: the system's trust store has its CA");
	}
	size_t used = strlen(view->load);
	if (view->peer->connection.tls_certificate_wanted || code == SKIFF_TLS_CLIENT_CERT_REQUIRED)
		snprintf(view->load + used, sizeof(view->load) - used,
			"; the server asks for a client certificate, '--cert' and '--key'");
}

/* ---- the whole ---- */

/* What cannot be read is shown, as such; but it is a fault of the file. */
static int view_exit(const struct cert_view *view)
{
	for (size_t i = 0; i < view->items->count; i++)
		if (view->items->list[i].fault == CERT_DAMAGED || view->items->list[i].fault == CERT_CUT)
			return CLI_EXIT_FILE;
	return CLI_EXIT_OK;
}

static int view_print(const struct cli_context *context, const struct cert_view *view, const struct show_params *params)
{
	if (params->json) {
		cert_json_print(view);
		return view_exit(view);
	}
	if (!params->pem) {
		cert_page_print(view);
		return view_exit(view);
	}
	BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
	int count = sk_X509_num(view->certificates), written = 0;
	while (out && written < count && PEM_write_bio_X509(out, sk_X509_value(view->certificates, written)))
		written++;
	BIO_free(out);
	if (count)
		return CLI_EXIT_OK;
	cli_say(context, "'%s' holds no certificate", view->source);
	return CLI_EXIT_FILE;
}

static int show_items(const struct cli_context *context, struct cert_view *view, const struct show_params *params)
{
	char ignored[CERT_WHY_BYTES];
	const struct cli_client_params *client = &params->client;
	int code = CLI_EXIT_FAILURE;
	view->certificates = sk_X509_new_null();
	view->trust =
		cert_trust_new(client->tls.cafile ? client->tls.cafile : client->tls.capath, ignored, sizeof(ignored));
	for (size_t i = 0; view->certificates && i < view->items->count; i++)
		if (view->items->list[i].certificate)
			sk_X509_push(view->certificates, view->items->list[i].certificate);
	if (!view->certificates) {
		cli_say(context, "out of memory");
	} else {
		if (view->peer)
			view_say_load(view, client);
		code = view_print(context, view, params);
	}
	sk_X509_free(view->certificates);
	X509_STORE_free(view->trust);
	return code;
}

static int show_file(const struct cli_context *context, const struct show_params *params, const char *path)
{
	struct cert_items items;
	struct cert_view view = {.source = path, .items = &items};
	struct cli_secret password = {0};
	char why[CERT_WHY_BYTES];
	const char *file = params->client.tls.key_password_file;
	int code = file ? cli_password_from_file(context, file, &password)
			: cli_password_from_environment(context, "SKIFF_KEY_PASSWORD", &password);
	if (code != CLI_EXIT_OK)
		return code;
	if (cert_file_read(path, &password, &items, why)) {
		code = show_items(context, &view, params);
	} else {
		bool place = strchr(path, ':') && !strchr(path, '/');
		cli_say(context, "%s%s%s", why, place ? "; a server is looked at by its URL: mqtts://" : "",
			place ? path : "");
		code = CLI_EXIT_FILE;
	}
	cert_items_free(&items);
	cli_secret_wipe(&password);
	return code;
}

/* The peer's chain as items, which borrow. */
static int show_peer(const struct cli_context *context, const struct show_params *params, const struct cert_peer *peer)
{
	int count = sk_X509_num(peer->chain), code = CLI_EXIT_FAILURE;
	struct cert_items items = {.list = calloc((size_t)count, sizeof(*items.list)), .count = (size_t)count};
	struct cert_view view = {.source = peer->url, .items = &items, .peer = peer};
	for (int i = 0; items.list && i < count; i++)
		items.list[i] =
			(struct cert_item){.kind = CERT_CERTIFICATE, .certificate = sk_X509_value(peer->chain, i)};
	if (items.list)
		code = show_items(context, &view, params);
	else
		cli_say(context, "out of memory");
	free(items.list);
	return code;
}

static int show_url(const struct cli_context *context, struct show_params *params, char *url)
{
	struct cert_peer peer;
	int code = cert_peer_meet(context, &params->client, url, &peer);
	if (code == CLI_EXIT_OK && sk_X509_num(peer.chain) > 0) {
		code = show_peer(context, params, &peer);
	} else if (code == CLI_EXIT_OK) {
		cli_say(context, "%s", peer.error.text);
		code = peer.error.code ? cert_peer_exit(&peer) : CLI_EXIT_TLS;
	}
	cert_peer_free(&peer);
	return code;
}

static int show_run(const struct cli_context *context, void *raw)
{
	struct show_params *params = raw;
	char *operand = context->operands[0];
	if (params->json && params->pem) {
		cli_say(context, "option '--pem': excludes '--json'; choose one");
		return CLI_EXIT_USAGE;
	}
	if (cert_path_is_token(operand)) {
		cli_say(context, "a token is not shown; 'skiff cert handshake' and 'skiff check' use what it keeps, by "
				 "'--cert' and '--key'");
		return CLI_EXIT_USAGE;
	}
	return strstr(operand, "://") ? show_url(context, params, operand) : show_file(context, params, operand);
}

const struct cli_command cmd_cert_show = {
	.name = "cert show",
	.summary = "show what a file of certificates or keys holds, or what a server shows",
	.usage = "[OPTION]... FILE|URL",
	.description =
		"With a FILE ('-': standard input): names everything in it, whatever its form, and says of each "
		"certificate "
		"whose it is, for which names, by whom, until when, its key, what it may be used for, its "
		"fingerprints, and "
		"its pin as curl writes it; the same of signing requests, revocation lists and keys, of which nothing "
		"secret is shown. --key-password-file or SKIFF_KEY_PASSWORD opens what is encrypted.\n\n"
		"With a URL of mqtts:// or wss://: the server's chain as it sends it, whether it would be accepted "
		"here, "
		"and what a client must load for that. Exit code 0 also when it would not; 10 where something in FILE "
		"is "
		"damaged.",
	.examples =
		"# whose is this, and how long does it last?\nskiff cert show client.crt\n"
		"# what must a client load for this server?\nskiff cert show mqtts://broker.example\n"
		"# keep its chain\nskiff cert show --pem mqtts://broker.example > chain.pem\n"
		"# a PKCS#12 file as PEM\nskiff cert show --pem --key-password-file secret client.p12 > client.crt\n",
	.groups = show_groups,
	.params_size = sizeof(struct show_params),
	.min_operands = 1,
	.max_operands = 1,
	.offers = "FILE",
	.run = show_run,
};
