/* SPDX-License-Identifier: Apache-2.0 */
/* thread.h: threads of the library's own. */
#ifndef SKIFFI_THREAD_H
#define SKIFFI_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that no signal is delivered to, as signals belong to the program's own threads. `*thread` is to be
 * joined; NULL: detached. False: there are no more. */
bool skiffi_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
