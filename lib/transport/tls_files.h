/* SPDX-License-Identifier: Apache-2.0 */
/* tls_files.h: reads files of PEM, DER or PKCS#12, and says what is wrong with one: missing, unreadable, none of these,
 * or of another kind. */
#ifndef SKIFFI_TLS_FILES_H
#define SKIFFI_TLS_FILES_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <skiff/error.h>
#include <skiff/tls.h>
#include <stdbool.h>

/* All certificates of a file, at least one; `what` is what it is to be, for sentences ("CA file"). `password` opens a
 * bundle and may be NULL. Result: the caller's, or NULL with `*error`. */
STACK_OF(X509) * skiffi_tls_read_certificates(const char *path, const char *what, skiff_key_password_fn password,
			 void *user, struct skiff_error *error);

/* All revocation lists of a file, at least one. Result: the caller's, or NULL with `*error`. */
STACK_OF(X509_CRL) * skiffi_tls_read_crls(const char *path, struct skiff_error *error);

/* The first private key of a file. `password` may be NULL: an encrypted key is refused. Result: the caller's, or NULL
 * with `*error`. Never prompts. */
EVP_PKEY *skiffi_tls_read_key(const char *path, skiff_key_password_fn password, void *user, struct skiff_error *error);

/* Whether a file that can be read is not PEM but DER or PKCS#12. */
bool skiffi_tls_file_is_binary(const char *path);

/* A name, as "O = skiff, CN = lab own CA", and a date, as "2026-01-31 12:00:00 UTC", cut to `size`. */
void skiffi_tls_name_text(char *out, size_t size, const X509_NAME *name);
void skiffi_tls_date_text(char *out, size_t size, const ASN1_TIME *date);

#endif
