/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_net.h"

static void *tcp_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	return suite_net_start(NET_TCP, NET_IGNORES, manner, script, user, way);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "tcp",
		.start = tcp_start,
		.stop = suite_net_stop,
		.ignored = SKIFF_TCP_TIMEOUT,
		.phases = SUITE_DNS | SUITE_TCP,
		.resets = true,
	};
	return transport_suite_run(&kind);
}
