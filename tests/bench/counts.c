/* SPDX-License-Identifier: Apache-2.0 */
/* counts.c: to be preloaded; counts a program's allocations and locks, and says so when it ends with _exit, as the
 * programs here do: "allocations N locks N" on the descriptor that the environment variable COUNTS_FD names. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's own, by the names that it keeps for those who stand before it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long allocations, locks;

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_realloc(old, size);
}

/* Calls the C library's function of that name, and counts it. */
static int lock_counted(_Atomic(void *) *real, const char *name, pthread_mutex_t *mutex)
{
	void *found = atomic_load(real);
	int (*lock)(pthread_mutex_t * mutex);
	if (!found) {
		found = dlsym(RTLD_NEXT, name);
		atomic_store(real, found);
	}
	*(void **)&lock = found;
	atomic_fetch_add(&locks, 1);
	return lock(mutex);
}

__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static _Atomic(void *) real;
	return lock_counted(&real, "pthread_mutex_lock", mutex);
}

__attribute__((visibility("default"))) int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	static _Atomic(void *) real;
	return lock_counted(&real, "pthread_mutex_trylock", mutex);
}

__attribute__((visibility("default"))) void _exit(int status)
{
	const char *fd = getenv("COUNTS_FD");
	if (fd)
		dprintf(atoi(fd), "allocations %ld locks %ld\n", atomic_load(&allocations), atomic_load(&locks));
	syscall(SYS_exit_group, status);
	__builtin_unreachable();
}
