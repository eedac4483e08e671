/* SPDX-License-Identifier: Apache-2.0 */
/* lab_ports.c: finds out by binding. mosquitto has no "port 0", so free ports are asked of the kernel, all at once so
 * that they differ, and given back just before the broker takes them. */
#include "lab_ports.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Binds to `*port`, 0 for any, and sets it to what it became. The socket, or -1 with errno. */
static int port_bind(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t size = sizeof(address);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (*port != 0) /* as the broker does: connections that linger from an earlier lab are no hindrance */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, size) < 0 || (*port != 0 && listen(fd, 1) < 0) ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		int reason = errno;
		close(fd);
		errno = reason;
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static bool ports_fail(struct lab *lab, int port)
{
	if (errno == EADDRINUSE && lab->as == NULL && lab->base != 0)
		return lab_fail(lab,
			"port %d is busy; end what listens there, or use another --base, or --base 0 for free ports",
			port);
	return lab_fail(lab, "cannot listen on port %d of 127.0.0.1: %s", port, strerror(errno));
}

bool lab_ports_are_free_ones(const struct lab *lab)
{
	return lab->link.on || (lab->as == NULL && lab->base == 0);
}

int lab_ports_wanted(const struct lab *lab, size_t door)
{
	return lab->as != NULL ? lab_doors[door].port : lab->base == 0 ? 0 : lab_doors[door].port + lab->base;
}

int lab_ports_listen(struct lab *lab, int *port)
{
	int fd = port_bind(port);

	if (fd < 0)
		ports_fail(lab, *port);
	else if (listen(fd, 64) == 0)
		return fd;
	return -1;
}

bool lab_ports_choose(struct lab *lab)
{
	int held[LAB_DOORS], count = 0;
	bool chosen = true;

	for (size_t i = 0; i < LAB_DOORS && chosen; i++) {
		lab->ports[i] = lab_ports_are_free_ones(lab) ? 0 : lab_ports_wanted(lab, i);
		int fd = port_bind(&lab->ports[i]);
		if (fd < 0)
			chosen = ports_fail(lab, lab->ports[i]);
		else
			held[count++] = fd;
	}
	while (count > 0)
		close(held[--count]);
	return chosen;
}
