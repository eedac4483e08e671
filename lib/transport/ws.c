/* SPDX-License-Identifier: Apache-2.0 */
/* ws.c: a byte stream in binary WebSocket messages [RFC 6455; MQTT 5, 6].
 *
 * Happy path: 1. a tcp or tls transport ("lower") opens the way; 2. libwebsockets' upgrade request (ws_codec.h) goes
 * out, the answer is judged (ws_head.h); 3. what is sent becomes one message per call, what arrives is checked
 * (ws_frames.h), unwrapped by libwebsockets and kept until it is fetched; 4. a close frame, and lower is closed.
 * Failure: lower's own errors as they are; the answer to the upgrade; a broken rule, answered with its close code; the
 * peer's close frame, answered. Whatever arrived before is handed out first. */
#include "transport/ws.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "transport/proxy.h"
#include "transport/tls.h"
#include "transport/ws_codec.h"
#include "transport/ws_frames.h"
#include "transport/ws_head.h"
#include <assert.h>
#include <string.h>

enum {
	WS_READ_BYTES = 64 * 1024, /* per read of lower, */
	WS_READS = 4,              /* and this often at most before others get their turn */
	WS_KEEP_BYTES = 16 * 1024, /* of an emptied buffer */
	/* unsent, a whole message and many pongs: when a peer that does not read has as much to come, its pings must
	 * wait; a message alone must not stop reading, or two full directions would wait for each other */
	WS_OUT_HIGH_BYTES = 2 * SKIFFI_WS_MESSAGE_BYTES
};

enum ws_state {
	WS_STATE_NEW,     /* -> LOWER by open */
	WS_STATE_LOWER,   /* resolving, connecting, TLS: -> UPGRADE, FAILED, CLOSING */
	WS_STATE_UPGRADE, /* request sent: -> OPEN, FAILED, CLOSING */
	WS_STATE_OPEN,    /* -> ENDING by the peer or an error, CLOSING */
	WS_STATE_ENDING,  /* what arrived is being fetched; -> FAILED when that is done, CLOSING */
	WS_STATE_FAILED,  /* `failed` was told; -> CLOSING */
	WS_STATE_CLOSING, /* -> CLOSED with the last handle */
	WS_STATE_CLOSED
};

struct ws {
	struct skiffi_transport base;
	enum ws_state state;
	struct skiffi_transport *lower;
	struct skiffi_transport_config lower_config;
	struct skiffi_endpoint lower_endpoint; /* a shallow copy of ours, of the lower kind */
	struct skiffi_ws_codec codec;
	struct skiffi_ws_head head;
	struct skiffi_ws_frames frames;
	struct skiffi_buffer in;  /* payload not yet fetched */
	struct skiffi_buffer out; /* bytes lower did not take yet */
	uv_timer_t deadline;      /* of the upgrade */
	uv_idle_t wake;           /* to tell something from the loop; a timer at once would starve it */
	unsigned handles;         /* of these two, those not yet closed */
	bool reading;             /* the user's wish */
	bool lower_reading;
	bool want_write;          /* send took less than it was given */
	struct skiff_error error; /* of ENDING */
	int64_t upgrade_us;       /* when the upgrade began */
	int64_t websocket_us;     /* what it took; -1 */
};

static struct ws *ws_of(const struct skiffi_transport *transport)
{
	return (struct ws *)transport;
}

/* ---- the end ---- */

static void ws_on_wake(uv_idle_t *wake);
static void ws_update_reading(struct ws *ws);

/* Has ws_on_wake called from the loop. */
static void ws_wake(struct ws *ws)
{
	uv_idle_start(&ws->wake, ws_on_wake);
}

/* Tells `failed`; only from the loop. */
static void ws_fail(struct ws *ws, const struct skiff_error *error)
{
	struct skiff_error copy = *error;
	ws->state = WS_STATE_FAILED;
	uv_timer_stop(&ws->deadline);
	skiffi_ws_codec_end(&ws->codec);
	ws_update_reading(ws);
	skiffi_log(SKIFF_LOG_DEBUG, "transport", "%s", copy.text);
	ws->base.events->failed(ws->base.user, &copy);
}

/* Notes the first reason for the end; told when what arrived has been fetched. */
static void ws_end(struct ws *ws, const struct skiff_error *error)
{
	if (ws->state != WS_STATE_OPEN)
		return;
	ws->state = WS_STATE_ENDING;
	ws->error = *error;
	skiffi_ws_codec_end(&ws->codec);
	ws_update_reading(ws);
	ws_wake(ws);
}

/* ---- out ---- */

/* Gives lower what waits. */
static void ws_flush(struct ws *ws)
{
	struct iovec piece = {skiffi_buffer_head(&ws->out), skiffi_buffer_len(&ws->out)};
	ptrdiff_t sent = piece.iov_len ? ws->lower->ops->send(ws->lower, &piece, 1) : 0;
	if (sent > 0)
		skiffi_buffer_consume(&ws->out, (size_t)sent);
	if (!skiffi_buffer_len(&ws->out))
		skiffi_buffer_clear(&ws->out, WS_KEEP_BYTES);
	ws_update_reading(ws);
}

/* Answers with a close frame, as far as lower takes it at once. */
static void ws_send_close(struct ws *ws, int code)
{
	skiffi_ws_codec_close_frame(&ws->codec, code);
	ws_flush(ws);
}

static void ws_end_memory(struct ws *ws)
{
	struct skiff_error error;
	skiffi_fail(&error, SKIFF_MEMORY, 0, "'%s': out of memory for what arrived", ws->base.config->endpoint->url);
	ws_end(ws, &error);
}

static ptrdiff_t ws_send(struct skiffi_transport *transport, const struct iovec *pieces, size_t count)
{
	struct ws *ws = ws_of(transport);
	size_t asked = 0, taken = 0;
	if (ws->state != WS_STATE_OPEN)
		return ws->state < WS_STATE_OPEN ? 0 : -1;
	for (size_t i = 0; i < count; i++)
		asked += pieces[i].iov_len;
	while (taken < asked && !skiffi_buffer_len(&ws->out)) {
		size_t step = skiffi_ws_codec_message(&ws->codec, pieces, count, taken);
		if (!step) {
			ws_end_memory(ws);
			return taken ? (ptrdiff_t)taken : -1;
		}
		taken += step;
		ws_flush(ws);
	}
	ws->want_write = taken < asked;
	return (ptrdiff_t)taken;
}

static void ws_on_lower_writable(void *user)
{
	struct ws *ws = user;
	ws_flush(ws);
	if (ws->state == WS_STATE_OPEN && ws->want_write && !skiffi_buffer_len(&ws->out)) {
		ws->want_write = false;
		ws->base.events->writable(ws->base.user);
	}
}

/* ---- in: frames ---- */

static const char *ws_close_meaning(int code)
{
	switch (code) {
	case 1000:
		return "normal closure";
	case 1001:
		return "going away";
	case 1002:
		return "protocol error";
	case 1003:
		return "unsupported data";
	case 1005:
		return "no status";
	case 1007:
		return "invalid payload";
	case 1008:
		return "policy violation";
	case 1009:
		return "message too big";
	case 1010:
		return "extension missing";
	case 1011:
		return "internal error";
	case 1012:
		return "service restart";
	case 1013:
		return "try again later";
	case 1014:
		return "bad gateway";
	default:
		return "a meaning of its own";
	}
}

static enum skiff_code ws_close_class(int code)
{
	if (code >= 1011 && code <= 1014)
		return SKIFF_WS_UNAVAILABLE;
	if (code == 1002 || code == 1003 || code == 1007 || code == 1009 || code == 1010)
		return SKIFF_WS_PROTOCOL;
	return SKIFF_TCP_CLOSED;
}

static void ws_on_close_frame(struct ws *ws)
{
	struct skiff_error error;
	size_t len;
	const char *reason = skiffi_ws_close_reason(&ws->frames, &len);
	int code = ws->frames.code;
	skiffi_fail(&error, ws_close_class(code), code, "'%s' closed the WebSocket with code %d (%s)%s%.*s%s",
		ws->base.config->endpoint->url, code, ws_close_meaning(code), len ? " and the reason '" : "", (int)len,
		reason, len ? "'" : "");
	ws_send_close(ws, code == SKIFFI_WS_NO_STATUS ? SKIFFI_WS_NORMAL : code);
	ws_end(ws, &error);
}

static void ws_on_broken_rule(struct ws *ws)
{
	struct skiff_error error;
	const char *url = ws->base.config->endpoint->url;
	size_t len;
	const char *reason = skiffi_ws_close_reason(&ws->frames, &len);
	if (ws->frames.close_code_seen)
		skiffi_fail(&error, SKIFF_WS_PROTOCOL, ws->frames.code,
			"'%s' broke the WebSocket protocol: it sent %s (code %d, reason '%.*s')", url, ws->frames.rule,
			ws->frames.close_code_seen, (int)len, reason);
	else
		skiffi_fail(&error, SKIFF_WS_PROTOCOL, ws->frames.code,
			"'%s' broke the WebSocket protocol: it sent %s; closed with code %d", url, ws->frames.rule,
			ws->frames.code);
	ws_send_close(ws, ws->frames.code);
	ws_end(ws, &error);
}

static void ws_on_codec_end(struct ws *ws)
{
	struct skiff_error error;
	if (ws->codec.no_memory) {
		ws_end_memory(ws);
		return;
	}
	skiffi_fail(&error, SKIFF_WS_PROTOCOL, 0, "'%s' sent what libwebsockets does not accept",
		ws->base.config->endpoint->url);
	ws_end(ws, &error);
}

static void ws_take_frames(struct ws *ws, const uint8_t *data, size_t len)
{
	while (len && ws->state == WS_STATE_OPEN) {
		enum skiffi_ws_event event;
		size_t step = skiffi_ws_frames_take(&ws->frames, data, len, &event);
		bool ok = skiffi_ws_codec_feed(&ws->codec, data, step);
		if (ok && event == SKIFFI_WS_PING && skiffi_buffer_len(&ws->out) < WS_OUT_HIGH_BYTES)
			ok = skiffi_ws_codec_answer_ping(&ws->codec);
		data += step;
		len -= step;
		if (!ok)
			ws_on_codec_end(ws);
		else if (event == SKIFFI_WS_CLOSE)
			ws_on_close_frame(ws);
		else if (event == SKIFFI_WS_BROKEN)
			ws_on_broken_rule(ws);
	}
	ws_flush(ws);
}

/* ---- in: the answer to the upgrade ---- */

static void ws_refuse(struct ws *ws)
{
	struct skiff_error error;
	const char *refusal = ws->codec.refusal[0] ? ws->codec.refusal : "it gave no reason";
	skiffi_fail(&error, SKIFF_WS_BAD_ACCEPT, ws->head.status,
		"libwebsockets refuses the answer of '%s' to the WebSocket upgrade: %s", ws->base.config->endpoint->url,
		refusal);
	ws_fail(ws, &error);
}

static void ws_on_accepted(struct ws *ws)
{
	skiffi_ws_codec_feed(&ws->codec, skiffi_buffer_head(&ws->head.bytes), skiffi_buffer_len(&ws->head.bytes));
	skiffi_ws_head_release(&ws->head);
	if (!ws->codec.established) {
		ws_refuse(ws);
		return;
	}
	uv_timer_stop(&ws->deadline);
	ws->websocket_us = skiffi_now_us() - ws->upgrade_us;
	ws->state = WS_STATE_OPEN;
	ws->reading = true;
}

/* Result: bytes used. */
static size_t ws_take_head(struct ws *ws, const uint8_t *data, size_t len)
{
	struct skiff_error error;
	size_t used;
	switch (skiffi_ws_head_take(&ws->head, data, len, &used, ws->codec.key, ws->base.config->endpoint, &error)) {
	case SKIFFI_WS_MORE:
		break;
	case SKIFFI_WS_ACCEPTED:
		ws_on_accepted(ws);
		break;
	case SKIFFI_WS_REFUSED:
		ws_fail(ws, &error);
		break;
	}
	return used;
}

/* What follows the answer in the same bytes is unwrapped before `opened` is told: the user may reuse their memory. */
static void ws_take(struct ws *ws, const uint8_t *data, size_t len)
{
	if (ws->state == WS_STATE_UPGRADE) {
		size_t used = ws_take_head(ws, data, len);
		if (ws->state != WS_STATE_OPEN)
			return;
		ws_take_frames(ws, data + used, len - used);
		ws->base.events->opened(ws->base.user);
		return;
	}
	ws_take_frames(ws, data, len);
}

/* ---- in: delivery ---- */

static bool ws_wants_bytes(const struct ws *ws)
{
	if (ws->state == WS_STATE_UPGRADE)
		return true;
	return ws->state == WS_STATE_OPEN && ws->reading &&
	       skiffi_buffer_len(&ws->in) < ws->base.config->receive_high_bytes &&
	       skiffi_buffer_len(&ws->out) < WS_OUT_HIGH_BYTES;
}

static void ws_update_reading(struct ws *ws)
{
	bool want = ws_wants_bytes(ws);
	if (want == ws->lower_reading)
		return;
	ws->lower_reading = want;
	ws->lower->ops->reading(ws->lower, want);
}

/* Hands out what there is, then the end. Only from the loop. */
static void ws_deliver(struct ws *ws)
{
	bool live = ws->state == WS_STATE_OPEN || ws->state == WS_STATE_ENDING;
	if (live && ws->reading && skiffi_buffer_len(&ws->in))
		ws->base.events->readable(ws->base.user);
	if (ws->state != WS_STATE_OPEN && ws->state != WS_STATE_ENDING)
		return;
	if (!skiffi_buffer_len(&ws->in)) {
		if (ws->state == WS_STATE_ENDING)
			ws_fail(ws, &ws->error);
	} else if (ws->reading) {
		ws_wake(ws);
	}
}

static void ws_on_wake(uv_idle_t *wake)
{
	uv_idle_stop(wake);
	ws_deliver(wake->data);
}

static void ws_on_lower_readable(void *user)
{
	struct ws *ws = user;
	uint8_t *scratch = ws->base.loop->scratch;
	for (int i = 0; i < WS_READS && ws_wants_bytes(ws); i++) {
		ptrdiff_t got = ws->lower->ops->recv(ws->lower, scratch, WS_READ_BYTES);
		if (got <= 0)
			break;
		ws_take(ws, scratch, (size_t)got);
	}
	ws_deliver(ws);
}

static ptrdiff_t ws_recv(struct skiffi_transport *transport, void *data, size_t len)
{
	struct ws *ws = ws_of(transport);
	size_t there = skiffi_buffer_len(&ws->in);
	if (ws->state > WS_STATE_ENDING || (!there && ws->state == WS_STATE_ENDING))
		return -1;
	len = len < there ? len : there;
	if (!len)
		return 0;
	memcpy(data, skiffi_buffer_head(&ws->in), len);
	skiffi_buffer_consume(&ws->in, len);
	if (!skiffi_buffer_len(&ws->in)) {
		skiffi_buffer_clear(&ws->in, WS_KEEP_BYTES);
		if (ws->state == WS_STATE_ENDING)
			ws_wake(ws);
	}
	ws_update_reading(ws);
	return (ptrdiff_t)len;
}

static void ws_reading(struct skiffi_transport *transport, bool on)
{
	struct ws *ws = ws_of(transport);
	ws->reading = on;
	if (ws->state != WS_STATE_OPEN && ws->state != WS_STATE_ENDING)
		return;
	if (on && skiffi_buffer_len(&ws->in))
		ws_wake(ws);
	ws_update_reading(ws);
}

/* ---- the way to the peer ---- */

static void ws_on_deadline(uv_timer_t *deadline)
{
	struct ws *ws = deadline->data;
	struct skiff_error error;
	skiffi_fail(&error, SKIFF_WS_TIMEOUT, 0,
		"'%s' did not answer the WebSocket upgrade within %d ms; perhaps it does not speak WebSocket on this "
		"port",
		ws->base.config->endpoint->url, ws->base.config->timeouts.websocket_ms);
	ws_fail(ws, &error);
}

static void ws_on_lower_opened(void *user)
{
	struct ws *ws = user;
	struct skiff_error error;
	int limit_ms = ws->base.config->timeouts.websocket_ms;
	ws->upgrade_us = skiffi_now_us();
	ws->state = WS_STATE_UPGRADE;
	ws->head.subprotocol = ws->base.config->ws_subprotocol;
	ws->lower_reading = true;
	if (!skiffi_ws_codec_open(&ws->codec, ws->base.loop, ws->base.config, &error)) {
		ws_fail(ws, &error);
		return;
	}
	if (limit_ms >= 0)
		uv_timer_start(&ws->deadline, ws_on_deadline, (uint64_t)limit_ms, 0);
	ws_flush(ws);
}

/* Lower's end: before and after the upgrade it speaks for itself; during it, it says that this is no WebSocket. */
static void ws_on_lower_failed(void *user, const struct skiff_error *error)
{
	struct ws *ws = user;
	struct skiff_error own = *error;
	if (ws->state == WS_STATE_OPEN) {
		ws_end(ws, error);
		ws_deliver(ws);
		return;
	}
	if (ws->state == WS_STATE_UPGRADE && error->code == SKIFF_TCP_CLOSED)
		skiffi_ws_head_silent(
			&ws->head, "closed the connection", ws->base.config->endpoint, error->detail, &own);
	if (ws->state == WS_STATE_UPGRADE && error->code == SKIFF_TCP_RESET)
		skiffi_ws_head_silent(
			&ws->head, "reset the connection", ws->base.config->endpoint, error->detail, &own);
	if (ws->state == WS_STATE_LOWER || ws->state == WS_STATE_UPGRADE)
		ws_fail(ws, &own);
}

static void ws_handle_closed(uv_handle_t *handle)
{
	struct ws *ws = handle->data;
	if (--ws->handles)
		return;
	ws->state = WS_STATE_CLOSED;
	ws->base.events->closed(ws->base.user);
}

static void ws_on_lower_closed(void *user)
{
	struct ws *ws = user;
	uv_close((uv_handle_t *)&ws->deadline, ws_handle_closed);
	uv_close((uv_handle_t *)&ws->wake, ws_handle_closed);
}

static const struct skiffi_transport_events ws_lower_events = {
	.opened = ws_on_lower_opened,
	.readable = ws_on_lower_readable,
	.writable = ws_on_lower_writable,
	.failed = ws_on_lower_failed,
	.closed = ws_on_lower_closed,
};

/* ---- operations ---- */

static bool ws_open(struct skiffi_transport *transport)
{
	struct ws *ws = ws_of(transport);
	if (!ws->lower->ops->open(ws->lower))
		return false;
	uv_timer_init(&transport->loop->uv, &ws->deadline);
	uv_idle_init(&transport->loop->uv, &ws->wake);
	ws->deadline.data = ws->wake.data = ws;
	ws->handles = 2;
	ws->state = WS_STATE_LOWER;
	return true;
}

static void ws_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct ws *ws = ws_of(transport);
	ws->lower->ops->info(ws->lower, connection);
	connection->phases.websocket_us = ws->websocket_us;
	connection->http_status = ws->head.status;
}

static void ws_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	const struct ws *ws = ws_of(transport);
	ws->lower->ops->traffic(ws->lower, out, in);
}

static void ws_close(struct skiffi_transport *transport, bool abort)
{
	struct ws *ws = ws_of(transport);
	assert(ws->state != WS_STATE_NEW && ws->state < WS_STATE_CLOSING);
	if (ws->state == WS_STATE_OPEN && !abort)
		ws_send_close(ws, SKIFFI_WS_NORMAL);
	ws->state = WS_STATE_CLOSING;
	uv_timer_stop(&ws->deadline);
	uv_idle_stop(&ws->wake);
	skiffi_ws_codec_end(&ws->codec);
	ws->lower->ops->close(ws->lower, abort);
}

static void ws_free(struct skiffi_transport *transport)
{
	struct ws *ws = ws_of(transport);
	assert(ws->state == WS_STATE_NEW || ws->state == WS_STATE_CLOSED);
	ws->lower->ops->free(ws->lower);
	skiffi_ws_head_release(&ws->head);
	skiffi_buffer_release(&ws->in);
	skiffi_buffer_release(&ws->out);
	skiffi_free(ws);
}

static const struct skiffi_transport_ops ws_ops = {
	.name = "ws",
	.open = ws_open,
	.recv = ws_recv,
	.send = ws_send,
	.reading = ws_reading,
	.info = ws_info,
	.traffic = ws_traffic,
	.close = ws_close,
	.free = ws_free,
};

static struct skiffi_transport *ws_new_lower(struct ws *ws)
{
	const struct skiffi_transport_config *config = ws->base.config;
	ws->lower_endpoint = *config->endpoint;
	ws->lower_endpoint.kind = config->endpoint->tls ? SKIFFI_TLS : SKIFFI_TCP;
	ws->lower_config = *config;
	ws->lower_config.endpoint = &ws->lower_endpoint;
	return (config->endpoint->tls ? skiffi_tls_new : skiffi_proxy_way_new)(
		ws->base.loop, &ws->lower_config, &ws_lower_events, ws);
}

struct skiffi_transport *skiffi_ws_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	struct ws *ws = skiffi_calloc(1, sizeof *ws);
	if (!ws)
		return NULL;
	ws->base = (struct skiffi_transport){&ws_ops, loop, config, events, user};
	ws->codec = (struct skiffi_ws_codec){.inner = -1, .outer = -1, .payload = &ws->in, .wire = &ws->out};
	ws->websocket_us = -1;
	ws->lower = ws_new_lower(ws);
	if (!ws->lower) {
		skiffi_free(ws);
		return NULL;
	}
	return &ws->base;
}
