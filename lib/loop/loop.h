/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h: the I/O threads of the process and their libuv loops; one, unless more are asked for.
 *
 * Everything under `client` runs in a loop's turn, so nothing there needs a lock except what a publisher touches. The
 * loop's own thread takes the turn whenever something happened, and sleeps outside it; between its turns another thread
 * may take it, to write at once, or to serve the loop itself instead of waking a sleeper (skiffi_loop_enter, _serve).
 *
 * 1. skiffi_loop_ref starts a thread for the first user. 2. Other threads post work to it. 3. When the last user has
 * let go, the thread waits a little for the next one, and ends; at the end of the process it is ended and joined. */
#ifndef SKIFFI_LOOP_H
#define SKIFFI_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { SKIFFI_LOOP_SCRATCH_BYTES = 256 * 1024, SKIFFI_LOOPS_MAX = 16 };

struct skiffi_loop {
	uv_loop_t uv;
	uint8_t *scratch; /* SKIFFI_LOOP_SCRATCH_BYTES, in the turn: where a read lands; valid until the next read */
	/* the rest belongs to loop.c, handles.c and ws_loop.c */
	struct skiffi_handle *spare_polls, *spare_timers;
	void *ws_context; /* transport/ws_loop.c's one lws_context; NULL until the first ws connection */
	void (*ws_context_free)(struct skiffi_loop *loop); /* starts its end; called in the turn when the loop ends */
};

/* Work for the loop; embedded in the object it is about, so that posting never allocates. */
struct skiffi_job {
	void (*run)(struct skiffi_job *job); /* in the turn; the job may be posted again from inside */
	struct skiffi_job *next;
	bool posted; /* guarded by the mailbox */
};

/* The loop with the fewest users, started if need be; NULL when memory or threads are out. Any thread. */
struct skiffi_loop *skiffi_loop_ref(void);

/* Starts OpenSSL, if it has not been, so that at the end of the process it ends behind the I/O threads: before the
 * first of them uses it. A connection without TLS and WebSocket does without it, and without the milliseconds that
 * takes. Any thread. */
void skiffi_loop_uses_openssl(void);

/* Lets go of it. Any thread. */
void skiffi_loop_unref(struct skiffi_loop *loop);

/* Over how many loops users are spread from now on, 1 to SKIFFI_LOOPS_MAX. Any thread. */
void skiffi_loop_spread(unsigned count);

/* Has `job` run in the loop's turn, once, however often it is posted before that. Any thread; a job posted in the turn
 * runs after the current callback. */
void skiffi_loop_post(struct skiffi_loop *loop, struct skiffi_job *job);

/* The same for what cannot wait: a thread that keeps out of the way of one who served (below) is called back. */
void skiffi_loop_post_now(struct skiffi_loop *loop, struct skiffi_job *job);

/* Takes back a job that has not run yet, so that its object may go. In the turn. */
void skiffi_loop_cancel(struct skiffi_loop *loop, struct skiffi_job *job);

/* Takes the turn if nobody has it: until skiffi_loop_leave the caller is the loop's thread, and may do what belongs to
 * that thread but for calling handlers. False: somebody has it, maybe the caller. Any thread that uses the loop. */
bool skiffi_loop_enter(struct skiffi_loop *loop);
void skiffi_loop_leave(struct skiffi_loop *loop);

/* Does the loop's work on the calling thread until `over(subject)` or `end_us`, while the loop's own thread keeps out
 * of the way: so a lone client waits as if it had a socket of its own, and nobody is woken in between. Sleeps when
 * there is nothing to do; that is possible only while the loop has one user, and nothing to call (skiffi_loop_calls).
 * With `spins` it never sleeps, and calls what there is to call. False: not possible, or no longer; the rest is to be
 * waited for in another way. Any thread, not in a turn; `loop` may have ended since. */
bool skiffi_loop_serve(
	struct skiffi_loop *loop, bool (*over)(const void *subject), const void *subject, int64_t end_us, bool spins);

/* Around a sleep until the loop has done something, where the caller does not serve it: its thread is then at work. Any
 * thread; `loop` may have ended since. */
void skiffi_loop_sleep_begin(struct skiffi_loop *loop);
void skiffi_loop_sleep_end(struct skiffi_loop *loop);

/* Has skiffi_loop_serve look at `over` again, where it sleeps. Any thread; `loop` may have ended since. */
void skiffi_loop_nudge(struct skiffi_loop *loop);

/* From now on there are functions of a user's to call. With `in_waits` who serves may do that; else it is for the
 * loop's own thread, and when this returns no other thread calls those of the caller's client. Any thread. */
void skiffi_loop_calls(struct skiffi_loop *loop, bool in_waits);

/* Whether the caller has the turn of some loop, so that waiting for what only a turn can do would never end. Any
 * thread. */
bool skiffi_loop_inside(void);

/* Whether the caller has this loop's turn; whether it is its own thread. */
bool skiffi_loop_here(const struct skiffi_loop *loop);
bool skiffi_loop_own(const struct skiffi_loop *loop);

/* Ends the threads that nobody uses, now. Any thread but those. */
void skiffi_loop_end_unused(void);

#endif
