/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c: TLS policy, set once, and again when its files change.
 *
 * Happy path: names; own certificate and key, trust store and policy become an SSL_CTX, or one that another client has
 * made of the same files is joined. Before each connection the files are looked at, and read again if they are others.
 * Failure: the first option or file that is wrong ends it, before any connection is tried; of files that changed, the
 * old ones stay in use. */
#include "transport/tls_context.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "transport/tls_files.h"
#include "transport/tls_identity.h"
#include "transport/tls_pins.h"
#include "transport/tls_policy.h"
#include "transport/tls_shared.h"
#include "transport/tls_token.h"
#include "transport/tls_trust.h"
#include "transport/tls_verify.h"
#include "transport/tls_watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 253, CHAIN_SHOWN_MAX = 16, WARN_DAYS_DEFAULT = 7, SESSION_MAX_S = 7 * 24 * 3600 };

struct skiffi_tls_context {
	struct skiff_tls_options options; /* what they point to is the client's */
	const char *alpn;                 /* in force; NULL: none */
	pthread_mutex_t reading;          /* held while files are read again */
	pthread_mutex_t lock;             /* of made, session and renewed */
	struct made {
		SSL_CTX *ctx;
		bool shared;                /* it is in tls_shared.c's list */
		struct skiffi_buffer state; /* of the files it was made of */
	} made;
	SSL_SESSION *session; /* of the last connection, to be resumed */
	time_t session_until; /* and no later */
	bool renewed;         /* untold */
	char *sni;
	char *verify_name;
	char *trust, *peer; /* for sentences */
	bool skip_chain;
	bool by_key; /* the file of known hosts decides alone */
	skiffi_tls_news_fn tell;
	void *tell_user;
	int days_told[2]; /* of the server's certificate, of ours */
	int keylog;       /* -1: none */
};

static bool no_memory(struct skiff_error *error)
{
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

/* ---- names ---- */

/* An empty name, or one with a dot first, would have OpenSSL check less than a name. */
static bool name_check(const char *name, struct skiff_error *error)
{
	bool ok = *name && *name != '.' && *name != '%' && strlen(name) <= NAME_MAX_BYTES;
	for (const char *at = name; ok && *at; at++)
		ok = *at > ' ' && *at < 0x7f && (*at != '%' || memchr(name, ':', (size_t)(at - name)));
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

static bool context_set_names(
	struct skiffi_tls_context *context, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
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
	if (options->insecure_skip_name || context->by_key)
		skiffi_free(copy);
	else
		context->verify_name = copy;
	return true;
}

/* ---- the SSL_CTX ---- */

static SSL_CTX *ctx_new(const EVP_PKEY *key)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(NULL, skiffi_tls_token_properties(key), TLS_client_method());
	if (!ctx)
		return NULL;
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
static SSL_CTX *ctx_make(const struct skiffi_tls_context *context, X509_STORE *store,
	const struct skiffi_tls_identity *identity, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
	SSL_CTX *ctx = ctx_new(identity->key);
	if (!ctx) {
		no_memory(error);
		return NULL;
	}
	if (store)
		SSL_CTX_set1_cert_store(ctx, store);
	if (context->keylog >= 0)
		skiffi_tls_log_keys(ctx);
	if (options->psk_identity)
		skiffi_tls_use_psk(ctx);
	if (skiffi_tls_identity_use(identity, ctx, options, error) &&
		skiffi_tls_policy_set(ctx, options, context->alpn, error))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *ctx_read(const struct skiffi_tls_context *context, bool anew, struct skiff_error *error)
{
	struct skiffi_tls_identity identity = {0};
	X509_STORE *store = NULL;
	SSL_CTX *ctx = NULL;
	if (skiffi_tls_identity_load(&identity, &context->options, error) &&
		(context->skip_chain || (store = skiffi_tls_trust_new(&context->options, anew, error))))
		ctx = ctx_make(context, store, &identity, error);
	X509_STORE_free(store);
	skiffi_tls_identity_free(&identity);
	return ctx;
}

/* ---- files, read once for many clients and again when they change ---- */

static void made_release(struct made *made)
{
	if (made->shared)
		skiffi_tls_shared_let_go(made->ctx);
	else
		SSL_CTX_free(made->ctx);
	skiffi_buffer_release(&made->state);
	*made = (struct made){0};
}

/* One that another client has made of the same files. Its certificate may have expired since. */
static bool made_join(struct made *made, const struct skiffi_tls_context *context, const struct skiffi_buffer *key,
	struct skiff_error *error)
{
	made->ctx = skiffi_tls_shared_find(key);
	made->shared = made->ctx;
	X509 *certificate = made->shared ? SSL_CTX_get0_certificate(made->ctx) : NULL;
	return !certificate || skiffi_tls_identity_in_time(certificate, &context->options, error);
}

/* The state is taken before the files are read: were one changed meanwhile, the next connection would read it again.
 * `anew`: they are read whatever others have made of them. */
static bool made_fill(struct made *made, const struct skiffi_tls_context *context, bool anew, struct skiff_error *error)
{
	struct skiffi_buffer key = {0};
	const struct skiff_tls_options *options = &context->options;
	bool shares = skiffi_tls_shared_key(options, context->skip_chain, context->alpn, &key);
	bool ok = skiffi_tls_watch_state(options, &made->state) || no_memory(error);
	ok = ok && (!shares || anew || made_join(made, context, &key, error));
	if (ok && !made->ctx)
		ok = (made->ctx = ctx_read(context, anew, error));
	if (ok && shares && !made->shared)
		made->shared = skiffi_tls_shared_offer(&key, made->ctx, !skiffi_tls_identity_given(options));
	skiffi_buffer_release(&key);
	return ok;
}

/* What was read takes the place of what there was; a session made under that is no longer to be resumed. */
static void context_replace(struct skiffi_tls_context *context, struct made *made)
{
	pthread_mutex_lock(&context->lock);
	struct made old = context->made;
	SSL_SESSION *session = context->session;
	context->made = *made;
	context->session = NULL;
	context->renewed = true;
	pthread_mutex_unlock(&context->lock);
	SSL_SESSION_free(session);
	made_release(&old);
}

static bool context_read_again(struct skiffi_tls_context *context, bool anew, struct skiff_error *error)
{
	struct made made = {0};
	if (!made_fill(&made, context, anew, error)) {
		made_release(&made);
		return false;
	}
	context_replace(context, &made);
	return true;
}

bool skiffi_tls_context_renew(struct skiffi_tls_context *context, struct skiff_error *error)
{
	pthread_mutex_lock(&context->reading);
	bool ok = context_read_again(context, true, error);
	pthread_mutex_unlock(&context->reading);
	return ok;
}

static void context_tell(struct skiffi_tls_context *context, const struct skiff_event *event)
{
	if (context->tell)
		context->tell(context->tell_user, event);
}

static void context_stale(struct skiffi_tls_context *context, struct skiff_error *error)
{
	struct skiff_event event = {.kind = SKIFF_EVENT_TLS_STALE, .error = error};
	skiffi_log(SKIFF_LOG_WARN, "tls", "TLS files have changed, but the old ones stay in use: %s", error->text);
	context_tell(context, &event);
}

/* A file that is half written is none yet: it is looked at again before the next connection. */
static void context_look(struct skiffi_tls_context *context)
{
	struct skiffi_buffer state = {0};
	struct skiff_error error = {0};
	if (pthread_mutex_trylock(&context->reading)) /* it is being read */
		return;
	bool changed =
		skiffi_tls_watch_state(&context->options, &state) && !skiffi_buffer_same(&state, &context->made.state);
	bool ok = !changed || context_read_again(context, false, &error);
	pthread_mutex_unlock(&context->reading);
	skiffi_buffer_release(&state);
	if (!ok)
		context_stale(context, &error);
}

SSL *skiffi_tls_context_new_ssl(struct skiffi_tls_context *context)
{
	const struct skiff_event event = {.kind = SKIFF_EVENT_TLS_RENEWED};
	context_look(context);
	pthread_mutex_lock(&context->lock);
	SSL *ssl = SSL_new(context->made.ctx);
	bool renewed = context->renewed;
	context->renewed = false;
	pthread_mutex_unlock(&context->lock);
	if (renewed) {
		skiffi_log(SKIFF_LOG_INFO, "tls", "TLS files were read again");
		context_tell(context, &event);
	}
	return ssl;
}

/* ---- life ---- */

static bool context_set_texts(
	struct skiffi_tls_context *context, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
	char trust[512], peer[SKIFFI_TLS_PEER_BYTES];
	bool v6 = strchr(endpoint->host, ':') != NULL;
	skiffi_tls_trust_text(trust, sizeof trust, options);
	snprintf(peer, sizeof peer, "%s%s%s:%u", v6 ? "[" : "", endpoint->host, v6 ? "]" : "", endpoint->port);
	context->trust = skiffi_strdup(trust);
	context->peer = skiffi_strdup(peer);
	return (context->trust && context->peer) || no_memory(error);
}

static bool context_open_keylog(struct skiffi_tls_context *context, struct skiff_error *error)
{
	const char *path = context->options.keylog_file;
	context->keylog = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (!path || context->keylog >= 0)
		return true;
	skiffi_fail(error, SKIFF_FILE_UNREADABLE, errno, "key log file \"%s\" cannot be written: %s", path,
		strerror(errno));
	return false;
}

/* What is remembered of the server, and what it must prove. */
static bool context_check_trust(const struct skiffi_tls_context *context, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
	unsigned line;
	if (options->ocsp > SKIFF_OCSP_REQUIRED) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "tls.ocsp is none of enum skiff_ocsp");
		return false;
	}
	if (options->ocsp && context->skip_chain) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"tls.ocsp is asked for where no chain is verified, and so no CA known; give a CA too, or leave "
			"it out");
		return false;
	}
	if ((options->crl_file || options->crl_dir) && context->skip_chain) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"tls.crl_file or crl_dir is given where no chain is verified, and so nothing revoked; give a "
			"CA too, or leave it out");
		return false;
	}
	if (options->pins && !skiffi_tls_pins_valid(options->pins, error))
		return false;
	return !options->known_hosts_file || skiffi_tls_known_look(options->known_hosts_file, context->peer, "", &line,
						     error) != SKIFFI_TLS_KNOWN_FAILED;
}

static bool context_fill(
	struct skiffi_tls_context *context, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
	context->by_key = options->known_hosts_file && !skiffi_tls_trust_given(options) && !options->ca_system;
	context->skip_chain = options->insecure_skip_chain || context->by_key;
	context->alpn = options->alpn ? options->alpn : endpoint->kind == SKIFFI_WS ? "http/1.1" : NULL;
	return context_open_keylog(context, error) && context_set_names(context, endpoint, error) &&
	       context_set_texts(context, endpoint, error) && context_check_trust(context, error) &&
	       made_fill(&context->made, context, false, error);
}

struct skiffi_tls_context *skiffi_tls_context_new(
	const struct skiff_tls_options *options, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	struct skiffi_tls_context *context = skiffi_calloc(1, sizeof *context);
	struct skiff_error ignored;
	if (!context) {
		skiffi_fail_plain(error ? error : &ignored, SKIFF_MEMORY);
		return NULL;
	}
	pthread_mutex_init(&context->lock, NULL);
	pthread_mutex_init(&context->reading, NULL);
	context->options = *options;
	context->keylog = -1;
	context->days_told[0] = context->days_told[1] = INT_MAX;
	if (context_fill(context, endpoint, error ? error : &ignored))
		return context;
	skiffi_tls_context_free(context);
	return NULL;
}

void skiffi_tls_context_free(struct skiffi_tls_context *context)
{
	if (!context)
		return;
	SSL_SESSION_free(context->session);
	made_release(&context->made);
	if (context->keylog >= 0)
		close(context->keylog);
	pthread_mutex_destroy(&context->lock);
	pthread_mutex_destroy(&context->reading);
	skiffi_free(context->sni);
	skiffi_free(context->verify_name);
	skiffi_free(context->trust);
	skiffi_free(context->peer);
	skiffi_free(context);
}

void skiffi_tls_context_tell(struct skiffi_tls_context *context, skiffi_tls_news_fn tell, void *user)
{
	context->tell = tell;
	context->tell_user = user;
}

/* ---- resumption ---- */

/* Takes it over; files may have been read again since its handshake. */
static void session_put(struct skiffi_tls_context *context, const SSL *ssl, SSL_SESSION *session)
{
	pthread_mutex_lock(&context->lock);
	bool current = SSL_get_SSL_CTX(ssl) == context->made.ctx;
	SSL_SESSION *old = current ? context->session : session;
	if (current)
		context->session = session;
	pthread_mutex_unlock(&context->lock);
	SSL_SESSION_free(old);
}

/* How long what a full handshake showed holds: until the first of its certificates, lists and responses is out of date,
 * and a week at most [RFC 8446, 4.6.1]. */
static time_t session_until(const SSL *ssl, time_t proof_until)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
	time_t until = time(NULL) + SESSION_MAX_S;
	if (proof_until && proof_until < until)
		until = proof_until;
	until = skiffi_tls_trust_lists_until(store, until);
	for (int i = 0; i < sk_X509_num(chain); i++)
		until = skiffi_tls_earlier(until, X509_get0_notAfter(sk_X509_value(chain, i)));
	return skiffi_tls_earlier(until, X509_get0_notAfter(SSL_get0_peer_certificate(ssl)));
}

void skiffi_tls_context_keep(
	struct skiffi_tls_context *context, const SSL *ssl, SSL_SESSION *session, time_t proof_until)
{
	time_t until = SSL_session_reused(ssl) || !SSL_get0_peer_certificate(ssl) ? 0 : session_until(ssl, proof_until);
	pthread_mutex_lock(&context->lock);
	if (until && SSL_get_SSL_CTX(ssl) == context->made.ctx) /* else it is the one of the session that was resumed */
		context->session_until = until;
	pthread_mutex_unlock(&context->lock);
	session_put(context, ssl, session);
}

/* A resumed session does not show its certificate again: what is out of date since, or forgotten, is not resumed. */
static bool session_lives(const struct skiffi_tls_context *context, const SSL_SESSION *session, time_t until)
{
	X509 *peer = SSL_SESSION_get0_peer((SSL_SESSION *)session);
	const char *known = context->options.known_hosts_file;
	char pin[SKIFFI_TLS_PIN_BYTES];
	struct skiff_error ignored;
	unsigned line;
	if (!SSL_SESSION_is_resumable(session) || !peer || time(NULL) >= until)
		return false;
	skiffi_tls_pin_text(pin, peer);
	return !known || skiffi_tls_known_look(known, context->peer, pin, &line, &ignored) == SKIFFI_TLS_KNOWN;
}

/* Takes the session; NULL: there is none. */
static SSL_SESSION *session_take(struct skiffi_tls_context *context, const SSL *ssl, time_t *until)
{
	pthread_mutex_lock(&context->lock);
	SSL_SESSION *session = SSL_get_SSL_CTX(ssl) == context->made.ctx ? context->session : NULL;
	if (session)
		context->session = NULL;
	*until = context->session_until;
	pthread_mutex_unlock(&context->lock);
	return session;
}

bool skiffi_tls_context_resume(struct skiffi_tls_context *context, SSL *ssl)
{
	time_t until;
	SSL_SESSION *session = session_take(context, ssl, &until);
	if (!session)
		return true;
	bool lives = session_lives(context, session, until);
	bool ok = !lives || SSL_set_session(ssl, session) == 1;
	/* a ticket of TLS 1.3 serves once [RFC 8446, C.4] */
	if (ok && lives && SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
		session_put(context, ssl, session);
	else
		SSL_SESSION_free(session);
	return ok;
}

bool skiffi_tls_context_resumes(const struct skiffi_tls_context *context)
{
	return !context->options.no_resumption;
}

/* ---- behind a handshake ---- */

static void context_tell_end(struct skiffi_tls_context *context, const X509 *certificate, bool ours)
{
	int warn_days = context->options.warn_days ? context->options.warn_days : WARN_DAYS_DEFAULT;
	int days, seconds;
	if (!certificate || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) ||
		days >= warn_days || days == context->days_told[ours])
		return;
	struct skiff_event event = {.kind = SKIFF_EVENT_TLS_EXPIRING, .days_left = days, .ours = ours};
	context->days_told[ours] = days;
	const char *whose = ours ? "the client's" : "the server's";
	bool past = days < 0 || seconds < 0;
	skiffi_log(SKIFF_LOG_WARN, "tls",
		past ? "%s certificate has expired, %d day%s ago" : "%s certificate expires in %d day%s", whose,
		abs(days), abs(days) == 1 ? "" : "s");
	context_tell(context, &event);
}

/* Whether the server has shown a certificate, which was judged, or knows the pre-shared key. */
static bool context_was_shown(const struct skiffi_tls_context *context, const SSL *ssl)
{
	if (!context->options.psk_identity)
		return SSL_get0_peer_certificate(ssl);
	return SSL_version(ssl) >= TLS1_3_VERSION ||
	       SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_psk;
}

bool skiffi_tls_context_settle(
	struct skiffi_tls_context *context, const SSL *ssl, const char *first_pin, struct skiff_error *error)
{
	const struct skiff_tls_options *options = &context->options;
	if (!context_was_shown(context, ssl)) {
		skiffi_fail(error, SKIFF_TLS_NO_SHARED_CIPHER, 0,
			"the server shows no certificate (%s): anybody could pose as it", SSL_get_cipher_name(ssl));
		return false;
	}
	if (*first_pin && !skiffi_tls_known_add(options->known_hosts_file, context->peer, first_pin, error))
		return false;
	if (*first_pin)
		skiffi_log(SKIFF_LOG_WARN, "tls", "'%s' was not known: its key %s is trusted from now on",
			context->peer, first_pin);
	context_tell_end(context, SSL_get0_peer_certificate(ssl), false);
	context_tell_end(context, SSL_get_certificate(ssl), true);
	return true;
}

/* ---- what is told ---- */

void skiffi_tls_context_show(const struct skiffi_tls_context *context, const STACK_OF(X509) * chain)
{
	struct skiff_bytes views[CHAIN_SHOWN_MAX];
	unsigned char *encoded[CHAIN_SHOWN_MAX];
	size_t count = 0;
	if (!context->options.on_chain)
		return;
	for (int i = 0; i < sk_X509_num(chain) && count < CHAIN_SHOWN_MAX; i++) {
		encoded[count] = NULL;
		int len = i2d_X509(sk_X509_value(chain, i), &encoded[count]);
		if (len <= 0)
			break;
		views[count] = (struct skiff_bytes){encoded[count], (size_t)len};
		count++;
	}
	context->options.on_chain(views, count, context->options.on_chain_user);
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

const struct skiff_tls_options *skiffi_tls_context_options(const struct skiffi_tls_context *context)
{
	return &context->options;
}

const char *skiffi_tls_context_peer(const struct skiffi_tls_context *context)
{
	return context->peer;
}

const char *skiffi_tls_context_trust(const struct skiffi_tls_context *context)
{
	return context->trust;
}

const char *skiffi_tls_context_certificate(const struct skiffi_tls_context *context)
{
	const struct skiff_tls_options *options = &context->options;
	return options->cert_file ? options->cert_file : options->cert_pem.len ? "tls.cert_pem" : NULL;
}

bool skiffi_tls_context_file_is_binary(const char *path)
{
	return skiffi_tls_file_is_binary(path);
}
