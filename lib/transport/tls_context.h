/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.h: the user's TLS options become an SSL_CTX: the only place where TLS policy is set.
 *
 * Built once per client, before any connection is tried, so that what is wrong with a local file is said at once. */
#ifndef SKIFFI_TLS_CONTEXT_H
#define SKIFFI_TLS_CONTEXT_H

#include "endpoint/endpoint.h"
#include <openssl/ssl.h>
#include <skiff/tls.h>

struct skiffi_tls_context;

/* Reads and checks every file: exists, readable, PEM, key fits the certificate, password fits, dates. Any thread.
 * Result: the context, the caller's; NULL with `*error`, one sentence naming the file, the reason and the way out. */
struct skiffi_tls_context *skiffi_tls_context_new(
	const struct skiff_tls_options *options, const struct skiffi_endpoint *endpoint, struct skiff_error *error);

/* Frees it. NULL is allowed. No transport may use it any more. */
void skiffi_tls_context_free(struct skiffi_tls_context *context);

/* The SSL_CTX; borrowed. */
SSL_CTX *skiffi_tls_context_ssl(const struct skiffi_tls_context *context);

/* Has `ssl`, before its handshake, offer the session of the client's last connection, if there is one worth it. False:
 * memory is out. In the loop's turn, as is keep, which takes over a reference to a session that came (NULL: none). */
bool skiffi_tls_context_resume(struct skiffi_tls_context *context, SSL *ssl);
void skiffi_tls_context_keep(struct skiffi_tls_context *context, SSL_SESSION *session);
bool skiffi_tls_context_resumes(const struct skiffi_tls_context *context); /* by the user's wish */

/* The name to send as SNI, or NULL for none; the name or address to verify, or NULL for none. Borrowed. */
const char *skiffi_tls_context_sni(const struct skiffi_tls_context *context);
const char *skiffi_tls_context_verify_name(const struct skiffi_tls_context *context);

/* Whether the chain is not verified, by the user's wish. */
bool skiffi_tls_context_skips_chain(const struct skiffi_tls_context *context);

/* Whom it trusts, for sentences: a file's or directory's name in quotes, or "the system's trust store". Borrowed. */
const char *skiffi_tls_context_trust(const struct skiffi_tls_context *context);

/* Tells the user of a chain that the server sent, where he wishes to know. */
void skiffi_tls_context_show(const struct skiffi_tls_context *context, const STACK_OF(X509) * chain);

/* Writes a line of secrets where the user wishes it. */
void skiffi_tls_context_log_key(struct skiffi_tls_context *context, const char *line);

/* The file of the client certificate, or NULL when there is none. Borrowed. */
const char *skiffi_tls_context_certificate(const struct skiffi_tls_context *context);

/* Whether a name is an address: IPv4, or IPv6 without brackets. */
bool skiffi_tls_name_is_address(const char *name);

/* Whether a file that can be read is not PEM but DER or PKCS#12. */
bool skiffi_tls_context_file_is_binary(const char *path);

#endif
