/* SPDX-License-Identifier: Apache-2.0 */
/* cert_words.h: single facts of certificates and keys as text. What strangers wrote is not escaped here: that is for
 * who prints it. Texts are cut to `size`. */
#ifndef SKIFF_CERT_WORDS_H
#define SKIFF_CERT_WORDS_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>

enum { CERT_NAME_BYTES = 4096, CERT_DATE_BYTES = 24, CERT_DIGEST_BYTES = 2 * EVP_MAX_MD_SIZE + 1, CERT_PIN_BYTES = 64 };
enum { CERT_WORDS_BYTES = 512 };

/* "CN=tester,O=skiff" [RFC 2253], in UTF-8. */
void cert_name_text(char *out, size_t size, const X509_NAME *name);

/* "2026-11-26T08:00:00Z". */
void cert_date_text(char *out, size_t size, const ASN1_TIME *date);

/* Whole days until `date`; below 0: so many days ago, or less than one. */
int cert_days_left(const ASN1_TIME *date);

/* The digest of a certificate, in hexadecimal; `out` has CERT_DIGEST_BYTES. */
void cert_digest_text(char *out, const X509 *certificate, const EVP_MD *digest);

/* "sha256//" and the digest of the public key in base64, as curl has it; `out` has CERT_PIN_BYTES. */
void cert_pin_text(char *out, const EVP_PKEY *key);

/* "EC P-256", "RSA 2048 bits", "ED25519". */
void cert_key_text(char *out, size_t size, const EVP_PKEY *key);

/* Why a key or a signature is too weak for level 2 of OpenSSL, which most systems have, such as "RSA 1024 bits"; ""
 * where it is not. Nobody relies on the signature of what is signed by itself. */
void cert_weakness_text(char *out, size_t size, X509 *certificate);

/* "digitalSignature, keyEncipherment", and "serverAuth, clientAuth"; "" where the certificate does not say. */
void cert_usage_text(char *out, size_t size, X509 *certificate);
void cert_purpose_text(char *out, size_t size, const X509 *certificate);

/* Its number, in hexadecimal. */
void cert_serial_text(char *out, size_t size, const ASN1_INTEGER *serial);

/* Calls `each` for every alternative name: its kind ("DNS", "IP", "email", "URI", "directory", "other"), and its bytes,
 * which may hold anything. Result: how many there are. */
typedef void (*cert_name_fn)(const char *kind, const char *data, size_t len, void *user);
size_t cert_names_each(const GENERAL_NAMES *names, cert_name_fn each, void *user);

/* Those of a certificate; the caller's, by GENERAL_NAMES_free; NULL: it has none. */
GENERAL_NAMES *cert_names_of(const X509 *certificate);

/* Whether it is for this host, a name or an address [RFC 9525]: what stands in the subject does not count, and a
 * wildcard is a whole label. */
bool cert_fits_host(X509 *certificate, const char *host);

#endif
