/* SPDX-License-Identifier: Apache-2.0 */
/* tls_identity.h: who we are: the client's own certificate with its chain and key. */
#ifndef SKIFFI_TLS_IDENTITY_H
#define SKIFFI_TLS_IDENTITY_H

#include <openssl/ssl.h>
#include <skiff/error.h>
#include <skiff/tls.h>

/* All-zero: none. */
struct skiffi_tls_identity {
	STACK_OF(X509) * chain; /* its own first */
	EVP_PKEY *key;
};

/* Reads what `options` name and checks it: it is there and of the right kind, the key is the certificate's and not open
 * to others, the dates. False with `*error`, then too to be freed. Any thread. */
bool skiffi_tls_identity_load(
	struct skiffi_tls_identity *identity, const struct skiff_tls_options *options, struct skiff_error *error);
void skiffi_tls_identity_free(struct skiffi_tls_identity *identity);

/* Has `ctx` show it. `options` are those it was loaded by. False with `*error`. */
bool skiffi_tls_identity_use(const struct skiffi_tls_identity *identity, SSL_CTX *ctx,
	const struct skiff_tls_options *options, struct skiff_error *error);

/* Whether a certificate is within its dates; false with `*error`. */
bool skiffi_tls_identity_in_time(
	const X509 *certificate, const struct skiff_tls_options *options, struct skiff_error *error);

/* Whether `options` name a client certificate. */
bool skiffi_tls_identity_given(const struct skiff_tls_options *options);

#endif
