/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: the whole way from a URL to bytes and back, with each allocation in turn failing. Whatever fails says
 * "memory", and nothing is lost. */
#include "endpoint/resolve.h"
#include "suite/suite_near.h"
#include "support/fault_alloc.h"
#include "support/net_listener.h"
#include "transport/tls_context.h"
#include "transport/tls_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000, SEND_BYTES = 32 * 1024 * 1024, MOST_ALLOCATIONS = 1000 };

/* ---- URLs ---- */

static bool url_survives(const char *url, size_t nth)
{
	struct skiff_error error = {0};
	size_t live = fault_alloc_live();
	fault_alloc_arm(nth);
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(url, &error);
	bool all = fault_alloc_count() < nth;
	fault_alloc_arm(0);
	assert_true(all == !!endpoint);
	assert_int_equal(error.code, all ? SKIFF_OK : SKIFF_MEMORY);
	skiffi_endpoint_free(endpoint);
	assert_int_equal(fault_alloc_live(), live);
	return all;
}

static void urls(void **state)
{
	static const char *const all[] = {
		"tcp://u:p@host", "wss://[::1]:8443/path?query", "unix:///run/socket", "ws://host"};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (size_t nth = 1; !url_survives(all[i], nth); nth++)
			assert_true(nth < MOST_ALLOCATIONS);
}

/* ---- connections ---- */

struct attempt {
	struct skiffi_transport *transport;
	bool opened, failed, closed;
	size_t sent, received;
	struct skiff_error error;
};

static void attempt_pump(struct attempt *attempt)
{
	static char data[65536];
	struct iovec piece = {data, sizeof data};
	ptrdiff_t taken = (ptrdiff_t)sizeof data;
	while (attempt->sent < SEND_BYTES && taken == (ptrdiff_t)sizeof data) {
		taken = attempt->transport->ops->send(attempt->transport, &piece, 1);
		attempt->sent += taken > 0 ? (size_t)taken : 0;
	}
}

static void attempt_opened(void *user)
{
	struct attempt *attempt = user;
	attempt->opened = true;
	attempt_pump(attempt);
}

static void attempt_writable(void *user)
{
	attempt_pump(user);
}

static void attempt_readable(void *user)
{
	struct attempt *attempt = user;
	char buffer[8192];
	ptrdiff_t got;
	while ((got = attempt->transport->ops->recv(attempt->transport, buffer, sizeof buffer)) > 0)
		attempt->received += (size_t)got;
}

static void attempt_failed(void *user, const struct skiff_error *error)
{
	struct attempt *attempt = user;
	attempt->failed = true;
	attempt->error = *error;
}

static void attempt_closed(void *user)
{
	struct attempt *attempt = user;
	attempt->closed = true;
}

static const struct skiffi_transport_events attempt_events = {
	.opened = attempt_opened,
	.readable = attempt_readable,
	.writable = attempt_writable,
	.failed = attempt_failed,
	.closed = attempt_closed,
};

/* Opens, sends, gets it back, closes; as far as memory lasts. */
static void attempt_run(struct attempt *attempt, struct suite_loop *loop, const struct skiffi_transport_config *config)
{
	attempt->transport = skiffi_transport_new(&loop->loop, config, &attempt_events, attempt);
	if (!attempt->transport) {
		attempt->error.code = SKIFF_MEMORY;
		return;
	}
	if (!attempt->transport->ops->open(attempt->transport)) {
		attempt->error.code = SKIFF_MEMORY;
	} else {
		while (!attempt->failed && attempt->received < SEND_BYTES)
			suite_loop_once(loop, true);
		attempt->transport->ops->close(attempt->transport, attempt->failed);
		while (!attempt->closed)
			suite_loop_once(loop, true);
	}
	attempt->transport->ops->free(attempt->transport);
}

static bool connection_survives(const char *url, const char *proxy, const struct skiff_tls_options *tls, size_t nth)
{
	struct suite_loop loop;
	struct attempt attempt = {.opened = false};
	struct skiff_error error = {0};
	struct skiffi_transport_config config = {
		.timeouts = {LIMIT_MS, LIMIT_MS, LIMIT_MS, LIMIT_MS, LIMIT_MS, LIMIT_MS}};
	size_t live = fault_alloc_live();
	suite_loop_start(&loop);
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(url, NULL);
	assert_non_null(endpoint);
	fault_alloc_arm(nth);
	config.endpoint = endpoint;
	config.proxy = proxy ? skiffi_proxy_new(proxy, &error) : NULL;
	config.tls = endpoint->tls && !error.code ? skiffi_tls_context_new(tls, endpoint, &error) : NULL;
	if (error.code == SKIFF_OK)
		attempt_run(&attempt, &loop, &config);
	else
		attempt.error = error;
	bool all = fault_alloc_count() < nth;
	fault_alloc_arm(0);
	if (all || attempt.error.code) /* what is only shared is done without */
		assert_string_equal(skiff_code_slug(attempt.error.code), all ? "ok" : "memory");
	skiffi_tls_context_free(config.tls);
	skiffi_tls_shared_forget();
	skiffi_proxy_free((struct skiffi_proxy *)config.proxy);
	skiffi_endpoint_free(endpoint);
	suite_loop_stop(&loop);
	assert_int_equal(fault_alloc_live(), live);
	return all;
}

static void far_echo(struct net_peer *peer, void *user)
{
	static _Thread_local char buffer[65536];
	size_t got;
	(void)user;
	while ((got = net_peer_read(peer, buffer, sizeof buffer)) && net_peer_write(peer, buffer, got))
		;
}

static void connections(enum net_kind kind)
{
	struct net_listener *listener = net_listener_start(&(struct net_options){.kind = kind, .script = far_echo});
	struct skiff_tls_options tls = {.ca_file = net_listener_ca(listener)};
	for (size_t nth = 1; !connection_survives(net_listener_url(listener), NULL, &tls, nth); nth++)
		assert_true(nth < MOST_ALLOCATIONS);
	net_listener_stop(listener);
}

static void tcp_connections(void **state)
{
	(void)state;
	connections(NET_TCP);
}

static void unix_connections(void **state)
{
	(void)state;
	connections(NET_UNIX);
}

static void tls_connections(void **state)
{
	(void)state;
	connections(NET_TLS);
}

/* Of any proxy's, so much of the question is read as ends it, and the way is open. */
static bool far_reads(struct net_peer *peer, const char *end, size_t len)
{
	char last[4] = "";
	while (memcmp(last + sizeof last - len, end, len) != 0) {
		memmove(last, last + 1, sizeof last - 1);
		if (!net_peer_read(peer, last + sizeof last - 1, 1))
			return false;
	}
	return true;
}

static void far_http(struct net_peer *peer, void *user)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
	if (far_reads(peer, "\r\n\r\n", 4) && net_peer_write(peer, answer, sizeof answer - 1))
		far_echo(peer, user);
}

static void far_socks(struct net_peer *peer, void *user)
{
	static const char reply[] = "\5\0\0\1\0\0\0\0\0\0";
	if (far_reads(peer, "\5\2\0\2", 4) && net_peer_write(peer, "\5\2", 2) && far_reads(peer, "pass", 4) &&
		net_peer_write(peer, "\1\0", 2) && far_reads(peer, "\177\0\0\1", 4) && far_reads(peer, "\0\1", 2) &&
		net_peer_write(peer, reply, sizeof reply - 1))
		far_echo(peer, user);
}

static void proxied_connections(const char *scheme, net_script script)
{
	char proxy[64];
	struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TCP, .script = script});
	snprintf(proxy, sizeof proxy, "%s://user:pass@127.0.0.1:%u", scheme, net_listener_port(listener));
	for (size_t nth = 1; !connection_survives("tcp://127.0.0.1:1", proxy, NULL, nth); nth++)
		assert_true(nth < MOST_ALLOCATIONS);
	net_listener_stop(listener);
}

static void http_proxy_connections(void **state)
{
	(void)state;
	proxied_connections("http", far_http);
}

static void socks_connections(void **state)
{
	(void)state;
	proxied_connections("socks5", far_socks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(tcp_connections),
		cmocka_unit_test(unix_connections),
		cmocka_unit_test(tls_connections),
		cmocka_unit_test(http_proxy_connections),
		cmocka_unit_test(socks_connections),
	};
	return cmocka_run_group_tests_name("transport_memory", tests, NULL, NULL);
}
