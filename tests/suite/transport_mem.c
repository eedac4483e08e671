/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/transport_suite.h"
#include "support/mem_transport.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEM_CAPACITY_BYTES = 100000 };

struct mem_far {
	struct mem_link *link;
	suite_script script;
	void *user;
	pthread_t thread;
	bool reset;
};

static size_t peer_read(void *peer, void *data, size_t len)
{
	struct mem_far *far = peer;
	return mem_link_read(far->link, data, len, true);
}

static bool peer_write(void *peer, const void *data, size_t len)
{
	struct mem_far *far = peer;
	return mem_link_write(far->link, data, len, true) == len;
}

static void peer_reset(void *peer)
{
	struct mem_far *far = peer;
	far->reset = true;
}

static bool peer_was_reset(void *peer)
{
	struct mem_far *far = peer;
	bool aborted;
	mem_link_near_gone(far->link, &aborted);
	return aborted;
}

static void *mem_main(void *argument)
{
	struct mem_far *far = argument;
	const struct suite_peer peer = {far, peer_read, peer_write, peer_reset, peer_was_reset};
	far->script(&peer, far->user);
	mem_link_end(far->link, far->reset);
	return NULL;
}

static void *mem_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	static const enum mem_manner manners[] = {
		[SUITE_SERVES] = MEM_SERVES, [SUITE_REFUSES] = MEM_REFUSES, [SUITE_IGNORES] = MEM_IGNORES};
	struct mem_far *far = calloc(1, sizeof *far);
	if (!far)
		abort();
	far->link = mem_link_new(manners[manner], MEM_CAPACITY_BYTES);
	far->script = script;
	far->user = user;
	snprintf(way->url, sizeof way->url, "tcp://memory");
	if (script && pthread_create(&far->thread, NULL, mem_main, far))
		abort();
	return far;
}

static void mem_stop(void *argument)
{
	struct mem_far *far = argument;
	if (far->script)
		pthread_join(far->thread, NULL);
	mem_link_free(far->link);
	free(far);
}

static struct skiffi_transport *mem_make(void *argument, struct skiffi_loop *loop,
	const struct skiffi_transport_config *config, const struct skiffi_transport_events *events, void *user)
{
	struct mem_far *far = argument;
	return mem_transport_new(loop, config, events, user, far->link);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "mem",
		.start = mem_start,
		.stop = mem_stop,
		.make = mem_make,
		.ignored = SKIFF_TCP_TIMEOUT,
		.phases = SUITE_TCP,
		.resets = true,
		.single = true,
	};
	return transport_suite_run(&kind);
}
