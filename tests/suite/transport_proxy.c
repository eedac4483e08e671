/* SPDX-License-Identifier: Apache-2.0 */
/* transport_proxy.c: through an HTTP proxy, which here is the far end itself: it answers CONNECT, and then is whom was
 * asked for. */
#include "suite/suite_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proxy_far {
	void *net;
	suite_script script;
	void *user;
	bool silent;
};

/* Reads the head of the request byte by byte, as what follows it is the script's. */
static bool far_read_head(const struct suite_peer *peer)
{
	char last[4] = "";
	while (memcmp(last, "\r\n\r\n", sizeof last) != 0) {
		memmove(last, last + 1, sizeof last - 1);
		if (!peer->read(peer->peer, last + sizeof last - 1, 1))
			return false;
	}
	return true;
}

static void far_run(const struct suite_peer *peer, void *user)
{
	static const char answer[] = "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";
	const struct proxy_far *far = user;
	char rest[16];
	if (!far_read_head(peer))
		return;
	if (far->silent) {
		while (peer->read(peer->peer, rest, sizeof rest))
			;
		return;
	}
	if (peer->write(peer->peer, answer, sizeof answer - 1))
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
	snprintf(way->proxy, sizeof way->proxy, "http%s", strstr(way->url, "://"));
	strcpy(way->url, "tcp://broker.invalid:1883"); /* which the proxy would look up */
	return far;
}

static void proxy_stop(void *user)
{
	struct proxy_far *far = user;
	suite_net_stop(far->net);
	free(far);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "proxy",
		.start = proxy_start,
		.stop = proxy_stop,
		.ignored = SKIFF_PROXY_REFUSED,
		.phases = SUITE_DNS | SUITE_TCP | SUITE_PROXY,
		.resets = true,
	};
	return transport_suite_run(&kind);
}
