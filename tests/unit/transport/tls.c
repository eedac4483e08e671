/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: what the suite and the certificate matrix do not show: other protocols, alerts, ends, and what weakens TLS.
 *
 * The system's trust store is, for this program, the file of one listener's certificate (SSL_CERT_FILE). */
#include "suite/suite_near.h"
#include "support/net_listener.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONG_MS = 30000, PIECES = 1000, PIECE_BYTES = 16, DATA_BYTES = 1000 };

static struct net_listener *system_listener, *other_listener; /* whom the system trusts, and somebody else */

/* ---- scripts ---- */

static void far_echo(struct net_peer *peer, void *user)
{
	char buffer[4096];
	size_t got;
	(void)user;
	while ((got = net_peer_read(peer, buffer, sizeof buffer)) && net_peer_write(peer, buffer, got))
		;
}

/* A server of another protocol: answers anything with `user`. */
static void far_says(struct net_peer *peer, void *user)
{
	char buffer[4096];
	net_peer_read(peer, buffer, sizeof buffer);
	if (user)
		net_peer_write(peer, user, strlen(user));
	while (user && net_peer_read(peer, buffer, sizeof buffer))
		;
}

static void far_resets(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	net_peer_read(peer, buffer, sizeof buffer);
	net_peer_reset(peer);
}

static void far_drops(struct net_peer *peer, void *user)
{
	(void)user;
	net_peer_drop(peer);
}

static void far_data(struct net_peer *peer)
{
	char data[DATA_BYTES];
	suite_pattern(data, 0, sizeof data);
	net_peer_write(peer, data, sizeof data);
}

static void far_data_then_drop(struct net_peer *peer, void *user)
{
	(void)user;
	far_data(peer);
	net_peer_drop(peer);
}

static void far_data_then_end(struct net_peer *peer, void *user)
{
	(void)user;
	far_data(peer);
}

static void far_data_then_garbage(struct net_peer *peer, void *user)
{
	char buffer[100];
	(void)user;
	far_data(peer);
	net_peer_write_raw(peer, "this is no record", 17);
	net_peer_read(peer, buffer, sizeof buffer);
}

/* Notes what the first read gives: a whole record, if all was put into one. */
static void far_first_read(struct net_peer *peer, void *user)
{
	char buffer[2 * PIECES * PIECE_BYTES];
	size_t *first = user;
	*first = net_peer_read(peer, buffer, sizeof buffer);
	far_data(peer);
}

/* ---- a connection ---- */

struct talk {
	struct suite_loop loop;
	struct near near;
	struct net_listener *listener; /* ours to stop */
};

static void talk_start(struct talk *talk, struct net_options server, struct skiff_tls_options tls, const char *host)
{
	static const struct suite_kind kind;
	struct suite_way way = {.tls = tls};
	talk->listener = net_listener_start(&server);
	if (tls.ca_file && !*tls.ca_file)
		way.tls.ca_file = net_listener_ca(talk->listener);
	snprintf(way.url, sizeof way.url, "tls://%s:%u", host, net_listener_port(talk->listener));
	suite_loop_start(&talk->loop);
	near_open(&talk->near, &kind, &talk->loop, NULL, &way, LONG_MS);
}

static void talk_stop(struct talk *talk)
{
	near_end(&talk->near, false);
	net_listener_stop(talk->listener);
	suite_loop_stop(&talk->loop);
}

/* In `tls`, the ca_file "" stands for the listener's own. */
static void outcome_is(struct net_options server, struct skiff_tls_options tls, const char *host, enum skiff_code code,
	const char *says)
{
	struct talk talk = {.near = {.to_send = 1}};
	if (!server.script)
		server.script = far_echo;
	talk_start(&talk, server, tls, host);
	near_wait(&talk.near, talk.near.failed || talk.near.received);
	if (talk.near.error.code != code || !strstr(talk.near.error.text, says))
		fail_msg("%s, \"%s\" expected, got %s: %s", skiff_code_slug(code), says,
			skiff_code_slug(talk.near.error.code), talk.near.error.text);
	talk_stop(&talk);
}

static const struct skiff_tls_options trusting = {.ca_file = ""};
static const char *const here = "127.0.0.1";

/* ---- other protocols ---- */

static void peer_does_not_speak_tls(void **state)
{
	struct net_options plain = {.kind = NET_TCP, .script = far_says};
	(void)state;
	plain.user = (void *)"\x20\x02\x01\x05 is a CONNACK";
	outcome_is(plain, trusting, here, SKIFF_WRONG_PROTOCOL, "does not speak TLS on port");
	plain.user = (void *)"HTTP/1.1 400 Bad Request\r\n\r\n";
	outcome_is(plain, trusting, here, SKIFF_WRONG_PROTOCOL, "tcp://127.0.0.1");
	plain.user = NULL;
	outcome_is(plain, trusting, here, SKIFF_TLS_CLOSED, "closed the connection during the TLS handshake");
	plain.script = far_resets;
	outcome_is(plain, trusting, here, SKIFF_TLS_CLOSED, "reset the connection during the TLS handshake");
}

static void no_version_in_common(void **state)
{
	(void)state;
	outcome_is((struct net_options){.kind = NET_TLS, .max_version = TLS1_1_VERSION, .security_level = -1}, trusting,
		here, SKIFF_TLS_VERSION, "TLS 1.2 and 1.3");
}

static void application_protocols(void **state)
{
	struct net_options server = {.kind = NET_TLS, .alpn = "mqtt"};
	struct skiff_tls_options tls = {.ca_file = "", .alpn = "x,mqtt"};
	(void)state;
	outcome_is(server, tls, here, SKIFF_OK, "");
	tls.alpn = "x";
	outcome_is(server, tls, here, SKIFF_TLS_ALPN, "application protocols");
}

/* ---- trust ---- */

static void system_trust_is_the_default(void **state)
{
	(void)state;
	struct talk talk = {.near = {.to_send = 1}};
	static const struct suite_kind kind;
	struct suite_way way = {.url = ""};
	snprintf(way.url, sizeof way.url, "%s", net_listener_url(system_listener));
	suite_loop_start(&talk.loop);
	near_open(&talk.near, &kind, &talk.loop, NULL, &way, LONG_MS);
	near_wait(&talk.near, talk.near.received == 1);
	near_end(&talk.near, false);
	/* and a CA file takes its place */
	talk.near = (struct near){.to_send = 1};
	way.tls.ca_file = net_listener_ca(other_listener);
	near_open(&talk.near, &kind, &talk.loop, NULL, &way, LONG_MS);
	near_wait(&talk.near, talk.near.failed);
	assert_int_equal(skiff_code_class(talk.near.error.code), SKIFF_CLASS_TLS);
	near_end(&talk.near, false);
	suite_loop_stop(&talk.loop);
}

static void strangers_are_refused(void **state)
{
	const struct net_options server = {.kind = NET_TLS};
	(void)state;
	outcome_is(server, (struct skiff_tls_options){0}, here, SKIFF_TLS_SELF_SIGNED, "the system's trust store");
	outcome_is(server, (struct skiff_tls_options){.insecure_skip_name = true}, here, SKIFF_TLS_SELF_SIGNED,
		"signed by itself");
	outcome_is(server, (struct skiff_tls_options){.insecure_skip_chain = true}, here, SKIFF_OK, "");
}

static void names_are_checked(void **state)
{
	const struct net_options server = {.kind = NET_TLS};
	struct skiff_tls_options tls = {.ca_file = "", .server_name = "other.example"};
	(void)state;
	outcome_is(
		server, tls, here, SKIFF_TLS_HOSTNAME, "is for localhost, 127.0.0.1, ::1, not for \"other.example\"");
	tls.insecure_skip_chain = true;
	outcome_is(server, tls, here, SKIFF_TLS_HOSTNAME, "not for \"other.example\"");
	tls.insecure_skip_name = true;
	outcome_is(server, tls, here, SKIFF_OK, "");
	tls.insecure_skip_chain = false;
	outcome_is(server, tls, here, SKIFF_OK, "");
	tls = (struct skiff_tls_options){.ca_file = "", .server_name = "localhost"};
	outcome_is(server, tls, here, SKIFF_OK, "");
	tls.server_name = "127.0.0.2";
	outcome_is(server, tls, here, SKIFF_TLS_HOSTNAME, "not for \"127.0.0.2\"");
	outcome_is(server, trusting, "127.0.0.1", SKIFF_OK, "");
}

/* ---- client certificates ---- */

static void client_certificate_required(void **state)
{
	struct net_options server = {.kind = NET_TLS, .client_ca_file = net_listener_ca(other_listener)};
	(void)state;
	server.max_version = TLS1_3_VERSION;
	outcome_is(server, trusting, here, SKIFF_TLS_CLIENT_CERT_REQUIRED, "none was given; it takes those of \"");
	server.max_version = TLS1_2_VERSION;
	outcome_is(server, trusting, here, SKIFF_TLS_CLIENT_CERT_REQUIRED, "none was given; it takes those of \"");
}

/* In TLS 1.3 the alert comes while the client writes; the socket's error must not hide it. */
static void client_certificate_required_of_a_writer(void **state)
{
	struct talk talk = {.near = {.to_send = 64 * 1024 * 1024}};
	(void)state;
	talk_start(&talk,
		(struct net_options){
			.kind = NET_TLS, .script = far_echo, .client_ca_file = net_listener_ca(other_listener)},
		trusting, here);
	near_wait(&talk.near, talk.near.failed);
	assert_string_equal(skiff_code_slug(talk.near.error.code), "tls-client-cert-required");
	talk_stop(&talk);
}

static void dropped_for_want_of_a_certificate(void **state)
{
	(void)state;
	outcome_is((struct net_options){.kind = NET_TLS,
			   .script = far_drops,
			   .client_optional = true,
			   .client_ca_file = net_listener_ca(other_listener)},
		trusting, here, SKIFF_TLS_CLIENT_CERT_REQUIRED, "asked for a client certificate, was given none");
}

/* ---- the end ---- */

static void end_is(net_script script, enum skiff_code code, const char *says, bool truncated)
{
	struct talk talk = {.near = {0}};
	talk_start(&talk, (struct net_options){.kind = NET_TLS, .script = script}, trusting, here);
	near_wait(&talk.near, talk.near.failed);
	assert_int_equal(talk.near.received, DATA_BYTES);
	assert_string_equal(skiff_code_slug(talk.near.error.code), skiff_code_slug(code));
	assert_non_null(strstr(talk.near.error.text, says));
	assert_int_equal(!!strstr(talk.near.error.text, "close_notify"), truncated);
	talk_stop(&talk);
}

static void ends(void **state)
{
	(void)state;
	end_is(far_data_then_end, SKIFF_TCP_CLOSED, "closed the connection", false);
	end_is(far_data_then_drop, SKIFF_TCP_CLOSED, "closed the connection", true);
	end_is(far_data_then_garbage, SKIFF_TLS_FAILED, "TLS failed", false);
}

/* ---- records ---- */

static void small_pieces_share_a_record(void **state)
{
	static char data[PIECES * PIECE_BYTES];
	struct iovec pieces[PIECES];
	size_t first = 0;
	struct talk talk = {.near = {0}};
	(void)state;
	talk_start(
		&talk, (struct net_options){.kind = NET_TLS, .script = far_first_read, .user = &first}, trusting, here);
	near_wait(&talk.near, talk.near.opened);
	for (size_t i = 0; i < PIECES; i++)
		pieces[i] = (struct iovec){data + i * PIECE_BYTES, PIECE_BYTES};
	struct skiffi_transport *transport = talk.near.transport;
	assert_int_equal(transport->ops->send(transport, pieces, PIECES), sizeof data);
	near_wait(&talk.near, talk.near.received == DATA_BYTES);
	talk_stop(&talk);
	assert_int_equal(first, sizeof data);
}

static void session_is_described(void **state)
{
	struct skiff_connection way = {0};
	struct talk talk = {.near = {0}};
	(void)state;
	talk_start(&talk, (struct net_options){.kind = NET_TLS, .script = far_echo, .max_version = TLS1_2_VERSION},
		trusting, here);
	near_wait(&talk.near, talk.near.opened);
	talk.near.transport->ops->info(talk.near.transport, &way);
	assert_string_equal(way.tls_version, "TLSv1.2");
	assert_true(*way.tls_cipher);
	assert_string_equal(way.tls_subject, "CN = net_listener");
	assert_string_equal(way.tls_issuer, "CN = net_listener");
	assert_string_equal(way.tls_alpn, "");
	talk_stop(&talk);
}

static int start_listeners(void **state)
{
	const struct net_options server = {.kind = NET_TLS, .script = far_echo};
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
		cmocka_unit_test(peer_does_not_speak_tls),
		cmocka_unit_test(no_version_in_common),
		cmocka_unit_test(application_protocols),
		cmocka_unit_test(system_trust_is_the_default),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(client_certificate_required),
		cmocka_unit_test(client_certificate_required_of_a_writer),
		cmocka_unit_test(dropped_for_want_of_a_certificate),
		cmocka_unit_test(ends),
		cmocka_unit_test(small_pieces_share_a_record),
		cmocka_unit_test(session_is_described),
	};
	return cmocka_run_group_tests_name("tls", tests, start_listeners, stop_listeners);
}
