/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_url.h: a proxy as its user wrote it, checked and taken apart once. No network.
 *
 * [scheme://][user[:password]@]host[:port]: http (the default; port 80), socks5 and socks5h (port 1080). As curl has
 * it, with socks5 the broker's name is looked up here and with socks5h by the proxy; http leaves it to the proxy too.
 */
#ifndef SKIFFI_PROXY_URL_H
#define SKIFFI_PROXY_URL_H

#include "endpoint/endpoint.h"

enum skiffi_proxy_kind { SKIFFI_PROXY_HTTP, SKIFFI_PROXY_SOCKS5, SKIFFI_PROXY_SOCKS5H };

enum { SKIFFI_PROXY_TEXT_BYTES = 288, SKIFFI_PROXY_CREDENTIAL_MAX = 255 /* of SOCKS5 [RFC 1929, 2] */ };

struct skiffi_proxy {
	enum skiffi_proxy_kind kind;
	struct skiffi_endpoint *endpoint;   /* of the kind SKIFFI_TCP */
	char text[SKIFFI_PROXY_TEXT_BYTES]; /* scheme://host:port, for people: no user info */
};

/* Result: the proxy, the caller's, or NULL with `*error`: one sentence that never quotes the user info. */
struct skiffi_proxy *skiffi_proxy_new(const char *url, struct skiff_error *error);

/* Frees it, wiping the password. NULL is allowed. */
void skiffi_proxy_free(struct skiffi_proxy *proxy);

/* HOST:PORT, with brackets around an IPv6 address; the result is `out`. */
const char *skiffi_host_port(char *out, size_t size, const char *host, uint16_t port);

#endif
