/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: CONNECT through an HTTP proxy.
 *
 * Happy path: 1. tcp to the proxy ("lower"); 2. CONNECT host:port, with the user's credentials if there are any; 3. the
 * head of the answer, which begins with a status of 2xx; 4. from then on the lower's bytes are the peer's.
 * Failure: an error of tcp's before that is told with the proxy's name; another status, an answer that is none, the end
 * of the connection or the deadline is the proxy's refusal; 407 is apart, as other credentials may help. */
#include "transport/proxy.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/escape.h"
#include "loop/handles.h"
#include "transport/tcp.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROXY_HEAD_MAX = 16 * 1024, PROXY_READ_BYTES = 1024, PROXY_NAME_BYTES = 512 };

enum proxy_state {
	PROXY_STATE_NEW,     /* -> LOWER by open */
	PROXY_STATE_LOWER,   /* -> ASKING when tcp is through, ENDED, CLOSING */
	PROXY_STATE_ASKING,  /* -> OPEN by a status of 2xx, ENDED, CLOSING */
	PROXY_STATE_OPEN,    /* -> ENDED by the lower, CLOSING */
	PROXY_STATE_ENDED,   /* `failed` was told; -> CLOSING */
	PROXY_STATE_CLOSING, /* -> CLOSED with the lower */
	PROXY_STATE_CLOSED
};

struct proxy {
	struct skiffi_transport base;
	enum proxy_state state;
	bool reading;
	struct skiffi_transport *lower;
	struct skiffi_transport_config lower_config;
	struct skiffi_endpoint lower_endpoint; /* a shallow copy of the proxy's, of the kind tcp */
	uv_timer_t *deadline;                  /* of the answer; later: to tell of what came behind it */
	struct skiffi_buffer out, in; /* of the request, what the lower did not take; of the answer, and behind it */
	int64_t asked_us, proxy_us;   /* when CONNECT began; how long it took, -1 */
};

static struct proxy *proxy_of(const struct skiffi_transport *transport)
{
	return (struct proxy *)transport;
}

/* ---- failing ---- */

static void proxy_name(const struct proxy *proxy, char *out)
{
	snprintf(out, PROXY_NAME_BYTES, "http://%s:%u", proxy->lower_endpoint.host, proxy->lower_endpoint.port);
}

static void proxy_fail(struct proxy *proxy, const struct skiff_error *error)
{
	proxy->state = PROXY_STATE_ENDED;
	uv_timer_stop(proxy->deadline);
	proxy->base.events->failed(proxy->base.user, error);
}

static void proxy_refuse(struct proxy *proxy, enum skiff_code code, int status, const char *what)
{
	struct skiff_error error;
	char name[PROXY_NAME_BYTES];
	const struct skiffi_endpoint *endpoint = proxy->base.config->endpoint;
	proxy_name(proxy, name);
	skiffi_fail(
		&error, code, status, "the proxy '%s' %s, asked for %s:%u", name, what, endpoint->host, endpoint->port);
	proxy_fail(proxy, &error);
}

static void proxy_on_deadline(uv_timer_t *timer)
{
	proxy_refuse(timer->data, SKIFF_PROXY_REFUSED, 0, "did not answer in time");
}

/* ---- the request ---- */

static bool request_add_credentials(struct skiffi_buffer *request, const struct skiffi_endpoint *proxy)
{
	size_t user_len = proxy->user ? strlen(proxy->user) : 0, len = user_len + 1 + proxy->password.len;
	if (!proxy->user && !proxy->password.len)
		return true;
	unsigned char *plain = skiffi_malloc(len), *coded = skiffi_malloc(4 * (len + 2) / 3 + 4);
	bool ok = plain && coded;
	if (ok) {
		memcpy(plain, proxy->user ? proxy->user : "", user_len);
		plain[user_len] = ':';
		if (proxy->password.len)
			memcpy(plain + user_len + 1, proxy->password.data, proxy->password.len);
		int coded_len = EVP_EncodeBlock(coded, plain, (int)len);
		ok = skiffi_buffer_append(request, "Proxy-Authorization: Basic ", 27) &&
		     skiffi_buffer_append(request, coded, (size_t)coded_len) &&
		     skiffi_buffer_append(request, "\r\n", 2);
		OPENSSL_cleanse(plain, len);
		OPENSSL_cleanse(coded, (size_t)coded_len);
	}
	skiffi_free(plain);
	skiffi_free(coded);
	return ok;
}

static bool request_make(struct proxy *proxy)
{
	char lines[1024];
	const struct skiffi_endpoint *endpoint = proxy->base.config->endpoint;
	bool v6 = strchr(endpoint->host, ':') != NULL;
	int len = snprintf(lines, sizeof lines, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", v6 ? "[" : "",
		endpoint->host, v6 ? "]" : "", endpoint->port, v6 ? "[" : "", endpoint->host, v6 ? "]" : "",
		endpoint->port);
	return skiffi_buffer_append(&proxy->out, lines, (size_t)len) &&
	       request_add_credentials(&proxy->out, &proxy->lower_endpoint) &&
	       skiffi_buffer_append(&proxy->out, "\r\n", 2);
}

static void request_send(struct proxy *proxy)
{
	struct iovec piece = {skiffi_buffer_head(&proxy->out), skiffi_buffer_len(&proxy->out)};
	ptrdiff_t taken = piece.iov_len ? proxy->lower->ops->send(proxy->lower, &piece, 1) : 0;
	if (taken <= 0)
		return;
	skiffi_wipe(piece.iov_base, (size_t)taken); /* it may hold a password */
	skiffi_buffer_consume(&proxy->out, (size_t)taken);
}

static void lower_opened(void *user)
{
	struct proxy *proxy = user;
	struct skiff_error error;
	int limit_ms = proxy->base.config->timeouts.tcp_ms;
	proxy->state = PROXY_STATE_ASKING;
	proxy->asked_us = skiffi_now_us();
	if (!request_make(proxy)) {
		skiffi_fail_plain(&error, SKIFF_MEMORY);
		proxy_fail(proxy, &error);
		return;
	}
	if (limit_ms >= 0)
		uv_timer_start(proxy->deadline, proxy_on_deadline, (uint64_t)limit_ms, 0);
	request_send(proxy);
}

/* ---- the answer ---- */

static void proxy_on_kept(uv_timer_t *timer)
{
	struct proxy *proxy = timer->data;
	if (proxy->state == PROXY_STATE_OPEN && proxy->reading && skiffi_buffer_len(&proxy->in))
		proxy->base.events->readable(proxy->base.user);
}

/* What came behind the answer is told from the loop. */
static void proxy_tell_kept(struct proxy *proxy)
{
	if (proxy->state == PROXY_STATE_OPEN && proxy->reading && skiffi_buffer_len(&proxy->in))
		uv_timer_start(proxy->deadline, proxy_on_kept, 0, 0);
}

static void proxy_open_up(struct proxy *proxy)
{
	proxy->state = PROXY_STATE_OPEN;
	proxy->proxy_us = skiffi_now_us() - proxy->asked_us;
	uv_timer_stop(proxy->deadline);
	proxy->reading = true;
	proxy->base.events->opened(proxy->base.user);
	proxy_tell_kept(proxy);
}

/* The first line says it: "HTTP/1.1 407 Proxy Authentication Required". */
static void answer_judge(struct proxy *proxy, const char *head, size_t line_len)
{
	char line[128], shown[4 * sizeof line], what[sizeof shown + 64];
	snprintf(line, sizeof line, "%.*s", (int)line_len, head);
	int status = strncmp(line, "HTTP/1.", 7) == 0 && strlen(line) > 9 ? atoi(line + 9) : 0;
	skiffi_escape(shown, sizeof shown, line, strlen(line));
	if (status >= 200 && status < 300) {
		proxy_open_up(proxy);
	} else if (status == 407 || status == 401) { /* tinyproxy says 401 of wrong ones */
		proxy_refuse(proxy, SKIFF_PROXY_AUTH, status,
			proxy->lower_endpoint.user ? "does not take these credentials" : "wants credentials");
	} else if (status) {
		snprintf(what, sizeof what, "answered \"%s\"", shown + 9);
		proxy_refuse(proxy, SKIFF_PROXY_REFUSED, status, what);
	} else {
		proxy_refuse(
			proxy, SKIFF_PROXY_REFUSED, 0, "does not answer in HTTP, or at too great a length; is it one?");
	}
}

/* Up to the empty line; what comes behind it is the peer's. */
static void answer_look(struct proxy *proxy)
{
	const char *head = (const char *)skiffi_buffer_head(&proxy->in);
	size_t len = skiffi_buffer_len(&proxy->in);
	const char *end = len ? memmem(head, len, "\r\n\r\n", 4) : NULL;
	bool strange = len >= 5 && memcmp(head, "HTTP/", 5) != 0;
	if (!end && !strange && len < PROXY_HEAD_MAX)
		return;
	size_t line_len = end ? (size_t)((const char *)memmem(head, len, "\r\n", 2) - head) : 0;
	char line[128];
	snprintf(line, sizeof line, "%.*s", (int)line_len, head);
	skiffi_buffer_consume(&proxy->in, end ? (size_t)(end + 4 - head) : len);
	answer_judge(proxy, line, strlen(line));
}

static void answer_read(struct proxy *proxy)
{
	while (proxy->state == PROXY_STATE_ASKING) {
		uint8_t *at = skiffi_buffer_reserve(&proxy->in, PROXY_READ_BYTES);
		if (!at) {
			struct skiff_error error;
			skiffi_fail_plain(&error, SKIFF_MEMORY);
			proxy_fail(proxy, &error);
			return;
		}
		ptrdiff_t got = proxy->lower->ops->recv(proxy->lower, at, PROXY_READ_BYTES);
		if (got <= 0)
			return;
		skiffi_buffer_commit(&proxy->in, (size_t)got);
		answer_look(proxy);
	}
}

/* ---- the lower's events ---- */

static void lower_readable(void *user)
{
	struct proxy *proxy = user;
	if (proxy->state == PROXY_STATE_ASKING)
		answer_read(proxy);
	else if (proxy->state == PROXY_STATE_OPEN)
		proxy->base.events->readable(proxy->base.user);
}

static void lower_writable(void *user)
{
	struct proxy *proxy = user;
	if (proxy->state == PROXY_STATE_ASKING)
		request_send(proxy);
	else if (proxy->state == PROXY_STATE_OPEN)
		proxy->base.events->writable(proxy->base.user);
}

static void lower_failed(void *user, const struct skiff_error *error)
{
	struct proxy *proxy = user;
	struct skiff_error copy = *error;
	char name[PROXY_NAME_BYTES];
	if (proxy->state >= PROXY_STATE_ENDED)
		return;
	if (proxy->state == PROXY_STATE_ASKING) {
		proxy_refuse(proxy, SKIFF_PROXY_REFUSED, error->detail, "closed the connection instead of answering");
		return;
	}
	proxy_name(proxy, name);
	if (proxy->state == PROXY_STATE_LOWER)
		skiffi_error_prefix(&copy, "proxy '%s'", name);
	proxy_fail(proxy, &copy);
}

static void lower_closed(void *user)
{
	struct proxy *proxy = user;
	skiffi_timer_give(proxy->base.loop, proxy->deadline);
	proxy->deadline = NULL;
	proxy->state = PROXY_STATE_CLOSED;
	proxy->base.events->closed(proxy->base.user);
}

static const struct skiffi_transport_events proxy_lower_events = {
	.opened = lower_opened,
	.readable = lower_readable,
	.writable = lower_writable,
	.failed = lower_failed,
	.closed = lower_closed,
};

/* ---- operations ---- */

static bool proxy_open(struct skiffi_transport *transport)
{
	struct proxy *proxy = proxy_of(transport);
	proxy->deadline = skiffi_timer_take(transport->loop, proxy);
	if (proxy->deadline && proxy->lower->ops->open(proxy->lower)) {
		proxy->state = PROXY_STATE_LOWER;
		return true;
	}
	skiffi_timer_give(transport->loop, proxy->deadline);
	proxy->deadline = NULL;
	return false;
}

static ptrdiff_t proxy_recv(struct skiffi_transport *transport, void *data, size_t len)
{
	struct proxy *proxy = proxy_of(transport);
	size_t kept = skiffi_buffer_len(&proxy->in);
	if (proxy->state != PROXY_STATE_OPEN)
		return proxy->state < PROXY_STATE_OPEN ? 0 : -1;
	if (!kept)
		return proxy->lower->ops->recv(proxy->lower, data, len);
	size_t some = kept < len ? kept : len;
	memcpy(data, skiffi_buffer_head(&proxy->in), some);
	skiffi_buffer_consume(&proxy->in, some);
	proxy_tell_kept(proxy);
	return (ptrdiff_t)some;
}

static ptrdiff_t proxy_send(struct skiffi_transport *transport, const struct iovec *pieces, size_t count)
{
	struct proxy *proxy = proxy_of(transport);
	if (proxy->state != PROXY_STATE_OPEN)
		return proxy->state < PROXY_STATE_OPEN ? 0 : -1;
	return proxy->lower->ops->send(proxy->lower, pieces, count);
}

static void proxy_reading(struct skiffi_transport *transport, bool on)
{
	struct proxy *proxy = proxy_of(transport);
	proxy->reading = on;
	if (proxy->state != PROXY_STATE_OPEN)
		return;
	proxy->lower->ops->reading(proxy->lower, on);
	proxy_tell_kept(proxy);
}

static void proxy_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct proxy *proxy = proxy_of(transport);
	proxy->lower->ops->info(proxy->lower, connection);
	connection->phases.proxy_us = proxy->proxy_us;
}

static void proxy_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	const struct proxy *proxy = proxy_of(transport);
	proxy->lower->ops->traffic(proxy->lower, out, in);
}

static void proxy_close(struct skiffi_transport *transport, bool abort)
{
	struct proxy *proxy = proxy_of(transport);
	assert(proxy->state != PROXY_STATE_NEW && proxy->state < PROXY_STATE_CLOSING);
	proxy->state = PROXY_STATE_CLOSING;
	uv_timer_stop(proxy->deadline);
	proxy->lower->ops->close(proxy->lower, abort);
}

static void proxy_free(struct skiffi_transport *transport)
{
	struct proxy *proxy = proxy_of(transport);
	assert(proxy->state == PROXY_STATE_NEW || proxy->state == PROXY_STATE_CLOSED);
	proxy->lower->ops->free(proxy->lower);
	skiffi_wipe(skiffi_buffer_head(&proxy->out), skiffi_buffer_len(&proxy->out));
	skiffi_buffer_release(&proxy->in);
	skiffi_buffer_release(&proxy->out);
	skiffi_free(proxy);
}

static const struct skiffi_transport_ops proxy_ops = {
	.name = "proxy",
	.open = proxy_open,
	.recv = proxy_recv,
	.send = proxy_send,
	.reading = proxy_reading,
	.info = proxy_info,
	.traffic = proxy_traffic,
	.close = proxy_close,
	.free = proxy_free,
};

static struct skiffi_transport *proxy_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	struct proxy *proxy = skiffi_calloc(1, sizeof *proxy);
	if (!proxy)
		return NULL;
	proxy->base = (struct skiffi_transport){&proxy_ops, loop, config, events, user};
	proxy->proxy_us = -1;
	proxy->lower_endpoint = *config->proxy;
	proxy->lower_endpoint.kind = SKIFFI_TCP;
	proxy->lower_config = *config;
	proxy->lower_config.endpoint = &proxy->lower_endpoint;
	proxy->lower_config.proxy = NULL;
	proxy->lower_config.address = NULL;
	proxy->lower = skiffi_tcp_new(loop, &proxy->lower_config, &proxy_lower_events, proxy);
	if (proxy->lower)
		return &proxy->base;
	skiffi_free(proxy);
	return NULL;
}

struct skiffi_transport *skiffi_proxy_way_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	return (config->proxy ? proxy_new : skiffi_tcp_new)(loop, config, events, user);
}
