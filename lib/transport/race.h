/* SPDX-License-Identifier: Apache-2.0 */
/* race.h: happy eyeballs [RFC 8305] over anything that can begin and cancel an attempt to one address.
 *
 * A new attempt begins when the one before has failed, or after 250 ms without a decision; the first to succeed wins
 * and the others are cancelled. Used by tcp.c with sockets. */
#ifndef SKIFFI_RACE_H
#define SKIFFI_RACE_H

#include "endpoint/resolve.h"

enum { SKIFFI_RACE_DELAY_MS = 250 };

struct skiffi_race_ops {
	bool (*begin)(void *user, size_t index);  /* start the attempt to addresses.list[index]; false: failed at once,
						     and told by skiffi_race_failed before */
	void (*cancel)(void *user, size_t index); /* drop that attempt; it will not be heard of again */
	void (*lost)(void *user, const struct skiff_error *error); /* every attempt failed: the most telling error */
};

struct skiffi_race {
	struct skiffi_addresses addresses;
	const struct skiffi_race_ops *ops;
	void *user;
	uv_timer_t *timer;
	size_t next;      /* first address not yet begun */
	uint32_t running; /* bit per attempt under way */
	bool decided;
	struct skiff_error error;
	struct skiffi_loop *loop;
};

/* Prepares a race, to be ended by skiffi_race_end; false: no memory. Loop thread. */
bool skiffi_race_init(
	struct skiffi_race *race, struct skiffi_loop *loop, const struct skiffi_race_ops *ops, void *user);

/* Begins, over a copy of `addresses`. */
void skiffi_race_start(struct skiffi_race *race, const struct skiffi_addresses *addresses);

/* What became of an attempt; a win cancels the others. Calls `lost` when it was the last that could win. */
void skiffi_race_won(struct skiffi_race *race, size_t index);
void skiffi_race_failed(struct skiffi_race *race, size_t index, const struct skiff_error *error);

/* Cancels what runs; `lost` will not be called. */
void skiffi_race_stop(struct skiffi_race *race);

/* After it was won, lost or stopped, or before its start: its memory may go. */
void skiffi_race_end(struct skiffi_race *race);

#endif
