/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_net.h"

static void *unix_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	return suite_net_start(NET_UNIX, NET_IGNORES, manner, script, user, way);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "unix",
		.start = unix_start,
		.stop = suite_net_stop,
		.ignored = SKIFF_TCP_TIMEOUT,
		.phases = SUITE_TCP,
		.resets = false,
	};
	return transport_suite_run(&kind);
}
