/* SPDX-License-Identifier: Apache-2.0 */
/* mem_transport.c: the far end writes into a queue and wakes the near end's loop by a uv_async; the near end does the
 * same with a condition variable. */
#include "support/mem_transport.h"

#include "base/clock.h"
#include "base/error.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A ring of bytes. */
struct mem_queue {
	char *data;
	size_t capacity, head, len;
};

struct mem_link {
	enum mem_manner manner;
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t changed;
	struct mem_queue in, out; /* as the near end sees it */
	struct mem *near;         /* while it may be woken */
	bool near_gone, near_aborted, far_gone, far_reset;
};

enum mem_state {
	MEM_STATE_NEW,
	MEM_STATE_OPENING,
	MEM_STATE_OPEN,
	MEM_STATE_ENDED,
	MEM_STATE_CLOSING,
	MEM_STATE_CLOSED
};

struct mem {
	struct skiffi_transport base;
	struct mem_link *link;
	enum mem_state state;
	bool reading, want_write;
	unsigned handles;
	uv_async_t wake;
	uv_timer_t timer;
	int64_t started_us, opened_us;
};

static struct mem *mem_of(const struct skiffi_transport *transport)
{
	return (struct mem *)transport;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t queue_put(struct mem_queue *queue, const char *data, size_t len)
{
	size_t put = 0;
	while (put < len && queue->len < queue->capacity) {
		size_t tail = (queue->head + queue->len) % queue->capacity;
		size_t some = smaller(smaller(len - put, queue->capacity - queue->len), queue->capacity - tail);
		memcpy(queue->data + tail, data + put, some);
		queue->len += some;
		put += some;
	}
	return put;
}

static size_t queue_get(struct mem_queue *queue, char *data, size_t len)
{
	size_t got = 0;
	while (got < len && queue->len) {
		size_t some = smaller(smaller(len - got, queue->len), queue->capacity - queue->head);
		memcpy(data + got, queue->data + queue->head, some);
		queue->head = (queue->head + some) % queue->capacity;
		queue->len -= some;
		got += some;
	}
	return got;
}

/* ---- the far end ---- */

struct mem_link *mem_link_new(enum mem_manner manner, size_t capacity)
{
	struct mem_link *link = calloc(1, sizeof *link);
	if (!link || !(link->in.data = malloc(capacity)) || !(link->out.data = malloc(capacity)))
		abort();
	link->manner = manner;
	link->in.capacity = link->out.capacity = capacity;
	pthread_mutex_init(&link->lock, NULL);
	pthread_cond_init(&link->changed, NULL);
	return link;
}

void mem_link_free(struct mem_link *link)
{
	pthread_mutex_destroy(&link->lock);
	pthread_cond_destroy(&link->changed);
	free(link->in.data);
	free(link->out.data);
	free(link);
}

/* Under the lock. */
static void link_wake_near(struct mem_link *link)
{
	if (link->near)
		uv_async_send(&link->near->wake);
}

size_t mem_link_read(struct mem_link *link, void *data, size_t len, bool wait)
{
	pthread_mutex_lock(&link->lock);
	while (wait && !link->out.len && !link->near_gone)
		pthread_cond_wait(&link->changed, &link->lock);
	size_t got = link->near_aborted ? 0 : queue_get(&link->out, data, len);
	link_wake_near(link);
	pthread_mutex_unlock(&link->lock);
	return got;
}

size_t mem_link_write(struct mem_link *link, const void *data, size_t len, bool wait)
{
	pthread_mutex_lock(&link->lock);
	size_t put = queue_put(&link->in, data, len);
	link_wake_near(link);
	while (wait && put < len && !link->near_gone) {
		pthread_cond_wait(&link->changed, &link->lock);
		put += queue_put(&link->in, (const char *)data + put, len - put);
		link_wake_near(link);
	}
	pthread_mutex_unlock(&link->lock);
	return put;
}

void mem_link_end(struct mem_link *link, bool reset)
{
	pthread_mutex_lock(&link->lock);
	link->far_gone = true;
	link->far_reset = reset;
	if (reset)
		link->in.len = 0;
	link_wake_near(link);
	pthread_mutex_unlock(&link->lock);
}

bool mem_link_near_gone(struct mem_link *link, bool *aborted)
{
	pthread_mutex_lock(&link->lock);
	bool gone = link->near_gone;
	*aborted = link->near_aborted;
	pthread_mutex_unlock(&link->lock);
	return gone;
}

/* ---- the near end ---- */

static void mem_fail(struct mem *mem, enum skiff_code code)
{
	struct skiff_error error;
	skiffi_fail(&error, code, 0, "memory link: %s", skiff_code_text(code));
	mem->state = MEM_STATE_ENDED;
	mem->base.events->failed(mem->base.user, &error);
}

/* Tells what has become possible since the last time. */
static void mem_pump(struct mem *mem)
{
	struct mem_link *link = mem->link;
	pthread_mutex_lock(&link->lock);
	bool readable = link->in.len > 0, writable = link->out.len < link->out.capacity;
	bool gone = link->far_gone, reset = link->far_reset;
	pthread_mutex_unlock(&link->lock);
	if (mem->state == MEM_STATE_OPEN && mem->want_write && writable && !gone) {
		mem->want_write = false;
		mem->base.events->writable(mem->base.user);
	}
	if (mem->state == MEM_STATE_OPEN && mem->reading && readable) {
		mem->base.events->readable(mem->base.user);
		uv_async_send(&mem->wake);
	} else if (mem->state == MEM_STATE_OPEN && gone && !readable) {
		mem_fail(mem, reset ? SKIFF_TCP_RESET : SKIFF_TCP_CLOSED);
	}
}

static void mem_on_wake(uv_async_t *wake)
{
	mem_pump(wake->data);
}

static void mem_on_timer(uv_timer_t *timer)
{
	struct mem *mem = timer->data;
	if (mem->link->manner != MEM_SERVES) {
		mem_fail(mem, mem->link->manner == MEM_REFUSES ? SKIFF_TCP_REFUSED : SKIFF_TCP_TIMEOUT);
		return;
	}
	mem->state = MEM_STATE_OPEN;
	mem->reading = true;
	mem->opened_us = skiffi_now_us();
	mem->base.events->opened(mem->base.user);
	if (mem->state == MEM_STATE_OPEN)
		uv_async_send(&mem->wake);
}

static bool mem_open(struct skiffi_transport *transport)
{
	struct mem *mem = mem_of(transport);
	uint64_t delay = mem->link->manner == MEM_IGNORES ? (uint64_t)transport->config->timeouts.tcp_ms : 0;
	if (uv_async_init(&transport->loop->uv, &mem->wake, mem_on_wake))
		return false;
	uv_timer_init(&transport->loop->uv, &mem->timer);
	mem->wake.data = mem->timer.data = mem;
	mem->handles = 2;
	mem->state = MEM_STATE_OPENING;
	mem->started_us = skiffi_now_us();
	uv_timer_start(&mem->timer, mem_on_timer, delay, 0);
	pthread_mutex_lock(&mem->link->lock);
	mem->link->near = mem;
	pthread_mutex_unlock(&mem->link->lock);
	return true;
}

static ptrdiff_t mem_recv(struct skiffi_transport *transport, void *data, size_t len)
{
	struct mem *mem = mem_of(transport);
	struct mem_link *link = mem->link;
	if (mem->state != MEM_STATE_OPEN)
		return mem->state < MEM_STATE_OPEN ? 0 : -1;
	pthread_mutex_lock(&link->lock);
	size_t got = queue_get(&link->in, data, len);
	bool over = !got && link->far_gone;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	if (over)
		uv_async_send(&mem->wake);
	return over ? -1 : (ptrdiff_t)got;
}

static ptrdiff_t mem_send(struct skiffi_transport *transport, const struct iovec *pieces, size_t count)
{
	struct mem *mem = mem_of(transport);
	struct mem_link *link = mem->link;
	size_t taken = 0;
	if (mem->state != MEM_STATE_OPEN)
		return mem->state < MEM_STATE_OPEN ? 0 : -1;
	pthread_mutex_lock(&link->lock);
	bool over = link->far_gone;
	for (size_t i = 0; i < count && !over && !mem->want_write; i++) {
		size_t put = queue_put(&link->out, pieces[i].iov_base, pieces[i].iov_len);
		taken += put;
		mem->want_write = put < pieces[i].iov_len;
	}
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	return over ? -1 : (ptrdiff_t)taken;
}

static void mem_reading(struct skiffi_transport *transport, bool on)
{
	struct mem *mem = mem_of(transport);
	mem->reading = on;
	if (mem->state == MEM_STATE_OPEN && on)
		uv_async_send(&mem->wake);
}

static void mem_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct mem *mem = mem_of(transport);
	connection->phases.dns_us = -1;
	connection->phases.tcp_us = mem->opened_us ? mem->opened_us - mem->started_us : -1;
	strcpy(connection->address, "memory");
}

static void mem_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	(void)transport;
	*out = *in = 0;
}

static void mem_handle_closed(uv_handle_t *handle)
{
	struct mem *mem = handle->data;
	if (--mem->handles)
		return;
	mem->state = MEM_STATE_CLOSED;
	mem->base.events->closed(mem->base.user);
}

static void mem_close(struct skiffi_transport *transport, bool abort)
{
	struct mem *mem = mem_of(transport);
	assert(mem->state != MEM_STATE_NEW && mem->state < MEM_STATE_CLOSING);
	mem->state = MEM_STATE_CLOSING;
	pthread_mutex_lock(&mem->link->lock);
	mem->link->near = NULL;
	mem->link->near_gone = true;
	mem->link->near_aborted = abort;
	pthread_cond_broadcast(&mem->link->changed);
	pthread_mutex_unlock(&mem->link->lock);
	uv_close((uv_handle_t *)&mem->wake, mem_handle_closed);
	uv_close((uv_handle_t *)&mem->timer, mem_handle_closed);
}

static void mem_free(struct skiffi_transport *transport)
{
	struct mem *mem = mem_of(transport);
	assert(mem->state == MEM_STATE_NEW || mem->state == MEM_STATE_CLOSED);
	free(mem);
}

static const struct skiffi_transport_ops mem_ops = {
	.name = "mem",
	.open = mem_open,
	.recv = mem_recv,
	.send = mem_send,
	.reading = mem_reading,
	.info = mem_info,
	.traffic = mem_traffic,
	.close = mem_close,
	.free = mem_free,
};

struct skiffi_transport *mem_transport_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user, struct mem_link *link)
{
	struct mem *mem = calloc(1, sizeof *mem);
	if (!mem)
		return NULL;
	mem->base = (struct skiffi_transport){&mem_ops, loop, config, events, user};
	mem->link = link;
	return &mem->base;
}
