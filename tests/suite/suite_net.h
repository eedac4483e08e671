/* SPDX-License-Identifier: Apache-2.0 */
/* suite_net.h: net_listener as the suite's far end. */
#ifndef TESTS_SUITE_NET_H
#define TESTS_SUITE_NET_H

#include "suite/transport_suite.h"
#include "support/net_listener.h"

/* `start` of a kind, but for which listener, and what it does to have no connection open. */
void *suite_net_start(enum net_kind kind, enum net_manner ignoring, enum suite_manner manner, suite_script script,
	void *user, struct suite_way *way);
void suite_net_stop(void *far);

#endif
