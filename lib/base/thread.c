/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>

bool skiffi_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
	pthread_t detached;
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	bool ok = !pthread_create(thread ? thread : &detached, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ok && !thread)
		pthread_detach(detached);
	return ok;
}
