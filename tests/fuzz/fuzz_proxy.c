/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_proxy.c: a proxy's answers, in HTTP and in SOCKS 5, whole and in pieces: one verdict, one sentence.
 *
 * Input: one byte that says which proxy is asked, and how the rest is cut; the rest is what the proxy sends. */
#include "fuzz.h"
#include "transport/proxy_protocol.h"
#include <string.h>

static const char *const urls[] = {"http://p", "http://u:p@p", "socks5h://p", "socks5h://u:p@p"};

enum { FUZZ_URLS = 4 };

struct verdict {
	struct skiffi_proxy_answer last;
	size_t used; /* of all answers */
};

static struct verdict judge(const uint8_t *data, size_t len, size_t cut, const struct skiffi_proxy *proxy)
{
	const struct skiffi_proxy_protocol *protocol =
		proxy->kind == SKIFFI_PROXY_HTTP ? &skiffi_proxy_http : &skiffi_proxy_socks;
	struct skiffi_proxy_wish wish = {proxy, "h", 1883};
	struct verdict verdict = {.used = 0};
	enum skiffi_proxy_step step = protocol->first;
	for (size_t there = 0;;) {
		size_t left = len - there;
		there += cut && cut < left ? cut : left;
		do {
			protocol->read(data + verdict.used, there - verdict.used, step, &wish, &verdict.last);
			CHECK(verdict.last.used <= there - verdict.used);
			CHECK(verdict.last.outcome != SKIFFI_PROXY_NEXT || verdict.last.next > step);
			verdict.used += verdict.last.used;
			step = verdict.last.outcome == SKIFFI_PROXY_NEXT ? verdict.last.next : step;
		} while (verdict.last.outcome == SKIFFI_PROXY_NEXT);
		if (there == len || verdict.last.outcome != SKIFFI_PROXY_MORE)
			break;
	}
	const struct skiffi_proxy_answer *last = &verdict.last;
	bool refused = last->outcome == SKIFFI_PROXY_REFUSED;
	CHECK(refused == !!last->code && refused == !!*last->what);
	CHECK(!refused || last->code == SKIFF_PROXY_REFUSED || last->code == SKIFF_PROXY_AUTH);
	for (const char *at = last->what; *at; at++)
		CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
	return verdict;
}

static void check_same(const struct verdict *one, const struct verdict *other)
{
	CHECK(one->last.outcome == other->last.outcome && one->used == other->used);
	CHECK(one->last.code == other->last.code && one->last.detail == other->last.detail);
	CHECK(!strcmp(one->last.what, other->last.what) && !strcmp(one->last.hint, other->last.hint));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct skiff_error error;
	if (!len || len > 65536)
		return 0;
	struct skiffi_proxy *proxy = skiffi_proxy_new(urls[data[0] % FUZZ_URLS], &error);
	CHECK(proxy);
	uint8_t *exact = malloc(len); /* so that a read behind the end is seen */
	memcpy(exact, data + 1, len - 1);
	exact = realloc(exact, len > 1 ? len - 1 : 1);
	struct verdict whole = judge(exact, len - 1, 0, proxy);
	struct verdict cut_up = judge(exact, len - 1, 1 + data[0] / FUZZ_URLS, proxy);
	struct verdict bytes = judge(exact, len - 1, 1, proxy);
	check_same(&whole, &cut_up);
	check_same(&whole, &bytes);
	free(exact);
	skiffi_proxy_free(proxy);
	return 0;
}
