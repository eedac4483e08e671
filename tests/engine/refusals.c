/* SPDX-License-Identifier: Apache-2.0 */
/* refusals.c: what the engine paho cannot do is refused when the client is made, by the option's name and the
 * engine's; the engine native takes it. And how an engine is chosen. */
#include "engine/causes_far.h"
#include "support/user.h"
#include <skiff/engine.h>
#include <stdio.h>

enum { QUICK_MS = 20000 };

static char certs_dir[64], crl_file[128];

/* ---- options ---- */

struct option_case {
	const char *name;
	enum skiff_capability capability;
	struct skiff_options ask;
	const char *option; /* as the sentence names it */
};

static const struct skiff_properties aliases_in = {.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, .topic_alias_maximum = 5};
static const struct skiff_properties no_aliases_in = {.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM};

static const struct option_case refused[] = {
	{"unix", SKIFF_CAN_UNIX, {.url = "unix:///tmp/no-such-socket"}, "url"},
	{"colon in the path of ws", SKIFF_CAN_WS_COLON, {.url = "ws://127.0.0.1/a:b"}, "url"},
	{"colon in the query of wss", SKIFF_CAN_WS_COLON, {.url = "wss://127.0.0.1/a?b=c:d"}, "url"},
	{"server name", SKIFF_CAN_SERVER_NAME, {.url = "ssl://127.0.0.1", .tls.server_name = "other"},
		"tls.server_name"},
	{"server name on wss", SKIFF_CAN_SERVER_NAME, {.url = "wss://127.0.0.1", .tls.server_name = "other"},
		"tls.server_name"},
	{"no server name", SKIFF_CAN_NO_SERVER_NAME, {.url = "ssl://localhost", .tls.no_server_name = true},
		"tls.no_server_name"},
	{"revocation list", SKIFF_CAN_CRL, {.url = "ssl://127.0.0.1"}, "tls.crl_file"},
	{"TLS to an IPv6 address", SKIFF_CAN_TLS_IPV6, {.url = "ssl://[::1]"}, "url"},
	{"wss to an IPv6 address", SKIFF_CAN_TLS_IPV6, {.url = "wss://[::1]/mqtt"}, "url"},
	{"proxy", SKIFF_CAN_PROXY, {.url = "127.0.0.1", .proxy = "socks5h://127.0.0.1:9"}, "proxy"},
	{"proxy of the environment", SKIFF_CAN_PROXY_ENVIRONMENT, {.url = "127.0.0.1", .proxy_environment = true},
		"proxy_environment"},
	{"ping timeout", SKIFF_CAN_PING_TIMEOUT, {.url = "127.0.0.1", .ping_timeout_ms = 100}, "ping_timeout_ms"},
	{"aliases outward", SKIFF_CAN_ALIASES_OUT, {.url = "127.0.0.1", .outbound_aliases = 5}, "outbound_aliases"},
	{"aliases inward", SKIFF_CAN_ALIASES_IN, {.url = "127.0.0.1", .connect_properties = &aliases_in},
		"connect_properties.topic_alias_maximum"},
	{"session under an assigned id", SKIFF_CAN_ASSIGNED_RESUMED,
		{.url = "127.0.0.1", .client_id = "", .resume_session = true}, "client_id"},
};

/* Near to what is refused, and taken by both. */
static const struct skiff_options taken[] = {
	{.url = "tcp://127.0.0.1/", .tls.server_name = "other", .tls.no_server_name = true},
	{.url = "ws://[::1]/mqtt"},
	{.url = "ssl://[::1]", .tls.insecure_skip_name = true},
	{.url = "127.0.0.1", .outbound_aliases = -1},
	{.url = "127.0.0.1", .connect_properties = &no_aliases_in},
	{.url = "127.0.0.1", .client_id = ""},
	{.url = "127.0.0.1", .client_id = "me", .resume_session = true},
};

static void expect_taken(struct skiff_options options, enum skiff_engine engine)
{
	struct skiff_error error;
	options.engine = engine;
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client)
		fail_msg("'%s' on %s: %s", options.url, skiff_engine_name(engine), error.text);
	skiff_client_free(client);
}

static void expect_refused(struct skiff_options options, enum skiff_engine engine, enum skiff_code code,
	const char *word, const char *other)
{
	struct skiff_error error = {0};
	options.engine = engine;
	assert_null(skiff_client_new(&options, &error));
	print_message("    %s\n", error.text);
	if (error.code != code || !strstr(error.text, word) || !strcasestr(error.text, other))
		fail_msg("%s instead of %s with '%s' and '%s': %s", skiff_code_slug(error.code), skiff_code_slug(code),
			word, other, error.text);
}

static void options_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct skiff_options options = refused[i].ask;
		if (refused[i].capability == SKIFF_CAN_CRL)
			options.tls.crl_file = crl_file;
		assert_true(skiff_engine_can(SKIFF_ENGINE_NATIVE, refused[i].capability));
		assert_false(skiff_engine_can(SKIFF_ENGINE_PAHO, refused[i].capability));
		expect_refused(options, SKIFF_ENGINE_PAHO, SKIFF_USAGE_UNSUPPORTED, refused[i].option, "'paho'");
		expect_taken(options, SKIFF_ENGINE_NATIVE);
	}
}

static void neighbours_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		expect_taken(taken[i], SKIFF_ENGINE_PAHO);
		expect_taken(taken[i], SKIFF_ENGINE_NATIVE);
	}
}

/* ---- the environment ---- */

static void proxy_is_refused_for(const char *variable, bool tls)
{
	static const char *const urls[] = {"tcp://127.0.0.1", "ws://127.0.0.1", "ssl://127.0.0.1", "wss://127.0.0.1"};
	setenv(variable, "http://127.0.0.1:9", 1);
	for (int i = 0; i < 4; i++) {
		struct skiff_options options = {.url = urls[i]};
		if (tls == (i >= 2))
			expect_refused(options, SKIFF_ENGINE_PAHO, SKIFF_USAGE_UNSUPPORTED, variable, "paho");
		else
			expect_taken(options, SKIFF_ENGINE_PAHO);
		expect_taken(options, SKIFF_ENGINE_NATIVE);
	}
	unsetenv(variable);
}

static void proxies_of_the_environment_are_refused(void **state)
{
	(void)state;
	proxy_is_refused_for("http_proxy", false);
	proxy_is_refused_for("https_proxy", true);
}

/* Only the engine paho refuses this one. */
static const struct skiff_options told_apart = {.url = "127.0.0.1", .ping_timeout_ms = 100};

static void expect_engine(const char *variable, enum skiff_engine chosen, enum skiff_engine engine)
{
	if (variable)
		setenv("SKIFF_ENGINE", variable, 1);
	else
		unsetenv("SKIFF_ENGINE");
	if (engine == SKIFF_ENGINE_PAHO)
		expect_refused(told_apart, chosen, SKIFF_USAGE_UNSUPPORTED, "ping_timeout_ms", "'paho'");
	else
		expect_taken(told_apart, chosen);
	unsetenv("SKIFF_ENGINE");
}

static void option_wins_over_the_variable(void **state)
{
	(void)state;
	expect_engine(NULL, SKIFF_ENGINE_DEFAULT, SKIFF_ENGINE_NATIVE);
	expect_engine("", SKIFF_ENGINE_DEFAULT, SKIFF_ENGINE_NATIVE);
	expect_engine("paho", SKIFF_ENGINE_DEFAULT, SKIFF_ENGINE_PAHO);
	expect_engine("Paho", SKIFF_ENGINE_DEFAULT, SKIFF_ENGINE_PAHO);
	expect_engine("native", SKIFF_ENGINE_DEFAULT, SKIFF_ENGINE_NATIVE);
	expect_engine("paho", SKIFF_ENGINE_NATIVE, SKIFF_ENGINE_NATIVE);
	expect_engine("native", SKIFF_ENGINE_PAHO, SKIFF_ENGINE_PAHO);
	expect_engine("no such", SKIFF_ENGINE_NATIVE, SKIFF_ENGINE_NATIVE);
}

static void unknown_engine_is_refused(void **state)
{
	struct skiff_options options = {.url = "127.0.0.1"};
	(void)state;
	setenv("SKIFF_ENGINE", "bogus", 1);
	expect_refused(options, SKIFF_ENGINE_DEFAULT, SKIFF_USAGE_OPTION, "'bogus'", "paho");
	unsetenv("SKIFF_ENGINE");
	expect_refused(options, (enum skiff_engine)99, SKIFF_USAGE_OPTION, "no engine", "paho");
}

/* ---- one WebSocket at a time ---- */

static struct user *ws_user(const struct cause_far *far, enum skiff_engine engine)
{
	char url[NET_URL_BYTES];
	cause_far_url(far, "127.0.0.1", url, sizeof url);
	return user_new(&(struct skiff_options){.url = url, .engine = engine, .reconnect.off = true});
}

static void expect_again(struct user *user)
{
	struct skiff_token *token = skiff_connect(user->client);
	enum skiff_code code = skiff_token_wait(token, QUICK_MS);
	const char *text = skiff_token_error(token)->text;
	print_message("    %s\n", text);
	if (code != SKIFF_AGAIN || !strstr(text, "'paho'") || !strstr(text, "ws://127.0.0.1"))
		fail_msg("%s: %s", skiff_code_slug(code), text);
	skiff_token_free(token);
}

static const struct cause_plan serves = {.answer = CAUSE_SERVES, .then = CAUSE_THEN_HOLDS};

/* The first ends by DISCONNECT, or by being freed while it is connected. */
static void second_waits_for_first(bool in_order)
{
	struct cause_far *far = cause_far_start(&serves, CAUSE_WS, "");
	struct user *first = ws_user(far, SKIFF_ENGINE_PAHO), *second = ws_user(far, SKIFF_ENGINE_PAHO);
	struct user *native = ws_user(far, SKIFF_ENGINE_NATIVE);
	cause_far_go(far);
	user_expect(skiff_connect(first->client), SKIFF_OK);
	expect_again(second);
	user_expect(skiff_connect(native->client), SKIFF_OK); /* whose library has no such bound */
	user_free(native);
	if (in_order)
		user_disconnect(first);
	user_free(first);
	user_expect(skiff_connect(second->client), SKIFF_OK);
	user_disconnect(second);
	user_free(second);
	cause_far_end(far);
}

static void second_ws_waits_for_the_first(void **state)
{
	(void)state;
	assert_false(skiff_engine_can(SKIFF_ENGINE_PAHO, SKIFF_CAN_MANY_WS));
	second_waits_for_first(true);
	second_waits_for_first(false);
}

/* Ended, but not freed: soon another may connect. */
static void disconnected_ws_makes_room(void **state)
{
	struct cause_far *far = cause_far_start(&serves, CAUSE_WS, "");
	struct user *first = ws_user(far, SKIFF_ENGINE_PAHO), *second = ws_user(far, SKIFF_ENGINE_PAHO);
	(void)state;
	cause_far_go(far);
	user_expect(skiff_connect(first->client), SKIFF_OK);
	user_disconnect(first);
	int64_t until_ms = waiting_now_ms() + QUICK_MS;
	enum skiff_code code = SKIFF_AGAIN;
	while (code == SKIFF_AGAIN && waiting_now_ms() < until_ms) {
		struct skiff_token *token = skiff_connect(second->client);
		code = skiff_token_wait(token, QUICK_MS);
		skiff_token_free(token);
	}
	assert_int_equal(code, SKIFF_OK);
	expect_again(first);
	user_free(second);
	user_free(first);
	cause_far_end(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_refused_by_name),
		cmocka_unit_test(neighbours_are_taken),
		cmocka_unit_test(proxies_of_the_environment_are_refused),
		cmocka_unit_test(option_wins_over_the_variable),
		cmocka_unit_test(unknown_engine_is_refused),
		cmocka_unit_test(second_ws_waits_for_the_first),
		cmocka_unit_test(disconnected_ws_makes_room),
	};
	char command[512];
	snprintf(certs_dir, sizeof certs_dir, "/tmp/skiff-refusals.XXXXXX");
	if (!mkdtemp(certs_dir))
		return 1;
	snprintf(crl_file, sizeof crl_file, "%s/own-ca.crl", certs_dir);
	snprintf(command, sizeof command, "sh '%s' '%s'", TESTS_CERTS, certs_dir);
	if (system(command))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return system(command) || failed;
}
