/* SPDX-License-Identifier: Apache-2.0 */
/* handles.h: libuv's handles, used again.
 *
 * libuv tries every descriptor that it has not met on its own before it watches it, and lets go of a handle only in a
 * later turn: together some six system calls for each connection. A poll handle that was given back watches the next
 * descriptor of its number without any of them, and a timer serves anybody. All in the turn. */
#ifndef SKIFFI_HANDLES_H
#define SKIFFI_HANDLES_H

#include "loop/loop.h"

/* A handle for the open, non-blocking `fd`, not started, with `data` as its data; NULL with errno. */
uv_poll_t *skiffi_poll_take(struct skiffi_loop *loop, int fd, void *data);

/* Stops it and lets go of its descriptor, which the caller closes after this. */
void skiffi_poll_give(struct skiffi_loop *loop, uv_poll_t *poll);

/* A timer, not started; NULL without memory. */
uv_timer_t *skiffi_timer_take(struct skiffi_loop *loop, void *data);

/* Stops it: it does not call any more. NULL does nothing. */
void skiffi_timer_give(struct skiffi_loop *loop, uv_timer_t *timer);

/* Closes the spare ones. When the loop ends. */
void skiffi_handles_end(struct skiffi_loop *loop);

#endif
