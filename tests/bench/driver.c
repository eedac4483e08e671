/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c: the modes, for a library behind peer_* (bench.h). */
#include "bench.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sem_t wake;
static atomic_long done, got;
static atomic_long wanted; /* `done` at which the main thread wants to be woken; 0: it does not sleep */
static double *started_us; /* per message; NULL: not timed */
static double *times_us;
static double first_us; /* when the first message arrived */

void bench_ack(void)
{
	long now = atomic_load_explicit(&done, memory_order_relaxed);
	long target;

	if (started_us && now < bench.n)
		times_us[now] = bench_now_us() - started_us[now];
	now = atomic_fetch_add(&done, 1) + 1;
	target = atomic_load(&wanted);
	if (target && now >= target && atomic_compare_exchange_strong(&wanted, &target, 0))
		sem_post(&wake);
}

void bench_got(void)
{
	long now = atomic_fetch_add(&got, 1) + 1;

	if (now == 1)
		first_us = bench_now_us();
	if (now == bench.n && peer_threads)
		sem_post(&wake);
}

static void wait_done(void *peer, long target)
{
	long expected = target;

	if (!peer_threads) {
		while (atomic_load(&done) < target)
			peer_poll(peer);
		return;
	}
	if (atomic_load(&done) >= target)
		return;
	atomic_store(&wanted, target);
	if (atomic_load(&done) >= target && atomic_compare_exchange_strong(&wanted, &expected, 0))
		return;
	sem_wait(&wake);
}

static void publish(void *peer, const void *payload, int size, int qos)
{
	for (;;) {
		long before = atomic_load(&done);

		if (peer_publish(peer, "bench/t", payload, size, qos))
			return;
		if (peer_threads)
			wait_done(peer, before + 1); /* full: something is under way, and will be done */
		else
			peer_poll(peer);
	}
}

static void *open_or_fail(bool resume)
{
	void *peer = peer_open(resume);

	if (!peer)
		bench_fail("no connection");
	return peer;
}

static void mode_connect(bool resume)
{
	double wall_us, cpu_us;

	if (resume && (!peer_resumes || !bench.tls))
		bench_unsupported(peer_name);
	peer_close(open_or_fail(resume));
	times_us = bench_alloc((size_t)bench.n, sizeof *times_us);
	wall_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++) {
		double begin_us = bench_now_us();
		void *peer = open_or_fail(resume);

		times_us[i] = bench_now_us() - begin_us;
		peer_close(peer);
	}
	bench_report(peer_name, bench_now_us() - wall_us, bench_cpu_us() - cpu_us, times_us, bench.n, -1);
}

static void mode_idle(void)
{
	double wall_us, cpu_us;
	long before;

	open_or_fail(false);
	before = bench_memory_bytes();
	wall_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++)
		open_or_fail(false);
	wall_us = bench_now_us() - wall_us;
	cpu_us = bench_cpu_us() - cpu_us;
	bench_report(peer_name, wall_us, cpu_us, NULL, 0, (double)(bench_memory_bytes() - before) / (double)bench.n);
}

static void mode_sub(void)
{
	void *peer = open_or_fail(false);
	double cpu_us = bench_cpu_us();
	char filter[128];

	snprintf(filter, sizeof filter, "src/%d/%ld/%d/%d", bench.qos, bench.n, bench.size, bench.window);
	if (!peer_subscribe(peer, filter, bench.qos))
		bench_fail("cannot subscribe");
	if (peer_threads)
		sem_wait(&wake);
	else
		while (atomic_load(&got) < bench.n)
			peer_poll(peer);
	bench_report(peer_name, bench_now_us() - first_us, bench_cpu_us() - cpu_us, NULL, 0, -1);
}

/* `paced`: at the fixed rate, however long each takes; else one after the other. */
static void mode_latency(const void *payload, bool paced)
{
	void *peer = open_or_fail(false);
	double begin_us, cpu_us;

	times_us = bench_alloc((size_t)bench.n, sizeof *times_us);
	started_us = bench_alloc((size_t)bench.n, sizeof *started_us);
	begin_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++) {
		if (paced)
			bench_sleep_until_us(begin_us + (double)i * 1e6 / bench.rate);
		started_us[i] = bench_now_us();
		publish(peer, payload, bench.size, bench.qos);
		if (!paced || !peer_threads)
			wait_done(peer, i + 1);
	}
	wait_done(peer, bench.n);
	bench_report(peer_name, bench_now_us() - begin_us, bench_cpu_us() - cpu_us, times_us, bench.n, -1);
}

static void mode_pub(const void *payload)
{
	void *peer = open_or_fail(false);
	long limit = bench.qos && peer_queues && bench.window > 1 ? 2L * bench.window : bench.window;
	double begin_us = bench_now_us(), cpu_us = bench_cpu_us();

	for (long i = 0; i < bench.n; i++) {
		if (i - atomic_load_explicit(&done, memory_order_relaxed) >= limit)
			wait_done(peer, peer_threads ? i - limit / 2 : i - limit + 1);
		publish(peer, payload, bench.size, bench.qos);
	}
	if (!bench.qos)
		publish(peer, "fence", 5, 1);
	wait_done(peer, bench.n + !bench.qos);
	bench_report(peer_name, bench_now_us() - begin_us, bench_cpu_us() - cpu_us, NULL, 0, -1);
}

int main(int argc, char **argv)
{
	char *payload;

	bench_args(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	sem_init(&wake, 0, 0);
	if (!peer_init())
		bench_unsupported(peer_name);
	payload = bench_alloc((size_t)bench.size + 1, 1);
	memset(payload, 'x', (size_t)bench.size);

	if (!strcmp(bench.mode, "conn") || !strcmp(bench.mode, "resume"))
		mode_connect(bench.mode[0] == 'r');
	else if (!strcmp(bench.mode, "idle"))
		mode_idle();
	else if (!strcmp(bench.mode, "sub"))
		mode_sub();
	else if (!strcmp(bench.mode, "lat") || !strcmp(bench.mode, "ping"))
		mode_latency(payload, bench.mode[0] == 'l');
	else if (!strcmp(bench.mode, "pub"))
		mode_pub(payload);
	else
		bench_unsupported(peer_name);
	/* Without taking the library down: that is not what is measured, and the line is out. */
	_exit(0);
}
