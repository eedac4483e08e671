/* SPDX-License-Identifier: Apache-2.0 */
/* check_chain.c: certificates by OpenSSL. */
#include "check_chain.h"
#include "cert_words.h"
#include "cli_text.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What a stranger wrote is made harmless here: a NUL in a name would hide what follows. */
static void names_add(const char *kind, const char *data, size_t len, void *user)
{
	char *out = user, text[CHECK_NAMES_BYTES];
	size_t used = strlen(out),
	       some = len < sizeof(text) / CLI_ESCAPE_FACTOR ? len : sizeof(text) / CLI_ESCAPE_FACTOR;
	if (strcmp(kind, "DNS") == 0 || strcmp(kind, "IP") == 0)
		snprintf(out + used, CHECK_NAMES_BYTES - used, "%s%.*s", used ? ", " : "",
			(int)cli_escape(text, data, some, ""), text);
}

static void names_text(char *out, const X509 *certificate)
{
	GENERAL_NAMES *names = cert_names_of(certificate);
	*out = '\0';
	cert_names_each(names, names_add, out);
	GENERAL_NAMES_free(names);
}

static void chain_add(struct check_chain *chain, const X509 *certificate)
{
	char digest[CERT_DIGEST_BYTES];
	if (chain->count == CHECK_CHAIN_MAX)
		return;
	struct check_certificate *one = &chain->list[chain->count++];
	*one = (struct check_certificate){0};
	cert_name_text(one->subject, sizeof(one->subject), X509_get_subject_name(certificate));
	cert_name_text(one->issuer, sizeof(one->issuer), X509_get_issuer_name(certificate));
	names_text(one->names, certificate);
	cert_date_text(one->not_before, sizeof(one->not_before), X509_get0_notBefore(certificate));
	cert_date_text(one->not_after, sizeof(one->not_after), X509_get0_notAfter(certificate));
	one->days_left = cert_days_left(X509_get0_notAfter(certificate));
	cert_digest_text(digest, certificate, EVP_sha256());
	snprintf(one->fingerprint, sizeof(one->fingerprint), "%.64s", digest);
}

void check_chain_read(struct check_chain *chain, const struct skiff_bytes *certificates, size_t count)
{
	chain->count = 0;
	for (size_t i = 0; i < count; i++) {
		const unsigned char *at = certificates[i].data;
		X509 *certificate = d2i_X509(NULL, &at, (long)certificates[i].len);
		if (certificate)
			chain_add(chain, certificate);
		X509_free(certificate);
	}
	ERR_clear_error();
}

static int password_give(char *buffer, int size, int writing, void *user)
{
	const struct skiff_tls_options *tls = user;
	(void)writing;
	return tls->key_password ? tls->key_password(buffer, (size_t)size, tls->key_password_user) : -1;
}

static void chain_load(struct check_chain *chain, OSSL_STORE_CTX *store)
{
	while (!OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		if (!info) /* nothing that can be read, or no more */
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT)
			chain_add(chain, OSSL_STORE_INFO_get0_CERT(info));
		OSSL_STORE_INFO_free(info);
	}
}

bool check_chain_read_own(struct check_chain *chain, const struct skiff_tls_options *tls)
{
	BIO *bio = BIO_new_file(tls->cert_file, "r");
	UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(password_give, 0);
	OSSL_STORE_CTX *store = NULL;
	chain->count = 0;
	if (bio && method)
		store = OSSL_STORE_attach(bio, "file", NULL, NULL, method, (void *)tls, NULL, NULL, NULL);
	if (store && OSSL_STORE_expect(store, OSSL_STORE_INFO_CERT))
		chain_load(chain, store);
	OSSL_STORE_close(store);
	UI_destroy_method(method);
	BIO_free(bio);
	ERR_clear_error();
	return chain->count > 0;
}
