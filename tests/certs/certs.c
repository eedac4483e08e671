/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c: every line of certs/cases.txt, over TLS 1.2 and 1.3: the certificate is shown, and the outcome is the
 * line's. CERTS_BY and CERTS_DOOR say by which engine, and by "tls" or "wss"; CERTS_AT_MOSQUITTO whether mosquitto
 * is the far end, by the version that it takes. SKIFF_CERTS names the folder with the table and make-certs.sh,
 * SKIFF_CERTS_MADE one that this has filled with -a; without, a run fills one of its own.
 *
 * A connection by Paho takes a second, one to mosquitto's WebSocket up to half a second, most of which is waiting, and
 * Paho's wss goes one by one in a process: so several processes share the cases. By the engine native at our own far
 * end one does, again and again for some cases: the outcome never flaps.
 *
 * Where something else comes out, the list of exceptions below says why. */
#include "certs/at_mosquitto.h"
#include "support/names.h"
#include "support/net_listener.h"
#include "support/user.h"

#include <openssl/ssl.h>
#include <skiff/engine.h>
#include <skiff/log.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASES_MAX = 128, NAME_BYTES = 64, PATH_BYTES = 256, TIMEOUT_MS = 20000, SHARES = 8 };
#ifdef TESTS_SANITIZED
enum { REPEATS = 2 };
#else
enum { REPEATS = 20 };
#endif

struct cert_case {
	char name[NAME_BYTES];
	char expected[NAME_BYTES];
	char host[NAME_BYTES]; /* asked for */
	int version;
	bool web;     /* wss */
	size_t shown; /* at mosquitto: the listener's number */
};

static const enum skiff_engine engine = CERTS_BY;
static char certs_dir[PATH_BYTES / 2];
static struct cert_case cases[2 * CASES_MAX];
static char names[2 * CASES_MAX][2 * NAME_BYTES];
static size_t case_count;
static struct at_mosquitto *mosquitto; /* NULL: our own far end */

static atomic_uint warnings; /* that others may read a key */

/* ---- what is said instead, and by whom ---- */

enum exception_of {
	OF_PAHO,
	OF_MOSQUITTO_WEB /* as a far end, with WebSocket */
};

struct exception {
	enum exception_of of;
	const char *name; /* of the case */
	const char *slug;
	bool also; /* besides what cases.txt says */
};

static const struct exception exceptions[] = {
	/* SKIFF_CAN_CRL: it has no revocation lists */
	{OF_PAHO, "revoked", "ok", false},
	/* Paho has OpenSSL look at the name in its most lenient way: by the CN where the certificate names no host, and
	 * with wildcards for part of a label (X509_check_host without flags) */
	{OF_PAHO, "ip-only", "ok", false},
	{OF_PAHO, "cn-only", "ok", false},
	{OF_PAHO, "wildcard-partial", "ok", false},
	{OF_PAHO, "address-as-name", "ok", false},
	/* SKIFF_CAN_SECURITY_LEVEL: Paho lowers OpenSSL's level to 1 */
	{OF_PAHO, "weak-key-1024", "ok", false},
	/* In TLS 1.3 Paho's CONNECT may fail on the closed connection before the server's verdict is read: causes.c */
	{OF_PAHO, "client-stranger", "mqtt-closed", true},
	{OF_PAHO, "client-revoked", "mqtt-closed", true},
	{OF_PAHO, "client-wrong-purpose", "mqtt-closed", true},
	/* Its listeners for WebSocket do not look at crlfile */
	{OF_MOSQUITTO_WEB, "client-revoked", "ok", false},
};

/* ---- what the sentence has to name, besides the slug ---- */

static const struct {
	const char *name;
	const char *says;
} sentences[] = {
	{"wrong-purpose", "extended key usage serverAuth"},
	{"key-usage", "key usage digitalSignature"},
	{"key-usage-other", "key usage digitalSignature"},
	{"same-name-ca", "with another key"},
	{"same-name-ca-sent", "with another key"},
	{"path-length", "so many intermediates"},
	{"constrained-elsewhere", "may not give"},
	{"constrained-excluded", "may not give"},
	{"address-other", "10.9.8.7"},
	{"client-csr", "client-csr.crt"},
	{"client-swapped", "must be the first"},
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

/* RSA of 512 bits has no room for a signature of TLS 1.3: the server finds nothing that it can do. */
static const char *outcome_wanted(const struct cert_case *wanted)
{
	bool unable = !strcmp(wanted->name, "weak-key-512") && wanted->version == TLS1_3_VERSION;
	return unable ? skiff_code_slug(SKIFF_TLS_NO_SHARED_CIPHER) : wanted->expected;
}

static bool outcome_fits(const struct cert_case *wanted, const char *slug)
{
	bool excepted = false;
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		bool applies = exceptions[i].of == OF_PAHO ? engine == SKIFF_ENGINE_PAHO : mosquitto && wanted->web;
		if (!applies || strcmp(exceptions[i].name, wanted->name))
			continue;
		if (!strcmp(slug, exceptions[i].slug))
			return true;
		excepted = !exceptions[i].also;
	}
	return !excepted && !strcmp(slug, outcome_wanted(wanted));
}

static void outcome_is(const struct cert_case *wanted, const struct skiff_error *error)
{
	bool through = wanted->web && error->code == SKIFF_WS_FORBIDDEN; /* the certificates are */
	const char *slug = skiff_code_slug(through ? SKIFF_OK : error->code);
	if (!outcome_fits(wanted, slug))
		fail_msg("%s: %s expected, got %s: %s", wanted->name, outcome_wanted(wanted), slug, error->text);
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (!strcmp(sentences[i].name, wanted->name) && !strstr(error->text, sentences[i].says))
			fail_msg("%s: no '%s' in: %s", wanted->name, sentences[i].says, error->text);
	if (error->code != SKIFF_OK && strlen(error->text) < 30)
		fail_msg("%s: \"%s\" says too little", wanted->name, error->text);
}

/* By name, which names.c resolves; the engine native also shows that it can do without. */
static void set_url(const struct cert_case *wanted, struct skiff_options *options, uint16_t port, char *url)
{
	bool named = engine == SKIFF_ENGINE_PAHO;
	snprintf(url, NET_URL_BYTES, "%s://%s:%u", wanted->web ? "wss" : "tls", named ? wanted->host : "127.0.0.1",
		port);
	options->url = url;
	if (!named)
		options->tls.server_name = wanted->host;
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
	struct net_listener *listener = mosquitto ? NULL : net_listener_start(server);
	struct skiff_options options = {.engine = engine,
		.tls = *tls,
		.reconnect.off = true,
		.timeouts = {.tls_ms = TIMEOUT_MS, .websocket_ms = TIMEOUT_MS, .mqtt_ms = TIMEOUT_MS}};
	set_url(wanted, &options, mosquitto ? at_mosquitto_port(mosquitto, wanted->shown) : net_listener_port(listener),
		url);
	do_without_crl(&options);
	user_attempt(&options, NULL, &error);
	if (listener)
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

/* The system's. */
static int security_level(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int level = SSL_CTX_get_security_level(ctx);
	SSL_CTX_free(ctx);
	return level;
}

static void run_case(void **state)
{
	const struct cert_case *wanted = *state;
	bool readable = !strcmp(wanted->name, "client-readable");
	unsigned before = atomic_load(&warnings);
	if (!strcmp(wanted->name, "weak-key-1024") && security_level() < 2)
		skip();
	if (starts_with(wanted->name, "client"))
		client_case(wanted);
	else
		server_case(wanted);
	assert_true(readable == (atomic_load(&warnings) > before));
}

/* ---- cases of which there is more to say ---- */

static void note_warning(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	(void)component, (void)user;
	if (level == SKIFF_LOG_WARN && strstr(line, "can be read by every user"))
		atomic_fetch_add(&warnings, 1);
}

static void no_password_opens_nothing(void **state)
{
	char crt[PATH_BYTES], key[PATH_BYTES];
	struct skiff_error error;
	struct skiff_options options = {.url = "tls://127.0.0.1:1", .engine = engine};
	(void)state;
	options.tls.cert_file = in_dir(crt, "client-enc", ".crt");
	options.tls.key_file = in_dir(key, "client-enc", ".key");
	assert_null(skiff_client_new(&options, &error));
	assert_int_equal(error.code, SKIFF_FILE_KEY_PASSWORD);
	assert_non_null(strstr(error.text, "no password was given"));
}

/* Peers are known to say now this, now that of one and the same certificate. */
static void outcomes_stay(void **state)
{
	static const char *const some[] = {"good", "expired", "unknown-ca", "wrong-host", "client-stranger"};
	(void)state;
	for (size_t i = 0; i < case_count; i++)
		for (size_t k = 0; k < sizeof some / sizeof *some; k++)
			for (int n = 0; !strcmp(cases[i].name, some[k]) && n < REPEATS; n++)
				run_case((void *[]){&cases[i]});
}

/* ---- the table ---- */

static void add_case(const char *name, const char *expected, const char *host, int version, bool web)
{
	struct cert_case *added = &cases[case_count];
	if (case_count == 2 * CASES_MAX)
		abort();
	snprintf(added->name, sizeof added->name, "%s", name);
	snprintf(added->expected, sizeof added->expected, "%s", expected);
	snprintf(added->host, sizeof added->host, "%s", host);
	added->version = version;
	added->web = web;
	snprintf(names[case_count++], sizeof names[0], "%s, %s %s", name, web ? "wss" : "tls",
		CERTS_AT_MOSQUITTO          ? "at mosquitto"
		: version == TLS1_2_VERSION ? "by TLS 1.2"
					    : "by TLS 1.3");
}

static bool read_cases(const char *folder, bool web)
{
	char path[PATH_BYTES], line[1024], name[NAME_BYTES], expected[NAME_BYTES], host[NAME_BYTES];
	snprintf(path, sizeof path, "%s/cases.txt", folder);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		snprintf(host, sizeof host, "test.mosquitto.org");
		if (*line == '#' || sscanf(line, "%63s | %*[^|]| %63s | %63s", name, expected, host) < 2)
			continue;
		if (!CERTS_AT_MOSQUITTO)
			add_case(name, expected, host, TLS1_2_VERSION, web);
		add_case(name, expected, host, TLS1_3_VERSION, web);
	}
	fclose(file);
	return case_count;
}

static bool make_certificates(const char *folder)
{
	char command[512];
	const char *made = getenv("SKIFF_CERTS_MADE");
	snprintf(certs_dir, sizeof certs_dir, "%s", made ? made : "/tmp/skiff-certs.XXXXXX");
	if (made)
		return true;
	snprintf(command, sizeof command, "sh '%s/make-certs.sh' -a ", folder);
	if (!mkdtemp(certs_dir))
		return false;
	strcat(command, certs_dir);
	return !system(command);
}

static bool remove_certificates(void)
{
	char command[PATH_BYTES];
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return getenv("SKIFF_CERTS_MADE") || !system(command);
}

/* The first listener is for all certificates of clients'. */
static void start_mosquitto(bool web)
{
	const char *shown[CASES_MAX] = {"client"};
	size_t count = 1;
	for (size_t i = 0; i < case_count; i++) {
		if (starts_with(cases[i].name, "client"))
			continue;
		cases[i].shown = count;
		shown[count++] = cases[i].name;
	}
	mosquitto = at_mosquitto_start(certs_dir, shown, count, web);
}

/* ---- the processes ---- */

/* The cases of one of `shares` processes, and what there is more to say in the first. */
static int run_share(size_t share, size_t shares)
{
	static struct CMUnitTest tests[2 * CASES_MAX + 2];
	size_t count = 0;
	skiff_log_set(SKIFF_LOG_WARN, note_warning, NULL);
	for (size_t i = share; i < case_count; i += shares)
		tests[count++] =
			(struct CMUnitTest){.name = names[i], .test_func = run_case, .initial_state = &cases[i]};
	if (!share)
		tests[count++] = (struct CMUnitTest)cmocka_unit_test(no_password_opens_nothing);
	if (shares == 1 && !cases->web) /* our own far end */
		tests[count++] = (struct CMUnitTest)cmocka_unit_test(outcomes_stay);
	return _cmocka_run_group_tests("certs", tests, count, NULL, NULL) != 0;
}

static int run_shares(void)
{
	pid_t children[SHARES];
	int failed = 0, status;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t share = 0; share < SHARES; share++) {
		children[share] = fork();
		if (!children[share])
			exit(run_share(share, SHARES));
	}
	for (size_t share = 0; share < SHARES; share++)
		failed += waitpid(children[share], &status, 0) != children[share] || !WIFEXITED(status) ||
			  WEXITSTATUS(status);
	return failed;
}

int main(void)
{
	const char *folder = getenv("SKIFF_CERTS");
	bool web = !strcmp(CERTS_DOOR, "wss");
	if (!folder || !read_cases(folder, web) || !make_certificates(folder)) {
		fprintf(stderr, "certs: SKIFF_CERTS must name the folder of cases.txt and make-certs.sh\n");
		return 1;
	}
	if (CERTS_AT_MOSQUITTO)
		start_mosquitto(web);
	int failed = engine == SKIFF_ENGINE_PAHO || mosquitto ? run_shares() : run_share(0, 1);
	at_mosquitto_stop(mosquitto);
	return !remove_certificates() || failed;
}
