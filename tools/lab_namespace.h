/* SPDX-License-Identifier: Apache-2.0 */
/* lab_namespace.h: a network of the lab's own, where a real name leads to the lab. */
#ifndef SKIFF_LAB_NAMESPACE_H
#define SKIFF_LAB_NAMESPACE_H

#include "lab_state.h"

/* Moves this process into a network with nothing but a loopback interface, and into a view of the files where
 * /etc/hosts says that `as` is 127.0.0.1. For root, or by a user namespace in which the user stays who he is. The
 * process must have one thread; what it starts from now on is in there too. */
bool lab_namespace_enter(struct lab *lab);

/* Whether `name` can be a host's name. */
bool lab_namespace_name_valid(const char *name);

#endif
