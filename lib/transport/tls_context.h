/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.h: the user's TLS options become an SSL_CTX: the only place where TLS policy is set.
 *
 * Built once per client, before any connection is tried, so that what is wrong with a local file is said at once. */
#ifndef SKIFFI_TLS_CONTEXT_H
#define SKIFFI_TLS_CONTEXT_H

#include "endpoint/endpoint.h"
#include <openssl/ssl.h>
#include <skiff/client.h>
#include <time.h>

struct skiffi_tls_context;

/* Reads and checks every file: exists, readable, of the kind, key fits the certificate, password fits, dates. Any
 * thread. What `options` points to is borrowed until free, as files are read again by it. Result: the context, the
 * caller's; NULL with `*error`, one sentence naming the file, the reason and the way out. */
struct skiffi_tls_context *skiffi_tls_context_new(
	const struct skiff_tls_options *options, const struct skiffi_endpoint *endpoint, struct skiff_error *error);

/* What is told of: files that changed, certificates that will expire. In the loop's turn. */
typedef void (*skiffi_tls_news_fn)(void *user, const struct skiff_event *event);
void skiffi_tls_context_tell(struct skiffi_tls_context *context, skiffi_tls_news_fn tell, void *user);

/* Reads all files again, for the connections that begin from now on. False with `*error`: what was read before stays in
 * use. Any thread. */
bool skiffi_tls_context_renew(struct skiffi_tls_context *context, struct skiff_error *error);

/* Frees it. NULL is allowed. No transport may use it any more. */
void skiffi_tls_context_free(struct skiffi_tls_context *context);

/* A new SSL by the files as they are now, those that changed being read first; NULL: memory is out. In the loop's turn.
 */
SSL *skiffi_tls_context_new_ssl(struct skiffi_tls_context *context);

/* What is to be done when a handshake is through: a key seen for the first time is remembered, an end that is near is
 * told. `first_pin` is that key's pin, or "". False with `*error`. In the loop's turn. */
bool skiffi_tls_context_settle(
	struct skiffi_tls_context *context, const SSL *ssl, const char *first_pin, struct skiff_error *error);

/* Has `ssl`, before its handshake, offer the session of the client's last connection, if there is one worth it. False:
 * memory is out. In the loop's turn, as is keep, which takes over a reference to a session that came of `ssl`;
 * `proof_until` is when the response stapled to it is out of date, 0: there was none. */
bool skiffi_tls_context_resume(struct skiffi_tls_context *context, SSL *ssl);
void skiffi_tls_context_keep(
	struct skiffi_tls_context *context, const SSL *ssl, SSL_SESSION *session, time_t proof_until);
bool skiffi_tls_context_resumes(const struct skiffi_tls_context *context); /* by the user's wish */

/* The name to send as SNI, or NULL for none; the name or address to verify, or NULL for none. Borrowed. */
const char *skiffi_tls_context_sni(const struct skiffi_tls_context *context);
const char *skiffi_tls_context_verify_name(const struct skiffi_tls_context *context);

/* Whether the chain is not verified, by the user's wish. */
bool skiffi_tls_context_skips_chain(const struct skiffi_tls_context *context);

/* The user's options; borrowed. And "HOST:PORT", as it stands in the file of known hosts. */
const struct skiff_tls_options *skiffi_tls_context_options(const struct skiffi_tls_context *context);
const char *skiffi_tls_context_peer(const struct skiffi_tls_context *context);

/* Whom it trusts, for sentences: a file's or directory's name in quotes, or "the system's trust store". Borrowed. */
const char *skiffi_tls_context_trust(const struct skiffi_tls_context *context);

/* Tells the user of a chain that the server sent, where he wishes to know. */
void skiffi_tls_context_show(const struct skiffi_tls_context *context, const STACK_OF(X509) * chain);

/* Writes a line of secrets where the user wishes it. */
void skiffi_tls_context_log_key(struct skiffi_tls_context *context, const char *line);

/* Where the client certificate is, or NULL when there is none: a file, a token's URI, "tls.cert_pem". Borrowed. */
const char *skiffi_tls_context_certificate(const struct skiffi_tls_context *context);

/* Whether a name is an address: IPv4, or IPv6 without brackets. */
bool skiffi_tls_name_is_address(const char *name);

/* Whether a file that can be read is not PEM but DER or PKCS#12. */
bool skiffi_tls_context_file_is_binary(const char *path);

#endif
