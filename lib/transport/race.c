/* SPDX-License-Identifier: Apache-2.0 */
/* race.c: who is first. Holds no sockets: it only says when to begin, and whom to drop.
 *
 * Happy path: begin address 0; every 250 ms, or at once when one fails, begin the next; the first to win cancels the
 * rest. Failure: when the last one under way has failed and none is left, `lost` gets the error that says most about
 * the host: what a peer answered before silence, silence before a missing route. */
#include "transport/race.h"

#include "base/error.h"
#include "loop/handles.h"
#include <string.h>

static void race_on_delay(uv_timer_t *timer);

bool skiffi_race_init(struct skiffi_race *race, struct skiffi_loop *loop, const struct skiffi_race_ops *ops, void *user)
{
	memset(race, 0, sizeof *race);
	race->loop = loop;
	race->ops = ops;
	race->user = user;
	race->timer = skiffi_timer_take(loop, race);
	return race->timer;
}

static void race_begin_next(struct skiffi_race *race)
{
	size_t index = race->next++;
	race->running |= UINT32_C(1) << index;
	/* an attempt that fails at once has already begun its successor, from inside */
	if (race->ops->begin(race->user, index) && !race->decided && race->next < race->addresses.count)
		uv_timer_start(race->timer, race_on_delay, SKIFFI_RACE_DELAY_MS, 0);
}

static void race_on_delay(uv_timer_t *timer)
{
	race_begin_next(timer->data);
}

void skiffi_race_start(struct skiffi_race *race, const struct skiffi_addresses *addresses)
{
	race->addresses = *addresses;
	race_begin_next(race);
}

static void race_decide(struct skiffi_race *race)
{
	race->decided = true;
	uv_timer_stop(race->timer);
	uint32_t running = race->running;
	race->running = 0;
	for (size_t index = 0; index < race->addresses.count; index++)
		if (running & UINT32_C(1) << index)
			race->ops->cancel(race->user, index);
}

void skiffi_race_won(struct skiffi_race *race, size_t index)
{
	race->running &= ~(UINT32_C(1) << index);
	race_decide(race);
}

/* How much an error says about the host. */
static int race_weight(const struct skiff_error *error)
{
	switch (error->code) {
	case SKIFF_OK:
		return 0;
	case SKIFF_TCP_UNREACHABLE:
		return 1;
	case SKIFF_TCP_FAILED:
		return 2;
	case SKIFF_TCP_TIMEOUT:
		return 3;
	case SKIFF_TCP_REFUSED:
		return 4;
	default:
		return 5;
	}
}

void skiffi_race_failed(struct skiffi_race *race, size_t index, const struct skiff_error *error)
{
	race->running &= ~(UINT32_C(1) << index);
	if (race->decided)
		return;
	if (race_weight(error) > race_weight(&race->error))
		race->error = *error;
	if (race->next < race->addresses.count) {
		uv_timer_stop(race->timer);
		race_begin_next(race);
	} else if (!race->running) {
		race_decide(race);
		if (race->addresses.count > 1)
			skiffi_error_prefix(&race->error, "none of %zu addresses works", race->addresses.count);
		race->ops->lost(race->user, &race->error);
	}
}

void skiffi_race_stop(struct skiffi_race *race)
{
	race_decide(race);
}

void skiffi_race_end(struct skiffi_race *race)
{
	skiffi_timer_give(race->loop, race->timer);
}
