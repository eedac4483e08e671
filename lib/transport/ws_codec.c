/* SPDX-License-Identifier: Apache-2.0 */
/* ws_codec.c: the socket pair, libwebsockets' callbacks, and its request put in our words.
 *
 * libwebsockets can only reach a peer by connecting a socket, so the pair is made of a listening Unix socket with an
 * unguessable abstract name that lives for one connect; who else would come in between is told by its process id.
 * Of the request libwebsockets makes, the first line and the Host header are written anew: it cuts them, without a
 * word, at 2048 and 128 bytes. */
#include "transport/ws_codec.h"

#include "base/error.h"
#include "base/random.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CODEC_PIECE_BYTES = 4096 };

static int codec_refuse(struct skiffi_ws_codec *codec, const void *why, size_t len)
{
	if (why && !codec->refusal[0])
		snprintf(codec->refusal, sizeof codec->refusal, "%.*s", (int)len, (const char *)why);
	return 0;
}

static int codec_receive(struct skiffi_ws_codec *codec, const void *data, size_t len)
{
	if (!len || skiffi_buffer_append(codec->payload, data, len))
		return 0;
	codec->no_memory = true;
	return -1;
}

static int codec_writeable(struct skiffi_ws_codec *codec)
{
	if (!codec->close_code)
		return 0;
	lws_close_reason(codec->wsi, (enum lws_close_status)codec->close_code, NULL, 0);
	return -1;
}

static int codec_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)wsi;
	struct skiffi_ws_codec *codec = user;
	if (!codec)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		codec->established = true;
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return codec_receive(codec, in, len);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return codec_writeable(codec);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		return codec_refuse(codec, in, len);
	case LWS_CALLBACK_WSI_DESTROY:
		codec->wsi = NULL;
		codec->inner = -1;
		return 0;
	default:
		return 0;
	}
}

static const struct lws_protocols codec_protocols[] = {
	{.name = "mqtt",
		.callback = codec_callback,
		.rx_buffer_size = SKIFFI_WS_CHUNK_BYTES,
		.tx_packet_size = SKIFFI_WS_MESSAGE_BYTES + SKIFFI_WS_HEADER_BYTES},
	{.name = NULL},
};

/* ---- the pair ---- */

/* A listening socket; `address` is its name as libwebsockets wants it. */
static int codec_listen(char *address, size_t size)
{
	uint64_t secret[2];
	skiffi_random(secret, sizeof secret);
	int len = snprintf(
		address, size, "+@skiff-%016llx%016llx", (unsigned long long)secret[0], (unsigned long long)secret[1]);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	memcpy(name.sun_path + 1, address + 2, (size_t)len - 2);
	socklen_t name_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len - 2);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&name, name_len) || listen(fd, 1))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool codec_is_own(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.pid == getpid();
}

static int codec_accept(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 || codec_is_own(fd))
			return fd;
		close(fd);
	}
}

static bool codec_connect(struct skiffi_ws_codec *codec)
{
	char address[64];
	int listener = codec_listen(address, sizeof address);
	if (listener < 0)
		return false;
	struct lws_client_connect_info info = {
		.context = codec->shared->context,
		.vhost = codec->shared->vhost,
		.address = address,
		.path = "/",
		.host = "-",
		.protocol = codec_protocols[0].name,
		.ietf_version_or_minus_one = -1,
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.userdata = codec,
		.pwsi = &codec->wsi,
	};
	codec->wsi = lws_client_connect_via_info(&info);
	if (codec->wsi) {
		codec->inner = lws_get_socket_fd(codec->wsi);
		codec->outer = codec_accept(listener);
	}
	close(listener);
	return codec->wsi && codec->outer >= 0;
}

/* ---- traffic through the pair ---- */

static void codec_serve(struct skiffi_ws_codec *codec, short events)
{
	struct lws_pollfd pollfd = {.fd = codec->inner, .events = events, .revents = events};
	if (codec->wsi)
		lws_service_fd(codec->shared->context, &pollfd);
}

/* Moves what libwebsockets has written to `wire`; `expect` bytes are what is likely there. */
static bool codec_collect(struct skiffi_ws_codec *codec, size_t expect)
{
	for (;;) {
		uint8_t *at = skiffi_buffer_reserve(codec->wire, expect);
		if (!at) {
			codec->no_memory = true;
			return false;
		}
		ssize_t got = recv(codec->outer, at, expect, 0);
		if (got > 0)
			skiffi_buffer_commit(codec->wire, (size_t)got);
		if (got == (ssize_t)expect)
			continue;
		if (!codec->wsi || !lws_partial_buffered(codec->wsi))
			return true;
		codec_serve(codec, LWS_POLLOUT);
	}
}

bool skiffi_ws_codec_feed(struct skiffi_ws_codec *codec, const uint8_t *data, size_t len)
{
	while (len && codec->wsi) {
		size_t piece = len < SKIFFI_WS_CHUNK_BYTES ? len : SKIFFI_WS_CHUNK_BYTES;
		ssize_t put = send(codec->outer, data, piece, MSG_NOSIGNAL);
		if (put < 0)
			return false;
		data += put;
		len -= (size_t)put;
		codec_serve(codec, LWS_POLLIN);
	}
	return codec->wsi && !codec->no_memory;
}

bool skiffi_ws_codec_answer_ping(struct skiffi_ws_codec *codec)
{
	codec_serve(codec, LWS_POLLOUT);
	return codec_collect(codec, CODEC_PIECE_BYTES) && codec->wsi;
}

static size_t codec_gather(uint8_t *to, size_t room, const struct iovec *pieces, size_t count, size_t skip)
{
	size_t used = 0;
	for (size_t i = 0; i < count && used < room; i++) {
		size_t len = pieces[i].iov_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = len - skip < room - used ? len - skip : room - used;
		memcpy(to + used, (const uint8_t *)pieces[i].iov_base + skip, len);
		used += len;
		skip = 0;
	}
	return used;
}

size_t skiffi_ws_codec_message(struct skiffi_ws_codec *codec, const struct iovec *pieces, size_t count, size_t skip)
{
	uint8_t *frame = codec->shared->frame + LWS_PRE;
	size_t len = codec_gather(frame, SKIFFI_WS_MESSAGE_BYTES, pieces, count, skip);
	if (!codec->wsi || lws_write(codec->wsi, frame, len, LWS_WRITE_BINARY) < 0)
		return 0;
	return codec_collect(codec, len + SKIFFI_WS_HEADER_BYTES) ? len : 0;
}

/* libwebsockets makes a close frame only on its own way out: asked when writable, sent when writable again. */
void skiffi_ws_codec_close_frame(struct skiffi_ws_codec *codec, int code)
{
	codec->close_code = code;
	codec_serve(codec, LWS_POLLOUT);
	codec_serve(codec, LWS_POLLOUT);
	codec_collect(codec, CODEC_PIECE_BYTES);
}

/* ---- the request ---- */

static bool codec_put(struct skiffi_ws_codec *codec, const char *text)
{
	return skiffi_buffer_append(codec->wire, text, strlen(text));
}

static bool codec_named(const struct skiff_user_property *header, const char *name)
{
	return header->name.len == strlen(name) && !strncasecmp(header->name.data, name, header->name.len);
}

static bool codec_put_header(struct skiffi_ws_codec *codec, const struct skiff_user_property *header)
{
	return skiffi_buffer_append(codec->wire, header->name.data, header->name.len) && codec_put(codec, ": ") &&
	       skiffi_buffer_append(codec->wire, header->value.data, header->value.len) && codec_put(codec, "\r\n");
}

/* The user's own headers; a Host among them takes the place of ours. */
static bool codec_put_headers(struct skiffi_ws_codec *codec, const struct skiffi_transport_config *config, bool host)
{
	bool ok = true, found = false;
	for (size_t i = 0; i < config->http_header_count && ok; i++) {
		const struct skiff_user_property *header = &config->http_headers[i];
		if (codec_named(header, "Host") != host)
			continue;
		found = true;
		ok = codec_put_header(codec, header);
	}
	struct skiff_user_property own = {skiff_text("Host"), skiff_text(config->endpoint->http_host)};
	return ok && (!host || found || codec_put_header(codec, &own));
}

/* One line of libwebsockets' request, with its line end. */
static bool codec_put_line(struct skiffi_ws_codec *codec, const char *line, size_t len)
{
	static const char key[] = "Sec-WebSocket-Key: ";
	if (!strncasecmp(line, key, sizeof key - 1))
		snprintf(codec->key, sizeof codec->key, "%.*s", (int)(len - sizeof key + 1 - 2), line + sizeof key - 1);
	if (!strncasecmp(line, "GET ", 4) || !strncasecmp(line, "Host:", 5) ||
		!strncasecmp(line, "Sec-WebSocket-Protocol:", 23))
		return true;
	return skiffi_buffer_append(codec->wire, line, len);
}

static bool codec_rewrite(struct skiffi_ws_codec *codec, const struct skiffi_transport_config *config, char *request)
{
	bool ok = codec_put(codec, "GET ") && codec_put(codec, config->endpoint->path) &&
		  codec_put(codec, " HTTP/1.1\r\n") && codec_put_headers(codec, config, true);
	char *end;
	while (ok && (end = strstr(request, "\r\n")) && end != request) {
		ok = codec_put_line(codec, request, (size_t)(end + 2 - request));
		request = end + 2;
	}
	struct skiff_user_property subprotocol = {skiff_text("Sec-WebSocket-Protocol"),
		skiff_text(config->ws_subprotocol ? config->ws_subprotocol : codec_protocols[0].name)};
	return ok && codec_put_header(codec, &subprotocol) && codec_put_headers(codec, config, false) &&
	       codec_put(codec, "\r\n");
}

/* libwebsockets writes its request at once, or when it is served the first time. */
static bool codec_request(struct skiffi_ws_codec *codec, const struct skiffi_transport_config *config)
{
	char request[CODEC_PIECE_BYTES];
	ssize_t len = recv(codec->outer, request, sizeof request - 1, 0);
	if (len < 0) {
		codec_serve(codec, LWS_POLLOUT);
		len = recv(codec->outer, request, sizeof request - 1, 0);
	}
	if (len <= 0)
		return false;
	request[len] = '\0';
	return codec_rewrite(codec, config, request);
}

bool skiffi_ws_codec_open(struct skiffi_ws_codec *codec, struct skiffi_loop *loop,
	const struct skiffi_transport_config *config, struct skiff_error *error)
{
	codec->inner = codec->outer = -1;
	codec->shared = skiffi_ws_shared(loop, codec_protocols, error);
	if (!codec->shared)
		return false;
	errno = 0;
	if (codec_connect(codec) && codec_request(codec, config))
		return true;
	int number = errno;
	skiffi_fail(error, number && number != ENOMEM ? SKIFF_TCP_FAILED : SKIFF_MEMORY, number,
		"'%s': libwebsockets cannot be started (%s); check the limit of open files (ulimit -n) and free memory",
		config->endpoint->url, codec->refusal[0] ? codec->refusal : strerror(number));
	return false;
}

/* A hang-up is what makes libwebsockets let go at once, whatever it still had in mind. */
void skiffi_ws_codec_end(struct skiffi_ws_codec *codec)
{
	codec_serve(codec, LWS_POLLHUP);
	if (codec->outer >= 0)
		close(codec->outer);
	codec->outer = -1;
}
