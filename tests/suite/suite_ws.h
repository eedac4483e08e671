/* SPDX-License-Identifier: Apache-2.0 */
/* suite_ws.h: ws_listener as the suite's far end: the payload of the frames is the stream. */
#ifndef TESTS_SUITE_WS_H
#define TESTS_SUITE_WS_H

#include "suite/transport_suite.h"

void *suite_ws_start(bool tls, enum suite_manner manner, suite_script script, void *user, struct suite_way *way);
void suite_ws_stop(void *far);

#endif
