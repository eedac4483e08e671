/* SPDX-License-Identifier: Apache-2.0 */
/* send_all.h: writes to a socket that blocks. */
#ifndef TESTS_SEND_ALL_H
#define TESTS_SEND_ALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* False: the connection is over. */
static inline bool send_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	while (len) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		at += sent;
		len -= (size_t)sent;
	}
	return true;
}

#endif
