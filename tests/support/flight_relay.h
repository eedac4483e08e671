/* SPDX-License-Identifier: Apache-2.0 */
/* flight_relay.h: carries connections to a TLS server and back, and spoils one byte of what the server says.
 *
 * It listens on a free loopback port; one thread serves one connection at a time. 1. flight_relay_spoil says what is to
 * come of the next connection. 2. The client connects and ends. 3. flight_relay_seen. Failing to start aborts. */
#ifndef TESTS_FLIGHT_RELAY_H
#define TESTS_FLIGHT_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flight_relay;

enum flight_deed {
	FLIGHT_PASS,
	FLIGHT_FLIP, /* the byte comes changed */
	FLIGHT_HOLD, /* it does not come, nor anything behind it */
	FLIGHT_CUT   /* the connection ends before it */
};

/* What became of a connection. */
struct flight_seen {
	size_t bytes;    /* that the server sent */
	bool spoilt;     /* it sent as many as it takes to reach the byte */
	bool in_version; /* the byte was of a record's version where no key protects it: nobody may look [RFC 8446, 5.1]
			  */
};

struct flight_relay *flight_relay_start(uint16_t port);
void flight_relay_stop(struct flight_relay *relay);
uint16_t flight_relay_port(const struct flight_relay *relay);

/* Of the server's bytes on the next connection, the one at `at` (0: the first) is changed by `mask`, or as `deed` says.
 */
void flight_relay_spoil(struct flight_relay *relay, enum flight_deed deed, size_t at, uint8_t mask);

/* Of the last connection, which the client has ended: waits until the relay has let go of it. */
struct flight_seen flight_relay_seen(struct flight_relay *relay);

#endif
