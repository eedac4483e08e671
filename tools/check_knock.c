/* SPDX-License-Identifier: Apache-2.0 */
/* check_knock.c: one client of the library for each door; they run at the same time on its I/O thread. */
#include "check_knock.h"
#include <stdio.h>
#include <string.h>

enum { KNOCKS_MAX = 16, KNOCK_GRACE_MS = 200, KNOCK_SLACK_MS = 2000 };

static void knock_on_chain(const struct skiff_bytes *certificates, size_t count, void *user)
{
	struct check_knock *knock = user;
	check_chain_read(&knock->chain, certificates, count);
}

static struct skiff_client *knock_begin(struct check_knock *knock)
{
	int ms = knock->timeout_ms;
	struct skiff_options options = {.url = knock->url,
		.engine = SKIFF_ENGINE_NATIVE,
		.version = SKIFF_MQTT_AUTO,
		.ip_version = knock->ip_version,
		.proxy = knock->proxy,
		.proxy_environment = knock->proxy_environment,
		.address = knock->address,
		.http_headers = knock->headers,
		.http_header_count = knock->header_count,
		.timeouts = {ms, ms, ms, ms, ms, ms},
		.reconnect.off = true};
	if (knock->tls)
		options.tls = *knock->tls;
	else
		options.tls.insecure_skip_chain = options.tls.insecure_skip_name = true;
	options.tls.cert_file = options.tls.key_file = options.tls.keylog_file = NULL;
	options.tls.on_chain = knock_on_chain;
	options.tls.on_chain_user = knock;
	return skiff_client_new(&options, &knock->error);
}

static void knock_end(struct check_knock *knock, struct skiff_client *client, struct skiff_token *token)
{
	if (!client)
		return;
	skiff_token_wait(token, knock->timeout_ms + KNOCK_SLACK_MS);
	if (skiff_token_done(token))
		knock->error = *skiff_token_error(token);
	else
		knock->error.code = SKIFF_TIMEOUT;
	skiff_token_free(token);
	skiff_client_connection(client, &knock->connection);
	if (knock->error.code == SKIFF_OK)
		skiff_wait(skiff_disconnect(client, KNOCK_GRACE_MS, NULL), KNOCK_SLACK_MS);
	skiff_client_free(client);
}

void check_knock(struct check_knock *knocks, size_t count)
{
	struct skiff_client *clients[KNOCKS_MAX];
	struct skiff_token *tokens[KNOCKS_MAX] = {0};
	if (count > KNOCKS_MAX)
		count = KNOCKS_MAX;
	for (size_t i = 0; i < count; i++) {
		clients[i] = knock_begin(&knocks[i]);
		if (clients[i])
			tokens[i] = skiff_connect(clients[i]);
	}
	for (size_t i = 0; i < count; i++)
		knock_end(&knocks[i], clients[i], tokens[i]);
}

static bool knock_lacks_credentials(enum skiff_code code)
{
	return code == SKIFF_MQTT_BAD_CREDENTIALS || code == SKIFF_MQTT_NOT_AUTHORISED;
}

static bool knock_lacks_certificate(enum skiff_code code)
{
	return code == SKIFF_TLS_CLIENT_CERT_REQUIRED || code == SKIFF_TLS_CLIENT_CERT_REJECTED;
}

bool check_knock_opens(const struct check_knock *knock)
{
	enum skiff_code code = knock->error.code;
	return code == SKIFF_OK || knock_lacks_credentials(code) || knock_lacks_certificate(code) ||
	       knock->connection.reason > 0;
}

const char *check_knock_wants(const struct check_knock *knock)
{
	return knock_lacks_certificate(knock->error.code)   ? "a client certificate"
	       : knock_lacks_credentials(knock->error.code) ? "user name and password"
							    : "";
}

void check_knock_url(char *url, const char *scheme, const char *host, int port, const char *path)
{
	bool bare = strchr(host, ':') && host[0] != '[';
	char number[16] = "";
	if (port > 0)
		snprintf(number, sizeof(number), ":%d", port);
	snprintf(url, CHECK_URL_BYTES, "%s://%s%s%s%s%s", scheme, bare ? "[" : "", host, bare ? "]" : "", number, path);
}
