/* SPDX-License-Identifier: Apache-2.0 */
/* suite_proxy.c: what the proxies of the suite share. One that is to ignore the client hears it out and says nothing.
 */
#include "suite/suite_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proxy_far {
	void *net;
	suite_script script;
	void *user;
	bool silent;
};

static const struct suite_proxy *proxy_kind; /* of this program */

static void far_run(const struct suite_peer *peer, void *user)
{
	const struct proxy_far *far = user;
	char rest[16];
	if (!proxy_kind->hear(peer))
		return;
	if (far->silent) {
		while (peer->read(peer->peer, rest, sizeof rest))
			;
		return;
	}
	if (proxy_kind->answer(peer))
		far->script(peer, far->user);
}

static void *proxy_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	struct proxy_far *far = calloc(1, sizeof *far);
	if (!far)
		abort();
	far->script = script;
	far->user = user;
	far->silent = manner == SUITE_IGNORES;
	far->net = suite_net_start(
		NET_TCP, NET_IGNORES, manner == SUITE_REFUSES ? SUITE_REFUSES : SUITE_SERVES, far_run, far, way);
	snprintf(way->proxy, sizeof way->proxy, "%s%s", proxy_kind->before, strstr(way->url, "://") + 3);
	snprintf(way->url, sizeof way->url, "tcp://" SUITE_PROXY_HOST ":%d", SUITE_PROXY_PORT);
	return far;
}

static void proxy_stop(void *user)
{
	struct proxy_far *far = user;
	suite_net_stop(far->net);
	free(far);
}

int suite_proxy_run(const struct suite_proxy *proxy)
{
	const struct suite_kind kind = {
		.name = proxy->name,
		.start = proxy_start,
		.stop = proxy_stop,
		.ignored = SKIFF_PROXY_REFUSED,
		.phases = SUITE_DNS | SUITE_TCP | SUITE_PROXY,
		.resets = true,
	};
	proxy_kind = proxy;
	return transport_suite_run(&kind);
}
