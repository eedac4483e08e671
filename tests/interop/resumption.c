/* SPDX-License-Identifier: Apache-2.0 */
/* resumption.c: TLS sessions over reconnects, against a real broker; and which clients share what they read. */
#include "support/broker.h"
#include "support/user.h"
#include "transport/tls_context.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { QUICK_MS = 20000 };

/* Whether the second and third connection of one client were resumed. */
static unsigned resumed(const struct skiff_options *options)
{
	struct skiff_connection way;
	struct user *user = user_new(options);
	unsigned count = 0;
	for (int i = 0; i < 3; i++) {
		user_expect(skiff_connect(user->client), SKIFF_OK);
		user_publish(user, "t", "x", 1); /* tickets come behind the handshake */
		skiff_client_connection(user->client, &way);
		assert_true(i || !way.tls_resumed);
		assert_string_not_equal(way.tls_subject, "");
		count += way.tls_resumed;
		user_disconnect(user);
	}
	user_free(user);
	return count;
}

static void reconnects_resume_unless_told_not_to(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .doors = 1u << BROKER_TLS | 1u << BROKER_WSS});
	static const enum broker_door doors[] = {BROKER_TLS, BROKER_WSS};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct skiff_options options = {.engine = SKIFF_ENGINE_NATIVE, .reconnect.off = true};
		broker_use(broker, doors[i], &options);
		assert_int_equal(resumed(&options), 2);
		options.tls.no_resumption = true;
		assert_int_equal(resumed(&options), 0);
	}
	broker_stop(broker);
}

static SSL_CTX *context_of(const struct skiff_tls_options *options, struct skiffi_tls_context **context)
{
	struct skiff_error error;
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new("ssl://localhost", NULL);
	*context = skiffi_tls_context_new(options, endpoint, &error);
	skiffi_endpoint_free(endpoint);
	assert_non_null(*context);
	SSL *ssl = skiffi_tls_context_new_ssl(*context);
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	SSL_free(ssl);
	return ctx; /* the context's */
}

static void same_files_are_read_once(void **state)
{
	struct broker *broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .doors = 1u << BROKER_TLS | 1u << BROKER_WSS});
	struct skiffi_tls_context *contexts[4];
	struct skiff_options options = {0};
	(void)state;
	broker_use(broker, BROKER_TLS, &options);
	SSL_CTX *first = context_of(&options.tls, &contexts[0]);
	assert_ptr_equal(context_of(&options.tls, &contexts[1]), first);
	options.tls.alpn = "mqtt";
	assert_ptr_not_equal(context_of(&options.tls, &contexts[2]), first);
	options.tls.alpn = NULL;
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1}};
	assert_int_equal(utimensat(AT_FDCWD, options.tls.ca_file, times, 0), 0); /* a changed file is read anew */
	assert_ptr_not_equal(context_of(&options.tls, &contexts[3]), first);
	for (int i = 0; i < 4; i++)
		skiffi_tls_context_free(contexts[i]);
	broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reconnects_resume_unless_told_not_to),
		cmocka_unit_test(same_files_are_read_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
