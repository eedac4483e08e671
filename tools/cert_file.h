/* SPDX-License-Identifier: Apache-2.0 */
/* cert_file.h: everything that a file of certificates and keys holds, in its order, whatever its form: PEM, also with
 * text around, a mark at the start or the line ends of Windows; DER; PKCS#12, also with the ciphers of old; PKCS#7. */
#ifndef SKIFF_CERT_FILE_H
#define SKIFF_CERT_FILE_H

#include "cli_password.h"
#include <openssl/x509.h>

enum { CERT_LABEL_BYTES = 64, CERT_WHY_BYTES = 512 };

enum cert_kind { CERT_CERTIFICATE, CERT_REQUEST, CERT_CRL, CERT_PRIVATE_KEY, CERT_PUBLIC_KEY, CERT_OTHER };

/* Why an item could not be read. */
enum cert_fault { CERT_SOUND, CERT_NO_PASSWORD, CERT_WRONG_PASSWORD, CERT_DAMAGED, CERT_CUT, CERT_OLD_CIPHER };

/* What is sound has the one pointer that its kind says, but CERT_OTHER, which has none. */
struct cert_item {
	enum cert_kind kind;
	enum cert_fault fault;
	X509 *certificate;
	X509_REQ *request;
	X509_CRL *crl;
	EVP_PKEY *key;                /* private, or public */
	bool encrypted;               /* it stood encrypted in the file */
	char label[CERT_LABEL_BYTES]; /* of a PEM block; what it is, for CERT_OTHER */
};

struct cert_items {
	struct cert_item *list;
	size_t count;
	const char *form; /* "PEM", "DER", "PKCS#12", "PKCS#7"; NULL: none of them */
};

/* Reads the file `path` ("-": standard input); `password` may be absent. False with a sentence in `why`: it is not
 * there, cannot be read, or holds nothing of the kind. `items` must be freed in any case. */
bool cert_file_read(
	const char *path, const struct cli_secret *password, struct cert_items *items, char why[CERT_WHY_BYTES]);

/* The first item of a kind; NULL: there is none. */
const struct cert_item *cert_file_first(const struct cert_items *items, enum cert_kind kind);

/* "a certificate", "a signing request" and so on. */
const char *cert_kind_text(enum cert_kind kind);

/* Why an item is not sound, as the end of a sentence; "" where it is. */
const char *cert_fault_text(enum cert_fault fault);

/* Whether it is the URI of what a token or a TPM keeps, as '--cert' and '--key' take it, and no file. */
bool cert_path_is_token(const char *path);

/* The command that makes a block of this label one that can be used; "": there is none. */
const char *cert_label_remedy(const char *label);

void cert_items_free(struct cert_items *items);

#endif
