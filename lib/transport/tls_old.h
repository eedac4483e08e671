/* SPDX-License-Identifier: Apache-2.0 */
/* tls_old.h: OpenSSL with its ciphers of old (RC2, DES), in a context of its own, so that no handshake can have them. */
#ifndef SKIFFI_TLS_OLD_H
#define SKIFFI_TLS_OLD_H

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>

/* All-zero: closed. */
struct skiffi_tls_old {
	OSSL_LIB_CTX *libctx;
	OSSL_PROVIDER *usual, *legacy;
};

/* False: the provider of the old ones is not installed; then too to be closed. */
bool skiffi_tls_old_open(struct skiffi_tls_old *old);
void skiffi_tls_old_close(struct skiffi_tls_old *old);

/* A copy, for the usual context, of a key that was read in the old one; NULL: memory is out, or `key` is NULL. */
EVP_PKEY *skiffi_tls_old_bring_key(const EVP_PKEY *key);

#endif
