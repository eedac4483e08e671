/* SPDX-License-Identifier: Apache-2.0 */
/* flips.c: a handshake of which one byte of the server's comes changed is never taken for good, over TLS 1.2 and 1.3:
 * not accepted, no crash, no connection that hangs.
 *
 * What the server says, up to and with CONNACK, goes through a relay that changes a random byte by a random mask. Only
 * the version in a record's head, where no key protects it yet, is nobody's to judge [RFC 8446, 5.1]. A length that
 * comes too large has the client wait for the rest until its deadline, which is short for that reason.
 *
 * SKIFF_FLIPS_SEED has a run repeated; it is printed. */
#include "support/flight_relay.h"
#include "support/net_listener.h"
#include "support/user.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <unistd.h>

#ifdef TESTS_SANITIZED
enum { FLIPS = 100, DEADLINE_MS = 1000 };
#else
enum { FLIPS = 500, DEADLINE_MS = 400 };
#endif
enum { CONTROL_EVERY = 50 };

static uint64_t flips_state;

static uint32_t flips_draw(uint32_t below)
{
	flips_state = flips_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(flips_state >> 33) % below;
}

static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

struct flips {
	struct net_listener *listener;
	struct flight_relay *relay;
	struct flight_seen seen;
	unsigned accepted, late;
};

/* One connection, and how it ended. */
static struct skiff_error flips_connect(struct flips *flips, int limit_ms)
{
	char url[NET_URL_BYTES];
	struct skiff_error error;
	snprintf(url, sizeof url, "tls://127.0.0.1:%u", flight_relay_port(flips->relay));
	struct skiff_options options = {.url = url,
		.tls = {.ca_file = net_listener_ca(flips->listener), .no_resumption = true},
		.reconnect.off = true,
		.timeouts = {.tcp_ms = WAITING_LONG_MS, .tls_ms = limit_ms, .mqtt_ms = limit_ms}};
	struct skiff_client *client = skiff_client_new(&options, &error);
	assert_non_null(client);
	struct skiff_token *token = skiff_connect(client);
	assert_true(skiff_token_wait(token, WAITING_LONG_MS) != SKIFF_TIMEOUT);
	error = *skiff_token_error(token);
	skiff_token_free(token);
	skiff_client_free(client);
	flips->seen = flight_relay_seen(flips->relay);
	return error;
}

/* How many bytes the server says to a client that it serves. */
static size_t flips_control(struct flips *flips)
{
	flight_relay_spoil(flips->relay, FLIGHT_PASS, 0, 0);
	struct skiff_error error = flips_connect(flips, WAITING_LONG_MS);
	if (error.code != SKIFF_OK)
		fail_msg("unspoilt: %s", error.text);
	return flips->seen.bytes;
}

static void flips_one(struct flips *flips, size_t bytes)
{
	size_t at = flips_draw((uint32_t)bytes);
	uint8_t mask = (uint8_t)(1 + flips_draw(255));
	flight_relay_spoil(flips->relay, FLIGHT_FLIP, at, mask);
	struct skiff_error error = flips_connect(flips, DEADLINE_MS);
	if (error.code == SKIFF_OK && flips->seen.spoilt && !flips->seen.in_version)
		fail_msg("accepted with byte %zu of %zu changed by 0x%02x", at, flips->seen.bytes, mask);
	flips->accepted += error.code == SKIFF_OK;
	flips->late += error.code == SKIFF_TLS_TIMEOUT || error.code == SKIFF_MQTT_TIMEOUT;
}

static void flips_of_version(int version)
{
	const struct net_options server = {.kind = NET_TLS, .script = far_accept, .max_version = version};
	struct flips flips = {.listener = net_listener_start(&server)};
	size_t bytes = 0;
	flips.relay = flight_relay_start(net_listener_port(flips.listener));
	for (unsigned i = 0; i < FLIPS; i++) {
		if (i % CONTROL_EVERY == 0)
			bytes = flips_control(&flips);
		flips_one(&flips, bytes);
	}
	print_message("of %d: %u found out by the deadline, %u without effect\n", FLIPS, flips.late, flips.accepted);
	flight_relay_stop(flips.relay);
	net_listener_stop(flips.listener);
}

static void tls_1_2(void **state)
{
	(void)state;
	flips_of_version(TLS1_2_VERSION);
}

static void tls_1_3(void **state)
{
	(void)state;
	flips_of_version(TLS1_3_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tls_1_2), cmocka_unit_test(tls_1_3)};
	const char *given = getenv("SKIFF_FLIPS_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid() ^ (unsigned)waiting_now_ms();
	printf("SKIFF_FLIPS_SEED=%u\n", seed);
	flips_state = seed;
	return cmocka_run_group_tests_name("certs_flips", tests, NULL, NULL);
}
