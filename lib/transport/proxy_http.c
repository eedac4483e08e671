/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_http.c: CONNECT host:port, with the user's credentials if there are any, and the head of the answer, which
 * begins with a status of 2xx when the way is open [RFC 9110, 9.3.6].
 *
 * Failure: another status; 407 is apart, as other credentials may help. An answer that is none is seen at its first
 * byte that does not fit, and one of SOCKS is known by its version. */
#include "transport/proxy_protocol.h"

#include "base/alloc.h"
#include "base/escape.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_HEAD_MAX = 16 * 1024, HTTP_LINE_SHOWN = 128, HTTP_VERSION_LEN = 9 /* "HTTP/1.1 " */ };

/* ---- the question ---- */

static size_t http_credentials_room(const struct skiffi_endpoint *proxy)
{
	return 64 + 4 * ((proxy->user ? strlen(proxy->user) : 0) + 1 + proxy->password.len + 2) / 3;
}

static bool http_add_credentials(struct skiffi_buffer *out, const struct skiffi_endpoint *proxy)
{
	size_t user_len = proxy->user ? strlen(proxy->user) : 0, len = user_len + 1 + proxy->password.len;
	if (!proxy->user && !proxy->password.len)
		return true;
	unsigned char *plain = skiffi_malloc(len), *coded = skiffi_malloc(4 * (len + 2) / 3 + 4);
	bool ok = plain && coded;
	if (ok) {
		memcpy(plain, proxy->user ? proxy->user : "", user_len);
		plain[user_len] = ':';
		if (proxy->password.len)
			memcpy(plain + user_len + 1, proxy->password.data, proxy->password.len);
		int coded_len = EVP_EncodeBlock(coded, plain, (int)len);
		ok = skiffi_buffer_append(out, "Proxy-Authorization: Basic ", 27) &&
		     skiffi_buffer_append(out, coded, (size_t)coded_len) && skiffi_buffer_append(out, "\r\n", 2);
		OPENSSL_cleanse(plain, len);
		OPENSSL_cleanse(coded, (size_t)coded_len);
	}
	skiffi_free(plain);
	skiffi_free(coded);
	return ok;
}

static bool http_ask(struct skiffi_buffer *out, enum skiffi_proxy_step step, const struct skiffi_proxy_wish *wish)
{
	char place[300], lines[1024];
	(void)step;
	skiffi_host_port(place, sizeof place, wish->host, wish->port);
	int len = snprintf(lines, sizeof lines, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", place, place);
	/* All the room at once: a buffer that moves would leave a copy of the password behind. */
	return skiffi_buffer_reserve(out, (size_t)len + http_credentials_room(wish->proxy->endpoint) + 2) &&
	       skiffi_buffer_append(out, lines, (size_t)len) && http_add_credentials(out, wish->proxy->endpoint) &&
	       skiffi_buffer_append(out, "\r\n", 2);
}

/* ---- the answer ---- */

/* The first line says it: "HTTP/1.1 407 Proxy Authentication Required". */
static void http_judge(
	const uint8_t *head, size_t len, const struct skiffi_proxy *proxy, struct skiffi_proxy_answer *answer)
{
	char line[HTTP_LINE_SHOWN], shown[4 * HTTP_LINE_SHOWN];
	size_t line_len = (size_t)((const uint8_t *)memmem(head, len, "\r\n", 2) - head);
	snprintf(line, sizeof line, "%.*s", (int)line_len, (const char *)head);
	int status =
		strncmp(line, "HTTP/1.", 7) == 0 && strlen(line) > HTTP_VERSION_LEN ? atoi(line + HTTP_VERSION_LEN) : 0;
	skiffi_escape(shown, sizeof shown, line, strlen(line));
	if (status >= 200 && status < 300) {
		answer->outcome = SKIFFI_PROXY_DONE;
		answer->used = len;
	} else if (status == 407 || status == 401) { /* tinyproxy says 401 of wrong ones */
		skiffi_proxy_refuse(answer, SKIFF_PROXY_AUTH, status, "%s",
			proxy->endpoint->user ? "does not take these credentials" : "wants credentials");
	} else if (status > 0) {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, status, "answered \"%s\"", shown + HTTP_VERSION_LEN);
	} else {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "does not answer in HTTP/1; is it an HTTP proxy?");
	}
}

/* How many bytes begin as an answer does. */
static size_t http_fitting(const uint8_t *data, size_t len)
{
	static const char start[] = "HTTP/";
	size_t fit = 0;
	while (fit < len && start[fit] && data[fit] == (uint8_t)start[fit])
		fit++;
	return start[fit] ? fit : len;
}

/* Up to the empty line. */
static void http_read(const uint8_t *data, size_t len, enum skiffi_proxy_step step,
	const struct skiffi_proxy_wish *wish, struct skiffi_proxy_answer *answer)
{
	(void)step;
	*answer = (struct skiffi_proxy_answer){.outcome = SKIFFI_PROXY_MORE};
	size_t fit = http_fitting(data, len), head = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
	const uint8_t *end = head ? memmem(data, head, "\r\n\r\n", 4) : NULL;
	if (fit < len && !fit && (*data == 5 || *data == 0)) { /* version 0 is SOCKS 4's */
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "answers in SOCKS, not in HTTP");
		if (*data == 5)
			skiffi_proxy_hint_other(answer->hint, &skiffi_proxy_http, wish->proxy, "try ");
	} else if (fit < len) {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "does not answer in HTTP; is it an HTTP proxy?");
	} else if (end) {
		http_judge(data, (size_t)(end + 4 - data), wish->proxy, answer);
	} else if (len >= HTTP_HEAD_MAX) {
		skiffi_proxy_refuse(
			answer, SKIFF_PROXY_REFUSED, 0, "answers at too great a length; is it an HTTP proxy?");
	}
}

const struct skiffi_proxy_protocol skiffi_proxy_http = {
	.first = SKIFFI_PROXY_CONNECT,
	.other = "SOCKS",
	.other_scheme = "socks5h",
	.ask = http_ask,
	.read = http_read,
};
