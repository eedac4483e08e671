/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c: answers in the right order, and at the right time. No name server is asked: getaddrinfo is this file's. */
#include "endpoint/resolve.h"

#include "loop/handles.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a resolver that does as it is told ---- */

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
static bool fake_held; /* guarded by the lock: nobody is answered */
static int fake_result;

/* visible to libuv, which finds the program's before libc's */
__attribute__((visibility("default"))) int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	(void)service, (void)hints;
	pthread_mutex_lock(&fake_lock);
	while (fake_held)
		pthread_cond_wait(&fake_changed, &fake_lock);
	int result = strcmp(name, "host.example") ? EAI_NONAME : fake_result;
	pthread_mutex_unlock(&fake_lock);
	if (result)
		return result;
	struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
	if (!info)
		return EAI_MEMORY;
	info->ai_family = AF_INET;
	info->ai_addrlen = sizeof(struct sockaddr_in);
	info->ai_addr = (struct sockaddr *)(info + 1);
	uv_ip4_addr("192.0.2.9", 0, (struct sockaddr_in *)info->ai_addr);
	*answer = info;
	return 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *answer)
{
	free(answer);
}

static void fake_hold(bool held)
{
	pthread_mutex_lock(&fake_lock);
	fake_held = held;
	pthread_cond_broadcast(&fake_changed);
	pthread_mutex_unlock(&fake_lock);
}

/* ---- order ---- */

struct listed {
	struct addrinfo info;
	struct sockaddr_storage storage;
};

static void listed_set(struct listed *listed, const char *text, struct listed *next)
{
	bool v6 = strchr(text, ':');
	memset(listed, 0, sizeof *listed);
	listed->info.ai_family = v6 ? AF_INET6 : AF_INET;
	listed->info.ai_addr = (struct sockaddr *)&listed->storage;
	listed->info.ai_addrlen = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	listed->info.ai_next = next ? &next->info : NULL;
	if (v6)
		uv_ip6_addr(text, 0, (struct sockaddr_in6 *)&listed->storage);
	else
		uv_ip4_addr(text, 0, (struct sockaddr_in *)&listed->storage);
}

static void order_is(const char *const *texts, size_t count, const char *wanted)
{
	struct listed list[64];
	struct skiffi_addresses addresses;
	char got[4096] = "", text[128];
	for (size_t i = 0; i < count; i++)
		listed_set(&list[i], texts[i], i + 1 < count ? &list[i + 1] : NULL);
	skiffi_addresses_interleave(&addresses, count ? &list[0].info : NULL, 1);
	for (size_t i = 0; i < addresses.count; i++) {
		skiffi_address_text(&addresses.list[i], text, sizeof text);
		strcat(strcat(got, i ? " " : ""), text);
	}
	assert_string_equal(got, wanted);
}

static void families_take_turns(void **state)
{
	static const char *const v6_first[] = {"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"};
	static const char *const v4_first[] = {"10.0.0.1", "::1", "::2"};
	static const char *const v4_only[] = {"10.0.0.1", "10.0.0.2"};
	(void)state;
	order_is(v6_first, 5, "[::1]:1 10.0.0.1:1 [::2]:1 10.0.0.2:1 [::3]:1");
	order_is(v4_first, 3, "10.0.0.1:1 [::1]:1 [::2]:1");
	order_is(v4_only, 2, "10.0.0.1:1 10.0.0.2:1");
	order_is(NULL, 0, "");
}

static void addresses_come_once(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "::1", "10.0.0.1", "::1", "10.0.0.2"};
	(void)state;
	order_is(texts, 5, "10.0.0.1:1 [::1]:1 10.0.0.2:1");
}

static void addresses_are_bounded(void **state)
{
	struct listed list[64];
	struct skiffi_addresses addresses;
	char text[32];
	(void)state;
	for (int i = 63; i >= 0; i--) {
		snprintf(text, sizeof text, "10.0.0.%d", i);
		listed_set(&list[i], text, i < 63 ? &list[i + 1] : NULL);
	}
	skiffi_addresses_interleave(&addresses, &list[0].info, 1);
	assert_int_equal(addresses.count, SKIFFI_RESOLVE_MAX);
}

/* ---- lookups ---- */

struct lookup {
	bool called;
	size_t count;
	struct skiff_error error;
	char first[128];
};

static void lookup_done(void *user, const struct skiffi_addresses *addresses, const struct skiff_error *error)
{
	struct lookup *lookup = user;
	assert_false(lookup->called);
	assert_true(!addresses == !!error);
	lookup->called = true;
	fake_hold(false);
	if (error)
		lookup->error = *error;
	if (!addresses)
		return;
	lookup->count = addresses->count;
	skiffi_address_text(&addresses->list[0], lookup->first, sizeof lookup->first);
}

static struct lookup look_up(const char *url, int timeout_ms, bool cancel)
{
	struct skiffi_loop loop = {0};
	struct lookup lookup = {0};
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(url, NULL);
	assert_non_null(endpoint);
	assert_int_equal(uv_loop_init(&loop.uv), 0);
	struct skiffi_resolve_wish wish = {.timeout_ms = timeout_ms};
	struct skiffi_resolve *resolve = skiffi_resolve_start(&loop, endpoint, &wish, lookup_done, &lookup);
	assert_non_null(resolve);
	assert_false(lookup.called);
	if (cancel) {
		skiffi_resolve_cancel(resolve);
		fake_hold(false);
	}
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	skiffi_handles_end(&loop);
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop.uv), 0);
	skiffi_endpoint_free(endpoint);
	return lookup;
}

static void literals_need_nobody(void **state)
{
	(void)state;
	assert_string_equal(look_up("tcp://192.0.2.1:7", 0, false).first, "192.0.2.1:7");
	assert_string_equal(look_up("tcp://[2001:db8::1]:7", 0, false).first, "[2001:db8::1]:7");
	assert_string_equal(look_up("unix:/run/x", 0, false).first, "/run/x");
	assert_string_equal(look_up("tcp://[fe80::1%25lo]:7", 0, false).first, "[fe80::1%lo]:7");
}

static void unknown_zone(void **state)
{
	(void)state;
	struct lookup lookup = look_up("tcp://[fe80::1%25nothere0]", -1, false);
	assert_true(lookup.called);
	assert_int_equal(lookup.error.code, SKIFF_DNS_FAILED);
	assert_non_null(strstr(lookup.error.text, "no interface \"nothere0\""));
}

static void name_is_found(void **state)
{
	(void)state;
	struct lookup lookup = look_up("tcp://host.example:7", 10000, false);
	assert_int_equal(lookup.error.code, SKIFF_OK);
	assert_int_equal(lookup.count, 1);
	assert_string_equal(lookup.first, "192.0.2.9:7");
}

/* RFC 6761, 6.3: also where the resolver does not know it, as this one. */
static void localhost_is_this_machine(void **state)
{
	(void)state;
	assert_int_equal(look_up("tcp://localhost:7", 10000, false).count, 2);
	assert_string_equal(look_up("tcp://localhost.:7", 10000, false).first, "127.0.0.1:7");
	assert_string_equal(look_up("tcp://a.LOCALHOST:7", 10000, false).first, "127.0.0.1:7");
	assert_int_equal(look_up("tcp://notlocalhost:7", 10000, false).error.code, SKIFF_DNS_NOT_FOUND);
}

static void causes_are_told_apart(void **state)
{
	static const struct {
		int result;
		enum skiff_code code;
		const char *says;
	} cases[] = {
		{EAI_NONAME, SKIFF_DNS_NOT_FOUND,
			"cannot resolve host \"host.example\": no such name; check its spelling"},
		{EAI_NODATA, SKIFF_DNS_NOT_FOUND, "has no address"},
		{EAI_AGAIN, SKIFF_DNS_FAILED, "no name server answered"},
		{EAI_FAIL, SKIFF_DNS_FAILED, "answered with a failure"},
		{EAI_MEMORY, SKIFF_MEMORY, "out of memory"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fake_result = cases[i].result;
		struct lookup lookup = look_up("tcp://host.example", -1, false);
		assert_int_equal(lookup.error.code, cases[i].code);
		assert_int_equal(lookup.error.detail, cases[i].result);
		assert_non_null(strstr(lookup.error.text, cases[i].says));
	}
	fake_result = 0;
}

/* The resolver answers only after the deadline has been told: the answer is an orphan's. */
static void deadline(void **state)
{
	(void)state;
	fake_hold(true);
	struct lookup lookup = look_up("tcp://host.example", 10, false);
	assert_true(lookup.called);
	assert_int_equal(lookup.error.code, SKIFF_DNS_TIMEOUT);
	assert_non_null(strstr(lookup.error.text, "cannot resolve host \"host.example\": no answer within 10 ms"));
}

static void cancelled(void **state)
{
	(void)state;
	fake_hold(true);
	assert_false(look_up("tcp://host.example", 10000, true).called);
	assert_false(look_up("tcp://host.example", 10000, true).called);
	assert_false(look_up("tcp://127.0.0.1", 10000, true).called);
	assert_false(look_up("unix:/run/x", 10000, true).called);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_take_turns),
		cmocka_unit_test(addresses_come_once),
		cmocka_unit_test(addresses_are_bounded),
		cmocka_unit_test(literals_need_nobody),
		cmocka_unit_test(unknown_zone),
		cmocka_unit_test(name_is_found),
		cmocka_unit_test(localhost_is_this_machine),
		cmocka_unit_test(causes_are_told_apart),
		cmocka_unit_test(deadline),
		cmocka_unit_test(cancelled),
	};
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
