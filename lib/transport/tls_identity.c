/* SPDX-License-Identifier: Apache-2.0 */
/* tls_identity.c: the client's certificate and key, from files, from memory or from a token.
 *
 * Happy path: certificates, then the key, from wherever each is; they belong together; the dates are right.
 * Failure: the first that is wrong, by the name of its file or option. */
#include "transport/tls_identity.h"

#include "base/error.h"
#include "base/log.h"
#include "endpoint/endpoint.h"
#include "transport/tls_files.h"
#include "transport/tls_token.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- where they are ---- */

/* `what` it is as a file, and `option` from memory. */
static struct skiffi_tls_source identity_source(const struct skiff_tls_options *options, const char *what,
	const char *path, const char *option, struct skiff_bytes bytes)
{
	bool token = path && skiffi_endpoint_is_token(path);
	struct skiffi_tls_source source = skiffi_tls_source(token ? "token" : what, path, option, bytes);
	source.ask = options->key_password;
	source.user = options->key_password_user;
	return source;
}

static struct skiffi_tls_source certificate_source(const struct skiff_tls_options *options)
{
	return identity_source(options, "certificate file", options->cert_file, "tls.cert_pem", options->cert_pem);
}

/* Without one of its own the key is where the certificate is. */
static struct skiffi_tls_source key_source(const struct skiff_tls_options *options)
{
	if (options->key_file || options->key_pem.len)
		return identity_source(options, "key file", options->key_file, "tls.key_pem", options->key_pem);
	return identity_source(options, "key file", options->cert_file, "tls.cert_pem", options->cert_pem);
}

static const char *place_of(const struct skiffi_tls_source *source)
{
	return source->subject + source->place;
}

bool skiffi_tls_identity_given(const struct skiff_tls_options *options)
{
	return options->cert_file || options->cert_pem.len;
}

static bool identity_check_options(const struct skiff_tls_options *options, struct skiff_error *error)
{
	if (!skiffi_tls_identity_given(options))
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "%s%s%s is given without a certificate",
			options->key_file ? "key file \"" : "tls.key_pem", options->key_file ? options->key_file : "",
			options->key_file ? "\"" : "");
	else if (options->cert_file && options->cert_pem.len)
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "tls.cert_file and tls.cert_pem are both given; choose one");
	else if (options->key_file && options->key_pem.len)
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "tls.key_file and tls.key_pem are both given; choose one");
	else
		return true;
	return false;
}

/* ---- checks ---- */

bool skiffi_tls_identity_in_time(
	const X509 *certificate, const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source source = certificate_source(options);
	char date[64];
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
		skiffi_tls_date_text(date, sizeof date, X509_get0_notAfter(certificate));
		skiffi_fail(error, SKIFF_FILE_CERT_EXPIRED, 0,
			"the client certificate in %s expired on %s; get a new one", place_of(&source), date);
		return false;
	}
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		skiffi_tls_date_text(date, sizeof date, X509_get0_notBefore(certificate));
		skiffi_fail(error, SKIFF_FILE_CERT_NOT_YET_VALID, 0,
			"the client certificate in %s is not valid before %s; is this machine's clock right?",
			place_of(&source), date);
		return false;
	}
	return true;
}

static bool identity_check_key(
	const struct skiffi_tls_identity *identity, const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source certificate = certificate_source(options), key = key_source(options);
	for (int i = 0; i < sk_X509_num(identity->chain); i++) {
		if (!X509_check_private_key(sk_X509_value(identity->chain, i), identity->key))
			continue;
		ERR_clear_error();
		if (!i)
			return true;
		skiffi_fail(error, SKIFF_FILE_KEY_MISMATCH, 0,
			"the private key in %s belongs to certificate number %d in %s; the client's own must be the "
			"first",
			place_of(&key), i + 1, place_of(&certificate));
		return false;
	}
	ERR_clear_error();
	skiffi_fail(error, SKIFF_FILE_KEY_MISMATCH, 0, "the private key in %s does not belong to the certificate in %s",
		place_of(&key), place_of(&certificate));
	return false;
}

/* A group may be one that was made for the purpose, so it alone is no reason to warn. */
static bool identity_check_mode(const struct skiffi_tls_source *key, bool refuse, struct skiff_error *error)
{
	struct stat status;
	if (!key->path || stat(key->path, &status) || !S_ISREG(status.st_mode))
		return true;
	if (refuse && status.st_mode & (S_IRGRP | S_IROTH)) {
		skiffi_fail(error, SKIFF_FILE_KEY_OPEN, 0,
			"private key file \"%s\" can be read by %s; run: chmod 600 %s", key->path,
			status.st_mode & S_IROTH ? "every user of this machine" : "its group", key->path);
		return false;
	}
	if (status.st_mode & S_IROTH)
		skiffi_log(SKIFF_LOG_WARN, "transport",
			"private key file \"%s\" can be read by every user of this machine", key->path);
	return true;
}

/* A server that looks will refuse it; one that does not may take it. */
static void identity_warn_purpose(X509 *certificate, const struct skiffi_tls_source *source)
{
	if (X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		skiffi_log(SKIFF_LOG_WARN, "tls",
			"the certificate in %s is not for clients: its key usages exclude that (extended key usage "
			"clientAuth), and the server may refuse it",
			place_of(source));
}

/* ---- the calls ---- */

static bool identity_read(struct skiffi_tls_identity *identity, const struct skiffi_tls_source *certificate,
	const struct skiffi_tls_source *key, struct skiff_error *error)
{
	bool token = certificate->path && skiffi_endpoint_is_token(certificate->path);
	identity->chain = token ? skiffi_tls_token_certificates(certificate, error)
				: skiffi_tls_read_certificates(certificate, error);
	if (!identity->chain)
		return false;
	token = key->path && skiffi_endpoint_is_token(key->path);
	identity->key = token ? skiffi_tls_token_key(key, error) : skiffi_tls_read_key(key, error);
	if (!identity->key && !strcmp(place_of(key), place_of(certificate)) &&
		strstr(error->text, "holds a certificate"))
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"%s should hold a private key too, but holds only a certificate; add the key that belongs to "
			"it (tls.key_file)",
			certificate->subject);
	return identity->key;
}

bool skiffi_tls_identity_load(
	struct skiffi_tls_identity *identity, const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source certificate = certificate_source(options), key = key_source(options);
	if (!skiffi_tls_identity_given(options) && !options->key_file && !options->key_pem.len)
		return true;
	if (!identity_check_options(options, error) || !identity_read(identity, &certificate, &key, error) ||
		!identity_check_mode(&key, options->refuse_open_key, error) ||
		!identity_check_key(identity, options, error) ||
		!skiffi_tls_identity_in_time(sk_X509_value(identity->chain, 0), options, error))
		return false;
	identity_warn_purpose(sk_X509_value(identity->chain, 0), &certificate);
	return true;
}

void skiffi_tls_identity_free(struct skiffi_tls_identity *identity)
{
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	*identity = (struct skiffi_tls_identity){0};
}

bool skiffi_tls_identity_use(const struct skiffi_tls_identity *identity, SSL_CTX *ctx,
	const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source source = certificate_source(options);
	if (!identity->chain)
		return true;
	bool ok = SSL_CTX_use_certificate(ctx, sk_X509_value(identity->chain, 0)) == 1;
	for (int i = 1; ok && i < sk_X509_num(identity->chain); i++)
		ok = SSL_CTX_add1_chain_cert(ctx, sk_X509_value(identity->chain, i)) == 1;
	ok = ok && SSL_CTX_use_PrivateKey(ctx, identity->key) == 1;
	if (ok)
		return true;
	unsigned long reason = ERR_peek_last_error();
	ERR_clear_error();
	skiffi_fail(error, SKIFF_FILE_CERT_WEAK, 0,
		"the client certificate in %s cannot be used: %s; get one with RSA of 2048 bits or more or an elliptic "
		"curve, signed with SHA-256 or better",
		place_of(&source), ERR_reason_error_string(reason));
	return false;
}
