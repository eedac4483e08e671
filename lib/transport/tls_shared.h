/* SPDX-License-Identifier: Apache-2.0 */
/* tls_shared.h: one SSL_CTX for all clients whose TLS options and files say the same. A thousand clients then hold one
 * trust store, and one that comes and goes does not read it each time. */
#ifndef SKIFFI_TLS_SHARED_H
#define SKIFFI_TLS_SHARED_H

#include "base/buffer.h"
#include <openssl/ssl.h>
#include <skiff/tls.h>

/* Writes what an SSL_CTX by these options depends on: the options, and which files those are by now. False: it is not
 * to be shared, or memory is out. Any thread. */
bool skiffi_tls_shared_key(
	const struct skiff_tls_options *options, bool skip_chain, const char *alpn, struct skiffi_buffer *key);

/* The SSL_CTX of `key`; NULL: there is none. To be let go of. Any thread, here and below. */
SSL_CTX *skiffi_tls_shared_find(const struct skiffi_buffer *key);

/* Offers an SSL_CTX to those who will ask for `key`; the caller goes on having it, and lets go of it like them.
 * `lasting`: it may be kept for a while when nobody has it, as it holds no secret. False: memory is out, it is the
 * caller's alone. */
bool skiffi_tls_shared_offer(const struct skiffi_buffer *key, SSL_CTX *ctx, bool lasting);

/* Lets go of one found, or offered. */
void skiffi_tls_shared_let_go(SSL_CTX *ctx);

/* Frees those that nobody has. */
void skiffi_tls_shared_forget(void);

#endif
