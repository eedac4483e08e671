/* SPDX-License-Identifier: Apache-2.0 */
/* lab_link.h: a simulated link before the lab's doors: what a far or thin network does, by a relay in user space.
 *
 * Each chunk that is read is passed on when it would have arrived: after the chunks before it have gone over the line
 * at its rate, and then the delay, more or less by the jitter; a chunk that is lost comes as late as TCP would bring it
 * again. Nothing is dropped, nothing overtakes. The handshake of TCP itself is the machine's, and not delayed. */
#ifndef SKIFF_LAB_LINK_H
#define SKIFF_LAB_LINK_H

#include "lab_state.h"

/* The `take` of an option (cli_command.h) for a struct lab_link: "delay=40ms,jitter=5ms,rate=1mbit,loss=1%". */
int lab_link_take(void *field, char **words, int count, char *why, size_t size);

/* The broker is up, at lab->ports: opens the doors where they were asked for, which lab->ports then are, and starts the
 * relay. False with a sentence. */
bool lab_link_start(struct lab *lab);

#endif
