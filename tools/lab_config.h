/* SPDX-License-Identifier: Apache-2.0 */
/* lab_config.h: the files that mosquitto reads: mosquitto.conf, the passwords, the access list. */
#ifndef SKIFF_LAB_CONFIG_H
#define SKIFF_LAB_CONFIG_H

#include "lab_state.h"

/* Writes all three into the lab's folder, for the ports chosen and, unless `relay`, for the Unix socket. */
bool lab_config_write(struct lab *lab);

#endif
