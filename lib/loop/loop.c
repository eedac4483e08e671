/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c: threads, mailboxes, turns, ends.
 *
 * Happy path: the first reference starts the thread; it takes its turn, in which libuv calls what is due, and sleeps
 * outside it, on libuv's own descriptor, until something is. Jobs are linked into a list under a lock and one uv_async
 * wakes the loop. A thread whose last user is gone lingers, so that a program that comes and goes does not pay for a
 * thread each time; then it closes what is its own and frees itself.
 * At the end of the process lingering threads are joined, unless nothing is left of them but lookups that nobody waits
 * for any more: the system's resolver cannot be hurried, and must hold up nobody. After fork the child starts anew.
 * Failure: no memory or no thread gives NULL from skiffi_loop_ref, and the next caller tries anew. */
#include "loop/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	LOOP_LINGER_MS = 1000,
	LOOP_LEASE_US = 200, /* how long after skiffi_loop_serve_end its thread may come back */
};

/* RUNNING -> ALONE (lingered long enough: frees itself); RUNNING -> ENDING (the process ends) -> DONE (to be joined) or
 * ALONE. */
enum loop_fate { LOOP_RUNNING, LOOP_ENDING, LOOP_DONE, LOOP_ALONE };

struct loop_thread {
	struct skiffi_loop loop; /* first: the public part */
	pthread_t thread;
	atomic_size_t users; /* changed under the registry's lock */
	uv_async_t wake;
	uv_timer_t linger;
	pthread_mutex_t turn; /* whoever has it is the loop's thread */
	bool asleep;          /* the thread is outside its turn, until `due_ms` if nothing happens; guarded by `turn` */
	uint64_t due_ms;      /* in the loop's time; UINT64_MAX: never */
	bool closing;         /* the loop's own handles are being closed; guarded by `turn` */
	atomic_uint servers;  /* threads between serve_begin and serve_end */
	_Atomic(int64_t) leased_us; /* until when the last of them is waited for */
	pthread_mutex_t lock;       /* guards the jobs and `fate` */
	struct skiffi_job *first, *last;
	size_t count;
	enum loop_fate fate;
	bool left;              /* whoever waited for the fate has read it */
	pthread_cond_t decided; /* `fate` or `left` changed */
};

static pthread_mutex_t loop_registry = PTHREAD_MUTEX_INITIALIZER;
static struct loop_thread *loop_threads[SKIFFI_LOOPS_MAX]; /* guarded by the lock above */
static unsigned loop_spread = 1;
static pthread_once_t loop_once = PTHREAD_ONCE_INIT;

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

/* Those that wait now; what they post themselves comes with the next turn, so that sockets get theirs. */
static void loop_run_jobs(struct loop_thread *self)
{
	pthread_mutex_lock(&self->lock);
	size_t count = self->count;
	pthread_mutex_unlock(&self->lock);
	struct skiffi_job *job;
	while (count-- && (job = loop_pop(self)))
		job->run(job);
}

static void loop_on_linger(uv_timer_t *linger);

static void loop_close(struct loop_thread *self)
{
	if (self->closing)
		return;
	self->closing = true;
	if (self->loop.ws_context_free)
		self->loop.ws_context_free(&self->loop);
	uv_close((uv_handle_t *)&self->wake, NULL);
	uv_close((uv_handle_t *)&self->linger, NULL);
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
	/* Outside the lock, or whoever is woken would meet it. The end of a turn looks by itself. */
	if (!skiffi_loop_here(loop))
		uv_async_send(&self->wake);
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

/* All that can be done now. Result: whether the loop goes on. */
static bool loop_run(struct loop_thread *self)
{
	loop_run_jobs(self);
	return uv_run(&self->loop.uv, UV_RUN_NOWAIT);
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
	return true;
}

/* What was changed in the turn may be due before the thread would wake. */
void skiffi_loop_leave(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	bool wake = self->asleep && loop_due(self) < self->due_ms;
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

void skiffi_loop_serve_begin(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	bool first = !atomic_fetch_add(&self->servers, 1);
	if (first && atomic_load(&self->leased_us) < skiffi_now_us())
		uv_async_send(&self->wake); /* the thread learns of it, and goes out of the way */
}

bool skiffi_loop_serve(struct skiffi_loop *loop)
{
	if (!skiffi_loop_enter(loop))
		return false;
	loop_run(loop_of(loop));
	skiffi_loop_leave(loop);
	return true;
}

void skiffi_loop_serve_end(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	atomic_store(&self->leased_us, skiffi_now_us() + LOOP_LEASE_US);
	atomic_fetch_sub(&self->servers, 1);
}

/* Stays out of the way as long as others do the work. */
static void loop_yield(struct loop_thread *self)
{
	struct timespec nap = {.tv_nsec = LOOP_LEASE_US * 1000};
	while (atomic_load(&self->servers) || atomic_load(&self->leased_us) > skiffi_now_us())
		nanosleep(&nap, NULL);
}

static void loop_count_handle(uv_handle_t *handle, void *count)
{
	(void)handle;
	(*(size_t *)count)++;
}

static bool loop_has_handles(struct loop_thread *self)
{
	size_t count = 0;
	uv_walk(&self->loop.uv, loop_count_handle, &count);
	return count > 0;
}

enum loop_state { LOOP_GOES_ON, LOOP_OVER, LOOP_LOOKS_UP /* nothing is left but lookups */ };

/* One turn of the thread's own; `*timeout_ms`: how long nothing will be due, -1: ever. */
static enum loop_state loop_turn(struct loop_thread *self, int *timeout_ms)
{
	pthread_mutex_lock(&self->turn);
	self->asleep = false;
	loop_entered = self;
	bool alive = loop_run(self);
	self->due_ms = loop_due(self);
	self->asleep = true;
	if (self->due_ms == UINT64_MAX)
		*timeout_ms = -1;
	else
		*timeout_ms = self->due_ms ? (int)(self->due_ms - uv_now(&self->loop.uv)) : 0;
	bool lookups = self->closing && !loop_has_handles(self);
	loop_entered = NULL;
	pthread_mutex_unlock(&self->turn);
	return !alive ? LOOP_OVER : lookups ? LOOP_LOOKS_UP : LOOP_GOES_ON;
}

/* ---- the thread ---- */

static void loop_free(struct loop_thread *self)
{
	int busy = uv_loop_close(&self->loop.uv);
	assert(!busy);
	(void)busy;
	pthread_mutex_destroy(&self->turn);
	pthread_mutex_destroy(&self->lock);
	pthread_cond_destroy(&self->decided);
	skiffi_free(self->loop.scratch);
	skiffi_free(self);
}

/* Settles the fate; true: nobody knows of the thread any more. */
static bool loop_decide(struct loop_thread *self, enum loop_fate fate)
{
	pthread_mutex_lock(&self->lock);
	if (self->fate == LOOP_ENDING)
		self->fate = fate;
	bool alone = self->fate == LOOP_ALONE;
	pthread_cond_broadcast(&self->decided);
	while (alone && !self->left)
		pthread_cond_wait(&self->decided, &self->lock);
	pthread_mutex_unlock(&self->lock);
	return alone;
}

static void *loop_main(void *argument)
{
	struct loop_thread *self = argument;
	struct pollfd poll_fd = {.fd = uv_backend_fd(&self->loop.uv), .events = POLLIN};
	enum loop_state state;
	int timeout_ms;
	while ((state = loop_turn(self, &timeout_ms)) == LOOP_GOES_ON) {
		if (timeout_ms)
			poll(&poll_fd, 1, timeout_ms);
		loop_yield(self);
	}
	if (loop_decide(self, state == LOOP_OVER ? LOOP_DONE : LOOP_ALONE)) {
		uv_run(&self->loop.uv, UV_RUN_DEFAULT);
		loop_free(self);
	}
	return NULL;
}

/* Signals belong to the program's own threads. */
static bool loop_start_thread(struct loop_thread *self)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	bool ok = !pthread_create(&self->thread, NULL, loop_main, self);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ok)
		pthread_setname_np(self->thread, "skiff-io");
	return ok;
}

/* Nobody has come back in time: the thread ends by itself; unless the end of the process has taken it already. */
static void loop_on_linger(uv_timer_t *linger)
{
	struct loop_thread *self = linger->data;
	size_t i = 0;
	pthread_mutex_lock(&loop_registry);
	while (i < SKIFFI_LOOPS_MAX && loop_threads[i] != self)
		i++;
	bool alone = i < SKIFFI_LOOPS_MAX && !atomic_load(&self->users);
	if (alone) {
		loop_threads[i] = NULL;
		pthread_mutex_lock(&self->lock);
		self->fate = LOOP_ALONE;
		self->left = true;
		pthread_mutex_unlock(&self->lock);
		pthread_detach(self->thread);
	}
	pthread_mutex_unlock(&loop_registry);
	if (alone)
		loop_close(self);
}

static void loop_abandon(struct loop_thread *self)
{
	uv_close((uv_handle_t *)&self->linger, NULL);
	if (self->wake.data)
		uv_close((uv_handle_t *)&self->wake, NULL);
	uv_run(&self->loop.uv, UV_RUN_DEFAULT);
	loop_free(self);
}

static struct loop_thread *loop_new(void)
{
	struct loop_thread *self = skiffi_calloc(1, sizeof *self);
	if (!self)
		return NULL;
	self->loop.scratch = skiffi_malloc(SKIFFI_LOOP_SCRATCH_BYTES);
	if (!self->loop.scratch || uv_loop_init(&self->loop.uv)) {
		skiffi_free(self->loop.scratch);
		skiffi_free(self);
		return NULL;
	}
	pthread_mutex_init(&self->turn, NULL);
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->decided, NULL);
	uv_timer_init(&self->loop.uv, &self->linger);
	self->linger.data = self;
	if (uv_async_init(&self->loop.uv, &self->wake, loop_on_wake)) {
		loop_abandon(self);
		return NULL;
	}
	self->wake.data = self;
	if (!loop_start_thread(self)) {
		loop_abandon(self);
		return NULL;
	}
	return self;
}

/* ---- users ---- */

static void loop_before_fork(void)
{
	pthread_mutex_lock(&loop_registry);
}

static void loop_after_fork(void)
{
	pthread_mutex_unlock(&loop_registry);
}

/* The threads are the parent's: what they had is given up. */
static void loop_after_fork_in_child(void)
{
	for (size_t i = 0; i < SKIFFI_LOOPS_MAX; i++)
		loop_threads[i] = NULL;
	loop_entered = NULL;
	pthread_mutex_unlock(&loop_registry);
}

static void loop_set_up(void)
{
	pthread_atfork(loop_before_fork, loop_after_fork, loop_after_fork_in_child);
	skiffi_loop_end_before();
}

static struct loop_thread *loop_choose(void)
{
	size_t best = 0;
	for (size_t i = 1; i < loop_spread; i++) {
		size_t users = loop_threads[i] ? loop_threads[i]->users : 0;
		if (loop_threads[best] && users < loop_threads[best]->users)
			best = i;
	}
	if (!loop_threads[best])
		loop_threads[best] = loop_new();
	return loop_threads[best];
}

struct skiffi_loop *skiffi_loop_ref(void)
{
	pthread_once(&loop_once, loop_set_up);
	pthread_mutex_lock(&loop_registry);
	struct loop_thread *self = loop_choose();
	if (self)
		self->users++;
	pthread_mutex_unlock(&loop_registry);
	return self ? &self->loop : NULL;
}

void skiffi_loop_share(struct skiffi_loop *loop)
{
	pthread_mutex_lock(&loop_registry);
	loop_of(loop)->users++;
	pthread_mutex_unlock(&loop_registry);
}

void skiffi_loop_unref(struct skiffi_loop *loop)
{
	struct loop_thread *self = loop_of(loop);
	pthread_mutex_lock(&loop_registry);
	assert(self->users > 0);
	bool last = --self->users == 0;
	/* Under the registry's lock, as without users the thread may end. */
	if (last && skiffi_loop_here(loop))
		loop_linger(self);
	else if (last)
		uv_async_send(&self->wake);
	pthread_mutex_unlock(&loop_registry);
}

void skiffi_loop_spread(unsigned count)
{
	pthread_mutex_lock(&loop_registry);
	loop_spread = count;
	pthread_mutex_unlock(&loop_registry);
}

/* ---- the end of the process ---- */

static void loop_end(struct loop_thread *self)
{
	pthread_t thread = self->thread;
	pthread_mutex_lock(&self->lock);
	self->fate = LOOP_ENDING;
	/* inside the lock: the thread cannot end, and free itself, before this call is through */
	uv_async_send(&self->wake);
	while (self->fate == LOOP_ENDING)
		pthread_cond_wait(&self->decided, &self->lock);
	bool alone = self->fate == LOOP_ALONE;
	if (alone)
		pthread_detach(thread);
	self->left = true;
	pthread_cond_broadcast(&self->decided);
	pthread_mutex_unlock(&self->lock);
	if (alone)
		return;
	pthread_join(thread, NULL);
	loop_free(self);
}

/* Takes out a thread without users; NULL: there is none. */
static struct loop_thread *loop_take_unused(void)
{
	struct loop_thread *unused = NULL;
	pthread_mutex_lock(&loop_registry);
	for (size_t i = 0; i < SKIFFI_LOOPS_MAX && !unused; i++) {
		if (!loop_threads[i] || loop_threads[i]->users || loop_threads[i] == loop_entered)
			continue;
		unused = loop_threads[i];
		loop_threads[i] = NULL;
	}
	pthread_mutex_unlock(&loop_registry);
	return unused;
}

/* Also when the library alone is unloaded. */
__attribute__((destructor)) void skiffi_loop_end_unused(void)
{
	struct loop_thread *unused;
	while ((unused = loop_take_unused()))
		loop_end(unused);
}

void skiffi_loop_end_before(void)
{
	atexit(skiffi_loop_end_unused);
}
