/* SPDX-License-Identifier: Apache-2.0 */
/* transport_proxy.c: through an HTTP proxy, by CONNECT. */
#include "suite/suite_proxy.h"

#include <string.h>

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

static bool far_connects(const struct suite_peer *peer)
{
	static const char answer[] = "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";
	return peer->write(peer->peer, answer, sizeof answer - 1);
}

int main(void)
{
	const struct suite_proxy proxy = {"proxy", "http://", far_read_head, far_connects};
	return suite_proxy_run(&proxy);
}
