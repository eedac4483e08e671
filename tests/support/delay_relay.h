/* SPDX-License-Identifier: Apache-2.0 */
/* delay_relay.h: carries connections to a broker and back, some of it a known time late or at a known rate, and counts
 * the bytes.
 *
 * It listens on a free loopback port; a thread for each connection, two where there is a rate. Failing to start aborts.
 */
#ifndef TESTS_DELAY_RELAY_H
#define TESTS_DELAY_RELAY_H

#include <stdint.h>

struct delay_relay;

struct delay_relay_options {
	uint16_t port; /* the broker's */

	/* Of what the broker sends on a connection, the burst number `burst` (from 1) is `delay_ms` late; 0: every one
	 * is. A burst is what comes without anything from the client in between. */
	unsigned burst;
	int delay_ms;

	/* For this time from the start, no connection is made: its SYN is not answered. */
	int accept_ms;

	/* Each direction carries that many bytes a second; 0: as fast as it can. Excludes a delay. */
	double rate;
};

struct delay_relay *delay_relay_start(const struct delay_relay_options *options);

uint16_t delay_relay_port(const struct delay_relay *relay);
uint64_t delay_relay_bytes_out(const struct delay_relay *relay);  /* written by clients so far */
uint64_t delay_relay_bytes_back(const struct delay_relay *relay); /* written by the broker so far */

/* Ends what there still is of connections. */
void delay_relay_stop(struct delay_relay *relay);

#endif
