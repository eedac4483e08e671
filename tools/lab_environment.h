/* SPDX-License-Identifier: Apache-2.0 */
/* lab_environment.h: what a command inside the lab is told, as SKIFF_LAB_* variables. */
#ifndef SKIFF_LAB_ENVIRONMENT_H
#define SKIFF_LAB_ENVIRONMENT_H

#include "lab_state.h"

/* Sets SKIFF_LAB_DIR, _CA, _WEB_CA, _CERT, _KEY, _UNIX and _URL_1883 to _URL_8091 in this process' environment; with
 * `as` also SSL_CERT_FILE, since the real host's web CA is in every system's trust store. */
bool lab_environment_set(struct lab *lab);

#endif
