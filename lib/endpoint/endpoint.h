/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h: a URL, checked and taken apart once, into one immutable value. No network, no OpenSSL.
 *
 * scheme://[user[:password]@]host[:port][/path[?query]], scheme as in scheme.c's table; a bare "host", "host:port" or
 * "[v6]:port" means mqtt://. unix:///absolute/path or unix:relative/path names a socket. */
#ifndef SKIFFI_ENDPOINT_H
#define SKIFFI_ENDPOINT_H

#include <skiff/bytes.h>
#include <skiff/error.h>
#include <stdbool.h>
#include <stdint.h>

enum skiffi_transport_kind {
	SKIFFI_TCP,
	SKIFFI_TLS,
	SKIFFI_WS, /* with or without TLS: `endpoint.tls` */
	SKIFFI_UNIX
};

struct skiffi_scheme {
	const char *name;
	enum skiffi_transport_kind kind;
	bool tls;
	uint16_t port; /* default */
};

/* The row for a scheme's name (any case; `len` bytes), or NULL. scheme.c holds the table. */
const struct skiffi_scheme *skiffi_scheme_find(const char *name, size_t len);

/* The table, for help and errors; ends with a NULL name. */
extern const struct skiffi_scheme skiffi_schemes[];

struct skiffi_endpoint {
	enum skiffi_transport_kind kind;
	bool tls;
	bool ip_literal; /* `host` is a numeric address: no DNS, no SNI */
	bool port_given; /* else it is the scheme's default */
	uint16_t port;
	char *url;  /* canonical, without user info: for people */
	char *host; /* to connect to: name or numeric address without brackets (with %zone); the path for SKIFFI_UNIX */
	char *http_host;             /* Host header: host, brackets where needed, port unless the scheme's default */
	char *path;                  /* request target of the upgrade: path and query, at least "/"; default "/mqtt" */
	char *user;                  /* percent-decoded; NULL: none. Never printed */
	struct skiff_bytes password; /* percent-decoded, owned; absent: none. Never printed; wiped by free */
};

/* Takes `url` apart. Result: the endpoint, the caller's, or NULL with `*error`: one sentence that names the part that
 * is wrong (and never the user info). */
struct skiffi_endpoint *skiffi_endpoint_new(const char *url, struct skiff_error *error);

/* Frees it, wiping the password. NULL is allowed. */
void skiffi_endpoint_free(struct skiffi_endpoint *endpoint);

/* Whether a name, where a file may be named, is the URI of a token's or a TPM's: "pkcs11:...", "handle:...",
 * "object:..."; a file of that name is written "./pkcs11:...". */
bool skiffi_endpoint_is_token(const char *name);

#endif
