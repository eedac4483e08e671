/* SPDX-License-Identifier: Apache-2.0 */
/* many.c: many connections, many threads, a slow peer, several I/O threads; skiff only, against a far end of peerd.
 *
 *   bench_many connections URL N SECONDS   N idle clients; one of them, and one of ten, has its messages timed
 *   bench_many threads URL                 1 and 8 threads through one client, 8 threads through 8
 *   bench_many slow URL                    a client whose peer reads 1 KiB a second beside one that is timed
 *   bench_many loops URL                   4 clients on one I/O thread, and on two
 * prints lines "name=value"; environment CA as for the others. */
#include "bench.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <skiff/skiff.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 60000,
	FEW = 10,
	WARM = 500,
	TIMED = 5000,
	THREADS = 8,
	PER_THREAD = 200000,
	LOOP_CLIENTS = 4,
	LOOP_MESSAGES = 40000
};

const char *peer_name = "skiff";
static const char *url;

static struct skiff_client *client_new(const char *to, size_t queue_bytes)
{
	struct skiff_options options = {.url = to,
		.version = SKIFF_MQTT_311,
		.keep_alive_s = 600,
		.tls.ca_file = getenv("CA"),
		.queue = {.full = queue_bytes ? SKIFF_FULL_REFUSE : SKIFF_FULL_WAIT, .max_bytes = queue_bytes},
		.reconnect.off = true};
	struct skiff_error error;
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client)
		bench_fail(error.text);
	return client;
}

static void check(enum skiff_code code)
{
	if (code)
		bench_fail(skiff_code_text(code));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Round trips one after the other: CPU and time of each. */
static void ping(struct skiff_client *client, const char *name)
{
	static double times_us[TIMED];
	double cpu_us = 0;
	for (int i = -WARM; i < TIMED; i++) {
		if (!i)
			cpu_us = bench_cpu_us();
		double begin_us = bench_now_us();
		check(skiff_wait(skiff_publish(client, "bench/t", "x", 1, 1, false), PATIENCE_MS));
		if (i >= 0)
			times_us[i] = bench_now_us() - begin_us;
	}
	cpu_us = (bench_cpu_us() - cpu_us) / TIMED;
	qsort(times_us, TIMED, sizeof *times_us, by_value);
	printf("%s_cpu_us=%.2f\n%s_p50_us=%.1f\n%s_p99_us=%.1f\n", name, cpu_us, name, times_us[TIMED / 2], name,
		times_us[TIMED * 99 / 100]);
}

/* ---- connections ---- */

static void raise_limit(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void open_all(struct skiff_client **clients, struct skiff_token **tokens, long from, long to)
{
	for (long i = from; i < to; i++) {
		clients[i] = client_new(url, 0);
		tokens[i] = skiff_connect(clients[i]);
	}
	for (long i = from; i < to; i++)
		check(skiff_wait(tokens[i], PATIENCE_MS));
}

static void mode_connections(long n, int seconds)
{
	struct skiff_client **clients = bench_alloc((size_t)n, sizeof *clients);
	struct skiff_token **tokens = bench_alloc((size_t)n, sizeof *tokens);
	raise_limit();
	open_all(clients, tokens, 0, FEW);
	ping(clients[0], "few");
	long memory = bench_memory_bytes();
	double begin_us = bench_now_us(), cpu_us = bench_cpu_us();
	open_all(clients, tokens, FEW, n);
	printf("connect_ms=%.0f\nconnect_cpu_us=%.1f\n", (bench_now_us() - begin_us) / 1000,
		(bench_cpu_us() - cpu_us) / (double)(n - FEW));
	printf("memory_bytes=%.0f\n", (double)(bench_memory_bytes() - memory) / (double)(n - FEW));
	ping(clients[n / 2], "many");
	cpu_us = bench_cpu_us();
	bench_sleep_until_us(bench_now_us() + seconds * 1e6);
	printf("idle_cpu_ms=%.1f\n", (bench_cpu_us() - cpu_us) / 1000);
}

/* ---- threads ---- */

static atomic_int started;
static int wanted;

struct publisher {
	pthread_t thread;
	struct skiff_client *client;
	double end_us;
};

static void *publisher_main(void *argument)
{
	struct publisher *self = argument;
	struct skiff_message message = {.topic = skiff_text("bench/t"), .payload = skiff_text("0123456789abcdef")};
	atomic_fetch_add(&started, 1);
	while (atomic_load(&started) < wanted)
		;
	for (int i = 0; i < PER_THREAD; i++)
		check(skiff_publish_message(self->client, &message, NULL));
	self->end_us = bench_now_us();
	return NULL;
}

/* How many messages a second they publish together; and how much longer the last took than the first. */
static void publish_all(const char *name, struct publisher *publishers, int count)
{
	double begin_us = bench_now_us(), first_us = 0, last_us = 0;
	wanted = count;
	atomic_store(&started, 0);
	for (int i = 0; i < count; i++)
		pthread_create(&publishers[i].thread, NULL, publisher_main, &publishers[i]);
	for (int i = 0; i < count; i++) {
		pthread_join(publishers[i].thread, NULL);
		double took_us = publishers[i].end_us - begin_us;
		first_us = !i || took_us < first_us ? took_us : first_us;
		last_us = took_us > last_us ? took_us : last_us;
	}
	for (int i = 0; i < count; i++)
		check(skiff_flush(publishers[i].client, PATIENCE_MS));
	printf("%s_rate=%.0f\n%s_unfair=%.2f\n", name, count * (double)PER_THREAD * 1e6 / (bench_now_us() - begin_us),
		name, last_us / first_us);
}

static void mode_threads(void)
{
	struct publisher publishers[THREADS];
	for (int i = 0; i < THREADS; i++) {
		publishers[i].client = client_new(url, 0);
		check(skiff_wait(skiff_connect(publishers[i].client), PATIENCE_MS));
	}
	publish_all("one", publishers, 1);
	publish_all("own", publishers, THREADS);
	for (int i = 1; i < THREADS; i++)
		publishers[i].client = publishers[0].client;
	publish_all("shared", publishers, THREADS);
}

/* ---- a slow peer ---- */

enum { SLOW_MS = 1000 };

static void *slow_main(void *argument)
{
	int *listener = argument, small = 4096;
	char bytes[1024];
	setsockopt(*listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	int fd = accept(*listener, NULL, NULL);
	if (recv(fd, bytes, sizeof bytes, 0) > 0 && send(fd, "\x20\2\0\0", 4, MSG_NOSIGNAL) == 4)
		while (recv(fd, bytes, sizeof bytes, 0) > 0)
			poll(&(struct pollfd){fd, POLLRDHUP, 0}, 1, SLOW_MS); /* what it is slow by; or the end */
	return NULL;
}

static void mode_slow(void)
{
	enum { BOUND = 4 << 20 };
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	char to[64], payload[1024] = "";
	pthread_t thread;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&address, len) || listen(listener, 1) ||
		getsockname(listener, (void *)&address, &len))
		bench_fail("cannot listen");
	pthread_create(&thread, NULL, slow_main, &listener);
	snprintf(to, sizeof to, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
	struct skiff_client *quick = client_new(url, 0), *slow = client_new(to, BOUND);
	check(skiff_wait(skiff_connect(quick), PATIENCE_MS));
	check(skiff_wait(skiff_connect(slow), PATIENCE_MS));
	ping(quick, "alone");
	long memory = bench_memory_bytes(), refused = 0;
	for (int i = 0; i < 100000; i++) {
		struct skiff_message message = {.topic = skiff_text("t"), .payload = {payload, sizeof payload}};
		refused += skiff_publish_message(slow, &message, NULL) == SKIFF_AGAIN;
	}
	printf("slow_memory_bytes=%ld\nslow_bound_bytes=%d\nslow_refused=%ld\n", bench_memory_bytes() - memory, BOUND,
		refused);
	ping(quick, "beside");
}

/* ---- I/O threads ---- */

static atomic_long arrived;
static sem_t all_arrived;
static atomic_uint worked; /* so that the work is not left out */

static void on_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	unsigned sum = 0; /* work on what came, so much that the far end on the same machine counts for little */
	(void)client;
	(void)user;
	for (int round = 0; round < 200; round++)
		for (size_t i = 0; i < message->payload.len; i++)
			sum = sum * 31 + ((const unsigned char *)message->payload.data)[i];
	atomic_store_explicit(&worked, sum, memory_order_relaxed);
	if (atomic_fetch_add(&arrived, 1) + 1 == (long)LOOP_CLIENTS * LOOP_MESSAGES)
		sem_post(&all_arrived);
}

static double receive_rate(unsigned threads)
{
	struct skiff_client *clients[LOOP_CLIENTS];
	char filter[64];
	check(skiff_io_threads(threads));
	for (int i = 0; i < LOOP_CLIENTS; i++) {
		clients[i] = client_new(url, 0);
		check(skiff_wait(skiff_connect(clients[i]), PATIENCE_MS));
	}
	snprintf(filter, sizeof filter, "src/0/%d/64/1000", LOOP_MESSAGES);
	atomic_store(&arrived, 0);
	double begin_us = bench_now_us();
	for (int i = 0; i < LOOP_CLIENTS; i++)
		skiff_token_free(skiff_subscribe(clients[i], filter, 0, on_message, NULL));
	sem_wait(&all_arrived);
	double rate = (double)LOOP_CLIENTS * LOOP_MESSAGES * 1e6 / (bench_now_us() - begin_us);
	for (int i = 0; i < LOOP_CLIENTS; i++)
		skiff_client_free(clients[i]);
	return rate;
}

static void mode_loops(void)
{
	sem_init(&all_arrived, 0, 0);
	double one = receive_rate(1), two = receive_rate(2);
	printf("loops_one_rate=%.0f\nloops_two_rate=%.0f\nloops_scale=%.2f\n", one, two, two / one);
}

int main(int argc, char **argv)
{
	url = argc > 2 ? argv[2] : "";
	if (argc == 5 && !strcmp(argv[1], "connections"))
		mode_connections(atol(argv[3]), atoi(argv[4]));
	else if (argc == 3 && !strcmp(argv[1], "threads"))
		mode_threads();
	else if (argc == 3 && !strcmp(argv[1], "slow"))
		mode_slow();
	else if (argc == 3 && !strcmp(argv[1], "loops"))
		mode_loops();
	else
		bench_fail("usage: bench_many connections URL N SECONDS | threads URL | slow URL | loops URL");
	fflush(stdout);
	_exit(0);
}
