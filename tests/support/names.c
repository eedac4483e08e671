/* SPDX-License-Identifier: Apache-2.0 */
/* names.c: getaddrinfo, defined by the program itself; the linker prefers it to the C library's. */
#include "support/names.h"

#include "support/waiting.h"
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

enum { NAMES_PATIENCE_MS = 20000 };

typedef int (*names_fn)(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result);

static bool names_answered; /* under the lock of waiting.h */

static bool names_may_answer(const void *subject)
{
	return *(const bool *)subject;
}

void names_answer(void)
{
	waiting_lock();
	names_answered = true;
	waiting_unlock();
}

static bool names_ends(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);
	return len > end_len && !strcmp(name + len - end_len, end);
}

__attribute__((visibility("default"))) /* so that the libraries' calls come here too */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	names_fn real;
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (node && !strcmp(node, "slow.example"))
		waiting_until(names_may_answer, &names_answered, NAMES_PATIENCE_MS);
	if (node && names_ends(node, ".example"))
		return EAI_NONAME;
	bool ours = node && (names_ends(node, ".mosquitto.org") || !strcmp(node, "mosquitto.org"));
	return real(ours ? "127.0.0.1" : node, service, hints, result);
}
