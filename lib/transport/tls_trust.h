/* SPDX-License-Identifier: Apache-2.0 */
/* tls_trust.h: whom the user trusts, as an X509_STORE. */
#ifndef SKIFFI_TLS_TRUST_H
#define SKIFFI_TLS_TRUST_H

#include <openssl/x509.h>
#include <skiff/error.h>
#include <skiff/tls.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* The CAs of `options`, the system's where none are named or these are to be had too, with the revocation lists. Any
 * thread. Result: a reference of the caller's, or NULL with `*error`. */
X509_STORE *skiffi_tls_trust_new(const struct skiff_tls_options *options, bool anew, struct skiff_error *error);

/* When the first revocation list of a store is out of date, if that is before `until`. */
time_t skiffi_tls_trust_lists_until(X509_STORE *store, time_t until);

/* Whether CAs are named. */
bool skiffi_tls_trust_given(const struct skiff_tls_options *options);

/* Whom it trusts, for sentences: names of files and directories in quotes, "the system's trust store". */
void skiffi_tls_trust_text(char *out, size_t size, const struct skiff_tls_options *options);

#endif
