/* SPDX-License-Identifier: Apache-2.0 */
/* check_chain.c: certificates by OpenSSL. */
#include "check_chain.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void name_text(char *out, size_t size, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	*out = '\0';
	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0) {
		BIO_free(bio);
		return;
	}
	long len = BIO_get_mem_data(bio, &data);
	snprintf(out, size, "%.*s", (int)len, data);
	BIO_free(bio);
}

static void names_add(char *out, const char *data, int len)
{
	size_t used = strlen(out);
	snprintf(out + used, CHECK_NAMES_BYTES - used, "%s%.*s", used ? ", " : "", len, data);
}

static void names_text(char *out, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	*out = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		char address[INET6_ADDRSTRLEN];
		if (type == GEN_DNS) {
			names_add(out, (const char *)ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
		} else if (type == GEN_IPADD && (ASN1_STRING_length(value) == 4 || ASN1_STRING_length(value) == 16)) {
			inet_ntop(ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value),
				address, sizeof(address));
			names_add(out, address, (int)strlen(address));
		}
	}
	GENERAL_NAMES_free(names);
}

static void date_text(char *out, size_t size, const ASN1_TIME *date)
{
	struct tm parts;
	if (!ASN1_TIME_to_tm(date, &parts) || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts))
		snprintf(out, size, "unknown");
}

static void fingerprint_text(char *out, const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (!X509_digest(certificate, EVP_sha256(), digest, &len))
		len = 0;
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void chain_add(struct check_chain *chain, const X509 *certificate)
{
	int days, seconds;
	if (chain->count == CHECK_CHAIN_MAX)
		return;
	struct check_certificate *one = &chain->list[chain->count++];
	*one = (struct check_certificate){0};
	name_text(one->subject, sizeof(one->subject), X509_get_subject_name(certificate));
	name_text(one->issuer, sizeof(one->issuer), X509_get_issuer_name(certificate));
	names_text(one->names, certificate);
	date_text(one->not_before, sizeof(one->not_before), X509_get0_notBefore(certificate));
	date_text(one->not_after, sizeof(one->not_after), X509_get0_notAfter(certificate));
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)))
		one->days_left = seconds < 0 ? days - 1 : days;
	fingerprint_text(one->fingerprint, certificate);
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
