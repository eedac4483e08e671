/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c: tls.handshake_only: the way ends when TLS stands, and tells whether the server and this client were
 * accepted; nothing is sent above TLS, and nothing else is promised. */
#include "support/net_listener.h"
#include "support/user.h"
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

enum { QUICK_MS = 20000 };

/* What the far end saw of a client. */
struct seen {
	size_t bytes; /* above TLS */
	bool ended, in_order;
};

static void far_waits(struct net_peer *peer, void *user)
{
	struct seen *seen = user;
	char buffer[256];
	size_t got, bytes = 0;
	while ((got = net_peer_read(peer, buffer, sizeof buffer)))
		bytes += got;
	waiting_lock();
	seen->bytes += bytes;
	seen->in_order = net_peer_ended_tls(peer);
	seen->ended = true;
	waiting_unlock();
}

static struct net_listener *far_start(struct seen *seen, struct net_options options)
{
	options.kind = NET_TLS;
	options.script = far_waits;
	options.user = seen;
	return net_listener_start(&options);
}

static struct skiff_options near_options(const struct net_listener *far)
{
	return (struct skiff_options){.url = net_listener_url(far),
		.engine = SKIFF_ENGINE_NATIVE,
		.reconnect.off = true,
		.tls = {.ca_file = net_listener_ca(far), .handshake_only = true}};
}

/* The outcome of one attempt, and what is known of the way. */
static enum skiff_code meet(const struct skiff_options *options, struct skiff_connection *connection)
{
	struct skiff_error error;
	struct skiff_client *client = skiff_client_new(options, &error);
	if (!client)
		fail_msg("%s", error.text);
	enum skiff_code code = skiff_wait(skiff_connect(client), QUICK_MS);
	skiff_client_connection(client, connection);
	skiff_client_free(client);
	return code;
}

static void accepted_and_nothing_sent(void **state)
{
	static const char *const schemes[] = {"ssl", "mqtts", "wss"};
	(void)state;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct seen seen = {0};
		struct skiff_connection connection;
		char url[NET_URL_BYTES];
		struct net_listener *far = far_start(&seen, (struct net_options){0});
		struct skiff_options options = near_options(far);
		snprintf(url, sizeof url, "%s://127.0.0.1:%u", schemes[i], net_listener_port(far));
		options.url = url;
		assert_int_equal(meet(&options, &connection), SKIFF_OK);
		net_listener_finish(far);
		assert_true(seen.ended);
		assert_true(seen.in_order);
		assert_int_equal(seen.bytes, 0);
		assert_string_equal(connection.tls_version, "TLSv1.3");
		assert_true(connection.phases.tls_us >= 0);
		assert_int_equal(connection.phases.websocket_us, -1);
		assert_false(connection.tls_certificate_wanted);
		assert_int_equal(connection.mqtt_version, 0);
		net_listener_stop(far);
	}
}

/* In TLS 1.3 the refusal comes behind the handshake. */
static void refused_without_a_certificate(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	(void)state;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		struct seen seen = {0}, ca_seen = {0};
		struct skiff_connection connection;
		struct net_listener *ca = far_start(&ca_seen, (struct net_options){0});
		struct net_listener *far = far_start(
			&seen, (struct net_options){.max_version = versions[i], .client_ca_file = net_listener_ca(ca)});
		struct skiff_options options = near_options(far);
		assert_int_equal(meet(&options, &connection), SKIFF_TLS_CLIENT_CERT_REQUIRED);
		assert_true(connection.tls_certificate_wanted);
		net_listener_stop(far);
		net_listener_stop(ca);
	}
}

/* Who gives a session to resume has judged: no need to wait for longer. */
static void accepted_where_a_certificate_is_not_needed(void **state)
{
	struct seen seen = {0}, ca_seen = {0};
	struct skiff_connection connection;
	struct net_listener *ca = far_start(&ca_seen, (struct net_options){0});
	struct net_listener *far =
		far_start(&seen, (struct net_options){.client_ca_file = net_listener_ca(ca), .client_optional = true});
	struct skiff_options options = near_options(far);
	(void)state;
	assert_int_equal(meet(&options, &connection), SKIFF_OK);
	assert_true(connection.tls_certificate_wanted);
	assert_true(connection.tls_session_given);
	net_listener_stop(far);
	net_listener_stop(ca);
}

static void strangers_are_refused(void **state)
{
	struct seen seen = {0};
	struct skiff_connection connection;
	struct net_listener *far = far_start(&seen, (struct net_options){0});
	struct net_listener *other = far_start(&seen, (struct net_options){0});
	struct skiff_options options = near_options(far);
	(void)state;
	options.tls.ca_file = net_listener_ca(other);
	assert_int_equal(skiff_code_class(meet(&options, &connection)), SKIFF_CLASS_TLS);
	options = near_options(far);
	options.tls.server_name = "other.example";
	assert_int_equal(meet(&options, &connection), SKIFF_TLS_HOSTNAME);
	net_listener_stop(other);
	net_listener_stop(far);
}

static void no_tls_is_refused_before(void **state)
{
	struct skiff_error error;
	struct skiff_options options = {
		.url = "ws://127.0.0.1", .engine = SKIFF_ENGINE_NATIVE, .tls.handshake_only = true};
	(void)state;
	assert_null(skiff_client_new(&options, &error));
	assert_int_equal(error.code, SKIFF_USAGE_OPTION);
	assert_non_null(strstr(error.text, "has no TLS"));
}

/* One attempt is all, also where others would follow; and what was to be sent is not. */
static void nothing_follows(void **state)
{
	struct seen seen = {0};
	struct net_listener *far = far_start(&seen, (struct net_options){0});
	struct skiff_options options = near_options(far);
	(void)state;
	options.reconnect = (struct skiff_reconnect_options){.first_too = true, .min_ms = 1, .max_ms = 2};
	struct user *user = user_new(&options);
	struct skiff_token *token = skiff_publish(user->client, "topic", "x", 1, 1, false);
	assert_int_equal(skiff_wait(skiff_connect(user->client), QUICK_MS), SKIFF_OK);
	assert_int_equal(skiff_wait(token, QUICK_MS), SKIFF_CLOSED);
	const struct watch_event *event = watch_await_event(user->watch, SKIFF_EVENT_FAILED, 1, QUICK_MS);
	assert_non_null(event);
	assert_int_equal(event->error.code, SKIFF_OK);
	assert_int_equal(event->event.retry_ms, -1);
	assert_false(skiff_client_connected(user->client));
	assert_int_equal(skiff_wait(skiff_connect(user->client), QUICK_MS), SKIFF_OK);
	user_free(user);
	assert_int_equal(net_listener_taken(far), 2);
	net_listener_finish(far);
	assert_int_equal(seen.bytes, 0);
	net_listener_stop(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_and_nothing_sent),
		cmocka_unit_test(refused_without_a_certificate),
		cmocka_unit_test(accepted_where_a_certificate_is_not_needed),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(no_tls_is_refused_before),
		cmocka_unit_test(nothing_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
