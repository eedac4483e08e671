/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c: what decides besides the certificates of cases.txt: pins, known hosts, OCSP responses, a pre-shared key,
 * versions and ciphers, material from memory, files that change. The far end is ours, over TLS 1.2 and 1.3. SKIFF_CERTS
 * names the folder of make-certs.sh. */
#include "support/net_listener.h"
#include "support/user.h"
#include "transport/tls_pins.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <skiff/engine.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 256, FILE_BYTES = 65536, PIN_BYTES = 64 };

static char dir[64];

/* ---- files ---- */

static const char *path_of(const char *name)
{
	static char paths[8][PATH_BYTES];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, PATH_BYTES, "%s/%s", dir, name);
	return path;
}

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char line[1024] = "", command[1200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	snprintf(command, sizeof command, "cd '%s' && { %s; } >shell.log 2>&1", dir, line);
	if (system(command))
		fail_msg("%s: see %s/shell.log", line, dir);
}

static void file_write(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(path_of(name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t file_read(const char *name, char *out)
{
	FILE *file = fopen(path_of(name), "r");
	assert_non_null(file);
	size_t len = fread(out, 1, FILE_BYTES - 1, file);
	out[len] = '\0';
	fclose(file);
	return len;
}

static struct skiff_bytes file_bytes(const char *name)
{
	static char data[4][FILE_BYTES];
	static unsigned next;
	char *at = data[next++ % 4];
	size_t len = file_read(name, at);
	return (struct skiff_bytes){at, len};
}

/* As `openssl` computes it, in the form of curl's and ours. */
static void pin_of(const char *name, char pin[PIN_BYTES])
{
	char text[FILE_BYTES];
	shell("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | "
	      "openssl base64 -A >pin.txt",
		name);
	file_read("pin.txt", text);
	snprintf(pin, PIN_BYTES, "sha256//%.50s", text);
}

/* ---- a far end and a client ---- */

static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

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

static struct net_listener *far_end(const char *certificate, struct net_options options)
{
	static char crt[PATH_BYTES], key[PATH_BYTES];
	options.kind = NET_TLS;
	options.script = options.script ? options.script : far_accept;
	if (certificate) {
		snprintf(crt, sizeof crt, "%s/%s.crt", dir, certificate);
		snprintf(key, sizeof key, "%s/%s.key", dir, certificate);
		options.cert_file = crt;
		options.key_file = key;
	}
	return net_listener_start(&options);
}

static struct skiff_options options_for(const struct net_listener *far, const struct skiff_tls_options *tls)
{
	struct skiff_options options = {
		.engine = SKIFF_ENGINE_NATIVE, .url = net_listener_url(far), .tls = *tls, .reconnect.off = true};
	return options;
}

/* Connects once. Result: the code; `connection` and `error` may be NULL. */
static enum skiff_code attempt(const struct net_listener *far, const struct skiff_tls_options *tls,
	struct skiff_connection *connection, struct skiff_error *error)
{
	struct skiff_options options = options_for(far, tls);
	struct skiff_error local;
	if (!error)
		error = &local;
	struct skiff_client *client = skiff_client_new(&options, error);
	if (!client)
		return error->code;
	struct skiff_token *token = skiff_connect(client);
	skiff_token_wait(token, WAITING_LONG_MS);
	*error = *skiff_token_error(token);
	skiff_token_free(token);
	if (connection)
		skiff_client_connection(client, connection);
	skiff_client_free(client);
	return error->code;
}

/* The attempt ends in `code`, with `says` in its sentence. */
static void attempt_gives(
	const struct net_listener *far, const struct skiff_tls_options *tls, enum skiff_code code, const char *says)
{
	struct skiff_error error = {0};
	attempt(far, tls, NULL, &error);
	if (error.code != code || (says && !strstr(error.text, says)))
		fail_msg("%s expected with '%s', got %s: %s", skiff_code_slug(code), says ? says : "",
			skiff_code_slug(error.code), error.text);
}

static struct skiff_tls_options by_own_ca(void)
{
	return (struct skiff_tls_options){.ca_file = path_of("own-ca.crt")};
}

/* ---- the server's key ---- */

static void pins_are_asked_besides(void **state)
{
	char pin[PIN_BYTES], other[PIN_BYTES], both[2 * PIN_BYTES];
	(void)state;
	pin_of("good.crt", pin);
	pin_of("chain.crt", other);
	snprintf(both, sizeof both, "%s;%s", other, pin);
	struct net_listener *far = far_end("good", (struct net_options){0}),
			    *strange = far_end("unknown-ca", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.pins = pin;
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	attempt_gives(strange, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	tls.pins = both;
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	tls.pins = other;
	attempt_gives(far, &tls, SKIFF_TLS_PIN, pin);
	tls.insecure_skip_chain = tls.insecure_skip_name = true;
	attempt_gives(far, &tls, SKIFF_TLS_PIN, pin);
	static const char *const wrong[] = {"", "sha256//", "sha1//0123", "sha256//AAAA",
		"sha256//!AAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAA="};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tls.pins = wrong[i];
		attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "sha256//");
	}
	net_listener_stop(far);
	net_listener_stop(strange);
}

static void first_use_is_remembered(void **state)
{
	char pin[PIN_BYTES], line[512], text[FILE_BYTES];
	struct stat status;
	(void)state;
	pin_of("self-signed.crt", pin);
	struct net_listener *far = far_end("self-signed", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = path_of("known")};
	snprintf(line, sizeof line, "127.0.0.1:%u %s\n", net_listener_port(far), pin);
	for (int i = 0; i < 2; i++) {
		attempt_gives(far, &tls, SKIFF_OK, NULL);
		file_read("known", text);
		assert_string_equal(text, line);
	}
	assert_int_equal(stat(path_of("known"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	net_listener_stop(far);
}

static void another_key_is_refused(void **state)
{
	char other[PIN_BYTES], pin[PIN_BYTES], text[FILE_BYTES], after[FILE_BYTES];
	(void)state;
	pin_of("chain.crt", other);
	pin_of("good.crt", pin);
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = path_of("known2")};
	snprintf(text, sizeof text, "# seen\nelsewhere:1 %s\n127.0.0.1:%u %s", pin, net_listener_port(far), other);
	file_write("known2", text, strlen(text));
	attempt_gives(far, &tls, SKIFF_TLS_PIN, "line 3");
	file_read("known2", after);
	assert_string_equal(after, text);
	snprintf(text + strlen(text), 512, "\n127.0.0.1:%u %s", net_listener_port(far), pin);
	file_write("known2", text, strlen(text)); /* both, while the server's key is changed */
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	file_write("known2", "127.0.0.1:1 nonsense\n", 21);
	attempt_gives(far, &tls, SKIFF_FILE_UNREADABLE, "line 1");
	tls.known_hosts_file = "/nowhere/known";
	attempt_gives(far, &tls, SKIFF_FILE_UNREADABLE, "/nowhere/known");
	net_listener_stop(far);
}

/* With a CA beside, both count: what it does not vouch for is not remembered. */
static void a_ca_beside_counts_too(void **state)
{
	(void)state;
	struct net_listener *far = far_end("self-signed", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.known_hosts_file = path_of("known3");
	attempt_gives(far, &tls, SKIFF_TLS_SELF_SIGNED, NULL);
	assert_int_equal(access(path_of("known3"), F_OK), -1);
	net_listener_stop(far);
}

/* ---- whom else ---- */

static void material_from_memory(void **state)
{
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){.client_ca_file = path_of("own-ca.crt")});
	struct skiff_tls_options tls = {.ca_pem = file_bytes("own-ca.crt"),
		.cert_pem = file_bytes("client.crt"),
		.key_pem = file_bytes("client.key")};
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	tls.cert_pem = file_bytes("client-both.pem");
	tls.key_pem = (struct skiff_bytes){0};
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	shell("openssl x509 -in own-ca.crt -outform der -out own-ca.der");
	tls.ca_pem = file_bytes("own-ca.der");
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	tls.ca_pem = file_bytes("stranger-ca.crt");
	attempt_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, "tls.ca_pem");
	tls.ca_pem = skiff_text("no certificate");
	attempt_gives(far, &tls, SKIFF_FILE_NOT_PEM, "tls.ca_pem holds no PEM");
	tls.ca_pem = (struct skiff_bytes){0};
	tls.key_pem = file_bytes("good.key");
	attempt_gives(far, &tls, SKIFF_FILE_KEY_MISMATCH, "tls.key_pem");
	tls.key_file = path_of("client.key");
	attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "both given");
	net_listener_stop(far);
}

static void the_system_beside(void **state)
{
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_file = path_of("web-root.crt")};
	setenv("SSL_CERT_FILE", path_of("own-ca.crt"), 1);
	attempt_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	tls.ca_system = true;
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	unsetenv("SSL_CERT_FILE");
	attempt_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, "and the system's trust store");
	net_listener_stop(far);
}

static void lists_in_a_directory(void **state)
{
	(void)state;
	shell("mkdir crls && openssl crl -in own-ca.crl -out crls/own.crl && openssl rehash crls");
	struct net_listener *good = far_end("good", (struct net_options){0});
	struct net_listener *revoked = far_end("revoked", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.crl_dir = path_of("crls");
	attempt_gives(good, &tls, SKIFF_OK, NULL);
	attempt_gives(revoked, &tls, SKIFF_TLS_REVOKED, NULL);
	tls.crl_dir = dir;
	attempt_gives(good, &tls, SKIFF_FILE_NOT_PEM, "openssl rehash");
	net_listener_stop(good);
	net_listener_stop(revoked);
}

static void common_name_on_request(void **state)
{
	(void)state;
	struct net_listener *far = far_end("cn-only", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.server_name = "test.mosquitto.org";
	attempt_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	tls.accept_common_name = true;
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	tls.server_name = "other.example";
	attempt_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	net_listener_stop(far);
}

static void open_keys_are_refused_on_request(void **state)
{
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.cert_file = path_of("client.crt");
	tls.key_file = path_of("open.key");
	tls.refuse_open_key = true;
	shell("cp client.key open.key && chmod 640 open.key");
	attempt_gives(far, &tls, SKIFF_FILE_KEY_OPEN, "chmod 600");
	shell("chmod 600 open.key");
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	net_listener_stop(far);
}

/* ---- policy ---- */

static void versions_and_ciphers(void **state)
{
	struct skiff_connection way;
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct net_listener *old = far_end("good", (struct net_options){.max_version = TLS1_2_VERSION});
	struct skiff_tls_options tls = by_own_ca();
	assert_int_equal(attempt(far, &tls, &way, NULL), SKIFF_OK);
	assert_string_equal(way.tls_version, "TLSv1.3");
	tls.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256";
	tls.groups = "P-384";
	assert_int_equal(attempt(far, &tls, &way, NULL), SKIFF_OK);
	assert_string_equal(way.tls_cipher, "TLS_CHACHA20_POLY1305_SHA256");
	tls.min_version = SKIFF_TLS_1_3;
	attempt_gives(old, &tls, SKIFF_TLS_VERSION, "TLS 1.3");
	tls.min_version = SKIFF_TLS_DEFAULT;
	tls.groups = NULL; /* in TLS 1.2 they would bind the certificate too */
	tls.max_version = SKIFF_TLS_1_2;
	tls.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	assert_int_equal(attempt(far, &tls, &way, NULL), SKIFF_OK);
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
		struct net_listener *certified = far_end("good", options);
		options.psk = "secret";
		struct net_listener *far = far_end("good", options);
		struct skiff_tls_options tls = {.psk_identity = "me", .psk_key = {"secret", 6}};
		attempt_gives(far, &tls, SKIFF_OK, NULL);
		tls.psk_key = skiff_text("sicret");
		attempt_gives(far, &tls, SKIFF_TLS_PSK, "\"me\"");
		tls.psk_identity = "nobody";
		attempt_gives(far, &tls, SKIFF_TLS_PSK, NULL);
		attempt_gives(certified, &tls, SKIFF_TLS_PSK, NULL);
		net_listener_stop(far);
		net_listener_stop(certified);
	}
}

/* ---- OCSP ---- */

/* The response FILE about certificate `of` by the responder's certificate `signer`; `more` are options of openssl's. */
static void staple_make(const char *file, const char *of, const char *signer, const char *more)
{
	shell("openssl ocsp -issuer own-ca.crt -cert %s.crt -no_nonce -reqout req.der && openssl ocsp -index ocsp.txt "
	      "-CA own-ca.crt -rsigner %s.crt -rkey %s.key -reqin req.der -respout %s %s",
		of, signer, signer, file, more);
}

static void *pem_read(const char *name, bool key)
{
	FILE *file = fopen(path_of(name), "r");
	assert_non_null(file);
	void *read = key ? (void *)PEM_read_PrivateKey(file, NULL, NULL, NULL)
			 : (void *)PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(read);
	return read;
}

/* One for good.crt in `file`, from and until some seconds from now (0: it names no end): `openssl ocsp` makes none of
 * another time. */
static void staple_make_dated(const char *file, long from_s, long until_s)
{
	unsigned char *der = NULL;
	X509 *good = pem_read("good.crt", false), *ca = pem_read("own-ca.crt", false);
	EVP_PKEY *key = pem_read("own-ca.key", true);
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *until = until_s ? X509_gmtime_adj(NULL, until_s) : NULL;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), good, ca);
	assert_non_null(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, until));
	assert_int_equal(OCSP_basic_sign(basic, ca, key, EVP_sha256(), NULL, 0), 1);
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int len = i2d_OCSP_RESPONSE(response, &der);
	file_write(file, (char *)der, (size_t)len);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	EVP_PKEY_free(key);
	X509_free(good);
	X509_free(ca);
}

/* A database as `openssl ca` has it: V(alid) and R(evoked) by serial number. */
static void staples_make(void)
{
	shell("serial() { openssl x509 -in $1.crt -noout -serial | cut -d= -f2; }; "
	      "for name in good stapled; do printf 'V\\t350101000000Z\\t\\t%%s\\tunknown\\t/CN=%%s\\n' $(serial $name) "
	      "$name; "
	      "done >ocsp.txt; "
	      "printf 'R\\t350101000000Z\\t250101000000Z\\t%%s\\tunknown\\t/CN=revoked\\n' $(serial revoked) "
	      ">>ocsp.txt");
	staple_make("good.der", "good", "own-ca", "-ndays 5");
	staple_make("stapled.der", "stapled", "own-ca", "-ndays 5");
	staple_make("delegated.der", "good", "responder", "-ndays 5");
	staple_make("revoked.der", "revoked", "own-ca", "-ndays 5");
	staple_make("stranger.der", "good", "stranger-ca", "-ndays 5");
	staple_make("undelegated.der", "good", "client", "-ndays 5");
	staple_make("unknown.der", "wildcard", "own-ca", "-ndays 5");
	staple_make_dated("dated.der", -3600, 3600);
	staple_make_dated("old.der", -7200, -3600);
	staple_make_dated("early.der", 3600, 7200);
	shell("head -c 100 good.der >damaged.der; printf '\\060\\003\\012\\001\\003' >later.der");
}

/* Certificates that make-certs.sh has no case for: one that must be stapled, one of a responder's. */
static void staples_make_certificates(void)
{
	shell("sign() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj "
	      "/CN=$1 -out "
	      "x.csr && openssl x509 -req -in x.csr -CA own-ca.crt -CAkey own-ca.key -days 30 -extfile x.ext -out "
	      "$1.crt; }; "
	      "printf 'subjectAltName=IP:127.0.0.1\\ntlsfeature=status_request\\n' >x.ext && sign stapled && "
	      "printf 'extendedKeyUsage=OCSPSigning\\n' >x.ext && sign responder");
}

struct staple_case {
	const char *certificate, *staple;
	enum skiff_ocsp wanted;
	enum skiff_code code;
	const char *says;
};

static const struct staple_case staple_cases[] = {
	{"good", NULL, SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"good", NULL, SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
	{"good", NULL, SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "staples no"},
	{"good", "good.der", SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
	{"good", "good.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"good", "delegated.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"revoked", "revoked.der", SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"revoked", "revoked.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_REVOKED, "since 2025-01-01"},
	{"revoked", "revoked.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_REVOKED, "own CA"},
	{"revoked", "good.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "another certificate"},
	{"good", "stranger.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "not signed by"},
	{"good", "undelegated.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "not signed by"},
	{"wildcard", "unknown.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "does not know"},
	{"good", "damaged.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "damaged"},
	{"good", "later.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "error of the responder"},
	{"good", "dated.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"good", "old.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "out of date"},
	{"good", "early.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "out of date"},
	{"stapled", NULL, SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"stapled", NULL, SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "says it must"},
	{"stapled", "stapled.der", SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
};

static void stapled_responses(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	char staple[PATH_BYTES];
	(void)state;
	staples_make_certificates();
	staples_make();
	for (size_t i = 0; i < 2 * sizeof staple_cases / sizeof *staple_cases; i++) {
		const struct staple_case *row = &staple_cases[i / 2];
		struct net_options options = {.max_version = versions[i % 2]};
		if (row->staple) {
			snprintf(staple, sizeof staple, "%s/%s", dir, row->staple);
			options.staple_file = staple;
		}
		struct net_listener *far = far_end(row->certificate, options);
		struct skiff_tls_options tls = by_own_ca();
		tls.ocsp = row->wanted;
		tls.insecure_skip_name = true;
		attempt_gives(far, &tls, row->code, row->says);
		net_listener_stop(far);
	}
}

/* A resumed handshake has no certificate, and so no response; it was judged before. */
static void resumed_sessions_were_judged(void **state)
{
	struct skiff_connection way;
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){.staple_file = path_of("good.der")});
	struct skiff_tls_options tls = by_own_ca();
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_connected(&options);
	user_disconnect(user);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_true(way.tls_resumed);
	user_disconnect(user);
	user_free(user);
	net_listener_stop(far);
}

/* ---- files that change ---- */

static void connects(struct user *user, bool resumed)
{
	struct skiff_connection way;
	user_expect(skiff_connect(user->client), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.tls_resumed, resumed);
	user_disconnect(user);
}

static unsigned events(const struct user *user, enum skiff_event_kind kind)
{
	return watch_events_of(user->watch, kind);
}

static void changed_files_are_used(void **state)
{
	char text[FILE_BYTES];
	struct skiff_error error;
	(void)state;
	shell("cp client.crt mine.crt; cp client.key mine.key; cp own-ca.crt trusted.crt");
	struct net_listener *far = far_end("good", (struct net_options){.client_ca_file = path_of("own-ca.crt")});
	struct skiff_tls_options tls = {.ca_file = path_of("trusted.crt"),
		.cert_file = path_of("mine.crt"),
		.key_file = path_of("mine.key"),
		.warn_days = -1};
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	connects(user, false);
	connects(user, true);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_RENEWED), 0);

	size_t half = file_read("client-chain.crt", text) / 2; /* half-written: the old ones go on, resumption too */
	file_write("mine.crt", text, half);
	connects(user, true);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_STALE), 1);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_RENEWED), 0);
	assert_int_equal(skiff_tls_reload(user->client, &error), SKIFF_FILE_NOT_PEM);
	assert_non_null(strstr(error.text, "mine.crt"));

	file_write(
		"mine.crt", text, file_read("client-chain.crt", text) - 40); /* the first is whole, the second is not */
	assert_int_equal(skiff_tls_reload(user->client, &error), SKIFF_FILE_NOT_PEM);
	assert_non_null(strstr(error.text, "ends within"));

	shell("cp client-stranger.crt mine.crt"); /* the key is still another's */
	connects(user, true);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_STALE), 2);
	shell("cp client-stranger.key mine.key"); /* whole: used, and the server's verdict is another */
	user_expect(skiff_connect(user->client), SKIFF_TLS_CLIENT_CERT_REJECTED);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_RENEWED), 1);

	shell("cp client.crt mine.crt; cp client.key mine.key");
	assert_int_equal(skiff_tls_reload(user->client, NULL), SKIFF_OK);
	connects(user, false);
	connects(user, true);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_RENEWED), 2);

	shell("cp stranger-ca.crt trusted.crt"); /* who is trusted no longer is not resumed */
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	assert_true(watch_events_paired(user->watch));
	user_free(user);
	net_listener_stop(far);
}

/* A connection that is up while files are read again goes on; a ticket that it gets later is none of the new files'. */
static void a_reload_leaves_the_connection(void **state)
{
	(void)state;
	shell("cp own-ca.crt trusted.crt");
	struct net_listener *far = far_end("good", (struct net_options){.script = far_late_ticket});
	struct skiff_tls_options tls = {.ca_file = path_of("trusted.crt")};
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_connected(&options);
	assert_int_equal(skiff_tls_reload(user->client, NULL), SKIFF_OK);
	assert_true(skiff_client_connected(user->client));
	user_publish(user, "a", "x", 1);
	user_disconnect(user);
	connects(user, false);
	connects(user, true);
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
	shell("cp own-ca.crt trusted.crt");
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_file = path_of("trusted.crt")};
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	assert_int_equal(pthread_create(&thread, NULL, read_again_and_again, user), 0);
	for (int i = 0; i < 10; i++) {
		shell("cp own-ca.crt new.crt && mv new.crt trusted.crt");
		user_expect(skiff_connect(user->client), SKIFF_OK);
		user_disconnect(user);
	}
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_STALE), 0);
	user_free(user);
	net_listener_stop(far);
}

static void ends_that_are_near_are_told(void **state)
{
	(void)state;
	shell("openssl req -new -key client.key -subj /CN=soon -out x.csr && openssl x509 -req -in x.csr -CA "
	      "own-ca.crt -CAkey "
	      "own-ca.key -days 3 -out soon.crt");
	struct net_listener *far = far_end("good", (struct net_options){.client_ca_file = path_of("own-ca.crt")});
	struct skiff_tls_options tls = by_own_ca();
	tls.cert_file = path_of("soon.crt");
	tls.key_file = path_of("client.key");
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	connects(user, false);
	connects(user, true);
	connects(user, true);
	const struct watch_event *told = watch_await_event(user->watch, SKIFF_EVENT_TLS_EXPIRING, 1, WAITING_LONG_MS);
	assert_non_null(told);
	assert_true(told->event.ours);
	assert_in_range(told->event.days_left, 2, 3);
	assert_in_range(events(user, SKIFF_EVENT_TLS_EXPIRING), 1, 2); /* once a day; the third day may end meanwhile */
	user_free(user);
	net_listener_stop(far);
}

/* ---- nobody let in ---- */

static void anonymous_servers(void **state)
{
	(void)state;
	struct net_listener *far = far_end(
		"good", (struct net_options){
				.ciphers = "aNULL@SECLEVEL=0", .max_version = TLS1_2_VERSION, .security_level = -1});
	struct skiff_tls_options tls = by_own_ca();
	tls.ciphers = "ALL@SECLEVEL=0";
	attempt_gives(far, &tls, SKIFF_TLS_NO_SHARED_CIPHER, NULL);
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	attempt_gives(far, &tls, SKIFF_TLS_NO_SHARED_CIPHER, NULL);
	net_listener_stop(far);
}

static void names_that_are_none(void **state)
{
	static const char *const names[] = {"", "%x", ".mosquitto.org", "a%b"};
	(void)state;
	struct net_listener *far = far_end("wrong-host", (struct net_options){0});
	struct skiff_tls_options tls = by_own_ca();
	tls.no_server_name = true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		tls.server_name = names[i];
		attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "server name");
	}
	net_listener_stop(far);
}

static void options_that_would_do_nothing(void **state)
{
	(void)state;
	struct net_listener *far = far_end("revoked", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = path_of("known4"), .crl_file = path_of("own-ca.crl")};
	attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "tls.crl_file");
	tls.known_hosts_file = NULL;
	tls.insecure_skip_chain = true;
	attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "tls.crl_file");
	tls = (struct skiff_tls_options){.psk_identity = "me", .psk_key = {NULL, 16}};
	attempt_gives(far, &tls, SKIFF_USAGE_OPTION, "psk_key");
	net_listener_stop(far);
	far = far_end("ip-only", (struct net_options){0});
	tls = by_own_ca();
	tls.server_name = "test.mosquitto.org";
	tls.accept_common_name = true; /* it has an alternative name, of another kind */
	attempt_gives(far, &tls, SKIFF_TLS_HOSTNAME, NULL);
	net_listener_stop(far);
}

/* A CA that leaves the system's store is trusted no longer; a client that trusts by key alone leaves nothing to others.
 */
static void the_system_changes(void **state)
{
	(void)state;
	shell("cp own-ca.crt system.crt");
	setenv("SSL_CERT_FILE", path_of("system.crt"), 1);
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {0}, by_key = {.known_hosts_file = path_of("known5")};
	struct skiff_options options = options_for(far, &by_key);
	struct user *keyed = user_connected(&options);
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	options = options_for(far, &tls);
	struct user *user = user_connected(&options);
	user_disconnect(user);
	shell("cp web-root.crt system.crt");
	attempt_gives(far, &tls, SKIFF_TLS_UNKNOWN_CA, NULL);
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	user_disconnect(keyed);
	user_free(keyed);
	user_free(user);
	net_listener_stop(far);
	unsetenv("SSL_CERT_FILE");
}

static void known_keys_and_resumption(void **state)
{
	char other[PIN_BYTES], line[512];
	struct skiff_error error;
	(void)state;
	pin_of("chain.crt", other);
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {.known_hosts_file = path_of("known6")};
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	connects(user, false);
	connects(user, true);
	snprintf(line, sizeof line, "127.0.0.1:%u %s\n", net_listener_port(far), other);
	file_write("known6", line, strlen(line));
	user_expect(skiff_connect(user->client), SKIFF_TLS_PIN);
	user_free(user);
	net_listener_stop(far);
	/* two that are first at a time */
	assert_true(skiffi_tls_known_add(path_of("known7"), "host:1", other, &error));
	assert_true(skiffi_tls_known_add(path_of("known7"), "host:1", other, &error));
	pin_of("good.crt", line);
	assert_false(skiffi_tls_known_add(path_of("known7"), "host:1", line, &error));
	assert_int_equal(error.code, SKIFF_TLS_PIN);
}

/* No longer than its proof: this response is out of date, within what clocks may differ. */
static void sessions_end_with_their_proof(void **state)
{
	(void)state;
	staple_make_dated("late.der", -3600, -100);
	staple_make_dated("open-old.der", -8 * 24 * 3600, 0);
	staple_make_dated("open.der", -3600, 0);
	struct net_options server = {.staple_file = path_of("late.der")};
	struct net_listener *far = far_end("good", server);
	struct skiff_tls_options tls = by_own_ca();
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	connects(user, false);
	connects(user, false);
	user_free(user);
	net_listener_stop(far);
	server.staple_file = path_of("open.der");
	far = far_end("good", server);
	attempt_gives(far, &tls, SKIFF_OK, NULL);
	net_listener_stop(far);
	server.staple_file = path_of("open-old.der"); /* names no end, and is not of today */
	far = far_end("good", server);
	attempt_gives(far, &tls, SKIFF_TLS_OCSP, "out of date");
	net_listener_stop(far);
}

static void a_lost_connection_is_resumed(void **state)
{
	(void)state;
	struct net_listener *far = far_end("good", (struct net_options){.script = far_drops});
	struct skiff_tls_options tls = by_own_ca();
	struct skiff_options options = options_for(far, &tls);
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

static void half_a_file_in_a_directory(void **state)
{
	char text[FILE_BYTES];
	(void)state;
	shell("mkdir cas && cp own-ca.crt cas/own.pem && openssl rehash cas");
	struct net_listener *far = far_end("good", (struct net_options){0});
	struct skiff_tls_options tls = {.ca_dir = path_of("cas")};
	struct skiff_options options = options_for(far, &tls);
	struct user *user = user_new(&options);
	connects(user, false);
	file_write("cas/own.pem", text, file_read("own-ca.crt", text) / 2);
	connects(user, true);
	assert_int_equal(events(user, SKIFF_EVENT_TLS_STALE), 1);
	shell("cp web-root.crt cas/own.pem && openssl rehash cas");
	user_expect(skiff_connect(user->client), SKIFF_TLS_UNKNOWN_CA);
	user_free(user);
	net_listener_stop(far);
}

/* ---- the run ---- */

static int make_certificates(void **state)
{
	const char *folder = getenv("SKIFF_CERTS");
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/skiff-trust.XXXXXX");
	if (!folder || !mkdtemp(dir))
		return -1;
	shell("sh '%s/make-certs.sh' .", folder);
	return 0;
}

static int remove_certificates(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_asked_besides),
		cmocka_unit_test(first_use_is_remembered),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(a_ca_beside_counts_too),
		cmocka_unit_test(material_from_memory),
		cmocka_unit_test(the_system_beside),
		cmocka_unit_test(lists_in_a_directory),
		cmocka_unit_test(common_name_on_request),
		cmocka_unit_test(open_keys_are_refused_on_request),
		cmocka_unit_test(versions_and_ciphers),
		cmocka_unit_test(policy_is_checked_first),
		cmocka_unit_test(pre_shared_keys),
		cmocka_unit_test(stapled_responses),
		cmocka_unit_test(resumed_sessions_were_judged),
		cmocka_unit_test(changed_files_are_used),
		cmocka_unit_test(a_reload_leaves_the_connection),
		cmocka_unit_test(reloads_and_connections_at_a_time),
		cmocka_unit_test(ends_that_are_near_are_told),
		cmocka_unit_test(anonymous_servers),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(options_that_would_do_nothing),
		cmocka_unit_test(the_system_changes),
		cmocka_unit_test(known_keys_and_resumption),
		cmocka_unit_test(sessions_end_with_their_proof),
		cmocka_unit_test(a_lost_connection_is_resumed),
		cmocka_unit_test(half_a_file_in_a_directory),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
