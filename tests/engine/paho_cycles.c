/* SPDX-License-Identifier: Apache-2.0 */
/* paho_cycles.c: thousands of connections on the engine paho leave nothing behind: no memory, descriptor or thread.
 *
 * Many clients at once connect and disconnect, again and again: some live through all of it, some are made anew each
 * time, some are freed while connected. What the process has is noted after the first cycles, which fill Paho's and
 * OpenSSL's own stores, and again after the last; Paho destroys what a connection had a little later, so the second
 * look waits for it. Together they also keep Paho's receiving thread awake, which else looks for a new socket only once
 * a second. */
#include "support/broker.h"
#include "support/holdings.h"
#include "support/user.h"
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

#ifdef TESTS_SANITIZED
enum { CYCLES_TCP = 300, CYCLES_TLS = 60, CLIENTS_TCP = 30, CLIENTS_TLS = 12 };
#else
enum { CYCLES_TCP = 10000, CYCLES_TLS = 1000, CLIENTS_TCP = 250, CLIENTS_TLS = 100 };
#endif
/* A block that is left behind in every cycle takes at least 32 bytes of the heap. Two looks may differ by the blocks
 * that threads and OpenSSL keep at hand. */
enum { WARM_UP_PERCENT = 20, CYCLE_SLACK_BYTES = 8, MEMORY_SLACK_BYTES = 64 * 1024, SETTLE_MS = 10000 };

/* ---- what the process has ---- */

struct holdings {
	size_t memory; /* bytes on the heap, in use */
	size_t descriptors, threads;
};

static struct holdings look(void)
{
	return (struct holdings){
		.memory = mallinfo2().uordblks,
		.descriptors = holdings_descriptors(),
		.threads = holdings_threads(),
	};
}

/* ---- cycles ---- */

enum life {
	LIFE_KEPT, /* one client all along */
	LIFE_NEW,  /* a client for each connection */
	LIFE_CUT,  /* the same, freed while connected */
	LIFE_KINDS
};

struct slot {
	struct skiff_options options;
	struct skiff_client *client; /* LIFE_KEPT: between its connections */
	enum life life;
	int cycles;
	pthread_t thread;
	struct skiff_error failed;
};

static bool slot_ended(struct slot *slot, struct skiff_token *token)
{
	bool ok = skiff_token_wait(token, WAITING_LONG_MS) == SKIFF_OK;
	if (!ok)
		slot->failed = *skiff_token_error(token);
	skiff_token_free(token);
	return ok;
}

static bool slot_cycle(struct slot *slot)
{
	if (!slot->client)
		slot->client = skiff_client_new(&slot->options, &slot->failed);
	if (!slot->client || !slot_ended(slot, skiff_connect(slot->client)))
		return false;
	if (slot->life != LIFE_CUT && !slot_ended(slot, skiff_disconnect(slot->client, WAITING_LONG_MS, NULL)))
		return false;
	if (slot->life != LIFE_KEPT) {
		skiff_client_free(slot->client);
		slot->client = NULL;
	}
	return true;
}

static void *slot_run(void *argument)
{
	struct slot *slot = argument;
	for (int i = 0; i < slot->cycles; i++)
		if (!slot_cycle(slot))
			break;
	return NULL;
}

static void slots_run(struct slot *slots, int count, int cycles)
{
	for (int i = 0; i < count; i++) {
		slots[i].cycles = cycles;
		assert_int_equal(pthread_create(&slots[i].thread, NULL, slot_run, &slots[i]), 0);
	}
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_join(slots[i].thread, NULL), 0);
	for (int i = 0; i < count; i++)
		if (slots[i].failed.code)
			fail_msg("client %d: %s", i, slots[i].failed.text);
}

/* ---- what is left ---- */

static bool settled(const void *subject)
{
	const struct holdings *limit = subject;
	struct holdings now = look();
	return now.descriptors <= limit->descriptors && now.threads <= limit->threads && now.memory <= limit->memory;
}

static struct slot *slots_new(const struct broker *broker, enum broker_door door, int count)
{
	struct slot *slots = calloc((size_t)count, sizeof *slots);
	assert_non_null(slots);
	for (int i = 0; i < count; i++) {
		slots[i].life = (enum life)(i % LIFE_KINDS);
		slots[i].options = (struct skiff_options){.engine = SKIFF_ENGINE_PAHO,
			.timeouts = {.tcp_ms = WAITING_LONG_MS, .tls_ms = WAITING_LONG_MS, .total_ms = WAITING_LONG_MS},
			.reconnect.off = true};
		broker_use(broker, door, &slots[i].options);
	}
	return slots;
}

/* Asserts that after `cycles` more there is no more than `before`. */
static void expect_no_growth(const struct holdings *before, int cycles)
{
	struct holdings limit = *before;
	limit.memory += MEMORY_SLACK_BYTES + (size_t)cycles * CYCLE_SLACK_BYTES;
	bool ok = waiting_poll(settled, &limit, SETTLE_MS);
	struct holdings after = look();
	printf("%d connections: heap %zu -> %zu bytes, descriptors %zu -> %zu, threads %zu -> %zu\n", cycles,
		before->memory, after.memory, before->descriptors, after.descriptors, before->threads, after.threads);
	assert_true(ok);
}

/* Runs the cycles over one door, and compares. */
static void cycles_leave_nothing(enum broker_door door, int count, int cycles)
{
	struct broker *broker = broker_start(&(struct broker_options){.doors = 1u << door});
	struct slot *slots = slots_new(broker, door, count);
	int each = cycles / count, first = each * WARM_UP_PERCENT / 100;
	slots_run(slots, count, first);
	struct holdings before = look();
	slots_run(slots, count, each - first);
	expect_no_growth(&before, count * (each - first));
	for (int i = 0; i < count; i++)
		skiff_client_free(slots[i].client);
	free(slots);
	broker_stop(broker);
}

static void over_tcp(void **state)
{
	(void)state;
	cycles_leave_nothing(BROKER_TCP, CLIENTS_TCP, CYCLES_TCP);
}

static void over_tls(void **state)
{
	(void)state;
	cycles_leave_nothing(BROKER_TLS, CLIENTS_TLS, CYCLES_TLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(over_tcp), cmocka_unit_test(over_tls)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
