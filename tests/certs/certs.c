/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c: every line of certs/cases.txt, over TLS 1.2 and 1.3: the certificate is shown, and the outcome is the
 * line's. CERTS_BY and CERTS_DOOR say by which engine, and by "tls" or "wss". SKIFF_CERTS names the folder with the
 * table and make-certs.sh, which fills a folder of this run.
 *
 * Where the engine paho says something else, the list of exceptions below says why. */
#include "support/names.h"
#include "support/net_listener.h"
#include "support/user.h"

#include <openssl/ssl.h>
#include <skiff/engine.h>
#include <stdio.h>

enum { CASES_MAX = 128, NAME_BYTES = 64, PATH_BYTES = 256, TIMEOUT_MS = 20000 };

struct cert_case {
	char name[NAME_BYTES];
	char expected[NAME_BYTES];
	int version;
	bool web; /* wss */
};

static const enum skiff_engine engine = CERTS_BY;
static char certs_dir[64];
static struct cert_case cases[2 * CASES_MAX];
static char names[2 * CASES_MAX][2 * NAME_BYTES];
static size_t case_count;

/* ---- what the engine paho says instead ---- */

struct exception {
	const char *name; /* of the case */
	const char *slug;
	bool also; /* besides what cases.txt says */
};

static const struct exception exceptions[] = {
	/* SKIFF_CAN_CRL: it has no revocation lists */
	{"revoked", "ok", false},
	/* Paho has OpenSSL look at the name in its most lenient way: by the CN where the certificate names no host, and
	 * with wildcards for part of a label (X509_check_host without flags) */
	{"ip-only", "ok", false},
	{"cn-only", "ok", false},
	{"wildcard-partial", "ok", false},
	/* In TLS 1.3 Paho's CONNECT may fail on the closed connection before the server's verdict is read: causes.c */
	{"client-stranger", "mqtt-closed", true},
	{"client-revoked", "mqtt-closed", true},
	{"client-wrong-purpose", "mqtt-closed", true},
};

static const char *in_dir(char *out, const char *name, const char *end)
{
	snprintf(out, PATH_BYTES, "%s/%s%s", certs_dir, name, end);
	return out;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static int give_password(char *buffer, size_t size, void *user)
{
	assert_true(size >= 3);
	(void)user;
	memcpy(buffer, "lab", 3);
	return 3;
}

/* A broker that accepts whoever comes, in MQTT 5. */
static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

/* Behind the handshake, and so behind every certificate, it wants no WebSocket. */
static void far_forbid(struct net_peer *peer, void *user)
{
	static const char answer[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer))
		net_peer_write(peer, answer, sizeof answer - 1);
}

/* ---- one case ---- */

static bool outcome_fits(const struct cert_case *wanted, const char *slug)
{
	bool excepted = false;
	for (size_t i = 0; engine == SKIFF_ENGINE_PAHO && i < sizeof exceptions / sizeof *exceptions; i++) {
		if (strcmp(exceptions[i].name, wanted->name))
			continue;
		if (!strcmp(slug, exceptions[i].slug))
			return true;
		excepted = !exceptions[i].also;
	}
	return !excepted && !strcmp(slug, wanted->expected);
}

static void outcome_is(const struct cert_case *wanted, const struct skiff_error *error)
{
	bool through = wanted->web && error->code == SKIFF_WS_FORBIDDEN; /* the certificates are */
	const char *slug = skiff_code_slug(through ? SKIFF_OK : error->code);
	if (!outcome_fits(wanted, slug))
		fail_msg("%s: %s expected, got %s: %s", wanted->name, wanted->expected, slug, error->text);
	if (error->code != SKIFF_OK && strlen(error->text) < 30)
		fail_msg("%s: \"%s\" says too little", wanted->name, error->text);
}

/* By name, which names.c resolves; the engine native also shows that it can do without. */
static void set_url(
	const struct cert_case *wanted, struct skiff_options *options, const struct net_listener *listener, char *url)
{
	bool named = engine == SKIFF_ENGINE_PAHO;
	snprintf(url, NET_URL_BYTES, "%s://%s:%u", wanted->web ? "wss" : "tls",
		named ? "test.mosquitto.org" : "127.0.0.1", net_listener_port(listener));
	options->url = url;
	if (!named)
		options->tls.server_name = "test.mosquitto.org";
}

/* The engine paho refuses a revocation list by name; what is left of the case is checked without. */
static void do_without_crl(struct skiff_options *options)
{
	struct skiff_error error;
	if (!options->tls.crl_file || skiff_engine_can(engine, SKIFF_CAN_CRL))
		return;
	assert_null(skiff_client_new(options, &error));
	assert_int_equal(error.code, SKIFF_USAGE_UNSUPPORTED);
	assert_non_null(strstr(error.text, "tls.crl_file"));
	options->tls.crl_file = NULL;
}

static void talk(const struct cert_case *wanted, const struct net_options *server, const struct skiff_tls_options *tls)
{
	char url[NET_URL_BYTES];
	struct skiff_error error;
	struct net_listener *listener = net_listener_start(server);
	struct skiff_options options = {.engine = engine,
		.tls = *tls,
		.reconnect.off = true,
		.timeouts = {.tls_ms = TIMEOUT_MS, .websocket_ms = TIMEOUT_MS, .mqtt_ms = TIMEOUT_MS}};
	set_url(wanted, &options, listener, url);
	do_without_crl(&options);
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (client) {
		struct skiff_token *token = skiff_connect(client);
		skiff_token_wait(token, WAITING_LONG_MS);
		error = *skiff_token_error(token);
		skiff_token_free(token);
	}
	skiff_client_free(client);
	net_listener_stop(listener);
	outcome_is(wanted, &error);
}

static void server_case(const struct cert_case *wanted)
{
	char ca[PATH_BYTES], crl[PATH_BYTES], crt[PATH_BYTES], key[PATH_BYTES];
	struct net_options server = {.kind = NET_TLS, .max_version = wanted->version};
	server.script = wanted->web ? far_forbid : far_accept;
	struct skiff_tls_options tls = {0};
	server.cert_file = in_dir(crt, wanted->name, ".crt");
	server.key_file = in_dir(key, wanted->name, ".key");
	server.security_level = starts_with(wanted->name, "weak") ? -1 : 0;
	tls.ca_file = in_dir(ca, "own-ca", ".crt");
	tls.crl_file = in_dir(crl, "own-ca", ".crl");
	talk(wanted, &server, &tls);
}

static void client_case(const struct cert_case *wanted)
{
	char ca[PATH_BYTES], crl[PATH_BYTES], crt[PATH_BYTES], key[PATH_BYTES], server_crt[PATH_BYTES],
		server_key[PATH_BYTES];
	struct net_options server = {.kind = NET_TLS, .max_version = wanted->version};
	server.script = wanted->web ? far_forbid : far_accept;
	struct skiff_tls_options tls = {.key_password = give_password};
	server.cert_file = in_dir(server_crt, "good", ".crt");
	server.key_file = in_dir(server_key, "good", ".key");
	server.client_ca_file = tls.ca_file = in_dir(ca, "own-ca", ".crt");
	server.client_crl_file = in_dir(crl, "own-ca", ".crl");
	tls.cert_file = in_dir(crt, wanted->name, ".crt");
	tls.key_file = in_dir(key, wanted->name, ".key");
	talk(wanted, &server, &tls);
}

static void run_case(void **state)
{
	const struct cert_case *wanted = *state;
	if (starts_with(wanted->name, "client"))
		client_case(wanted);
	else
		server_case(wanted);
}

/* ---- the table ---- */

static void add_case(const char *name, const char *expected, int version, bool web)
{
	struct cert_case *added = &cases[case_count];
	if (case_count == 2 * CASES_MAX)
		abort();
	snprintf(added->name, sizeof added->name, "%s", name);
	snprintf(added->expected, sizeof added->expected, "%s", expected);
	added->version = version;
	added->web = web;
	snprintf(names[case_count++], sizeof names[0], "%s, %s by TLS 1.%d", name, web ? "wss" : "tls",
		version == TLS1_2_VERSION ? 2 : 3);
}

static bool read_cases(const char *folder, bool web)
{
	char path[PATH_BYTES], line[1024], name[NAME_BYTES], expected[NAME_BYTES];
	snprintf(path, sizeof path, "%s/cases.txt", folder);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		if (*line == '#' || sscanf(line, "%63s | %*[^|]| %63s", name, expected) != 2)
			continue;
		add_case(name, expected, TLS1_2_VERSION, web);
		add_case(name, expected, TLS1_3_VERSION, web);
	}
	fclose(file);
	return case_count;
}

static bool make_certificates(const char *folder)
{
	char command[512];
	snprintf(certs_dir, sizeof certs_dir, "/tmp/skiff-certs.XXXXXX");
	snprintf(command, sizeof command, "sh '%s/make-certs.sh' ", folder);
	if (!mkdtemp(certs_dir))
		return false;
	strcat(command, certs_dir);
	return !system(command);
}

int main(void)
{
	static struct CMUnitTest tests[2 * CASES_MAX];
	char command[128];
	const char *folder = getenv("SKIFF_CERTS");
	if (!folder || !read_cases(folder, !strcmp(CERTS_DOOR, "wss")) || !make_certificates(folder)) {
		fprintf(stderr, "certs: SKIFF_CERTS must name the folder of cases.txt and make-certs.sh\n");
		return 1;
	}
	for (size_t i = 0; i < case_count; i++)
		tests[i] = (struct CMUnitTest){.name = names[i], .test_func = run_case, .initial_state = &cases[i]};
	int failed = _cmocka_run_group_tests("certs", tests, case_count, NULL, NULL);
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return system(command) || failed;
}
