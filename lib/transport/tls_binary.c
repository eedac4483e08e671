/* SPDX-License-Identifier: Apache-2.0 */
/* tls_binary.c: DER is one ASN.1 sequence, and which one is a matter of trying.
 *
 * A bundle: 1. its password: none, or the user's; 2. OpenSSL takes it apart; 3. the certificates are put in order.
 * Failure: what is encrypted as before 2020 or so (RC2) is opened once more with OpenSSL's provider of old algorithms,
 * in a context of its own, so that no handshake can have them; where that provider is not installed, it is said how the
 * bundle is made anew. */
#include "transport/tls_binary.h"

#include "base/error.h"
#include "transport/tls_old.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { PASSWORD_BYTES = 1024 };

/* What is in a bundle. */
struct bundle {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) * others;
};

/* A sequence: its length takes more than a byte, as in no text, or is all there is. */
bool skiffi_tls_binary_is(const void *data, size_t len)
{
	const unsigned char *at = data;
	return len > 2 && at[0] == 0x30 && (at[1] & 0x80 || at[1] + (size_t)2 == len);
}

static void bundle_free(struct bundle *bundle)
{
	EVP_PKEY_free(bundle->key);
	X509_free(bundle->certificate);
	sk_X509_pop_free(bundle->others, X509_free);
	*bundle = (struct bundle){0};
}

/* ---- passwords ---- */

/* Asks for it, with a NUL behind it. False after saying why there is none. */
static bool password_ask(
	const struct skiffi_tls_binary *binary, char password[PASSWORD_BYTES + 1], struct skiff_error *error)
{
	int len = binary->source->ask ? binary->source->ask(password, PASSWORD_BYTES, binary->source->user) : -1;
	if (len >= 0 && len <= PASSWORD_BYTES && !memchr(password, '\0', (size_t)len)) {
		password[len] = '\0';
		return true;
	}
	skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0, "%s is encrypted, and no password was given",
		binary->source->subject);
	return false;
}

static void password_is_wrong(const struct skiffi_tls_binary *binary, struct skiff_error *error)
{
	skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0, "the password does not open %s", binary->source->subject);
}

/* ---- bundles ---- */

/* The bundle, in the context `libctx` (NULL: the default one); NULL: it is none. */
static PKCS12 *bundle_read(const struct skiffi_tls_binary *binary, OSSL_LIB_CTX *libctx)
{
	const unsigned char *at = binary->data;
	PKCS12 *made = libctx ? PKCS12_init_ex(NID_pkcs7_data, libctx, NULL) : NULL;
	PKCS12 *read = d2i_PKCS12(made ? &made : NULL, &at, (long)binary->len);
	if (!read)
		PKCS12_free(made);
	return read;
}

/* Copies of what another context made, for the default one. */
static bool bundle_bring_over(struct bundle *bundle, const struct bundle *from)
{
	bundle->key = skiffi_tls_old_bring_key(from->key);
	bundle->others = sk_X509_new_null();
	int others = from->others ? sk_X509_num(from->others) : 0;
	bool ok = bundle->key && bundle->others;
	for (int i = -1; ok && i < others; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(i < 0 ? from->certificate : sk_X509_value(from->others, i), &der);
		const unsigned char *at = der;
		X509 *copy = len > 0 ? d2i_X509(NULL, &at, len) : NULL;
		OPENSSL_free(der);
		if (i < 0)
			bundle->certificate = copy;
		ok = copy && (i < 0 || sk_X509_push(bundle->others, copy));
	}
	return ok;
}

/* Once more, with the algorithms of old. */
static bool bundle_open_old(const struct skiffi_tls_binary *binary, const char *password, struct bundle *bundle)
{
	struct bundle found = {0};
	struct skiffi_tls_old old;
	PKCS12 *read = skiffi_tls_old_open(&old) ? bundle_read(binary, old.libctx) : NULL;
	bool ok = read && PKCS12_parse(read, password, &found.key, &found.certificate, &found.others) && found.key &&
		  found.certificate && bundle_bring_over(bundle, &found);
	bundle_free(&found);
	PKCS12_free(read);
	skiffi_tls_old_close(&old);
	return ok;
}

static bool bundle_parse(const struct skiffi_tls_binary *binary, PKCS12 *read, const char *password,
	struct bundle *bundle, struct skiff_error *error)
{
	bool open = !*password; /* without a password, or with an empty one */
	if (!open && PKCS12_mac_present(read) && !PKCS12_verify_mac(read, password, -1)) {
		password_is_wrong(binary, error);
		return false;
	}
	if (PKCS12_parse(read, password, &bundle->key, &bundle->certificate, &bundle->others))
		return true;
	bundle_free(bundle);
	if (bundle_open_old(binary, password, bundle))
		return true;
	bundle_free(bundle);
	skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
		"%s cannot be decrypted here, as by RC2; where it can be, make it anew: openssl pkcs12 -legacy "
		"-nodes -in FILE -out X.pem && openssl pkcs12 -export -in X.pem -out NEW",
		binary->source->subject);
	return false;
}

/* True: `*bundle` is filled. False: not a bundle, or with `*error` one that cannot be opened. */
static bool bundle_open(const struct skiffi_tls_binary *binary, struct bundle *bundle, struct skiff_error *error)
{
	char password[PASSWORD_BYTES + 1] = "";
	PKCS12 *read = bundle_read(binary, NULL);
	if (!read)
		return false;
	bool open = PKCS12_mac_present(read) ? PKCS12_verify_mac(read, "", 0) || PKCS12_verify_mac(read, NULL, 0)
					     : !binary->source->ask;
	bool ok = open || password_ask(binary, password, error);
	ok = ok && bundle_parse(binary, read, password, bundle, error);
	OPENSSL_cleanse(password, sizeof password);
	PKCS12_free(read);
	return ok;
}

/* ---- certificates ---- */

/* Moves from `others` to `chain` the issuer of its last, as long as there is one. */
static bool chain_add_issuers(STACK_OF(X509) * chain, STACK_OF(X509) * others)
{
	for (int i = 0; i < sk_X509_num(others); i++) {
		X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
		if (X509_check_issued(sk_X509_value(others, i), last) != X509_V_OK)
			continue;
		X509 *issuer = sk_X509_delete(others, i);
		if (!sk_X509_push(chain, issuer)) {
			X509_free(issuer);
			return false;
		}
		i = -1;
	}
	return true;
}

static STACK_OF(X509) * bundle_chain(struct bundle *bundle)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	bool ok = chain != NULL;
	if (ok && bundle->certificate) {
		ok = sk_X509_push(chain, bundle->certificate);
		if (ok)
			bundle->certificate = NULL;
		ok = ok && chain_add_issuers(chain, bundle->others);
	}
	while (ok && sk_X509_num(bundle->others) > 0) { /* what belongs to none of them: a store of CAs has only such */
		ok = sk_X509_push(chain, sk_X509_value(bundle->others, 0));
		if (ok)
			sk_X509_shift(bundle->others);
	}
	if (ok && sk_X509_num(chain))
		return chain;
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

/* One certificate behind the other, until the end. */
static STACK_OF(X509) * der_certificates(const struct skiffi_tls_binary *binary)
{
	const unsigned char *at = binary->data, *end = at + binary->len;
	STACK_OF(X509) *list = sk_X509_new_null();
	bool ok = list != NULL;
	while (ok && at < end) {
		X509 *certificate = d2i_X509(NULL, &at, end - at);
		ok = certificate && sk_X509_push(list, certificate);
		if (!ok)
			X509_free(certificate);
	}
	if (ok && sk_X509_num(list))
		return list;
	sk_X509_pop_free(list, X509_free);
	return NULL;
}

STACK_OF(X509) * skiffi_tls_binary_certificates(const struct skiffi_tls_binary *binary, struct skiff_error *error)
{
	struct bundle bundle = {0};
	STACK_OF(X509) *list = der_certificates(binary);
	if (!list && bundle_open(binary, &bundle, error)) {
		list = bundle_chain(&bundle);
		if (!list)
			skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s is a PKCS#12 bundle without a certificate",
				binary->source->subject);
	}
	bundle_free(&bundle);
	ERR_clear_error();
	return list;
}

/* ---- keys ---- */

static EVP_PKEY *sealed_open(const X509_SIG *sealed, const char *password, OSSL_LIB_CTX *libctx)
{
	PKCS8_PRIV_KEY_INFO *plain = PKCS8_decrypt_ex(sealed, password, (int)strlen(password), libctx, NULL);
	EVP_PKEY *key = plain ? EVP_PKCS82PKEY(plain) : NULL;
	PKCS8_PRIV_KEY_INFO_free(plain);
	return key;
}

static EVP_PKEY *sealed_open_old(const X509_SIG *sealed, const char *password)
{
	struct skiffi_tls_old old;
	EVP_PKEY *key = skiffi_tls_old_open(&old) ? sealed_open(sealed, password, old.libctx) : NULL;
	skiffi_tls_old_close(&old);
	return key;
}

/* PKCS#8, encrypted [RFC 5958, 3]. NULL: it is not, or with `*error` cannot be opened. */
static EVP_PKEY *der_encrypted_key(const struct skiffi_tls_binary *binary, struct skiff_error *error)
{
	char password[PASSWORD_BYTES + 1] = "";
	const unsigned char *at = binary->data;
	X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)binary->len);
	EVP_PKEY *key = NULL;
	if (!sealed)
		return NULL;
	if (password_ask(binary, password, error)) {
		key = sealed_open(sealed, password, NULL);
		if (!key && !(key = sealed_open_old(sealed, password)))
			password_is_wrong(binary, error);
	}
	X509_SIG_free(sealed);
	OPENSSL_cleanse(password, sizeof password);
	return key;
}

EVP_PKEY *skiffi_tls_binary_key(const struct skiffi_tls_binary *binary, struct skiff_error *error)
{
	struct bundle bundle = {0};
	const unsigned char *at = binary->data;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)binary->len);
	if (!key)
		key = der_encrypted_key(binary, error);
	if (!key && error->code == SKIFF_OK && bundle_open(binary, &bundle, error)) {
		key = bundle.key;
		bundle.key = NULL;
		if (!key)
			skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s is a PKCS#12 bundle without a private key",
				binary->source->subject);
	}
	bundle_free(&bundle);
	ERR_clear_error();
	return key;
}

/* ---- revocation lists ---- */

STACK_OF(X509_CRL) * skiffi_tls_binary_crls(const struct skiffi_tls_binary *binary, struct skiff_error *error)
{
	const unsigned char *at = binary->data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)binary->len);
	STACK_OF(X509_CRL) *list = crl ? sk_X509_CRL_new_null() : NULL;
	if (list && sk_X509_CRL_push(list, crl))
		return list;
	if (crl)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	X509_CRL_free(crl);
	sk_X509_CRL_free(list);
	ERR_clear_error();
	return NULL;
}
