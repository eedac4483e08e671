/* SPDX-License-Identifier: Apache-2.0 */
/* cert_chain.h: who signed whom: from a certificate upward, among those that are there and those that are trusted. */
#ifndef SKIFF_CERT_CHAIN_H
#define SKIFF_CERT_CHAIN_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stddef.h>

enum { CERT_CHAIN_MAX = 16 };

struct cert_link {
	X509 *certificate; /* a reference of its own */
	int index;         /* which of those given; -1: it is in the trust store only */
	bool trusted;      /* it is in the trust store */
};

struct cert_chain {
	struct cert_link links[CERT_CHAIN_MAX];
	size_t count;
	bool ends; /* the last one is signed by itself; else nobody here has its issuer, or it is a circle */
};

/* The trust store of `ca`, a file of certificates or a directory made by `openssl rehash`, or of the system (NULL).
 * NULL with a sentence in `why` of `size` bytes. */
X509_STORE *cert_trust_new(const char *ca, char *why, size_t size);

/* The chain above `given[index]`; `trust` may be NULL. */
void cert_chain_build(struct cert_chain *chain, STACK_OF(X509) * given, int index, X509_STORE *trust);

void cert_chain_free(struct cert_chain *chain);

#endif
