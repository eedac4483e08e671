/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: the way through a proxy, whichever protocol it speaks (proxy_http.c, proxy_socks.c).
 *
 * Happy path: 1. for socks5 the peer's name is looked up; 2. tcp to the proxy ("lower"); 3. question and answer in the
 * proxy's protocol, once or more; 4. from then on the lower's bytes are the peer's, and first those that came behind
 * the last answer. Failure: an error of tcp's before that is told with the proxy's name; a refusal, an answer that
 * makes no sense, the end of the connection or the deadline is the proxy's refusal. Where we looked the peer's name up
 * and the proxy does not reach the address, the next one is asked for, over a new connection. */
#include "transport/proxy.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "endpoint/resolve.h"
#include "loop/handles.h"
#include "transport/proxy_protocol.h"
#include "transport/tcp.h"
#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PROXY_READ_BYTES = 1024, PROXY_HOST_BYTES = 64, PROXY_PLACE_BYTES = 400 };

enum proxy_state {
	PROXY_STATE_NEW,     /* -> NAMING or LOWER by open */
	PROXY_STATE_NAMING,  /* -> LOWER with an address, ENDED, CLOSING */
	PROXY_STATE_LOWER,   /* -> ASKING when tcp is through, ENDED, CLOSING */
	PROXY_STATE_ASKING,  /* -> OPEN by the last answer, AGAIN, ENDED, CLOSING */
	PROXY_STATE_AGAIN,   /* the lower is closing; -> LOWER with a new one for the next address, ENDED, CLOSING */
	PROXY_STATE_OPEN,    /* -> ENDED by the lower, CLOSING */
	PROXY_STATE_ENDED,   /* `failed` was told; -> CLOSING */
	PROXY_STATE_CLOSING, /* -> CLOSED with the lower */
	PROXY_STATE_CLOSED
};

/* Of socks5, until the way is open; apart, because ten thousand idle connections should not carry it. */
struct proxy_names {
	struct skiffi_resolve *resolve; /* PROXY_STATE_NAMING only */
	struct skiffi_addresses addresses;
	size_t next;
	char host[PROXY_HOST_BYTES]; /* the address that is asked for, as text */
};

struct proxy {
	struct skiffi_transport base;
	enum proxy_state state;
	bool reading;
	bool lower_up, lower_closing; /* of the lower: it must be closed; it was, and its end will be told */
	const struct skiffi_proxy_protocol *protocol;
	enum skiffi_proxy_step step;
	struct proxy_names *names; /* NULL: the name is the proxy's to look up, or the way is open */
	struct skiffi_transport *lower;
	struct skiffi_transport_config lower_config;
	uv_timer_t *deadline;         /* of the answers; later: to tell of what came behind them, or of the end */
	struct skiffi_buffer out, in; /* of the questions, what the lower did not take; of the answer, and behind it */
	int64_t began_us, asked_us;   /* when the look-up began, and the first question */
	int64_t dns_us, proxy_us;     /* what they took; -1 */
};

static struct proxy *proxy_of(const struct skiffi_transport *transport)
{
	return (struct proxy *)transport;
}

static const struct skiffi_proxy *proxy_there(const struct proxy *proxy)
{
	return proxy->base.config->proxy;
}

/* ---- for both protocols ---- */

void skiffi_proxy_refuse(struct skiffi_proxy_answer *answer, enum skiff_code code, int detail, const char *format, ...)
{
	va_list args;
	answer->outcome = SKIFFI_PROXY_REFUSED;
	answer->code = code;
	answer->detail = detail;
	va_start(args, format);
	vsnprintf(answer->what, sizeof answer->what, format, args);
	va_end(args);
}

void skiffi_proxy_hint_other(char hint[SKIFFI_PROXY_HINT_BYTES], const struct skiffi_proxy_protocol *protocol,
	const struct skiffi_proxy *proxy, const char *lead)
{
	snprintf(hint, SKIFFI_PROXY_HINT_BYTES, "%s%s%s", lead, protocol->other_scheme, strstr(proxy->text, "://"));
}

/* ---- failing ---- */

static void proxy_fail(struct proxy *proxy, const struct skiff_error *error)
{
	proxy->state = PROXY_STATE_ENDED;
	uv_timer_stop(proxy->deadline);
	proxy->base.events->failed(proxy->base.user, error);
}

static void proxy_fail_memory(struct proxy *proxy)
{
	struct skiff_error error;
	skiffi_fail_plain(&error, SKIFF_MEMORY);
	proxy_fail(proxy, &error);
}

/* What is asked for: the peer's name, and where that was looked up here, the address too. */
static struct skiffi_proxy_wish proxy_wish(const struct proxy *proxy)
{
	const struct skiffi_endpoint *endpoint = proxy->base.config->endpoint;
	return (struct skiffi_proxy_wish){
		proxy_there(proxy), proxy->names ? proxy->names->host : endpoint->host, endpoint->port};
}

static void proxy_refused(struct proxy *proxy, const struct skiffi_proxy_answer *answer)
{
	struct skiff_error error;
	struct skiffi_proxy_wish wish = proxy_wish(proxy);
	const char *host = proxy->base.config->endpoint->host;
	bool looked_up = strcmp(wish.host, host) != 0;
	char place[PROXY_PLACE_BYTES];
	skiffi_host_port(place, sizeof place, wish.host, wish.port);
	skiffi_fail(&error, answer->code, answer->detail, "the proxy '%s' %s, asked for %s%s%s%s%s%s",
		proxy_there(proxy)->text, answer->what, place, looked_up ? " (" : "", looked_up ? host : "",
		looked_up ? ")" : "", *answer->hint ? "; " : "", answer->hint);
	proxy_fail(proxy, &error);
}

/* There was no answer, or no whole one. One that waits or hangs up at the first question may be of the other kind. */
static void proxy_unanswered(struct proxy *proxy, int detail, const char *what)
{
	struct skiffi_proxy_answer answer;
	char lead[48];
	skiffi_proxy_refuse(&answer, SKIFF_PROXY_REFUSED, detail, "%s", what);
	answer.hint[0] = '\0';
	snprintf(lead, sizeof lead, "if it is one for %s, try ", proxy->protocol->other);
	if (proxy->step == proxy->protocol->first && !skiffi_buffer_len(&proxy->in))
		skiffi_proxy_hint_other(answer.hint, proxy->protocol, proxy_there(proxy), lead);
	proxy_refused(proxy, &answer);
}

static void proxy_on_deadline(uv_timer_t *timer)
{
	proxy_unanswered(timer->data, 0, "did not answer in time");
}

/* ---- the questions ---- */

static void question_send(struct proxy *proxy)
{
	struct iovec piece = {skiffi_buffer_head(&proxy->out), skiffi_buffer_len(&proxy->out)};
	ptrdiff_t taken = piece.iov_len ? proxy->lower->ops->send(proxy->lower, &piece, 1) : 0;
	if (taken <= 0)
		return;
	skiffi_wipe(piece.iov_base, (size_t)taken); /* it may hold a password */
	skiffi_buffer_consume(&proxy->out, (size_t)taken);
}

/* Of what was not sent. */
static void question_forget(struct proxy *proxy)
{
	size_t len = skiffi_buffer_len(&proxy->out);
	if (len)
		skiffi_wipe(skiffi_buffer_head(&proxy->out), len);
	skiffi_buffer_consume(&proxy->out, len);
}

static void question_ask(struct proxy *proxy, enum skiffi_proxy_step step)
{
	struct skiffi_proxy_wish wish = proxy_wish(proxy);
	proxy->step = step;
	if (proxy->protocol->ask(&proxy->out, step, &wish))
		question_send(proxy);
	else
		proxy_fail_memory(proxy);
}

/* The deadline is that of all addresses, as it is for tcp. */
static void lower_opened(void *user)
{
	struct proxy *proxy = user;
	int limit_ms = proxy->base.config->timeouts.tcp_ms;
	if (proxy->state != PROXY_STATE_LOWER)
		return;
	proxy->state = PROXY_STATE_ASKING;
	if (!proxy->asked_us) {
		proxy->asked_us = skiffi_now_us();
		if (limit_ms >= 0)
			uv_timer_start(proxy->deadline, proxy_on_deadline, (uint64_t)limit_ms, 0);
	}
	question_ask(proxy, proxy->protocol->first);
}

/* ---- the answers ---- */

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

static void names_free(struct proxy *proxy)
{
	skiffi_free(proxy->names);
	proxy->names = NULL;
}

static void proxy_open_up(struct proxy *proxy)
{
	proxy->state = PROXY_STATE_OPEN;
	proxy->proxy_us = skiffi_now_us() - proxy->asked_us;
	uv_timer_stop(proxy->deadline);
	names_free(proxy);
	proxy->reading = true;
	proxy->base.events->opened(proxy->base.user);
	proxy_tell_kept(proxy);
}

/* Takes the next address of the peer; false: there is none. */
static bool names_next(struct proxy_names *names)
{
	while (names && names->next < names->addresses.count) {
		const struct skiffi_address *address = &names->addresses.list[names->next++];
		const struct sockaddr *any = (const struct sockaddr *)&address->storage;
		const void *number = any->sa_family == AF_INET6
					     ? (const void *)&((const struct sockaddr_in6 *)any)->sin6_addr
					     : (const void *)&((const struct sockaddr_in *)any)->sin_addr;
		if (inet_ntop(any->sa_family, number, names->host, sizeof names->host))
			return true;
	}
	return false;
}

static void lower_close(struct proxy *proxy, bool abort)
{
	proxy->lower_up = false;
	proxy->lower_closing = true;
	proxy->lower->ops->close(proxy->lower, abort);
}

/* A proxy that has refused takes no further question: the next address needs a new connection. */
static bool proxy_again(struct proxy *proxy, const struct skiffi_proxy_answer *answer)
{
	char refused[PROXY_HOST_BYTES];
	if (!answer->elsewhere || !proxy->names)
		return false;
	memcpy(refused, proxy->names->host, sizeof refused);
	if (!names_next(proxy->names))
		return false;
	skiffi_log(SKIFF_LOG_DEBUG, "transport", "the proxy '%s' %s, asked for %s; trying %s", proxy_there(proxy)->text,
		answer->what, refused, proxy->names->host);
	proxy->state = PROXY_STATE_AGAIN;
	lower_close(proxy, true);
	return true;
}

/* Result: whether there may be more to look at. */
static bool answer_look(struct proxy *proxy)
{
	struct skiffi_proxy_wish wish = proxy_wish(proxy);
	struct skiffi_proxy_answer answer;
	proxy->protocol->read(
		skiffi_buffer_head(&proxy->in), skiffi_buffer_len(&proxy->in), proxy->step, &wish, &answer);
	skiffi_buffer_consume(&proxy->in, answer.used);
	if (answer.outcome == SKIFFI_PROXY_NEXT)
		question_ask(proxy, answer.next);
	else if (answer.outcome == SKIFFI_PROXY_DONE)
		proxy_open_up(proxy);
	else if (answer.outcome == SKIFFI_PROXY_REFUSED && !proxy_again(proxy, &answer))
		proxy_refused(proxy, &answer);
	return answer.outcome == SKIFFI_PROXY_NEXT;
}

static void answer_read(struct proxy *proxy)
{
	while (proxy->state == PROXY_STATE_ASKING) {
		uint8_t *at = skiffi_buffer_reserve(&proxy->in, PROXY_READ_BYTES);
		if (!at) {
			proxy_fail_memory(proxy);
			return;
		}
		ptrdiff_t got = proxy->lower->ops->recv(proxy->lower, at, PROXY_READ_BYTES);
		if (got <= 0)
			return;
		skiffi_buffer_commit(&proxy->in, (size_t)got);
		while (proxy->state == PROXY_STATE_ASKING && answer_look(proxy))
			;
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
		question_send(proxy);
	else if (proxy->state == PROXY_STATE_OPEN)
		proxy->base.events->writable(proxy->base.user);
}

static void lower_failed(void *user, const struct skiff_error *error)
{
	struct proxy *proxy = user;
	struct skiff_error copy = *error;
	if (proxy->state >= PROXY_STATE_ENDED || proxy->state == PROXY_STATE_AGAIN)
		return;
	if (proxy->state == PROXY_STATE_ASKING) {
		proxy_unanswered(proxy, error->detail, "closed the connection instead of answering");
		return;
	}
	if (proxy->state == PROXY_STATE_LOWER)
		skiffi_error_prefix(&copy, "proxy '%s'", proxy_there(proxy)->text);
	proxy_fail(proxy, &copy);
}

static bool lower_new(struct proxy *proxy);

static bool lower_open(struct proxy *proxy)
{
	proxy->state = PROXY_STATE_LOWER;
	proxy->lower_up = proxy->lower->ops->open(proxy->lower);
	return proxy->lower_up;
}

static void proxy_on_closed(struct proxy *proxy)
{
	skiffi_timer_give(proxy->base.loop, proxy->deadline);
	proxy->deadline = NULL;
	proxy->state = PROXY_STATE_CLOSED;
	proxy->base.events->closed(proxy->base.user);
}

static void proxy_on_closed_timer(uv_timer_t *timer)
{
	proxy_on_closed(timer->data);
}

/* We were closed, or the next address's turn has come; if the deadline was faster than that, our close is still to
 * come. */
static void lower_closed(void *user)
{
	struct proxy *proxy = user;
	proxy->lower_closing = false;
	if (proxy->state == PROXY_STATE_CLOSING) {
		proxy_on_closed(proxy);
		return;
	}
	proxy->lower->ops->free(proxy->lower);
	proxy->lower = NULL;
	if (proxy->state != PROXY_STATE_AGAIN)
		return;
	question_forget(proxy);
	skiffi_buffer_clear(&proxy->in, PROXY_READ_BYTES);
	if (!lower_new(proxy) || !lower_open(proxy))
		proxy_fail_memory(proxy);
}

static const struct skiffi_transport_events proxy_lower_events = {
	.opened = lower_opened,
	.readable = lower_readable,
	.writable = lower_writable,
	.failed = lower_failed,
	.closed = lower_closed,
};

static bool lower_new(struct proxy *proxy)
{
	proxy->lower = skiffi_tcp_new(proxy->base.loop, &proxy->lower_config, &proxy_lower_events, proxy);
	return proxy->lower;
}

/* ---- the peer's name, for socks5 ---- */

static void names_on_resolved(void *user, const struct skiffi_addresses *addresses, const struct skiff_error *error)
{
	struct proxy *proxy = user;
	proxy->names->resolve = NULL;
	if (error) {
		struct skiff_error copy = *error;
		skiffi_error_prefix(&copy, "looked up here, as the proxy is socks5:// and not socks5h://");
		proxy_fail(proxy, &copy);
		return;
	}
	proxy->dns_us = skiffi_now_us() - proxy->began_us;
	proxy->names->addresses = *addresses;
	names_next(proxy->names);
	if (!lower_open(proxy))
		proxy_fail_memory(proxy);
}

static bool names_start(struct proxy *proxy)
{
	const struct skiffi_transport_config *config = proxy->base.config;
	struct skiffi_resolve_wish wish = {config->address, config->ip_version, config->timeouts.resolve_ms};
	proxy->names = skiffi_calloc(1, sizeof *proxy->names);
	if (!proxy->names)
		return false;
	proxy->state = PROXY_STATE_NAMING;
	proxy->began_us = skiffi_now_us();
	proxy->names->resolve =
		skiffi_resolve_start(proxy->base.loop, config->endpoint, &wish, names_on_resolved, proxy);
	return proxy->names->resolve;
}

/* ---- operations ---- */

static bool proxy_open(struct skiffi_transport *transport)
{
	struct proxy *proxy = proxy_of(transport);
	bool here = proxy_there(proxy)->kind == SKIFFI_PROXY_SOCKS5;
	proxy->deadline = skiffi_timer_take(transport->loop, proxy);
	if (proxy->deadline && (here ? names_start(proxy) : lower_open(proxy)))
		return true;
	skiffi_timer_give(transport->loop, proxy->deadline);
	proxy->deadline = NULL;
	proxy->state = PROXY_STATE_NEW;
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

/* Two names are looked up with socks5: the time is that of both. */
static void proxy_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct proxy *proxy = proxy_of(transport);
	if (proxy->lower)
		proxy->lower->ops->info(proxy->lower, connection);
	if (proxy->dns_us >= 0)
		connection->phases.dns_us =
			proxy->dns_us + (connection->phases.dns_us > 0 ? connection->phases.dns_us : 0);
	connection->phases.proxy_us = proxy->proxy_us;
}

static void proxy_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	const struct proxy *proxy = proxy_of(transport);
	*out = *in = 0;
	if (proxy->lower)
		proxy->lower->ops->traffic(proxy->lower, out, in);
}

/* A lower that is closing already, or was never opened, leaves nothing or only its end to wait for. */
static void proxy_close(struct skiffi_transport *transport, bool abort)
{
	struct proxy *proxy = proxy_of(transport);
	assert(proxy->state != PROXY_STATE_NEW && proxy->state < PROXY_STATE_CLOSING);
	proxy->state = PROXY_STATE_CLOSING;
	uv_timer_stop(proxy->deadline);
	if (proxy->names && proxy->names->resolve)
		skiffi_resolve_cancel(proxy->names->resolve);
	names_free(proxy);
	if (proxy->lower_up)
		lower_close(proxy, abort);
	else if (!proxy->lower_closing)
		uv_timer_start(proxy->deadline, proxy_on_closed_timer, 0, 0);
}

static void proxy_free(struct skiffi_transport *transport)
{
	struct proxy *proxy = proxy_of(transport);
	assert(proxy->state == PROXY_STATE_NEW || proxy->state == PROXY_STATE_CLOSED);
	if (proxy->lower)
		proxy->lower->ops->free(proxy->lower);
	question_forget(proxy);
	names_free(proxy);
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
	proxy->dns_us = proxy->proxy_us = -1;
	proxy->protocol = config->proxy->kind == SKIFFI_PROXY_HTTP ? &skiffi_proxy_http : &skiffi_proxy_socks;
	proxy->lower_config = *config;
	proxy->lower_config.endpoint = config->proxy->endpoint;
	proxy->lower_config.proxy = NULL;
	proxy->lower_config.is_proxy = true;
	proxy->lower_config.address = NULL;
	if (lower_new(proxy))
		return &proxy->base;
	skiffi_free(proxy);
	return NULL;
}

struct skiffi_transport *skiffi_proxy_way_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	return (config->proxy ? proxy_new : skiffi_tcp_new)(loop, config, events, user);
}
