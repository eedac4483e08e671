/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c: files that change, and what of TLS sessions outlives that; ends that are near. */
#include "certs/trust_far.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* Gives a ticket late, before the PUBACK of the first message. */
static void far_late_ticket(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (!net_peer_read(peer, buffer, sizeof buffer) || !net_peer_write(peer, "\x20\3\0\0\0", 5) ||
		!net_peer_read(peer, buffer, sizeof buffer))
		return;
	if (*buffer >> 4 == 3) { /* PUBLISH */
		SSL_new_session_ticket(net_peer_ssl(peer));
		net_peer_write(peer, "\x40\2\0\1", 4);
	}
	while (net_peer_read(peer, buffer, sizeof buffer))
		;
}

/* Answers, and is gone without a word. */
static void far_drops(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		net_peer_drop(peer);
}

static void changed_files_are_used(void **state)
{
	char text[TRUST_FILE_BYTES];
	struct skiff_error error;
	(void)state;
	trust_shell("cp client.crt mine.crt; cp client.key mine.key; cp own-ca.crt trusted.crt");
	struct net_listener *far = trust_far("good", (struct net_options){.client_ca_file = trust_path("own-ca.crt")});
	struct skiff_tls_options tls = {.ca_file = trust_path("trusted.crt"),
		.cert_file = trust_path("mine.crt"),
		.key_file = trust_path("mine.key"),
		.warn_days = -1};
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	trust_connects(user, false);
	trust_connects(user, true);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_RENEWED), 0);

	size_t half = trust_read("client-chain.crt", text) / 2; /* half-written: the old ones go on, resumption too */
	trust_write("mine.crt", text, half);
	trust_connects(user, true);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_STALE), 1);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_RENEWED), 0);
	assert_int_equal(skiff_tls_reload(user->client, &error), SKIFF_FILE_NOT_PEM);
	assert_non_null(strstr(error.text, "mine.crt"));

	trust_write("mine.crt", text,
		trust_read("client-chain.crt", text) - 40); /* the first is whole, the second is not */
	assert_int_equal(skiff_tls_reload(user->client, &error), SKIFF_FILE_NOT_PEM);
	assert_non_null(strstr(error.text, "ends within"));

	trust_shell("cp client-stranger.crt mine.crt"); /* the key is still another's */
	trust_connects(user, true);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_STALE), 2);
	trust_shell("cp client-stranger.key mine.key"); /* whole: used, and the server's verdict is another */
	user_expect(skiff_connect(user->client), SKIFF_TLS_CLIENT_CERT_REJECTED);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_RENEWED), 1);

	trust_shell("cp client.crt mine.crt; cp client.key mine.key");
	assert_int_equal(skiff_tls_reload(user->client, NULL), SKIFF_OK);
	trust_connects(user, false);
	trust_connects(user, true);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_RENEWED), 2);

	trust_shell("cp stranger-ca.crt trusted.crt"); /* who is trusted no longer is not resumed */
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	net_listener_stop(far);
}

/* A connection that is up while files are read again goes on; a ticket that it gets later is none of the new files'. */
static void a_reload_leaves_the_connection(void **state)
{
	(void)state;
	trust_shell("cp own-ca.crt trusted.crt");
	struct net_listener *far = trust_far("good", (struct net_options){.script = far_late_ticket});
	struct skiff_tls_options tls = {.ca_file = trust_path("trusted.crt")};
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_connected(&options);
	assert_int_equal(skiff_tls_reload(user->client, NULL), SKIFF_OK);
	assert_true(skiff_client_connected(user->client));
	user_publish(user, "a", "x", 1);
	user_disconnect(user);
	trust_connects(user, false);
	trust_connects(user, true);
	user_free(user);
	net_listener_stop(far);
}

static void *read_again_and_again(void *argument)
{
	struct user *user = argument;
	for (int i = 0; i < 40; i++)
		if (skiff_tls_reload(user->client, NULL))
			return user;
	return NULL;
}

/* From another thread, while connections come and go; and the files change, too. */
static void reloads_and_connections_at_a_time(void **state)
{
	pthread_t thread;
	void *failed;
	(void)state;
	trust_shell("cp own-ca.crt trusted.crt");
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_file = trust_path("trusted.crt")};
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	assert_int_equal(pthread_create(&thread, NULL, read_again_and_again, user), 0);
	for (int i = 0; i < 10; i++) {
		trust_shell("cp own-ca.crt new.crt && mv new.crt trusted.crt");
		user_expect(skiff_connect(user->client), SKIFF_OK);
		user_disconnect(user);
	}
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_STALE), 0);
	user_free(user);
	net_listener_stop(far);
}

static void ends_that_are_near_are_told(void **state)
{
	(void)state;
	trust_shell("openssl req -new -key client.key -subj /CN=soon -out x.csr && openssl x509 -req -in x.csr -CA "
		    "own-ca.crt -CAkey "
		    "own-ca.key -days 3 -out soon.crt");
	struct net_listener *far = trust_far("good", (struct net_options){.client_ca_file = trust_path("own-ca.crt")});
	struct skiff_tls_options tls = trust_own_ca();
	tls.cert_file = trust_path("soon.crt");
	tls.key_file = trust_path("client.key");
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	trust_connects(user, false);
	trust_connects(user, true);
	trust_connects(user, true);
	const struct watch_event *told = watch_await_event(user->watch, SKIFF_EVENT_TLS_EXPIRING, 1, WAITING_LONG_MS);
	assert_non_null(told);
	assert_true(told->event.ours);
	assert_in_range(told->event.days_left, 2, 3);
	assert_in_range(
		trust_events(user, SKIFF_EVENT_TLS_EXPIRING), 1, 2); /* once a day; the third day may end meanwhile */
	user_free(user);
	net_listener_stop(far);
}

/* A CA that leaves the system's store is trusted no longer; a client that trusts by key alone leaves nothing to others.
 */
static void the_system_changes(void **state)
{
	(void)state;
	trust_shell("cp own-ca.crt system.crt");
	setenv("SSL_CERT_FILE", trust_path("system.crt"), 1);
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {0}, by_key = {.known_hosts_file = trust_path("known5")};
	struct skiff_options options = trust_options(far, &by_key);
	struct user *keyed = user_connected(&options);
	trust_gives(far, &tls, SKIFF_OK, NULL);
	options = trust_options(far, &tls);
	struct user *user = user_connected(&options);
	user_disconnect(user);
	trust_shell("cp web-root.crt system.crt");
	trust_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	user_disconnect(keyed);
	user_free(keyed);
	user_free(user);
	net_listener_stop(far);
	unsetenv("SSL_CERT_FILE");
}

static void half_a_file_in_a_directory(void **state)
{
	char text[TRUST_FILE_BYTES];
	(void)state;
	trust_shell("mkdir cas && cp own-ca.crt cas/own.pem && openssl rehash cas");
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_dir = trust_path("cas")};
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	trust_connects(user, false);
	trust_write("cas/own.pem", text, trust_read("own-ca.crt", text) / 2);
	trust_connects(user, true);
	assert_int_equal(trust_events(user, SKIFF_EVENT_TLS_STALE), 1);
	trust_shell("cp web-root.crt cas/own.pem && openssl rehash cas");
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	user_free(user);
	net_listener_stop(far);
}

static void a_lost_connection_is_resumed(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){.script = far_drops});
	struct skiff_tls_options tls = trust_own_ca();
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	struct skiff_connection way;
	for (unsigned i = 1; i <= 2; i++) {
		user_expect(skiff_connect(user->client), SKIFF_OK);
		skiff_client_connection(user->client, &way);
		assert_int_equal(way.tls_resumed, i == 2);
		assert_non_null(watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, i, WAITING_LONG_MS));
	}
	user_free(user);
	net_listener_stop(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_files_are_used),
		cmocka_unit_test(the_system_changes),
		cmocka_unit_test(half_a_file_in_a_directory),
		cmocka_unit_test(a_reload_leaves_the_connection),
		cmocka_unit_test(reloads_and_connections_at_a_time),
		cmocka_unit_test(a_lost_connection_is_resumed),
		cmocka_unit_test(ends_that_are_near_are_told),
	};
	return cmocka_run_group_tests(tests, trust_make, trust_remove);
}
