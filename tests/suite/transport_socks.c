/* SPDX-License-Identifier: Apache-2.0 */
/* transport_socks.c: through a SOCKS 5 proxy, which here is the far end itself: it takes user and password, answers
 * CONNECT to a name, and then is whom was asked for. */
#include "suite/suite_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKS_PORT = 1883 };

static const char socks_name[] = "broker.invalid"; /* which the proxy would look up */

struct socks_far {
	void *net;
	suite_script script;
	void *user;
	bool silent;
};

static bool far_expect(const struct suite_peer *peer, const void *expected, size_t len)
{
	uint8_t got[64];
	size_t used = 0;
	while (used < len) {
		size_t some = peer->read(peer->peer, got + used, len - used);
		if (!some)
			return false;
		used += some;
	}
	return !memcmp(got, expected, len);
}

/* Answers byte by byte. */
static bool far_answer(const struct suite_peer *peer, const char *answer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!peer->write(peer->peer, answer + i, 1))
			return false;
	return true;
}

static bool far_shakes_hands(const struct suite_peer *peer)
{
	static const char greeting[] = {5, 2, 0, 2}, login[] = "\1\4kara\6s3cret";
	uint8_t connect[64] = {5, 1, 0, 3, sizeof socks_name - 1};
	size_t len = 5 + sizeof socks_name - 1;
	memcpy(connect + 5, socks_name, sizeof socks_name - 1);
	connect[len++] = SOCKS_PORT >> 8;
	connect[len++] = SOCKS_PORT & 0xff;
	return far_expect(peer, greeting, sizeof greeting) && far_answer(peer, "\5\2", 2) &&
	       far_expect(peer, login, sizeof login - 1) && far_answer(peer, "\1\0", 2) &&
	       far_expect(peer, connect, len);
}

static void far_run(const struct suite_peer *peer, void *user)
{
	const struct socks_far *far = user;
	char rest[16];
	if (!far_shakes_hands(peer))
		return;
	if (far->silent) {
		while (peer->read(peer->peer, rest, sizeof rest))
			;
		return;
	}
	if (far_answer(peer, "\5\0\0\3\4name\0\0", 11))
		far->script(peer, far->user);
}

static void *socks_start(enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	struct socks_far *far = calloc(1, sizeof *far);
	if (!far)
		abort();
	far->script = script;
	far->user = user;
	far->silent = manner == SUITE_IGNORES;
	far->net = suite_net_start(
		NET_TCP, NET_IGNORES, manner == SUITE_REFUSES ? SUITE_REFUSES : SUITE_SERVES, far_run, far, way);
	snprintf(way->proxy, sizeof way->proxy, "socks5h://kara:s3cret@%s", strstr(way->url, "://") + 3);
	snprintf(way->url, sizeof way->url, "tcp://%s:%d", socks_name, SOCKS_PORT);
	return far;
}

static void socks_stop(void *user)
{
	struct socks_far *far = user;
	suite_net_stop(far->net);
	free(far);
}

int main(void)
{
	const struct suite_kind kind = {
		.name = "socks",
		.start = socks_start,
		.stop = socks_stop,
		.ignored = SKIFF_PROXY_REFUSED,
		.phases = SUITE_DNS | SUITE_TCP | SUITE_PROXY,
		.resets = true,
	};
	return transport_suite_run(&kind);
}
