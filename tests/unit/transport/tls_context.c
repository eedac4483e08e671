/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c: what is wrong with local files and options is said before any connection, by the file's name. */
#include "transport/tls_context.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_BYTES = 128 };

static char dir[64];
static EVP_PKEY *key, *other_key;
static X509 *certificate, *other_certificate;

/* ---- files ---- */

/* The path of a file of this run; a few of them live at a time. */
static const char *path_of(const char *name)
{
	static char paths[8][PATH_BYTES];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, PATH_BYTES, "%s/%s", dir, name);
	return path;
}

static BIO *file_new(const char *name)
{
	BIO *bio = BIO_new_file(path_of(name), "w");
	assert_non_null(bio);
	return bio;
}

static void write_text(const char *name, const char *text)
{
	BIO *bio = file_new(name);
	BIO_puts(bio, text);
	BIO_free(bio);
}

static void write_pem(const char *name, X509 *first, X509 *second, EVP_PKEY *private_key, const char *password)
{
	BIO *bio = file_new(name);
	if (first)
		assert_true(PEM_write_bio_X509(bio, first));
	if (second)
		assert_true(PEM_write_bio_X509(bio, second));
	if (private_key)
		assert_true(PEM_write_bio_PKCS8PrivateKey(bio, private_key, password ? EVP_aes_256_cbc() : NULL,
			password, password ? (int)strlen(password) : 0, NULL, NULL));
	BIO_free(bio);
}

static X509 *certificate_new(EVP_PKEY *of)
{
	X509 *made = X509_new();
	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_gmtime_adj(X509_getm_notBefore(made), -60);
	X509_gmtime_adj(X509_getm_notAfter(made), 3600);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0);
	X509_set_issuer_name(made, X509_get_subject_name(made));
	X509_set_pubkey(made, of);
	assert_true(X509_sign(made, of, EVP_sha256()));
	return made;
}

static void write_request(const char *name)
{
	BIO *bio = file_new(name);
	X509_REQ *request = X509_REQ_new();
	X509_REQ_set_pubkey(request, key);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()));
	assert_true(PEM_write_bio_X509_REQ(bio, request));
	X509_REQ_free(request);
	BIO_free(bio);
}

static void write_bundle(const char *name, const char *password, int key_cipher, int certificate_cipher, bool old)
{
	BIO *bio = file_new(name);
	OSSL_LIB_CTX *libctx = old ? OSSL_LIB_CTX_new() : NULL;
	OSSL_PROVIDER *usual = OSSL_PROVIDER_load(libctx, "default");
	OSSL_PROVIDER *legacy = old ? OSSL_PROVIDER_load(libctx, "legacy") : NULL;
	PKCS12 *bundle = PKCS12_create_ex(
		password, "x", key, certificate, NULL, key_cipher, certificate_cipher, 0, 0, 0, libctx, NULL);
	assert_non_null(bundle);
	assert_true(i2d_PKCS12_bio(bio, bundle));
	PKCS12_free(bundle);
	BIO_free(bio);
	if (legacy)
		OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(usual);
	OSSL_LIB_CTX_free(libctx);
}

static void write_der(void)
{
	BIO *bio = file_new("certificate.der");
	assert_true(i2d_X509_bio(bio, certificate));
	BIO_free(bio);
	bio = file_new("two.der");
	assert_true(i2d_X509_bio(bio, certificate) && i2d_X509_bio(bio, certificate));
	BIO_free(bio);
	bio = file_new("key.der");
	assert_true(i2d_PrivateKey_bio(bio, key));
	BIO_free(bio);
	bio = file_new("sealed.der");
	assert_true(i2d_PKCS8PrivateKey_bio(bio, key, EVP_aes_256_cbc(), "sesame", 6, NULL, NULL));
	BIO_free(bio);
	bio = file_new("cut.der");
	assert_true(BIO_write(bio, "\x30\x82\x01\x00\x02\x01", 6) == 6);
	BIO_free(bio);
	write_bundle("bundle.p12", NULL, 0, 0, false);
	write_bundle("empty-password.p12", "", 0, 0, false);
	write_bundle("sealed.p12", "sesame", 0, 0, false);
	write_bundle(
		"old.p12", "sesame", NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And40BitRC2_CBC, true);
}

/* PEM as it comes from other systems: with a mark at its beginning, prose before it, and their ends of lines. */
static void write_strange_pem(void)
{
	char text[8192] = "\xef\xbb\xbf", line[128];
	BIO *pem = BIO_new_file(path_of("good.crt"), "r"), *bio = file_new("mark.crt");
	size_t used = strlen(text);
	int len;
	while ((len = BIO_gets(pem, line, sizeof line)) > 0)
		used += (size_t)snprintf(text + used, sizeof text - used, "%.*s\r\n", (int)strcspn(line, "\r\n"), line);
	BIO_puts(bio, text);
	BIO_free(bio);
	bio = file_new("prose.crt");
	BIO_puts(bio, "Bag Attributes\r\n    friendlyName: 0x30\r\n");
	BIO_puts(bio, text + 3);
	BIO_free(bio);
	BIO_free(pem);
}

static int make_files(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/skiff-files.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	key = EVP_EC_gen("P-256");
	other_key = EVP_EC_gen("P-256");
	certificate = certificate_new(key);
	other_certificate = certificate_new(other_key);
	write_pem("good.crt", certificate, NULL, NULL, NULL);
	write_pem("good.key", NULL, NULL, key, NULL);
	write_pem("both.pem", certificate, NULL, key, NULL);
	write_pem("chain.crt", certificate, other_certificate, NULL, NULL);
	write_pem("upside-down.crt", other_certificate, certificate, NULL, NULL);
	write_pem("locked.key", NULL, NULL, key, "secret");
	write_request("request.csr");
	write_der();
	write_strange_pem();
	write_text("empty", "");
	write_text("prose", "this is no certificate\n");
	write_text("damaged.crt", "-----BEGIN CERTIFICATE-----\nMIIB!!!\n-----END CERTIFICATE-----\n");
	write_text("damaged.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
	write_text("openssh.key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
	BIO *bio = file_new("public.key");
	PEM_write_bio_PUBKEY(bio, key);
	BIO_free(bio);
	return mkdir(path_of("folder"), 0700);
}

static int remove_files(void **state)
{
	char command[128];
	(void)state;
	X509_free(certificate);
	X509_free(other_certificate);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

/* ---- checks ---- */

static struct skiff_error outcome(const struct skiff_tls_options *options, const char *url)
{
	struct skiff_error error = {0};
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(url, NULL);
	struct skiffi_tls_context *context = skiffi_tls_context_new(options, endpoint, &error);
	assert_true(!context == (error.code != SKIFF_OK));
	skiffi_tls_context_free(context);
	skiffi_endpoint_free(endpoint);
	return error;
}

static void outcome_is(
	const struct skiff_tls_options *options, enum skiff_code code, const char *name, const char *says)
{
	struct skiff_error error = outcome(options, "tls://localhost");
	if (error.code != code || (code && (!strstr(error.text, name) || !strstr(error.text, says))))
		fail_msg("%s, \"%s\" expected, got %s: %s", skiff_code_slug(code), says, skiff_code_slug(error.code),
			error.text);
}

#define CA(name)            (&(struct skiff_tls_options){.ca_file = path_of(name)})
#define PAIR(cert, private) (&(struct skiff_tls_options){.cert_file = path_of(cert), .key_file = path_of(private)})

static void good_files(void **state)
{
	(void)state;
	outcome_is(&(struct skiff_tls_options){0}, SKIFF_OK, "", "");
	outcome_is(CA("good.crt"), SKIFF_OK, "", "");
	outcome_is(CA("chain.crt"), SKIFF_OK, "", "");
	outcome_is(PAIR("good.crt", "good.key"), SKIFF_OK, "", "");
	outcome_is(PAIR("chain.crt", "good.key"), SKIFF_OK, "", "");
	outcome_is(PAIR("both.pem", "both.pem"), SKIFF_OK, "", "");
	outcome_is(&(struct skiff_tls_options){.cert_file = path_of("both.pem")}, SKIFF_OK, "", "");
}

static void files_of_other_forms(void **state)
{
	(void)state;
	outcome_is(CA("certificate.der"), SKIFF_OK, "", "");
	outcome_is(CA("two.der"), SKIFF_OK, "", "");
	outcome_is(CA("mark.crt"), SKIFF_OK, "", "");
	outcome_is(CA("prose.crt"), SKIFF_OK, "", "");
	outcome_is(CA("bundle.p12"), SKIFF_OK, "", "");
	outcome_is(PAIR("certificate.der", "key.der"), SKIFF_OK, "", "");
	outcome_is(PAIR("good.crt", "key.der"), SKIFF_OK, "", "");
	outcome_is(PAIR("prose.crt", "bundle.p12"), SKIFF_OK, "", "");
	outcome_is(&(struct skiff_tls_options){.cert_file = path_of("bundle.p12")}, SKIFF_OK, "", "");
	outcome_is(&(struct skiff_tls_options){.cert_file = path_of("empty-password.p12")}, SKIFF_OK, "", "");
	outcome_is(PAIR("key.der", "key.der"), SKIFF_FILE_NOT_PEM, "key.der", "holds a private key");
	outcome_is(PAIR("good.crt", "certificate.der"), SKIFF_FILE_NOT_PEM, "certificate.der", "holds a certificate");
	outcome_is(PAIR("cut.der", "key.der"), SKIFF_FILE_NOT_PEM, "cut.der", "DER of another kind");
	outcome_is(PAIR("good.crt", "cut.der"), SKIFF_FILE_NOT_PEM, "cut.der", "DER of another kind");
}

static void bad_ca_files(void **state)
{
	(void)state;
	outcome_is(CA("nothere"), SKIFF_FILE_MISSING, "nothere", "does not exist");
	outcome_is(CA("folder"), SKIFF_FILE_UNREADABLE, "folder", "is a directory");
	outcome_is(CA("empty"), SKIFF_FILE_NOT_PEM, "empty", "is empty");
	outcome_is(CA("prose"), SKIFF_FILE_NOT_PEM, "prose", "holds no PEM");
	outcome_is(CA("good.key"), SKIFF_FILE_NOT_PEM, "good.key", "holds a private key");
	outcome_is(CA("request.csr"), SKIFF_FILE_NOT_PEM, "request.csr", "certificate signing request");
	outcome_is(CA("key.der"), SKIFF_FILE_NOT_PEM, "key.der", "holds a private key");
	outcome_is(CA("sealed.p12"), SKIFF_FILE_KEY_PASSWORD, "sealed.p12", "no password was given");
	outcome_is(CA("damaged.crt"), SKIFF_FILE_NOT_PEM, "damaged.crt", "is damaged");
}

static void unreadable_file(void **state)
{
	(void)state;
	write_text("secret", "x");
	chmod(path_of("secret"), 0);
	if (access(path_of("secret"), R_OK))
		outcome_is(CA("secret"), SKIFF_FILE_UNREADABLE, "secret", "permission denied");
}

static void bad_ca_dirs(void **state)
{
	(void)state;
	outcome_is(&(struct skiff_tls_options){.ca_dir = path_of("nothere")}, SKIFF_FILE_MISSING, "nothere",
		"no such file");
	outcome_is(&(struct skiff_tls_options){.ca_dir = path_of("good.crt")}, SKIFF_FILE_UNREADABLE, "good.crt",
		"not a directory");
	outcome_is(&(struct skiff_tls_options){.ca_dir = path_of("folder")}, SKIFF_FILE_NOT_PEM, "folder",
		"openssl rehash");
	write_pem("folder/0123abcd.0", certificate, NULL, NULL, NULL);
	outcome_is(&(struct skiff_tls_options){.ca_dir = path_of("folder")}, SKIFF_OK, "", "");
}

static void bad_keys(void **state)
{
	(void)state;
	outcome_is(PAIR("good.crt", "nothere"), SKIFF_FILE_MISSING, "nothere", "key file");
	outcome_is(PAIR("good.crt", "public.key"), SKIFF_FILE_NOT_PEM, "public.key", "holds a public key");
	outcome_is(PAIR("good.crt", "good.crt"), SKIFF_FILE_NOT_PEM, "good.crt", "should hold a private key");
	outcome_is(PAIR("good.crt", "openssh.key"), SKIFF_FILE_NOT_PEM, "openssh.key", "ssh-keygen");
	outcome_is(PAIR("good.crt", "damaged.key"), SKIFF_FILE_NOT_PEM, "damaged.key", "is damaged");
	outcome_is(PAIR("good.crt", "prose"), SKIFF_FILE_NOT_PEM, "prose", "holds no PEM");
	outcome_is(PAIR("chain.crt", "other.key"), SKIFF_FILE_MISSING, "other.key", "");
	write_pem("other.key", NULL, NULL, other_key, NULL);
	outcome_is(PAIR("good.crt", "other.key"), SKIFF_FILE_KEY_MISMATCH, "other.key", "does not belong");
	outcome_is(
		PAIR("upside-down.crt", "good.key"), SKIFF_FILE_KEY_MISMATCH, "upside-down.crt", "must be the first");
	outcome_is(&(struct skiff_tls_options){.cert_file = path_of("good.crt")}, SKIFF_FILE_NOT_PEM, "good.crt",
		"should hold a private key");
	outcome_is(&(struct skiff_tls_options){.key_file = path_of("good.key")}, SKIFF_USAGE_OPTION, "good.key",
		"without a certificate");
}

static int give_text(char *buffer, size_t size, void *user)
{
	size_t len = strlen(user);
	assert_true(size > len);
	memcpy(buffer, user, len);
	return (int)len;
}

static int refuse(char *buffer, size_t size, void *user)
{
	(void)buffer, (void)size, (void)user;
	return -1;
}

static int give_too_much(char *buffer, size_t size, void *user)
{
	(void)buffer, (void)user;
	return (int)size + 1;
}

static void key_passwords(void **state)
{
	struct skiff_tls_options options = *PAIR("good.crt", "locked.key");
	(void)state;
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "locked.key", "is encrypted, and no password was given");
	options.key_password = refuse;
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "locked.key", "no password was given");
	options.key_password = give_too_much;
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "locked.key", "no password was given");
	options.key_password = give_text;
	options.key_password_user = (void *)"wrong";
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "locked.key", "does not open");
	options.key_password_user = (void *)"";
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "locked.key", "does not open");
	options.key_password_user = (void *)"secret";
	outcome_is(&options, SKIFF_OK, "", "");
}

/* Also of a bundle whose cipher only OpenSSL's provider of old ones has. */
static void passwords_of_other_forms(void **state)
{
	static const char *const files[] = {"sealed.p12", "old.p12"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct skiff_tls_options options = {.cert_file = path_of(files[i])};
		outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, files[i], "no password was given");
		options.key_password = refuse;
		outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, files[i], "no password was given");
		options.key_password = give_text;
		options.key_password_user = (void *)"wrong";
		outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, files[i], "does not open");
		options.key_password_user = (void *)"sesame";
		outcome_is(&options, SKIFF_OK, "", "");
	}
	struct skiff_tls_options options = {.cert_file = path_of("good.crt"), .key_file = path_of("sealed.der")};
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "sealed.der", "no password was given");
	options.key_password = give_text;
	options.key_password_user = (void *)"wrong";
	outcome_is(&options, SKIFF_FILE_KEY_PASSWORD, "sealed.der", "does not open");
	options.key_password_user = (void *)"sesame";
	outcome_is(&options, SKIFF_OK, "", "");
}

static void bad_options(void **state)
{
	(void)state;
	outcome_is(&(struct skiff_tls_options){.server_name = ""}, SKIFF_USAGE_OPTION, "", "server name");
	outcome_is(&(struct skiff_tls_options){.server_name = "a b"}, SKIFF_USAGE_OPTION, "a b", "server name");
	outcome_is(&(struct skiff_tls_options){.alpn = ""}, SKIFF_USAGE_OPTION, "", "ALPN");
	outcome_is(&(struct skiff_tls_options){.alpn = "a,,b"}, SKIFF_USAGE_OPTION, "a,,b", "ALPN");
	outcome_is(&(struct skiff_tls_options){.alpn = "mqtt,x"}, SKIFF_OK, "", "");
	outcome_is(&(struct skiff_tls_options){.crl_file = path_of("good.crt")}, SKIFF_FILE_NOT_PEM, "good.crt",
		"should hold a revocation list");
	outcome_is(&(struct skiff_tls_options){.crl_file = path_of("nothere")}, SKIFF_FILE_MISSING, "nothere", "");
}

/* ---- names ---- */

struct names {
	const char *url;
	struct skiff_tls_options options;
	const char *sni;    /* NULL: none */
	const char *verify; /* NULL: none */
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void names_to_send_and_to_verify(void **state)
{
	static const struct names all[] = {
		{"tls://host.example", {0}, "host.example", "host.example"},
		{"tls://host.example.", {0}, "host.example", "host.example"},
		{"tls://127.0.0.1", {0}, NULL, "127.0.0.1"},
		{"tls://[::1]", {0}, NULL, "::1"},
		{"tls://[fe80::1%25lo]", {0}, NULL, "fe80::1"},
		{"tls://127.0.0.1", {.server_name = "other.example"}, "other.example", "other.example"},
		{"tls://host.example", {.server_name = "10.0.0.1"}, NULL, "10.0.0.1"},
		{"tls://host.example", {.no_server_name = true}, NULL, "host.example"},
		{"tls://host.example", {.insecure_skip_name = true}, "host.example", NULL},
		{"tls://host.example", {.insecure_skip_chain = true}, "host.example", "host.example"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct skiffi_endpoint *endpoint = skiffi_endpoint_new(all[i].url, NULL);
		struct skiffi_tls_context *context = skiffi_tls_context_new(&all[i].options, endpoint, NULL);
		assert_non_null(context);
		if (!same(skiffi_tls_context_sni(context), all[i].sni) ||
			!same(skiffi_tls_context_verify_name(context), all[i].verify))
			fail_msg("row %zu", i);
		skiffi_tls_context_free(context);
		skiffi_endpoint_free(endpoint);
	}
}

static void policy(void **state)
{
	(void)state;
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new("wss://host.example", NULL);
	struct skiffi_tls_context *context = skiffi_tls_context_new(&(struct skiff_tls_options){0}, endpoint, NULL);
	SSL *ssl = skiffi_tls_context_new_ssl(context);
	assert_int_equal(SSL_get_min_proto_version(ssl), TLS1_2_VERSION);
	assert_int_equal(SSL_get_verify_mode(ssl), SSL_VERIFY_PEER);
	assert_true(SSL_get_options(ssl) & SSL_OP_NO_RENEGOTIATION);
	SSL_free(ssl);
	skiffi_tls_context_free(context);
	skiffi_endpoint_free(endpoint);
	skiffi_tls_context_free(NULL);
}

/* Strange connections are never accepted: an SSL of the context that nobody tied to a report. */
static void unattached_is_refused(void **state)
{
	(void)state;
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new("tls://localhost", NULL);
	struct skiffi_tls_context *context =
		skiffi_tls_context_new(&(struct skiff_tls_options){.insecure_skip_chain = true}, endpoint, NULL);
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server_ctx, certificate);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	SSL *client = skiffi_tls_context_new_ssl(context), *server = SSL_new(server_ctx);
	BIO *near = NULL, *far = NULL;
	assert_true(BIO_new_bio_pair(&near, 65536, &far, 65536));
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	int done = -1;
	for (int i = 0; i < 5 && done <= 0; i++) {
		done = SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	assert_int_not_equal(done, 1);
	assert_int_equal(SSL_get_verify_result(client), X509_V_ERR_APPLICATION_VERIFICATION);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(server_ctx);
	skiffi_tls_context_free(context);
	skiffi_endpoint_free(endpoint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files),
		cmocka_unit_test(files_of_other_forms),
		cmocka_unit_test(passwords_of_other_forms),
		cmocka_unit_test(bad_ca_files),
		cmocka_unit_test(unreadable_file),
		cmocka_unit_test(bad_ca_dirs),
		cmocka_unit_test(bad_keys),
		cmocka_unit_test(key_passwords),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(names_to_send_and_to_verify),
		cmocka_unit_test(policy),
		cmocka_unit_test(unattached_is_refused),
	};
	return cmocka_run_group_tests_name("tls_context", tests, make_files, remove_files);
}
