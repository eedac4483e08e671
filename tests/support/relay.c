/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c: poll, and two buffers for each connection. */
#include "support/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RELAY_LINKS = 64, RELAY_BYTES = 65536 };

struct relay_way {
	size_t len, sent;
	uint8_t data[RELAY_BYTES];
};

/* fd[0] towards the client, fd[1] towards the broker; way[i] holds what came from fd[i]. */
struct relay_link {
	int fd[2];
	struct relay_way way[2];
};

struct relay {
	pthread_mutex_t lock; /* guards the wishes and `connections` */
	bool ending, stalled, refuse, cut;
	bool limited;
	size_t limit;
	unsigned connections;

	pthread_t thread;
	int wake[2], listener;
	uint16_t port, target;
	char url[64];
	struct relay_link *link[RELAY_LINKS]; /* the thread's */
};

static void relay_check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static struct sockaddr_in relay_address(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- links ---- */

static void relay_reset(int fd)
{
	struct linger linger = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

static void link_end(struct relay_link **link)
{
	relay_reset((*link)->fd[0]);
	relay_reset((*link)->fd[1]);
	free(*link);
	*link = NULL;
}

static void relay_end_links(struct relay *relay)
{
	for (size_t i = 0; i < RELAY_LINKS; i++)
		if (relay->link[i])
			link_end(&relay->link[i]);
}

static void relay_smooth(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void relay_take(struct relay *relay, bool refuse)
{
	struct sockaddr_in address = relay_address(relay->target);
	int near = accept(relay->listener, NULL, NULL);
	size_t i = 0;
	while (i < RELAY_LINKS && relay->link[i])
		i++;
	if (near < 0)
		return;
	int far = refuse || i == RELAY_LINKS ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (far < 0 || connect(far, (struct sockaddr *)&address, sizeof address)) {
		if (far >= 0)
			close(far);
		relay_reset(near);
		return;
	}
	relay->link[i] = calloc(1, sizeof *relay->link[i]);
	relay_check(relay->link[i], "memory");
	relay->link[i]->fd[0] = near;
	relay->link[i]->fd[1] = far;
	relay_smooth(near);
	relay_smooth(far);
}

/* What may still be carried before the cut. */
static size_t relay_allowance(struct relay *relay, size_t wanted)
{
	pthread_mutex_lock(&relay->lock);
	size_t allowed = relay->limited && relay->limit < wanted ? relay->limit : wanted;
	pthread_mutex_unlock(&relay->lock);
	return allowed;
}

/* True when that was the last byte allowed. */
static bool relay_carried(struct relay *relay, size_t len)
{
	pthread_mutex_lock(&relay->lock);
	bool last = relay->limited && relay->limit <= len;
	if (relay->limited)
		relay->limit -= last ? relay->limit : len;
	if (last)
		relay->limited = false;
	pthread_mutex_unlock(&relay->lock);
	return last;
}

/* One read or write; false: the link is to end. */
static bool link_move(struct relay *relay, struct relay_link *link, int from, short events)
{
	struct relay_way *way = &link->way[from];
	if (!way->len) {
		ssize_t got = recv(link->fd[from], way->data, sizeof way->data, 0);
		if (got <= 0)
			return false;
		way->len = (size_t)got;
		way->sent = 0;
	} else if (!(events & POLLOUT)) {
		return true;
	}
	size_t len = relay_allowance(relay, way->len - way->sent);
	ssize_t sent = send(link->fd[!from], way->data + way->sent, len, MSG_NOSIGNAL);
	if (sent < 0)
		return true;
	way->sent += (size_t)sent;
	if (way->sent == way->len)
		way->len = 0;
	return !relay_carried(relay, (size_t)sent);
}

/* ---- the thread ---- */

struct relay_poll {
	struct pollfd fds[2 + 4 * RELAY_LINKS];
	struct relay_link **link[2 + 4 * RELAY_LINKS];
	int from[2 + 4 * RELAY_LINKS];
	nfds_t count;
};

static void poll_add(struct relay_poll *poll, int fd, short events, struct relay_link **link, int from)
{
	poll->fds[poll->count] = (struct pollfd){.fd = fd, .events = events};
	poll->link[poll->count] = link;
	poll->from[poll->count++] = from;
}

static void relay_gather(struct relay *relay, struct relay_poll *poll, bool stalled)
{
	poll->count = 0;
	poll_add(poll, relay->wake[0], POLLIN, NULL, 0);
	poll_add(poll, relay->listener, POLLIN, NULL, 0);
	for (size_t i = 0; i < RELAY_LINKS && !stalled; i++) {
		struct relay_link *link = relay->link[i];
		for (int from = 0; link && from < 2; from++)
			poll_add(poll, link->fd[link->way[from].len ? !from : from],
				link->way[from].len ? POLLOUT : POLLIN, &relay->link[i], from);
	}
}

static bool relay_wishes(struct relay *relay, bool *stalled, bool *refuse)
{
	pthread_mutex_lock(&relay->lock);
	bool ending = relay->ending, cut = relay->cut;
	relay->cut = false;
	*stalled = relay->stalled;
	*refuse = relay->refuse;
	pthread_mutex_unlock(&relay->lock);
	if (cut || ending)
		relay_end_links(relay);
	return !ending;
}

static void relay_serve(struct relay *relay, struct relay_poll *ready)
{
	for (nfds_t i = 2; i < ready->count; i++) {
		struct relay_link **link = ready->link[i];
		if (!ready->fds[i].revents || !*link)
			continue;
		if (!link_move(relay, *link, ready->from[i], ready->fds[i].revents))
			link_end(link);
	}
}

static void *relay_main(void *argument)
{
	struct relay *relay = argument;
	struct relay_poll *ready = calloc(1, sizeof *ready);
	bool stalled, refuse;
	char drop[64];
	relay_check(ready, "memory");
	while (relay_wishes(relay, &stalled, &refuse)) {
		relay_gather(relay, ready, stalled);
		poll(ready->fds, ready->count, -1);
		if (ready->fds[0].revents) {
			relay_check(read(relay->wake[0], drop, sizeof drop) > 0, "pipe");
			continue; /* what is wished comes before what is ready */
		}
		relay_serve(relay, ready);
		if (ready->fds[1].revents) {
			pthread_mutex_lock(&relay->lock);
			relay->connections++;
			pthread_mutex_unlock(&relay->lock);
			relay_take(relay, refuse);
		}
	}
	free(ready);
	return NULL;
}

/* ---- calls ---- */

struct relay *relay_start(uint16_t port)
{
	struct relay *relay = calloc(1, sizeof *relay);
	struct sockaddr_in address = relay_address(0);
	socklen_t len = sizeof address;
	relay_check(relay, "memory");
	pthread_mutex_init(&relay->lock, NULL);
	relay->target = port;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(!bind(relay->listener, (struct sockaddr *)&address, sizeof address), "bind");
	relay_check(!getsockname(relay->listener, (struct sockaddr *)&address, &len), "name");
	relay_check(!listen(relay->listener, RELAY_LINKS), "listen");
	relay->port = ntohs(address.sin_port);
	snprintf(relay->url, sizeof relay->url, "tcp://127.0.0.1:%u", relay->port);
	relay_check(!pipe2(relay->wake, O_CLOEXEC), "pipe");
	relay_check(!pthread_create(&relay->thread, NULL, relay_main, relay), "thread");
	return relay;
}

/* Lets go of the lock and has the thread look. */
static void relay_wish(struct relay *relay)
{
	pthread_mutex_unlock(&relay->lock);
	relay_check(write(relay->wake[1], "x", 1) == 1, "pipe");
}

void relay_stop(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->ending = true;
	relay_wish(relay);
	pthread_join(relay->thread, NULL);
	close(relay->listener);
	close(relay->wake[0]);
	close(relay->wake[1]);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

const char *relay_url(const struct relay *relay)
{
	return relay->url;
}

unsigned relay_connections(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	unsigned connections = relay->connections;
	pthread_mutex_unlock(&relay->lock);
	return connections;
}

void relay_cut(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->cut = true;
	relay_wish(relay);
}

void relay_cut_after(struct relay *relay, size_t bytes)
{
	pthread_mutex_lock(&relay->lock);
	relay->limited = true;
	relay->limit = bytes;
	relay_wish(relay);
}

void relay_stall(struct relay *relay, bool stalled)
{
	pthread_mutex_lock(&relay->lock);
	relay->stalled = stalled;
	relay_wish(relay);
}

void relay_refuse(struct relay *relay, bool refuse)
{
	pthread_mutex_lock(&relay->lock);
	relay->refuse = refuse;
	relay_wish(relay);
}
