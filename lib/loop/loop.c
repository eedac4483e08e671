/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c: threads, mailboxes, turns, ends.
 *
 * Happy path: the first reference starts the thread; it takes its turn, in which libuv calls what is due, and sleeps
 * outside it, on libuv's own descriptor, until something is. Jobs are linked into a list under a lock and one uv_async
 * wakes the loop. A thread whose last user is gone lingers, so that a program that comes and goes does not pay for a
 * thread each time; then it closes and frees what is its own, and ends.
 * Ended threads are joined by the next who needs their place, or at the end of the process, which ends lingering ones
 * as well. Nothing in a loop blocks, so that this takes no time. After fork the child starts anew.
 *
 * Failure: no memory or no thread gives NULL from skiffi_loop_ref, and the next caller tries anew. */
#include "loop/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "loop/handles.h"
#include <assert.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum {
	LOOP_LINGER_MS = 1000,
	LOOP_LEASE_US = 2000, /* how long the thread keeps out of the way of one who served, and may be back soon */
	LOOP_NAP_US = 500,    /* how often it looks */
	LOOP_ROUNDS = 4,
	LOOP_PLACES = 2 * SKIFFI_LOOPS_MAX,
};

/* NONE -> RUNNING (started) -> ENDING (lingered long enough, or the process ends) -> JOINING (its end is waited for)
 * -> NONE; any but NONE -> LOST by a fork. */
enum loop_fate { LOOP_NONE, LOOP_RUNNING, LOOP_ENDING, LOOP_JOINING, LOOP_LOST };

struct loop_thread {
	struct skiffi_loop loop; /* first: the public part */
	pthread_t thread;
	atomic_size_t users; /* changed under `lock` */
	uv_async_t wake;
	uv_timer_t linger, patience; /* patience: the end of a server's sleep */
	pthread_mutex_t turn;        /* whoever has it is the loop's thread */
	bool asleep;         /* the thread is outside its turn, until `due_ms` if nothing happens; guarded by `turn` */
	uint64_t due_ms;     /* in the loop's time; UINT64_MAX: never */
	bool closing;        /* the loop's own handles are being closed; guarded by `turn` */
	atomic_bool calls;   /* the user's functions are to be called, which is for the thread alone */
	atomic_bool prompt;  /* they may be called by who serves, and soon by the thread when nobody does */
	atomic_bool serving; /* some other thread is in skiffi_loop_serve */
	atomic_uint serves;  /* how often that was */
	_Atomic(int64_t) leased_us; /* until when the thread waits for the next one */
	atomic_uint sleepers;       /* threads that wait for what the loop does without serving */
	atomic_bool dozing;         /* the thread sleeps until it is called, however long that is */
	atomic_bool napping;        /* the thread sleeps in `called` */
	pthread_cond_t called;
	pthread_mutex_t lock; /* guards what follows */
	struct skiffi_job *first, *last;
	size_t count;
	enum loop_fate fate;
};

/* Places are used again but never freed, so that one who still waits for a token of a loop that has ended meets no
 * foreign memory. A place without a thread is NONE. Under the registry's lock threads are chosen and started; a
 * place's own lock is taken inside it. */
static pthread_mutex_t loop_registry = PTHREAD_MUTEX_INITIALIZER;
static struct loop_thread loop_places[LOOP_PLACES];
static size_t loop_made; /* of them, that were ever used; the others are untouched memory */
static unsigned loop_spread = 1;
static pthread_once_t loop_once = PTHREAD_ONCE_INIT;
static atomic_bool loop_ready; /* there are places */

static _Thread_local struct loop_thread *loop_entered; /* whose turn this thread has */

static struct loop_thread *loop_of(struct skiffi_loop *loop)
{
	return (struct loop_thread *)loop;
}

/* ---- jobs ---- */

/* The next job, unmarked before it runs, so that it may be posted again, or its object freed, from inside. */
static struct skiffi_job *loop_pop(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	struct skiffi_job *job = self->first;
	if (job) {
		self->first = job->next;
		if (!self->first)
			self->last = NULL;
		job->next = NULL;
		job->posted = false;
		self->count--;
	}
	pthread_mutex_unlock(&self->lock);
	return job;
}

/* Those that wait now, and a few rounds of what they post themselves; then sockets get their turn. No more of them once
 * `may` (NULL: always) says so. */
static void loop_run_jobs(struct loop_thread *self, bool (*may)(struct loop_thread *self))
{
	for (int round = 0; round < LOOP_ROUNDS; round++) {
		pthread_mutex_lock(&self->lock);
		size_t count = self->count;
		pthread_mutex_unlock(&self->lock);
		struct skiffi_job *job;
		if (!count)
			return;
		uv_update_time(&self->loop.uv); /* what they start must not count the sleep before them */
		while (count-- && (!may || may(self)) && (job = loop_pop(self)))
			job->run(job);
	}
}

static void loop_on_linger(uv_timer_t *linger);

static void loop_close(struct loop_thread *self)
{
	if (self->closing)
		return;
	self->closing = true;
	if (self->loop.ws_context_free)
		self->loop.ws_context_free(&self->loop);
	skiffi_handles_end(&self->loop);
	uv_close((uv_handle_t *)&self->wake, NULL);
	uv_close((uv_handle_t *)&self->linger, NULL);
	uv_close((uv_handle_t *)&self->patience, NULL);
}

/* In the turn. */
static void loop_linger(struct loop_thread *self)
{
	uv_update_time(&self->loop.uv);
	uv_timer_start(&self->linger, loop_on_linger, LOOP_LINGER_MS, 0);
}

/* Jobs need no more than the turn that this wake leads to. */
static void loop_on_wake(uv_async_t *wake)
{
	struct loop_thread *self = wake->data;
	pthread_mutex_lock(&self->lock);
	bool ending = self->fate != LOOP_RUNNING && !self->first;
	pthread_mutex_unlock(&self->lock);
	if (ending)
		loop_close(self);
	else if (!atomic_load(&self->users) && !uv_is_active((uv_handle_t *)&self->linger))
		loop_linger(self);
}

static bool loop_naps(struct loop_thread *self)
{
	return atomic_load(&self->napping) && !atomic_load(&self->serving);
}

void skiffi_loop_post(struct skiffi_loop *loop, struct skiffi_job *job)
{
	struct loop_thread *self = loop_of(loop);
	pthread_mutex_lock(&self->lock);
	if (!job->posted) {
		job->posted = true;
		job->next = NULL;
		if (self->last)
			self->last->next = job;
		else
			self->first = job;
		self->last = job;
		self->count++;
	}
	pthread_mutex_unlock(&self->lock);
	/* Outside the lock, or whoever is woken would meet it. The end of a turn looks by itself, and so does who
	 * served just now when he waits for what the job does, or else the thread after its nap. */
	if (!skiffi_loop_here(loop) && !loop_naps(loop_of(loop)))
		uv_async_send(&self->wake);
}

static void loop_call(struct loop_thread *self);

void skiffi_loop_post_now(struct skiffi_loop *loop, struct skiffi_job *job)
{
	struct loop_thread *self = loop_of(loop);
	skiffi_loop_post(loop, job);
	if (loop_naps(self) && atomic_exchange(&self->leased_us, 0))
		loop_call(self);
}

bool skiffi_loop_own(const struct skiffi_loop *loop)
{
	return pthread_equal(((const struct loop_thread *)loop)->thread, pthread_self());
}

void skiffi_loop_cancel(struct skiffi_loop *loop, struct skiffi_job *job)
{
	struct loop_thread *self = loop_of(loop);
	pthread_mutex_lock(&self->lock);
	if (job->posted) {
		struct skiffi_job **link = &self->first, *before = NULL;
		while (*link != job) {
			before = *link;
			link = &before->next;
		}
		*link = job->next;
		if (self->last == job)
			self->last = before;
		self->count--;
		job->posted = false;
	}
	pthread_mutex_unlock(&self->lock);
}

/* ---- turns ---- */

/* What there is to do, or with UV_RUN_ONCE what comes next. Result: whether the loop goes on. */
static bool loop_run(struct loop_thread *self, uv_run_mode mode)
{
	loop_run_jobs(self, NULL);
	return uv_run(&self->loop.uv, mode);
}

static bool loop_has_jobs(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	bool some = self->first;
	pthread_mutex_unlock(&self->lock);
	return some;
}

/* When the next turn is due, in the loop's time; 0: at once, UINT64_MAX: when something happens. */
static uint64_t loop_due(struct loop_thread *self)
{
	int timeout_ms = loop_has_jobs(self) ? 0 : uv_backend_timeout(&self->loop.uv);
	if (timeout_ms <= 0)
		return timeout_ms ? UINT64_MAX : 0;
	return uv_now(&self->loop.uv) + (uint64_t)timeout_ms;
}

bool skiffi_loop_enter(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	if (loop_entered || pthread_mutex_trylock(&self->turn))
		return false;
	loop_entered = self;
	uv_update_time(&loop->uv);
	return true;
}

/* As skiffi_loop_enter, waiting for the turn if `waits`; false also when the loop has ended. */
static bool loop_enter_late(struct loop_thread *self, bool waits)
{
	if (waits)
		pthread_mutex_lock(&self->turn);
	else if (pthread_mutex_trylock(&self->turn))
		return false;
	loop_entered = self;
	if (!self->closing)
		return true;
	loop_entered = NULL;
	pthread_mutex_unlock(&self->turn);
	return false;
}

/* What was changed in the turn may be due before the thread would wake. */
void skiffi_loop_leave(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	bool wake = self->asleep && !atomic_load(&self->napping) && loop_due(self) < self->due_ms;
	loop_entered = NULL;
	pthread_mutex_unlock(&self->turn);
	if (wake)
		uv_async_send(&self->wake);
}

bool skiffi_loop_inside(void)
{
	return loop_entered;
}

bool skiffi_loop_here(const struct skiffi_loop *loop)
{
	return loop_entered && &loop_entered->loop == loop;
}

/* ---- turns of those who wait ---- */

static void loop_on_patience(uv_timer_t *patience)
{
	(void)patience; /* that the sleep is over is all */
}

/* Where others sleep the thread does the work, as it would have to be called for them anyway. */
static bool loop_may_sleep(struct loop_thread *self)
{
	return !atomic_load(&self->calls) && !atomic_load(&self->sleepers) && atomic_load(&self->users) == 1;
}

/* One turn: sleeps until something comes, at most until `end_us`. A client that was made meanwhile begins by a job, and
 * so not here. */
static void loop_serve_once(
	struct loop_thread *self, bool (*over)(const void *subject), const void *subject, int64_t end_us)
{
	loop_run_jobs(self, loop_may_sleep);
	if (over(subject))
		return;
	if (end_us < INT64_MAX) {
		int64_t left_ms = (end_us - skiffi_now_us() + 999) / 1000;
		uv_update_time(&self->loop.uv);
		uv_timer_start(&self->patience, loop_on_patience, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
	}
	uv_run(&self->loop.uv, loop_has_jobs(self) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	uv_timer_stop(&self->patience);
}

static void loop_call(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	bool naps = atomic_load(&self->napping);
	pthread_mutex_unlock(&self->lock);
	if (naps)
		pthread_cond_signal(&self->called);
}

static bool loop_serve(
	struct loop_thread *self, bool (*over)(const void *subject), const void *subject, int64_t end_us, bool spins)
{
	while (!over(subject) && skiffi_now_us() < end_us) {
		if (!spins && !loop_may_sleep(self))
			return false;
		if (!loop_enter_late(self, !spins)) {
			sched_yield();
			continue;
		}
		if (spins)
			loop_run(self, UV_RUN_NOWAIT);
		else if (!over(subject) && loop_may_sleep(self))
			loop_serve_once(self, over, subject, end_us);
		skiffi_loop_leave(&self->loop);
	}
	return true;
}

bool skiffi_loop_serve(
	struct skiffi_loop *loop, bool (*over)(const void *subject), const void *subject, int64_t end_us, bool spins)
{
	struct loop_thread *self = loop_of(loop);
	if (!spins && !loop_may_sleep(self)) /* before the thread could go out of the way for nothing */
		return false;
	if (atomic_exchange(&self->serving, true)) {
		while (spins && !over(subject) && skiffi_now_us() < end_us)
			sched_yield();
		return spins;
	}
	atomic_fetch_add(&self->serves, 1);
	bool done = loop_serve(self, over, subject, end_us, spins);
	bool alone = done && !atomic_load(&self->sleepers) && !atomic_load(&self->calls) && !atomic_load(&self->prompt);
	atomic_store(&self->leased_us, alone ? skiffi_now_us() + LOOP_LEASE_US : 0);
	atomic_store(&self->serving, false);
	if (!alone || atomic_load(&self->dozing))
		loop_call(self);
	return done;
}

void skiffi_loop_sleep_begin(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	atomic_fetch_add(&self->sleepers, 1);
	if (!atomic_load(&self->serving) && atomic_exchange(&self->leased_us, 0))
		loop_call(self);
}

void skiffi_loop_sleep_end(struct skiffi_loop *loop)
{
	atomic_fetch_sub(&loop_of(loop)->sleepers, 1);
}

void skiffi_loop_nudge(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	if (!atomic_load(&self->serving) || skiffi_loop_here(loop))
		return;
	pthread_mutex_lock(&self->lock);
	if (self->fate == LOOP_RUNNING)
		uv_async_send(&self->wake);
	pthread_mutex_unlock(&self->lock);
}

void skiffi_loop_calls(struct skiffi_loop *loop, bool in_waits)
{
	struct loop_thread *self = loop_of(loop);
	if (in_waits) {
		atomic_store(&self->prompt, true);
		return;
	}
	if (atomic_exchange(&self->calls, true) || skiffi_loop_here(loop))
		return;
	while (atomic_load(&self->serving) && atomic_load(&self->users) == 1) {
		skiffi_loop_nudge(loop);
		sched_yield();
	}
}

/* Sleeps while others do the work: until one who served is not back in time, or somebody posts a job. Who serves again
 * and again for short times need not wake it each time. Under `lock`. */
static void loop_nap(struct loop_thread *self, bool long_)
{
	int64_t end_us = skiffi_now_us() + LOOP_NAP_US;
	struct timespec end = {(time_t)(end_us / 1000000), (long)(end_us % 1000000) * 1000};
	atomic_store(&self->napping, true);
	atomic_store(&self->dozing, long_);
	if (long_ && atomic_load(&self->serving))
		pthread_cond_wait(&self->called, &self->lock);
	else
		pthread_cond_timedwait(&self->called, &self->lock, &end);
	atomic_store(&self->napping, false);
	atomic_store(&self->dozing, false);
}

static void loop_yield(struct loop_thread *self)
{
	if (!atomic_load(&self->serving) && !atomic_load(&self->leased_us))
		return;
	unsigned before = atomic_load(&self->serves) - 1, serves;
	pthread_mutex_lock(&self->lock);
	while (atomic_load(&self->serving) || (!self->first && atomic_load(&self->leased_us) > skiffi_now_us())) {
		serves = atomic_load(&self->serves);
		loop_nap(self, serves == before);
		before = serves;
	}
	pthread_mutex_unlock(&self->lock);
	if (!atomic_load(&self->serving))
		atomic_store(&self->leased_us, 0);
}

/* One turn of the thread's own; `*timeout_ms`: how long nothing will be due, -1: ever. False: it was the last. */
static bool loop_turn(struct loop_thread *self, int *timeout_ms)
{
	pthread_mutex_lock(&self->turn);
	self->asleep = false;
	loop_entered = self;
	bool alive = loop_run(self, UV_RUN_NOWAIT);
	self->due_ms = loop_due(self);
	self->asleep = true;
	if (self->due_ms == UINT64_MAX)
		*timeout_ms = -1;
	else
		*timeout_ms = self->due_ms ? (int)(self->due_ms - uv_now(&self->loop.uv)) : 0;
	loop_entered = NULL;
	pthread_mutex_unlock(&self->turn);
	return alive;
}

/* ---- the thread ---- */

/* The turn of a thread that has ended, or not begun: one who looks for what was here has it for a moment. */
static void loop_take_idle_turn(struct loop_thread *self)
{
	while (pthread_mutex_trylock(&self->turn))
		sched_yield();
}

/* What a loop had that has nothing to do any more. */
static void loop_clear(struct loop_thread *self)
{
	loop_take_idle_turn(self);
	int busy = uv_loop_close(&self->loop.uv);
	assert(!busy);
	(void)busy;
	skiffi_free(self->loop.scratch);
	self->loop.scratch = NULL;
	pthread_mutex_unlock(&self->turn);
}

/* The place may be used again. */
static void loop_give_place(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	self->fate = LOOP_NONE;
	pthread_mutex_unlock(&self->lock);
}

static void *loop_main(void *argument)
{
	struct loop_thread *self = argument;
	struct pollfd poll_fd = {.fd = uv_backend_fd(&self->loop.uv), .events = POLLIN};
	int timeout_ms;
	prctl(PR_SET_NAME, "skiff-io");
	while (loop_turn(self, &timeout_ms)) {
		if (timeout_ms)
			poll(&poll_fd, 1, timeout_ms);
		loop_yield(self);
	}
	loop_clear(self);
	return NULL;
}

/* From now on the thread ends; false: somebody uses it. Inside the lock the wake is still there: it is closed by who
 * reads the fate. */
static bool loop_condemn(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	bool unused = self->fate == LOOP_RUNNING && !atomic_load(&self->users);
	if (unused)
		self->fate = LOOP_ENDING;
	if (unused && !skiffi_loop_here(&self->loop))
		uv_async_send(&self->wake);
	pthread_mutex_unlock(&self->lock);
	return unused;
}

/* Nobody has come back in time; or the end of the process was faster. */
static void loop_on_linger(uv_timer_t *linger)
{
	struct loop_thread *self = linger->data;
	if (loop_condemn(self))
		loop_close(self);
}

static void loop_abandon(struct loop_thread *self)
{
	uv_close((uv_handle_t *)&self->linger, NULL);
	uv_close((uv_handle_t *)&self->patience, NULL);
	if (self->wake.data)
		uv_close((uv_handle_t *)&self->wake, NULL);
	uv_run(&self->loop.uv, UV_RUN_DEFAULT);
	loop_clear(self);
	loop_give_place(self);
}

/* Those whose functions they were are gone. */
static void loop_forget_calls(struct loop_thread *self)
{
	atomic_store(&self->calls, false);
	atomic_store(&self->prompt, false);
}

static void loop_reset(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	self->fate = LOOP_RUNNING;
	pthread_mutex_unlock(&self->lock);
	self->loop.spare_polls = self->loop.spare_timers = NULL;
	self->loop.ws_context = NULL;
	self->loop.ws_context_free = NULL;
	self->wake.data = NULL;
	self->asleep = self->closing = false;
	self->due_ms = UINT64_MAX;
	loop_forget_calls(self);
	atomic_store(&self->leased_us, 0);
}

/* Starts a thread in a place that has none. Under the registry's lock. */
static bool loop_start(struct loop_thread *self)
{
	self->loop.scratch = skiffi_malloc(SKIFFI_LOOP_SCRATCH_BYTES);
	if (!self->loop.scratch || uv_loop_init(&self->loop.uv)) {
		skiffi_free(self->loop.scratch);
		return false;
	}
	loop_take_idle_turn(self);
	loop_reset(self);
	uv_timer_init(&self->loop.uv, &self->linger);
	uv_timer_init(&self->loop.uv, &self->patience);
	self->linger.data = self;
	bool ok = !uv_async_init(&self->loop.uv, &self->wake, loop_on_wake);
	if (ok)
		self->wake.data = self;
	pthread_mutex_unlock(&self->turn);
	ok = ok && skiffi_thread_start(&self->thread, loop_main, self);
	if (!ok)
		loop_abandon(self);
	return ok;
}

/* ---- users ---- */

/* These locks are had over the fork, so that the child, which may make clients of its own, finds none in the hands of
 * a thread that it does not have. The parent's clients are not for it. */
static void loop_before_fork(void)
{
	pthread_mutex_lock(&loop_registry);
	for (size_t i = 0; i < loop_made; i++)
		pthread_mutex_lock(&loop_places[i].lock);
}

static void loop_after_fork(void)
{
	for (size_t i = 0; i < loop_made; i++)
		pthread_mutex_unlock(&loop_places[i].lock);
	pthread_mutex_unlock(&loop_registry);
}

/* The threads are the parent's: what they had is given up, and the places with it. */
static void loop_after_fork_in_child(void)
{
	for (size_t i = 0; i < loop_made; i++)
		if (loop_places[i].fate != LOOP_NONE)
			loop_places[i].fate = LOOP_LOST;
	loop_entered = NULL;
	loop_after_fork();
}

static void loop_set_up(void)
{
	pthread_atfork(loop_before_fork, loop_after_fork, loop_after_fork_in_child);
	atexit(skiffi_loop_end_unused);
	atomic_store(&loop_ready, true);
}

/* One more place, under the registry's lock; NULL: there are none left. */
static struct loop_thread *loop_make_place(void)
{
	if (loop_made == LOOP_PLACES)
		return NULL;
	struct loop_thread *self = &loop_places[loop_made++];
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&self->turn, NULL);
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->called, &monotonic);
	pthread_condattr_destroy(&monotonic);
	self->closing = true;
	return self;
}

/* Its generator starts all of it. What is registered last is called first. */
static void loop_start_openssl(void)
{
	uint8_t number;
	RAND_bytes(&number, sizeof number);
	atexit(skiffi_loop_end_unused);
}

void skiffi_loop_uses_openssl(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, loop_start_openssl);
}

static enum loop_fate loop_fate_of(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	enum loop_fate fate = self->fate;
	pthread_mutex_unlock(&self->lock);
	return fate;
}

/* The thread with the fewest users, once there are as many as are wanted; a place for another one before that. */
static struct loop_thread *loop_choose(void)
{
	struct loop_thread *best = NULL, *empty = NULL;
	unsigned running = 0;
	for (size_t i = 0; i < loop_made; i++) {
		struct loop_thread *self = &loop_places[i];
		enum loop_fate fate = loop_fate_of(self);
		if ((fate == LOOP_NONE || fate == LOOP_ENDING) && !empty)
			empty = self;
		if (fate != LOOP_RUNNING)
			continue;
		running++;
		if (!best || atomic_load(&self->users) < atomic_load(&best->users))
			best = self;
	}
	if (best && (running >= loop_spread || !atomic_load(&best->users)))
		return best;
	if (!empty)
		empty = loop_make_place();
	return empty ? empty : best;
}

/* False: it has begun to end meanwhile. */
static bool loop_use(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	bool running = self->fate == LOOP_RUNNING;
	if (running && !atomic_fetch_add(&self->users, 1))
		loop_forget_calls(self);
	pthread_mutex_unlock(&self->lock);
	return running;
}

/* Waits for the end of a thread that is ENDING, unless somebody else does. Not under the registry's lock, as the
 * program may have something of its own run at the end of each thread. */
static void loop_join(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	bool ending = self->fate == LOOP_ENDING;
	if (ending)
		self->fate = LOOP_JOINING;
	pthread_mutex_unlock(&self->lock);
	if (!ending)
		return;
	pthread_join(self->thread, NULL);
	loop_give_place(self);
}

/* One that ends is joined first: the next choice may fall on its place. */
static struct loop_thread *loop_obtain(void)
{
	for (;;) {
		pthread_mutex_lock(&loop_registry);
		struct loop_thread *self = loop_choose();
		enum loop_fate fate = self ? loop_fate_of(self) : LOOP_NONE;
		if (self && fate == LOOP_NONE && !loop_start(self))
			self = NULL;
		bool done = !self || (fate != LOOP_ENDING && loop_use(self));
		pthread_mutex_unlock(&loop_registry);
		if (done)
			return self;
		loop_join(self);
	}
}

struct skiffi_loop *skiffi_loop_ref(void)
{
	pthread_once(&loop_once, loop_set_up);
	struct loop_thread *self = loop_obtain();
	if (self)
		skiffi_loop_nudge(&self->loop);
	return self ? &self->loop : NULL;
}

void skiffi_loop_unref(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	pthread_mutex_lock(&self->lock);
	assert(self->users > 0);
	bool last = --self->users == 0;
	/* Under the lock, as without users the thread may end. */
	if (last && skiffi_loop_here(loop))
		loop_linger(self);
	else if (last)
		uv_async_send(&self->wake);
	pthread_mutex_unlock(&self->lock);
}

void skiffi_loop_spread(unsigned count)
{
	pthread_mutex_lock(&loop_registry);
	loop_spread = count;
	pthread_mutex_unlock(&loop_registry);
}

/* ---- the end of the process ---- */

/* Called once more as a destructor, for those whose last user went after the first time. */
__attribute__((destructor)) void skiffi_loop_end_unused(void)
{
	if (!atomic_load(&loop_ready))
		return;
	pthread_mutex_lock(&loop_registry);
	size_t made = loop_made;
	pthread_mutex_unlock(&loop_registry);
	for (size_t i = 0; i < made; i++) {
		struct loop_thread *self = &loop_places[i];
		if (self == loop_entered)
			continue;
		loop_condemn(self);
		loop_join(self);
	}
}
