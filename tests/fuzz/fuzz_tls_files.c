/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tls_files.c: any bytes are certificates, revocation lists or a key, or give one sentence.
 *
 * Input: a byte that chooses among the three, then what a file would hold. Bundles of PKCS#12 are left out, as they say
 * themselves how long their passwords take. */
#include "fuzz.h"
#include "transport/tls_files.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>

static bool is_bundle(const uint8_t *data, size_t len)
{
	PKCS12 *bundle = d2i_PKCS12(NULL, &data, (long)len);
	PKCS12_free(bundle);
	ERR_clear_error();
	return bundle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct skiff_error error = {0};
	if (len < 2 || is_bundle(data + 1, len - 1))
		return 0;
	struct skiffi_tls_source source =
		skiffi_tls_source("", NULL, "tls.fuzz", (struct skiff_bytes){data + 1, len - 1});
	STACK_OF(X509) *certificates = NULL;
	STACK_OF(X509_CRL) *lists = NULL;
	EVP_PKEY *key = NULL;
	if (data[0] % 3 == 0)
		certificates = skiffi_tls_read_certificates(&source, &error);
	else if (data[0] % 3 == 1)
		lists = skiffi_tls_read_crls(&source, &error);
	else
		key = skiffi_tls_read_key(&source, &error);
	CHECK(certificates || lists || key || (error.code && error.text[0]));
	CHECK(!certificates || sk_X509_num(certificates) > 0);
	CHECK(!lists || sk_X509_CRL_num(lists) > 0);
	CHECK(!ERR_peek_error());
	sk_X509_pop_free(certificates, X509_free);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	EVP_PKEY_free(key);
	return 0;
}
