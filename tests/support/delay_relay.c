/* SPDX-License-Identifier: Apache-2.0 */
/* delay_relay.c: one thread takes connections, one for each carries it; a delay sleeps there, which holds up nothing
 * else. */
#include "support/delay_relay.h"

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

enum { LINKS = 256, READ_BYTES = 65536, NAP_MS = 50 };

struct delay_link {
	struct delay_relay *relay;
	pthread_t thread;
	int fds[2]; /* client, broker */
};

struct delay_relay {
	int listener;
	uint16_t target, port;
	unsigned burst;
	int delay_ms;
	pthread_t thread;
	atomic_bool stopping;
	atomic_uint_fast64_t bytes;
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

static bool link_write(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Carries what there is at one side; false: it has ended. */
static bool link_carry(struct delay_link *link, int from, unsigned *bursts, bool *client_was_last)
{
	char data[READ_BYTES];
	struct delay_relay *relay = link->relay;
	ssize_t got = recv(link->fds[from], data, sizeof data, 0);
	if (got <= 0)
		return false;
	if (from == 0)
		atomic_fetch_add(&relay->bytes, (uint64_t)got);
	if (from == 1 && *client_was_last && (++*bursts == relay->burst || !relay->burst))
		relay_sleep(relay->delay_ms);
	*client_was_last = from == 0;
	return link_write(link->fds[!from], data, (size_t)got);
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
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(relay->target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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
	relay_check(!pthread_create(&link->thread, NULL, link_main, link), "thread");
	relay->count++;
}

static void *relay_main(void *argument)
{
	struct delay_relay *relay = argument;
	while (!atomic_load(&relay->stopping)) {
		struct pollfd fd = {relay->listener, POLLIN, 0};
		if (poll(&fd, 1, NAP_MS) == 1)
			relay_take(relay);
	}
	return NULL;
}

struct delay_relay *delay_relay_start(uint16_t port, unsigned burst, int delay_ms)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	struct delay_relay *relay = calloc(1, sizeof *relay);
	relay_check(relay, "memory");
	relay->target = port;
	relay->burst = burst;
	relay->delay_ms = delay_ms;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(!bind(relay->listener, (struct sockaddr *)&address, sizeof address), "bind");
	relay_check(!getsockname(relay->listener, (struct sockaddr *)&address, &len), "name");
	relay_check(!listen(relay->listener, LINKS), "listen");
	relay->port = ntohs(address.sin_port);
	relay_check(!pthread_create(&relay->thread, NULL, relay_main, relay), "thread");
	return relay;
}

uint16_t delay_relay_port(const struct delay_relay *relay)
{
	return relay->port;
}

uint64_t delay_relay_bytes(const struct delay_relay *relay)
{
	return atomic_load(&relay->bytes);
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
