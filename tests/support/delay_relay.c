/* SPDX-License-Identifier: Apache-2.0 */
/* delay_relay.c: one thread takes connections, one for each carries it; a delay sleeps there, which holds up nothing
 * else. */
#include "support/delay_relay.h"

#include "support/send_all.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A listener that lets one wait has two that do, and answers no third. */
enum { LINKS = 256, READ_BYTES = 65536, SLOW_BYTES = 1460, NAP_MS = 50, FILLERS = 3 };

#define LATE_S 0.02

struct delay_link {
	struct delay_relay *relay;
	pthread_t thread;
	int fds[2]; /* client, broker */
};

struct delay_relay {
	int listener;
	struct delay_relay_options options;
	uint16_t port;
	int waiting[FILLERS]; /* connections that nobody takes yet */
	pthread_t thread;
	atomic_bool stopping;
	atomic_uint_fast64_t bytes[2]; /* from the client, from the broker */
	struct delay_link links[LINKS];
	size_t count;
};

static void relay_check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void relay_sleep(int ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
	while (nanosleep(&left, &left))
		;
}

/* Carries what there is at one side; false: it has ended. */
static bool link_carry(struct delay_link *link, int from, unsigned *bursts, bool *client_was_last)
{
	char data[READ_BYTES];
	struct delay_relay *relay = link->relay;
	ssize_t got = recv(link->fds[from], data, sizeof data, 0);
	if (got <= 0)
		return false;
	atomic_fetch_add(&relay->bytes[from], (uint64_t)got);
	if (from == 1 && *client_was_last && (++*bursts == relay->options.burst || !relay->options.burst))
		relay_sleep(relay->options.delay_ms);
	*client_was_last = from == 0;
	return send_all(link->fds[!from], data, (size_t)got);
}

static double relay_now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void relay_sleep_until(double due_s)
{
	struct timespec due = {(time_t)due_s, (long)((due_s - (double)(time_t)due_s) * 1e9)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL))
		;
}

/* Carries one direction at the relay's rate: what is sent is due when as many bytes have had their time. A little
 * lateness, as of a sleep that was long, is made up for. */
static void link_pace(struct delay_link *link, int from)
{
	struct delay_relay *relay = link->relay;
	char data[SLOW_BYTES];
	double due_s = 0;
	ssize_t got = 1;
	while (got > 0) {
		got = recv(link->fds[from], data, sizeof data, 0);
		if (got <= 0)
			break;
		double now_s = relay_now_s();
		due_s = (due_s > now_s - LATE_S ? due_s : now_s) + (double)got / relay->options.rate;
		relay_sleep_until(due_s);
		atomic_fetch_add(&relay->bytes[from], (uint64_t)got);
		if (!send_all(link->fds[!from], data, (size_t)got))
			break;
	}
	shutdown(link->fds[0], SHUT_RDWR);
	shutdown(link->fds[1], SHUT_RDWR);
}

static void *link_back_main(void *argument)
{
	link_pace(argument, 1);
	return NULL;
}

static void *link_slow_main(void *argument)
{
	struct delay_link *link = argument;
	pthread_t back;
	relay_check(!pthread_create(&back, NULL, link_back_main, link), "thread");
	link_pace(link, 0);
	pthread_join(back, NULL);
	close(link->fds[0]);
	close(link->fds[1]);
	return NULL;
}

static void *link_main(void *argument)
{
	struct delay_link *link = argument;
	unsigned bursts = 0;
	bool open = true, client_was_last = true;
	while (open && !atomic_load(&link->relay->stopping)) {
		struct pollfd fds[2] = {{link->fds[0], POLLIN, 0}, {link->fds[1], POLLIN, 0}};
		if (poll(fds, 2, NAP_MS) <= 0)
			continue;
		for (int from = 0; open && from < 2; from++)
			if (fds[from].revents)
				open = link_carry(link, from, &bursts, &client_was_last);
	}
	close(link->fds[0]);
	close(link->fds[1]);
	return NULL;
}

static void relay_take(struct delay_relay *relay)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(relay->options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct delay_link *link = &relay->links[relay->count];
	int on = 1;
	relay_check(relay->count < LINKS, "too many connections");
	link->relay = relay;
	link->fds[0] = accept(relay->listener, NULL, NULL);
	link->fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(link->fds[0] >= 0, "accept");
	relay_check(!connect(link->fds[1], (struct sockaddr *)&address, sizeof address), "connect");
	for (int side = 0; side < 2; side++)
		setsockopt(link->fds[side], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	relay_check(!pthread_create(&link->thread, NULL, relay->options.rate > 0 ? link_slow_main : link_main, link),
		"thread");
	relay->count++;
}

/* Leaves no room for connections. */
static void relay_fill(struct delay_relay *relay, const struct sockaddr_in *address)
{
	for (int i = 0; i < FILLERS; i++) {
		relay->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(relay->waiting[i], (const struct sockaddr *)address, sizeof *address);
	}
}

static void *relay_main(void *argument)
{
	struct delay_relay *relay = argument;
	relay_sleep(relay->options.accept_ms);
	for (int i = 0; relay->options.accept_ms && i < FILLERS; i++)
		close(relay->waiting[i]);
	while (!atomic_load(&relay->stopping)) {
		struct pollfd fd = {relay->listener, POLLIN, 0};
		if (poll(&fd, 1, NAP_MS) == 1)
			relay_take(relay);
	}
	return NULL;
}

struct delay_relay *delay_relay_start(const struct delay_relay_options *options)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	struct delay_relay *relay = calloc(1, sizeof *relay);
	relay_check(relay, "memory");
	relay->options = *options;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(!bind(relay->listener, (struct sockaddr *)&address, sizeof address), "bind");
	relay_check(!getsockname(relay->listener, (struct sockaddr *)&address, &len), "name");
	relay_check(!listen(relay->listener, options->accept_ms ? 1 : LINKS), "listen");
	relay->port = ntohs(address.sin_port);
	if (options->accept_ms)
		relay_fill(relay, &address);
	relay_check(!pthread_create(&relay->thread, NULL, relay_main, relay), "thread");
	return relay;
}

uint16_t delay_relay_port(const struct delay_relay *relay)
{
	return relay->port;
}

uint64_t delay_relay_bytes_out(const struct delay_relay *relay)
{
	return atomic_load(&relay->bytes[0]);
}

uint64_t delay_relay_bytes_back(const struct delay_relay *relay)
{
	return atomic_load(&relay->bytes[1]);
}

void delay_relay_stop(struct delay_relay *relay)
{
	atomic_store(&relay->stopping, true);
	pthread_join(relay->thread, NULL);
	for (size_t i = 0; i < relay->count; i++)
		pthread_join(relay->links[i].thread, NULL);
	close(relay->listener);
	free(relay);
}
