/* SPDX-License-Identifier: Apache-2.0 */
/* packet_relay.c: poll, and a buffer for each side of each connection; everything under one lock but the poll. */
#include "support/packet_relay.h"

#include "support/waiting.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS = 16, READ_BYTES = 65536, TYPES = 16, IDS = 65536 };

struct relay_side {
	int fd;
	bool over; /* nothing more comes from it */
	struct skiffi_buffer input;
	size_t looked;         /* bytes at the front of `input` that were counted */
	uint8_t open[IDS / 8]; /* packet ids of exchanges that it began */
	unsigned open_count;
};

struct relay_link {
	struct relay_side side[2]; /* enum packet_side */
	bool ending;               /* told to both sides; what comes is dropped */
};

struct packet_relay {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	int wake[2], listener;
	uint16_t target;
	char url[64];
	bool stopping, shut;
	bool trapping, held[2];
	enum packet_side trap_side;
	enum skiffi_packet_type trap_type;
	unsigned counted[2][TYPES];
	struct relay_link *link[LINKS];
};

static void relay_check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* ---- links ---- */

static void link_free(struct relay_link **at)
{
	for (int i = 0; i < 2; i++) {
		close((*at)->side[i].fd);
		skiffi_buffer_release(&(*at)->side[i].input);
	}
	free(*at);
	*at = NULL;
}

static void link_end(struct relay_link *link)
{
	if (link->ending)
		return;
	link->ending = true;
	for (int i = 0; i < 2; i++) {
		shutdown(link->side[i].fd, SHUT_WR);
		skiffi_buffer_clear(&link->side[i].input, 0);
		link->side[i].looked = 0;
		link->side[i].open_count = 0;
	}
}

static void link_kill(struct relay_link *link)
{
	struct linger linger = {.l_onoff = 1};
	struct relay_side *client = &link->side[PACKET_CLIENT];
	link_end(link);
	if (client->over)
		return;
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(client->fd);
	client->fd = dup(link->side[PACKET_BROKER].fd); /* to have something to close */
	client->over = true;
}

static void relay_take(struct packet_relay *relay)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(relay->target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	size_t i = 0;
	int on = 1;
	while (i < LINKS && relay->link[i])
		i++;
	relay_check(i < LINKS, "too many connections");
	struct relay_link *link = calloc(1, sizeof *link);
	relay_check(link, "memory");
	link->side[PACKET_CLIENT].fd = accept(relay->listener, NULL, NULL);
	link->side[PACKET_BROKER].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(link->side[PACKET_CLIENT].fd >= 0, "accept");
	relay_check(!connect(link->side[PACKET_BROKER].fd, (struct sockaddr *)&address, sizeof address), "connect");
	for (int side = 0; side < 2; side++)
		setsockopt(link->side[side].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	relay->link[i] = link;
}

/* ---- packets ---- */

/* The id of a packet that has one; 0: none. */
static uint16_t packet_id(const struct skiffi_frame *frame)
{
	size_t at = 0;
	switch (frame->type) {
	case SKIFFI_PUBLISH:
		if (!(frame->flags >> 1 & 3))
			return 0;
		at = 2 + (size_t)(frame->body[0] << 8 | frame->body[1]);
		break;
	case SKIFFI_CONNECT:
	case SKIFFI_CONNACK:
	case SKIFFI_PINGREQ:
	case SKIFFI_PINGRESP:
	case SKIFFI_DISCONNECT:
	case SKIFFI_AUTH:
		return 0;
	default:
		break;
	}
	return (uint16_t)(frame->body[at] << 8 | frame->body[at + 1]);
}

static void exchange_set(struct relay_side *side, uint16_t id, bool open)
{
	uint8_t bit = (uint8_t)(1u << id % 8);
	bool was = side->open[id / 8] & bit;
	if (!id || was == open)
		return;
	side->open[id / 8] ^= bit;
	side->open_count += open ? 1u : -1u;
}

/* A carried packet begins or ends an exchange. */
static void exchange_note(struct relay_link *link, enum packet_side from, const struct skiffi_frame *frame)
{
	struct relay_side *mine = &link->side[from], *theirs = &link->side[!from];
	uint16_t id = packet_id(frame);
	switch (frame->type) {
	case SKIFFI_PUBLISH:
	case SKIFFI_PUBREL:
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
		exchange_set(mine, id, true);
		break;
	case SKIFFI_PUBREC:
		if (frame->body_len > 2 && frame->body[2] >= 0x80)
			exchange_set(theirs, id, false);
		break;
	case SKIFFI_PUBACK:
	case SKIFFI_PUBCOMP:
	case SKIFFI_SUBACK:
	case SKIFFI_UNSUBACK:
		exchange_set(theirs, id, false);
		break;
	default:
		break;
	}
}

static bool packet_at(const struct skiffi_buffer *input, size_t offset, struct skiffi_frame *frame)
{
	size_t len = skiffi_buffer_len(input) - offset;
	return len && skiffi_frame_next(skiffi_buffer_head(input) + offset, len, SIZE_MAX, frame) == SKIFFI_FRAME_OK;
}

static void link_count(struct packet_relay *relay, struct relay_link *link, enum packet_side from)
{
	struct relay_side *side = &link->side[from];
	struct skiffi_frame frame;
	for (; packet_at(&side->input, side->looked, &frame); side->looked += frame.total_len)
		relay->counted[from][frame.type]++;
}

static void link_send(struct relay_link *link, enum packet_side to, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t sent = send(link->side[to].fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return; /* its end will be read */
		data += sent;
		len -= (size_t)sent;
	}
}

/* One packet; false: there is none, or it was the one that the trap waits for. */
static bool link_carry(struct packet_relay *relay, struct relay_link *link, enum packet_side from)
{
	struct relay_side *side = &link->side[from];
	struct skiffi_frame frame;
	if (link->ending || !packet_at(&side->input, 0, &frame))
		return false;
	if (relay->trapping && relay->trap_side == from && relay->trap_type == frame.type) {
		relay->trapping = false;
		relay->shut = true;
		link_end(link);
		return false;
	}
	exchange_note(link, from, &frame);
	link_send(link, !from, skiffi_buffer_head(&side->input), frame.total_len);
	skiffi_buffer_consume(&side->input, frame.total_len);
	side->looked -= frame.total_len;
	return true;
}

static void link_read(struct packet_relay *relay, struct relay_link *link, enum packet_side from)
{
	struct relay_side *side = &link->side[from];
	uint8_t *at = skiffi_buffer_reserve(&side->input, READ_BYTES);
	relay_check(at, "memory");
	ssize_t got = recv(side->fd, at, READ_BYTES, MSG_DONTWAIT);
	if (got > 0 && !link->ending)
		skiffi_buffer_commit(&side->input, (size_t)got);
	side->over = got <= 0;
	link_count(relay, link, from);
}

/* Everything that may be carried now. */
static void relay_carry(struct packet_relay *relay)
{
	for (size_t i = 0; i < LINKS; i++) {
		struct relay_link *link = relay->link[i];
		for (int from = 0; link && from < 2; from++) {
			while (!relay->held[from] && link_carry(relay, link, (enum packet_side)from))
				;
			if (link->side[from].over && !link->ending)
				link_end(link);
		}
		if (link && link->side[0].over && link->side[1].over)
			link_free(&relay->link[i]);
	}
}

/* ---- the thread ---- */

struct relay_poll {
	struct pollfd fds[2 + 2 * LINKS];
	struct relay_link *link[2 + 2 * LINKS];
	int from[2 + 2 * LINKS];
	nfds_t count;
};

static void relay_gather(struct packet_relay *relay, struct relay_poll *ready)
{
	ready->fds[0] = (struct pollfd){.fd = relay->wake[0], .events = POLLIN};
	ready->fds[1] = (struct pollfd){.fd = relay->shut ? -1 : relay->listener, .events = POLLIN};
	ready->count = 2;
	for (size_t i = 0; i < LINKS; i++) {
		struct relay_link *link = relay->link[i];
		for (int from = 0; link && from < 2; from++) {
			if (link->side[from].over)
				continue;
			ready->fds[ready->count] = (struct pollfd){.fd = link->side[from].fd, .events = POLLIN};
			ready->link[ready->count] = link;
			ready->from[ready->count++] = from;
		}
	}
}

/* A side that was ended by a call since the poll has another descriptor, or is over. */
static void relay_serve(struct packet_relay *relay, struct relay_poll *ready)
{
	char drop[64];
	if (ready->fds[0].revents)
		relay_check(read(relay->wake[0], drop, sizeof drop) > 0, "pipe");
	for (nfds_t i = 2; i < ready->count; i++) {
		struct relay_side *side = &ready->link[i]->side[ready->from[i]];
		if (ready->fds[i].revents && !side->over && side->fd == ready->fds[i].fd)
			link_read(relay, ready->link[i], (enum packet_side)ready->from[i]);
	}
	if (ready->fds[1].revents && !relay->shut)
		relay_take(relay);
}

static void *relay_main(void *argument)
{
	struct packet_relay *relay = argument;
	struct relay_poll ready;
	pthread_mutex_lock(&relay->lock);
	while (!relay->stopping) {
		relay_carry(relay);
		pthread_cond_broadcast(&relay->changed);
		relay_gather(relay, &ready);
		pthread_mutex_unlock(&relay->lock);
		poll(ready.fds, ready.count, -1);
		pthread_mutex_lock(&relay->lock);
		relay_serve(relay, &ready);
	}
	pthread_mutex_unlock(&relay->lock);
	return NULL;
}

/* ---- calls ---- */

static void relay_listen(struct packet_relay *relay)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay_check(!bind(relay->listener, (struct sockaddr *)&address, sizeof address), "bind");
	relay_check(!getsockname(relay->listener, (struct sockaddr *)&address, &len), "name");
	relay_check(!listen(relay->listener, LINKS), "listen");
	snprintf(relay->url, sizeof relay->url, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

struct packet_relay *packet_relay_start(uint16_t port)
{
	struct packet_relay *relay = calloc(1, sizeof *relay);
	pthread_condattr_t attributes;
	relay_check(relay, "memory");
	pthread_mutex_init(&relay->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&relay->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	relay->target = port;
	relay_listen(relay);
	relay_check(!pipe2(relay->wake, O_CLOEXEC), "pipe");
	relay_check(!pthread_create(&relay->thread, NULL, relay_main, relay), "thread");
	return relay;
}

static void relay_enter(struct packet_relay *relay)
{
	pthread_mutex_lock(&relay->lock);
}

/* Lets go of the lock and has the thread look. */
static void relay_leave(struct packet_relay *relay)
{
	pthread_mutex_unlock(&relay->lock);
	relay_check(write(relay->wake[1], "x", 1) == 1, "pipe");
}

void packet_relay_stop(struct packet_relay *relay)
{
	relay_enter(relay);
	relay->stopping = true;
	relay_leave(relay);
	pthread_join(relay->thread, NULL);
	for (size_t i = 0; i < LINKS; i++)
		if (relay->link[i])
			link_free(&relay->link[i]);
	close(relay->listener);
	close(relay->wake[0]);
	close(relay->wake[1]);
	pthread_cond_destroy(&relay->changed);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

const char *packet_relay_url(const struct packet_relay *relay)
{
	return relay->url;
}

void packet_relay_gate(struct packet_relay *relay, bool open)
{
	relay_enter(relay);
	relay->shut = !open;
	relay_leave(relay);
}

void packet_relay_kill(struct packet_relay *relay)
{
	relay_enter(relay);
	relay->shut = true;
	for (size_t i = 0; i < LINKS; i++)
		if (relay->link[i])
			link_kill(relay->link[i]);
	relay_leave(relay);
}

void packet_relay_trap(struct packet_relay *relay, enum packet_side side, enum skiffi_packet_type type)
{
	relay_enter(relay);
	relay->trapping = true;
	relay->trap_side = side;
	relay->trap_type = type;
	relay_leave(relay);
}

void packet_relay_hold(struct packet_relay *relay, enum packet_side side, bool held)
{
	relay_enter(relay);
	relay->held[side] = held;
	memset(relay->counted[side], 0, sizeof relay->counted[side]);
	relay_leave(relay);
}

void packet_relay_end_after(struct packet_relay *relay, enum packet_side side, size_t count)
{
	relay_enter(relay);
	relay->shut = true;
	for (size_t i = 0; i < LINKS; i++) {
		if (!relay->link[i])
			continue;
		for (size_t n = 0; n < count && link_carry(relay, relay->link[i], side); n++)
			;
		link_end(relay->link[i]);
	}
	relay->held[0] = relay->held[1] = false;
	relay_leave(relay);
}

/* ---- waiting ---- */

struct relay_wait {
	enum packet_side side;
	enum skiffi_packet_type type;
	unsigned count;
	const char *suffix;
	int found;
};

typedef bool (*relay_condition)(const struct packet_relay *relay, struct relay_wait *wait);

static bool relay_until(struct packet_relay *relay, relay_condition holds, struct relay_wait *wait)
{
	struct timespec deadline;
	int late = 0;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += WAITING_LONG_MS / 1000;
	pthread_mutex_lock(&relay->lock);
	bool held = holds(relay, wait);
	while (!held && !late) {
		late = pthread_cond_timedwait(&relay->changed, &relay->lock, &deadline);
		held = holds(relay, wait);
	}
	pthread_mutex_unlock(&relay->lock);
	return held;
}

static bool relay_has_counted(const struct packet_relay *relay, struct relay_wait *wait)
{
	return relay->counted[wait->side][wait->type] >= wait->count;
}

bool packet_relay_await(struct packet_relay *relay, enum packet_side side, enum skiffi_packet_type type, unsigned count)
{
	struct relay_wait wait = {.side = side, .type = type, .count = count};
	return relay_until(relay, relay_has_counted, &wait);
}

static bool packet_has_topic(const struct skiffi_frame *frame, const char *suffix)
{
	size_t len = strlen(suffix);
	if (frame->type != SKIFFI_PUBLISH)
		return false;
	size_t topic_len = (size_t)(frame->body[0] << 8 | frame->body[1]);
	return topic_len >= len && !memcmp(frame->body + 2 + topic_len - len, suffix, len);
}

static bool relay_has_topic(const struct packet_relay *relay, struct relay_wait *wait)
{
	for (size_t i = 0; i < LINKS; i++) {
		if (!relay->link[i])
			continue;
		const struct skiffi_buffer *input = &relay->link[i]->side[PACKET_BROKER].input;
		struct skiffi_frame frame;
		wait->found = 0;
		for (size_t at = 0; packet_at(input, at, &frame); at += frame.total_len, wait->found++)
			if (packet_has_topic(&frame, wait->suffix))
				return true;
	}
	return false;
}

int packet_relay_await_topic(struct packet_relay *relay, const char *suffix)
{
	struct relay_wait wait = {.suffix = suffix};
	return relay_until(relay, relay_has_topic, &wait) ? wait.found : -1;
}

static bool relay_is_quiet(const struct packet_relay *relay, struct relay_wait *wait)
{
	(void)wait;
	for (size_t i = 0; i < LINKS; i++)
		for (int side = 0; relay->link[i] && side < 2; side++)
			if (relay->link[i]->side[side].open_count ||
				skiffi_buffer_len(&relay->link[i]->side[side].input))
				return false;
	return true;
}

bool packet_relay_await_quiet(struct packet_relay *relay)
{
	return relay_until(relay, relay_is_quiet, &(struct relay_wait){0});
}

static bool relay_is_empty(const struct packet_relay *relay, struct relay_wait *wait)
{
	(void)wait;
	for (size_t i = 0; i < LINKS; i++)
		if (relay->link[i])
			return false;
	return true;
}

bool packet_relay_await_gone(struct packet_relay *relay)
{
	return relay_until(relay, relay_is_empty, &(struct relay_wait){0});
}
