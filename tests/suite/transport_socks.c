/* SPDX-License-Identifier: Apache-2.0 */
/* transport_socks.c: through a SOCKS 5 proxy, which takes user and password and is asked for a name. */
#include "suite/suite_proxy.h"

#include <string.h>

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
	static const char name[] = SUITE_PROXY_HOST, greeting[] = {5, 2, 0, 2}, login[] = "\1\4kara\6s3cret";
	uint8_t connect[64] = {5, 1, 0, 3, sizeof name - 1};
	size_t len = 5 + sizeof name - 1;
	memcpy(connect + 5, name, sizeof name - 1);
	connect[len++] = SUITE_PROXY_PORT >> 8;
	connect[len++] = SUITE_PROXY_PORT & 0xff;
	return far_expect(peer, greeting, sizeof greeting) && far_answer(peer, "\5\2", 2) &&
	       far_expect(peer, login, sizeof login - 1) && far_answer(peer, "\1\0", 2) &&
	       far_expect(peer, connect, len);
}

static bool far_connects(const struct suite_peer *peer)
{
	return far_answer(peer, "\5\0\0\3\4name\0\0", 11);
}

int main(void)
{
	const struct suite_proxy proxy = {"socks", "socks5h://kara:s3cret@", far_shakes_hands, far_connects};
	return suite_proxy_run(&proxy);
}
