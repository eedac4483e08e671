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
#include <time.h>

enum { SKIFFI_TLS_SUBJECT_BYTES = 384 };

/* Where something is to be read, and what is said of it. Strings are borrowed. */
struct skiffi_tls_source {
	const char *path; /* NULL: `bytes` */
	struct skiff_bytes bytes;
	skiff_key_password_fn ask; /* opens what is encrypted; NULL: that is refused */
	void *user;
	char subject[SKIFFI_TLS_SUBJECT_BYTES]; /* CA file "x.pem"; of bytes: tls.ca_pem */
	size_t place;                           /* where in it "x.pem" begins, quotes included; of bytes: 0 */
};

/* A source of what a file, or else bytes, hold: `what` is what the file is to be ("CA file"), `option` the one with the
 * bytes ("tls.ca_pem"). */
struct skiffi_tls_source skiffi_tls_source(
	const char *what, const char *path, const char *option, struct skiff_bytes bytes);

/* All certificates of a source, at least one. Result: the caller's, or NULL with `*error`. */
STACK_OF(X509) * skiffi_tls_read_certificates(const struct skiffi_tls_source *source, struct skiff_error *error);

/* All revocation lists of a source, at least one. Result: the caller's, or NULL with `*error`. */
STACK_OF(X509_CRL) * skiffi_tls_read_crls(const struct skiffi_tls_source *source, struct skiff_error *error);

/* The first private key of a source. Result: the caller's, or NULL with `*error`. Never prompts. */
EVP_PKEY *skiffi_tls_read_key(const struct skiffi_tls_source *source, struct skiff_error *error);

/* The password of a source for OpenSSL's pem_password_cb, and what became of it; `user` is one of these. */
struct skiffi_tls_password {
	const struct skiffi_tls_source *source;
	bool asked, refused;
};
int skiffi_tls_give_password(char *buffer, int size, int writing, void *user);

/* Whether a file that can be read is not PEM but DER or PKCS#12. */
bool skiffi_tls_file_is_binary(const char *path);

/* A name, as "O = skiff, CN = lab own CA", and a date, as "2026-01-31 12:00:00 UTC", cut to `size`. */
void skiffi_tls_name_text(char *out, size_t size, const X509_NAME *name);
void skiffi_tls_date_text(char *out, size_t size, const ASN1_TIME *date);

/* The earlier of the two; `date` NULL or unreadable: `than`. */
time_t skiffi_tls_earlier(time_t than, const ASN1_TIME *date);

#endif
