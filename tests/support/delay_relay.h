/* SPDX-License-Identifier: Apache-2.0 */
/* delay_relay.h: carries connections to a broker and back, some of what comes from the broker a known time late, and
 * counts what the clients write.
 *
 * It listens on a free loopback port; a thread for each connection. Failing to start aborts. */
#ifndef TESTS_DELAY_RELAY_H
#define TESTS_DELAY_RELAY_H

#include <stdint.h>

struct delay_relay;

/* Of what the broker sends on a connection, the burst number `burst` (from 1) is `delay_ms` late; 0: every one is. A
 * burst is what comes without anything from the client in between. */
struct delay_relay *delay_relay_start(uint16_t port, unsigned burst, int delay_ms);

uint16_t delay_relay_port(const struct delay_relay *relay);
uint64_t delay_relay_bytes(const struct delay_relay *relay); /* written by clients so far */

/* Ends what there still is of connections. */
void delay_relay_stop(struct delay_relay *relay);

#endif
