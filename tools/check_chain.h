/* SPDX-License-Identifier: Apache-2.0 */
/* check_chain.h: what certificates say, for people. */
#ifndef SKIFF_CHECK_CHAIN_H
#define SKIFF_CHECK_CHAIN_H

#include <skiff/tls.h>
#include <stdbool.h>

enum { CHECK_CHAIN_MAX = 16, CHECK_NAMES_BYTES = 512, CHECK_FINGERPRINT_BYTES = 65 };

struct check_certificate {
	char subject[256], issuer[256];
	char names[CHECK_NAMES_BYTES];             /* DNS names and addresses, with ", " between; "" */
	char not_before[24], not_after[24];        /* 2026-11-26T08:00:00Z */
	int days_left;                             /* below 0: expired that many days ago, or less than one */
	char fingerprint[CHECK_FINGERPRINT_BYTES]; /* SHA-256, in hexadecimal */
};

struct check_chain {
	struct check_certificate list[CHECK_CHAIN_MAX];
	size_t count;
};

/* Reads certificates in DER; what cannot be read is left out. */
void check_chain_read(struct check_chain *chain, const struct skiff_bytes *certificates, size_t count);

/* Reads those of the client's certificate file, PEM, DER or PKCS#12; false where none can be read, as in a bundle with
 * ciphers of old. */
bool check_chain_read_own(struct check_chain *chain, const struct skiff_tls_options *tls);

#endif
