/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c: what decides besides the certificates of cases.txt: pins, known hosts, a pre-shared key, versions and
 * ciphers, material from memory; and that no combination of options lets anybody in. */
#include "certs/trust_far.h"
#include "transport/tls_pins.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the server's key ---- */

static void pins_are_asked_besides(void **state)
{
	char pin[TRUST_PIN_BYTES], other[TRUST_PIN_BYTES], both[2 * TRUST_PIN_BYTES];
	(void)state;
	trust_pin("good.crt", pin);
	trust_pin("chain.crt", other);
	snprintf(both, sizeof both, "%s;%s", other, pin);
	struct net_listener *far = trust_far("good", (struct net_options){0}),
			    *strange = trust_far("unknown-ca", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.pins = pin;
	trust_gives(far, &tls, SKIFF_OK, NULL);
	trust_gives(strange, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	tls.pins = both;
	trust_gives(far, &tls, SKIFF_OK, NULL);
	tls.pins = other;
	trust_gives(far, &tls, SKIFF_TLS_PIN, pin);
	tls.insecure_skip_chain = tls.insecure_skip_name = true;
	trust_gives(far, &tls, SKIFF_TLS_PIN, pin);
	static const char *const wrong[] = {"", "sha256//", "sha1//0123", "sha256//AAAA",
		"sha256//!AAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAA="};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tls.pins = wrong[i];
		trust_gives(far, &tls, SKIFF_USAGE_OPTION, "sha256//");
	}
	net_listener_stop(far);
	net_listener_stop(strange);
}

static void first_use_is_remembered(void **state)
{
	char pin[TRUST_PIN_BYTES], line[512], text[TRUST_FILE_BYTES];
	struct stat status;
	(void)state;
	trust_pin("self-signed.crt", pin);
	struct net_listener *far = trust_far("self-signed", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = trust_path("known")};
	snprintf(line, sizeof line, "127.0.0.1:%u %s\n", net_listener_port(far), pin);
	for (int i = 0; i < 2; i++) {
		trust_gives(far, &tls, SKIFF_OK, NULL);
		trust_read("known", text);
		assert_string_equal(text, line);
	}
	assert_int_equal(stat(trust_path("known"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	net_listener_stop(far);
}

static void another_key_is_refused(void **state)
{
	char other[TRUST_PIN_BYTES], pin[TRUST_PIN_BYTES], text[TRUST_FILE_BYTES], after[TRUST_FILE_BYTES];
	(void)state;
	trust_pin("chain.crt", other);
	trust_pin("good.crt", pin);
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = trust_path("known2")};
	snprintf(text, sizeof text, "# seen\nelsewhere:1 %s\n127.0.0.1:%u %s", pin, net_listener_port(far), other);
	trust_write("known2", text, strlen(text));
	trust_gives(far, &tls, SKIFF_TLS_PIN, "line 3");
	trust_read("known2", after);
	assert_string_equal(after, text);
	snprintf(text + strlen(text), 512, "\n127.0.0.1:%u %s", net_listener_port(far), pin);
	trust_write("known2", text, strlen(text)); /* both, while the server's key is changed */
	trust_gives(far, &tls, SKIFF_OK, NULL);
	trust_write("known2", "127.0.0.1:1 nonsense\n", 21);
	trust_gives(far, &tls, SKIFF_FILE_UNREADABLE, "line 1");
	tls.known_hosts_file = "/nowhere/known";
	trust_gives(far, &tls, SKIFF_FILE_UNREADABLE, "/nowhere/known");
	net_listener_stop(far);
}

/* With a CA beside, both count: what it does not vouch for is not remembered. */
static void a_ca_beside_counts_too(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("self-signed", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.known_hosts_file = trust_path("known3");
	trust_gives(far, &tls, SKIFF_TLS_SELF_SIGNED, NULL);
	assert_int_equal(access(trust_path("known3"), F_OK), -1);
	net_listener_stop(far);
}

static void known_keys_and_resumption(void **state)
{
	char other[TRUST_PIN_BYTES], line[512];
	struct skiff_error error;
	(void)state;
	trust_pin("chain.crt", other);
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = trust_path("known6")};
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	trust_connects(user, false);
	trust_connects(user, true);
	snprintf(line, sizeof line, "127.0.0.1:%u %s\n", net_listener_port(far), other);
	trust_write("known6", line, strlen(line));
	user_expect(skiff_connect(user->client), SKIFF_TLS_PIN);
	trust_write("known6", "nonsense\n", 9);
	user_expect(skiff_connect(user->client), SKIFF_FILE_UNREADABLE);
	user_free(user);
	net_listener_stop(far);
	/* two that are first at a time */
	assert_true(skiffi_tls_known_add(trust_path("known7"), "host:1", other, &error));
	assert_true(skiffi_tls_known_add(trust_path("known7"), "host:1", other, &error));
	trust_pin("good.crt", line);
	assert_false(skiffi_tls_known_add(trust_path("known7"), "host:1", line, &error));
	assert_int_equal(error.code, SKIFF_TLS_PIN);
}

/* ---- whom else ---- */

static void material_from_memory(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){.client_ca_file = trust_path("own-ca.crt")});
	struct skiff_tls_options tls = {.ca_pem = trust_bytes("own-ca.crt"),
		.cert_pem = trust_bytes("client.crt"),
		.key_pem = trust_bytes("client.key")};
	trust_gives(far, &tls, SKIFF_OK, NULL);
	tls.cert_pem = trust_bytes("client-both.pem");
	tls.key_pem = (struct skiff_bytes){0};
	trust_gives(far, &tls, SKIFF_OK, NULL);
	trust_shell("openssl x509 -in own-ca.crt -outform der -out own-ca.der");
	tls.ca_pem = trust_bytes("own-ca.der");
	trust_gives(far, &tls, SKIFF_OK, NULL);
	tls.ca_pem = trust_bytes("stranger-ca.crt");
	trust_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, "tls.ca_pem");
	tls.ca_pem = skiff_text("no certificate");
	trust_gives(far, &tls, SKIFF_FILE_NOT_PEM, "tls.ca_pem holds no PEM");
	tls.ca_pem = (struct skiff_bytes){0};
	tls.key_pem = trust_bytes("good.key");
	trust_gives(far, &tls, SKIFF_FILE_KEY_MISMATCH, "tls.key_pem");
	tls.key_file = trust_path("client.key");
	trust_gives(far, &tls, SKIFF_USAGE_OPTION, "both given");
	net_listener_stop(far);
}

static void the_system_beside(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_file = trust_path("web-root.crt")};
	setenv("SSL_CERT_FILE", trust_path("own-ca.crt"), 1);
	trust_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	tls.ca_system = true;
	trust_gives(far, &tls, SKIFF_OK, NULL);
	unsetenv("SSL_CERT_FILE");
	trust_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, "and the system's trust store");
	net_listener_stop(far);
}

static void lists_in_a_directory(void **state)
{
	(void)state;
	trust_shell("mkdir crls && openssl crl -in own-ca.crl -out crls/own.crl && openssl rehash crls");
	struct net_listener *good = trust_far("good", (struct net_options){0});
	struct net_listener *revoked = trust_far("revoked", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.crl_dir = trust_path("crls");
	trust_gives(good, &tls, SKIFF_OK, NULL);
	trust_gives(revoked, &tls, SKIFF_TLS_REVOKED, NULL);
	tls.crl_dir = trust_path(".");
	trust_gives(good, &tls, SKIFF_FILE_NOT_PEM, "openssl rehash");
	net_listener_stop(good);
	net_listener_stop(revoked);
}

/* Some servers are given their certificate in the file of the chain as well. */
static void missing_intermediate_though_sent_twice(void **state)
{
	(void)state;
	trust_shell("cat missing-intermediate.crt missing-intermediate.crt >twice.crt && cp missing-intermediate.key "
		    "twice.key");
	struct net_listener *far = trust_far("twice", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	trust_gives(far, &tls, SKIFF_TLS_MISSING_INTERMEDIATE, "did not send");
	net_listener_stop(far);
}

static void common_name_on_request(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("cn-only", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.server_name = "test.mosquitto.org";
	trust_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	tls.accept_common_name = true;
	trust_gives(far, &tls, SKIFF_OK, NULL);
	tls.server_name = "other.example";
	trust_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	net_listener_stop(far);
}

static void open_keys_are_refused_on_request(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.cert_file = trust_path("client.crt");
	tls.key_file = trust_path("open.key");
	tls.refuse_open_key = true;
	trust_shell("cp client.key open.key && chmod 640 open.key");
	trust_gives(far, &tls, SKIFF_FILE_KEY_OPEN, "chmod 600");
	trust_shell("chmod 600 open.key");
	trust_gives(far, &tls, SKIFF_OK, NULL);
	net_listener_stop(far);
}

/* ---- policy ---- */

static void versions_and_ciphers(void **state)
{
	struct skiff_connection way;
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){0});
	struct net_listener *old = trust_far("good", (struct net_options){.max_version = TLS1_2_VERSION});
	struct skiff_tls_options tls = trust_own_ca();
	assert_int_equal(trust_way(far, &tls, &way), SKIFF_OK);
	assert_string_equal(way.tls_version, "TLSv1.3");
	tls.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256";
	tls.groups = "P-384";
	assert_int_equal(trust_way(far, &tls, &way), SKIFF_OK);
	assert_string_equal(way.tls_cipher, "TLS_CHACHA20_POLY1305_SHA256");
	tls.min_version = SKIFF_TLS_1_3;
	trust_gives(old, &tls, SKIFF_TLS_VERSION, "TLS 1.3");
	tls.min_version = SKIFF_TLS_DEFAULT;
	tls.groups = NULL; /* in TLS 1.2 they would bind the certificate too */
	tls.max_version = SKIFF_TLS_1_2;
	tls.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	assert_int_equal(trust_way(far, &tls, &way), SKIFF_OK);
	assert_string_equal(way.tls_version, "TLSv1.2");
	assert_string_equal(way.tls_cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
	net_listener_stop(far);
	net_listener_stop(old);
}

static void policy_is_checked_first(void **state)
{
	const struct {
		struct skiff_tls_options tls;
		const char *says;
	} all[] = {
		{{.ciphers = "NO-SUCH"}, "tls.ciphers"},
		{{.ciphers = ""}, "tls.ciphers"},
		{{.cipher_suites = "TLS_NO_SUCH"}, "tls.cipher_suites"},
		{{.groups = "P-1"}, "tls.groups"},
		{{.min_version = SKIFF_TLS_1_3, .max_version = SKIFF_TLS_1_2}, "tls.min_version"},
		{{.psk_identity = "me"}, "tls.psk_key"},
		{{.psk_key = {"key", 3}}, "tls.psk_identity"},
		{{.psk_identity = "", .psk_key = {"key", 3}}, "tls.psk_identity"},
		{{.psk_identity = "me", .psk_key = {"key", 3}, .ocsp = SKIFF_OCSP_REQUIRED}, "instead of certificates"},
		{{.insecure_skip_chain = true, .ocsp = SKIFF_OCSP_REQUIRED}, "tls.ocsp"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct skiff_options options = {
			.engine = SKIFF_ENGINE_NATIVE, .url = "tls://localhost", .tls = all[i].tls};
		struct skiff_error error = {0};
		assert_null(skiff_client_new(&options, &error));
		if (error.code != SKIFF_USAGE_OPTION || !strstr(error.text, all[i].says))
			fail_msg("row %zu: %s", i, error.text);
	}
}

static void pre_shared_keys(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct net_options options = {.max_version = versions[i]};
		struct net_listener *certified = trust_far("good", options);
		options.psk = "secret";
		struct net_listener *far = trust_far("good", options);
		struct skiff_tls_options tls = {.psk_identity = "me", .psk_key = {"secret", 6}};
		trust_gives(far, &tls, SKIFF_OK, NULL);
		tls.psk_key = skiff_text("sicret");
		trust_gives(far, &tls, SKIFF_TLS_PSK, "\"me\"");
		tls.psk_identity = "nobody";
		trust_gives(far, &tls, SKIFF_TLS_PSK, NULL);
		trust_gives(certified, &tls, SKIFF_TLS_PSK, NULL);
		net_listener_stop(far);
		net_listener_stop(certified);
	}
}

/* ---- nobody let in ---- */

static void anonymous_servers(void **state)
{
	(void)state;
	struct net_listener *far = trust_far(
		"good", (struct net_options){
				.ciphers = "aNULL@SECLEVEL=0", .max_version = TLS1_2_VERSION, .security_level = -1});
	struct skiff_tls_options tls = trust_own_ca();
	tls.ciphers = "ALL@SECLEVEL=0";
	trust_gives(far, &tls, SKIFF_TLS_NO_SHARED_CIPHER, NULL);
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	trust_gives(far, &tls, SKIFF_TLS_NO_SHARED_CIPHER, NULL);
	net_listener_stop(far);
}

static void names_that_are_none(void **state)
{
	static const char *const names[] = {"", "%x", ".mosquitto.org", "a%b"};
	(void)state;
	struct net_listener *far = trust_far("wrong-host", (struct net_options){0});
	struct skiff_tls_options tls = trust_own_ca();
	tls.no_server_name = true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		tls.server_name = names[i];
		trust_gives(far, &tls, SKIFF_USAGE_OPTION, "server name");
	}
	net_listener_stop(far);
}

static void options_that_would_do_nothing(void **state)
{
	(void)state;
	struct net_listener *far = trust_far("revoked", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = trust_path("known4"), .crl_file = trust_path("own-ca.crl")};
	trust_gives(far, &tls, SKIFF_USAGE_OPTION, "tls.crl_file");
	tls.known_hosts_file = NULL;
	tls.insecure_skip_chain = true;
	trust_gives(far, &tls, SKIFF_USAGE_OPTION, "tls.crl_file");
	tls = (struct skiff_tls_options){.psk_identity = "me", .psk_key = {NULL, 16}};
	trust_gives(far, &tls, SKIFF_USAGE_OPTION, "psk_key");
	net_listener_stop(far);
	far = trust_far("ip-only", (struct net_options){0});
	tls = trust_own_ca();
	tls.server_name = "test.mosquitto.org";
	tls.accept_common_name = true; /* it has an alternative name, of another kind */
	trust_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	net_listener_stop(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_asked_besides),
		cmocka_unit_test(first_use_is_remembered),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(a_ca_beside_counts_too),
		cmocka_unit_test(known_keys_and_resumption),
		cmocka_unit_test(material_from_memory),
		cmocka_unit_test(the_system_beside),
		cmocka_unit_test(lists_in_a_directory),
		cmocka_unit_test(missing_intermediate_though_sent_twice),
		cmocka_unit_test(common_name_on_request),
		cmocka_unit_test(open_keys_are_refused_on_request),
		cmocka_unit_test(versions_and_ciphers),
		cmocka_unit_test(policy_is_checked_first),
		cmocka_unit_test(pre_shared_keys),
		cmocka_unit_test(anonymous_servers),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(options_that_would_do_nothing),
	};
	return cmocka_run_group_tests(tests, trust_make, trust_remove);
}
