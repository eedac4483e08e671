/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ws_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct ws_peer {
	struct ws_listener *listener;
	struct ws_peer *next;
	pthread_t thread;
	int fd;
	SSL *ssl;
	char *request;
	char accept[64];
	uint8_t *payload;
	bool was_reset;
};

struct ws_listener {
	int fd;
	uint16_t port;
	SSL_CTX *ssl;
	char ca[64];
	ws_script script;
	void *user;
	pthread_t thread;
	pthread_mutex_t lock;
	struct ws_peer *peers; /* guarded by lock, like `taken` */
	unsigned taken;
};

/* ---- certificate ---- */

static bool listener_add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static X509 *listener_certify(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	bool ok = listener_add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
		  listener_add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
		  X509_sign(certificate, key, EVP_sha256());
	if (ok)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static bool listener_write_ca(struct ws_listener *listener, X509 *certificate)
{
	strcpy(listener->ca, "/tmp/ws_listener_XXXXXX");
	int fd = mkstemp(listener->ca);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok = file && PEM_write_X509(file, certificate);
	if (file)
		fclose(file);
	return ok;
}

static bool listener_make_tls(struct ws_listener *listener)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? listener_certify(key) : NULL;
	listener->ssl = SSL_CTX_new(TLS_server_method());
	bool ok = certificate && listener->ssl && SSL_CTX_use_certificate(listener->ssl, certificate) &&
		  SSL_CTX_use_PrivateKey(listener->ssl, key) && listener_write_ca(listener, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ok;
}

/* ---- threads ---- */

static bool peer_begin_tls(struct ws_peer *peer)
{
	if (!peer->listener->ssl)
		return true;
	peer->ssl = SSL_new(peer->listener->ssl);
	return peer->ssl && SSL_set_fd(peer->ssl, peer->fd) && SSL_accept(peer->ssl) == 1;
}

static void *peer_main(void *argument)
{
	struct ws_peer *peer = argument;
	if (peer_begin_tls(peer))
		peer->listener->script(peer, peer->listener->user);
	if (peer->ssl && peer->fd >= 0)
		SSL_shutdown(peer->ssl);
	SSL_free(peer->ssl);
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->request);
	free(peer->payload);
	return NULL;
}

static void listener_take(struct ws_listener *listener, int fd)
{
	struct timeval patience = {.tv_sec = WS_PEER_PATIENCE_S};
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	struct ws_peer *peer = calloc(1, sizeof *peer);
	peer->listener = listener;
	peer->fd = fd;
	pthread_mutex_lock(&listener->lock);
	peer->next = listener->peers;
	listener->peers = peer;
	listener->taken++;
	pthread_create(&peer->thread, NULL, peer_main, peer);
	pthread_mutex_unlock(&listener->lock);
}

static void *listener_main(void *argument)
{
	struct ws_listener *listener = argument;
	int fd;
	while ((fd = accept(listener->fd, NULL, NULL)) >= 0 || errno == ECONNABORTED)
		if (fd >= 0)
			listener_take(listener, fd);
	return NULL;
}

static bool listener_bind(struct ws_listener *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, len) || listen(listener->fd, 512) ||
		getsockname(listener->fd, (struct sockaddr *)&address, &len))
		return false;
	listener->port = ntohs(address.sin_port);
	return true;
}

struct ws_listener *ws_listener_start(bool tls, ws_script script, void *user)
{
	struct ws_listener *listener = calloc(1, sizeof *listener);
	listener->script = script;
	listener->user = user;
	pthread_mutex_init(&listener->lock, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!listener_bind(listener) || (tls && !listener_make_tls(listener)) ||
		pthread_create(&listener->thread, NULL, listener_main, listener)) {
		SSL_CTX_free(listener->ssl);
		free(listener);
		return NULL;
	}
	return listener;
}

uint16_t ws_listener_port(const struct ws_listener *listener)
{
	return listener->port;
}

const char *ws_listener_ca(const struct ws_listener *listener)
{
	return listener->ca;
}

unsigned ws_listener_taken(struct ws_listener *listener)
{
	pthread_mutex_lock(&listener->lock);
	unsigned taken = listener->taken;
	pthread_mutex_unlock(&listener->lock);
	return taken;
}

void ws_listener_refuse(struct ws_listener *listener)
{
	if (listener->fd < 0)
		return;
	shutdown(listener->fd, SHUT_RDWR);
	pthread_join(listener->thread, NULL);
	close(listener->fd);
	listener->fd = -1;
}

void ws_listener_stop(struct ws_listener *listener)
{
	ws_listener_refuse(listener);
	while (listener->peers) {
		struct ws_peer *peer = listener->peers;
		listener->peers = peer->next;
		pthread_join(peer->thread, NULL);
		free(peer);
	}
	if (listener->ca[0])
		unlink(listener->ca);
	SSL_CTX_free(listener->ssl);
	pthread_mutex_destroy(&listener->lock);
	free(listener);
}

/* ---- bytes ---- */

bool ws_peer_send(struct ws_peer *peer, const void *data, size_t len)
{
	const uint8_t *at = data;
	while (len) {
		ssize_t put = peer->ssl ? SSL_write(peer->ssl, at, (int)(len < 65536 ? len : 65536))
					: send(peer->fd, at, len, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		at += put;
		len -= (size_t)put;
	}
	return true;
}

bool ws_peer_send_in_pieces(struct ws_peer *peer, const void *data, size_t len, size_t piece)
{
	const uint8_t *at = data;
	for (; len > piece; len -= piece, at += piece)
		if (!ws_peer_send(peer, at, piece))
			return false;
	return ws_peer_send(peer, at, len);
}

bool ws_peer_say(struct ws_peer *peer, const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return ws_peer_send(peer, text, (size_t)len);
}

size_t ws_peer_read(struct ws_peer *peer, void *data, size_t len)
{
	errno = 0;
	ssize_t got = peer->ssl ? SSL_read(peer->ssl, data, (int)len) : recv(peer->fd, data, len, 0);
	if (got > 0)
		return (size_t)got;
	peer->was_reset = errno == ECONNRESET || errno == EPIPE;
	return 0;
}

bool ws_peer_was_reset(const struct ws_peer *peer)
{
	return peer->was_reset;
}

static bool peer_read_all(struct ws_peer *peer, void *data, size_t len)
{
	uint8_t *at = data;
	while (len) {
		size_t got = ws_peer_read(peer, at, len);
		if (!got)
			return false;
		at += got;
		len -= got;
	}
	return true;
}

void ws_peer_reset(struct ws_peer *peer)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(peer->fd);
	peer->fd = -1;
}

/* ---- upgrade ---- */

static void peer_compute_accept(struct ws_peer *peer)
{
	char text[256];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	const char *key = strcasestr(peer->request, "\r\nSec-WebSocket-Key: ");
	if (!key)
		return;
	key += strlen("\r\nSec-WebSocket-Key: ");
	snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(key, "\r\n"), key);
	EVP_Digest(text, strlen(text), hash, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)peer->accept, hash, (int)len);
}

bool ws_peer_read_request(struct ws_peer *peer)
{
	size_t len = 0;
	free(peer->request);
	peer->request = calloc(1, WS_PEER_REQUEST_BYTES);
	while (!strstr(peer->request, "\r\n\r\n"))
		if (len + 1 == WS_PEER_REQUEST_BYTES || !ws_peer_read(peer, peer->request + len++, 1))
			return false;
	peer_compute_accept(peer);
	return true;
}

const char *ws_peer_request(const struct ws_peer *peer)
{
	return peer->request;
}

const char *ws_peer_accept(const struct ws_peer *peer)
{
	return peer->accept;
}

bool ws_peer_upgrade(struct ws_peer *peer)
{
	return ws_peer_read_request(peer) &&
	       ws_peer_say(peer,
		       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
		       peer->accept);
}

/* ---- frames ---- */

bool ws_peer_frame(struct ws_peer *peer, uint8_t first, const void *payload, size_t len)
{
	uint8_t header[10] = {first};
	size_t header_len = len < 126 ? 2 : len < 65536 ? 4 : 10;
	header[1] = (uint8_t)(len < 126 ? len : len < 65536 ? 126 : 127);
	for (size_t i = 2; i < header_len; i++)
		header[i] = (uint8_t)((uint64_t)len >> 8 * (header_len - 1 - i));
	uint8_t *frame = malloc(header_len + len);
	memcpy(frame, header, header_len);
	if (len)
		memcpy(frame + header_len, payload, len);
	bool ok = ws_peer_send(peer, frame, header_len + len);
	free(frame);
	return ok;
}

static bool peer_read_length(struct ws_peer *peer, uint8_t second, size_t *len)
{
	uint8_t bytes[8];
	size_t count = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
	*len = second & 0x7f;
	if (!count)
		return true;
	if (!peer_read_all(peer, bytes, count))
		return false;
	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len = *len << 8 | bytes[i];
	return true;
}

bool ws_peer_read_frame(struct ws_peer *peer, struct ws_peer_frame *frame)
{
	uint8_t header[2];
	if (!peer_read_all(peer, header, 2) || !peer_read_length(peer, header[1], &frame->len))
		return false;
	frame->first = header[0];
	frame->masked = header[1] & 0x80;
	memset(frame->key, 0, 4);
	if (frame->masked && !peer_read_all(peer, frame->key, 4))
		return false;
	free(peer->payload);
	frame->payload = peer->payload = malloc(frame->len + 1);
	if (!peer_read_all(peer, frame->payload, frame->len))
		return false;
	for (size_t i = 0; i < frame->len; i++)
		frame->payload[i] ^= frame->key[i & 3];
	return true;
}

int ws_peer_read_close(struct ws_peer *peer)
{
	struct ws_peer_frame frame;
	while (ws_peer_read_frame(peer, &frame))
		if ((frame.first & 0x0f) == 8)
			return frame.len >= 2 ? frame.payload[0] << 8 | frame.payload[1] : 1005;
	return 0;
}
