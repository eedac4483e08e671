/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c: every line of certs/cases.txt, over TLS 1.2 and 1.3, by tls and by wss: the certificate is shown, and the
 * outcome is the line's. SKIFF_CERTS names the folder with the table and make-certs.sh, which fills a folder of this
 * run. */
#include "suite/suite_near.h"
#include "support/net_listener.h"
#include "transport/tls_context.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CASES_MAX = 128, NAME_BYTES = 64, PATH_BYTES = 256, ECHO_BYTES = 100, TIMEOUT_MS = 20000 };

struct cert_case {
	char name[NAME_BYTES];
	char expected[NAME_BYTES];
	int version;
	bool web; /* wss */
};

static char certs_dir[64];
static struct cert_case cases[4 * CASES_MAX];
static char names[4 * CASES_MAX][2 * NAME_BYTES];
static size_t case_count;

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

static void far_echo(struct net_peer *peer, void *user)
{
	char buffer[1024];
	size_t got;
	(void)user;
	while ((got = net_peer_read(peer, buffer, sizeof buffer)) && net_peer_write(peer, buffer, got))
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

static void outcome_is(const struct cert_case *wanted, enum skiff_code code, const char *text)
{
	bool through = wanted->web && code == SKIFF_WS_FORBIDDEN; /* the certificates are */
	if (strcmp(skiff_code_slug(through ? SKIFF_OK : code), wanted->expected))
		fail_msg("%s: %s expected, got %s: %s", wanted->name, wanted->expected, skiff_code_slug(code), text);
	if (code != SKIFF_OK && strlen(text) < 30)
		fail_msg("%s: \"%s\" says too little", wanted->name, text);
}

/* Connects, has some bytes echoed, and compares the outcome. */
static void talk(const struct cert_case *wanted, const struct net_options *server, const struct skiff_tls_options *tls)
{
	static const struct suite_kind kind;
	struct suite_loop loop;
	struct suite_way way = {.tls = *tls};
	struct near near = {.to_send = ECHO_BYTES};
	struct net_listener *listener = net_listener_start(server);
	if (wanted->web)
		snprintf(way.url, sizeof way.url, "wss://127.0.0.1:%u/mqtt", net_listener_port(listener));
	else
		snprintf(way.url, sizeof way.url, "%s", net_listener_url(listener));
	suite_loop_start(&loop);
	near_open(&near, &kind, &loop, NULL, &way, TIMEOUT_MS);
	near_wait(&near, near.failed || near.received == ECHO_BYTES);
	outcome_is(wanted, near.error.code, near.error.text);
	near_end(&near, false);
	net_listener_stop(listener);
	suite_loop_stop(&loop);
}

static void server_case(const struct cert_case *wanted)
{
	char ca[PATH_BYTES], crl[PATH_BYTES], crt[PATH_BYTES], key[PATH_BYTES];
	struct net_options server = {.kind = NET_TLS, .max_version = wanted->version};
	server.script = wanted->web ? far_forbid : far_echo;
	struct skiff_tls_options tls = {.server_name = "test.mosquitto.org"};
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
	server.script = wanted->web ? far_forbid : far_echo;
	struct skiff_tls_options tls = {.key_password = give_password};
	struct skiff_error error = {0};
	server.cert_file = in_dir(server_crt, "good", ".crt");
	server.key_file = in_dir(server_key, "good", ".key");
	server.client_ca_file = tls.ca_file = in_dir(ca, "own-ca", ".crt");
	server.client_crl_file = in_dir(crl, "own-ca", ".crl");
	tls.cert_file = in_dir(crt, wanted->name, ".crt");
	tls.key_file = in_dir(key, wanted->name, ".key");
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new("tls://127.0.0.1", NULL);
	struct skiffi_tls_context *context = skiffi_tls_context_new(&tls, endpoint, &error);
	skiffi_tls_context_free(context);
	skiffi_endpoint_free(endpoint);
	if (!context)
		outcome_is(wanted, error.code, error.text);
	else
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
	if (case_count == 4 * CASES_MAX)
		abort();
	snprintf(added->name, sizeof added->name, "%s", name);
	snprintf(added->expected, sizeof added->expected, "%s", expected);
	added->version = version;
	added->web = web;
	snprintf(names[case_count++], sizeof names[0], "%s, %s by TLS 1.%d", name, web ? "wss" : "tls",
		version == TLS1_2_VERSION ? 2 : 3);
}

static bool read_cases(const char *folder)
{
	char path[PATH_BYTES], line[1024], name[NAME_BYTES], expected[NAME_BYTES];
	snprintf(path, sizeof path, "%s/cases.txt", folder);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		if (*line == '#' || sscanf(line, "%63s | %*[^|]| %63s", name, expected) != 2)
			continue;
		for (int web = 0; web <= 1; web++) {
			add_case(name, expected, TLS1_2_VERSION, web);
			add_case(name, expected, TLS1_3_VERSION, web);
		}
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
	static struct CMUnitTest tests[4 * CASES_MAX];
	char command[128];
	const char *folder = getenv("SKIFF_CERTS");
	if (!folder || !read_cases(folder) || !make_certificates(folder)) {
		fprintf(stderr, "certs: SKIFF_CERTS must name the folder of cases.txt and make-certs.sh\n");
		return 1;
	}
	for (size_t i = 0; i < case_count; i++)
		tests[i] = (struct CMUnitTest){.name = names[i], .test_func = run_case, .initial_state = &cases[i]};
	int failed = _cmocka_run_group_tests("certs", tests, case_count, NULL, NULL);
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return system(command) || failed;
}
