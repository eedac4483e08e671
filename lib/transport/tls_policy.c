/* SPDX-License-Identifier: Apache-2.0 */
/* tls_policy.c: each option becomes one setting of the SSL_CTX; OpenSSL's own syntax is taken as it is. */
#include "transport/tls_policy.h"

#include "base/error.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum { PROTOCOL_MAX_BYTES = 255, ALPN_MAX_BYTES = 1024, PSK_KEY_MAX_BYTES = 64, PSK_IDENTITY_MAX_BYTES = 128 };
enum { CIPHERS_MAX_BYTES = 4096 };

static bool no_memory(struct skiff_error *error)
{
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

/* ---- versions ---- */

static int version_number(enum skiff_tls_version version, int otherwise)
{
	return version == SKIFF_TLS_1_2 ? TLS1_2_VERSION : version == SKIFF_TLS_1_3 ? TLS1_3_VERSION : otherwise;
}

static bool policy_set_versions(SSL_CTX *ctx, const struct skiff_tls_options *options, struct skiff_error *error)
{
	if (options->min_version > SKIFF_TLS_1_3 || options->max_version > SKIFF_TLS_1_3) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "%s is none of enum skiff_tls_version",
			options->min_version > SKIFF_TLS_1_3 ? "tls.min_version" : "tls.max_version");
		return false;
	}
	if (options->max_version && options->min_version > options->max_version) {
		skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "tls.min_version is above tls.max_version; no version is left");
		return false;
	}
	return (SSL_CTX_set_min_proto_version(ctx, version_number(options->min_version, TLS1_2_VERSION)) &&
		       SSL_CTX_set_max_proto_version(ctx, version_number(options->max_version, 0))) ||
	       no_memory(error);
}

/* ---- ciphers and groups ---- */

struct policy_list {
	const char *option, *value, *see;
	int (*set)(SSL_CTX *ctx, const char *value);
};

/* Whatever the list admits: without a certificate or a shared key anybody could be the server. */
static int set_ciphers(SSL_CTX *ctx, const char *ciphers)
{
	char list[CIPHERS_MAX_BYTES];
	int len = snprintf(list, sizeof list, "%s:!aNULL:!eNULL", ciphers);
	return (size_t)len < sizeof list && SSL_CTX_set_cipher_list(ctx, list) == 1;
}

static int set_groups(SSL_CTX *ctx, const char *groups)
{
	return (int)SSL_CTX_set1_groups_list(ctx, groups);
}

static bool policy_set_lists(SSL_CTX *ctx, const struct skiff_tls_options *options, struct skiff_error *error)
{
	const struct policy_list lists[] = {
		{"tls.ciphers", options->ciphers, "see: openssl ciphers -v -tls1_2", set_ciphers},
		{"tls.cipher_suites", options->cipher_suites, "see: openssl ciphers -v -tls1_3 -s",
			SSL_CTX_set_ciphersuites},
		{"tls.groups", options->groups, "such as X25519:P-256:P-384", set_groups},
	};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (!lists[i].value || (*lists[i].value && lists[i].set(ctx, lists[i].value) == 1))
			continue;
		ERR_clear_error();
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "%s \"%s\" names nothing that OpenSSL has here; %s",
			lists[i].option, lists[i].value, lists[i].see);
		return false;
	}
	return true;
}

/* ---- ALPN ---- */

/* "a,b" as length-prefixed names; 0 when it is none. */
static size_t alpn_encode(const char *list, unsigned char *out, size_t size)
{
	size_t used = 0;
	for (;;) {
		size_t len = strcspn(list, ",");
		if (!len || len > PROTOCOL_MAX_BYTES || used + 1 + len > size)
			return 0;
		out[used++] = (unsigned char)len;
		memcpy(out + used, list, len);
		used += len;
		if (!list[len])
			return used;
		list += len + 1;
	}
}

static bool policy_set_alpn(SSL_CTX *ctx, const char *list, struct skiff_error *error)
{
	unsigned char wire[ALPN_MAX_BYTES];
	if (!list)
		return true;
	size_t len = alpn_encode(list, wire, sizeof wire);
	if (!len) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"ALPN list \"%s\" is not one of protocol names with ',' between them", list);
		return false;
	}
	return !SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)len) || no_memory(error);
}

/* ---- a pre-shared key ---- */

static bool psk_check(const struct skiff_tls_options *options, struct skiff_error *error)
{
	size_t len = options->psk_identity ? strlen(options->psk_identity) : 0;
	if (!options->psk_identity != !options->psk_key.len)
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"tls.psk_identity and tls.psk_key belong together; give both or neither");
	else if (options->psk_identity && (!len || len > PSK_IDENTITY_MAX_BYTES))
		skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "tls.psk_identity has not 1 to %d bytes", PSK_IDENTITY_MAX_BYTES);
	else if (options->psk_key.len > PSK_KEY_MAX_BYTES)
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "tls.psk_key has more than %d bytes", PSK_KEY_MAX_BYTES);
	else if (options->psk_identity && (options->cert_file || options->cert_pem.len || options->pins ||
						  options->known_hosts_file || options->ocsp))
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"tls.psk_identity stands instead of certificates; give no client certificate, pins, known "
			"hosts "
			"or OCSP with it");
	else
		return true;
	return false;
}

/* With a key that both sides share no certificate is shown: in TLS 1.2 the ciphers say so; in TLS 1.3 such a key goes
 * with SHA-256 [RFC 8446, 4.2.11], and a server that also has a certificate may choose another suite if it can. */
static bool policy_set_psk(SSL_CTX *ctx, const struct skiff_tls_options *options, struct skiff_error *error)
{
	if (!psk_check(options, error))
		return false;
	if (!options->psk_identity)
		return true;
	bool ok = options->ciphers || SSL_CTX_set_cipher_list(ctx, "kECDHEPSK+HIGH:kDHEPSK+HIGH:kPSK+HIGH") == 1;
	ok = ok && (options->cipher_suites ||
			   SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1);
	return ok || no_memory(error);
}

bool skiffi_tls_policy_set(
	SSL_CTX *ctx, const struct skiff_tls_options *options, const char *alpn, struct skiff_error *error)
{
	return policy_set_versions(ctx, options, error) && policy_set_psk(ctx, options, error) &&
	       policy_set_lists(ctx, options, error) && policy_set_alpn(ctx, alpn, error);
}
