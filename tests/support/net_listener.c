/* SPDX-License-Identifier: Apache-2.0 */
/* net_listener.c: one thread takes connections, one thread each serves them. */
#include "support/net_listener.h"

#include "support/send_all.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FILLERS = 8, STAPLE_MAX_BYTES = 65536 };

struct net_listener {
	struct net_options options;
	SSL_CTX *ctx;
	int fd;
	int stop[2];          /* a pipe: written to end the thread */
	int fillers[FILLERS]; /* connections that fill the queue of NET_IGNORES */
	char url[NET_URL_BYTES];
	char dir[64]; /* "" when none was made */
	char ca[96], path[96];
	uint16_t port;
	pthread_t thread;
	bool finished;
	atomic_uint taken, certificates;
	struct net_peer *peers; /* touched by the thread, and after its end by stop */
};

struct net_peer {
	struct net_listener *listener;
	struct net_peer *next;
	pthread_t thread;
	int fd;
	SSL *ssl; /* NULL without TLS */
	bool reset, ended_tls, dropped;
};

static void net_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "net_listener: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	abort();
}

/* ---- a certificate of its own ---- */

static void certificate_add(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	net_check(extension && X509_add_ext(certificate, extension, -1), "certificate extension");
	X509_EXTENSION_free(extension);
}

static X509 *certificate_make(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"net_listener", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	certificate_add(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
	certificate_add(certificate, NID_basic_constraints, "critical,CA:TRUE");
	net_check(X509_sign(certificate, key, EVP_sha256()), "certificate");
	return certificate;
}

static void listener_make_certificate(struct net_listener *listener)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = certificate_make(key);
	snprintf(listener->ca, sizeof listener->ca, "%s/ca.pem", listener->dir);
	FILE *file = fopen(listener->ca, "w");
	net_check(file && PEM_write_X509(file, certificate) && !fclose(file), "CA file");
	net_check(SSL_CTX_use_certificate(listener->ctx, certificate) && SSL_CTX_use_PrivateKey(listener->ctx, key),
		"key");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* ---- TLS ---- */

static int listener_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
	unsigned in_len, void *user)
{
	const struct net_listener *listener = user;
	const char *wanted = listener->options.alpn;
	(void)ssl;
	for (unsigned i = 0; i < in_len; i += in[i] + 1u) {
		if (in[i] == strlen(wanted) && !memcmp(in + i + 1, wanted, in[i])) {
			*out = in + i + 1;
			*out_len = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Called where a client showed a certificate, and only there. */
static int listener_judge_client(X509_STORE_CTX *store, void *user)
{
	struct net_listener *listener = user;
	atomic_fetch_add(&listener->certificates, 1);
	return X509_verify_cert(store) == 1;
}

static void listener_ask_for_clients(struct net_listener *listener)
{
	const struct net_options *options = &listener->options;
	X509_STORE *store = SSL_CTX_get_cert_store(listener->ctx);
	SSL_CTX_set_verify(listener->ctx,
		SSL_VERIFY_PEER | (options->client_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT), NULL);
	SSL_CTX_set_cert_verify_callback(listener->ctx, listener_judge_client, listener);
	SSL_CTX_set_session_id_context(listener->ctx, (const unsigned char *)"net", 3); /* else none is resumed */
	net_check(SSL_CTX_load_verify_file(listener->ctx, options->client_ca_file), "client CA");
	SSL_CTX_set_client_CA_list(listener->ctx, SSL_load_client_CA_file(options->client_ca_file));
	if (!options->client_crl_file)
		return;
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	net_check(X509_load_crl_file(lookup, options->client_crl_file, X509_FILETYPE_PEM) > 0, "client CRL");
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

/* The response is read anew for each client. */
static int listener_staple(SSL *ssl, void *user)
{
	const struct net_listener *listener = user;
	FILE *file = fopen(listener->options.staple_file, "r");
	unsigned char *data = OPENSSL_malloc(STAPLE_MAX_BYTES);
	net_check(file && data, listener->options.staple_file);
	size_t len = fread(data, 1, STAPLE_MAX_BYTES, file);
	fclose(file);
	SSL_set_tlsext_status_ocsp_resp(ssl, data, (int)len); /* takes it over */
	return SSL_TLSEXT_ERR_OK;
}

static unsigned listener_find_key(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
	const struct net_listener *listener = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	size_t len = strlen(listener->options.psk);
	if (!strcmp(identity, "nobody") || len > size)
		return 0;
	memcpy(key, listener->options.psk, len);
	return (unsigned)len;
}

static void listener_make_tls(struct net_listener *listener)
{
	const struct net_options *options = &listener->options;
	listener->ctx = SSL_CTX_new(TLS_server_method());
	net_check(listener->ctx, "TLS");
	if (options->security_level < 0)
		SSL_CTX_set_security_level(listener->ctx, 0);
	if (options->max_version) {
		SSL_CTX_set_min_proto_version(listener->ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(listener->ctx, options->max_version);
	}
	if (options->ciphers)
		net_check(SSL_CTX_set_cipher_list(listener->ctx, options->ciphers), options->ciphers);
	if (options->staple_file) {
		SSL_CTX_set_tlsext_status_cb(listener->ctx, listener_staple);
		SSL_CTX_set_tlsext_status_arg(listener->ctx, listener);
	}
	if (options->psk) {
		SSL_CTX_set_app_data(listener->ctx, listener);
		SSL_CTX_set_psk_server_callback(listener->ctx, listener_find_key);
	}
	if (options->early_data)
		SSL_CTX_set_max_early_data(listener->ctx, 16384);
	if (options->alpn)
		SSL_CTX_set_alpn_select_cb(listener->ctx, listener_choose_alpn, listener);
	if (options->client_ca_file)
		listener_ask_for_clients(listener);
	if (!options->cert_file) {
		listener_make_certificate(listener);
		return;
	}
	net_check(SSL_CTX_use_certificate_chain_file(listener->ctx, options->cert_file) == 1, options->cert_file);
	net_check(SSL_CTX_use_PrivateKey_file(listener->ctx, options->key_file, SSL_FILETYPE_PEM) == 1,
		options->key_file);
}

/* ---- scripts' calls ---- */

static void peer_note_end(struct net_peer *peer, int result)
{
	int number = errno;
	if (peer->ssl && SSL_get_error(peer->ssl, result) == SSL_ERROR_ZERO_RETURN)
		peer->ended_tls = true;
	else
		peer->reset = number == ECONNRESET || number == EPIPE;
	ERR_clear_error();
}

size_t net_peer_read(struct net_peer *peer, void *data, size_t len)
{
	errno = 0;
	ssize_t got = peer->ssl ? SSL_read(peer->ssl, data, (int)len) : recv(peer->fd, data, len, 0);
	if (got > 0)
		return (size_t)got;
	peer_note_end(peer, (int)got);
	return 0;
}

bool net_peer_write_raw(struct net_peer *peer, const void *data, size_t len)
{
	return send_all(peer->fd, data, len);
}

bool net_peer_write(struct net_peer *peer, const void *data, size_t len)
{
	if (!peer->ssl)
		return net_peer_write_raw(peer, data, len);
	errno = 0;
	int sent = SSL_write(peer->ssl, data, (int)len);
	ERR_clear_error();
	return sent == (int)len;
}

bool net_peer_was_reset(const struct net_peer *peer)
{
	return peer->reset;
}

bool net_peer_ended_tls(const struct net_peer *peer)
{
	return peer->ended_tls;
}

void net_peer_reset(struct net_peer *peer)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	peer->dropped = true;
}

void net_peer_drop(struct net_peer *peer)
{
	peer->dropped = true;
}

SSL *net_peer_ssl(struct net_peer *peer)
{
	return peer->ssl;
}

/* ---- threads ---- */

/* Says nothing until the client goes. */
static void peer_ignore(struct net_peer *peer)
{
	char dropped[256];
	while (recv(peer->fd, dropped, sizeof dropped, 0) > 0)
		;
}

static void *peer_main(void *argument)
{
	struct net_peer *peer = argument;
	struct net_listener *listener = peer->listener;
	bool ready = listener->options.manner == NET_SERVES;
	if (!ready)
		peer_ignore(peer);
	if (peer->ssl)
		ready = SSL_accept(peer->ssl) == 1;
	if (ready && listener->options.script)
		listener->options.script(peer, listener->options.user);
	if (peer->ssl && ready && !peer->dropped)
		SSL_shutdown(peer->ssl);
	ERR_clear_error();
	SSL_free(peer->ssl);
	if (!peer->dropped)
		shutdown(peer->fd, SHUT_WR);
	close(peer->fd);
	return NULL;
}

static void listener_serve(struct net_listener *listener, int fd)
{
	struct timeval patience = {.tv_sec = NET_PEER_PATIENCE_S};
	struct net_peer *peer = calloc(1, sizeof *peer);
	int on = 1;
	net_check(peer, "memory");
	atomic_fetch_add(&listener->taken, 1);
	peer->listener = listener;
	peer->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (listener->options.kind != NET_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (listener->ctx && listener->options.manner == NET_SERVES) {
		peer->ssl = SSL_new(listener->ctx);
		net_check(peer->ssl && SSL_set_fd(peer->ssl, fd), "TLS");
	}
	peer->next = listener->peers;
	listener->peers = peer;
	net_check(!pthread_create(&peer->thread, NULL, peer_main, peer), "thread");
}

static void *listener_main(void *argument)
{
	struct net_listener *listener = argument;
	for (;;) {
		struct pollfd ready[] = {
			{.fd = listener->stop[0], .events = POLLIN}, {.fd = listener->fd, .events = POLLIN}};
		poll(ready, 2, -1);
		if (ready[0].revents)
			return NULL;
		int fd = accept(listener->fd, NULL, NULL);
		if (fd >= 0)
			listener_serve(listener, fd);
	}
}

/* ---- start and stop ---- */

static void listener_make_dir(struct net_listener *listener)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(listener->dir, sizeof listener->dir, "%s/skiff-net.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	net_check(mkdtemp(listener->dir), "directory");
}

static void listener_bind_tcp(struct net_listener *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	net_check(!bind(listener->fd, (struct sockaddr *)&address, sizeof address), "bind");
	net_check(!getsockname(listener->fd, (struct sockaddr *)&address, &len), "name");
	listener->port = ntohs(address.sin_port);
	snprintf(listener->url, sizeof listener->url, "%s://127.0.0.1:%u",
		listener->options.kind == NET_TLS ? "tls" : "tcp", listener->port);
}

static void listener_bind_unix(struct net_listener *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(listener->path, sizeof listener->path, "%s/socket", listener->dir);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", listener->path);
	snprintf(listener->url, sizeof listener->url, "unix://%s", listener->path);
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	net_check(!bind(listener->fd, (struct sockaddr *)&address, sizeof address), "bind");
}

/* Connects until the queue takes no more. */
static void listener_fill_queue(struct net_listener *listener)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	getsockname(listener->fd, (struct sockaddr *)&address, &len);
	for (int i = 0; i < FILLERS; i++) {
		listener->fillers[i] = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(listener->fillers[i], (struct sockaddr *)&address, len) && errno == EAGAIN)
			return;
		struct pollfd ready = {.fd = listener->fillers[i], .events = POLLOUT};
		if (poll(&ready, 1, 50) == 0)
			return;
	}
}

struct net_listener *net_listener_start(const struct net_options *options)
{
	struct net_listener *listener = calloc(1, sizeof *listener);
	net_check(listener, "memory");
	signal(SIGPIPE, SIG_IGN);
	listener->options = *options;
	for (int i = 0; i < FILLERS; i++)
		listener->fillers[i] = -1;
	if (options->kind == NET_UNIX || (options->kind == NET_TLS && !options->cert_file))
		listener_make_dir(listener);
	if (options->kind == NET_UNIX)
		listener_bind_unix(listener);
	else
		listener_bind_tcp(listener);
	if (options->kind == NET_TLS)
		listener_make_tls(listener);
	net_check(!pipe(listener->stop), "pipe");
	if (options->manner != NET_REFUSES)
		net_check(!listen(listener->fd, options->manner == NET_IGNORES ? 0 : 256), "listen");
	if (options->manner == NET_IGNORES)
		listener_fill_queue(listener);
	if (options->manner == NET_SERVES || options->manner == NET_SILENT)
		net_check(!pthread_create(&listener->thread, NULL, listener_main, listener), "thread");
	return listener;
}

const char *net_listener_url(const struct net_listener *listener)
{
	return listener->url;
}

uint16_t net_listener_port(const struct net_listener *listener)
{
	return listener->port;
}

const char *net_listener_ca(const struct net_listener *listener)
{
	return *listener->ca ? listener->ca : NULL;
}

unsigned net_listener_taken(const struct net_listener *listener)
{
	return atomic_load(&listener->taken);
}

unsigned net_listener_certificates(const struct net_listener *listener)
{
	return atomic_load(&listener->certificates);
}

void net_listener_finish(struct net_listener *listener)
{
	if (listener->finished)
		return;
	listener->finished = true;
	if (listener->options.manner != NET_SERVES && listener->options.manner != NET_SILENT)
		return;
	net_check(write(listener->stop[1], "x", 1) == 1, "pipe");
	pthread_join(listener->thread, NULL);
	while (listener->peers) {
		struct net_peer *peer = listener->peers;
		listener->peers = peer->next;
		pthread_join(peer->thread, NULL);
		free(peer);
	}
}

void net_listener_stop(struct net_listener *listener)
{
	net_listener_finish(listener);
	for (int i = 0; i < FILLERS; i++)
		if (listener->fillers[i] >= 0)
			close(listener->fillers[i]);
	close(listener->fd);
	close(listener->stop[0]);
	close(listener->stop[1]);
	SSL_CTX_free(listener->ctx);
	unlink(listener->ca);
	unlink(listener->path);
	if (*listener->dir)
		rmdir(listener->dir);
	free(listener);
}
