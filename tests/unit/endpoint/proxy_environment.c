/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_environment.c: URLs of proxies, and the choice among those of the environment. */
#include "endpoint/proxy_environment.h"
#include "endpoint/proxy_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- URLs ---- */

struct good {
	const char *url;
	enum skiffi_proxy_kind kind;
	const char *text, *user, *password;
};

static const struct good goods[] = {
	{"http://h", SKIFFI_PROXY_HTTP, "http://h:80", NULL, NULL},
	{"h", SKIFFI_PROXY_HTTP, "http://h:80", NULL, NULL},
	{"h:3128", SKIFFI_PROXY_HTTP, "http://h:3128", NULL, NULL},
	{"u:p@h:3128", SKIFFI_PROXY_HTTP, "http://h:3128", "u", "p"},
	{"HTTP://H:3128/", SKIFFI_PROXY_HTTP, "http://h:3128", NULL, NULL},
	{"socks5://h", SKIFFI_PROXY_SOCKS5, "socks5://h:1080", NULL, NULL},
	{"socks5h://h", SKIFFI_PROXY_SOCKS5H, "socks5h://h:1080", NULL, NULL},
	{"Socks5H://h:1883", SKIFFI_PROXY_SOCKS5H, "socks5h://h:1883", NULL, NULL},
	{"socks5h://u%3a:p%40%2F@[::1]:9", SKIFFI_PROXY_SOCKS5H, "socks5h://[::1]:9", "u:", "p@/"},
	{"socks5://[2001:db8::1]", SKIFFI_PROXY_SOCKS5, "socks5://[2001:db8::1]:1080", NULL, NULL},
};

static void urls_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
		struct skiff_error error = {0};
		struct skiffi_proxy *proxy = skiffi_proxy_new(goods[i].url, &error);
		assert_string_equal(error.text, "");
		assert_int_equal(proxy->kind, goods[i].kind);
		assert_string_equal(proxy->text, goods[i].text);
		assert_int_equal(proxy->endpoint->kind, SKIFFI_TCP);
		assert_int_equal(!!proxy->endpoint->user, !!goods[i].user);
		if (goods[i].user)
			assert_string_equal(proxy->endpoint->user, goods[i].user);
		assert_int_equal(proxy->endpoint->password.len, goods[i].password ? strlen(goods[i].password) : 0);
		if (goods[i].password)
			assert_memory_equal(
				proxy->endpoint->password.data, goods[i].password, strlen(goods[i].password));
		skiffi_proxy_free(proxy);
	}
}

/* A password is never quoted, wherever it went astray. */
static void urls_refused(void **state)
{
	static const char *const bads[][2] = {
		{"socks4://h", "the proxy's scheme \"socks4\" is none of http, socks5 and socks5h"},
		{"https://h", "the proxy's scheme \"https\" is none of http, socks5 and socks5h"},
		{"://h", "the proxy's scheme \"\" is none of http, socks5 and socks5h"},
		{"u:s3cret@h://", "the proxy's scheme is none of http, socks5 and socks5h"},
		{"http://", "the proxy is not written as http://"},
		{"", "the proxy is not written as http://"},
		{"socks5://u:s3cret@", "the proxy is not written as socks5://"},
		{"socks5h://h:0", "the proxy is not written as socks5h://"},
		{"socks5h://u:s3cret/x@h", "the proxy is not written as socks5h://"},
		{"http://u:s3cret%@h", "the proxy is not written as http://"},
		{"http://h:80 ", "the proxy is not written as http://"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
		struct skiff_error error = {0};
		print_message("    %s\n", bads[i][0]);
		assert_null(skiffi_proxy_new(bads[i][0], &error));
		assert_int_equal(error.code, SKIFF_USAGE_OPTION);
		assert_memory_equal(error.text, bads[i][1], strlen(bads[i][1]));
		assert_null(strstr(error.text, "s3cret"));
	}
}

static void credentials_too_long(void **state)
{
	char url[400], text[257];
	struct skiff_error error = {0};
	(void)state;
	memset(text, 'x', 256);
	text[256] = '\0';
	snprintf(url, sizeof url, "socks5://%s@h", text);
	assert_null(skiffi_proxy_new(url, &error));
	assert_non_null(strstr(error.text, "255 bytes"));
	snprintf(url, sizeof url, "socks5h://u:%s@h", text);
	assert_null(skiffi_proxy_new(url, &error));
	snprintf(url, sizeof url, "http://u:%s@h", text);
	struct skiffi_proxy *proxy = skiffi_proxy_new(url, &error);
	assert_non_null(proxy);
	skiffi_proxy_free(proxy);
}

/* ---- no_proxy ---- */

struct listed {
	const char *list, *host;
	uint16_t port;
	bool is;
};

static const struct listed listings[] = {
	{"*", "any.example", 1, true},
	{" * ", "::1", 1, true},
	{"*:1883", "h", 1883, true},
	{"*:1883", "h", 1884, false},
	{"", "h", 1, false},
	{", ,", "h", 1, false},
	{".", "h", 1, false},
	{"example.com", "example.com", 1, true},
	{"example.com", "www.example.com", 1, true},
	{".example.com", "www.example.com", 1, true},
	{".example.com", "example.com", 1, true},
	{"example.com.", "example.com", 1, true},
	{"example.com", "example.com.", 1, true},
	{"EXAMPLE.com", "www.example.COM", 1, true},
	{"example.com", "badexample.com", 1, false},
	{"example.com", "example.com.org", 1, false},
	{"www.example.com", "example.com", 1, false},
	{"a,example.com", "example.com", 1, true},
	{"a  ,  example.com ,b", "example.com", 1, true},
	{"a example.com", "example.com", 1, true},
	{"example.com:1883", "www.example.com", 1883, true},
	{"example.com:1883", "www.example.com", 8883, false},
	{"example.com:x", "example.com", 1, false},
	{"example.com:", "example.com", 1, false},
	{"example.com:99999", "example.com", 1, false},
	{"192.0.2.1", "192.0.2.1", 1, true},
	{"192.0.2.1", "192.0.2.10", 1, false},
	{"2.1", "192.0.2.1", 1, false},
	{"192.0.2.1:1883", "192.0.2.1", 1883, true},
	{"192.0.2.1:1883", "192.0.2.1", 1, false},
	{"192.0.2.0/24", "192.0.2.255", 1, true},
	{"192.0.2.0/24", "192.0.3.0", 1, false},
	{"192.0.2.128/25", "192.0.2.127", 1, false},
	{"192.0.2.128/25", "192.0.2.128", 1, true},
	{"10.0.0.0/8:1883", "10.1.2.3", 1883, true},
	{"10.0.0.0/8:1883", "10.1.2.3", 1, false},
	{"192.0.2.7/32", "192.0.2.7", 1, true},
	{"192.0.2.7/33", "192.0.2.7", 1, false},
	{"0.0.0.0/0", "192.0.2.7", 1, true},
	{"0.0.0.0/0", "::1", 1, false},
	{"0.0.0.0/0", "h", 1, false},
	{"192.0.2.0/", "192.0.2.0", 1, false},
	{"192.0.2.0/x", "192.0.2.0", 1, false},
	{"::1", "::1", 1, true},
	{"0:0:0:0:0:0:0:1", "::1", 1, true},
	{"[::1]", "::1", 1, true},
	{"[::1]:1883", "::1", 1883, true},
	{"[::1]:1883", "::1", 1, false},
	{"2001:DB8::/32", "2001:db8:1::1", 1, true},
	{"2001:db8::/33", "2001:db8:8000::1", 1, false},
	{"2001:db8::/129", "2001:db8::", 1, false},
	{"fe80::/10", "fe80::1%eth0", 1, true},
	{"::1", "1", 1, false},
	{"example.com/8", "example.com", 1, false},
};

static void no_proxy(void **state)
{
	char longer[600];
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
		if (skiffi_no_proxy_lists(listings[i].list, listings[i].host, listings[i].port) != listings[i].is)
			fail_msg("'%s' and %s:%u", listings[i].list, listings[i].host, listings[i].port);
	memset(longer, 'x', sizeof longer);
	memcpy(longer + sizeof longer - 3, ",h", 3);
	assert_true(skiffi_no_proxy_lists(longer, "h", 1));
}

/* ---- the choice ---- */

static const char *const *variables; /* pairs of name and value, and NULL */

static const char *variable(const char *name)
{
	for (const char *const *at = variables; *at; at += 2)
		if (!strcmp(*at, name))
			return at[1];
	return NULL;
}

struct choice {
	const char *url;
	const char *variables[9];
	const char *name; /* NULL: none */
};

static const struct choice choices[] = {
	{"tcp://h", {NULL}, NULL},
	{"tcp://h", {"http_proxy", "p"}, "http_proxy"},
	{"ws://h", {"http_proxy", "p", "all_proxy", "q"}, "http_proxy"},
	{"tcp://h", {"HTTP_PROXY", "p"}, NULL},
	{"tcp://h", {"HTTP_PROXY", "p", "ALL_PROXY", "q"}, "ALL_PROXY"},
	{"tcp://h", {"https_proxy", "p"}, NULL},
	{"ssl://h", {"https_proxy", "p", "HTTPS_PROXY", "q"}, "https_proxy"},
	{"wss://h", {"HTTPS_PROXY", "p", "all_proxy", "q"}, "HTTPS_PROXY"},
	{"wss://h", {"http_proxy", "p"}, NULL},
	{"ssl://h", {"http_proxy", "p", "all_proxy", "q", "ALL_PROXY", "r"}, "all_proxy"},
	{"tcp://h", {"http_proxy", "", "all_proxy", "q"}, "all_proxy"},
	{"tcp://h", {"http_proxy", "p", "no_proxy", "h"}, NULL},
	{"tcp://h", {"http_proxy", "p", "NO_PROXY", "h:1883"}, NULL},
	{"tcp://h:1884", {"http_proxy", "p", "NO_PROXY", "h:1883"}, "http_proxy"},
	{"tcp://h", {"http_proxy", "p", "no_proxy", "x", "NO_PROXY", "h"}, "http_proxy"},
	{"tcp://h", {"http_proxy", "p", "no_proxy", "", "NO_PROXY", "h"}, NULL},
	{"tcp://[::1]", {"all_proxy", "p", "no_proxy", "127.0.0.0/8, ::1"}, NULL},
	{"unix:///run/s", {"http_proxy", "p", "all_proxy", "p"}, NULL},
};

static void proxy_chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct skiff_error error;
		struct skiffi_endpoint *endpoint = skiffi_endpoint_new(choices[i].url, &error);
		const char *name = NULL;
		variables = choices[i].variables;
		const char *value = skiffi_proxy_environment(endpoint, variable, &name);
		print_message("    %zu: %s, %s\n", i, choices[i].url, value ? name : "none");
		assert_int_equal(!!value, !!choices[i].name);
		if (value) {
			assert_string_equal(name, choices[i].name);
			assert_string_equal(value, variable(name));
		}
		skiffi_endpoint_free(endpoint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_taken),
		cmocka_unit_test(urls_refused),
		cmocka_unit_test(credentials_too_long),
		cmocka_unit_test(no_proxy),
		cmocka_unit_test(proxy_chosen),
	};
	return cmocka_run_group_tests_name("proxy_environment", tests, NULL, NULL);
}
