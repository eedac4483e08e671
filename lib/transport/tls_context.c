/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c: TLS policy, set once.
 *
 * Happy path: names, trust store, own certificate and key, then two SSL_CTX with all of it.
 * Failure: the first option or file that is wrong ends it, before any connection is tried. */
#include "transport/tls_context.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "transport/tls_files.h"
#include "transport/tls_shared.h"
#include "transport/tls_trust.h"
#include "transport/tls_verify.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 253, PROTOCOL_MAX_BYTES = 255, ALPN_MAX_BYTES = 1024, CHAIN_SHOWN_MAX = 16 };

struct skiffi_tls_context {
	SSL_CTX *ctx;
	bool shared; /* it is in tls_shared.c's list */
	bool resumes;
	SSL_SESSION *session; /* of the last connection, to be resumed; in the loop's turn */
	char *sni;
	char *verify_name;
	char *trust; /* for sentences */
	char *certificate;
	bool skip_chain;
	skiff_tls_chain_fn on_chain;
	void *on_chain_user;
	int keylog; /* -1: none */
};

/* The client's own certificate. */
struct identity {
	STACK_OF(X509) * chain; /* its own first */
	EVP_PKEY *key;
};

static bool no_memory(struct skiff_error *error)
{
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

/* ---- names ---- */

static bool name_check(const char *name, struct skiff_error *error)
{
	bool ok = *name && strlen(name) <= NAME_MAX_BYTES;
	for (const char *at = name; ok && *at; at++)
		ok = *at > ' ' && *at < 0x7f;
	if (!ok)
		skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "server name \"%s\" is neither a host name nor an address", name);
	return ok;
}

bool skiffi_tls_name_is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* Without the dot at the end of a host name [RFC 6066, 3] and the zone of an address: certificates have neither. */
static char *name_copy(const char *name)
{
	size_t len = strcspn(name, "%");
	if (len > 1 && name[len - 1] == '.')
		len--;
	return skiffi_memdup(name, len);
}

static bool context_set_names(struct skiffi_tls_context *context, const struct skiff_tls_options *options,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	const char *name = options->server_name ? options->server_name : endpoint->host;
	if (!name_check(name, error))
		return false;
	char *copy = name_copy(name);
	if (!copy)
		return no_memory(error);
	if (!options->no_server_name && !skiffi_tls_name_is_address(copy) && !(context->sni = skiffi_strdup(copy))) {
		skiffi_free(copy);
		return no_memory(error);
	}
	if (options->insecure_skip_name)
		skiffi_free(copy);
	else
		context->verify_name = copy;
	return true;
}

/* ---- who we are ---- */

static void identity_free(struct identity *identity)
{
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
}

static bool identity_check_dates(const X509 *certificate, const char *path, struct skiff_error *error)
{
	char date[64];
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
		skiffi_tls_date_text(date, sizeof date, X509_get0_notAfter(certificate));
		skiffi_fail(error, SKIFF_FILE_CERT_EXPIRED, 0,
			"the client certificate in \"%s\" expired on %s; get a new one", path, date);
		return false;
	}
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		skiffi_tls_date_text(date, sizeof date, X509_get0_notBefore(certificate));
		skiffi_fail(error, SKIFF_FILE_CERT_NOT_YET_VALID, 0,
			"the client certificate in \"%s\" is not valid before %s; is this machine's clock right?", path,
			date);
		return false;
	}
	return true;
}

static bool identity_check_key(
	const struct identity *identity, const char *cert_path, const char *key_path, struct skiff_error *error)
{
	for (int i = 0; i < sk_X509_num(identity->chain); i++) {
		if (!X509_check_private_key(sk_X509_value(identity->chain, i), identity->key))
			continue;
		if (!i)
			return true;
		skiffi_fail(error, SKIFF_FILE_KEY_MISMATCH, 0,
			"the private key in \"%s\" belongs to certificate number %d in \"%s\"; the client's own must "
			"be the first",
			key_path, i + 1, cert_path);
		ERR_clear_error();
		return false;
	}
	ERR_clear_error();
	skiffi_fail(error, SKIFF_FILE_KEY_MISMATCH, 0,
		"the private key in \"%s\" does not belong to the certificate in \"%s\"", key_path, cert_path);
	return false;
}

static void identity_warn(const char *path)
{
	struct stat status;
	if (!stat(path, &status) && S_ISREG(status.st_mode) && status.st_mode & S_IROTH)
		skiffi_log(SKIFF_LOG_WARN, "transport",
			"private key file \"%s\" can be read by every user of this machine", path);
}

/* A server that looks will refuse it; one that does not may take it. */
static void identity_warn_purpose(X509 *certificate, const char *path)
{
	if (X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		skiffi_log(SKIFF_LOG_WARN, "tls",
			"the certificate in \"%s\" is not for clients: its key usages exclude that (extended key usage "
			"clientAuth), and the server may refuse it",
			path);
}

static bool identity_load(struct identity *identity, const struct skiff_tls_options *options, struct skiff_error *error)
{
	const char *key_file = options->key_file ? options->key_file : options->cert_file;
	if (!options->cert_file && !options->key_file)
		return true;
	if (!options->cert_file) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "key file \"%s\" is given without a certificate file",
			options->key_file);
		return false;
	}
	identity->chain = skiffi_tls_read_certificates(
		options->cert_file, "certificate file", options->key_password, options->key_password_user, error);
	if (!identity->chain)
		return false;
	identity->key = skiffi_tls_read_key(key_file, options->key_password, options->key_password_user, error);
	if (!identity->key)
		return false;
	identity_warn(key_file);
	if (!identity_check_key(identity, options->cert_file, key_file, error) ||
		!identity_check_dates(sk_X509_value(identity->chain, 0), options->cert_file, error))
		return false;
	identity_warn_purpose(sk_X509_value(identity->chain, 0), options->cert_file);
	return true;
}

static bool ctx_use_identity(SSL_CTX *ctx, const struct identity *identity, const char *path, struct skiff_error *error)
{
	if (!identity->chain)
		return true;
	bool ok = SSL_CTX_use_certificate(ctx, sk_X509_value(identity->chain, 0)) == 1;
	for (int i = 1; ok && i < sk_X509_num(identity->chain); i++)
		ok = SSL_CTX_add1_chain_cert(ctx, sk_X509_value(identity->chain, i)) == 1;
	ok = ok && SSL_CTX_use_PrivateKey(ctx, identity->key) == 1;
	if (ok)
		return true;
	unsigned long reason = ERR_peek_last_error();
	ERR_clear_error();
	skiffi_fail(error, SKIFF_FILE_CERT_WEAK, 0,
		"the client certificate in \"%s\" cannot be used: %s; get one with RSA of 2048 "
		"bits or more or an elliptic curve, signed with SHA-256 or better",
		path, ERR_reason_error_string(reason));
	return false;
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

static bool ctx_set_alpn(SSL_CTX *ctx, const char *list, struct skiff_error *error)
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

/* ---- the contexts ---- */

static SSL_CTX *ctx_new(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(
		ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	skiffi_tls_install(ctx);
	return ctx;
}

/* Local files have been read. */
static SSL_CTX *context_make(const struct skiffi_tls_context *context, X509_STORE *store,
	const struct identity *identity, const char *alpn, struct skiff_error *error)
{
	SSL_CTX *ctx = ctx_new();
	if (!ctx) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (store)
		SSL_CTX_set1_cert_store(ctx, store);
	if (context->keylog >= 0)
		skiffi_tls_log_keys(ctx);
	if (ctx_use_identity(ctx, identity, context->certificate, error) && ctx_set_alpn(ctx, alpn, error))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static bool context_set_texts(
	struct skiffi_tls_context *context, const struct skiff_tls_options *options, struct skiff_error *error)
{
	char trust[512] = "the system's trust store";
	if (options->ca_file && options->ca_dir)
		snprintf(trust, sizeof trust, "\"%s\" and \"%s\"", options->ca_file, options->ca_dir);
	else if (options->ca_file || options->ca_dir)
		snprintf(trust, sizeof trust, "\"%s\"", options->ca_file ? options->ca_file : options->ca_dir);
	context->trust = skiffi_strdup(trust);
	context->certificate = skiffi_strdup(options->cert_file);
	return (context->trust && (context->certificate || !options->cert_file)) || no_memory(error);
}

/* Another client has read the same files. The certificate may have expired since. */
static bool context_join(struct skiffi_tls_context *context, const struct skiff_tls_options *options,
	const struct skiffi_buffer *key, struct skiff_error *error)
{
	context->ctx = skiffi_tls_shared_find(key);
	context->shared = context->ctx;
	if (context->shared && options->cert_file)
		return identity_check_dates(SSL_CTX_get0_certificate(context->ctx), options->cert_file, error);
	return true;
}

static bool context_read(struct skiffi_tls_context *context, const struct skiff_tls_options *options, const char *alpn,
	struct skiff_error *error)
{
	struct identity identity = {0};
	X509_STORE *store = NULL;
	bool ok = false;
	if (!identity_load(&identity, options, error))
		goto out;
	if (!context->skip_chain && !(store = skiffi_tls_trust_new(options, error)))
		goto out;
	context->ctx = context_make(context, store, &identity, alpn, error);
	ok = context->ctx;
out:
	X509_STORE_free(store);
	identity_free(&identity);
	return ok;
}

static bool context_open_keylog(struct skiffi_tls_context *context, const char *path, struct skiff_error *error)
{
	context->keylog = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (!path || context->keylog >= 0)
		return true;
	skiffi_fail(error, SKIFF_FILE_UNREADABLE, errno, "key log file \"%s\" cannot be written: %s", path,
		strerror(errno));
	return false;
}

static bool context_fill(struct skiffi_tls_context *context, const struct skiff_tls_options *options,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	struct skiffi_buffer key = {0};
	const char *alpn = options->alpn;
	if (!alpn && endpoint->kind == SKIFFI_WS)
		alpn = "http/1.1";
	context->skip_chain = options->insecure_skip_chain;
	context->resumes = !options->no_resumption;
	context->on_chain = options->on_chain;
	context->on_chain_user = options->on_chain_user;
	if (!context_open_keylog(context, options->keylog_file, error))
		return false;
	if (!context_set_names(context, options, endpoint, error) || !context_set_texts(context, options, error))
		return false;
	/* Before the files are read: were one changed meanwhile, the next client would read it again. */
	bool shares = skiffi_tls_shared_key(options, alpn, &key);
	bool ok = !shares || context_join(context, options, &key, error);
	if (ok && !context->ctx)
		ok = context_read(context, options, alpn, error);
	if (ok && shares && !context->shared)
		context->shared = skiffi_tls_shared_offer(&key, context->ctx, !options->cert_file);
	skiffi_buffer_release(&key);
	return ok;
}

struct skiffi_tls_context *skiffi_tls_context_new(
	const struct skiff_tls_options *options, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	struct skiffi_tls_context *context = skiffi_calloc(1, sizeof *context);
	if (!context) {
		no_memory(error);
		return NULL;
	}
	context->keylog = -1;
	if (context_fill(context, options, endpoint, error))
		return context;
	skiffi_tls_context_free(context);
	return NULL;
}

void skiffi_tls_context_free(struct skiffi_tls_context *context)
{
	if (!context)
		return;
	SSL_SESSION_free(context->session);
	if (context->shared)
		skiffi_tls_shared_let_go(context->ctx);
	else
		SSL_CTX_free(context->ctx);
	if (context->keylog >= 0)
		close(context->keylog);
	skiffi_free(context->sni);
	skiffi_free(context->verify_name);
	skiffi_free(context->trust);
	skiffi_free(context->certificate);
	skiffi_free(context);
}

SSL_CTX *skiffi_tls_context_ssl(const struct skiffi_tls_context *context)
{
	return context->ctx;
}

/* ---- resumption ---- */

void skiffi_tls_context_keep(struct skiffi_tls_context *context, SSL_SESSION *session)
{
	SSL_SESSION_free(context->session);
	context->session = session;
}

/* A resumed session does not show its certificate again: what has expired since is not resumed. */
static bool session_lives(const SSL_SESSION *session)
{
	X509 *peer = SSL_SESSION_get0_peer((SSL_SESSION *)session);
	return SSL_SESSION_is_resumable(session) && peer && X509_cmp_current_time(X509_get0_notAfter(peer)) > 0;
}

bool skiffi_tls_context_resume(struct skiffi_tls_context *context, SSL *ssl)
{
	SSL_SESSION *session = context->session;
	if (!session)
		return true;
	bool lives = session_lives(session);
	bool ok = !lives || SSL_set_session(ssl, session) == 1;
	/* a ticket of TLS 1.3 serves once [RFC 8446, C.4] */
	if (!ok || !lives || SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
		skiffi_tls_context_keep(context, NULL);
	return ok;
}

bool skiffi_tls_context_resumes(const struct skiffi_tls_context *context)
{
	return context->resumes;
}

/* ---- what is told ---- */

void skiffi_tls_context_show(const struct skiffi_tls_context *context, const STACK_OF(X509) * chain)
{
	struct skiff_bytes views[CHAIN_SHOWN_MAX];
	unsigned char *encoded[CHAIN_SHOWN_MAX];
	size_t count = 0;
	if (!context->on_chain)
		return;
	for (int i = 0; i < sk_X509_num(chain) && count < CHAIN_SHOWN_MAX; i++) {
		encoded[count] = NULL;
		int len = i2d_X509(sk_X509_value(chain, i), &encoded[count]);
		if (len <= 0)
			break;
		views[count] = (struct skiff_bytes){encoded[count], (size_t)len};
		count++;
	}
	context->on_chain(views, count, context->on_chain_user);
	while (count)
		OPENSSL_free(encoded[--count]);
}

/* In one piece, as other connections may write to the same file. */
void skiffi_tls_context_log_key(struct skiffi_tls_context *context, const char *line)
{
	struct iovec pieces[] = {{(void *)line, strlen(line)}, {(void *)"\n", 1}};
	if (context->keylog >= 0 && writev(context->keylog, pieces, 2) < 0)
		skiffi_log(SKIFF_LOG_WARN, "tls", "the key log file cannot be written: %s", strerror(errno));
}

const char *skiffi_tls_context_sni(const struct skiffi_tls_context *context)
{
	return context->sni;
}

const char *skiffi_tls_context_verify_name(const struct skiffi_tls_context *context)
{
	return context->verify_name;
}

bool skiffi_tls_context_skips_chain(const struct skiffi_tls_context *context)
{
	return context->skip_chain;
}

const char *skiffi_tls_context_trust(const struct skiffi_tls_context *context)
{
	return context->trust;
}

const char *skiffi_tls_context_certificate(const struct skiffi_tls_context *context)
{
	return context->certificate;
}

bool skiffi_tls_context_file_is_binary(const char *path)
{
	return skiffi_tls_file_is_binary(path);
}
