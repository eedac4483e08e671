/* SPDX-License-Identifier: Apache-2.0 */
/* tls_old.c: two providers in a context that lives as long as one file is read. */
#include "transport/tls_old.h"

#include <openssl/x509.h>

bool skiffi_tls_old_open(struct skiffi_tls_old *old)
{
	*old = (struct skiffi_tls_old){.libctx = OSSL_LIB_CTX_new()};
	old->usual = old->libctx ? OSSL_PROVIDER_load(old->libctx, "default") : NULL;
	old->legacy = old->usual ? OSSL_PROVIDER_load(old->libctx, "legacy") : NULL;
	return old->legacy;
}

void skiffi_tls_old_close(struct skiffi_tls_old *old)
{
	if (old->legacy)
		OSSL_PROVIDER_unload(old->legacy);
	if (old->usual)
		OSSL_PROVIDER_unload(old->usual);
	OSSL_LIB_CTX_free(old->libctx);
}

EVP_PKEY *skiffi_tls_old_bring_key(const EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = key ? i2d_PrivateKey(key, &der) : 0;
	const unsigned char *at = der;
	EVP_PKEY *copy = len > 0 ? d2i_AutoPrivateKey(NULL, &at, len) : NULL;
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	return copy;
}
