/* SPDX-License-Identifier: Apache-2.0 */
/* cert_csr.c: `skiff cert csr`: a key that only its owner can read, and a signing request for a CA.
 *
 * Happy path: 1. the key file: an existing one is used, else a key is made and written with mode 0600; 2. the request,
 * PKCS#10 with SHA-256 [RFC 2986]; 3. the steps that follow.
 * Failure: nothing that is there is written over, but an older request. */
#include "cert_file.h"
#include "cert_words.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_text.h"
#include "commands.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CSR_RSA_BITS = 2048, CSR_NAME_MAX = 64 };
enum { CSR_EC, CSR_RSA, CSR_ED25519 };

struct csr_params {
	const char *cn, *org, *country, *key, *out, *key_password_file;
	int key_type;
};

static const struct cli_word csr_key_types[] = {{"ec", CSR_EC}, {"rsa", CSR_RSA}, {"ed25519", CSR_ED25519}, {NULL, 0}};

#define FIELD(member) offsetof(struct csr_params, member)

static const struct cli_option csr_subject_options[] = {
	{.name = "cn",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(cn),
		.help = "whose certificate it is to be (CN), such as a device's name; default this host's name"},
	{.name = "org",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(org),
		.help = "the organisation (O); default skiff"},
	{.name = "country",
		.type = CLI_STRING,
		.value = "CC",
		.field = FIELD(country),
		.help = "the country (C), two letters; default GB"},
};

static const struct cli_option csr_file_options[] = {
	{.name = "key",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key),
		.help = "the private key: used if it is there, else made; default client.key"},
	{.name = "key-type",
		.type = CLI_ENUM,
		.value = "TYPE",
		.field = FIELD(key_type),
		.words = csr_key_types,
		.fallback = CSR_EC,
		.help = "the kind of key to make: ec (P-256, default), rsa (2048 bits) or ed25519, which few brokers "
			"take"},
	{.name = "key-password-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key_password_file),
		.help = "file with a password to encrypt a new key by, or to open an existing one; default "
			"SKIFF_KEY_PASSWORD, else none"},
	{.name = "out",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(out),
		.help = "the signing request; '-' is standard output, without the steps that follow; default "
			"client.csr"},
};

static const struct cli_group csr_groups[] = {
	CLI_GROUP("Subject", csr_subject_options, 0), CLI_GROUP("Files", csr_file_options, 0), {0}};

/* OpenSSL's newest reason, for sentences. */
static const char *csr_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return reason ? reason : "out of memory";
}

/* ---- the key ---- */

static EVP_PKEY *key_make(int type)
{
	if (type == CSR_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)CSR_RSA_BITS);
	return type == CSR_EC ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* Writes the whole of it into a file that is not there yet. */
static int file_write_new(const struct cli_context *context, const char *path, BIO *text)
{
	char *data;
	long len = BIO_get_mem_data(text, &data);
	struct iovec whole = {data, (size_t)len};
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : cli_write(fd, &whole, 1);
	if (fd >= 0 && close(fd) != 0 && !error)
		error = errno;
	if (!error)
		return CLI_EXIT_OK;
	if (fd >= 0)
		unlink(path);
	cli_say(context, "cannot write '%s': %s", path, strerror(error));
	return CLI_EXIT_FILE;
}

static int key_write(
	const struct cli_context *context, const char *path, const EVP_PKEY *key, const struct cli_secret *password)
{
	BIO *text = BIO_new(BIO_s_secmem());
	const EVP_CIPHER *cipher = password->data ? EVP_aes_256_cbc() : NULL;
	int code = CLI_EXIT_FAILURE;
	if (text && PEM_write_bio_PKCS8PrivateKey(text, key, cipher, password->data, (int)password->len, NULL, NULL))
		code = file_write_new(context, path, text);
	else
		cli_say(context, "cannot write the key: %s", csr_reason());
	BIO_free(text);
	return code;
}

/* The key that is there; the caller's. */
static int key_read(
	const struct cli_context *context, const char *path, const struct cli_secret *password, EVP_PKEY **key)
{
	struct cert_items items;
	char why[CERT_WHY_BYTES];
	bool read = cert_file_read(path, password, &items, why);
	const struct cert_item *item = read ? cert_file_first(&items, CERT_PRIVATE_KEY) : NULL;
	int code = CLI_EXIT_FILE;
	if (item && item->key) {
		*key = item->key;
		EVP_PKEY_up_ref(*key);
		cli_secret_file_check(context, path);
		code = CLI_EXIT_OK;
	} else if (item) {
		cli_say(context, "the private key in '%s' cannot be used: %s", path, cert_fault_text(item->fault));
	} else if (read) {
		cli_say(context, "file '%s' should hold a private key, but holds %s; name another one by '--key'", path,
			cert_kind_text(items.list[0].kind));
	} else {
		cli_say(context, "%s; name another one by '--key'", why);
	}
	cert_items_free(&items);
	return code;
}

static int key_get(const struct cli_context *context, const struct csr_params *params, const char *path, EVP_PKEY **key,
	bool *made)
{
	struct cli_secret password = {0};
	int code = params->key_password_file ? cli_password_from_file(context, params->key_password_file, &password)
					     : cli_password_from_environment(context, "SKIFF_KEY_PASSWORD", &password);
	*made = code == CLI_EXIT_OK && access(path, F_OK) != 0;
	if (*made) {
		*key = key_make(params->key_type);
		if (!*key)
			cli_say(context, "cannot make a key: %s", csr_reason());
		code = *key ? key_write(context, path, *key, &password) : CLI_EXIT_FAILURE;
	} else if (code == CLI_EXIT_OK) {
		code = key_read(context, path, &password, key);
	}
	cli_secret_wipe(&password);
	return code;
}

/* ---- the request ---- */

static bool name_add(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

static X509_REQ *request_make(const struct csr_params *params, const char *cn, EVP_PKEY *key)
{
	X509_REQ *request = X509_REQ_new();
	X509_NAME *name = request ? X509_REQ_get_subject_name(request) : NULL;
	bool plain =
		EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"); /* these have a digest of their own */
	if (name && X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
		name_add(name, "C", params->country ? params->country : "GB") &&
		name_add(name, "O", params->org ? params->org : "skiff") && name_add(name, "CN", cn) &&
		X509_REQ_set_pubkey(request, key) && X509_REQ_sign(request, key, plain ? NULL : EVP_sha256()))
		return request;
	X509_REQ_free(request);
	return NULL;
}

/* Whether nothing but an older request stands there. */
static bool request_may_go(const char *path)
{
	struct cert_items items;
	const struct cli_secret none = {0};
	char why[CERT_WHY_BYTES];
	if (access(path, F_OK) != 0)
		return true;
	bool may = cert_file_read(path, &none, &items, why) && items.count == 1 && items.list[0].kind == CERT_REQUEST;
	cert_items_free(&items);
	return may;
}

static int request_write(const struct cli_context *context, const char *path, X509_REQ *request)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *data;
	int code = CLI_EXIT_FAILURE;
	if (!text || !PEM_write_bio_X509_REQ(text, request)) {
		cli_say(context, "cannot write the request: %s", csr_reason());
	} else if (strcmp(path, "-") == 0) {
		long len = BIO_get_mem_data(text, &data);
		fwrite(data, 1, (size_t)len, stdout);
		code = CLI_EXIT_OK;
	} else {
		unlink(path);
		code = file_write_new(context, path, text);
		if (code == CLI_EXIT_OK)
			chmod(path, 0644); /* it is for others */
	}
	BIO_free(text);
	return code;
}

/* ---- the steps ---- */

static void steps_print(const char *key, const char *out, const EVP_PKEY *private_key, bool made)
{
	char kind[CERT_WORDS_BYTES], key_word[4 * PATH_MAX], out_word[4 * PATH_MAX];
	cert_key_text(kind, sizeof(kind), private_key);
	cli_shell_word(key_word, sizeof(key_word), key);
	cli_shell_word(out_word, sizeof(out_word), out);
	printf("%s  the private key, %s, %s\n", key_word, kind,
		made ? "made with mode 0600; it never leaves this machine" : "which was there");
	printf("%s  the signing request, which is no secret\n\n", out_word);
	printf("1. Have it signed. For test.mosquitto.org: paste %s into the form at\n"
	       "   https://test.mosquitto.org/ssl/ and keep the certificate that comes back, as client.crt, and that\n"
	       "   server's own CA; or\n\n"
	       "     curl -fsS --data-urlencode csr@%s https://test.mosquitto.org/ssl/index.php -o client.crt\n"
	       "     curl -fsSO https://test.mosquitto.org/ssl/mosquitto.org.crt\n\n"
	       "2. See whether it opens the door:\n\n"
	       "     skiff check mqtts://test.mosquitto.org:8884 --cafile mosquitto.org.crt --cert client.crt --key "
	       "%s\n",
		out_word, out_word, key_word);
}

/* A name of at most as many characters, not bytes, as X.509 allows [RFC 5280, ub-common-name]. */
static bool csr_name_fits(const struct cli_context *context, const char *option, const char *name)
{
	size_t characters = 0;
	for (const char *at = name ? name : ""; *at; at++)
		characters += ((unsigned char)*at & 0xc0) != 0x80;
	if (characters > CSR_NAME_MAX)
		cli_say(context, "option '%s': the name has %zu characters, a certificate's at most %d; shorten it",
			option, characters, CSR_NAME_MAX);
	return characters <= CSR_NAME_MAX;
}

static int csr_subject(const struct cli_context *context, const struct csr_params *params, char *host, size_t size)
{
	const char *country = params->country;
	if (country && (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)) {
		cli_say(context, "option '--country': '%s' is not two capital letters, such as GB", country);
		return CLI_EXIT_USAGE;
	}
	if ((params->cn && !*params->cn) || (params->org && !*params->org)) {
		cli_say(context, "option '%s': a name is needed", params->cn && !*params->cn ? "--cn" : "--org");
		return CLI_EXIT_USAGE;
	}
	if (!csr_name_fits(context, "--cn", params->cn) || !csr_name_fits(context, "--org", params->org))
		return CLI_EXIT_USAGE;
	if (gethostname(host, size) != 0 || !*host)
		snprintf(host, size, "client");
	host[size - 1] = '\0';
	return CLI_EXIT_OK;
}

static int csr_run(const struct cli_context *context, void *raw)
{
	const struct csr_params *params = raw;
	const char *path = params->key ? params->key : "client.key", *out = params->out ? params->out : "client.csr";
	char host[65]; /* as long as a CN may be [RFC 5280, ub-common-name] */
	EVP_PKEY *key = NULL;
	X509_REQ *request = NULL;
	bool made = false;
	int code = csr_subject(context, params, host, sizeof(host));
	if (code == CLI_EXIT_OK && strcmp(out, "-") != 0 && (strcmp(out, path) == 0 || !request_may_go(out))) {
		cli_say(context,
			"'%s' holds something else than a signing request and is not written over; name another file "
			"by '--out'",
			out);
		code = CLI_EXIT_FILE;
	}
	if (code == CLI_EXIT_OK)
		code = key_get(context, params, path, &key, &made);
	bool kept = code == CLI_EXIT_OK; /* the key's file is this process's doing, if it was made */
	if (code == CLI_EXIT_OK) {
		request = request_make(params, params->cn ? params->cn : host, key);
		if (!request)
			cli_say(context, "cannot make the request: %s", csr_reason());
		code = request ? request_write(context, out, request) : CLI_EXIT_FAILURE;
	}
	if (code != CLI_EXIT_OK && kept && made)
		unlink(path);
	if (code == CLI_EXIT_OK && strcmp(out, "-") != 0)
		steps_print(path, out, key, made);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return code;
}

const struct cli_command cmd_cert_csr = {
	.name = "cert csr",
	.summary = "make a private key and a signing request for a CA",
	.usage = "[OPTION]...",
	.description = "Makes a private key that only its owner can read, or uses the one that is there, and a signing "
		       "request "
		       "(PKCS#10, SHA-256) with country, organisation and name, as test.mosquitto.org and other CAs "
		       "want it. Then "
		       "says what to do with it. A key is never written over; the new one is PKCS#8 in PEM, "
		       "unencrypted unless "
		       "there is a password.",
	.examples = "# client.key and client.csr\nskiff cert csr --cn hall-sensor --org home --country GB\n"
		    "# with RSA, for a broker that takes nothing else\nskiff cert csr --key-type rsa --key rsa.key "
		    "--out rsa.csr\n",
	.groups = csr_groups,
	.params_size = sizeof(struct csr_params),
	.run = csr_run,
};
