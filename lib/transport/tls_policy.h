/* SPDX-License-Identifier: Apache-2.0 */
/* tls_policy.h: how TLS is spoken: versions, ciphers, groups, application protocols, a pre-shared key. */
#ifndef SKIFFI_TLS_POLICY_H
#define SKIFFI_TLS_POLICY_H

#include <openssl/ssl.h>
#include <skiff/error.h>
#include <skiff/tls.h>

/* Checks what of `options` needs no file, and sets it in `ctx`; `alpn` is the list in force, NULL: none. False with
 * `*error`, which names the option. Any thread. */
bool skiffi_tls_policy_set(
	SSL_CTX *ctx, const struct skiff_tls_options *options, const char *alpn, struct skiff_error *error);

#endif
