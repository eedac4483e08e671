/* SPDX-License-Identifier: Apache-2.0 */
/* native_engine.c: joins a session and a transport.
 *
 * Happy path: open -> transport opened -> CONNECT -> CONNACK (UP) -> bytes both ways (native_pump.c) -> DISCONNECT
 * written, or close -> transport closed -> DOWN.
 * Failures: the transport's and the session's errors end the attempt, the first of them counts; deadlines (CONNACK, the
 * whole attempt, keep-alive) are kept by one timer that fires at the next of them and looks which is due. */
#include "engine/native_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "engine/attempt.h"
#include "session/verdict.h"
#include "transport/tls_context.h"
#include <assert.h>
#include <skiff/version.h>
#include <stdio.h>

/* Messages further apart than this are no burst. */
enum { NATIVE_ALONE_US = 20 };

static struct native_engine *native_of(struct skiffi_engine *engine)
{
	return (struct native_engine *)engine;
}

static void native_lock(const struct native_engine *self)
{
	pthread_mutex_lock(self->base.config->lock);
}

static void native_unlock(const struct native_engine *self)
{
	pthread_mutex_unlock(self->base.config->lock);
}

/* ---- the end of an attempt ---- */

/* Where the transport only saw the end, the exchange knows more. Under the lock. */
static void native_explain(struct native_engine *self, struct skiff_error *error)
{
	enum skiff_class class_ = skiff_code_class(error->code);
	if (self->state == NATIVE_GREETING && !skiffi_native_bare(self) &&
		(class_ == SKIFF_CLASS_TCP || error->code == SKIFF_TLS_CLOSED))
		skiffi_attempt_silent(
			error, self->base.config->endpoint, skiffi_session_version(self->session), error->detail);
}

void skiffi_native_end(struct native_engine *self, const struct skiff_error *error, bool abort)
{
	if (self->state == NATIVE_IDLE)
		return;
	native_lock(self);
	if (!self->error.code) {
		struct skiff_error cause = *error;
		native_explain(self, &cause);
		if (self->fault && error->code != SKIFF_CLOSED)
			cause = skiffi_session_error(self->session);
		skiffi_error_keep(&self->error, &cause);
	}
	if (self->state != NATIVE_UP) /* else all was known when it opened */
		skiffi_native_see(self);
	native_unlock(self);
	if (self->state == NATIVE_CLOSING)
		return;
	self->state = NATIVE_CLOSING;
	self->transport->ops->close(self->transport, abort);
}

static bool native_falls_back(struct native_engine *self)
{
	enum skiff_code code = self->error.code;
	return self->base.config->options->version == SKIFF_MQTT_AUTO && !self->settled && !self->close_wanted &&
	       skiffi_session_version(self->session) == SKIFFI_V5 &&
	       (code == SKIFF_MQTT_VERSION || code == SKIFF_MQTT_CLOSED);
}

static void native_begin(struct native_engine *self);

static void native_closed(void *user)
{
	struct native_engine *self = user;
	self->transport->ops->free(self->transport);
	self->transport = NULL;
	uv_timer_stop(&self->timer);
	self->timer_at_us = SKIFFI_NEVER;
	native_lock(self);
	self->state = NATIVE_IDLE;
	skiffi_session_give_back(self->session, &self->writing);
	bool again = native_falls_back(self);
	skiffi_session_down(self->session);
	if (again) {
		struct skiffi_event none;
		while (skiffi_session_pull(self->session, 0, &none, 1))
			assert(0); /* nothing was requested before CONNACK */
		skiffi_session_set_version(self->session, SKIFFI_V311);
	} else {
		self->down_told = false;
	}
	native_unlock(self);
	if (again) {
		skiffi_log(SKIFF_LOG_INFO, "engine", "the broker does not take MQTT 5; trying 3.1.1");
		native_begin(self);
	} else {
		skiffi_native_notify(self);
	}
}

/* ---- the transport's events ---- */

static void native_opened(void *user)
{
	struct native_engine *self = user;
	int64_t now = skiffi_now_us();
	native_lock(self);
	skiffi_native_see(self);
	self->greeting_us = now;
	self->state = NATIVE_GREETING;
	bool bare = skiffi_native_bare(self);
	enum skiff_code code = bare ? SKIFF_OK : skiffi_session_start(self->session, now);
	native_unlock(self);
	if (bare) {
		skiffi_native_bare_opened(self);
		return;
	}
	if (code) {
		struct skiff_error error;
		skiffi_fail_plain(&error, code);
		skiffi_native_end(self, &error, true);
		return;
	}
	skiffi_native_pump_out(self);
	skiffi_native_arm(self);
}

static void native_readable(void *user)
{
	struct native_engine *self = user;
	if (skiffi_native_bare(self))
		skiffi_native_bare_readable(self);
	else
		skiffi_native_pump_in(self);
}

static void native_writable(void *user)
{
	skiffi_native_pump_out(user);
}

static void native_failed(void *user, const struct skiff_error *error)
{
	if (!skiffi_native_bare_ended(user, error))
		skiffi_native_end(user, error, true);
}

static const struct skiffi_transport_events native_events = {
	.opened = native_opened,
	.readable = native_readable,
	.writable = native_writable,
	.failed = native_failed,
	.closed = native_closed,
};

/* ---- deadlines ---- */

static int64_t native_after_ms(int64_t start_us, int ms)
{
	return ms < 0 ? SKIFFI_NEVER : start_us + (int64_t)ms * 1000;
}

static int64_t native_deadline(struct native_engine *self)
{
	const struct skiff_timeouts *timeouts = &self->base.config->options->timeouts;
	if (self->state == NATIVE_UP) {
		native_lock(self);
		int64_t deadline = skiffi_session_deadline(self->session);
		native_unlock(self);
		return deadline;
	}
	int64_t whole = native_after_ms(self->started_us, timeouts->total_ms);
	int limit_ms = skiffi_native_bare(self) ? skiffi_native_bare_limit_ms() : timeouts->mqtt_ms;
	int64_t greeting = self->state == NATIVE_GREETING ? native_after_ms(self->greeting_us, limit_ms) : SKIFFI_NEVER;
	return whole < greeting ? whole : greeting;
}

static void native_timed_out(struct native_engine *self, int64_t now)
{
	const struct skiff_timeouts *timeouts = &self->base.config->options->timeouts;
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	struct skiff_error error;
	bool whole = timeouts->total_ms >= 0 && now >= native_after_ms(self->started_us, timeouts->total_ms);
	int limit_ms = whole ? timeouts->total_ms : timeouts->mqtt_ms;
	native_lock(self);
	skiffi_native_see(self);
	native_unlock(self);
	if (self->state == NATIVE_GREETING)
		skiffi_attempt_unanswered(&error, endpoint, limit_ms);
	else
		skiffi_attempt_late(&error, endpoint, self->proxy, &self->seen.phases, limit_ms);
	skiffi_native_end(self, &error, true);
}

static void native_tick(struct native_engine *self, int64_t now)
{
	native_lock(self);
	skiffi_session_tick(self->session, now);
	bool tells = skiffi_session_tells(self->session);
	native_unlock(self);
	if (tells)
		skiffi_native_notify(self);
	skiffi_native_pump_out(self);
}

static void native_on_timer(uv_timer_t *timer)
{
	struct native_engine *self = timer->data;
	int64_t now = skiffi_now_us();
	self->timer_at_us = SKIFFI_NEVER;
	if (self->state == NATIVE_IDLE || self->state == NATIVE_CLOSING)
		return;
	if (now >= native_deadline(self)) {
		if (self->state == NATIVE_UP)
			native_tick(self, now);
		else if (self->state == NATIVE_GREETING && skiffi_native_bare(self))
			skiffi_native_bare_late(self);
		else
			native_timed_out(self, now);
	}
	skiffi_native_arm(self);
}

/* The timer is moved only forward: a deadline that has receded since is found out when it fires. */
void skiffi_native_arm(struct native_engine *self)
{
	if (self->state == NATIVE_IDLE || self->state == NATIVE_CLOSING)
		return;
	int64_t deadline = native_deadline(self);
	if (deadline >= self->timer_at_us)
		return;
	int64_t now = skiffi_now_us();
	uint64_t wait_ms = deadline > now ? (uint64_t)(deadline - now + 999) / 1000 : 0;
	self->timer_at_us = deadline;
	uv_update_time(&self->base.config->loop->uv);
	uv_timer_start(&self->timer, native_on_timer, wait_ms, 0);
}

/* ---- operations ---- */

static void native_start_failed(struct native_engine *self)
{
	native_lock(self);
	self->error.code = SKIFF_MEMORY;
	self->state = NATIVE_IDLE;
	skiffi_session_down(self->session);
	self->down_told = false;
	native_unlock(self);
	skiffi_loop_post(self->base.config->loop, &self->wake); /* the wake finds DOWN untold */
}

static void native_begin(struct native_engine *self)
{
	struct skiffi_loop *loop = self->base.config->loop;
	assert(self->state == NATIVE_IDLE);
	if (!self->timer_inited) {
		uv_timer_init(&loop->uv, &self->timer);
		self->timer.data = self;
		self->timer_inited = true;
	}
	native_lock(self);
	skiffi_native_unsee(self);
	self->wire_out = self->wire_in = 0;
	skiffi_error_drop(&self->error);
	self->ending = self->fault = self->close_wanted = self->deaf = false;
	self->down_told = true;
	self->started_us = skiffi_now_us();
	self->greeting_us = self->up_us = 0;
	self->state = NATIVE_OPENING;
	native_unlock(self);
	self->transport = skiffi_transport_new(loop, &self->transport_config, &native_events, self);
	if (self->transport && self->transport->ops->open(self->transport)) {
		skiffi_native_arm(self);
		return;
	}
	if (self->transport)
		self->transport->ops->free(self->transport);
	self->transport = NULL;
	native_start_failed(self);
}

/* A refusal of MQTT 5 counts for the attempt that met it; the next one asks again, until a broker has answered. */
static void native_open(struct skiffi_engine *engine)
{
	struct native_engine *self = native_of(engine);
	native_lock(self);
	if (engine->config->options->version == SKIFF_MQTT_AUTO && !self->settled)
		skiffi_session_set_version(self->session, SKIFFI_V5);
	native_unlock(self);
	native_begin(self);
}

/* In order: what is written still leaves, as far as that goes without waiting. */
static void native_close(struct skiffi_engine *engine, bool abort)
{
	struct native_engine *self = native_of(engine);
	struct skiff_error error;
	self->close_wanted = true;
	if (!abort)
		skiffi_native_pump_out(self);
	skiffi_fail(&error, SKIFF_CLOSED, 0, "closed by this client");
	skiffi_native_end(self, &error, abort);
}

static void native_log_up(struct native_engine *self)
{
	if (!skiffi_log_wanted(SKIFF_LOG_INFO))
		return;
	struct skiff_connection way;
	skiffi_native_seen(self, &way);
	skiffi_log(SKIFF_LOG_INFO, "engine", "connected to %s, %s%s%s%s%s", way.address,
		way.tls_version[0] ? way.tls_version : "no TLS", way.tls_version[0] ? " " : "", way.tls_cipher,
		way.http_status ? ", WebSocket, " : ", ", skiffi_version_name(skiffi_session_version(self->session)));
}

/* CONNECT has left: what lay in it may be secret, and an idle connection needs no output. */
static void native_forget_connect(struct native_engine *self)
{
	struct skiffi_buffer *bytes = &self->writing.bytes;
	if (self->writing.len || !bytes->data)
		return;
	skiffi_wipe(bytes->data, bytes->capacity);
	skiffi_buffer_release(bytes);
}

/* A failed session, and an accepted CONNACK, are also the engine's business. */
static size_t native_filter(struct native_engine *self, struct skiffi_event *events, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == SKIFFI_EVENT_DOWN) {
			self->fault = true;
			continue;
		}
		if (events[i].kind == SKIFFI_EVENT_UP) {
			self->state = NATIVE_UP;
			native_forget_connect(self);
			self->settled = true;
			native_log_up(self);
			self->up_us = skiffi_now_us();
		}
		if (kept != i) {
			events[kept] = events[i];
			if (events[kept].properties)
				events[kept].properties = &events[kept].storage;
		}
		kept++;
	}
	return kept;
}

static size_t native_pull(struct skiffi_engine *engine, struct skiffi_event *events, size_t max)
{
	struct native_engine *self = native_of(engine);
	size_t count;
	do
		count = skiffi_session_pull(self->session, skiffi_now_us(), events, max);
	while (count && !(count = native_filter(self, events, count)));
	if (count || self->state != NATIVE_IDLE || self->down_told)
		return count;
	self->down_told = true;
	memset(&events[0], 0, sizeof events[0]);
	events[0].kind = SKIFFI_EVENT_DOWN;
	events[0].code = self->error.code;
	events[0].reason = -1;
	return 1;
}

void skiffi_native_notify(struct native_engine *self)
{
	self->base.config->notify(self->base.config->user);
	if (self->fault && (self->state == NATIVE_GREETING || self->state == NATIVE_UP))
		skiffi_loop_post(self->base.config->loop, &self->wake);
	skiffi_native_arm(self);
}

static void native_on_wake(struct skiffi_job *job)
{
	struct native_engine *self = (struct native_engine *)((char *)job - offsetof(struct native_engine, wake));
	bool news = self->news;
	self->news = false;
	skiffi_native_pump_out(self);
	if (news || (self->state == NATIVE_IDLE && !self->down_told))
		skiffi_native_notify(self);
}

static enum skiff_code native_publish(struct skiffi_engine *engine, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error)
{
	return skiffi_session_publish(native_of(engine)->session, message, kept, op, error);
}

static enum skiff_code native_subscribe(struct skiffi_engine *engine, bool subscribe,
	const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error)
{
	struct skiffi_filter *list = skiffi_malloc(count * sizeof *list);
	if (!list)
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct skiffi_filter){filters[i].filter, filters[i].options};
	enum skiff_code code = skiffi_session_subscribe(native_of(engine)->session,
		subscribe ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE, list, count, properties, op, error);
	skiffi_free(list);
	return code;
}

static void native_disconnect(struct skiffi_engine *engine, uint8_t reason, const struct skiff_properties *properties)
{
	struct native_engine *self = native_of(engine);
	skiffi_session_disconnect(self->session, reason, properties);
	self->ending = true;
}

static void native_forget(struct skiffi_engine *engine)
{
	skiffi_session_forget(native_of(engine)->session);
}

/* A lone message is written by its publisher: to wake the writer would take longer. Who publishes again at once leaves
 * that to the writer, who then takes all that has come together. */
static bool native_writes_here(struct native_engine *self)
{
	struct skiffi_loop *loop = self->base.config->loop;
	int64_t now_us = skiffi_now_us();
	bool burst = now_us - atomic_load_explicit(&self->wrote_us, memory_order_relaxed) < NATIVE_ALONE_US;
	if (burst || !skiffi_loop_enter(loop))
		return false;
	bool mine = atomic_exchange(&self->writer_sleeps, false);
	if (mine) {
		skiffi_native_pump_here(self);
		atomic_store_explicit(&self->wrote_us, skiffi_now_us(), memory_order_relaxed);
	}
	skiffi_loop_leave(loop);
	return mine;
}

static bool native_lend_begin(struct skiffi_engine *engine)
{
	return skiffi_loop_enter(engine->config->loop);
}

static enum skiff_code native_lend(
	struct skiffi_engine *engine, const struct skiff_message *message, void *op, struct skiff_error *error)
{
	return skiffi_session_lend(native_of(engine)->session, message, op, error);
}

static void native_lend_end(struct skiffi_engine *engine, bool settles)
{
	struct native_engine *self = native_of(engine);
	struct skiff_error error;
	atomic_store(&self->writer_sleeps, false);
	skiffi_native_pump_here(self);
	native_lock(self);
	bool ok = !settles || skiffi_session_settle(self->session, &self->writing);
	native_unlock(self);
	if (!ok) {
		skiffi_fail(&error, SKIFF_MEMORY, 0, "out of memory for the rest of a message that is half written");
		skiffi_native_end(self, &error, true);
	}
	skiffi_loop_leave(engine->config->loop);
}

static size_t native_lent(const struct skiffi_engine *engine)
{
	return skiffi_session_lent(((const struct native_engine *)engine)->session);
}

static void native_flush(struct skiffi_engine *engine)
{
	struct native_engine *self = native_of(engine);
	struct skiffi_loop *loop = engine->config->loop;
	if (!atomic_load(&self->writer_sleeps) || native_writes_here(self))
		return;
	if (skiffi_loop_here(loop) && self->pumping)
		return;
	if (atomic_exchange(&self->writer_sleeps, false))
		skiffi_loop_post_now(loop, &self->wake);
}

static void native_wants_room(struct skiffi_engine *engine)
{
	atomic_store(&native_of(engine)->room_wanted, true);
}

static struct skiffi_kept *native_keep(struct skiffi_engine *engine, const struct skiff_message *message)
{
	return skiffi_session_keep(native_of(engine)->session, message);
}

static void native_unkeep(struct skiffi_engine *engine, struct skiffi_kept *kept)
{
	skiffi_session_unkeep(native_of(engine)->session, kept);
}

static struct skiffi_engine_load native_load(const struct skiffi_engine *engine)
{
	const struct skiffi_session *session = ((const struct native_engine *)engine)->session;
	return (struct skiffi_engine_load){.inflight = skiffi_session_inflight(session),
		.inflight_bytes = skiffi_session_inflight_bytes(session),
		.unanswered = skiffi_session_unanswered(session),
		.unsent_bytes = skiffi_session_unsent(session)};
}

static void native_info(const struct skiffi_engine *engine, struct skiff_connection *connection)
{
	const struct native_engine *self = (const struct native_engine *)engine;
	skiffi_native_seen(self, connection);
	connection->wire_bytes_out = self->wire_out;
	connection->wire_bytes_in = self->wire_in;
	snprintf(connection->url, sizeof connection->url, "%s", engine->config->endpoint->url);
	if (self->proxy) {
		snprintf(connection->proxy, sizeof connection->proxy, "%s", self->proxy->text);
		snprintf(connection->proxy_from, sizeof connection->proxy_from, "%s", self->proxy_from);
	}
	if (self->greeting_us && !skiffi_native_bare(self))
		skiffi_session_info(self->session, connection);
	if (self->up_us) {
		connection->phases.mqtt_us = self->up_us - self->greeting_us;
		connection->phases.total_us = self->up_us - self->started_us;
	}
}

static void native_statistics(const struct skiffi_engine *engine, struct skiff_statistics *statistics)
{
	skiffi_session_statistics(((const struct native_engine *)engine)->session, statistics);
}

static struct skiff_error native_error(const struct skiffi_engine *engine)
{
	return skiffi_error_kept(&((const struct native_engine *)engine)->error);
}

static bool native_renew(struct skiffi_engine *engine, struct skiff_error *error)
{
	struct native_engine *self = native_of(engine);
	return !self->tls || skiffi_tls_context_renew(self->tls, error);
}

/* ---- life ---- */

static void native_release(struct native_engine *self)
{
	void (*freed)(void *user) = self->freed;
	void *user = self->freed_user;
	skiffi_session_free(self->session);
	skiffi_tls_context_free(self->tls);
	skiffi_proxy_free(self->proxy);
	skiffi_free(self->bare);
	skiffi_native_unsee(self);
	skiffi_error_drop(&self->error);
	skiffi_free(self);
	if (freed)
		freed(user);
}

static void native_on_timer_closed(uv_handle_t *timer)
{
	native_release(timer->data);
}

static void native_free(struct skiffi_engine *engine, void (*freed)(void *user), void *user)
{
	struct native_engine *self = native_of(engine);
	assert(self->state == NATIVE_IDLE);
	self->freed = freed;
	self->freed_user = user;
	skiffi_output_release(&self->writing, &(struct skiffi_kept_pool){0});
	if (!self->timer_inited) {
		native_release(self);
		return;
	}
	skiffi_loop_cancel(engine->config->loop, &self->wake);
	uv_close((uv_handle_t *)&self->timer, native_on_timer_closed);
}

static const struct skiffi_engine_ops native_ops = {
	.name = "native",
	.open = native_open,
	.close = native_close,
	.pull = native_pull,
	.publish = native_publish,
	.lend_begin = native_lend_begin,
	.lend = native_lend,
	.lend_end = native_lend_end,
	.lent = native_lent,
	.subscribe = native_subscribe,
	.disconnect = native_disconnect,
	.forget = native_forget,
	.flush = native_flush,
	.wants_room = native_wants_room,
	.keep = native_keep,
	.unkeep = native_unkeep,
	.load = native_load,
	.info = native_info,
	.statistics = native_statistics,
	.error = native_error,
	.renew = native_renew,
	.free = native_free,
};

static struct skiffi_engine *native_new(const struct skiffi_engine_config *config, struct skiff_error *error)
{
	struct native_engine *self = skiffi_calloc(1, sizeof *self);
	if (!self) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	self->base = (struct skiffi_engine){&native_ops, config};
	self->wake.run = native_on_wake;
	self->timer_at_us = SKIFFI_NEVER;
	self->down_told = true;
	skiffi_native_unsee(self);
	if (!skiffi_native_options(self, error))
		goto fail;
	self->session = skiffi_session_new(&self->session_config, skiffi_attempt_version(config->options));
	if (self->session)
		return &self->base;
	skiffi_fail_plain(error, SKIFF_MEMORY);
fail:
	native_release(self);
	return NULL;
}

static const char *native_library(void)
{
	return "skiff " SKIFF_VERSION;
}

const struct skiffi_engine_kind skiffi_native_kind = {"native", native_new, native_library};
