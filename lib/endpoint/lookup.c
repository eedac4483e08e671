/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c: threads that ask the system's resolver.
 *
 * It blocks, for half a minute where no name server answers, and cannot be stopped. (libuv's pool, which also asks it,
 * has four threads, so that four such names hold up all others, and is joined at the end of the process.) So here every
 * question under way has a thread of its own, up to LOOKUP_THREADS of them; the others wait for the next that is free.
 * Of one name only LOOKUP_ALIKE questions are under way, so that it takes tens of names that hang to hold up others;
 * who asks for it meanwhile shares the answer of that which fewest wait for, so that the turns in which a name server
 * gives the addresses of many brokers are kept to.
 *
 * The threads are detached and touch nothing but questions. A question that nobody waits for any more is asked to its
 * end, and freed by its thread.
 * Failure: without memory or a first thread skiffi_lookup_start is NULL; without another one the question waits. */
#include "endpoint/lookup.h"

#include "base/alloc.h"
#include "base/thread.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

enum { LOOKUP_THREADS = 128, LOOKUP_ALIKE = 3 };

struct question {
	struct question *before, *next; /* in the list of those without an answer */
	char *host;
	int family;
	bool asked;                   /* a thread is at it */
	struct skiffi_lookup *askers; /* of them, those who wait for the answer */
	size_t asker_count;
	struct skiffi_lookup_answer answer;
	struct addrinfo *list;
	size_t holders; /* of the answer */
};

struct skiffi_lookup {
	uv_async_t wake; /* has the answer passed on by the loop */
	skiffi_lookup_fn done;
	void *user;
	struct question *question;
	struct skiffi_lookup *before, *next; /* among the askers */
	bool answered;
};

/* The lock guards all questions, and of lookups what belongs to a question. */
static struct {
	pthread_mutex_t lock;
	struct question *first, *last;
	unsigned threads;
} lookups = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- questions ---- */

static void question_append(struct question *question)
{
	question->before = lookups.last;
	if (lookups.last)
		lookups.last->next = question;
	else
		lookups.first = question;
	lookups.last = question;
}

static void question_remove(struct question *question)
{
	if (question->before)
		question->before->next = question->next;
	else
		lookups.first = question->next;
	if (question->next)
		question->next->before = question->before;
	else
		lookups.last = question->before;
}

static void question_free(struct question *question)
{
	if (question->list)
		freeaddrinfo(question->list);
	skiffi_free(question->host);
	skiffi_free(question);
}

static struct question *question_new(const char *host, int family)
{
	struct question *question = skiffi_calloc(1, sizeof *question);
	if (!question)
		return NULL;
	question->family = family;
	question->host = skiffi_strdup(host);
	if (!question->host) {
		skiffi_free(question);
		return NULL;
	}
	question_append(question);
	return question;
}

/* The one to share, of those for the same; the newest of several. NULL: there may be one more. */
static struct question *question_to_share(const char *host, int family)
{
	struct question *best = NULL;
	unsigned alike = 0;
	for (struct question *at = lookups.first; at; at = at->next) {
		if (at->family != family || strcmp(at->host, host))
			continue;
		alike++;
		if (!best || at->asker_count <= best->asker_count)
			best = at;
	}
	return alike < LOOKUP_ALIKE ? NULL : best;
}

/* The one that has waited longest for a thread, or NULL. */
static struct question *question_take(void)
{
	struct question *at = lookups.first;
	while (at && at->asked)
		at = at->next;
	if (at)
		at->asked = true;
	return at;
}

static void question_drop(struct question *question)
{
	pthread_mutex_lock(&lookups.lock);
	bool last = !--question->holders;
	pthread_mutex_unlock(&lookups.lock);
	if (last)
		question_free(question);
}

/* ---- askers ---- */

static void asker_append(struct question *question, struct skiffi_lookup *lookup)
{
	lookup->question = question;
	question->asker_count++;
	lookup->next = question->askers;
	if (lookup->next)
		lookup->next->before = lookup;
	question->askers = lookup;
}

static void asker_remove(struct skiffi_lookup *lookup)
{
	lookup->question->asker_count--;
	if (lookup->before)
		lookup->before->next = lookup->next;
	else
		lookup->question->askers = lookup->next;
	if (lookup->next)
		lookup->next->before = lookup->before;
}

static void asker_free(uv_handle_t *wake)
{
	skiffi_free(wake->data);
}

static void asker_end(struct skiffi_lookup *lookup)
{
	uv_close((uv_handle_t *)&lookup->wake, asker_free);
}

static void asker_hear(uv_async_t *wake)
{
	struct skiffi_lookup *lookup = wake->data;
	pthread_mutex_lock(&lookups.lock); /* behind it the answer stands */
	struct question *question = lookup->question;
	pthread_mutex_unlock(&lookups.lock);
	lookup->done(lookup->user, &question->answer);
	question_drop(question);
	asker_end(lookup);
}

/* ---- the threads ---- */

static void question_ask(struct question *question)
{
	struct addrinfo hints = {.ai_family = question->family, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	int error = getaddrinfo(question->host, NULL, &hints, &question->list);
	question->answer.system = error == EAI_SYSTEM ? errno : 0;
	question->answer.error = error;
	if (error)
		question->list = NULL;
	question->answer.list = question->list;
}

static void question_answer(struct question *question)
{
	question_remove(question);
	for (struct skiffi_lookup *at = question->askers; at; at = at->next) {
		at->answered = true;
		question->holders++;
		uv_async_send(&at->wake);
	}
	if (!question->holders)
		question_free(question);
}

static void *lookup_main(void *argument)
{
	struct question *question;
	(void)argument;
	prctl(PR_SET_NAME, "skiff-dns");
	pthread_mutex_lock(&lookups.lock);
	while ((question = question_take())) {
		pthread_mutex_unlock(&lookups.lock);
		question_ask(question);
		pthread_mutex_lock(&lookups.lock);
		question_answer(question);
	}
	lookups.threads--;
	pthread_mutex_unlock(&lookups.lock);
	return NULL;
}

/* False: the question would wait for ever. */
static bool lookup_start_thread(void)
{
	if (lookups.threads < LOOKUP_THREADS && skiffi_thread_start(NULL, lookup_main, NULL))
		lookups.threads++;
	return lookups.threads;
}

/* ---- forks ---- */

static void lookup_before_fork(void)
{
	pthread_mutex_lock(&lookups.lock);
}

static void lookup_after_fork(void)
{
	pthread_mutex_unlock(&lookups.lock);
}

static void lookup_after_fork_in_child(void)
{
	lookups.first = lookups.last = NULL;
	lookups.threads = 0;
	lookup_after_fork();
}

static void lookup_set_up(void)
{
	pthread_atfork(lookup_before_fork, lookup_after_fork, lookup_after_fork_in_child);
}

/* ---- calls ---- */

/* Under the lock. */
static bool lookup_join(struct skiffi_lookup *lookup, const char *host, int family)
{
	struct question *question = question_to_share(host, family);
	if (question) {
		asker_append(question, lookup);
		return true;
	}
	question = question_new(host, family);
	if (!question)
		return false;
	asker_append(question, lookup);
	if (lookup_start_thread())
		return true;
	question_remove(question);
	question_free(question);
	return false;
}

struct skiffi_lookup *skiffi_lookup_start(
	uv_loop_t *loop, const char *host, int family, skiffi_lookup_fn done, void *user)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct skiffi_lookup *lookup = skiffi_calloc(1, sizeof *lookup);
	pthread_once(&once, lookup_set_up);
	if (!lookup || uv_async_init(loop, &lookup->wake, asker_hear)) {
		skiffi_free(lookup);
		return NULL;
	}
	lookup->wake.data = lookup;
	lookup->done = done;
	lookup->user = user;
	pthread_mutex_lock(&lookups.lock);
	bool ok = lookup_join(lookup, host, family);
	pthread_mutex_unlock(&lookups.lock);
	if (ok)
		return lookup;
	asker_end(lookup);
	return NULL;
}

/* Under the lock. True: nobody has to do with the question any more. */
static bool lookup_leave(struct skiffi_lookup *lookup)
{
	struct question *question = lookup->question;
	if (lookup->answered)
		return !--question->holders;
	asker_remove(lookup);
	if (question->askers || question->asked)
		return false;
	question_remove(question);
	return true;
}

void skiffi_lookup_cancel(struct skiffi_lookup *lookup)
{
	struct question *question = lookup->question;
	pthread_mutex_lock(&lookups.lock);
	bool last = lookup_leave(lookup);
	pthread_mutex_unlock(&lookups.lock);
	if (last)
		question_free(question);
	asker_end(lookup);
}
