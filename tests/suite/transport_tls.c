/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_net.h"

static void *tls_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	return suite_net_start(NET_TLS, NET_SILENT, manner, script, user, way);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "tls",
		.start = tls_start,
		.stop = suite_net_stop,
		.ignored = SKIFF_TLS_TIMEOUT,
		.phases = SUITE_DNS | SUITE_TCP | SUITE_TLS,
		.resets = true,
	};
	return transport_suite_run(&kind);
}
