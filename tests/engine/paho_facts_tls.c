/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_tls.c: what Paho by itself does with certificates, and what its TLS callback and trace say of a handshake.
 * Above each fact stands what of the engine relies on it. */
#include "support/bare_paho.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH = 256 };

static char certs_dir[] = "/tmp/skiff-facts.XXXXXX";

static const char *in_dir(char *out, const char *name, const char *end)
{
	snprintf(out, PATH, "%s/%s%s", certs_dir, name, end);
	return out;
}

/* Accepts the CONNECT of an MQTT 3.1.1 client, and waits until it goes. */
static void greet(struct net_peer *peer, void *user)
{
	char buffer[256];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\x02\0\0", 4))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

/* One attempt, at a far end that shows `certificate`. */
struct attempt {
	const char *certificate, *host;
	int version;
	bool verify, asks_for_client;
	char ca[PATH], crt[PATH], key[PATH];
	struct net_listener *listener;
	struct bare *bare;
	MQTTAsync_SSLOptions tls;
	MQTTAsync_connectOptions options;
};

static void attempt_start(struct attempt *attempt)
{
	char url[64];
	struct net_options far = {.kind = NET_TLS,
		.script = greet,
		.cert_file = in_dir(attempt->crt, attempt->certificate, ".crt"),
		.key_file = in_dir(attempt->key, attempt->certificate, ".key"),
		.max_version = attempt->version,
		.client_ca_file = attempt->asks_for_client ? in_dir(attempt->ca, "own-ca", ".crt") : NULL};
	attempt->listener = net_listener_start(&far);
	snprintf(url, sizeof url, "ssl://%s:%u", attempt->host ? attempt->host : "127.0.0.1",
		net_listener_port(attempt->listener));
	attempt->bare = bare_new(url, MQTTVERSION_3_1_1);
	attempt->tls = bare_tls(attempt->bare, in_dir(attempt->ca, "own-ca", ".crt"));
	if (attempt->verify) /* otherwise as Paho would have it */
		attempt->tls.verify = 1;
	attempt->options = bare_options(attempt->bare);
	attempt->options.ssl = &attempt->tls;
	bare_trace(MQTTASYNC_TRACE_MINIMUM);
}

static void attempt_end(struct attempt *attempt)
{
	bare_free(attempt->bare);
	net_listener_stop(attempt->listener);
}

static void attempt_succeeds(struct attempt *attempt)
{
	attempt_start(attempt);
	assert_int_equal(MQTTAsync_connect(attempt->bare->handle, &attempt->options), 0);
	assert_true(bare_reach(&attempt->bare->ups, 1));
	attempt_end(attempt);
}

static void attempt_fails(struct attempt *attempt)
{
	attempt_start(attempt);
	bare_fails(attempt->bare, &attempt->options, MQTTASYNC_FAILURE, "TCP/TLS connect failure");
}

/* ---- names ---- */

/* paho_options.c: connect_tls sets `verify` unless the user does not want it. */
static void name_is_not_verified_by_default(void **state)
{
	(void)state;
	attempt_succeeds(&(struct attempt){.certificate = "wrong-host"});
}

/* paho_trace.c: trace_address_checked; paho_cause.c makes TLS_HOSTNAME of it. */
static void wrong_name_is_told_by_the_trace_only(void **state)
{
	struct attempt attempt = {.certificate = "wrong-host", .verify = true};
	char line[BARE_TEXT];
	(void)state;
	attempt_fails(&attempt);
	assert_int_equal(waiting_value(&attempt.bare->tls_lines), 0);
	assert_true(bare_traced("rc from X509_check_ip_asc is ", line));
	assert_string_equal(line, "rc from X509_check_ip_asc is 0");
	attempt_end(&attempt);
}

/* paho_trace.c: trace_address_checked takes anything but 1 for a refusal. */
static void right_address_is_told_as_1_and_right_name_not_at_all(void **state)
{
	char line[BARE_TEXT];
	(void)state;
	attempt_succeeds(&(struct attempt){.certificate = "good", .verify = true});
	assert_true(bare_traced("rc from X509_check_ip_asc is ", line));
	assert_string_equal(line, "rc from X509_check_ip_asc is 1");
	attempt_succeeds(&(struct attempt){.certificate = "good", .verify = true, .host = "localhost"});
	assert_false(bare_traced("rc from X509_check_ip_asc is ", NULL));
}

/* ---- certificates ---- */

/* paho_events.c: skiffi_paho_on_tls_error takes the number behind ":error:"; paho_cause.c looks again for the cause. */
static void unknown_ca_is_told_as_verify_failed_and_no_more(void **state)
{
	struct attempt attempt = {.certificate = "unknown-ca"};
	(void)state;
	attempt_fails(&attempt);
	const char *line = attempt.bare->tls[0], *number = strstr(line, ":error:");
	assert_int_equal(waiting_value(&attempt.bare->tls_lines), 1);
	assert_non_null(number);
	unsigned long error = strtoul(number + strlen(":error:"), NULL, 16);
	assert_int_equal(ERR_GET_LIB(error), ERR_LIB_SSL);
	assert_int_equal(ERR_GET_REASON(error), SSL_R_CERTIFICATE_VERIFY_FAILED);
	assert_non_null(strstr(line, "certificate verify failed"));
	assert_null(strstr(line, "issuer")); /* as "unable to get local issuer certificate" */
	attempt_end(&attempt);
}

/* ---- the trace of a handshake ---- */

static void last_is(const char *begins, const char *with, const char *expected)
{
	char line[BARE_TEXT];
	assert_true(bare_traced_with(begins, with, line));
	assert_string_equal(line, expected);
}

/* The last that tells of a handshake message, as the length at its end may be any. */
static void last_version_is(const char *expected)
{
	char line[BARE_TEXT];
	assert_true(bare_traced_with("received ", " 22 buflen ", line));
	assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
}

/* paho_trace.c: trace_tls_state, trace_tls_message, trace_handshake_done; the last line that tells counts. */
static void trace_tells_of_tls_1_3(void **state)
{
	(void)state;
	attempt_succeeds(&(struct attempt){.certificate = "good", .version = TLS1_3_VERSION});
	assert_true(bare_traced("SSL handshake done", NULL));
	assert_false(bare_traced("SSL alert read:", NULL));
	last_version_is("received 772 22 buflen ");
	last_is("SSL state connect:", "write client hello", "SSL state connect:SSLv3/TLS write client hello:(NONE)");
	last_is("SSL state connect:", "read finished",
		"SSL state connect:SSLv3/TLS read finished:TLS_AES_256_GCM_SHA384");
}

/* The same: not the first line counts, which gives the server's hello to TLS 1.3. */
static void trace_tells_of_tls_1_2(void **state)
{
	(void)state;
	attempt_succeeds(&(struct attempt){.certificate = "good", .version = TLS1_2_VERSION});
	assert_true(bare_traced("SSL handshake done", NULL));
	assert_true(bare_traced("received 772 22 buflen ", NULL));
	last_version_is("received 771 22 buflen ");
	last_is("SSL state connect:", "read finished",
		"SSL state connect:SSLv3/TLS read finished:ECDHE-ECDSA-AES256-GCM-SHA384");
}

/* paho_trace.c: trace_tls_state and trace_alert; paho_cause.c says then that a client certificate is wanted. */
static void trace_tells_of_certificate_request_and_alert(void **state)
{
	struct attempt attempt = {.certificate = "good", .version = TLS1_2_VERSION, .asks_for_client = true};
	char line[BARE_TEXT];
	(void)state;
	attempt_fails(&attempt);
	assert_true(bare_traced("SSL state connect:SSLv3/TLS read server certificate request:", NULL));
	assert_true(bare_traced("SSL alert read:", line));
	assert_string_equal(line, "SSL alert read:fatal:handshake failure");
	attempt_end(&attempt);
}

static int start(void **state)
{
	char command[512];
	(void)state;
	bare_start();
	if (!mkdtemp(certs_dir))
		return -1;
	snprintf(command, sizeof command, "sh '%s' '%s'", TESTS_CERTS, certs_dir);
	return system(command);
}

static int end(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_not_verified_by_default),
		cmocka_unit_test(wrong_name_is_told_by_the_trace_only),
		cmocka_unit_test(right_address_is_told_as_1_and_right_name_not_at_all),
		cmocka_unit_test(unknown_ca_is_told_as_verify_failed_and_no_more),
		cmocka_unit_test(trace_tells_of_tls_1_3),
		cmocka_unit_test(trace_tells_of_tls_1_2),
		cmocka_unit_test(trace_tells_of_certificate_request_and_alert),
	};
	return cmocka_run_group_tests_name("paho_facts_tls", tests, start, end);
}
