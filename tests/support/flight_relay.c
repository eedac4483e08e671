/* SPDX-License-Identifier: Apache-2.0 */
/* flight_relay.c: poll and one buffer; the records of the server's bytes are followed to know what the byte was. */
#include "support/flight_relay.h"

#include "support/send_all.h"
#include "support/waiting.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLIGHT_BYTES = 65536, RECORD_HEAD = 5, RECORD_CCS = 20, RECORD_HANDSHAKE = 22 };

struct flight_relay {
	int listener;
	uint16_t port, target;
	pthread_t thread;
	/* under the lock of waiting.h */
	enum flight_deed deed;
	size_t at;
	uint8_t mask;
	bool busy; /* a connection is wished for, or there */
	struct flight_seen seen;
};

/* One connection; the thread's. */
struct flight_way {
	int near, far;
	enum flight_deed deed;
	size_t at;
	uint8_t mask;
	struct flight_seen seen;
	size_t in_record, record_len; /* bytes of the record so far; of it all, once its head is known */
	uint8_t record_type;
	bool held;
};

static void flight_check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static struct sockaddr_in flight_address(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- one connection ---- */

static void way_follow_record(struct flight_way *way, uint8_t byte)
{
	if (way->in_record == 0)
		way->record_type = byte;
	if (way->in_record == 3)
		way->record_len = RECORD_HEAD + ((size_t)byte << 8);
	if (way->in_record == 4)
		way->record_len += byte;
	if (++way->in_record >= RECORD_HEAD && way->in_record >= way->record_len)
		way->in_record = 0;
}

/* Changes the byte if it is among these; how many of them may pass. */
static size_t way_spoil(struct flight_way *way, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool plain = way->record_type == RECORD_CCS || way->record_type == RECORD_HANDSHAKE;
		if (way->deed != FLIGHT_PASS && way->seen.bytes == way->at) {
			way->seen.spoilt = true;
			way->seen.in_version = plain && (way->in_record == 1 || way->in_record == 2);
			if (way->deed != FLIGHT_FLIP)
				return i;
		}
		uint8_t sent = data[i];
		if (way->deed == FLIGHT_FLIP && way->seen.bytes == way->at)
			data[i] ^= way->mask;
		way->seen.bytes++;
		way_follow_record(way, sent);
	}
	return len;
}

/* False: the connection is to end. */
static bool way_carry(struct flight_way *way, int from)
{
	uint8_t data[FLIGHT_BYTES];
	ssize_t got = recv(from, data, sizeof data, 0);
	if (got <= 0)
		return false;
	if (from == way->near)
		return send_all(way->far, data, (size_t)got) || way->held;
	if (way->held)
		return true;
	size_t len = way_spoil(way, data, (size_t)got);
	way->held = way->deed == FLIGHT_HOLD && way->seen.spoilt;
	return send_all(way->near, data, len) && !(way->deed == FLIGHT_CUT && way->seen.spoilt);
}

/* Until the client ends; where the server does so, what it said is passed on first. */
static void way_run(struct flight_way *way)
{
	struct pollfd ready[] = {{.fd = way->near, .events = POLLIN}, {.fd = way->far, .events = POLLIN}};
	while (poll(ready, 2, -1) > 0) {
		if (ready[1].revents && !way_carry(way, way->far)) {
			if (!way->held)
				return;
			ready[1].fd = -1;
		}
		if (ready[0].revents && !way_carry(way, way->near))
			return;
	}
}

static int way_connect(uint16_t port)
{
	struct sockaddr_in address = flight_address(port);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	flight_check(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void relay_serve(struct flight_relay *relay, int near)
{
	struct flight_way way = {.near = near, .far = way_connect(relay->target)};
	int on = 1;
	setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	waiting_lock();
	way.deed = relay->deed;
	way.at = relay->at;
	way.mask = relay->mask;
	waiting_unlock();
	way_run(&way);
	close(way.near);
	close(way.far);
	waiting_lock();
	relay->seen = way.seen;
	relay->busy = false;
	waiting_unlock();
}

static void *relay_main(void *argument)
{
	struct flight_relay *relay = argument;
	for (;;) {
		int near = accept(relay->listener, NULL, NULL);
		if (near < 0)
			return NULL;
		relay_serve(relay, near);
	}
}

/* ---- calls ---- */

struct flight_relay *flight_relay_start(uint16_t port)
{
	struct flight_relay *relay = calloc(1, sizeof *relay);
	struct sockaddr_in address = flight_address(0);
	socklen_t len = sizeof address;
	flight_check(relay, "memory");
	relay->target = port;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	flight_check(!bind(relay->listener, (struct sockaddr *)&address, sizeof address), "bind");
	flight_check(!getsockname(relay->listener, (struct sockaddr *)&address, &len), "name");
	flight_check(!listen(relay->listener, 16), "listen");
	relay->port = ntohs(address.sin_port);
	flight_check(!pthread_create(&relay->thread, NULL, relay_main, relay), "thread");
	return relay;
}

void flight_relay_stop(struct flight_relay *relay)
{
	shutdown(relay->listener, SHUT_RDWR);
	pthread_join(relay->thread, NULL);
	close(relay->listener);
	free(relay);
}

uint16_t flight_relay_port(const struct flight_relay *relay)
{
	return relay->port;
}

void flight_relay_spoil(struct flight_relay *relay, enum flight_deed deed, size_t at, uint8_t mask)
{
	waiting_lock();
	relay->deed = deed;
	relay->at = at;
	relay->mask = mask;
	relay->busy = true;
	waiting_unlock();
}

static bool relay_is_free(const void *subject)
{
	return !((const struct flight_relay *)subject)->busy;
}

struct flight_seen flight_relay_seen(struct flight_relay *relay)
{
	flight_check(waiting_until(relay_is_free, relay, WAITING_LONG_MS), "a connection through the relay");
	return relay->seen;
}
