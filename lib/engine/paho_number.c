/* SPDX-License-Identifier: Apache-2.0 */
/* paho_number.c: the number of a failed attempt's socket stays taken until Paho has forgotten it.
 *
 * Paho's receiving thread ends a failed attempt, calls back, lets go of the lock for everything, takes it again and
 * ends once more whoever has the socket of that number. By then the next attempt may have it, and would fail for the
 * one before. So the number is held, by a descriptor of no use, until that thread
 * is seen in another round; the last one, if nothing follows, to the end. */
#include "engine/paho_internal.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock;
	int fd; /* -1: none */
} number = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* Not taken where somebody else has it by now: that one is not Paho's, which is under its lock. */
static int number_take(int wanted)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0 || fd == wanted)
		return fd;
	int taken = fcntl(fd, F_DUPFD_CLOEXEC, wanted);
	close(fd);
	if (taken < 0 || taken == wanted)
		return taken;
	close(taken);
	return -1;
}

static void number_exchange(int fd)
{
	pthread_mutex_lock(&number.lock);
	int before = number.fd;
	number.fd = fd;
	pthread_mutex_unlock(&number.lock);
	if (before >= 0)
		close(before);
}

void skiffi_paho_number_hold(int socket)
{
	if (socket >= 0)
		number_exchange(number_take(socket));
}

void skiffi_paho_number_release(void)
{
	number_exchange(-1);
}
