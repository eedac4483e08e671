/* SPDX-License-Identifier: Apache-2.0 */
/* handles.c: the handles that nobody uses are kept in a list of each kind, the newest first; the oldest of too many is
 * closed. */
#include "loop/handles.h"

#include "base/alloc.h"
#include <errno.h>

enum { HANDLES_SPARE_MAX = 16 };

struct skiffi_handle {
	union {
		uv_handle_t any;
		uv_poll_t poll;
		uv_timer_t timer;
	} uv; /* first: what is given out */
	struct skiffi_handle *next;
	int fd; /* of a poll handle */
};

static void handle_closed(uv_handle_t *handle)
{
	skiffi_free(handle);
}

static void handle_keep(struct skiffi_handle **list, void *given)
{
	struct skiffi_handle *handle = given;
	handle->next = *list;
	*list = handle;
	for (int count = 0; *list && count < HANDLES_SPARE_MAX; count++)
		list = &(*list)->next;
	if (!*list)
		return;
	uv_close(&(*list)->uv.any, handle_closed);
	*list = NULL;
}

static struct skiffi_handle *handle_unlink(struct skiffi_handle **at)
{
	struct skiffi_handle *handle = *at;
	if (handle)
		*at = handle->next;
	return handle;
}

static struct skiffi_handle *poll_new(struct skiffi_loop *loop, int fd)
{
	struct skiffi_handle *handle = skiffi_malloc(sizeof *handle);
	int failed = handle ? uv_poll_init(&loop->uv, &handle->uv.poll, fd) : UV_ENOMEM;
	if (!failed) {
		handle->fd = fd;
		return handle;
	}
	skiffi_free(handle);
	errno = -failed;
	return NULL;
}

uv_poll_t *skiffi_poll_take(struct skiffi_loop *loop, int fd, void *data)
{
	struct skiffi_handle **at = &loop->spare_polls;
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	struct skiffi_handle *handle = handle_unlink(at);
	if (!handle)
		handle = poll_new(loop, fd);
	if (!handle)
		return NULL;
	handle->uv.poll.data = data;
	return &handle->uv.poll;
}

void skiffi_poll_give(struct skiffi_loop *loop, uv_poll_t *poll)
{
	uv_poll_stop(poll);
	handle_keep(&loop->spare_polls, poll);
}

uv_timer_t *skiffi_timer_take(struct skiffi_loop *loop, void *data)
{
	struct skiffi_handle *handle = handle_unlink(&loop->spare_timers);
	if (!handle) {
		handle = skiffi_malloc(sizeof *handle);
		if (!handle)
			return NULL;
		uv_timer_init(&loop->uv, &handle->uv.timer);
	}
	handle->uv.timer.data = data;
	return &handle->uv.timer;
}

void skiffi_timer_give(struct skiffi_loop *loop, uv_timer_t *timer)
{
	if (!timer)
		return;
	uv_timer_stop(timer);
	handle_keep(&loop->spare_timers, timer);
}

static void handles_close(struct skiffi_handle **list)
{
	struct skiffi_handle *handle;
	while ((handle = handle_unlink(list)))
		uv_close(&handle->uv.any, handle_closed);
}

void skiffi_handles_end(struct skiffi_loop *loop)
{
	handles_close(&loop->spare_polls);
	handles_close(&loop->spare_timers);
}
