/* SPDX-License-Identifier: Apache-2.0 */
/* peerd.c: the neutral far end of the benchmark (peerd.h): listens, and moves bytes.
 *
 *   peerd [-s | -l] CERT KEY
 * prints "tcp PORT tls PORT ws PORT wss PORT" once it listens, on free ports of 127.0.0.1, and ends with its stdin.
 *
 *   -s  never sleeps: for latency and small windows
 *   -l  looks every 150 us or so, as a busy broker does: a sender then neither wakes it nor meets it on the socket's
 * lock; for the CPU that a message costs its publisher */
#include "peerd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DOORS = 4, READ_BYTES = 1 << 20, TLS_READ_BYTES = 32768 };

struct door {
	const char *name;
	bool tls, ws;
	int fd;
};

static struct door doors[DOORS] = {
	{.name = "tcp"},
	{.name = "tls", .tls = true},
	{.name = "ws", .ws = true},
	{.name = "wss", .tls = true, .ws = true},
};
static uint8_t read_buffer[READ_BYTES + 1];

void *peerd_alloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (!memory) {
		fputs("peerd: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

static void door_open(struct door *door, int epoll)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = door};
	socklen_t len = sizeof address;

	door->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(door->fd, (void *)&address, len) || listen(door->fd, 4096) ||
		getsockname(door->fd, (void *)&address, &len) || epoll_ctl(epoll, EPOLL_CTL_ADD, door->fd, &event)) {
		perror("peerd: listen");
		exit(1);
	}
	printf("%s %d%c", door->name, ntohs(address.sin_port), door == doors + DOORS - 1 ? '\n' : ' ');
}

static void door_accept(const struct door *door, int epoll, SSL_CTX *tls)
{
	int fd, on = 1;

	while ((fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		conn_new(fd, epoll, door->ws, door->tls ? tls : NULL);
	}
}

/* Reads what there is; TLS hands out one record at a time, so several are gathered. */
static long read_some(struct conn *conn)
{
	long have = conn_recv(conn, read_buffer, conn->ssl ? TLS_READ_BYTES : READ_BYTES), more;

	if (!conn->ssl || have <= 0)
		return have;
	while (have < READ_BYTES - TLS_READ_BYTES &&
		(more = conn_recv(conn, read_buffer + have, TLS_READ_BYTES)) != 0) {
		if (more < 0) {
			conn->dead = true;
			break;
		}
		have += more;
	}
	return have;
}

static int conn_readable(struct conn *conn)
{
	do {
		long have = read_some(conn);

		if (have < 0)
			return -1;
		if (have == 0)
			break;
		if (conn->ws)
			ws_feed(conn, read_buffer, (size_t)have);
		else
			mqtt_feed(conn, read_buffer, (size_t)have);
		mqtt_answers_out(conn);
		if (conn->dead) {
			conn_flush(conn);
			return -1;
		}
	} while (conn->ssl && SSL_pending(conn->ssl));
	return conn_flush(conn);
}

static void conn_event(struct conn *conn, unsigned events)
{
	int result = 0;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		result = conn_readable(conn);
	if (result == 0 && events & EPOLLOUT)
		result = conn_flush(conn);
	if (result < 0)
		conn_free(conn);
}

static void serve(int epoll, SSL_CTX *tls, int timeout, bool lazy)
{
	struct epoll_event events[256];

	for (;;) {
		int count = epoll_wait(epoll, events, 256, timeout);

		if (lazy) /* as a busy broker is away; the end of stdin, which ends us, is seen at once */
			ppoll(&(struct pollfd){STDIN_FILENO, 0, 0}, 1, &(struct timespec){.tv_nsec = 100000}, NULL);
		for (int i = 0; i < count; i++) {
			void *who = events[i].data.ptr;

			if (!who)
				return; /* stdin has ended */
			if ((struct door *)who >= doors && (struct door *)who < doors + DOORS)
				door_accept(who, epoll, tls);
			else
				conn_event(who, events[i].events);
		}
	}
}

int main(int argc, char **argv)
{
	int option, timeout = -1;
	bool lazy = false;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ending = {.events = EPOLLIN | EPOLLHUP};
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	while ((option = getopt(argc, argv, "sl")) != -1) {
		timeout = 0;
		lazy = option == 'l';
	}
	if (argc - optind != 2) {
		fputs("usage: peerd [-s | -l] CERT KEY\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (SSL_CTX_use_certificate_chain_file(tls, argv[optind]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, argv[optind + 1], SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	SSL_CTX_set_mode(
		tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(tls, (const unsigned char *)"peerd", 5);
	for (struct door *door = doors; door < doors + DOORS; door++)
		door_open(door, epoll);
	fflush(stdout);
	epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ending);
	serve(epoll, tls, timeout, lazy);
	return 0;
}
