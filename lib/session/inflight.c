/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.c: slots by packet id, in lists through themselves; the table doubles until all 65535 ids are there. */
#include "session/inflight.h"

#include "base/alloc.h"
#include <assert.h>

enum { INFLIGHT_FIRST = 32, INFLIGHT_ALL = 65536 };

static void order_push(struct skiffi_inflight *inflight, struct skiffi_order *order, uint16_t id)
{
	struct skiffi_slot *slot = &inflight->slots[id];
	slot->next = 0;
	slot->prev = order->last;
	if (order->last)
		inflight->slots[order->last].next = id;
	else
		order->first = id;
	order->last = id;
}

static void order_remove(struct skiffi_inflight *inflight, struct skiffi_order *order, uint16_t id)
{
	struct skiffi_slot *slot = &inflight->slots[id];
	if (slot->prev)
		inflight->slots[slot->prev].next = slot->next;
	else
		order->first = slot->next;
	if (slot->next)
		inflight->slots[slot->next].prev = slot->prev;
	else
		order->last = slot->prev;
}

static bool inflight_grow(struct skiffi_inflight *inflight)
{
	if (inflight->count == INFLIGHT_ALL)
		return false;
	uint32_t count = inflight->count ? inflight->count * 2 : INFLIGHT_FIRST;
	struct skiffi_slot *slots = skiffi_realloc(inflight->slots, count * sizeof *slots);
	if (!slots)
		return false;
	uint32_t first = inflight->count ? inflight->count : 1;
	inflight->slots = slots;
	inflight->count = count;
	for (uint32_t id = first; id < count; id++) {
		slots[id] = (struct skiffi_slot){0};
		order_push(inflight, &inflight->free, (uint16_t)id);
	}
	return true;
}

/* The order an id stands in by what it waits for; NULL: in none. */
static struct skiffi_order *inflight_order(struct skiffi_inflight *inflight, uint8_t await)
{
	if (await == SKIFFI_AWAIT_PUBACK || await == SKIFFI_AWAIT_PUBREC)
		return &inflight->publishes;
	return await == SKIFFI_AWAIT_PUBCOMP ? &inflight->releases : NULL;
}

uint16_t skiffi_inflight_new(
	struct skiffi_inflight *inflight, enum skiffi_await await, struct skiffi_kept *kept, void *op)
{
	if (!inflight->free.first && !inflight_grow(inflight))
		return 0;
	/* The id freed longest ago: a late acknowledgement of its last use then meets a free id. */
	uint16_t id = inflight->free.first;
	order_remove(inflight, &inflight->free, id);
	struct skiffi_slot *slot = &inflight->slots[id];
	slot->kept = kept;
	slot->op = op;
	slot->await = (uint8_t)await;
	slot->waits = false;
	struct skiffi_order *order = inflight_order(inflight, slot->await);
	if (order) {
		order_push(inflight, order, id);
		inflight->messages++;
	} else {
		inflight->others++;
	}
	return id;
}

struct skiffi_slot *skiffi_inflight_at(struct skiffi_inflight *inflight, uint16_t id)
{
	if (!id || id >= inflight->count || inflight->slots[id].await == SKIFFI_AWAIT_NOTHING)
		return NULL;
	return &inflight->slots[id];
}

void skiffi_inflight_released(struct skiffi_inflight *inflight, uint16_t id)
{
	struct skiffi_slot *slot = &inflight->slots[id];
	assert(slot->await == SKIFFI_AWAIT_PUBREC);
	order_remove(inflight, &inflight->publishes, id);
	slot->await = SKIFFI_AWAIT_PUBCOMP;
	slot->kept = NULL;
	order_push(inflight, &inflight->releases, id);
}

void skiffi_inflight_end(struct skiffi_inflight *inflight, uint16_t id)
{
	struct skiffi_slot *slot = &inflight->slots[id];
	struct skiffi_order *order = inflight_order(inflight, slot->await);
	if (order) {
		order_remove(inflight, order, id);
		inflight->messages--;
	} else {
		inflight->others--;
	}
	slot->await = SKIFFI_AWAIT_NOTHING;
	slot->kept = NULL;
	slot->op = NULL;
	order_push(inflight, &inflight->free, id);
}

void skiffi_inflight_release(struct skiffi_inflight *inflight)
{
	skiffi_free(inflight->slots);
	*inflight = (struct skiffi_inflight){0};
}
