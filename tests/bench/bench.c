/* SPDX-License-Identifier: Apache-2.0 */
/* bench.c: arguments, clocks and the printed line, for every program of the benchmark. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench bench;

void bench_args(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: %s MODE URL QOS N SIZE WINDOW\n", argv[0]);
		exit(2);
	}
	bench.mode = argv[1];
	bench.url = argv[2];
	bench.qos = atoi(argv[3]);
	bench.n = atol(argv[4]);
	bench.size = atoi(argv[5]);
	bench.window = atoi(argv[6]);
	if (sscanf(bench.url, "%7[a-z]://%63[^:]:%d", bench.scheme, bench.host, &bench.port) != 3 || bench.n < 1 ||
		bench.size < 0 || bench.window < 1) {
		fprintf(stderr, "%s: '%s' is no SCHEME://ADDRESS:PORT, or a number is out of range\n", argv[0],
			bench.url);
		exit(2);
	}
	bench.ws = bench.scheme[0] == 'w';
	bench.tls = !strcmp(bench.scheme, "tls") || !strcmp(bench.scheme, "wss");
	bench.ca = getenv("CA");
	bench.rate = getenv("RATE") ? atof(getenv("RATE")) : 1000;
}

static int time_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void bench_print_what(const char *peer)
{
	printf("%s %s %s %d %ld %d %d ", peer, bench.mode, bench.scheme, bench.qos, bench.n, bench.size, bench.window);
}

void bench_report(const char *peer, double wall_us, double cpu_us, double *times_us, long count, double memory)
{
	double p50 = 0, p99 = 0;

	if (count) {
		qsort(times_us, (size_t)count, sizeof *times_us, time_compare);
		p50 = times_us[count / 2];
		p99 = times_us[count * 99 / 100];
	}
	bench_print_what(peer);
	printf("rate=%.0f cpu_us=%.3f p50_us=%.1f p99_us=%.1f", (double)bench.n / wall_us * 1e6,
		cpu_us / (double)bench.n, p50, p99);
	if (memory >= 0)
		printf(" mem_b=%.0f", memory);
	puts("");
	fflush(stdout);
}

void bench_unsupported(const char *peer)
{
	bench_print_what(peer);
	puts("unsupported");
	fflush(stdout);
	_exit(3);
}

void bench_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", peer_name, what);
	_exit(1);
}

void *bench_alloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		bench_fail("out of memory");
	return memory;
}

static double clock_us(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

double bench_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

double bench_cpu_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

long bench_memory_bytes(void)
{
	long all = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file) {
		if (fscanf(file, "%ld %ld", &all, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * sysconf(_SC_PAGESIZE);
}

void bench_sleep_until_us(double when)
{
	double seconds = floor(when / 1e6);
	struct timespec time = {(time_t)seconds, (long)((when - seconds * 1e6) * 1e3)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}
