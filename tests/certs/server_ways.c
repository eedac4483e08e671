/* SPDX-License-Identifier: Apache-2.0 */
/* server_ways.c: what no certificate makes: servers of old versions, without encryption or without a certificate, of
 * another protocol; that stall, cut and want to begin anew; tickets that are not for this name; data before its time.
 * And whom a CA file trusts: nobody but itself, and not under another name (CVE-2021-40830, CVE-2021-40828).
 *
 * Some servers are made of bytes, as OpenSSL would not do what they do. Each is met over TLS by the engine native; old
 * and weak ones by both, and by both is shown what a CA file means. The rest that Paho makes of servers is in
 * engine/causes_rows.h. */
#include "support/flight_relay.h"
#include "support/names.h"
#include "support/net_listener.h"
#include "support/user.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <skiff/engine.h>
#include <stdatomic.h>
#include <stdio.h>

enum { DEADLINE_MS = 300, RECORD_BYTES = 512 };

static const char connack[] = {0x20, 3, 0, 0, 0};

/* ---- scripts ---- */

static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, connack, sizeof connack))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

/* Answers whatever comes with `user`, as it stands. */
static void far_says(struct net_peer *peer, void *user)
{
	char buffer[4096];
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, user, strlen(user)))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

/* ---- one connection ---- */

static void expect(const struct skiff_options *asked, const char *url, enum skiff_code code, const char *says)
{
	struct skiff_error error;
	struct skiff_options options = *asked;
	options.url = url;
	options.reconnect.off = true;
	user_attempt(&options, NULL, &error);
	if (error.code != code || !strstr(error.text, says))
		fail_msg("%s and '%s' expected, got %s: %s", skiff_code_slug(code), says, skiff_code_slug(error.code),
			error.text);
}

static void server_is(
	enum skiff_engine engine, const struct net_options *server, enum skiff_code code, const char *says)
{
	struct net_options whole = *server;
	if (!whole.script)
		whole.script = far_accept;
	struct net_listener *listener = net_listener_start(&whole);
	const struct skiff_options options = {.engine = engine, .tls.ca_file = net_listener_ca(listener)};
	expect(&options, net_listener_url(listener), code, says);
	net_listener_stop(listener);
}

/* ---- versions and ciphers ---- */

static void old_versions(enum skiff_engine engine)
{
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		server_is(engine,
			&(struct net_options){.kind = NET_TLS, .max_version = versions[i], .security_level = -1},
			SKIFF_TLS_VERSION, "TLS 1.2 and 1.3");
}

static void no_encryption_and_no_certificate(enum skiff_engine engine)
{
	static const char *const ciphers[] = {"eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0"};
	for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
		server_is(engine,
			&(struct net_options){.kind = NET_TLS, .max_version = TLS1_2_VERSION, .ciphers = ciphers[i]},
			SKIFF_TLS_NO_SHARED_CIPHER, "cipher");
}

static void weak_servers_by_native(void **state)
{
	(void)state;
	old_versions(SKIFF_ENGINE_NATIVE);
	no_encryption_and_no_certificate(SKIFF_ENGINE_NATIVE);
}

static void weak_servers_by_paho(void **state)
{
	(void)state;
	if (!skiff_engine_built(SKIFF_ENGINE_PAHO))
		skip();
	old_versions(SKIFF_ENGINE_PAHO);
	no_encryption_and_no_certificate(SKIFF_ENGINE_PAHO);
}

/* A ServerHello of these, to whatever is offered. */
struct hello {
	uint8_t version[2], cipher[2];
	enum skiff_code code;
};

static void far_says_hello(struct net_peer *peer, void *user)
{
	const struct hello *hello = user;
	char buffer[4096];
	uint8_t record[5 + 4 + 2 + 32 + 1 + 2 + 1] = {22, 3, 3, 0, 42, 2, 0, 0, 38};
	memcpy(record + 9, hello->version, 2);
	memcpy(record + 5 + 4 + 2 + 32 + 1, hello->cipher, 2);
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, record, sizeof record))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

/* What was not offered is not taken. */
static void what_was_not_offered(void **state)
{
	static const struct hello hellos[] = {
		{{3, 3}, {0x00, 0x3b}, SKIFF_TLS_NO_SHARED_CIPHER}, /* TLS_RSA_WITH_NULL_SHA256 */
		{{3, 3}, {0xc0, 0x18}, SKIFF_TLS_NO_SHARED_CIPHER}, /* TLS_ECDH_anon_WITH_AES_128_CBC_SHA */
		{{3, 2}, {0xc0, 0x13}, SKIFF_TLS_VERSION},          /* TLS 1.1 */
		{{3, 0}, {0xc0, 0x13}, SKIFF_TLS_VERSION},          /* SSL 3.0 */
	};
	char url[NET_URL_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
		struct net_listener *listener = net_listener_start(
			&(struct net_options){.kind = NET_TCP, .script = far_says_hello, .user = (void *)&hellos[i]});
		snprintf(url, sizeof url, "tls://127.0.0.1:%u", net_listener_port(listener));
		expect(&(struct skiff_options){.url = NULL}, url, hellos[i].code, "");
		net_listener_stop(listener);
	}
}

/* ---- other protocols ---- */

static void no_tls_behind_its_port(void **state)
{
	static const char *const words[] = {
		"SSH-2.0-OpenSSH_9.2p1\r\n", "220 mail.example ESMTP\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"};
	char url[NET_URL_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct net_listener *listener = net_listener_start(
			&(struct net_options){.kind = NET_TCP, .script = far_says, .user = (void *)words[i]});
		snprintf(url, sizeof url, "tls://127.0.0.1:%u", net_listener_port(listener));
		expect(&(struct skiff_options){.url = NULL}, url, SKIFF_WRONG_PROTOCOL, "does not speak TLS");
		net_listener_stop(listener);
	}
}

static void tls_behind_a_plain_port(void **state)
{
	char url[NET_URL_BYTES];
	struct net_listener *listener =
		net_listener_start(&(struct net_options){.kind = NET_TLS, .script = far_accept});
	(void)state;
	snprintf(url, sizeof url, "tcp://127.0.0.1:%u", net_listener_port(listener));
	expect(&(struct skiff_options){.url = NULL}, url, SKIFF_MQTT_CLOSED, "TLS");
	net_listener_stop(listener);
}

/* ---- stalls, cuts, and a new beginning ---- */

struct spoilt {
	struct net_listener *listener;
	struct flight_relay *relay;
	struct skiff_options options;
	char url[NET_URL_BYTES];
};

static void spoilt_start(struct spoilt *spoilt, int version)
{
	spoilt->listener = net_listener_start(
		&(struct net_options){.kind = NET_TLS, .script = far_accept, .max_version = version});
	spoilt->relay = flight_relay_start(net_listener_port(spoilt->listener));
	spoilt->options = (struct skiff_options){.tls.ca_file = net_listener_ca(spoilt->listener)};
	snprintf(spoilt->url, sizeof spoilt->url, "tls://127.0.0.1:%u", flight_relay_port(spoilt->relay));
}

static void spoilt_stop(struct spoilt *spoilt)
{
	flight_relay_stop(spoilt->relay);
	net_listener_stop(spoilt->listener);
}

/* Before its first byte, within the head of its first record, within its certificate. */
static void stalls_end_by_the_deadline(void **state)
{
	static const size_t places[] = {0, 3, 300};
	struct spoilt spoilt;
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		spoilt_start(&spoilt, version);
		spoilt.options.timeouts = (struct skiff_timeouts){.tls_ms = DEADLINE_MS};
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			flight_relay_spoil(spoilt.relay, FLIGHT_HOLD, places[i], 0);
			int64_t start = waiting_now_ms();
			expect(&spoilt.options, spoilt.url, SKIFF_TLS_TIMEOUT, "300 ms");
			assert_true(waiting_now_ms() - start >= DEADLINE_MS - 1);
			assert_true(flight_relay_seen(spoilt.relay).spoilt);
		}
		spoilt_stop(&spoilt);
	}
}

static void cuts_are_said(void **state)
{
	static const size_t places[] = {0, 3, 300};
	struct spoilt spoilt;
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		spoilt_start(&spoilt, version);
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			flight_relay_spoil(spoilt.relay, FLIGHT_CUT, places[i], 0);
			expect(&spoilt.options, spoilt.url, SKIFF_TLS_CLOSED, "during the TLS handshake");
			assert_true(flight_relay_seen(spoilt.relay).spoilt);
		}
		spoilt_stop(&spoilt);
	}
}

/* CONNACK, the first half of a PUBLISH, and the end of TCP but not of TLS. */
static void far_cuts_a_packet(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, connack, sizeof connack) &&
		net_peer_write(peer, "\x30\x10\0\1a\0half", 10))
		net_peer_drop(peer);
}

static void a_packet_cut_off_is_no_message(void **state)
{
	struct net_listener *listener =
		net_listener_start(&(struct net_options){.kind = NET_TLS, .script = far_cuts_a_packet});
	const struct skiff_options options = {
		.url = net_listener_url(listener), .tls.ca_file = net_listener_ca(listener), .reconnect.off = true};
	struct user *user = user_connected(&options);
	(void)state;
	const struct watch_event *event = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, WAITING_LONG_MS);
	assert_non_null(event);
	assert_int_equal(event->error.code, SKIFF_TCP_CLOSED);
	assert_non_null(strstr(event->error.text, "close_notify"));
	user_free(user);
	net_listener_stop(listener);
}

static atomic_int renegotiation; /* what the server's wish for it came to: OpenSSL's reason */

static void far_renegotiates(struct net_peer *peer, void *user)
{
	char buffer[4096];
	SSL *ssl = net_peer_ssl(peer);
	(void)user;
	if (!net_peer_read(peer, buffer, sizeof buffer) || !SSL_renegotiate(ssl) || SSL_do_handshake(ssl) != 1)
		return;
	int reason = SSL_read(ssl, buffer, sizeof buffer) > 0 ? -1 : ERR_GET_REASON(ERR_peek_last_error());
	ERR_clear_error();
	atomic_store(&renegotiation, reason);
	net_peer_drop(peer);
}

/* TLS 1.3 has none. */
static void renegotiation_is_refused(void **state)
{
	(void)state;
	server_is(SKIFF_ENGINE_NATIVE,
		&(struct net_options){.kind = NET_TLS, .max_version = TLS1_2_VERSION, .script = far_renegotiates},
		SKIFF_TLS_FAILED, "negotiate anew");
	assert_int_equal(atomic_load(&renegotiation), SSL_R_NO_RENEGOTIATION);
}

/* ---- tickets ---- */

struct tickets {
	atomic_uint connections, reused, early;
};

static void far_counts_tickets(struct net_peer *peer, void *user)
{
	struct tickets *tickets = user;
	SSL *ssl = net_peer_ssl(peer);
	atomic_fetch_add(&tickets->reused, SSL_session_reused(ssl));
	atomic_fetch_add(&tickets->early, SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_NOT_SENT);
	atomic_fetch_add(&tickets->connections, 1);
	far_accept(peer, NULL);
}

static void connect_twice(const struct skiff_options *options)
{
	struct user *user = user_new(options);
	for (int i = 0; i < 2; i++) {
		user_expect(skiff_connect(user->client), SKIFF_OK);
		user_disconnect(user);
	}
	user_free(user);
}

/* What one client was given serves itself, never one that asks for another name, and nothing goes before its time,
 * though the server would take it. */
static void tickets_are_for_one_name(void **state)
{
	struct tickets tickets;
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		memset(&tickets, 0, sizeof tickets);
		struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TLS,
			.script = far_counts_tickets,
			.user = &tickets,
			.max_version = version,
			.early_data = version == TLS1_3_VERSION});
		struct skiff_options options = {.url = net_listener_url(listener),
			.tls = {.ca_file = net_listener_ca(listener), .server_name = "localhost"}};
		connect_twice(&options);
		assert_int_equal(atomic_load(&tickets.reused), 1);
		options.tls.server_name = "127.0.0.1";
		connect_twice(&options);
		assert_int_equal(atomic_load(&tickets.reused), 2);
		options.tls.server_name = "other.example";
		expect(&options, options.url, SKIFF_TLS_HOSTNAME, "other.example");
		net_listener_stop(listener);
		assert_int_equal(atomic_load(&tickets.connections), 4);
		assert_int_equal(atomic_load(&tickets.reused), 2);
		assert_int_equal(atomic_load(&tickets.early), 0);
	}
}

/* ---- whom to trust ---- */

static struct net_listener *system_listener, *other_listener; /* whom the system trusts, and somebody else */

static void a_ca_file_replaces_the_system_roots(enum skiff_engine engine)
{
	const struct skiff_options system = {.engine = engine};
	const struct skiff_options other = {.engine = engine, .tls.ca_file = net_listener_ca(other_listener)};
	expect(&system, net_listener_url(system_listener), SKIFF_OK, "");
	expect(&other, net_listener_url(system_listener), SKIFF_TLS_SELF_SIGNED, net_listener_ca(other_listener));
	expect(&other, net_listener_url(other_listener), SKIFF_OK, "");
	expect(&system, net_listener_url(other_listener), SKIFF_TLS_SELF_SIGNED, "");
}

static void a_ca_file_leaves_names_checked(enum skiff_engine engine)
{
	char url[NET_URL_BYTES];
	const struct skiff_options own = {.engine = engine, .tls.ca_file = net_listener_ca(system_listener)};
	snprintf(url, sizeof url, "tls://test.mosquitto.org:%u", net_listener_port(system_listener));
	expect(&own, url, SKIFF_TLS_HOSTNAME, "test.mosquitto.org");
}

static void trust_by_native(void **state)
{
	(void)state;
	a_ca_file_replaces_the_system_roots(SKIFF_ENGINE_NATIVE);
	a_ca_file_leaves_names_checked(SKIFF_ENGINE_NATIVE);
}

static void trust_by_paho(void **state)
{
	(void)state;
	if (!skiff_engine_built(SKIFF_ENGINE_PAHO))
		skip();
	a_ca_file_replaces_the_system_roots(SKIFF_ENGINE_PAHO);
	a_ca_file_leaves_names_checked(SKIFF_ENGINE_PAHO);
}

static int start_listeners(void **state)
{
	const struct net_options server = {.kind = NET_TLS, .script = far_accept};
	(void)state;
	system_listener = net_listener_start(&server);
	other_listener = net_listener_start(&server);
	return setenv("SSL_CERT_FILE", net_listener_ca(system_listener), 1);
}

static int stop_listeners(void **state)
{
	(void)state;
	net_listener_stop(system_listener);
	net_listener_stop(other_listener);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weak_servers_by_native),
		cmocka_unit_test(weak_servers_by_paho),
		cmocka_unit_test(what_was_not_offered),
		cmocka_unit_test(no_tls_behind_its_port),
		cmocka_unit_test(tls_behind_a_plain_port),
		cmocka_unit_test(stalls_end_by_the_deadline),
		cmocka_unit_test(cuts_are_said),
		cmocka_unit_test(a_packet_cut_off_is_no_message),
		cmocka_unit_test(renegotiation_is_refused),
		cmocka_unit_test(tickets_are_for_one_name),
		cmocka_unit_test(trust_by_native),
		cmocka_unit_test(trust_by_paho),
	};
	return cmocka_run_group_tests_name("certs_server_ways", tests, start_listeners, stop_listeners);
}
