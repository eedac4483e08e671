/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_ws.h"

static void *ws_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	return suite_ws_start(false, manner, script, user, way);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "ws",
		.start = ws_start,
		.stop = suite_ws_stop,
		.ignored = SKIFF_WS_TIMEOUT,
		.phases = SUITE_DNS | SUITE_TCP | SUITE_WEBSOCKET,
		.resets = true,
	};
	return transport_suite_run(&kind);
}
