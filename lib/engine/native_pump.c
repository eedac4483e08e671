/* SPDX-License-Identifier: Apache-2.0 */
/* native_pump.c: bytes between session and transport, in bulk.
 *
 * Out: all there is leaves at once; a lone message never waits for others. When there is no more, the processor is
 * offered once to whoever is filling the output (on one core that is the publisher, which would otherwise have to
 * wake this thread for every message); only then the writer sleeps, and the next to add something wakes it.
 * In: what one read brought is decoded under one hold of the lock, and its acknowledgements leave in one write. */
#include "base/clock.h"
#include "engine/native_internal.h"
#include <sched.h>

enum {
	PUMP_PIECES = 64,
	PUMP_WRITES = 64,
	PUMP_READS = 16,
	PUMP_STREAM_BYTES = 32 * 1024, /* a peer that has sent so much at once is likely to have sent more by now */
	PUMP_ANSWERS_BYTES = 256 * 1024
};

enum pump_outcome { PUMP_MORE, PUMP_BLOCKED, PUMP_EMPTY };

/* What the client is to hear of. */
struct pump_news {
	bool wrote; /* some bytes left, so that there is more room */
	bool tells; /* the session has events */
};

/* Fetches what waits. Under the lock the decision to sleep cannot miss an addition. */
static bool pump_fetch(struct native_engine *self, bool may_sleep)
{
	pthread_mutex_lock(self->base.config->lock);
	skiffi_session_give_back(self->session, &self->writing);
	bool some = skiffi_session_take_output(self->session, &self->writing);
	if (!some && may_sleep)
		atomic_store(&self->writer_sleeps, true);
	pthread_mutex_unlock(self->base.config->lock);
	return some;
}

static bool pump_sent(struct native_engine *self, size_t len)
{
	skiffi_output_take(&self->writing, len);
	pthread_mutex_lock(self->base.config->lock);
	self->transport->ops->traffic(self->transport, &self->wire_out, &self->wire_in);
	skiffi_session_sent(self->session, len, skiffi_now_us());
	bool tells = skiffi_session_tells(self->session);
	pthread_mutex_unlock(self->base.config->lock);
	return tells;
}

static enum pump_outcome pump_write(struct native_engine *self, struct pump_news *news)
{
	struct iovec pieces[PUMP_PIECES];
	size_t count = skiffi_output_pieces(&self->writing, pieces, PUMP_PIECES), len = 0;
	for (size_t i = 0; i < count; i++)
		len += pieces[i].iov_len;
	ptrdiff_t taken = self->transport->ops->send(self->transport, pieces, count);
	if (taken > 0) {
		news->tells |= pump_sent(self, (size_t)taken);
		news->wrote = true;
	}
	return taken == (ptrdiff_t)len ? PUMP_MORE : PUMP_BLOCKED;
}

static enum pump_outcome pump_all(struct native_engine *self, bool patient, struct pump_news *news)
{
	bool wrote = false;
	for (unsigned i = 0; i < PUMP_WRITES; i++) {
		if (!self->writing.len) {
			if (pump_fetch(self, !wrote || !patient)) {
				wrote = false;
			} else if (wrote && patient) {
				wrote = false;
				sched_yield();
				continue;
			} else {
				return PUMP_EMPTY;
			}
		}
		if (pump_write(self, news) == PUMP_BLOCKED)
			return PUMP_BLOCKED;
		wrote = true;
	}
	return PUMP_MORE;
}

/* What waits for the output to be empty: a DISCONNECT that was to be the last, the last words of a fault. */
static void pump_drained(struct native_engine *self)
{
	struct skiff_error error = {SKIFF_CLOSED, 0, "disconnected by this client"};
	if (!self->fault && !atomic_load(&self->ending))
		return;
	if (self->fault) {
		pthread_mutex_lock(self->base.config->lock);
		error = skiffi_session_error(self->session);
		pthread_mutex_unlock(self->base.config->lock);
	}
	skiffi_native_end(self, &error, false);
}

/* A peer that sends but does not read would make us heap up acknowledgements for it: then nothing more is read. */
static void pump_listen(struct native_engine *self, enum pump_outcome outcome)
{
	if (outcome != PUMP_BLOCKED && !self->deaf)
		return;
	pthread_mutex_lock(self->base.config->lock);
	bool deaf = outcome == PUMP_BLOCKED && skiffi_session_answers_bytes(self->session) > PUMP_ANSWERS_BYTES;
	pthread_mutex_unlock(self->base.config->lock);
	if (deaf != self->deaf && self->state != NATIVE_CLOSING)
		self->transport->ops->reading(self->transport, !deaf);
	self->deaf = deaf;
}

/* Result: whether the client is to be told. */
static bool pump_out(struct native_engine *self, bool patient)
{
	struct pump_news news = {0};
	if (self->state != NATIVE_GREETING && self->state != NATIVE_UP)
		return false;
	enum pump_outcome outcome = pump_all(self, patient, &news);
	if (outcome == PUMP_MORE)
		skiffi_loop_post(self->base.config->loop, &self->wake);
	pump_listen(self, outcome);
	if (outcome == PUMP_EMPTY || (outcome == PUMP_BLOCKED && self->fault))
		pump_drained(self);
	/* Where nothing left there is no room to tell of, and whoever wants it would ask again at once. */
	return (news.wrote && atomic_exchange(&self->room_wanted, false)) || news.tells;
}

void skiffi_native_pump_out(struct native_engine *self)
{
	bool patient = self->state == NATIVE_UP && !atomic_load(&self->ending);
	if (pump_out(self, patient && skiffi_loop_own(self->base.config->loop)))
		skiffi_native_notify(self);
}

void skiffi_native_pump_here(struct native_engine *self)
{
	if (!pump_out(self, false))
		return;
	self->news = true;
	skiffi_loop_post(self->base.config->loop, &self->wake);
}

/* One read and all that it brought; false: there is no more now, or no more at all. */
static bool pump_read(struct native_engine *self)
{
	struct skiffi_loop *loop = self->base.config->loop;
	size_t asked = SKIFFI_LOOP_SCRATCH_BYTES;
	uint8_t *room = skiffi_session_room(self->session, &asked);
	ptrdiff_t len = self->transport->ops->recv(self->transport, room ? room : loop->scratch, asked);
	if (len <= 0)
		return false;
	bool whole = true;
	pthread_mutex_lock(self->base.config->lock);
	self->transport->ops->traffic(self->transport, &self->wire_out, &self->wire_in);
	if (room)
		whole = skiffi_session_filled(self->session, (size_t)len, skiffi_now_us());
	else
		skiffi_session_input(self->session, loop->scratch, (size_t)len);
	pthread_mutex_unlock(self->base.config->lock);
	if (whole) {
		self->pumping = true;
		skiffi_native_notify(self);
		self->pumping = false;
		skiffi_native_pump_out(self);
	}
	return ((size_t)len == asked || len >= PUMP_STREAM_BYTES) && !self->deaf &&
	       (self->state == NATIVE_GREETING || self->state == NATIVE_UP);
}

void skiffi_native_pump_in(struct native_engine *self)
{
	for (unsigned i = 0; i < PUMP_READS; i++)
		if (!pump_read(self))
			return;
}
