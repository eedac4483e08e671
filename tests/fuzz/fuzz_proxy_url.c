/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_proxy_url.c: any text is a proxy's URL or one sentence that quotes no user info, and any text may stand in
 * no_proxy.
 *
 * A proxy has a place, and shows no user info; "*" in front takes everything out. Input: the text, up to its first
 * NUL. */
#include "endpoint/proxy_environment.h"
#include "endpoint/proxy_url.h"
#include "fuzz.h"
#include <string.h>

static void url_look(const char *text)
{
	struct skiff_error error = {0};
	struct skiffi_proxy *proxy = skiffi_proxy_new(text, &error);
	CHECK(proxy || (error.code && error.text[0]));
	if (proxy) {
		CHECK(proxy->endpoint->host[0] && proxy->endpoint->port && strstr(proxy->text, "://"));
		CHECK(!strchr(proxy->text, '@'));
	}
	skiffi_proxy_free(proxy);
}

static void list_look(const char *text)
{
	static const char *const hosts[] = {"broker.example", "10.1.2.3", "fe80::1%eth0", "::ffff:10.1.2.3"};
	char all[8192];
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		skiffi_no_proxy_lists(text, hosts[i], 8883);
	snprintf(all, sizeof all, "*,%s", text);
	CHECK(skiffi_no_proxy_lists(all, hosts[0], 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1);
	CHECK(text);
	if (len)
		memcpy(text, data, len);
	url_look(text);
	list_look(text);
	free(text);
	return 0;
}
