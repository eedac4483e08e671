/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: URLs that are taken apart, and URLs that are refused with a sentence. */
#include "endpoint/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct good {
	const char *url;
	enum skiffi_transport_kind kind;
	bool tls;
	const char *host;
	uint16_t port;
	bool ip_literal;
	const char *http_host;
	const char *path;     /* NULL: none */
	const char *user;     /* NULL: none */
	const char *password; /* NULL: absent */
	const char *canonical;
};

static const struct good goods[] = {
	{"tcp://host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, NULL, NULL, "tcp://host:1883"},
	{"mqtt://host/", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, NULL, NULL, "mqtt://host:1883"},
	{"host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, NULL, NULL, "mqtt://host:1883"},
	{"host:1884", SKIFFI_TCP, false, "host", 1884, false, "host:1884", NULL, NULL, NULL, "mqtt://host:1884"},
	{"tcp:1884", SKIFFI_TCP, false, "tcp", 1884, false, "tcp:1884", NULL, NULL, NULL, "mqtt://tcp:1884"},
	{"[::1]:1884", SKIFFI_TCP, false, "::1", 1884, true, "[::1]:1884", NULL, NULL, NULL, "mqtt://[::1]:1884"},
	{"a:b@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, "a", "b", "mqtt://host:1883"},
	{"ssl://Host.Example", SKIFFI_TLS, true, "host.example", 8883, false, "host.example", NULL, NULL, NULL,
		"ssl://host.example:8883"},
	{"TLS://host", SKIFFI_TLS, true, "host", 8883, false, "host", NULL, NULL, NULL, "tls://host:8883"},
	{"mqtts://host:1", SKIFFI_TLS, true, "host", 1, false, "host:1", NULL, NULL, NULL, "mqtts://host:1"},
	{"ws://host", SKIFFI_WS, false, "host", 80, false, "host", "/mqtt", NULL, NULL, "ws://host:80/mqtt"},
	{"ws://host/", SKIFFI_WS, false, "host", 80, false, "host", "/", NULL, NULL, "ws://host:80/"},
	{"ws://host?a=b", SKIFFI_WS, false, "host", 80, false, "host", "/mqtt?a=b", NULL, NULL,
		"ws://host:80/mqtt?a=b"},
	{"ws://host:8080/a/b?c=%20d@e", SKIFFI_WS, false, "host", 8080, false, "host:8080", "/a/b?c=%20d@e", NULL, NULL,
		"ws://host:8080/a/b?c=%20d@e"},
	{"wss://host:443/x", SKIFFI_WS, true, "host", 443, false, "host", "/x", NULL, NULL, "wss://host:443/x"},
	{"wss://[2001:DB8::1]:8443", SKIFFI_WS, true, "2001:db8::1", 8443, true, "[2001:db8::1]:8443", "/mqtt", NULL,
		NULL, "wss://[2001:db8::1]:8443/mqtt"},
	{"ws://[fe80::1%25eth0]/", SKIFFI_WS, false, "fe80::1%eth0", 80, true, "[fe80::1]", "/", NULL, NULL,
		"ws://[fe80::1]:80/"},
	{"tcp://[fe80::1%eth0]", SKIFFI_TCP, false, "fe80::1%eth0", 1883, true, "[fe80::1]", NULL, NULL, NULL,
		"tcp://[fe80::1]:1883"},
	{"tcp://127.0.0.1:65535", SKIFFI_TCP, false, "127.0.0.1", 65535, true, "127.0.0.1:65535", NULL, NULL, NULL,
		"tcp://127.0.0.1:65535"},
	{"tcp://u%40x:p%3a%2F%00@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, "u@x", "p:/",
		"tcp://host:1883"},
	{"tcp://u:@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, "u", "", "tcp://host:1883"},
	{"tcp://:p@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, NULL, "p", "tcp://host:1883"},
	{"tcp://@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, NULL, NULL, "tcp://host:1883"},
	{"tcp://u:a:b@host", SKIFFI_TCP, false, "host", 1883, false, "host", NULL, "u", "a:b", "tcp://host:1883"},
	{"tcp://host.", SKIFFI_TCP, false, "host.", 1883, false, "host.", NULL, NULL, NULL, "tcp://host.:1883"},
	{"tcp://my_host-1.local", SKIFFI_TCP, false, "my_host-1.local", 1883, false, "my_host-1.local", NULL, NULL,
		NULL, "tcp://my_host-1.local:1883"},
	{"unix:///run/a%20b", SKIFFI_UNIX, false, "/run/a b", 0, false, NULL, NULL, NULL, NULL, "unix:///run/a%20b"},
	{"unix:/run/b", SKIFFI_UNIX, false, "/run/b", 0, false, NULL, NULL, NULL, NULL, "unix:///run/b"},
	{"unix:run/b@c", SKIFFI_UNIX, false, "run/b@c", 0, false, NULL, NULL, NULL, NULL, "unix:run/b@c"},
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool good_is(const struct good *good, const struct skiffi_endpoint *got)
{
	bool password = good->password ? got->password.data &&
						 !strncmp(got->password.data, good->password, strlen(good->password))
				       : !got->password.data;
	return got->kind == good->kind && got->tls == good->tls && got->port == good->port &&
	       got->ip_literal == good->ip_literal && same(got->host, good->host) &&
	       same(got->http_host, good->http_host) && same(got->path, good->path) && same(got->user, good->user) &&
	       password && same(got->url, good->canonical);
}

static void good_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
		struct skiff_error error = {0};
		struct skiffi_endpoint *got = skiffi_endpoint_new(goods[i].url, &error);
		if (!got)
			fail_msg("\"%s\" is refused: %s", goods[i].url, error.text);
		if (!good_is(&goods[i], got))
			fail_msg("\"%s\" is read as host \"%s\", port %u, path \"%s\", url \"%s\"", goods[i].url,
				got->host, got->port, got->path ? got->path : "(none)", got->url);
		skiffi_endpoint_free(got);
	}
}

static void password_may_hold_any_byte(void **state)
{
	(void)state;
	struct skiffi_endpoint *got = skiffi_endpoint_new("tcp://u:a%00%ffb@host", NULL);
	assert_non_null(got);
	assert_int_equal(got->password.len, 4);
	assert_memory_equal(got->password.data, "a\0\377b", 4);
	skiffi_endpoint_free(got);
}

struct bad {
	const char *url;
	const char *says; /* a part of the sentence */
};

static const struct bad bads[] = {
	{"", "the URL is empty"},
	{"tcp://", "has no host"},
	{"tcp://:1883", "has no host"},
	{"tcp:///path", "has no host"},
	{"ws://?x", "has no host"},
	{"tcp://u:p@", "has no host"},
	{"//host", "has no host"},
	{"http://host", "unknown scheme \"http\" in the URL; known are tcp, mqtt, ssl, tls, mqtts, ws, wss, unix"},
	{"://host", "unknown scheme"},
	{"mqtt:host", "followed by '//'"},
	{"tcp:/host", "followed by '//'"},
	{"tcp://host:", "no port behind the ':'"},
	{"tcp://host:0", "port 0 is out of range"},
	{"tcp://host:65536", "port 65536 is out of range"},
	{"tcp://host:99999999999999999999", "out of range"},
	{"tcp://host:-1", "not a number"},
	{"tcp://host:+1", "not a number"},
	{"tcp://host:1x", "not a number"},
	{"tcp://host:0x10", "not a number"},
	{"tcp://::1", "written in brackets"},
	{"tcp://2001:db8::1:1883", "written in brackets"},
	{"tcp://[::1", "no closing ']'"},
	{"tcp://[::1]1883", "after the ']'"},
	{"tcp://[::g]", "is not an IPv6 address"},
	{"tcp://[127.0.0.1]", "is not an IPv6 address"},
	{"tcp://[]", "has no host"},
	{"tcp://[fe80::1%]", "has a zone"},
	{"tcp://[fe80::1%25]", "has a zone"},
	{"tcp://[fe80::1%a/b]", "no closing ']'"},
	{"tcp://host]", "holds a character"},
	{"tcp://256.1.1.1", "looks like an IPv4 address"},
	{"tcp://1.2.3", "looks like an IPv4 address"},
	{"tcp://a..b", "has an empty label"},
	{"tcp://.a", "has an empty label"},
	{"tcp://ho%73t", "holds a character"},
	{"tcp://h\xc3\xb6st", "is not ASCII"},
	{"tcp://a,b", "holds a character"},
	{"tcp://a b", "holds a space at position 8"},
	{" tcp://a", "holds a space at position 1"},
	{"tcp://a\r\nX: y", "control character 0x0d at position 8"},
	{"tcp://a\t", "control character 0x09"},
	{"tcp://a\x7f", "control character 0x7f"},
	{"tcp://host#x", "no fragment"},
	{"ws://host/a#x", "no fragment"},
	{"tcp://u:p%zz@host", "in the password"},
	{"tcp://u%4@host", "in the user name"},
	{"tcp://u%00@host", "holds a NUL"},
	{"tcp://u:p@q@host", "more than one '@'"},
	{"ws://host/%", "in the path"},
	{"ws://host/a?%f", "in the path"},
	{"ws://host/\xc3\xb6", "outside ASCII"},
	{"tcp://host/mqtt", "takes no path: only WebSocket has one (ws://)"},
	{"ssl://host/mqtt", "takes no path: only WebSocket has one (wss://)"},
	{"tcp://host?x", "takes no path"},
	{"unix:", "names no socket"},
	{"unix://", "names no socket"},
	{"unix://host/path", "has no host"},
	{"unix://path", "is no absolute path"},
	{"unix://u:p@/path", "no user name or password"},
	{"unix:/a?b", "no query"},
	{"unix:/a#b", "no fragment"},
	{"unix:/a%00b", "holds a NUL"},
	{"unix:/a%", "in the path"},
};

static void bad_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
		struct skiff_error error = {0};
		struct skiffi_endpoint *got = skiffi_endpoint_new(bads[i].url, &error);
		if (got)
			fail_msg("\"%s\" is taken as %s", bads[i].url, got->url);
		assert_int_equal(error.code, SKIFF_USAGE_URL);
		if (!strstr(error.text, bads[i].says))
			fail_msg("\"%s\" is refused with: %s", bads[i].url, error.text);
	}
	assert_null(skiffi_endpoint_new(NULL, NULL));
}

/* Whatever is wrong, and however the password upset the parser, it is not repeated. */
static void no_secret_in_sentences(void **state)
{
	static const char *const urls[] = {
		"tcp://user:SECRET@",
		"tcp://user:SECRET@host:0",
		"tcp://user:SECRET@ho st",
		"tcp://user:SECRET@host/path",
		"tcp://user:SECRET/x@host",
		"tcp://user:SECRET?x@host",
		"tcp://user:SECRET#x@host",
		"tcp://user:SECRET@x@host",
		"tcp://user:SECRET%zz@host",
		"unix://user:SECRET@/path",
		"tcp://SECRET,/x@host",
		"tcp://user:1/SECRET@host",
		"tcp://user:SECRET@256.256.1.1",
		"tcp://user:SECRET@[::g]",
		"tcp://user:SECRET@a,b",
		"user:SECRET@host:x",
	};
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct skiff_error error = {0};
		assert_null(skiffi_endpoint_new(urls[i], &error));
		if (strstr(error.text, "SECRET"))
			fail_msg("%s", error.text);
	}
}

static void lengths_are_bounded(void **state)
{
	char url[9000];
	struct skiff_error error;
	(void)state;
	snprintf(url, sizeof url, "tcp://%0*d.example", 64, 0);
	assert_null(skiffi_endpoint_new(url, &error));
	assert_non_null(strstr(error.text, "more than 63 bytes"));
	strcpy(url, "tcp://");
	for (int i = 0; i < 64; i++)
		strcat(url, "abc.");
	assert_null(skiffi_endpoint_new(url, &error));
	assert_non_null(strstr(error.text, "more than 253 bytes"));
	snprintf(url, sizeof url, "unix:/%0*d", 107, 0);
	assert_null(skiffi_endpoint_new(url, &error));
	assert_non_null(strstr(error.text, "108 bytes"));
	snprintf(url, sizeof url, "ws://host/%0*d", 8500, 0);
	assert_null(skiffi_endpoint_new(url, &error));
	assert_non_null(strstr(error.text, "at most 8192"));
}

/* Every prefix of every good URL is taken or refused, and nothing else. */
static void prefixes_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
		for (size_t len = 0; len <= strlen(goods[i].url); len++) {
			char *url = strndup(goods[i].url, len);
			struct skiff_error error = {0};
			struct skiffi_endpoint *got = skiffi_endpoint_new(url, &error);
			assert_true(got || (error.code == SKIFF_USAGE_URL && *error.text));
			skiffi_endpoint_free(got);
			free(url);
		}
	}
}

static void free_takes_null(void **state)
{
	(void)state;
	skiffi_endpoint_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_urls),
		cmocka_unit_test(password_may_hold_any_byte),
		cmocka_unit_test(bad_urls),
		cmocka_unit_test(no_secret_in_sentences),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(prefixes_do_no_harm),
		cmocka_unit_test(free_takes_null),
	};
	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
