/* SPDX-License-Identifier: Apache-2.0 */
/* cert_handshake.c: `skiff cert handshake`: is the server accepted? One line, and the exit code. */
#include "cert_peer.h"
#include "cli_exit.h"
#include "cli_json.h"
#include "cli_text.h"
#include "commands.h"
#include <stdio.h>
#include <string.h>

struct handshake_params {
	struct cli_client_params client;
	bool json;
};

static const struct cli_option handshake_options[] = {
	{.name = "json",
		.type = CLI_FLAG,
		.field = offsetof(struct handshake_params, json),
		.help = "print one JSON object (schema skiff.cert-handshake/1), also when it fails"},
};

static const struct cli_group handshake_groups[] = {
	CLI_GROUP("Output", handshake_options, 0), CERT_PEER_GROUPS(offsetof(struct handshake_params, client)), {0}};

/* What is known of a way that was not gone. */
static const struct skiff_connection handshake_none = {
	.phases = {.dns_us = -1, .tcp_us = -1, .proxy_us = -1, .tls_us = -1}};

static double handshake_ms(int64_t us)
{
	return us >= 0 ? (double)us / 1e3 : -1;
}

/* Prints what may come from a stranger. */
static void handshake_text(const char *text)
{
	char out[sizeof(((struct skiff_connection *)0)->tls_subject) * CLI_ESCAPE_FACTOR];
	fwrite(out, 1, cli_escape(out, text, strlen(text), ""), stdout);
}

static void handshake_line(const struct cert_peer *peer)
{
	const struct skiff_connection *seen = &peer->connection;
	printf("%s: accepted, %s, %s, %s, ", peer->url, seen->tls_version, seen->tls_cipher,
		seen->tls_resumed ? "resumed" : "full handshake");
	if (*seen->tls_alpn)
		printf("ALPN %s, ", seen->tls_alpn);
	handshake_text(seen->tls_subject);
	printf(", %.1f ms\n", handshake_ms(seen->phases.tls_us));
}

static void json_some(struct cli_json *json, const char *name, const char *text)
{
	cli_json_text(json, name, *text ? text : NULL);
}

static void json_ms(struct cli_json *json, const char *name, int64_t us)
{
	if (us < 0)
		cli_json_null(json, name);
	else
		cli_json_number(json, name, handshake_ms(us), 3);
}

static void handshake_json(const struct cert_peer *peer, int code)
{
	const struct skiff_connection *seen = &peer->connection;
	struct cli_json json = {.out = stdout};
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.cert-handshake/1");
	cli_json_text(&json, "url", peer->url);
	cli_json_bool(&json, "ok", code == CLI_EXIT_OK);
	cli_json_integer(&json, "exit", code);
	cli_json_text(&json, "cause", code ? skiff_code_slug(peer->error.code) : NULL);
	cli_json_text(&json, "error", code ? peer->error.text : NULL);
	json_some(&json, "address", seen->address);
	json_some(&json, "version", seen->tls_version);
	json_some(&json, "cipher", seen->tls_cipher);
	json_some(&json, "alpn", seen->tls_alpn);
	cli_json_bool(&json, "resumed", seen->tls_resumed);
	cli_json_bool(&json, "certificate_wanted", seen->tls_certificate_wanted);
	json_some(&json, "subject", seen->tls_subject);
	json_some(&json, "issuer", seen->tls_issuer);
	json_ms(&json, "dns_ms", seen->phases.dns_us);
	json_ms(&json, "tcp_ms", seen->phases.tcp_us);
	json_ms(&json, "proxy_ms", seen->phases.proxy_us);
	json_ms(&json, "tls_ms", seen->phases.tls_us);
	cli_json_close(&json, '}');
	putchar('\n');
}

static int handshake_run(const struct cli_context *context, void *raw)
{
	struct handshake_params *params = raw;
	struct cert_peer peer;
	int code = cert_peer_meet(context, &params->client, context->operands[0], &peer);
	bool met = code == CLI_EXIT_OK;
	if (met)
		code = cert_peer_exit(&peer);
	else
		peer.connection = handshake_none;
	if (params->json)
		handshake_json(&peer, code);
	else if (met && code)
		cli_say(context, "%s", peer.error.text);
	else if (met && !params->client.quiet)
		handshake_line(&peer);
	cert_peer_free(&peer);
	return code;
}

const struct cli_command cmd_cert_handshake = {
	.name = "cert handshake",
	.summary = "make a TLS connection and nothing more; the exit code says whether it was accepted",
	.usage = "[OPTION]... URL",
	.description =
		"Connects to URL, of mqtts://, ssl://, tls:// or wss://, by TCP, through a proxy where one is given, "
		"and "
		"by TLS, verifies the server as every other command does, and hangs up. Nothing of WebSocket or MQTT "
		"is "
		"sent, so that any TLS server will do.\n\n"
		"Exit code 0: the server was accepted; 14: TLS refuses; 10 to 13: files, look-up, TCP or proxy.\n\n"
		"In TLS 1.3 a server judges the client's certificate, or the lack of one, only after the handshake. "
		"When "
		"it asked for one, its word is waited for: until it gives a session to resume, which it does only to "
		"whom "
		"it accepts, or for one second; silence counts as accepted.",
	.examples = "# would this server be accepted?\n"
		    "skiff cert handshake --cafile ca.crt mqtts://broker.example && echo yes\n"
		    "# by its address, for the name that it must have\n"
		    "skiff cert handshake --cafile ca.crt --server-name broker.example mqtts://192.0.2.7\n",
	.groups = handshake_groups,
	.params_size = sizeof(struct handshake_params),
	.min_operands = 1,
	.max_operands = 1,
	.run = handshake_run,
};
