/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: takes a URL apart.
 *
 * Happy path: 1. every byte is one that may stand in a URL; 2. url_split cuts the text into scheme, user info, host,
 * port and rest; 3. each part is checked and copied by the function of its name; 4. the canonical texts are written.
 * Failure: the first part that is wrong ends it. A sentence quotes a host, a number or a path, and nothing at all where
 * a password with an unencoded '/', '?', '#' or '@' may have been taken for one of them. */
#include "endpoint/endpoint.h"

#include "base/alloc.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

enum {
	URL_MAX_BYTES = 8192,
	HOST_MAX_BYTES = 253,
	LABEL_MAX_BYTES = 63,
	ZONE_MAX_BYTES = 15,
	SOCKET_PATH_MAX_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
};

/* A piece of the text under the parser. */
struct span {
	const char *at;
	size_t len;
};

struct url {
	const struct skiffi_scheme *scheme;
	struct span info; /* before '@' */
	struct span host; /* without brackets */
	struct span port;
	struct span path;  /* from '/', or for unix everything */
	struct span query; /* from '?' */
	bool has_info, has_port, bracketed;
	bool quotable; /* no part can be a piece of a password gone astray */
};

static struct span span_of(const char *at, const char *end)
{
	return (struct span){at, (size_t)(end - at)};
}

static const char *span_end(struct span span)
{
	return span.len ? span.at + span.len : span.at; /* a span that is absent has no place to add to */
}

static const char *span_find(struct span span, const char *set)
{
	for (const char *at = span.at; at < span_end(span); at++)
		if (strchr(set, *at))
			return at;
	return NULL;
}

static bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.at, text, span.len);
}

/* For the functions that answer "was it right". */
static bool __attribute__((format(printf, 2, 3))) url_fail(struct skiff_error *error, const char *format, ...)
{
	char text[SKIFF_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	skiffi_fail(error, SKIFF_USAGE_URL, 0, "%s", text);
	return false;
}

static bool no_memory(struct skiff_error *error)
{
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

/* ---- cutting ---- */

static bool url_check_bytes(const char *text, struct skiff_error *error)
{
	size_t len = strlen(text);
	if (!len)
		return url_fail(error, "the URL is empty; one looks like tcp://localhost:1883");
	if (len > URL_MAX_BYTES)
		return url_fail(error, "the URL is %zu bytes long; at most %d are taken", len, URL_MAX_BYTES);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte == ' ')
			return url_fail(error,
				"the URL holds a space at position %zu; inside a part it is written %%20", i + 1);
		if (byte < ' ' || byte == 0x7f)
			return url_fail(
				error, "the URL holds the control character 0x%02x at position %zu", byte, i + 1);
	}
	return true;
}

static bool url_unknown_scheme(struct span name, struct skiff_error *error)
{
	char known[128] = "";
	for (const struct skiffi_scheme *scheme = skiffi_schemes; scheme->name; scheme++) {
		size_t len = strlen(known);
		snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", scheme->name);
	}
	return url_fail(error, "unknown scheme \"%.*s\" in the URL; known are %s", (int)(name.len < 32 ? name.len : 32),
		name.at, known);
}

/* Finds the scheme and leaves in `*rest` what follows it. */
static bool url_cut_scheme(const char *text, struct url *url, const char **rest, struct skiff_error *error)
{
	size_t len = strcspn(text, ":/?#@[");
	bool has_slashes = !strncmp(text + len, "://", 3);
	url->scheme = skiffi_scheme_find(text, len);
	if (url->scheme && url->scheme->kind == SKIFFI_UNIX && text[len] == ':') {
		*rest = text + len + 1;
		return true;
	}
	if (has_slashes) {
		*rest = text + len + 3;
		return url->scheme || url_unknown_scheme(span_of(text, text + len), error);
	}
	if (url->scheme && text[len] == ':' && !isdigit((unsigned char)text[len + 1]))
		return url_fail(error, "the scheme is followed by '//', as in %s://host", url->scheme->name);
	url->scheme = skiffi_scheme_find("mqtt", 4);
	*rest = text;
	return true;
}

static bool url_cut_host(struct url *url, struct span authority, struct skiff_error *error)
{
	if (authority.len && *authority.at == '[') {
		const char *close = span_find(authority, "]");
		if (!close)
			return url_fail(error, "the IPv6 address in the URL has no closing ']'");
		url->bracketed = true;
		url->host = span_of(authority.at + 1, close);
		if (close + 1 == span_end(authority))
			return true;
		if (close[1] != ':')
			return url_fail(error, "after the ']' of an IPv6 address only ':' and a port may follow");
		url->has_port = true;
		url->port = span_of(close + 2, span_end(authority));
		return true;
	}
	const char *colon = span_find(authority, ":");
	url->host = span_of(authority.at, colon ? colon : span_end(authority));
	url->has_port = colon;
	url->port = colon ? span_of(colon + 1, span_end(authority)) : (struct span){0};
	if (colon && span_find(url->port, ":"))
		return url_fail(error, "there is more than one ':' behind the host; an IPv6 address is written in "
				       "brackets, as in [2001:db8::1]:1883");
	return true;
}

static bool url_cut(const char *text, struct url *url, struct skiff_error *error)
{
	const char *rest = NULL;
	if (!url_cut_scheme(text, url, &rest, error))
		return false;
	if (strchr(rest, '#'))
		return url_fail(error,
			"a URL of a broker has no fragment ('#...'); inside a password or path '#' is written %%23");
	if (url->scheme->kind == SKIFFI_UNIX) {
		url->path = span_of(rest, rest + strlen(rest));
		return true;
	}
	struct span authority = {rest, strcspn(rest, "/?")};
	const char *path = span_end(authority);
	url->path = (struct span){path, strcspn(path, "?")};
	url->query = span_of(span_end(url->path), path + strlen(path));
	url->quotable = !strchr(path, '@');
	const char *at = span_find(authority, "@");
	if (at) {
		url->has_info = true;
		url->info = span_of(authority.at, at);
		authority = span_of(at + 1, span_end(authority));
		if (span_find(authority, "@"))
			return url_fail(error, "there is more than one '@' before the host; in a user name or password "
					       "it is written %%40");
	}
	return url_cut_host(url, authority, error);
}

/* ---- percent-encoding ---- */

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte at `at`, decoded, and the length it takes in `*used`; -1 when a '%' is not followed by two digits. */
static int percent_byte(const char *at, const char *end, size_t *used)
{
	*used = 1;
	if (*at != '%')
		return (unsigned char)*at;
	if (end - at < 3 || hex_value(at[1]) < 0 || hex_value(at[2]) < 0)
		return -1;
	*used = 3;
	return hex_value(at[1]) * 16 + hex_value(at[2]);
}

/* Decodes `span` into a new string of `*len` bytes; NULL with `*error`, which names the part but never quotes it. */
static char *percent_decode(struct span span, const char *part, size_t *len, struct skiff_error *error)
{
	char *out = skiffi_malloc(span.len + 1);
	if (!out) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	size_t used, count = 0;
	for (const char *at = span.at; at < span_end(span); at += used) {
		int byte = percent_byte(at, span_end(span), &used);
		if (byte < 0) {
			url_fail(error,
				"a '%%' in the %s of the URL is not followed by two hexadecimal digits; '%%' itself is "
				"written %%25",
				part);
			skiffi_wipe(out, count);
			skiffi_free(out);
			return NULL;
		}
		out[count++] = (char)byte;
	}
	out[count] = '\0';
	*len = count;
	return out;
}

/* percent_decode for what must be a C string. */
static char *percent_decode_text(struct span span, const char *part, struct skiff_error *error)
{
	size_t len = 0;
	char *out = percent_decode(span, part, &len, error);
	if (!out || strlen(out) == len)
		return out;
	url_fail(error, "the %s in the URL holds a NUL (%%00)", part);
	skiffi_wipe(out, len);
	skiffi_free(out);
	return NULL;
}

/* ---- the parts ---- */

/* The way out where an unencoded password may be what is in the way. */
static const char *hint(const struct url *url)
{
	return url->quotable ? "" : "; a '/' or '?' in a password is written %2F or %3F";
}

static bool endpoint_set_info(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	const char *colon = span_find(url->info, ":");
	struct span user = span_of(url->info.at, colon ? colon : span_end(url->info));
	if (user.len && !(endpoint->user = percent_decode_text(user, "user name", error)))
		return false;
	if (!colon)
		return true;
	struct span password = span_of(colon + 1, span_end(url->info));
	endpoint->password.data = percent_decode(password, "password", &endpoint->password.len, error);
	return endpoint->password.data;
}

static bool endpoint_set_port(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	endpoint->port = url->scheme->port;
	if (!url->has_port)
		return true;
	if (!url->port.len)
		return url_fail(
			error, "there is no port behind the ':'; leave the ':' out for port %u", url->scheme->port);
	unsigned long port = 0;
	for (const char *at = url->port.at; at < span_end(url->port) && port <= 65535; at++) {
		if (!isdigit((unsigned char)*at))
			return url_fail(error, "the port behind the host is not a number%s", hint(url));
		port = port * 10 + (unsigned long)(*at - '0');
	}
	if (!port || port > 65535)
		return url_fail(error, "port %.*s is out of range: a port is 1 to 65535",
			url->quotable ? (int)(url->port.len < 20 ? url->port.len : 20) : 0, url->port.at);
	endpoint->port = (uint16_t)port;
	endpoint->port_given = true;
	return true;
}

static bool host_fail(const struct url *url, const char *reason, struct skiff_error *error)
{
	if (!url->quotable)
		return url_fail(error, "the host in the URL %s%s", reason, hint(url));
	return url_fail(error, "host \"%.*s\" in the URL %s", (int)(url->host.len < 64 ? url->host.len : 64),
		url->host.at, reason);
}

/* Letters, digits, '-' and '_' in labels of 1 to 63 bytes; a dot at the end is allowed [RFC 1034, 3.1]. */
static bool host_check_name(const struct url *url, struct skiff_error *error)
{
	size_t label = 0;
	for (const char *at = url->host.at; at < span_end(url->host); at++) {
		unsigned char byte = (unsigned char)*at;
		if (byte >= 0x80)
			return host_fail(url, "is not ASCII; write it in its xn-- form", error);
		if (byte != '.' && byte != '-' && byte != '_' && !isalnum(byte))
			return host_fail(url, "holds a character that no host name can have", error);
		if (byte == '.' && !label)
			return host_fail(url, "has an empty label", error);
		label = byte == '.' ? 0 : label + 1;
		if (label > LABEL_MAX_BYTES)
			return host_fail(url, "has a label of more than 63 bytes", error);
	}
	if (url->host.len > HOST_MAX_BYTES)
		return host_fail(url, "has more than 253 bytes", error);
	return true;
}

/* A name whose last label is a number would be read by resolvers as an IPv4 address of some old form. */
static bool host_looks_numeric(const char *host)
{
	size_t len = strlen(host);
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	return len && *last && strspn(last, "0123456789") == strlen(last);
}

static bool endpoint_set_name(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	struct in_addr v4;
	if (!host_check_name(url, error))
		return false;
	endpoint->host = skiffi_memdup(url->host.at, url->host.len);
	if (!endpoint->host)
		return no_memory(error);
	for (char *at = endpoint->host; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	endpoint->ip_literal = inet_pton(AF_INET, endpoint->host, &v4) == 1;
	if (!endpoint->ip_literal && host_looks_numeric(endpoint->host))
		return host_fail(url, "looks like an IPv4 address and is none", error);
	return true;
}

/* The zone of a link-local address: "%25eth0" [RFC 6874], or "%eth0" as people write it. */
static bool host_check_zone(const struct url *url, struct span *zone, struct skiff_error *error)
{
	if (zone->len >= 2 && !memcmp(zone->at, "25", 2)) {
		zone->at += 2;
		zone->len -= 2;
	}
	if (!zone->len || zone->len > ZONE_MAX_BYTES)
		return host_fail(url, "has a zone that is no interface's name", error);
	for (const char *at = zone->at; at < span_end(*zone); at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
			return host_fail(url, "has a zone that is no interface's name", error);
	return true;
}

static bool endpoint_set_v6(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	const char *percent = span_find(url->host, "%");
	struct span number = span_of(url->host.at, percent ? percent : span_end(url->host));
	struct span zone = percent ? span_of(percent + 1, span_end(url->host)) : (struct span){0};
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN] = "", host[INET6_ADDRSTRLEN + 1 + ZONE_MAX_BYTES + 1];
	if (number.len < sizeof text)
		memcpy(text, number.at, number.len);
	if (number.len >= sizeof text || inet_pton(AF_INET6, text, &v6) != 1)
		return host_fail(url, "is not an IPv6 address", error);
	if (percent && !host_check_zone(url, &zone, error))
		return false;
	inet_ntop(AF_INET6, &v6, text, sizeof text);
	snprintf(host, sizeof host, "%s%s%.*s", text, percent ? "%" : "", (int)zone.len, percent ? zone.at : "");
	endpoint->ip_literal = true;
	endpoint->host = skiffi_strdup(host);
	return endpoint->host || no_memory(error);
}

static bool endpoint_set_host(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	if (!url->host.len)
		return url_fail(error, "the URL has no host; one looks like %s://localhost", url->scheme->name);
	return url->bracketed ? endpoint_set_v6(endpoint, url, error) : endpoint_set_name(endpoint, url, error);
}

static bool path_check(struct span path, struct skiff_error *error)
{
	size_t used;
	for (const char *at = path.at; at < span_end(path); at += used) {
		if (percent_byte(at, span_end(path), &used) < 0)
			return url_fail(error, "a '%%' in the path of the URL is not followed by two hexadecimal "
					       "digits; '%%' itself is written %%25");
		if ((unsigned char)*at >= 0x80)
			return url_fail(error, "the path of the URL holds a byte outside ASCII; it is written %%%02X",
				(unsigned char)*at);
	}
	return true;
}

static bool endpoint_set_path(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	if (endpoint->kind != SKIFFI_WS) {
		if (!url->query.len && (!url->path.len || span_is(url->path, "/")))
			return true;
		return url_fail(error, "%s:// takes no path: only WebSocket has one (%s://)%s", url->scheme->name,
			endpoint->tls ? "wss" : "ws", hint(url));
	}
	if (!path_check(url->path, error) || !path_check(url->query, error))
		return false;
	struct span path = url->path.len ? url->path : (struct span){"/mqtt", 5};
	endpoint->path = skiffi_malloc(path.len + url->query.len + 1);
	if (!endpoint->path)
		return no_memory(error);
	sprintf(endpoint->path, "%.*s%.*s", (int)path.len, path.at, (int)url->query.len, url->query.at);
	return true;
}

/* "unix:relative", "unix:/absolute" or "unix:///absolute". */
static bool endpoint_set_socket(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	struct span path = url->path;
	if (path.len >= 2 && !memcmp(path.at, "//", 2)) {
		struct span authority = {path.at + 2, strcspn(path.at + 2, "/")};
		if (span_find(authority, "@"))
			return url_fail(error, "a unix:// URL takes no user name or password; give them as options");
		if (authority.len && span_end(authority) < span_end(path))
			return url_fail(
				error, "a unix URL has no host; write unix:///absolute/path or unix:relative/path");
		if (authority.len)
			return url_fail(error,
				"\"%.*s\" is no absolute path; write unix:///absolute/path or unix:relative/path",
				(int)(authority.len < 100 ? authority.len : 100), authority.at);
		path = span_of(path.at + 2, span_end(path));
	}
	if (span_find(path, "?"))
		return url_fail(error, "a unix URL has no query; in a path '?' is written %%3F");
	if (!path.len)
		return url_fail(error, "the URL names no socket; write unix:///absolute/path or unix:relative/path");
	endpoint->host = percent_decode_text(path, "path", error);
	if (!endpoint->host)
		return false;
	if (strlen(endpoint->host) <= SOCKET_PATH_MAX_BYTES)
		return true;
	return url_fail(error, "the path of the socket has %zu bytes; the system takes at most %d",
		strlen(endpoint->host), SOCKET_PATH_MAX_BYTES);
}

/* ---- texts ---- */

/* Writes "host" or "[v6]", without a zone: it means nothing to anybody else [RFC 6874, 1]. */
static int host_text(char *out, size_t size, const struct skiffi_endpoint *endpoint)
{
	bool v6 = strchr(endpoint->host, ':');
	return snprintf(
		out, size, "%s%.*s%s", v6 ? "[" : "", (int)strcspn(endpoint->host, "%"), endpoint->host, v6 ? "]" : "");
}

/* As it was given, so that it names the same socket when it is pasted. */
static bool endpoint_set_socket_text(struct skiffi_endpoint *endpoint, struct span path)
{
	if (path.len >= 2 && !memcmp(path.at, "//", 2))
		path = span_of(path.at + 2, span_end(path));
	size_t size = path.len + 16;
	endpoint->url = skiffi_malloc(size);
	if (endpoint->url)
		snprintf(endpoint->url, size, "unix:%s%.*s", *path.at == '/' ? "//" : "", (int)path.len, path.at);
	return endpoint->url != NULL;
}

static bool endpoint_set_texts(struct skiffi_endpoint *endpoint, const struct url *url, struct skiff_error *error)
{
	char host[HOST_MAX_BYTES + 16];
	if (endpoint->kind == SKIFFI_UNIX)
		return endpoint_set_socket_text(endpoint, url->path) || no_memory(error);
	size_t size = strlen(endpoint->host) + (endpoint->path ? strlen(endpoint->path) : 0) + 64;
	endpoint->url = skiffi_malloc(size);
	int len = host_text(host, sizeof host, endpoint);
	if (endpoint->url)
		snprintf(endpoint->url, size, "%s://%s:%u%s", url->scheme->name, host, endpoint->port,
			endpoint->path ? endpoint->path : "");
	if (endpoint->port != url->scheme->port)
		snprintf(host + len, sizeof host - (size_t)len, ":%u", endpoint->port);
	endpoint->http_host = skiffi_strdup(host);
	return (endpoint->url && endpoint->http_host) || no_memory(error);
}

static bool endpoint_fill(struct skiffi_endpoint *endpoint, const char *text, struct skiff_error *error)
{
	struct url url = {0};
	if (!url_check_bytes(text, error) || !url_cut(text, &url, error))
		return false;
	endpoint->kind = url.scheme->kind;
	endpoint->tls = url.scheme->tls;
	if (endpoint->kind == SKIFFI_UNIX)
		return endpoint_set_socket(endpoint, &url, error) && endpoint_set_texts(endpoint, &url, error);
	return endpoint_set_info(endpoint, &url, error) && endpoint_set_host(endpoint, &url, error) &&
	       endpoint_set_port(endpoint, &url, error) && endpoint_set_path(endpoint, &url, error) &&
	       endpoint_set_texts(endpoint, &url, error);
}

struct skiffi_endpoint *skiffi_endpoint_new(const char *url, struct skiff_error *error)
{
	struct skiffi_endpoint *endpoint = skiffi_calloc(1, sizeof *endpoint);
	if (!endpoint) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (endpoint_fill(endpoint, url ? url : "", error))
		return endpoint;
	skiffi_endpoint_free(endpoint);
	return NULL;
}

void skiffi_endpoint_free(struct skiffi_endpoint *endpoint)
{
	if (!endpoint)
		return;
	skiffi_wipe((void *)endpoint->password.data, endpoint->password.len);
	skiffi_free((void *)endpoint->password.data);
	skiffi_free(endpoint->user);
	skiffi_free(endpoint->path);
	skiffi_free(endpoint->http_host);
	skiffi_free(endpoint->host);
	skiffi_free(endpoint->url);
	skiffi_free(endpoint);
}
