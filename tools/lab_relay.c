/* SPDX-License-Identifier: Apache-2.0 */
/* lab_relay.c: bytes from a Unix socket to a TCP port and back, with poll(2); made for a handful of test connections.
 *
 * A pair is two sockets. What is read from one is written to the other at once; the write may block for a moment, which
 * a lab can bear. The end of one direction is passed on as the end of that direction; a pair goes when both have ended
 * or either breaks. */
#include "lab_relay.h"
#include "lab_process.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RELAY_PAIRS = 256 };

struct relay {
	int listener, port;
	size_t pairs;
	struct pollfd polls[1 + 2 * RELAY_PAIRS]; /* the listener, then the two ends of each pair */
};

static int relay_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void relay_accept(struct relay *relay)
{
	int near = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
	int far = near < 0 || relay->pairs == RELAY_PAIRS ? -1 : relay_connect(relay->port);

	if (far < 0) {
		if (near >= 0)
			close(near);
		return;
	}
	struct pollfd *pair = &relay->polls[1 + 2 * relay->pairs++];
	pair[0] = (struct pollfd){.fd = near, .events = POLLIN};
	pair[1] = (struct pollfd){.fd = far, .events = POLLIN};
}

static bool bytes_send(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		bytes += sent;
		count -= (size_t)sent;
	}
	return true;
}

/* Carries what `from` has to `to`; false when the pair is broken. An end that has no more to say stops being polled for
 * it. */
static bool end_carry(struct pollfd *from, const struct pollfd *to)
{
	char bytes[16384];
	ssize_t count = read(from->fd, bytes, sizeof(bytes));

	if (count > 0)
		return bytes_send(to->fd, bytes, (size_t)count);
	from->events = 0;
	return count == 0 && shutdown(to->fd, SHUT_WR) == 0;
}

static bool pair_serve(struct pollfd *pair)
{
	for (int i = 0; i < 2; i++) {
		if (pair[i].events != 0 && pair[i].revents != 0 && !end_carry(&pair[i], &pair[1 - i]))
			return false;
		if (pair[i].events == 0 && (pair[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
			return false;
	}
	return pair[0].events != 0 || pair[1].events != 0;
}

static void relay_serve(struct relay *relay)
{
	for (size_t i = 0; i < relay->pairs;) {
		struct pollfd *pair = &relay->polls[1 + 2 * i];
		if (pair_serve(pair)) {
			i++;
			continue;
		}
		close(pair[0].fd);
		close(pair[1].fd);
		memmove(pair, &relay->polls[1 + 2 * --relay->pairs], 2 * sizeof(*pair));
	}
}

static void relay_run(int listener, int port)
{
	static struct relay relay;

	relay.listener = listener;
	relay.port = port;
	relay.polls[0] = (struct pollfd){.fd = listener, .events = POLLIN};
	for (;;) {
		if (poll(relay.polls, 1 + 2 * relay.pairs, -1) < 0) {
			if (errno != EINTR)
				_exit(1);
			continue;
		}
		relay_serve(&relay);
		if (relay.polls[0].revents != 0)
			relay_accept(&relay);
	}
}

static int relay_listen(struct lab *lab)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, lab->socket, sizeof(lab->socket));
	unlink(lab->socket);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 64) == 0)
		return fd;
	lab_fail(lab, "cannot listen on '%s': %s", lab->socket, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool lab_relay_start(struct lab *lab)
{
	int listener = relay_listen(lab);

	if (listener < 0)
		return false;
	lab->relay_pid = lab_process_fork(lab);
	if (lab->relay_pid == 0) {
		close(lab->keeper);
		close(lab->lock);
		relay_run(listener, lab->ports[0]);
	}
	close(listener);
	return lab->relay_pid > 0;
}
