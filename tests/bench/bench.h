/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h: the same MQTT work done by several client libraries, and what their programs share.
 *
 *   bench_PEER MODE URL QOS N SIZE WINDOW
 * prints one line
 *   peer mode scheme qos n size window rate=... cpu_us=... p50_us=... p99_us=... [mem_b=...]
 *
 * MODE
 *   pub     publish N messages of SIZE bytes on "bench/t" as fast as WINDOW allows; ends when all are acknowledged (QoS
 * 0: when one fence of QoS 1 after them is, so that the far end has read every byte) lat     publish N at a fixed rate
 * (environment RATE, default 1000 a second); the times from publish to completion ping    publish one, wait until it is
 * complete, N times sub     subscribe to "src/QOS/N/SIZE/WINDOW", which makes the far end send N, and receive them conn
 * connect, wait for CONNACK, disconnect; N times, with full TLS handshakes resume  the same with TLS session resumption
 * after the first idle    open N connections and keep them: memory of this process per connection URL       tcp, tls,
 * ws or wss://ADDRESS:PORT; environment CA: the certificate to trust
 *
 * rate counts messages (or cycles) a second, cpu_us the user and system time of the whole process per message, start-up
 * aside. A peer that cannot do what is asked says "unsupported" and exits 3. */
#ifndef SKIFF_TESTS_BENCH_H
#define SKIFF_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* What was asked for on the command line. */
struct bench {
	const char *mode, *url, *ca;
	char scheme[8], host[64];
	int port;
	bool tls, ws;
	int qos, size, window;
	long n;
	double rate; /* messages a second */
};
extern struct bench bench;

/* bench.c: for every program. The lists of times are sorted in place; `memory` below 0 is not printed. Running out of
 * memory or misuse ends the program. */
void bench_args(int argc, char **argv);
void bench_report(const char *peer, double wall_us, double cpu_us, double *times_us, long count, double memory);
_Noreturn void bench_unsupported(const char *peer);
_Noreturn void bench_fail(const char *what);
void *bench_alloc(size_t count, size_t size);
double bench_now_us(void);
double bench_cpu_us(void);
long bench_memory_bytes(void);
void bench_sleep_until_us(double when);

/* What a library's peer_*.c defines for driver.c. */
extern const char *peer_name;
extern bool peer_threads;     /* completions and messages come on the library's own threads, without peer_poll */
extern bool peer_queues;      /* the library queues past its window */
extern bool peer_resumes;     /* peer_open(true) resumes a TLS session */
bool peer_init(void);         /* whether it can do what `bench` asks */
void *peer_open(bool resume); /* connected, CONNACK seen; NULL: failed */
bool peer_publish(void *peer, const char *topic, const void *payload, int size, int qos); /* false: poll, then again */
bool peer_subscribe(void *peer, const char *filter, int qos);
void peer_poll(void *peer); /* without peer_threads: works until something is complete or has arrived */
void peer_close(void *peer);

/* What it calls. */
void bench_ack(void); /* a publish is complete; QoS 0: handed to the socket */
void bench_got(void); /* a message arrived */

#endif
