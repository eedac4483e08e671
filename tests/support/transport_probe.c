/* SPDX-License-Identifier: Apache-2.0 */
#include "support/transport_probe.h"

#include "transport/tls_context.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROBE_PHASE_MS = 10000, PROBE_HIGH_BYTES = 256 * 1024, PROBE_FETCH_BYTES = 64 * 1024 };

struct probe {
	struct skiffi_loop *loop;
	struct skiffi_transport *transport;
	struct skiffi_transport_config config;
	struct skiffi_endpoint *endpoint;
	bool echo, close_in_opened, unread_from_opened;
	struct skiffi_job job;
	void (*call)(struct probe *probe); /* what the job does */
	_Atomic(bool) on;                  /* its argument */
	pthread_mutex_t lock;              /* guards what follows */
	pthread_cond_t changed;
	bool called, opened, ended, closing, closed;
	struct skiff_error error;
	struct skiff_connection info;
	struct skiffi_buffer in, out;
};

static void probe_die(const struct probe *probe, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", probe->endpoint ? probe->endpoint->url : "?", why, probe->error.text);
	abort();
}

/* Waits, with the lock held, until one of the two is true. */
static void probe_wait(struct probe *probe, const bool *one, const bool *other)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PROBE_PATIENCE_S;
	while (!*one && !*other)
		if (pthread_cond_timedwait(&probe->changed, &probe->lock, &end) == ETIMEDOUT)
			probe_die(probe, "nothing happens");
}

static void probe_note(struct probe *probe, bool *flag)
{
	pthread_mutex_lock(&probe->lock);
	*flag = true;
	pthread_cond_broadcast(&probe->changed);
	pthread_mutex_unlock(&probe->lock);
}

/* ---- on the loop ---- */

static void probe_do_close(struct probe *probe)
{
	bool was = probe->closing;
	probe->closing = true;
	if (!was)
		probe->transport->ops->close(probe->transport, probe->on);
}

static void probe_pump(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	struct iovec piece = {skiffi_buffer_head(&probe->out), skiffi_buffer_len(&probe->out)};
	if (probe->opened && !probe->closing && piece.iov_len) {
		/* in two pieces, as a caller with a header and a payload does */
		struct iovec pieces[2] = {{piece.iov_base, piece.iov_len / 2},
			{(uint8_t *)piece.iov_base + piece.iov_len / 2, piece.iov_len - piece.iov_len / 2}};
		ptrdiff_t taken = probe->transport->ops->send(probe->transport, pieces, 2);
		if (taken > 0)
			skiffi_buffer_consume(&probe->out, (size_t)taken);
		pthread_cond_broadcast(&probe->changed);
	}
	pthread_mutex_unlock(&probe->lock);
}

static void probe_on_opened(void *user)
{
	struct probe *probe = user;
	probe_note(probe, &probe->opened);
	if (probe->unread_from_opened)
		probe->transport->ops->reading(probe->transport, false);
	if (probe->close_in_opened)
		probe_do_close(probe);
	else
		probe_pump(probe);
}

static void probe_on_readable(void *user)
{
	struct probe *probe = user;
	ptrdiff_t got = probe->transport->ops->recv(probe->transport, probe->loop->scratch, PROBE_FETCH_BYTES);
	if (got <= 0)
		return;
	pthread_mutex_lock(&probe->lock);
	skiffi_buffer_append(&probe->in, probe->loop->scratch, (size_t)got);
	if (probe->echo)
		skiffi_buffer_append(&probe->out, probe->loop->scratch, (size_t)got);
	pthread_cond_broadcast(&probe->changed);
	pthread_mutex_unlock(&probe->lock);
	if (probe->echo)
		probe_pump(probe);
}

static void probe_on_writable(void *user)
{
	probe_pump(user);
}

static void probe_on_failed(void *user, const struct skiff_error *error)
{
	struct probe *probe = user;
	if (probe->ended || probe->closing)
		probe_die(probe, "failed comes too often or too late");
	probe->error = *error;
	probe_note(probe, &probe->ended);
}

static void probe_on_closed(void *user)
{
	struct probe *probe = user;
	if (!probe->closing || probe->closed)
		probe_die(probe, "closed comes too often or too early");
	probe->transport->ops->free(probe->transport);
	probe_note(probe, &probe->closed);
}

static const struct skiffi_transport_events probe_events = {
	.opened = probe_on_opened,
	.readable = probe_on_readable,
	.writable = probe_on_writable,
	.failed = probe_on_failed,
	.closed = probe_on_closed,
};

static void probe_run(struct skiffi_job *job)
{
	struct probe *probe = (struct probe *)((char *)job - offsetof(struct probe, job));
	probe->call(probe);
	probe_note(probe, &probe->called);
}

static void probe_do_open(struct probe *probe)
{
	probe->transport = skiffi_transport_new(probe->loop, &probe->config, &probe_events, probe);
	if (!probe->transport || !probe->transport->ops->open(probe->transport))
		probe_die(probe, "cannot open");
}

static void probe_do_reading(struct probe *probe)
{
	probe->transport->ops->reading(probe->transport, probe->on);
}

static void probe_do_info(struct probe *probe)
{
	if (!probe->closed)
		probe->transport->ops->info(probe->transport, &probe->info);
}

/* ---- from the test ---- */

static void probe_call(struct probe *probe, void (*call)(struct probe *probe))
{
	pthread_mutex_lock(&probe->lock);
	probe->called = false;
	pthread_mutex_unlock(&probe->lock);
	probe->call = call;
	skiffi_loop_post(probe->loop, &probe->job);
	pthread_mutex_lock(&probe->lock);
	probe_wait(probe, &probe->called, &probe->called);
	pthread_mutex_unlock(&probe->lock);
}

static int probe_or(int value)
{
	return value ? value : PROBE_PHASE_MS;
}

struct probe *probe_open(const struct probe_options *options)
{
	struct probe *probe = calloc(1, sizeof *probe);
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	probe->job.run = probe_run;
	probe->echo = options->echo;
	probe->close_in_opened = options->close_in_opened;
	probe->unread_from_opened = options->unread_from_opened;
	probe->endpoint = skiffi_endpoint_new(options->url, &probe->error);
	if (!probe->endpoint)
		probe_die(probe, options->url);
	probe->config = (struct skiffi_transport_config){
		.endpoint = probe->endpoint,
		.timeouts = {.resolve_ms = probe_or(options->timeouts.resolve_ms),
			.tcp_ms = probe_or(options->timeouts.tcp_ms),
			.tls_ms = probe_or(options->timeouts.tls_ms),
			.websocket_ms = probe_or(options->timeouts.websocket_ms)},
		.http_headers = options->http_headers,
		.http_header_count = options->http_header_count,
		.receive_high_bytes = options->receive_high_bytes ? options->receive_high_bytes : PROBE_HIGH_BYTES,
	};
	if (probe->endpoint->tls)
		probe->config.tls = skiffi_tls_context_new(&options->tls, probe->endpoint, &probe->error);
	probe->loop = skiffi_loop_ref();
	if (!probe->loop || (probe->endpoint->tls && !probe->config.tls))
		probe_die(probe, "cannot begin");
	probe_call(probe, probe_do_open);
	return probe;
}

void probe_wait_opened(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	probe_wait(probe, &probe->opened, &probe->ended);
	if (!probe->opened)
		probe_die(probe, "does not open");
	pthread_mutex_unlock(&probe->lock);
}

void probe_wait_end(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	probe_wait(probe, &probe->ended, &probe->closed);
	pthread_mutex_unlock(&probe->lock);
}

/* Waits for one more change. */
static void probe_wait_change(struct probe *probe)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PROBE_PATIENCE_S;
	if (pthread_cond_timedwait(&probe->changed, &probe->lock, &end) == ETIMEDOUT)
		probe_die(probe, "no progress");
}

void probe_wait_received(struct probe *probe, size_t len)
{
	pthread_mutex_lock(&probe->lock);
	while (skiffi_buffer_len(&probe->in) < len && !probe->ended)
		probe_wait_change(probe);
	pthread_mutex_unlock(&probe->lock);
}

void probe_wait_sent(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	while (skiffi_buffer_len(&probe->out) && !probe->ended)
		probe_wait_change(probe);
	pthread_mutex_unlock(&probe->lock);
}

struct skiff_error probe_error(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	struct skiff_error error = probe->error;
	pthread_mutex_unlock(&probe->lock);
	return error;
}

size_t probe_received(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	size_t len = skiffi_buffer_len(&probe->in);
	pthread_mutex_unlock(&probe->lock);
	return len;
}

bool probe_received_is(struct probe *probe, const void *data, size_t len)
{
	pthread_mutex_lock(&probe->lock);
	bool same =
		skiffi_buffer_len(&probe->in) == len && (!len || !memcmp(skiffi_buffer_head(&probe->in), data, len));
	pthread_mutex_unlock(&probe->lock);
	return same;
}

bool probe_was_opened(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	bool opened = probe->opened;
	pthread_mutex_unlock(&probe->lock);
	return opened;
}

struct skiff_connection probe_info(struct probe *probe)
{
	probe_call(probe, probe_do_info);
	return probe->info;
}

void probe_send(struct probe *probe, const void *data, size_t len)
{
	pthread_mutex_lock(&probe->lock);
	skiffi_buffer_append(&probe->out, data, len);
	pthread_mutex_unlock(&probe->lock);
	probe_call(probe, probe_pump);
}

size_t probe_unsent(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	size_t len = skiffi_buffer_len(&probe->out);
	pthread_mutex_unlock(&probe->lock);
	return len;
}

void probe_reading(struct probe *probe, bool on)
{
	probe->on = on;
	probe_call(probe, probe_do_reading);
}

void probe_close(struct probe *probe, bool abort)
{
	probe->on = abort;
	probe_call(probe, probe_do_close);
	pthread_mutex_lock(&probe->lock);
	probe_wait(probe, &probe->closed, &probe->closed);
	pthread_mutex_unlock(&probe->lock);
	skiffi_loop_unref(probe->loop);
	skiffi_tls_context_free(probe->config.tls);
	skiffi_endpoint_free(probe->endpoint);
	skiffi_buffer_release(&probe->in);
	skiffi_buffer_release(&probe->out);
	pthread_mutex_destroy(&probe->lock);
	pthread_cond_destroy(&probe->changed);
	free(probe);
}
