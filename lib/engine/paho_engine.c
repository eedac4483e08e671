/* SPDX-License-Identifier: Apache-2.0 */
/* paho_engine.c: the second engine's life of a connection, on the loop thread.
 *
 * Happy path: open -> the name is looked up (by us: a failure is told as the native engine tells it, and Paho's lock is
 * not held for it) -> a link -> the worker has Paho connect -> UP through the inbox -> messages, outcomes -> disconnect
 * -> Paho has sent DISCONNECT -> DOWN.
 * Failures: Paho's end of an attempt or connection comes through the inbox; paho_cause.c says why, at times after a
 * second look. Deadlines are our timer's: Paho's own come round every three seconds. At a deadline, and when closed at
 * once, the socket is shut down, and DOWN told without waiting for Paho to notice. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "endpoint/resolve.h"
#include "engine/paho_internal.h"
#include <assert.h>
#include <stdio.h>

enum { PAHO_CLOSE_MS = 250 }; /* how long an orderly close may take; it takes Paho some 100 us */

static struct paho_engine *paho_of(struct skiffi_engine *engine)
{
	return (struct paho_engine *)engine;
}

static void paho_lock(const struct paho_engine *self)
{
	pthread_mutex_lock(self->base.config->lock);
}

static void paho_unlock(const struct paho_engine *self)
{
	pthread_mutex_unlock(self->base.config->lock);
}

void skiffi_paho_wake(struct paho_engine *self)
{
	skiffi_loop_post(self->base.config->loop, &self->wake);
}

/* ---- deadlines ---- */

static int64_t paho_after_ms(int64_t start_us, int64_t ms)
{
	return ms < 0 ? SKIFFI_NEVER : start_us + ms * 1000;
}

static int64_t paho_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Where the attempt is, as far as can be seen from here. */
struct paho_progress {
	bool connected;
	int64_t greeting_us;
	bool handshake_done;
};

static struct paho_progress paho_progress(struct paho_link *link)
{
	struct paho_progress progress;
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	pthread_mutex_lock(&link->lock);
	progress.connected = link->fd >= 0 && !getpeername(link->fd, (struct sockaddr *)&peer, &len);
	progress.greeting_us = link->greeting_us;
	progress.handshake_done = link->facts.handshake_done;
	pthread_mutex_unlock(&link->lock);
	return progress;
}

/* TLS and the upgrade begin when Paho has seen that the socket is connected, which cannot be seen from here: their
 * limits count from the end of TCP's. */
static int64_t paho_connecting_deadline(const struct paho_engine *self, const struct paho_progress *progress)
{
	const struct skiff_timeouts *limits = &self->base.config->options->timeouts;
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	if (progress->greeting_us)
		return paho_after_ms(progress->greeting_us, limits->mqtt_ms);
	int64_t deadline = paho_after_ms(self->resolved_us, limits->tcp_ms);
	if (!progress->connected || deadline == SKIFFI_NEVER)
		return deadline;
	if (endpoint->tls)
		deadline = limits->tls_ms < 0 ? SKIFFI_NEVER : paho_after_ms(deadline, limits->tls_ms);
	if (endpoint->kind == SKIFFI_WS && deadline != SKIFFI_NEVER)
		deadline = paho_after_ms(deadline, limits->websocket_ms);
	return endpoint->tls || endpoint->kind == SKIFFI_WS ? deadline : SKIFFI_NEVER;
}

static int64_t paho_deadline(struct paho_engine *self)
{
	if (self->state == PAHO_CLOSING && self->closing_us)
		return paho_after_ms(self->closing_us, PAHO_CLOSE_MS);
	if (self->state != PAHO_RESOLVING && self->state != PAHO_QUIETING && self->state != PAHO_CONNECTING)
		return SKIFFI_NEVER;
	int64_t whole = paho_after_ms(self->started_us, self->base.config->options->timeouts.total_ms);
	if (self->state != PAHO_CONNECTING)
		return whole;
	struct paho_progress progress = paho_progress(self->link);
	return paho_earlier(whole, paho_connecting_deadline(self, &progress));
}

static void paho_on_timer(uv_timer_t *timer);

static void paho_arm(struct paho_engine *self)
{
	int64_t deadline = paho_deadline(self);
	if (!self->timer_inited) {
		uv_timer_init(&self->base.config->loop->uv, &self->timer);
		self->timer.data = self;
		self->timer_inited = true;
	}
	if (deadline == SKIFFI_NEVER) {
		uv_timer_stop(&self->timer);
		return;
	}
	int64_t now = skiffi_now_us();
	uv_update_time(&self->base.config->loop->uv);
	uv_timer_start(&self->timer, paho_on_timer, deadline > now ? (uint64_t)(deadline - now + 999) / 1000 : 0, 0);
}

/* ---- links ---- */

/* The worker destroys it, and it is freed when that is done. */
void skiffi_paho_retire(struct paho_engine *self)
{
	struct paho_link *link = self->link;
	if (!link)
		return;
	skiffi_paho_take_back(self);
	self->link = NULL;
	skiffi_paho_link_cut(link);
	pthread_mutex_lock(&link->lock);
	link->attached = false;
	link->destroy_wanted = true;
	pthread_cond_broadcast(&link->drained);
	pthread_mutex_unlock(&link->lock);
	skiffi_paho_worker_post(link);
}

static void paho_release(struct paho_engine *self);

static void paho_on_timer_closed(uv_handle_t *timer)
{
	struct paho_engine *self = timer->data;
	self->timer_inited = false;
	paho_release(self);
}

/* Nothing of Paho's can call any more. */
static void paho_end_free(struct paho_engine *self)
{
	skiffi_loop_cancel(self->base.config->loop, &self->wake);
	if (self->timer_inited)
		uv_close((uv_handle_t *)&self->timer, paho_on_timer_closed);
	else
		paho_release(self);
}

void skiffi_paho_link_on_gone(struct skiffi_job *job)
{
	struct paho_link *link = (struct paho_link *)((char *)job - offsetof(struct paho_link, gone));
	struct paho_engine *self = link->engine;
	if (link == self->link) { /* its last words are still to be heard */
		link->destroyed = true;
		skiffi_paho_wake(self);
		return;
	}
	skiffi_paho_link_free(link);
	self->links--;
	if (!self->links && self->holds_ws && (self->state == PAHO_IDLE || self->freeing)) {
		skiffi_paho_ws_give();
		self->holds_ws = false;
	}
	if (!self->links && self->state == PAHO_QUIETING) {
		paho_lock(self);
		skiffi_paho_begin(self);
		paho_unlock(self);
	}
	if (!self->links && self->freeing)
		paho_end_free(self);
}

/* ---- the end of an attempt or connection ---- */

/* DOWN follows, behind what is still in the inbox. */
void skiffi_paho_going_down(struct paho_engine *self)
{
	self->state = PAHO_CLOSING;
	self->closing_us = 0;
	self->telling |= PAHO_TELL_GONE | PAHO_TELL_DOWN;
	skiffi_paho_wake(self);
}

/* Ends what is under way at once; what Paho still does about it is nobody's business. Under the client's lock. */
void skiffi_paho_cut(struct paho_engine *self, const struct skiff_error *error)
{
	struct paho_link *link = self->link;
	self->error = *error;
	if (link) {
		pthread_mutex_lock(&link->lock);
		link->connect_wanted = false;
		pthread_mutex_unlock(&link->lock);
		skiffi_paho_link_cut(link);
	}
	skiffi_paho_going_down(self);
}

static void paho_abort(struct paho_engine *self, const struct skiff_error *error)
{
	if (self->resolve)
		skiffi_resolve_cancel(self->resolve);
	self->resolve = NULL;
	paho_lock(self);
	skiffi_paho_cut(self, error);
	paho_unlock(self);
	paho_arm(self);
}

static void paho_timed_out(struct paho_engine *self, int64_t now)
{
	const struct skiff_timeouts *limits = &self->base.config->options->timeouts;
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	struct paho_progress progress = {0};
	struct skiff_error error;
	bool whole = limits->total_ms >= 0 && now >= paho_after_ms(self->started_us, limits->total_ms);
	if (self->link)
		progress = paho_progress(self->link);
	/* where nothing comes between the two, Paho has not yet seen that TCP is through */
	bool upgrade = endpoint->tls || endpoint->kind == SKIFFI_WS;
	struct skiff_phases phases = {.dns_us = self->state == PAHO_RESOLVING ? -1 : 0,
		.tcp_us = progress.connected && upgrade ? 0 : -1,
		.tls_us = progress.handshake_done ? 0 : -1,
		.websocket_us = -1};
	int limit_ms = whole                                ? limits->total_ms
		       : progress.greeting_us               ? limits->mqtt_ms
		       : !progress.connected                ? limits->tcp_ms
		       : phases.tls_us < 0 && endpoint->tls ? limits->tls_ms
							    : limits->websocket_ms;
	if (progress.greeting_us)
		skiffi_attempt_unanswered(&error, endpoint, limit_ms);
	else
		skiffi_attempt_late(&error, endpoint, NULL, &phases, limit_ms);
	paho_abort(self, &error);
}

static void paho_on_timer(uv_timer_t *timer)
{
	struct paho_engine *self = timer->data;
	int64_t now = skiffi_now_us();
	if (now < paho_deadline(self))
		paho_arm(self);
	else if (self->state == PAHO_CLOSING)
		paho_abort(self, &(struct skiff_error){SKIFF_CLOSED, 0, "disconnected by this client"});
	else if (self->state != PAHO_IDLE)
		paho_timed_out(self, now);
}

/* ---- the beginning ---- */

/* Under the client's lock. */
static void paho_connect_link(struct paho_engine *self)
{
	self->state = PAHO_CONNECTING;
	if (self->store)
		skiffi_paho_resume(self);
	pthread_mutex_lock(&self->link->lock);
	self->link->connect_wanted = true;
	pthread_mutex_unlock(&self->link->lock);
	skiffi_paho_worker_post(self->link);
	skiffi_paho_wake(self); /* which arms the timer */
}

/* Under the client's lock. A WebSocket waits until Paho has forgotten the one before. */
void skiffi_paho_begin(struct paho_engine *self)
{
	assert(!self->link);
	if (self->links && self->base.config->endpoint->kind == SKIFFI_WS) {
		self->state = PAHO_QUIETING;
		return;
	}
	self->link = skiffi_paho_link_new(self);
	if (self->link) {
		paho_connect_link(self);
	} else {
		skiffi_fail_plain(&self->error, SKIFF_MEMORY);
		skiffi_paho_going_down(self);
	}
}

static void paho_on_resolved(void *user, const struct skiffi_addresses *addresses, const struct skiff_error *error)
{
	struct paho_engine *self = user;
	(void)addresses; /* Paho looks up the name itself, and takes the first address of IPv4 */
	self->resolve = NULL;
	self->resolved_us = skiffi_now_us();
	paho_lock(self);
	if (error) {
		self->error = *error;
		skiffi_paho_going_down(self);
	} else {
		if (!self->base.config->endpoint->ip_literal)
			self->seen.phases.dns_us = self->resolved_us - self->started_us;
		skiffi_paho_begin(self);
	}
	paho_unlock(self);
	paho_arm(self);
}

static bool paho_take_ws(struct paho_engine *self)
{
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	if (endpoint->kind != SKIFFI_WS || self->holds_ws)
		return true;
	self->holds_ws = skiffi_paho_ws_take();
	if (!self->holds_ws)
		skiffi_fail(&self->error, SKIFF_AGAIN, 0,
			"'%s': another WebSocket connection of this process is on the engine 'paho', whose library "
			"holds the "
			"state of one only; end that one, or choose the engine native",
			endpoint->url);
	return self->holds_ws;
}

static void paho_open(struct skiffi_engine *engine)
{
	struct paho_engine *self = paho_of(engine);
	const struct skiff_options *options = engine->config->options;
	assert(self->state == PAHO_IDLE);
	paho_lock(self);
	if (options->version == SKIFF_MQTT_AUTO && !self->settled)
		self->version = SKIFFI_V5;
	self->fresh |= !options->resume_session;
	memset(&self->seen, 0, sizeof self->seen);
	self->seen.phases = (struct skiff_phases){-1, -1, -1, -1, -1, -1, -1};
	self->seen.reason = -1;
	self->error = (struct skiff_error){0};
	self->ending = false;
	self->started_us = skiffi_now_us();
	self->resolved_us = self->up_us = self->closing_us = 0;
	self->state = PAHO_RESOLVING;
	struct skiffi_resolve_wish wish = {.timeout_ms = options->timeouts.resolve_ms};
	bool ok = paho_take_ws(self);
	if (ok && !(self->resolve = skiffi_resolve_start(
			    engine->config->loop, engine->config->endpoint, &wish, paho_on_resolved, self))) {
		skiffi_fail_plain(&self->error, SKIFF_MEMORY);
		ok = false;
	}
	if (!ok)
		skiffi_paho_going_down(self);
	paho_unlock(self);
	paho_arm(self);
}

static void paho_on_wake(struct skiffi_job *job)
{
	struct paho_engine *self = (struct paho_engine *)((char *)job - offsetof(struct paho_engine, wake));
	if (self->freeing)
		return;
	if (self->look_wanted) {
		self->look_wanted = false;
		if (!skiffi_paho_look_start(self))
			skiffi_paho_looked(self, NULL, NULL);
	}
	self->base.config->notify(self->base.config->user);
	paho_arm(self);
}

void skiffi_paho_looked(
	struct paho_engine *self, const struct skiff_error *finding, const struct skiff_connection *seen)
{
	paho_lock(self);
	if (finding)
		self->error = *finding;
	if (seen && !*self->seen.address)
		memcpy(self->seen.address, seen->address, sizeof self->seen.address);
	if (self->state == PAHO_LOOKING)
		skiffi_paho_going_down(self);
	paho_unlock(self);
}

/* ---- operations ---- */

static void paho_close(struct skiffi_engine *engine, bool abort)
{
	struct paho_engine *self = paho_of(engine);
	struct skiff_error error;
	skiffi_fail(&error, SKIFF_CLOSED, 0,
		self->ending && !abort ? "disconnected by this client" : "closed by this client");
	if (self->state == PAHO_IDLE || (self->telling & PAHO_TELL_DOWN))
		return;
	if (self->state == PAHO_LOOKING) {
		self->look_wanted = false;
		if (self->look)
			skiffi_paho_look_cancel(self);
		else
			skiffi_paho_looked(self, NULL, NULL);
		return;
	}
	if (abort || self->state != PAHO_UP || !self->ending) {
		paho_abort(self, &error);
		return;
	}
	paho_lock(self);
	self->error = error;
	self->state = PAHO_CLOSING;
	self->closing_us = skiffi_now_us();
	pthread_mutex_lock(&self->link->lock);
	self->link->ending_now = true;
	pthread_mutex_unlock(&self->link->lock);
	paho_unlock(self);
	skiffi_paho_worker_post(self->link);
	paho_arm(self);
}

static void paho_disconnect(struct skiffi_engine *engine, uint8_t reason, const struct skiff_properties *properties)
{
	struct paho_engine *self = paho_of(engine);
	struct paho_link *link = self->link;
	if (self->state != PAHO_UP)
		return;
	self->ending = true;
	uint8_t *encoded = NULL;
	size_t len = 0;
	if (properties && self->version == SKIFFI_V5 &&
		(encoded = skiffi_malloc(skiffi_paho_properties_room(properties))))
		len = (size_t)(skiffi_paho_properties_write(encoded, properties) - encoded);
	pthread_mutex_lock(&link->lock);
	link->ending = true;
	link->ending_reason = reason;
	skiffi_free((void *)link->ending_properties.data);
	link->ending_properties = (struct skiff_bytes){encoded, len};
	pthread_mutex_unlock(&link->lock);
	self->packets_out++;
	atomic_store(&self->flush_wanted, true);
}

static void paho_forget(struct skiffi_engine *engine)
{
	struct paho_engine *self = paho_of(engine);
	assert(!self->link);
	skiffi_paho_store_clear(self->store);
	self->held = false;
	self->fresh = true;
	if (self->inflight)
		self->telling |= PAHO_TELL_LOST;
}

static enum skiff_code paho_publish(struct skiffi_engine *engine, const struct skiff_message *message,
	struct skiffi_kept *kept, void *op, struct skiff_error *error)
{
	enum skiff_code code = skiffi_paho_publish(engine, message, kept, op, error);
	if (!code)
		atomic_store(&paho_of(engine)->flush_wanted, true);
	return code;
}

static enum skiff_code paho_subscribe(struct skiffi_engine *engine, bool subscribe,
	const struct skiffi_engine_filter *filters, size_t count, const struct skiff_properties *properties, void *op,
	struct skiff_error *error)
{
	enum skiff_code code = skiffi_paho_subscribe(engine, subscribe, filters, count, properties, op, error);
	if (!code)
		atomic_store(&paho_of(engine)->flush_wanted, true);
	return code;
}

static void paho_flush(struct skiffi_engine *engine)
{
	struct paho_engine *self = paho_of(engine);
	if (!atomic_exchange(&self->flush_wanted, false))
		return;
	paho_lock(self);
	if (self->link)
		skiffi_paho_worker_post(self->link);
	paho_unlock(self);
}

static void paho_wants_room(struct skiffi_engine *engine)
{
	atomic_store(&paho_of(engine)->room_wanted, true);
}

static struct skiffi_kept *paho_keep(struct skiffi_engine *engine, const struct skiff_message *message)
{
	return skiffi_kept_new(&paho_of(engine)->pool, message);
}

static void paho_unkeep(struct skiffi_engine *engine, struct skiffi_kept *kept)
{
	skiffi_kept_unref(&paho_of(engine)->pool, kept);
}

static struct skiffi_engine_load paho_load(const struct skiffi_engine *engine)
{
	const struct paho_engine *self = (const struct paho_engine *)engine;
	return (struct skiffi_engine_load){.inflight = self->inflight,
		.inflight_bytes = self->inflight_bytes,
		.unanswered = self->unanswered,
		.unsent_bytes = self->link ? atomic_load(&self->link->unsent_bytes) : 0};
}

static void paho_info(const struct skiffi_engine *engine, struct skiff_connection *connection)
{
	*connection = ((const struct paho_engine *)engine)->seen;
	snprintf(connection->url, sizeof connection->url, "%s", engine->config->endpoint->url);
}

static void paho_statistics(const struct skiffi_engine *engine, struct skiff_statistics *statistics)
{
	const struct paho_engine *self = (const struct paho_engine *)engine;
	statistics->messages_out += self->messages_out;
	statistics->messages_in += self->messages_in;
	statistics->packets_out += self->packets_out;
	statistics->packets_in += self->packets_in;
	statistics->bytes_out += self->bytes_out;
	statistics->bytes_in += self->bytes_in;
	statistics->inflight += self->inflight;
}

static struct skiff_error paho_error(const struct skiffi_engine *engine)
{
	return ((const struct paho_engine *)engine)->error;
}

/* ---- life ---- */

static void paho_release(struct paho_engine *self)
{
	void (*freed)(void *user) = self->freed;
	void *user = self->freed_user;
	skiffi_paho_return_lent(self);
	skiffi_paho_flight_release(self);
	skiffi_kept_pool_release(&self->pool);
	skiffi_paho_options_release(self);
	if (self->holds_ws)
		skiffi_paho_ws_give();
	skiffi_free(self);
	if (freed)
		freed(user);
}

static void paho_free(struct skiffi_engine *engine, void (*freed)(void *user), void *user)
{
	struct paho_engine *self = paho_of(engine);
	assert(self->state == PAHO_IDLE);
	self->freed = freed;
	self->freed_user = user;
	paho_lock(self);
	self->freeing = true;
	skiffi_paho_retire(self);
	paho_unlock(self);
	if (!self->links)
		paho_end_free(self);
}

static const struct skiffi_engine_ops paho_ops = {
	.name = "paho",
	.open = paho_open,
	.close = paho_close,
	.pull = skiffi_paho_pull,
	.publish = paho_publish,
	.subscribe = paho_subscribe,
	.disconnect = paho_disconnect,
	.forget = paho_forget,
	.flush = paho_flush,
	.wants_room = paho_wants_room,
	.keep = paho_keep,
	.unkeep = paho_unkeep,
	.load = paho_load,
	.info = paho_info,
	.statistics = paho_statistics,
	.error = paho_error,
	.free = paho_free,
};

static struct skiffi_engine *paho_new(const struct skiffi_engine_config *config, struct skiff_error *error)
{
	struct paho_engine *self = skiffi_calloc(1, sizeof *self);
	if (!self) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	self->base = (struct skiffi_engine){&paho_ops, config};
	self->wake.run = paho_on_wake;
	self->version = skiffi_attempt_version(config->options);
	self->seen.phases = (struct skiff_phases){-1, -1, -1, -1, -1, -1, -1};
	self->seen.reason = -1;
	if (skiffi_paho_options(self, error) && skiffi_paho_worker_start(error))
		return &self->base;
	paho_release(self);
	return NULL;
}

/* ---- which library ---- */

static char paho_words[64];

static void paho_read_version(void)
{
	const char *version = "";
	for (MQTTAsync_nameValue *info = MQTTAsync_getVersionInfo(); info && info->name; info++)
		if (!strcmp(info->name, "Version"))
			version = info->value;
	snprintf(paho_words, sizeof paho_words, "Eclipse Paho MQTT C %s", version);
}

static const char *paho_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, paho_read_version);
	return paho_words;
}

const struct skiffi_engine_kind skiffi_paho_kind = {"paho", paho_new, paho_library};
