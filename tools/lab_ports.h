/* SPDX-License-Identifier: Apache-2.0 */
/* lab_ports.h: on which ports of 127.0.0.1 the doors stand. */
#ifndef SKIFF_LAB_PORTS_H
#define SKIFF_LAB_PORTS_H

#include "lab_state.h"

/* Sets `ports`: the real ones plus `base`, each proved to be free; or free ones where `base` is 0 and `as` NULL, or a
 * link will stand where the doors were asked for. A free
 * port may be taken by another process before the broker binds it: then the broker's start fails, and is tried anew. */
bool lab_ports_choose(struct lab *lab);

/* The port of a door that was asked for; 0: any that is free. */
int lab_ports_wanted(const struct lab *lab, size_t door);

/* A socket that listens on `*port`, or a free one that it becomes; -1 with a sentence. */
int lab_ports_listen(struct lab *lab, int *port);

/* Whether `lab_ports_choose` would choose others the next time. */
bool lab_ports_are_free_ones(const struct lab *lab);

#endif
