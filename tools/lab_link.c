/* SPDX-License-Identifier: Apache-2.0 */
/* lab_link.c: a process with poll(2); for each direction of each connection a list of chunks, each with the moment at
 * which it is due. A direction whose list is full is not read until it has emptied. */
#include "lab_link.h"
#include "cli_duration.h"
#include "lab_ports.h"
#include "lab_process.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINK_WIRES = 256, LINK_READ_BYTES = 16384, LINK_WAITING_MAX = 1 << 20, LINK_RTO_MS = 200 };

struct chunk {
	struct chunk *next;
	double due_ms;
	size_t len, sent;
	char data[];
};

/* What one end sends to the other. */
struct way {
	struct chunk *first, *last;
	size_t waiting; /* bytes */
	double line_ms; /* when the line has passed on what it has been given */
	bool ended;     /* nothing more is read */
};

struct wire {
	int fds[2];
	struct way ways[2]; /* [i]: from fds[i] to fds[1 - i] */
};

struct link {
	const struct lab_link *how;
	int listeners[LAB_DOORS], targets[LAB_DOORS];
	struct wire wires[LINK_WIRES];
	size_t count;
};

/* ---- the option ---- */

static bool rate_read(const char *text, size_t len, double *bits_per_s)
{
	static const struct {
		const char *name;
		double factor;
	} units[] = {{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
	char copy[32], *unit;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*bits_per_s = strtod(copy, &unit);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(unit, units[i].name) == 0) {
			*bits_per_s *= units[i].factor;
			return *bits_per_s >= 1000;
		}
	}
	return false;
}

static bool loss_read(const char *text, size_t len, double *percent)
{
	char *end;
	*percent = strtod(text, &end);
	return end == text + len - 1 && *end == '%' && *percent >= 0 && *percent <= 50;
}

static bool part_read(struct lab_link *link, const char *part, size_t len)
{
	if (len > 6 && strncmp(part, "delay=", 6) == 0)
		return cli_duration_read(part + 6, len - 6, &link->delay_ms);
	if (len > 7 && strncmp(part, "jitter=", 7) == 0)
		return cli_duration_read(part + 7, len - 7, &link->jitter_ms);
	if (len > 5 && strncmp(part, "rate=", 5) == 0)
		return rate_read(part + 5, len - 5, &link->bits_per_s);
	if (len > 5 && strncmp(part, "loss=", 5) == 0)
		return loss_read(part + 5, len - 5, &link->loss_percent);
	return false;
}

int lab_link_take(void *field, char **words, int count, char *why, size_t size)
{
	struct lab_link *link = field;
	(void)count;
	for (const char *at = words[0]; *at;) {
		size_t len = strcspn(at, ",");
		if (!part_read(link, at, len)) {
			snprintf(why, size,
				"'%.*s' is not one of delay=40ms, jitter=5ms, rate=1mbit (kbit, gbit) and loss=1%% (at "
				"most 50%%)",
				(int)len, at);
			return -1;
		}
		at += len + (at[len] == ',');
	}
	link->on = true;
	return 1;
}

/* ---- chunks ---- */

static double link_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Evenly from 0 to 1. */
static double link_draw(void)
{
	return (double)random() / RAND_MAX;
}

/* When what is read now arrives: behind what was read before it. */
static double way_due(struct way *way, const struct lab_link *how, size_t len)
{
	double now = link_now_ms(), late = how->delay_ms + how->jitter_ms * (2 * link_draw() - 1);
	if (way->line_ms < now)
		way->line_ms = now;
	if (how->bits_per_s > 0)
		way->line_ms += (double)len * 8e3 / how->bits_per_s;
	if (link_draw() * 100 < how->loss_percent)
		late += LINK_RTO_MS + 2 * how->delay_ms;
	double due = way->line_ms + (late > 0 ? late : 0);
	return way->last && way->last->due_ms > due ? way->last->due_ms : due;
}

static bool way_read(struct wire *wire, int from, const struct lab_link *how)
{
	struct way *way = &wire->ways[from];
	struct chunk *chunk = malloc(sizeof(*chunk) + LINK_READ_BYTES);
	ssize_t got = chunk ? read(wire->fds[from], chunk->data, LINK_READ_BYTES) : -1;
	if (got < 0) {
		free(chunk);
		return false;
	}
	*chunk = (struct chunk){.due_ms = way_due(way, how, (size_t)got), .len = (size_t)got};
	way->ended = got == 0; /* the end arrives as late as bytes do */
	if (way->last)
		way->last->next = chunk;
	else
		way->first = chunk;
	way->last = chunk;
	way->waiting += (size_t)got;
	return true;
}

/* Passes on what is due; false: the connection is broken. */
static bool way_write(struct wire *wire, int from, double now)
{
	struct way *way = &wire->ways[from];
	int to = wire->fds[1 - from];
	while (way->first && way->first->due_ms <= now) {
		struct chunk *chunk = way->first;
		if (!chunk->len) {
			shutdown(to, SHUT_WR);
		} else {
			ssize_t sent = send(
				to, chunk->data + chunk->sent, chunk->len - chunk->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (sent < 0)
				return errno == EAGAIN || errno == EINTR;
			chunk->sent += (size_t)sent;
			way->waiting -= (size_t)sent;
			if (chunk->sent < chunk->len)
				return true;
		}
		way->first = chunk->next;
		if (!way->first)
			way->last = NULL;
		free(chunk);
	}
	return true;
}

/* ---- wires ---- */

static int link_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void link_accept(struct link *link, size_t door)
{
	int one = 1, near = accept4(link->listeners[door], NULL, NULL, SOCK_CLOEXEC);
	int far = near < 0 || link->count == LINK_WIRES ? -1 : link_connect(link->targets[door]);
	if (far < 0) {
		if (near >= 0)
			close(near);
		return;
	}
	setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	link->wires[link->count++] = (struct wire){.fds = {near, far}};
}

static void wire_end(struct wire *wire)
{
	for (int i = 0; i < 2; i++) {
		while (wire->ways[i].first) {
			struct chunk *chunk = wire->ways[i].first;
			wire->ways[i].first = chunk->next;
			free(chunk);
		}
		close(wire->fds[i]);
	}
}

/* Whether there is still something to come in either direction. */
static bool wire_lives(const struct wire *wire)
{
	return !wire->ways[0].ended || !wire->ways[1].ended || wire->ways[0].first || wire->ways[1].first;
}

static bool wire_serve(struct wire *wire, const struct pollfd *polls, const struct lab_link *how, double now)
{
	for (int from = 0; from < 2; from++) {
		if (polls[from].revents && !wire->ways[from].ended && !way_read(wire, from, how))
			return false;
		if (!way_write(wire, from, now))
			return false;
	}
	return wire_lives(wire);
}

/* Until the next chunk is due; one that the other end does not take is tried again soon. */
static int link_timeout_ms(const struct link *link, double now)
{
	double least = -1;
	for (size_t i = 0; i < link->count; i++) {
		for (int from = 0; from < 2; from++) {
			const struct chunk *chunk = link->wires[i].ways[from].first;
			double left = !chunk ? -1 : chunk->due_ms > now ? chunk->due_ms - now : 1;
			if (left >= 0 && (least < 0 || left < least))
				least = left;
		}
	}
	return least < 0 ? -1 : (int)(least + 0.999);
}

static void link_run(struct link *link)
{
	static struct pollfd polls[LAB_DOORS + 2 * LINK_WIRES];
	for (;;) {
		size_t count = link->count;
		for (size_t i = 0; i < LAB_DOORS; i++)
			polls[i] = (struct pollfd){.fd = link->listeners[i], .events = POLLIN};
		for (size_t i = 0; i < count; i++) {
			for (int from = 0; from < 2; from++) {
				const struct way *way = &link->wires[i].ways[from];
				bool wanted = !way->ended && way->waiting < LINK_WAITING_MAX;
				polls[LAB_DOORS + 2 * i + (size_t)from] =
					(struct pollfd){.fd = wanted ? link->wires[i].fds[from] : -1, .events = POLLIN};
			}
		}
		if (poll(polls, LAB_DOORS + 2 * count, link_timeout_ms(link, link_now_ms())) < 0 && errno != EINTR)
			_exit(1);
		double now = link_now_ms();
		for (size_t i = count; i-- > 0;) { /* from behind, as the last one takes the place of one that ends */
			if (wire_serve(&link->wires[i], &polls[LAB_DOORS + 2 * i], link->how, now))
				continue;
			wire_end(&link->wires[i]);
			link->wires[i] = link->wires[--link->count];
		}
		for (size_t i = 0; i < LAB_DOORS; i++)
			if (polls[i].revents)
				link_accept(link, i);
	}
}

bool lab_link_start(struct lab *lab)
{
	static struct link link;
	link.how = &lab->link;
	for (size_t i = 0; i < LAB_DOORS; i++) {
		link.targets[i] = lab->ports[i];
		lab->ports[i] = lab_ports_wanted(lab, i);
		link.listeners[i] = lab_ports_listen(lab, &lab->ports[i]);
		if (link.listeners[i] < 0)
			return false;
	}
	lab->link_pid = lab_process_fork(lab);
	if (lab->link_pid == 0) {
		close(lab->keeper);
		close(lab->lock);
		link_run(&link);
	}
	for (size_t i = 0; i < LAB_DOORS; i++)
		close(link.listeners[i]);
	return lab->link_pid > 0;
}
