/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h: the one I/O thread of the process and its libuv loop.
 *
 * Everything under `client` runs on this thread, so nothing there needs a lock except what a publisher touches.
 * 1. skiffi_loop_ref starts the thread for the first user. 2. Other threads post work to it. 3. skiffi_loop_unref of
 * the last user ends the thread. */
#ifndef SKIFFI_LOOP_H
#define SKIFFI_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { SKIFFI_LOOP_SCRATCH_BYTES = 256 * 1024 };

struct skiffi_loop {
	uv_loop_t uv;
	uint8_t *scratch; /* SKIFFI_LOOP_SCRATCH_BYTES, on the loop thread: where a read lands; valid until the next
			     read */
	/* the rest belongs to loop.c and to ws_loop.c */
	void *ws_context; /* transport/ws_loop.c's one lws_context; NULL until the first ws connection */
	void (*ws_context_free)(
		struct skiffi_loop *loop); /* starts its end; called on the loop thread when the loop ends */
};

/* Work for the loop thread; embedded in the object it is about, so that posting never allocates. */
struct skiffi_job {
	void (*run)(struct skiffi_job *job); /* on the loop thread; the job may be posted again from inside */
	struct skiffi_job *next;
	bool posted; /* guarded by the mailbox */
};

/* The process's loop, started if need be; NULL when memory or threads are out. Any thread. */
struct skiffi_loop *skiffi_loop_ref(void);

/* Lets go of it. Any thread. */
void skiffi_loop_unref(struct skiffi_loop *loop);

/* Has `job` run on the loop thread, once, however often it is posted before that. Any thread; a job posted on the
 * loop thread runs after the current callback. */
void skiffi_loop_post(struct skiffi_loop *loop, struct skiffi_job *job);

/* Takes back a job that has not run yet, so that its object may go. Loop thread. */
void skiffi_loop_cancel(struct skiffi_loop *loop, struct skiffi_job *job);

/* Whether the caller is an I/O thread, so that waiting for what only such a thread can do would never end. Any thread.
 */
bool skiffi_loop_inside(void);

/* Whether the caller is the loop's thread. */
bool skiffi_loop_here(const struct skiffi_loop *loop);

#endif
