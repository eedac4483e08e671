/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_url.c: takes the URL of a proxy apart, which behind its scheme reads as one of a broker's does.
 *
 * Failure: another scheme is named; what is wrong behind it is not, as it may be a piece of the password. */
#include "endpoint/proxy_url.h"

#include "base/alloc.h"
#include "base/error.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PROXY_URL_BYTES = 2048, PROXY_SCHEME_SHOWN = 16 };

struct proxy_scheme {
	const char *name;
	uint16_t port;
};

static const struct proxy_scheme proxy_schemes[] = {
	[SKIFFI_PROXY_HTTP] = {"http", 80},
	[SKIFFI_PROXY_SOCKS5] = {"socks5", 1080},
	[SKIFFI_PROXY_SOCKS5H] = {"socks5h", 1080},
};

const char *skiffi_host_port(char *out, size_t size, const char *host, uint16_t port)
{
	bool v6 = strchr(host, ':');
	snprintf(out, size, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
	return out;
}

static bool scheme_find(const char *name, size_t len, enum skiffi_proxy_kind *kind)
{
	for (size_t i = 0; i < sizeof proxy_schemes / sizeof *proxy_schemes; i++) {
		if (strlen(proxy_schemes[i].name) == len && !strncasecmp(proxy_schemes[i].name, name, len)) {
			*kind = (enum skiffi_proxy_kind)i;
			return true;
		}
	}
	return false;
}

/* What stands before "://" is quoted only where it can be a scheme, so that no password is. */
static void scheme_unknown(const char *name, size_t len, struct skiff_error *error)
{
	size_t letters = 0;
	while (letters < len && isalnum((unsigned char)name[letters]))
		letters++;
	bool quotable = letters == len && len <= PROXY_SCHEME_SHOWN;
	skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the proxy's scheme %s%.*s%sis none of http, socks5 and socks5h",
		quotable ? "\"" : "", quotable ? (int)len : 0, name, quotable ? "\" " : "");
}

/* Cuts off the scheme; NULL: it is unknown. */
static const char *proxy_cut_scheme(struct skiffi_proxy *proxy, const char *url, struct skiff_error *error)
{
	const char *slashes = strstr(url, "://");
	if (!slashes)
		return url;
	if (scheme_find(url, (size_t)(slashes - url), &proxy->kind))
		return slashes + 3;
	scheme_unknown(url, (size_t)(slashes - url), error);
	return NULL;
}

static bool proxy_check_credentials(const struct skiffi_proxy *proxy, struct skiff_error *error)
{
	const struct skiffi_endpoint *endpoint = proxy->endpoint;
	if (proxy->kind == SKIFFI_PROXY_HTTP ||
		((!endpoint->user || strlen(endpoint->user) <= SKIFFI_PROXY_CREDENTIAL_MAX) &&
			endpoint->password.len <= SKIFFI_PROXY_CREDENTIAL_MAX))
		return true;
	skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
		"the proxy's user name or password is longer than the 255 bytes that SOCKS5 can carry");
	return false;
}

static bool proxy_fill(struct skiffi_proxy *proxy, const char *url, struct skiff_error *error)
{
	char text[PROXY_URL_BYTES], place[SKIFFI_PROXY_TEXT_BYTES - 16];
	struct skiff_error reason = {0};
	const char *rest = proxy_cut_scheme(proxy, url, error);
	if (!rest)
		return false;
	const struct proxy_scheme *scheme = &proxy_schemes[proxy->kind];
	if ((size_t)snprintf(text, sizeof text, "tcp://%s", rest) < sizeof text)
		proxy->endpoint = skiffi_endpoint_new(text, &reason);
	skiffi_wipe(text, sizeof text);
	if (!proxy->endpoint && reason.code == SKIFF_MEMORY) {
		*error = reason;
		return false;
	}
	if (!proxy->endpoint) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"the proxy is not written as %s://[user:password@]host[:port]; what is special in a password "
			"is written %%XX",
			scheme->name);
		return false;
	}
	if (!proxy->endpoint->port_given)
		proxy->endpoint->port = scheme->port;
	snprintf(proxy->text, sizeof proxy->text, "%s://%s", scheme->name,
		skiffi_host_port(place, sizeof place, proxy->endpoint->host, proxy->endpoint->port));
	return proxy_check_credentials(proxy, error);
}

struct skiffi_proxy *skiffi_proxy_new(const char *url, struct skiff_error *error)
{
	struct skiffi_proxy *proxy = skiffi_calloc(1, sizeof *proxy);
	if (!proxy) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (proxy_fill(proxy, url, error))
		return proxy;
	skiffi_proxy_free(proxy);
	return NULL;
}

void skiffi_proxy_free(struct skiffi_proxy *proxy)
{
	if (!proxy)
		return;
	skiffi_endpoint_free(proxy->endpoint);
	skiffi_free(proxy);
}
