/* SPDX-License-Identifier: Apache-2.0 */
/* tls_binary.h: certificates, keys and revocation lists that are not PEM: DER, and PKCS#12 bundles [RFC 7292], also
 * those with the ciphers of old. */
#ifndef SKIFFI_TLS_BINARY_H
#define SKIFFI_TLS_BINARY_H

#include "transport/tls_files.h"

/* A source's bytes; where it came from tells how its password is had. */
struct skiffi_tls_binary {
	const unsigned char *data;
	size_t len;
	const struct skiffi_tls_source *source;
};

/* Whether these may be DER at all; PEM is text. */
bool skiffi_tls_binary_is(const void *data, size_t len);

/* What the bytes hold of a kind; NULL with `*error`, which is left alone where they hold something else. Certificates:
 * of a bundle its own first, then each one's issuer as far as it is there. A bundle opens without a password where it
 * can, else with the one that `ask` gives. Result: the caller's. */
STACK_OF(X509) * skiffi_tls_binary_certificates(const struct skiffi_tls_binary *binary, struct skiff_error *error);
EVP_PKEY *skiffi_tls_binary_key(const struct skiffi_tls_binary *binary, struct skiff_error *error);
STACK_OF(X509_CRL) * skiffi_tls_binary_crls(const struct skiffi_tls_binary *binary, struct skiff_error *error);

#endif
