/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c: what the suite does not show: several addresses, and the words for what goes wrong. The names of hosts are
 * looked up by this file's getaddrinfo. */
#include "transport/tcp.h"

#include "suite/suite_near.h"
#include "support/net_listener.h"
#include "support/waiting.h"
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 30000 };

/* "two.example" has two loopback addresses, at the second of which somebody may listen; others do not exist. */
__attribute__((visibility("default"))) int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	static const char *const texts[] = {"127.0.0.2", "127.0.0.1"};
	struct sockaddr_in *addresses;
	(void)service, (void)hints;
	if (strcmp(name, "two.example"))
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

static void far_echo(struct net_peer *peer, void *user)
{
	char buffer[4096];
	size_t got;
	(void)user;
	while ((got = net_peer_read(peer, buffer, sizeof buffer)) && net_peer_write(peer, buffer, got))
		;
}

/* Opens, has one byte echoed, and gives what came of it. */
static struct skiff_error outcome(const char *url, char *address, size_t size)
{
	static const struct suite_kind kind;
	struct suite_loop loop;
	struct suite_way way = {.url = ""};
	struct near near = {.to_send = 1};
	struct skiff_connection connection = {0};
	snprintf(way.url, sizeof way.url, "%s", url);
	suite_loop_start(&loop);
	near_open(&near, &kind, &loop, NULL, &way, LONG_MS);
	near_wait(&near, near.failed || near.received);
	near.transport->ops->info(near.transport, &connection);
	snprintf(address, size, "%s", connection.address);
	near_end(&near, false);
	suite_loop_stop(&loop);
	return near.error;
}

static void second_address_serves(void **state)
{
	char url[64], address[128], wanted[128];
	struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TCP, .script = far_echo});
	(void)state;
	snprintf(url, sizeof url, "tcp://two.example:%u", net_listener_port(listener));
	snprintf(wanted, sizeof wanted, "127.0.0.1:%u", net_listener_port(listener));
	assert_string_equal(outcome(url, address, sizeof address).text, "");
	assert_string_equal(address, wanted);
	net_listener_stop(listener);
}

static void no_address_serves(void **state)
{
	char url[64], address[128], wanted[256];
	struct net_listener *listener =
		net_listener_start(&(struct net_options){.kind = NET_TCP, .manner = NET_REFUSES});
	(void)state;
	snprintf(url, sizeof url, "tcp://two.example:%u", net_listener_port(listener));
	snprintf(wanted, sizeof wanted,
		"none of 2 addresses works: cannot connect to 127.0.0.2:%u: connection refused; is the broker running, "
		"and is this "
		"its port?",
		net_listener_port(listener));
	struct skiff_error error = outcome(url, address, sizeof address);
	assert_int_equal(error.code, SKIFF_TCP_REFUSED);
	assert_int_equal(error.detail, ECONNREFUSED);
	assert_string_equal(error.text, wanted);
	net_listener_stop(listener);
}

static void no_such_host(void **state)
{
	char address[128];
	(void)state;
	struct skiff_error error = outcome("tcp://none.example", address, sizeof address);
	assert_int_equal(error.code, SKIFF_DNS_NOT_FOUND);
	assert_string_equal(address, "");
}

static void no_such_socket(void **state)
{
	char address[128];
	(void)state;
	struct skiff_error error = outcome("unix:///nothere/socket", address, sizeof address);
	assert_int_equal(error.code, SKIFF_TCP_REFUSED);
	assert_int_equal(error.detail, ENOENT);
	assert_string_equal(error.text, "cannot connect to /nothere/socket: there is no such socket; is the broker "
					"running, and does it listen there?");
}

static void words_for_errors(void **state)
{
	static const struct {
		int number;
		enum skiff_code code;
	} cases[] = {
		{ECONNREFUSED, SKIFF_TCP_REFUSED},
		{ETIMEDOUT, SKIFF_TCP_TIMEOUT},
		{EHOSTUNREACH, SKIFF_TCP_UNREACHABLE},
		{ENETUNREACH, SKIFF_TCP_UNREACHABLE},
		{EACCES, SKIFF_TCP_FAILED},
		{EMFILE, SKIFF_TCP_FAILED},
		{ENOMEM, SKIFF_MEMORY},
		{EPROTO, SKIFF_TCP_FAILED},
	};
	struct skiffi_address address = {.len = sizeof(struct sockaddr_in)};
	(void)state;
	uv_ip4_addr("192.0.2.1", 1883, (struct sockaddr_in *)&address.storage);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct skiff_error error;
		skiffi_tcp_connect_error(&address, cases[i].number, "broker", &error);
		assert_int_equal(error.code, cases[i].code);
		assert_int_equal(error.detail, cases[i].number);
		assert_int_equal(strncmp(error.text, "cannot connect to 192.0.2.1:1883: ", 34), 0);
	}
}

/* ---- bytes that came before the end are not lost ---- */

struct steps {
	struct waiting_count sent, reset;
};

/* When all was sent, answers, and resets the connection with the answer still on its way. */
static void far_answers_and_resets(struct net_peer *peer, void *user)
{
	char buffer[16];
	struct steps *steps = user;
	waiting_reach(&steps->sent, 1, LONG_MS);
	net_peer_read(peer, buffer, 1);
	suite_pattern(buffer, 0, sizeof buffer);
	net_peer_write(peer, buffer, sizeof buffer);
	net_peer_drop(peer); /* with bytes unread: the kernel makes a reset of it */
	waiting_add(&steps->reset);
}

static void answer_before_a_reset_is_read(void **state)
{
	static const struct suite_kind kind;
	struct suite_loop loop;
	struct suite_way way = {.url = ""};
	struct near near = {.to_send = 1000};
	struct steps steps = {0};
	struct net_listener *listener = net_listener_start(
		&(struct net_options){.kind = NET_TCP, .script = far_answers_and_resets, .user = &steps});
	(void)state;
	snprintf(way.url, sizeof way.url, "%s", net_listener_url(listener));
	suite_loop_start(&loop);
	near_open(&near, &kind, &loop, NULL, &way, LONG_MS);
	near_wait(&near, near.sent == 1000);
	waiting_add(&steps.sent);
	assert_true(waiting_reach(&steps.reset, 1, LONG_MS));
	/* the far end has come and gone before the loop looks again; what sees it first is a send */
	net_listener_stop(listener);
	near_send(&near, 1);
	assert_int_equal(near.sent, 1000);
	near_wait(&near, near.failed);
	assert_int_equal(near.received, 16);
	assert_string_equal(skiff_code_slug(near.error.code), "tcp-reset");
	near_end(&near, false);
	suite_loop_stop(&loop);
}

/* ---- the socket ---- */

static void descriptors_are_given_back(void **state)
{
	static const struct suite_kind kind;
	struct suite_loop loop;
	struct suite_way way = {.url = ""};
	struct near near = {.to_send = 1};
	struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TCP, .script = far_echo});
	int before = dup(0);
	(void)state;
	close(before);
	snprintf(way.url, sizeof way.url, "%s", net_listener_url(listener));
	suite_loop_start(&loop);
	near_open(&near, &kind, &loop, NULL, &way, LONG_MS);
	near_wait(&near, near.received);
	near_end(&near, true);
	suite_loop_stop(&loop);
	net_listener_stop(listener);
	int after = dup(0);
	close(after);
	assert_true(after <= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_address_serves),
		cmocka_unit_test(no_address_serves),
		cmocka_unit_test(no_such_host),
		cmocka_unit_test(no_such_socket),
		cmocka_unit_test(words_for_errors),
		cmocka_unit_test(answer_before_a_reset_is_read),
		cmocka_unit_test(descriptors_are_given_back),
	};
	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
