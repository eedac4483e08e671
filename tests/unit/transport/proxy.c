/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: what the suite does not show of proxies: each question and answer as bytes, in every split; the addresses of
 * socks5; what comes behind an answer; and an end at each stage. The names of hosts are looked up by this file's
 * getaddrinfo. */
#include "transport/proxy.h"

#include "suite/suite_near.h"
#include "support/net_listener.h"
#include "transport/proxy_protocol.h"
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONG_MS = 30000, SHORT_MS = 100 };

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static struct skiffi_proxy *proxy_of(const char *url)
{
	struct skiff_error error = {0};
	struct skiffi_proxy *proxy = skiffi_proxy_new(url, &error);
	if (!proxy)
		fail_msg("'%s': %s", url, error.text);
	return proxy;
}

static const struct skiffi_proxy_protocol *protocol_of(const struct skiffi_proxy *proxy)
{
	return proxy->kind == SKIFFI_PROXY_HTTP ? &skiffi_proxy_http : &skiffi_proxy_socks;
}

/* ---- questions ---- */

struct question {
	const char *proxy;
	enum skiffi_proxy_step step;
	const char *host;
	const uint8_t *bytes;
	size_t len;
};

static const struct question questions[] = {
	{"p", SKIFFI_PROXY_CONNECT, "h", BYTES("CONNECT h:1883 HTTP/1.1\r\nHost: h:1883\r\n\r\n")},
	{"http://p", SKIFFI_PROXY_CONNECT, "::1", BYTES("CONNECT [::1]:1883 HTTP/1.1\r\nHost: [::1]:1883\r\n\r\n")},
	{"http://Aladdin:open%20sesame@p", SKIFFI_PROXY_CONNECT, "h",
		BYTES("CONNECT h:1883 HTTP/1.1\r\nHost: h:1883\r\nProxy-Authorization: Basic "
		      "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")}, /* RFC 7617, 2 */
	{"http://:x@p", SKIFFI_PROXY_CONNECT, "h",
		BYTES("CONNECT h:1883 HTTP/1.1\r\nHost: h:1883\r\nProxy-Authorization: Basic Ong=\r\n\r\n")},
	{"socks5://p", SKIFFI_PROXY_GREETING, "h", BYTES("\5\1\0")},
	{"socks5h://u@p", SKIFFI_PROXY_GREETING, "h", BYTES("\5\2\0\2")},
	{"socks5h://:x@p", SKIFFI_PROXY_GREETING, "h", BYTES("\5\2\0\2")},
	{"socks5h://us%40er:pa%00ss@p", SKIFFI_PROXY_LOGIN, "h", BYTES("\1\5us@er\5pa\0ss")},
	{"socks5h://u@p", SKIFFI_PROXY_LOGIN, "h", BYTES("\1\1u\0")},
	{"socks5h://:x@p", SKIFFI_PROXY_LOGIN, "h", BYTES("\1\0\1x")},
	{"socks5h://p", SKIFFI_PROXY_CONNECT, "host.example", BYTES("\5\1\0\3\14host.example\7\x5b")},
	{"socks5h://p", SKIFFI_PROXY_CONNECT, "192.0.2.1", BYTES("\5\1\0\1\300\0\2\1\7\x5b")},
	{"socks5h://p", SKIFFI_PROXY_CONNECT, "2001:db8::1",
		BYTES("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\7\x5b")},
};

static void questions_as_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		const struct question *question = &questions[i];
		struct skiffi_proxy *proxy = proxy_of(question->proxy);
		struct skiffi_proxy_wish wish = {proxy, question->host, 1883};
		struct skiffi_buffer out = {0};
		assert_true(protocol_of(proxy)->ask(&out, question->step, &wish));
		print_message("    %s, %s\n", question->proxy, question->host);
		assert_int_equal(skiffi_buffer_len(&out), question->len);
		assert_memory_equal(skiffi_buffer_head(&out), question->bytes, question->len);
		skiffi_buffer_release(&out);
		skiffi_proxy_free(proxy);
	}
}

/* The longest that fits, of all three. */
static void longest_credentials_and_name(void **state)
{
	char url[600], text[256], host[254];
	struct skiffi_buffer out = {0};
	(void)state;
	memset(text, 'x', 255);
	text[255] = '\0';
	snprintf(url, sizeof url, "socks5://%s:%s@p", text, text);
	for (size_t i = 0; i < 253; i++)
		host[i] = i % 64 == 63 ? '.' : 'a';
	host[253] = '\0';
	struct skiffi_proxy *proxy = proxy_of(url);
	struct skiffi_proxy_wish wish = {proxy, host, 65535};
	assert_true(skiffi_proxy_socks.ask(&out, SKIFFI_PROXY_LOGIN, &wish));
	assert_int_equal(skiffi_buffer_len(&out), 1 + 1 + 255 + 1 + 255);
	assert_int_equal(skiffi_buffer_head(&out)[1], 255);
	skiffi_buffer_consume(&out, skiffi_buffer_len(&out));
	assert_true(skiffi_proxy_socks.ask(&out, SKIFFI_PROXY_CONNECT, &wish));
	assert_int_equal(skiffi_buffer_len(&out), 4 + 1 + 253 + 2);
	skiffi_buffer_release(&out);
	skiffi_proxy_free(proxy);
}

/* ---- answers ---- */

struct answer {
	const char *proxy;
	enum skiffi_proxy_step step;
	const uint8_t *bytes; /* with some behind it where it is not refused */
	size_t len, used;
	enum skiffi_proxy_outcome outcome;
	enum skiff_code code; /* of REFUSED; the next step of NEXT */
	int detail;
	const char *what, *hint;
};

#define GREETING                    SKIFFI_PROXY_GREETING
#define LOGIN                       SKIFFI_PROXY_LOGIN
#define CONNECT                     SKIFFI_PROXY_CONNECT
#define MORE                        SKIFFI_PROXY_MORE, SKIFF_OK, 0, "", ""
#define DONE                        SKIFFI_PROXY_DONE, SKIFF_OK, 0, "", ""
#define NEXT(step)                  SKIFFI_PROXY_NEXT, (enum skiff_code)(step), 0, "", ""
#define REFUSED(detail, what, hint) 0, SKIFFI_PROXY_REFUSED, SKIFF_PROXY_REFUSED, detail, what, hint
#define NO_ENTRANCE(detail, what)   0, SKIFFI_PROXY_REFUSED, SKIFF_PROXY_AUTH, detail, what, ""
#define SOCKS                       "socks5h://p"
#define SOCKS_USER                  "socks5h://u:s3cret@p"

static const struct answer answers[] = {
	{"http://p", CONNECT, BYTES("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nmore"), 47, DONE},
	{"http://p", CONNECT, BYTES("HTTP/1.0 299\r\n\r\n\r\n\r\n"), 16, DONE},
	{"http://p", CONNECT, BYTES("HTTP/1.1 200 O\r\nVia: x\r\n"), 0, MORE},
	{"http://p", CONNECT, BYTES(""), 0, MORE},
	{"http://p", CONNECT, BYTES("HTTP/1.1 407 No\r\n\r\n"), NO_ENTRANCE(407, "wants credentials")},
	{"http://u:s3cret@p", CONNECT, BYTES("HTTP/1.1 401 No\r\n\r\n"),
		NO_ENTRANCE(401, "does not take these credentials")},
	{"http://p", CONNECT, BYTES("HTTP/1.1 403 Fil\33tered\r\n\r\n"),
		REFUSED(403, "answered \"403 Fil\\x1btered\"", "")},
	{"http://p", CONNECT, BYTES("HTTP/1.1 100 Continue\r\n\r\n"), REFUSED(100, "answered \"100 Continue\"", "")},
	{"http://p", CONNECT, BYTES("HTTP/2 200\r\n\r\n"),
		REFUSED(0, "does not answer in HTTP/1; is it an HTTP proxy?", "")},
	{"http://p", CONNECT, BYTES("HTTP/1.1 -20\r\n\r\n"),
		REFUSED(0, "does not answer in HTTP/1; is it an HTTP proxy?", "")},
	{"http://p", CONNECT, BYTES("HTTQ"), REFUSED(0, "does not answer in HTTP; is it an HTTP proxy?", "")},
	{"http://p", CONNECT, BYTES("\40\2\0\0"), REFUSED(0, "does not answer in HTTP; is it an HTTP proxy?", "")},
	{"http://p:1080", CONNECT, BYTES("\5\377"),
		REFUSED(0, "answers in SOCKS, not in HTTP", "try socks5h://p:1080")},
	{"http://p", CONNECT, BYTES("\0\133"), REFUSED(0, "answers in SOCKS, not in HTTP", "")},

	{SOCKS, GREETING, BYTES("\5\0more"), 2, NEXT(CONNECT)},
	{SOCKS_USER, GREETING, BYTES("\5\0"), 2, NEXT(CONNECT)},
	{SOCKS_USER, GREETING, BYTES("\5\2"), 2, NEXT(LOGIN)},
	{SOCKS, GREETING, BYTES("\5"), 0, MORE},
	{SOCKS, GREETING, BYTES(""), 0, MORE},
	{SOCKS, GREETING, BYTES("\5\377"), NO_ENTRANCE(255, "wants credentials")},
	{SOCKS_USER, GREETING, BYTES("\5\377"), NO_ENTRANCE(255, "takes no user and password")},
	{SOCKS, GREETING, BYTES("\5\2"), REFUSED(2, "chose way 2 to log in, which was not offered", "")},
	{SOCKS_USER, GREETING, BYTES("\5\1"), REFUSED(1, "chose way 1 to log in, which was not offered", "")},
	{"socks5://p:3128", GREETING, BYTES("HTTP/1.1 400 Bad Request\r\n"),
		REFUSED(0, "answers in HTTP, not in SOCKS", "try http://p:3128")},
	{SOCKS, GREETING, BYTES("\0\133"),
		REFUSED(0, "answers in SOCKS 4, which has no passwords and no IPv6, and is not spoken here", "")},
	{SOCKS, GREETING, BYTES("\40\2"), REFUSED(0, "does not answer in SOCKS 5; is it a SOCKS proxy?", "")},

	{SOCKS_USER, LOGIN, BYTES("\1\0"), 2, NEXT(CONNECT)},
	{SOCKS_USER, LOGIN, BYTES("\5\0more"), 2, NEXT(CONNECT)},
	{SOCKS_USER, LOGIN, BYTES("\1"), 0, MORE},
	{SOCKS_USER, LOGIN, BYTES("\1\1"), NO_ENTRANCE(1, "does not take these credentials")},
	{SOCKS_USER, LOGIN, BYTES("\1\377"), NO_ENTRANCE(255, "does not take these credentials")},

	{SOCKS, CONNECT, BYTES("\5\0\0\1\177\0\0\1\7\133more"), 10, DONE},
	{SOCKS, CONNECT, BYTES("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\7\133\5\0"), 22, DONE},
	{SOCKS, CONNECT, BYTES("\5\0\0\3\4name\7\133\20"), 11, DONE},
	{SOCKS, CONNECT, BYTES("\5\0\0\3\0\7\133"), 7, DONE},
	{SOCKS, CONNECT, BYTES("\5\0\0\1\177\0\0\1\7"), 0, MORE},
	{SOCKS, CONNECT, BYTES("\5\0\0\3\4name\7"), 0, MORE},
	{SOCKS, CONNECT, BYTES("\5\1"), REFUSED(1, "says: general failure (1); its log may tell more", "")},
	{SOCKS, CONNECT, BYTES("\5\2\0\1"), REFUSED(2, "says: its rules do not allow that (2)", "")},
	{SOCKS, CONNECT, BYTES("\5\3"), REFUSED(3, "says: network unreachable (3)", "")},
	{SOCKS, CONNECT, BYTES("\5\4"), REFUSED(4, "says: host unreachable, or its name unknown (4)", "")},
	{SOCKS, CONNECT, BYTES("\5\5"), REFUSED(5, "says: connection refused by the target (5)", "")},
	{SOCKS, CONNECT, BYTES("\5\6"), REFUSED(6, "says: no answer in time, TTL expired (6)", "")},
	{SOCKS, CONNECT, BYTES("\5\7"), REFUSED(7, "says: it does not know the command CONNECT (7)", "")},
	{SOCKS, CONNECT, BYTES("\5\10"), REFUSED(8, "says: it does not take that kind of address (8)", "")},
	{SOCKS, CONNECT, BYTES("\5\11"), REFUSED(9, "says: failure 9, of no known kind", "")},
	{SOCKS, CONNECT, BYTES("\4\0"), REFUSED(0, "breaks the protocol SOCKS 5 in its reply", "")},
	{SOCKS, CONNECT, BYTES("\5\0\0\2\0"), REFUSED(0, "breaks the protocol SOCKS 5 in its reply", "")},
};

static void answer_is(const struct answer *row, const struct skiffi_proxy_answer *got)
{
	assert_int_equal(got->outcome, row->outcome);
	assert_int_equal(got->used, row->used);
	assert_string_equal(got->what, row->what);
	assert_string_equal(got->hint, row->hint);
	assert_int_equal(row->outcome == SKIFFI_PROXY_NEXT ? (int)got->next : (int)got->code, (int)row->code);
	assert_int_equal(got->detail, row->detail);
}

/* Whatever part of an answer is there: its verdict, or none yet. */
static void answers_in_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct answer *row = &answers[i];
		struct skiffi_proxy *proxy = proxy_of(row->proxy);
		struct skiffi_proxy_wish wish = {proxy, "h", 1883};
		struct skiffi_proxy_answer got;
		for (size_t len = 0; len <= row->len; len++) {
			uint8_t *exact = malloc(len + 1); /* so that a read behind it is seen */
			memcpy(exact + 1, row->bytes, len);
			protocol_of(proxy)->read(exact + 1, len, row->step, &wish, &got);
			free(exact);
			if (len == row->len || got.outcome != SKIFFI_PROXY_MORE)
				answer_is(row, &got);
			assert_true(got.used <= len);
		}
		skiffi_proxy_free(proxy);
	}
}

static void head_without_end(void **state)
{
	static char head[16 * 1024] = "HTTP/1.1 200 OK\r\n";
	struct skiffi_proxy *proxy = proxy_of("http://p");
	struct skiffi_proxy_wish wish = {proxy, "h", 1883};
	struct skiffi_proxy_answer got;
	(void)state;
	memset(head + strlen(head), 'x', sizeof head - strlen(head));
	skiffi_proxy_http.read((const uint8_t *)head, sizeof head - 1, SKIFFI_PROXY_CONNECT, &wish, &got);
	assert_int_equal(got.outcome, SKIFFI_PROXY_MORE);
	skiffi_proxy_http.read((const uint8_t *)head, sizeof head, SKIFFI_PROXY_CONNECT, &wish, &got);
	assert_int_equal(got.outcome, SKIFFI_PROXY_REFUSED);
	skiffi_proxy_free(proxy);
}

/* ---- far ends ---- */

/* "two.example" has two addresses; others do not exist. */
__attribute__((visibility("default"))) int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	static const char *const texts[] = {"192.0.2.1", "192.0.2.2"};
	struct sockaddr_in *addresses;
	(void)service, (void)hints;
	if (strcmp(name, "two.example") != 0)
		return EAI_NONAME;
	struct addrinfo *list = calloc(1, 2 * sizeof *list + 2 * sizeof *addresses);
	if (!list)
		return EAI_MEMORY;
	addresses = (struct sockaddr_in *)(list + 2);
	for (int i = 0; i < 2; i++) {
		uv_ip4_addr(texts[i], 0, &addresses[i]);
		list[i].ai_family = AF_INET;
		list[i].ai_addr = (struct sockaddr *)&addresses[i];
		list[i].ai_addrlen = sizeof addresses[i];
	}
	list[0].ai_next = &list[1];
	*answer = list;
	return 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *answer)
{
	free(answer);
}

/* A SOCKS proxy without passwords that gives each connection in turn the next reply; 0: it is the peer. */
struct far {
	const char *replies;
	size_t behind;     /* bytes of the pattern that come in one piece with the reply */
	bool silent;       /* no answer to the greeting */
	atomic_uint taken; /* connections so far */
	char asked[4];     /* the last byte of the address that each asked for */
};

static bool far_read(struct net_peer *peer, void *data, size_t len)
{
	size_t used = 0, some = 1;
	while (used < len && (some = net_peer_read(peer, (char *)data + used, len - used)))
		used += some;
	return used == len;
}

static void far_run(struct net_peer *peer, void *user)
{
	struct far *far = user;
	uint8_t question[10], answer[10 + 64] = {5, 0, 0, 1};
	unsigned turn = atomic_fetch_add(&far->taken, 1);
	if (!far_read(peer, question, 3) || far->silent || !net_peer_write(peer, "\5\0", 2) ||
		!far_read(peer, question, sizeof question)) {
		while (far->silent && net_peer_read(peer, question, 1))
			;
		return;
	}
	far->asked[turn] = (char)question[7];
	answer[1] = (uint8_t)far->replies[turn];
	suite_pattern(answer + 10, 0, far->behind);
	net_peer_write(peer, answer, 10 + far->behind);
	while (net_peer_read(peer, question, 1))
		;
}

struct played {
	struct net_listener *listener;
	struct suite_loop loop;
	struct near near;
};

static void play_start(struct played *played, struct far *far, const char *scheme, const char *url, int timeout_ms)
{
	static const struct suite_kind kind;
	struct suite_way way = {.url = ""};
	played->listener = net_listener_start(&(struct net_options){.kind = NET_TCP, .script = far_run, .user = far});
	snprintf(way.url, sizeof way.url, "%s", url);
	snprintf(way.proxy, sizeof way.proxy, "%s://127.0.0.1:%u", scheme, net_listener_port(played->listener));
	suite_loop_start(&played->loop);
	near_open(&played->near, &kind, &played->loop, NULL, &way, timeout_ms);
}

static void play_end(struct played *played)
{
	near_end(&played->near, true);
	suite_loop_stop(&played->loop);
	net_listener_stop(played->listener);
}

/* ---- on the way ---- */

static void second_address_is_asked_for(void **state)
{
	struct far far = {.replies = "\5\0"};
	struct played played = {.listener = NULL};
	(void)state;
	play_start(&played, &far, "socks5", "tcp://two.example:1883", LONG_MS);
	near_wait(&played.near, played.near.opened);
	play_end(&played);
	assert_string_equal(far.asked, "\1\2");
}

static void no_address_is_taken(void **state)
{
	char wanted[200];
	struct far far = {.replies = "\4\5"};
	struct played played = {.listener = NULL};
	(void)state;
	play_start(&played, &far, "socks5", "tcp://two.example:1883", LONG_MS);
	near_wait(&played.near, played.near.failed);
	snprintf(wanted, sizeof wanted,
		"the proxy 'socks5://127.0.0.1:%u' says: connection refused by the target (5), asked for "
		"192.0.2.2:1883 (two.example)",
		net_listener_port(played.listener));
	assert_string_equal(played.near.error.text, wanted);
	assert_int_equal(played.near.error.code, SKIFF_PROXY_REFUSED);
	assert_int_equal(played.near.error.detail, 5);
	play_end(&played);
	assert_string_equal(far.asked, "\1\2");
}

/* What its rules forbid, it forbids for the next address too. */
static void rules_end_it(void **state)
{
	struct far far = {.replies = "\2\0"};
	struct played played = {.listener = NULL};
	(void)state;
	play_start(&played, &far, "socks5", "tcp://two.example:1883", LONG_MS);
	near_wait(&played.near, played.near.failed);
	assert_int_equal(played.near.error.detail, 2);
	play_end(&played);
	assert_string_equal(far.asked, "\1");
}

static void unknown_name_is_told(void **state)
{
	struct far far = {.replies = ""};
	struct played played = {.listener = NULL};
	(void)state;
	play_start(&played, &far, "socks5", "tcp://none.example:1883", LONG_MS);
	near_wait(&played.near, played.near.failed);
	assert_int_equal(played.near.error.code, SKIFF_DNS_NOT_FOUND);
	assert_non_null(strstr(played.near.error.text, "looked up here, as the proxy is socks5:// and not socks5h://"));
	play_end(&played);
	assert_int_equal(atomic_load(&far.taken), 0);
}

static void bytes_behind_the_reply_are_the_peers(void **state)
{
	struct far far = {.replies = "\0", .behind = 64};
	struct played played = {.near.bite = 1};
	(void)state;
	play_start(&played, &far, "socks5", "tcp://192.0.2.1:1883", LONG_MS);
	near_wait(&played.near, played.near.received == far.behind);
	play_end(&played);
	assert_string_equal(far.asked, "\1");
}

/* One that speaks HTTP may wait for the rest of a line. */
static void silence_ends_by_the_deadline(void **state)
{
	char wanted[200];
	struct far far = {.replies = "", .silent = true};
	struct played played = {.listener = NULL};
	(void)state;
	play_start(&played, &far, "socks5h", "tcp://h:1", SHORT_MS);
	near_wait(&played.near, played.near.failed);
	unsigned port = net_listener_port(played.listener);
	snprintf(wanted, sizeof wanted,
		"the proxy 'socks5h://127.0.0.1:%u' did not answer in time, asked for h:1; if it is one for HTTP, try "
		"http://127.0.0.1:%u",
		port, port);
	assert_string_equal(played.near.error.text, wanted);
	assert_int_equal(played.near.error.code, SKIFF_PROXY_REFUSED);
	play_end(&played);
}

static bool stage_waits(const struct far *far, int stage)
{
	return stage == 2 && !atomic_load(&far->taken);
}

/* While a name is looked up, while tcp connects, while an answer is awaited. */
static void closed_at_each_stage(void **state)
{
	static const char *const urls[] = {"tcp://two.example:1", "tcp://h:1", "tcp://h:1"};
	(void)state;
	for (int stage = 0; stage < 3; stage++) {
		struct far far = {.replies = "", .silent = true};
		struct played played = {.listener = NULL};
		play_start(&played, &far, stage ? "socks5h" : "socks5", urls[stage], LONG_MS);
		while (stage_waits(&far, stage))
			suite_loop_once(&played.loop, true);
		play_end(&played);
		assert_false(played.near.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_as_bytes),
		cmocka_unit_test(longest_credentials_and_name),
		cmocka_unit_test(answers_in_every_split),
		cmocka_unit_test(head_without_end),
		cmocka_unit_test(second_address_is_asked_for),
		cmocka_unit_test(no_address_is_taken),
		cmocka_unit_test(rules_end_it),
		cmocka_unit_test(unknown_name_is_told),
		cmocka_unit_test(bytes_behind_the_reply_are_the_peers),
		cmocka_unit_test(silence_ends_by_the_deadline),
		cmocka_unit_test(closed_at_each_stage),
	};
	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
