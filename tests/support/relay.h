/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h: carries connections to a broker and back, and cuts, stalls or refuses them when told.
 *
 * It listens on a free loopback port; one thread does all. Calls from any thread; failing to start aborts. */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay;

/* Towards `port` on loopback. */
struct relay *relay_start(uint16_t port);
void relay_stop(struct relay *relay);

const char *relay_url(const struct relay *relay); /* tcp://127.0.0.1:PORT */
unsigned relay_connections(struct relay *relay);  /* taken so far */

/* Ends every connection at once, with a reset on both sides. */
void relay_cut(struct relay *relay);

/* Ends the connections when `bytes` more have been carried, counting both directions; exactly there. */
void relay_cut_after(struct relay *relay, size_t bytes);

/* Carries nothing until told otherwise; connections stay. */
void relay_stall(struct relay *relay, bool stalled);

/* New connections are reset at once until told otherwise. */
void relay_refuse(struct relay *relay, bool refuse);

#endif
