/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c: start, mailbox, end.
 *
 * Happy path: the first reference starts the thread; jobs are linked into a list under a lock and one uv_async wakes
 * the loop; the last unref posts the end, the thread closes what is its own and is joined.
 * It is left to end alone, and frees itself, when the last reference is dropped on the thread itself, and when nothing
 * is left but lookups that nobody waits for any more: the system's resolver cannot be hurried, and must hold up nobody.
 * Failure: no memory or no thread gives NULL from skiffi_loop_ref, and the next caller tries anew. */
#include "loop/loop.h"

#include "base/alloc.h"
#include <assert.h>
#include <pthread.h>
#include <signal.h>

/* RUNNING -> ENDING (last unref) -> DONE (to be joined) or ALONE (frees itself); RUNNING -> ALONE (unref from inside).
 */
enum loop_fate { LOOP_RUNNING, LOOP_ENDING, LOOP_DONE, LOOP_ALONE };

struct loop_thread {
	struct skiffi_loop loop; /* first: the public part */
	pthread_t thread;
	uv_async_t wake;
	pthread_mutex_t lock; /* guards the jobs and `fate` */
	struct skiffi_job *first, *last;
	size_t count;
	enum loop_fate fate;
	bool left;              /* whoever waited for the fate has read it */
	pthread_cond_t decided; /* `fate` or `left` changed */
	bool closing;           /* `wake` is being closed; loop thread */
};

static pthread_mutex_t loop_registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop_thread *loop_current; /* guarded by the lock above */
static size_t loop_users;

static _Thread_local bool loop_inside;

static struct loop_thread *loop_of(struct skiffi_loop *loop)
{
	return (struct loop_thread *)loop;
}

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

static void loop_on_wake(uv_async_t *wake)
{
	struct loop_thread *self = wake->data;
	loop_run_jobs(self);
	pthread_mutex_lock(&self->lock);
	bool ending = self->fate != LOOP_RUNNING && !self->first;
	pthread_mutex_unlock(&self->lock);
	if (!ending || uv_is_closing((uv_handle_t *)wake))
		return;
	if (self->loop.ws_context_free)
		self->loop.ws_context_free(&self->loop);
	self->closing = true;
	uv_close((uv_handle_t *)wake, NULL);
}

static void loop_free(struct loop_thread *self)
{
	int busy = uv_loop_close(&self->loop.uv);
	assert(!busy);
	(void)busy;
	pthread_mutex_destroy(&self->lock);
	pthread_cond_destroy(&self->decided);
	skiffi_free(self->loop.scratch);
	skiffi_free(self);
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
	loop_inside = true;
	bool alive = true;
	while (alive && (!self->closing || loop_has_handles(self)))
		alive = uv_run(&self->loop.uv, UV_RUN_ONCE);
	if (loop_decide(self, alive ? LOOP_ALONE : LOOP_DONE)) {
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

static void loop_abandon(struct loop_thread *self)
{
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
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->decided, NULL);
	self->wake.data = self;
	if (uv_async_init(&self->loop.uv, &self->wake, loop_on_wake)) {
		loop_free(self);
		return NULL;
	}
	if (!loop_start_thread(self)) {
		loop_abandon(self);
		return NULL;
	}
	return self;
}

struct skiffi_loop *skiffi_loop_ref(void)
{
	pthread_mutex_lock(&loop_registry_lock);
	if (!loop_current)
		loop_current = loop_new();
	if (loop_current)
		loop_users++;
	struct loop_thread *self = loop_current;
	pthread_mutex_unlock(&loop_registry_lock);
	return self ? &self->loop : NULL;
}

static void loop_end(struct loop_thread *self)
{
	bool here = skiffi_loop_here(&self->loop);
	pthread_t thread = self->thread;
	pthread_mutex_lock(&self->lock);
	self->fate = here ? LOOP_ALONE : LOOP_ENDING;
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

void skiffi_loop_unref(struct skiffi_loop *loop)
{
	struct loop_thread *last = NULL;
	pthread_mutex_lock(&loop_registry_lock);
	assert(loop_users > 0);
	if (!--loop_users) {
		last = loop_of(loop);
		loop_current = NULL;
	}
	pthread_mutex_unlock(&loop_registry_lock);
	if (last)
		loop_end(last);
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
	uv_async_send(&self->wake);
	pthread_mutex_unlock(&self->lock);
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

bool skiffi_loop_inside(void)
{
	return loop_inside;
}

bool skiffi_loop_here(const struct skiffi_loop *loop)
{
	return pthread_equal(pthread_self(), ((const struct loop_thread *)loop)->thread);
}
