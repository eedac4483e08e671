/* SPDX-License-Identifier: Apache-2.0 */
/* large.c: chains and certificates of a size that no sound server shows: taken or refused with a sentence, soon, and in
 * bounded memory. OpenSSL takes 100 KiB of certificates and a chain of 100 between leaf and root, which is left so. */
#include "support/net_listener.h"
#include "support/user.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { NAMES = 10000, BIG_BYTES = 64 * 1024, CHAIN = 100, SOON_MS = 30000, MEMORY_KIB = 16 * 1024 };

#ifdef TESTS_SANITIZED
enum { REPEATS = 2 };
#else
enum { REPEATS = 10 };
#endif

static char dir[] = "/tmp/skiff-large.XXXXXX";
static char ca_file[64], crt_file[64], key_file[64];

/* A certificate and its key. */
struct made {
	X509 *certificate;
	EVP_PKEY *key;
};

static struct made root;

/* ---- making ---- */

static void made_add(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(extension);
	assert_true(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* One of this name, not yet signed. */
static struct made made_new(const char *name)
{
	struct made made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(made.certificate);
	assert_non_null(made.key);
	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), 86400);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_pubkey(made.certificate, made.key);
	return made;
}

static void made_sign(struct made made, struct made issuer)
{
	X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer.certificate));
	assert_true(X509_sign(made.certificate, issuer.key, EVP_sha256()));
}

static void made_free(struct made made)
{
	X509_free(made.certificate);
	EVP_PKEY_free(made.key);
}

static struct made made_ca(const char *name, struct made issuer)
{
	struct made made = made_new(name);
	made_add(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
	made_sign(made, issuer.certificate ? issuer : made);
	return made;
}

static void file_write(const char *path, X509 *const *certificates, size_t count, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (size_t i = 0; i < count; i++)
		assert_true(PEM_write_X509(file, certificates[i]));
	assert_true(!key || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	assert_int_equal(fclose(file), 0);
}

/* A leaf by the root, with an alternative name for localhost and what is added to it. */
static void leaf_write(struct made leaf)
{
	made_sign(leaf, root);
	file_write(crt_file, &leaf.certificate, 1, NULL);
	file_write(key_file, NULL, 0, leaf.key);
	made_free(leaf);
}

/* NAMES names, each with `ending`; the last is localhost where there is room for it. */
static void names_write(const char *ending, bool localhost)
{
	char *names = malloc((size_t)NAMES * 64), *at = names;
	struct made leaf = made_new("many names");
	assert_non_null(names);
	for (int i = 0; i < NAMES; i++)
		at += sprintf(at, "%sDNS:%04d%s", i ? "," : "", i, ending);
	strcpy(at, localhost ? ",DNS:localhost" : "");
	made_add(leaf.certificate, NID_subject_alt_name, names);
	free(names);
	leaf_write(leaf);
}

/* ---- memory ---- */

/* The most that the process had so far; 0 where it cannot be told. */
static long memory_peak_kib(void)
{
	char line[256];
	long peak = 0;
#ifndef TESTS_SANITIZED
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof line, file))
		sscanf(line, "VmHWM: %ld", &peak);
	if (file)
		fclose(file);
#else
	(void)line;
#endif
	return peak;
}

/* ---- showing ---- */

static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

static struct skiff_error shown_once(const char *url)
{
	struct skiff_error error;
	const struct skiff_options options = {
		.url = url, .tls = {.ca_file = ca_file, .server_name = "localhost"}, .reconnect.off = true};
	struct skiff_client *client = skiff_client_new(&options, &error);
	assert_non_null(client);
	struct skiff_token *token = skiff_connect(client);
	skiff_token_wait(token, WAITING_LONG_MS);
	error = *skiff_token_error(token);
	skiff_token_free(token);
	skiff_client_free(client);
	return error;
}

/* What is in the files, by TLS 1.2 and 1.3, the same again and again. */
static void shown_is(enum skiff_code code, const char *says)
{
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TLS,
			.script = far_accept,
			.cert_file = crt_file,
			.key_file = key_file,
			.max_version = version});
		int64_t start = waiting_now_ms();
		long before = memory_peak_kib();
		for (int i = 0; i < REPEATS; i++) {
			struct skiff_error error = shown_once(net_listener_url(listener));
			if (error.code != code || !strstr(error.text, says))
				fail_msg("%s and '%s' expected, got %s: %s", skiff_code_slug(code), says,
					skiff_code_slug(error.code), error.text);
		}
		assert_true(waiting_now_ms() - start < SOON_MS);
		assert_in_range(memory_peak_kib() - before, 0, MEMORY_KIB);
		net_listener_stop(listener);
	}
}

/* ---- tests ---- */

/* A leaf and `count` - 1 intermediates. */
static void chain_write(int count)
{
	X509 *certificates[CHAIN + 2];
	struct made issuer = root, leaf = made_new("leaf");
	char name[32];
	for (int i = count - 1; i > 0; i--) {
		snprintf(name, sizeof name, "intermediate %d", i);
		struct made made = made_ca(name, issuer);
		certificates[i] = made.certificate;
		if (issuer.key != root.key)
			EVP_PKEY_free(issuer.key);
		issuer = made;
	}
	made_add(leaf.certificate, NID_subject_alt_name, "DNS:localhost");
	made_sign(leaf, issuer);
	EVP_PKEY_free(issuer.key);
	certificates[0] = leaf.certificate;
	file_write(crt_file, certificates, (size_t)count, NULL);
	file_write(key_file, NULL, 0, leaf.key);
	for (int i = 0; i < count; i++)
		X509_free(certificates[i]);
	EVP_PKEY_free(leaf.key);
}

static void chain_of_100(void **state)
{
	(void)state;
	chain_write(CHAIN);
	shown_is(SKIFF_OK, "");
}

static void chain_of_102(void **state)
{
	(void)state;
	chain_write(CHAIN + 2);
	shown_is(SKIFF_TLS_BAD_CHAIN, "chain");
}

static void certificate_of_64_kib(void **state)
{
	static char comment[BIG_BYTES + 1];
	struct made leaf = made_new("large");
	(void)state;
	memset(comment, 'x', BIG_BYTES);
	made_add(leaf.certificate, NID_subject_alt_name, "DNS:localhost");
	made_add(leaf.certificate, NID_netscape_comment, comment);
	leaf_write(leaf);
	shown_is(SKIFF_OK, "");
}

static void names_of_which_one_is_right(void **state)
{
	(void)state;
	names_write("", true);
	shown_is(SKIFF_OK, "");
}

static void names_of_which_none_is_right(void **state)
{
	(void)state;
	names_write("", false);
	shown_is(SKIFF_TLS_HOSTNAME, "is for 0000, 0001, 0002");
}

static void names_of_more_than_100_kib(void **state)
{
	(void)state;
	names_write(".example.org", true);
	shown_is(SKIFF_TLS_BAD_CHAIN, "larger than is accepted here");
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(ca_file, sizeof ca_file, "%s/ca.crt", dir);
	snprintf(crt_file, sizeof crt_file, "%s/shown.crt", dir);
	snprintf(key_file, sizeof key_file, "%s/shown.key", dir);
	root = made_ca("large root", (struct made){0});
	file_write(ca_file, &root.certificate, 1, NULL);
	return 0;
}

static int remove_root(void **state)
{
	char command[96];
	(void)state;
	made_free(root);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_of_100),
		cmocka_unit_test(chain_of_102),
		cmocka_unit_test(certificate_of_64_kib),
		cmocka_unit_test(names_of_which_one_is_right),
		cmocka_unit_test(names_of_which_none_is_right),
		cmocka_unit_test(names_of_more_than_100_kib),
	};
	return cmocka_run_group_tests_name("certs_large", tests, make_root, remove_root);
}
