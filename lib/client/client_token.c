/* SPDX-License-Identifier: Apache-2.0 */
/* client_token.c: outcomes that can be waited for. A token may outlive its client.
 *
 * Who waits serves the client's loop, where that is possible (loop.h), and else sleeps in one of a few process-wide
 * buckets; ending a token that nobody waits for touches none of them. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "client/client_internal.h"
#include "codec/reason.h"
#include <stdint.h>
#include <stdio.h>

enum { TOKEN_BUCKETS = 16 };

static struct token_bucket {
	pthread_mutex_t lock;
	pthread_cond_t ended;
} token_buckets[TOKEN_BUCKETS];
static pthread_once_t token_once = PTHREAD_ONCE_INIT;

static void token_init_buckets(void)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	for (size_t i = 0; i < TOKEN_BUCKETS; i++) {
		pthread_mutex_init(&token_buckets[i].lock, NULL);
		pthread_cond_init(&token_buckets[i].ended, &attributes);
	}
	pthread_condattr_destroy(&attributes);
}

static struct token_bucket *token_bucket(const struct skiff_token *token)
{
	pthread_once(&token_once, token_init_buckets);
	return &token_buckets[((uintptr_t)token >> 6) % TOKEN_BUCKETS];
}

struct skiff_token *skiffi_client_token_new(const struct skiff_client *client)
{
	struct skiff_token *token = skiffi_calloc(1, sizeof *token);
	if (!token)
		return NULL;
	token->op.kind = CLIENT_OP_TOKEN;
	atomic_init(&token->refs, 2);
	token->loop = client ? client->loop : NULL;
	token->spins = client && client->options.spin;
	return token;
}

static void token_unref(struct skiff_token *token)
{
	if (atomic_fetch_sub(&token->refs, 1) != 1)
		return;
	skiffi_free(token->error);
	skiffi_free(token->reasons);
	skiffi_free(token->reason_string);
	skiffi_free(token);
}

/* Sets `done` before it looks for waiters; a waiter counts itself before it looks at `done`. One of them sees. With the
 * lock had once, a waiter that has looked is asleep by now. */
static void token_finish(struct skiff_token *token)
{
	atomic_store(&token->done, 1);
	if (atomic_load(&token->waiters)) {
		struct token_bucket *bucket = token_bucket(token);
		pthread_mutex_lock(&bucket->lock);
		pthread_mutex_unlock(&bucket->lock);
		pthread_cond_broadcast(&bucket->ended); /* outside, or those it wakes would wait once more */
		if (token->loop)
			skiffi_loop_nudge(token->loop);
	}
	token_unref(token);
}

void skiffi_client_token_settle(struct skiff_token *token, const struct skiff_error *error)
{
	if (!token || !error || !error->code)
		return;
	token->code = error->code;
	token->error = skiffi_malloc(sizeof *token->error);
	if (token->error)
		*token->error = *error;
}

void skiffi_client_token_end(struct skiff_token *token, const struct skiff_error *error)
{
	if (!token)
		return;
	skiffi_client_token_settle(token, error);
	token_finish(token);
}

void skiffi_client_token_end_code(struct skiff_token *token, enum skiff_code code)
{
	struct skiff_error error;
	if (!token)
		return;
	skiffi_fail_plain(&error, code);
	skiffi_client_token_end(token, code ? &error : NULL);
}

void skiffi_client_token_note(struct skiff_token *token, const struct skiffi_event *event)
{
	if (!token)
		return;
	token->reason_known = event->reason >= 0;
	token->reason = (uint8_t)event->reason;
	token->session_present = event->session_present;
	if (event->reasons.len > 1) {
		token->reasons = (uint8_t *)skiffi_memdup(event->reasons.data, event->reasons.len);
		token->reason_count = token->reasons ? event->reasons.len : 0;
	}
	if (event->properties && event->properties->reason_string.data)
		token->reason_string =
			skiffi_memdup(event->properties->reason_string.data, event->properties->reason_string.len);
}

void skiffi_client_error_of(struct skiff_error *error, const struct skiffi_event *event, const char *what)
{
	struct skiff_bytes words = event->properties ? event->properties->reason_string : (struct skiff_bytes){0};
	if (event->code == SKIFF_MQTT_SESSION_LOST)
		skiffi_fail(error, event->code, 0,
			"the broker lost the session before %s of QoS 2 was through: it may or may not have arrived",
			what);
	else if (event->code == SKIFF_MQTT_DISCONNECTED && event->reason < 0)
		skiffi_fail(error, event->code, 0, "the connection ended before %s had left", what);
	else if (event->reason >= 0)
		skiffi_fail(error, event->code, event->reason, "the broker refused %s: %s (0x%02x)%s%.*s", what,
			skiffi_reason_text((uint8_t)event->reason), (unsigned)event->reason, words.len ? ": " : "",
			(int)words.len, words.data ? (const char *)words.data : "");
	else
		skiffi_fail_plain(error, event->code);
}

/* ---- the public face ---- */

static bool token_over(const void *subject)
{
	const struct skiff_token *token = subject;
	return atomic_load(&token->done);
}

static void token_sleep(struct skiff_token *token, int64_t end_us)
{
	struct token_bucket *bucket = token_bucket(token);
	struct timespec deadline = {(time_t)(end_us / 1000000), (long)(end_us % 1000000) * 1000};
	int late = 0;
	pthread_mutex_lock(&bucket->lock);
	while (!token_over(token) && !late)
		late = end_us == INT64_MAX ? pthread_cond_wait(&bucket->ended, &bucket->lock)
					   : pthread_cond_timedwait(&bucket->ended, &bucket->lock, &deadline);
	pthread_mutex_unlock(&bucket->lock);
}

/* Does what is to be waited for, or sleeps where others do that. */
static void token_await(struct skiff_token *token, int timeout_ms)
{
	int64_t end_us = timeout_ms < 0 ? INT64_MAX : skiffi_now_us() + (int64_t)timeout_ms * 1000;
	atomic_fetch_add(&token->waiters, 1);
	if (token->loop && !skiffi_loop_serve(token->loop, token_over, token, end_us, token->spins)) {
		skiffi_loop_sleep_begin(token->loop);
		token_sleep(token, end_us);
		skiffi_loop_sleep_end(token->loop);
	} else if (!token->loop) {
		token_sleep(token, end_us);
	}
	atomic_fetch_sub(&token->waiters, 1);
}

enum skiff_code skiff_token_wait(struct skiff_token *token, int timeout_ms)
{
	if (!token)
		return SKIFF_MEMORY;
	if (!atomic_load(&token->done)) {
		if (skiffi_loop_inside())
			return SKIFF_USAGE_IN_HANDLER;
		if (timeout_ms)
			token_await(token, timeout_ms);
	}
	return atomic_load(&token->done) ? token->code : SKIFF_TIMEOUT;
}

bool skiff_token_done(const struct skiff_token *token)
{
	return token && atomic_load(&token->done);
}

const struct skiff_error *skiff_token_error(const struct skiff_token *token)
{
	static const struct skiff_error none = {SKIFF_OK, 0, "no error"};
	static const struct skiff_error pending = {SKIFF_OK, 0, "not ended yet"};
	static const struct skiff_error memory = {SKIFF_MEMORY, 0, "out of memory"};
	if (!token)
		return &memory;
	if (!atomic_load(&token->done))
		return &pending;
	return token->error ? token->error : token->code ? &memory : &none;
}

int skiff_token_reason(const struct skiff_token *token, size_t index)
{
	if (!skiff_token_done(token))
		return -1;
	if (token->reasons)
		return index < token->reason_count ? token->reasons[index] : -1;
	return index == 0 && token->reason_known ? token->reason : -1;
}

const char *skiff_token_reason_string(const struct skiff_token *token)
{
	return skiff_token_done(token) && token->reason_string ? token->reason_string : "";
}

bool skiff_token_session_present(const struct skiff_token *token)
{
	return skiff_token_done(token) && token->session_present;
}

void skiff_token_free(struct skiff_token *token)
{
	if (token)
		token_unref(token);
}

enum skiff_code skiff_wait(struct skiff_token *token, int timeout_ms)
{
	enum skiff_code code = skiff_token_wait(token, timeout_ms);
	skiff_token_free(token);
	return code;
}
