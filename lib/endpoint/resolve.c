/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c: a lookup with a deadline.
 *
 * Happy path: start a lookup and a timer; the first of the two to come back answers. Literals and socket paths are
 * answered by the timer alone, at once but from the loop.
 * Failure: the resolver's word becomes one of three codes. */
#include "endpoint/resolve.h"

#include "base/alloc.h"
#include "base/error.h"
#include "endpoint/lookup.h"
#include "loop/handles.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

struct skiffi_resolve {
	struct skiffi_lookup *lookup; /* NULL: nobody is asked */
	uv_timer_t *timer;
	struct skiffi_loop *loop;
	const struct skiffi_endpoint *endpoint; /* borrowed */
	skiffi_resolve_fn done;
	void *user;
	const char *literal; /* the address where none is asked for; borrowed as well */
	int timeout_ms;
};

struct resolve_reason {
	int eai;
	enum skiff_code code;
	const char *text;
};

static const struct resolve_reason resolve_reasons[] = {
	{EAI_NONAME, SKIFF_DNS_NOT_FOUND, "no such name; check its spelling"},
	{EAI_NODATA, SKIFF_DNS_NOT_FOUND, "the name has no address"},
	{EAI_ADDRFAMILY, SKIFF_DNS_NOT_FOUND, "the name has no address of a usable kind"},
	{EAI_AGAIN, SKIFF_DNS_FAILED, "no name server answered; is this machine online, and is its DNS set up?"},
	{EAI_FAIL, SKIFF_DNS_FAILED, "the name server answered with a failure"},
	{EAI_MEMORY, SKIFF_MEMORY, "out of memory"},
};

void skiffi_resolve_cancel(struct skiffi_resolve *resolve)
{
	if (resolve->lookup)
		skiffi_lookup_cancel(resolve->lookup);
	skiffi_timer_give(resolve->loop, resolve->timer);
	skiffi_free(resolve);
}

static void resolve_answer(
	struct skiffi_resolve *resolve, const struct skiffi_addresses *addresses, const struct skiff_error *error)
{
	skiffi_resolve_fn done = resolve->done;
	void *user = resolve->user;
	skiffi_resolve_cancel(resolve); /* what is still under way */
	done(user, error ? NULL : addresses, error);
}

/* ---- what the resolver said ---- */

static bool addresses_have(const struct skiffi_addresses *addresses, const struct skiffi_address *address)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const struct skiffi_address *at = &addresses->list[i];
		if (at->len == address->len && !memcmp(&at->storage, &address->storage, at->len))
			return true;
	}
	return false;
}

static void address_set_port(struct skiffi_address *address, uint16_t port)
{
	if (address->storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

/* The next of family `family` from `*at` on, which moves behind it. */
static const struct addrinfo *info_next(const struct addrinfo **at, int family)
{
	const struct addrinfo *found = *at;
	while (found && found->ai_family != family)
		found = found->ai_next;
	*at = found ? found->ai_next : NULL;
	return found;
}

static void addresses_add(struct skiffi_addresses *addresses, const struct addrinfo *info, uint16_t port)
{
	if (!info || addresses->count == SKIFFI_RESOLVE_MAX)
		return;
	struct skiffi_address *address = &addresses->list[addresses->count];
	memcpy(&address->storage, info->ai_addr, info->ai_addrlen);
	address->len = info->ai_addrlen;
	address_set_port(address, port);
	if (!addresses_have(addresses, address))
		addresses->count++;
}

void skiffi_addresses_interleave(struct skiffi_addresses *addresses, const struct addrinfo *answer, uint16_t port)
{
	addresses->count = 0;
	if (!answer)
		return;
	int family = answer->ai_family;
	const struct addrinfo *first = answer, *second = answer;
	while (first || second) {
		addresses_add(addresses, info_next(&first, family), port);
		addresses_add(addresses, info_next(&second, family == AF_INET ? AF_INET6 : AF_INET), port);
	}
}

static void resolve_explain(
	const struct skiffi_resolve *resolve, const struct skiffi_lookup_answer *answer, struct skiff_error *error)
{
	const char *host = resolve->endpoint->host;
	for (size_t i = 0; i < sizeof resolve_reasons / sizeof resolve_reasons[0]; i++) {
		const struct resolve_reason *reason = &resolve_reasons[i];
		if (reason->eai == answer->error) {
			skiffi_fail(
				error, reason->code, reason->eai, "cannot resolve host \"%s\": %s", host, reason->text);
			return;
		}
	}
	skiffi_fail(error, SKIFF_DNS_FAILED, answer->system ? answer->system : answer->error,
		"cannot resolve host \"%s\": %s", host,
		answer->system ? uv_strerror(uv_translate_sys_error(answer->system)) : gai_strerror(answer->error));
}

/* "localhost" and every name below it mean this machine [RFC 6761, 6.3], even where no hosts file says so, as in a bare
 * container. */
static bool host_is_local(const char *host)
{
	static const char local[] = "localhost";
	size_t len = strlen(host), local_len = sizeof local - 1;
	if (len && host[len - 1] == '.')
		len--;
	if (len < local_len || strncasecmp(host + len - local_len, local, local_len))
		return false;
	return len == local_len || host[len - local_len - 1] == '.';
}

static void addresses_set_local(struct skiffi_addresses *addresses, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&addresses->list[0].storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addresses->list[1].storage;
	*v4 = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	addresses->list[0].len = sizeof *v4;
	addresses->list[1].len = sizeof *v6;
	addresses->count = 2;
}

static void resolve_on_answer(void *user, const struct skiffi_lookup_answer *found)
{
	struct skiffi_resolve *resolve = user;
	struct skiffi_lookup_answer answer = *found;
	struct skiffi_addresses addresses;
	struct skiff_error error;
	resolve->lookup = NULL;
	skiffi_addresses_interleave(&addresses, answer.list, resolve->endpoint->port);
	if (!answer.error && !addresses.count)
		answer.error = EAI_NODATA;
	if (answer.error && host_is_local(resolve->endpoint->host)) {
		addresses_set_local(&addresses, resolve->endpoint->port);
		answer.error = 0;
	}
	if (answer.error)
		resolve_explain(resolve, &answer, &error);
	resolve_answer(resolve, &addresses, answer.error ? &error : NULL);
}

static void resolve_on_deadline(uv_timer_t *timer)
{
	struct skiffi_resolve *resolve = timer->data;
	struct skiff_error error;
	skiffi_fail(&error, SKIFF_DNS_TIMEOUT, 0,
		"cannot resolve host \"%s\": no answer within %d ms; is this machine online, and is its DNS set up?",
		resolve->endpoint->host, resolve->timeout_ms);
	resolve_answer(resolve, NULL, &error);
}

/* ---- what needs no resolver ---- */

static void address_from_path(struct skiffi_address *address, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof un->sun_path, "%s", path);
	address->len = sizeof *un;
}

/* libuv reads the zone; an interface that is not there gives scope 0. */
static bool address_from_literal(struct skiffi_address *address, const char *host, uint16_t port)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->storage;
	if (!strchr(host, ':')) {
		address->len = sizeof(struct sockaddr_in);
		return !uv_ip4_addr(host, port, (struct sockaddr_in *)&address->storage);
	}
	address->len = sizeof *v6;
	return !uv_ip6_addr(host, port, v6) && (!strchr(host, '%') || v6->sin6_scope_id);
}

static void resolve_on_literal(uv_timer_t *timer)
{
	struct skiffi_resolve *resolve = timer->data;
	struct skiffi_addresses addresses = {.count = 1};
	struct skiff_error error;
	if (resolve->endpoint->kind == SKIFFI_UNIX) {
		address_from_path(&addresses.list[0], resolve->endpoint->host);
	} else if (!address_from_literal(&addresses.list[0], resolve->literal, resolve->endpoint->port)) {
		const char *zone = strchr(resolve->literal, '%');
		skiffi_fail(&error, SKIFF_DNS_FAILED, 0,
			"cannot use address \"%s\": this machine has no interface \"%s\"", resolve->literal,
			zone ? zone + 1 : "");
		resolve_answer(resolve, NULL, &error);
		return;
	}
	resolve_answer(resolve, &addresses, NULL);
}

/* ---- calls ---- */

static bool resolve_ask(struct skiffi_resolve *resolve, int ip_version)
{
	int family = ip_version == 4 ? AF_INET : ip_version == 6 ? AF_INET6 : AF_UNSPEC;
	resolve->lookup =
		skiffi_lookup_start(&resolve->loop->uv, resolve->endpoint->host, family, resolve_on_answer, resolve);
	if (resolve->lookup && resolve->timeout_ms >= 0)
		uv_timer_start(resolve->timer, resolve_on_deadline, (uint64_t)resolve->timeout_ms, 0);
	return resolve->lookup;
}

struct skiffi_resolve *skiffi_resolve_start(struct skiffi_loop *loop, const struct skiffi_endpoint *endpoint,
	const struct skiffi_resolve_wish *wish, skiffi_resolve_fn done, void *user)
{
	struct skiffi_resolve *resolve = skiffi_calloc(1, sizeof *resolve);
	if (!resolve)
		return NULL;
	resolve->endpoint = endpoint;
	resolve->done = done;
	resolve->user = user;
	resolve->literal = wish->address ? wish->address : endpoint->host;
	resolve->timeout_ms = wish->timeout_ms;
	resolve->loop = loop;
	resolve->timer = skiffi_timer_take(loop, resolve);
	bool ask = endpoint->kind != SKIFFI_UNIX && !endpoint->ip_literal && !wish->address;
	if (!resolve->timer || (ask && !resolve_ask(resolve, wish->ip_version))) {
		skiffi_timer_give(loop, resolve->timer);
		skiffi_free(resolve);
		return NULL;
	}
	if (!ask)
		uv_timer_start(resolve->timer, resolve_on_literal, 0, 0);
	return resolve;
}

void skiffi_address_text(const struct skiffi_address *address, char *out, size_t size)
{
	char number[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "?";
	const struct sockaddr *any = (const struct sockaddr *)&address->storage;
	if (any->sa_family == AF_UNIX) {
		snprintf(out, size, "%s", ((const struct sockaddr_un *)any)->sun_path);
	} else if (any->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)any;
		getnameinfo(any, address->len, number, sizeof number, NULL, 0, NI_NUMERICHOST);
		snprintf(out, size, "[%s]:%u", number, ntohs(v6->sin6_port));
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)any;
		inet_ntop(AF_INET, &v4->sin_addr, number, sizeof number);
		snprintf(out, size, "%s:%u", number, ntohs(v4->sin_port));
	}
}
