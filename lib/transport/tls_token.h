/* SPDX-License-Identifier: Apache-2.0 */
/* tls_token.h: certificates and keys that a token or a TPM keeps, by URI: "pkcs11:..." [RFC 7512], "handle:0x..." and
 * "object:..." of the provider tpm2 (skiffi_endpoint_is_token). A key never leaves it; each handshake asks it for a signature, on the I/O thread.
 */
#ifndef SKIFFI_TLS_TOKEN_H
#define SKIFFI_TLS_TOKEN_H

#include "transport/tls_files.h"

/* The certificates, or the key, that source->path names; its `ask` gives the PIN. Result: the caller's, or NULL with
 * `*error`. Any thread. */
STACK_OF(X509) * skiffi_tls_token_certificates(const struct skiffi_tls_source *source, struct skiff_error *error);
EVP_PKEY *skiffi_tls_token_key(const struct skiffi_tls_source *source, struct skiff_error *error);

/* The property query by which an SSL_CTX uses `key` (NULL: none) where it is; a static string, NULL: it needs none. */
const char *skiffi_tls_token_properties(const EVP_PKEY *key);

#endif
