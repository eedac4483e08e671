/* SPDX-License-Identifier: Apache-2.0 */
/* lab_relay.h: a Unix socket for a broker that has none. */
#ifndef SKIFF_LAB_RELAY_H
#define SKIFF_LAB_RELAY_H

#include "lab_state.h"

/* Starts a process that listens on `socket` and carries every connection to the plain door on loopback and back.
 * It listens when this returns. */
bool lab_relay_start(struct lab *lab);

#endif
