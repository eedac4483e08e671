/* SPDX-License-Identifier: Apache-2.0 */
/* lab_broker.h: the mosquitto behind the doors. */
#ifndef SKIFF_LAB_BROKER_H
#define SKIFF_LAB_BROKER_H

#include "lab_state.h"

/* Sets `broker`: the program named, or the first mosquitto of PATH, /usr/sbin and /usr/local/sbin. */
bool lab_broker_find(struct lab *lab);

/* Chooses ports, writes the configuration, starts the broker and waits, 10 seconds at most, until every door answers.
 * A broker that cannot listen on Unix sockets gets our relay; free ports that were taken meanwhile are chosen anew. */
bool lab_broker_start(struct lab *lab);

/* Why the broker ended by itself: its own last words. */
bool lab_broker_fail(struct lab *lab, const char *when);

/* Ends the broker and the relay. */
void lab_broker_stop(struct lab *lab);

#endif
