/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client_url.c: where to: the URL that --broker, --host and --port, --unix or --url mean, and what replaces the
 * look-up of its host. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_patience.h"
#include "cli_settings.h"
#include "cli_srv.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int url_wrong(const struct cli_context *context, const char *option, const char *why)
{
	cli_say(context, "option '%s': %s", option, why);
	return CLI_EXIT_USAGE;
}

/* ---- schemes ---- */

/* Whether a URL's scheme is one of `schemes`, a NULL-terminated list. */
static bool url_scheme_in(const char *url, const char *const *schemes)
{
	const char *colon = strstr(url, "://");
	for (; colon && *schemes; schemes++) {
		if (strlen(*schemes) == (size_t)(colon - url) && strncasecmp(url, *schemes, (size_t)(colon - url)) == 0)
			return true;
	}
	return false;
}

bool cli_client_url_has_tls(const char *url)
{
	static const char *const schemes[] = {"mqtts", "ssl", "tls", "wss", NULL};
	return url_scheme_in(url, schemes);
}

static bool url_is_ws(const char *url)
{
	static const char *const schemes[] = {"ws", "wss", NULL};
	return url_scheme_in(url, schemes);
}

/* ---- host and port ---- */

/* Whether mosquitto's clients would use TLS: certificates of one's own alone do not ask for it there. */
static bool url_tls_as_mosquitto(const struct cli_client_params *params)
{
	const struct cli_tls_params *tls = &params->tls;
	return tls->cafile || tls->capath || tls->psk || params->mosquitto.os_certs || params->port == 8883;
}

static bool url_wants_tls(const struct cli_context *context, const struct cli_client_params *params)
{
	if (params->mosquitto.no_tls)
		return false;
	if (context->mosquitto)
		return url_tls_as_mosquitto(params);
	return cli_tls_given(&params->tls) || url_tls_as_mosquitto(params);
}

/* The port where none was given; 0: the scheme's. */
static int url_default_port(
	const struct cli_context *context, const struct cli_client_params *params, bool tls, bool in_url)
{
	const struct cli_tls_params *given = &params->tls;
	if (in_url)
		return tls ? 8883 : 1883;
	if (!context->mosquitto)
		return 0;
	return !params->mosquitto.no_tls && (given->cafile || given->capath || given->psk) ? 8883 : 1883;
}

static int url_set_path(
	const struct cli_context *context, const struct cli_client_params *params, char *url, size_t size, int len)
{
	if (params->ws_path)
		len += snprintf(
			url + len, size - (size_t)len, "%s%s", *params->ws_path == '/' ? "" : "/", params->ws_path);
	return (size_t)len < size ? CLI_EXIT_OK : url_wrong(context, "--ws-path", "the path is too long");
}

/* With or without a zone. */
static bool url_is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	int len = snprintf(address, sizeof(address), "%.*s", (int)strcspn(host, "%"), host);
	return len < (int)sizeof(address) && inet_pton(AF_INET6, address, bytes) == 1;
}

/* How long a name is looked up here. */
static int url_patience_ms(const struct cli_client_params *params)
{
	return params->connect_timeout ? (int)params->connect_timeout * 1000 : CLI_PATIENCE_MS;
}

/* The URL of a host; `in_url`: it was in --url. */
static int url_from_host(
	const struct cli_context *context, const struct cli_client_params *params, bool in_url, char *url, size_t size)
{
	static const char *const schemes[2][2] = {{"mqtt", "mqtts"}, {"ws", "wss"}};
	const char *host = params->host ? params->host : "localhost";
	bool tls = url_wants_tls(context, params), bracket = strchr(host, ':') && host[0] != '[';
	char found[256];
	long long port = params->port;
	if (!*host || strpbrk(host, "/@?# "))
		return url_wrong(context, "--host", "a host name or address is needed; a URL goes with '--broker'");
	if (bracket && !url_is_ipv6(host))
		return url_wrong(context, "--host", "takes a host alone; its port goes with '--port'");
	if (params->mosquitto.srv) {
		int code = cli_srv_find(context, host, tls, url_patience_ms(params), found, sizeof(found), &port);
		if (code != CLI_EXIT_OK)
			return code;
		host = found;
	}
	if (port < 0)
		port = url_default_port(context, params, tls, in_url);
	int len = snprintf(
		url, size, "%s://%s%s%s", schemes[params->ws][tls], bracket ? "[" : "", host, bracket ? "]" : "");
	if (port > 0 && len > 0 && (size_t)len < size)
		len += snprintf(url + len, size - (size_t)len, ":%lld", port);
	if (len < 0 || (size_t)len >= size)
		return url_wrong(context, "--host", "the name is too long");
	return params->ws ? url_set_path(context, params, url, size, len) : CLI_EXIT_OK;
}

/* ---- --url ---- */

/* In place; as it stands where a '%' is not followed by two digits. A NUL is left as it is written. */
static void url_decode(char *text)
{
	char *to = text;
	for (const char *at = text; *at; at++) {
		char pair[3] = {at[0] == '%' ? at[1] : '\0', at[0] == '%' && at[1] ? at[2] : '\0', '\0'}, *end;
		long value = strtol(pair, &end, 16);
		bool coded = at[0] == '%' && end == pair + 2 && value;
		*to++ = coded ? (char)value : *at;
		at += coded ? 2 : 0;
	}
	*to = '\0';
}

/* What is said of it lies in the words of the command line, but for the password. */
static bool url_take_user(const struct cli_context *context, struct cli_client_params *params, char *user)
{
	char *colon = strchr(user, ':');
	if (colon)
		*colon++ = '\0';
	if (!context->mosquitto) {
		url_decode(user);
		if (colon)
			url_decode(colon);
	}
	params->username = user;
	if (!colon)
		return true;
	cli_secret_forget(&params->password);
	params->password = strdup(colon);
	explicit_bzero(colon, strlen(colon)); /* so that `ps` does not show it any longer */
	params->mosquitto.url_password = true;
	return params->password != NULL;
}

static bool url_take_host(const struct cli_context *context, struct cli_client_params *params, char *host)
{
	char *close = *host == '[' ? strchr(host, ']') : NULL, *port = close ? close + 1 : strchr(host, ':');
	if (close)
		*close = '\0';
	params->host = host + (close != NULL);
	if (!port || *port != ':')
		return true;
	*port++ = '\0';
	params->port = strtol(port, &port, 10);
	return context->mosquitto || (*port == '\0' && params->port >= 1 && params->port <= 65535);
}

static const struct url_scheme {
	const char *start;
	bool ws, tls;
} url_schemes[] = {
	{"mqtt://", false, false}, {"mqtts://", false, true}, {"ws://", true, false}, {"wss://", true, true}};

static const struct url_scheme *url_scheme_of(const char *url)
{
	for (size_t i = 0; i < sizeof(url_schemes) / sizeof(*url_schemes); i++) {
		if (strncasecmp(url, url_schemes[i].start, strlen(url_schemes[i].start)) == 0)
			return &url_schemes[i];
	}
	return NULL;
}

bool cli_client_url_apart(
	const struct cli_context *context, void *group, char *url, const char **topic, char *why, size_t size)
{
	struct cli_client_params *params = group;
	const struct url_scheme *scheme = url_scheme_of(url);
	const char *fault = NULL;
	char *start = url + (scheme ? strlen(scheme->start) : 0), *slash = strchr(start, '/'), *at;
	if (!scheme)
		fault = "its scheme is not mqtt://, mqtts://, ws:// or wss://";
	else if (!slash)
		fault = "the topic is missing; write it after the host and a '/'";
	if (!fault) {
		*slash = '\0';
		*topic = slash + 1;
		params->ws |= scheme->ws;
		params->mosquitto.os_certs |= scheme->tls;
		params->port = context->mosquitto ? (scheme->tls ? 8883 : 1883) : -1;
		at = strrchr(start, '@');
		if (at)
			*at = '\0';
		if (at && !url_take_user(context, params, start))
			fault = "out of memory";
		else if (!url_take_host(context, params, at ? at + 1 : start))
			fault = "its port is not a whole number from 1 to 65535";
	}
	if (fault)
		snprintf(why, size, "%s", fault);
	return !fault;
}

/* ---- which of them ---- */

/* The option that says where to, besides --broker; NULL: none. */
static const char *url_given(const struct cli_client_params *params)
{
	return params->mosquitto.url         ? "--url"
	       : params->mosquitto.unix_path ? "--unix"
	       : params->host                ? "--host"
	       : params->port >= 0           ? "--port"
	       : params->ws                  ? "--ws"
	       : params->mosquitto.srv       ? "-S"
					     : NULL;
}

static bool url_in_settings(const struct cli_context *context, const char *option)
{
	const struct cli_settings *settings = context->settings;
	for (size_t i = 0; settings && i < settings->count; i++) {
		if (strcmp(settings->items[i].option, option) == 0)
			return true;
	}
	return false;
}

/* Where a profile says one and the command line the other, that counts. Result: whether one is left. */
static bool url_settle(const struct cli_context *context, const struct cli_client_params *params, const char **broker,
	const char **given)
{
	if (!*broker || !*given)
		return true;
	bool whole = params->host || params->mosquitto.url || params->mosquitto.unix_path;
	bool broker_kept = url_in_settings(context, "--broker"), given_kept = url_in_settings(context, *given);
	if (broker_kept && !given_kept && whole)
		*broker = NULL;
	else if (given_kept && !broker_kept)
		*given = NULL;
	return !*broker || !*given;
}

static int url_copy(const struct cli_context *context, const char *option, const char *scheme, const char *rest,
	struct cli_client_setup *setup)
{
	int len = snprintf(setup->url, sizeof(setup->url), "%s%s", scheme, rest);
	if (len < 0 || (size_t)len >= sizeof(setup->url))
		return url_wrong(context, option, "is too long");
	return CLI_EXIT_OK;
}

static int url_choose(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	const char *given = url_given(params), *broker = params->broker;
	if (!url_settle(context, params, &broker, &given))
		return url_wrong(context, given, "excludes '--broker', whose URL says it all");
	if (broker && params->ws_path)
		return url_wrong(context, "--ws-path", "excludes '--broker', whose URL has the path");
	if (!broker && !given && !context->mosquitto)
		broker = getenv("SKIFF_BROKER");
	if (broker && *broker)
		return url_copy(context, "--broker", "", broker, setup);
	if (params->mosquitto.unix_path && !context->mosquitto && (params->host || params->port >= 0 || params->ws))
		return url_wrong(context, "--unix", "excludes '--host', '--port' and '--ws'");
	if (params->mosquitto.unix_path && url_wants_tls(context, params))
		return url_wrong(context, "--unix", "has no TLS; leave out the options of TLS, or take another door");
	if (params->mosquitto.unix_path)
		return url_copy(context, "--unix", "unix://", params->mosquitto.unix_path, setup);
	return url_from_host(context, params, params->mosquitto.url != NULL, setup->url, sizeof(setup->url));
}

/* What would be left out of account is refused; where mosquitto's clients say nothing of it, a warning is all. */
static int url_check(const struct cli_context *context, const struct cli_client_params *params, const char *url)
{
	const char *option = cli_tls_given(&params->tls);
	if (option && params->mosquitto.tls_version && strcmp(option, "--tls-min") == 0)
		option = "--tls-version"; /* which stands for both */
	if (option && !cli_client_url_has_tls(url) && !params->mosquitto.no_tls) {
		if (!context->mosquitto)
			return url_wrong(
				context, option, "means nothing without TLS; give a URL of mqtts:// or wss://");
		cli_say(context,
			"warning: option '%s' has no meaning without TLS, which is off; add '--cafile', "
			"'--capath' or '--tls-use-os-certs'",
			option);
	}
	option = params->ws_headers.count ? "--ws-header"
		 : params->ws_subprotocol ? "--ws-subprotocol"
		 : params->ws_path        ? "--ws-path"
					  : NULL;
	if (option && !url_is_ws(url))
		return url_wrong(context, option,
			"means nothing without WebSocket; add '--ws', or give a URL of ws:// or wss://");
	return CLI_EXIT_OK;
}

/* ---- --resolve and --bind ---- */

/* Host and port of a URL of ours, the default port of its scheme too. */
static bool url_place(const char *url, char *host, size_t size, int *port)
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	const char *end = start + strcspn(start, "/?#"), *at = memrchr(start, '@', (size_t)(end - start));
	start = at ? at + 1 : start;
	const char *close = *start == '[' ? memchr(start, ']', (size_t)(end - start)) : NULL;
	const char *stop = close ? close : start + strcspn(start, ":/?#");
	const char *colon = close ? close + 1 : stop;
	start += close != NULL;
	snprintf(host, size, "%.*s", (int)(stop - start), start);
	*port = *colon == ':'                 ? atoi(colon + 1)
		: url_is_ws(url)              ? (cli_client_url_has_tls(url) ? 443 : 80)
		: cli_client_url_has_tls(url) ? 8883
					      : 1883;
	return *host;
}

/* Whether HOST:PORT:ADDRESS is of this place; the address then comes in `address`. -1: it is none. */
static int resolve_matches(const char *entry, const char *host, int port, char *address, size_t size)
{
	unsigned char number[sizeof(struct in6_addr)];
	const char *bracket = *entry == '[' ? strchr(entry, ']') : NULL;
	const char *first = strchr(bracket ? bracket : entry, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	if (!second || first == entry)
		return -1;
	const char *to = second + 1;
	size_t len = strlen(to), host_len = (size_t)(first - entry);
	if (*to == '[' && to[len - 1] == ']') {
		to++;
		len -= 2;
	}
	snprintf(address, size, "%.*s", (int)len, to);
	if (inet_pton(AF_INET, address, number) != 1 && inet_pton(AF_INET6, address, number) != 1)
		return -1;
	if (bracket) {
		entry++;
		host_len -= 2;
	}
	bool any = first[1] == '*' && second == first + 2;
	return strlen(host) == host_len && strncasecmp(host, entry, host_len) == 0 && (any || atoi(first + 1) == port);
}

static int url_resolve(
	const struct cli_context *context, const struct cli_list *resolve, struct cli_client_setup *setup)
{
	char host[256], address[sizeof(setup->address)];
	int port;
	bool placed = url_place(setup->url, host, sizeof(host), &port);
	for (size_t i = 0; i < resolve->count; i++) {
		int matches = resolve_matches(resolve->items[i], host, port, address, sizeof(address));
		if (matches < 0)
			return url_wrong(context, "--resolve",
				"is written HOST:PORT:ADDRESS, with a numeric IPv4 or IPv6 address");
		if (!placed || !matches)
			continue;
		memcpy(setup->address, address, sizeof(address));
		setup->options.address = setup->address;
	}
	return CLI_EXIT_OK;
}

static int url_bind(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	struct addrinfo *found;
	const char *name = params->bind;
	if (!name)
		return CLI_EXIT_OK;
	int error = cli_patience_addresses(name, AF_UNSPEC, url_patience_ms(params), &found);
	if (!error)
		error = getnameinfo(found->ai_addr, found->ai_addrlen, setup->local_address,
			sizeof(setup->local_address), NULL, 0, NI_NUMERICHOST);
	if (found)
		freeaddrinfo(found);
	if (error) {
		cli_say(context, "option '--bind': '%s' is no address of this machine: %s", name, gai_strerror(error));
		return CLI_EXIT_DNS;
	}
	setup->options.local_address = setup->local_address;
	return CLI_EXIT_OK;
}

int cli_client_set_url(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	int code = url_choose(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = url_check(context, params, setup->url);
	if (code == CLI_EXIT_OK)
		code = url_resolve(context, &params->resolve, setup);
	if (code == CLI_EXIT_OK)
		code = url_bind(context, params, setup);
	setup->options.url = setup->url;
	setup->options.ws_subprotocol = params->ws_subprotocol;
	return code;
}
