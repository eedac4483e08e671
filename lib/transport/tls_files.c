/* SPDX-License-Identifier: Apache-2.0 */
/* tls_files.c: files of certificates, keys and revocation lists.
 *
 * Happy path: the whole file goes into a memory BIO (which wipes itself), and OpenSSL reads PEM from there; what is not
 * text goes to tls_binary.c.
 * Failure: what OpenSSL cannot read is looked at once more, to say what the file holds instead and how to convert it.
 */
#include "transport/tls_files.h"

#include "base/error.h"
#include "transport/tls_binary.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { FILE_MAX_BYTES = 16 * 1024 * 1024 };

/* ---- reading ---- */

static bool file_check(int fd, const char *path, const char *what, struct skiff_error *error)
{
	struct stat status;
	if (fd < 0 && errno == ENOENT)
		skiffi_fail(error, SKIFF_FILE_MISSING, errno, "%s \"%s\" does not exist", what, path);
	else if (fd < 0)
		skiffi_fail(error, SKIFF_FILE_UNREADABLE, errno, "cannot read %s \"%s\": %s", what, path,
			uv_strerror(-errno));
	else if (!fstat(fd, &status) && S_ISDIR(status.st_mode))
		skiffi_fail(
			error, SKIFF_FILE_UNREADABLE, EISDIR, "cannot read %s \"%s\": it is a directory", what, path);
	else
		return true;
	return false;
}

static bool file_copy(int fd, BIO *bio, const char *path, const char *what, struct skiff_error *error)
{
	char buffer[4096];
	size_t total = 0;
	ssize_t got;
	while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		total += (size_t)got;
		if (total > FILE_MAX_BYTES || BIO_write(bio, buffer, (int)got) != got)
			break;
	}
	OPENSSL_cleanse(buffer, sizeof buffer);
	if (got < 0)
		skiffi_fail(error, SKIFF_FILE_UNREADABLE, errno, "cannot read %s \"%s\": %s", what, path,
			uv_strerror(-errno));
	else if (total > FILE_MAX_BYTES)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s \"%s\" is larger than 16 MiB", what, path);
	else if (got > 0)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	else if (!total)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s \"%s\" is empty", what, path);
	else
		return true;
	return false;
}

/* Some editors begin UTF-8 text with a mark, which would hide the line behind it. */
static void file_skip_mark(BIO *bio)
{
	char *data, mark[3];
	if (BIO_get_mem_data(bio, &data) > (long)sizeof mark && !memcmp(data, "\xef\xbb\xbf", sizeof mark))
		BIO_read(bio, mark, sizeof mark);
}

/* The file's bytes, the caller's; NULL with `*error`. */
static BIO *file_open(const char *path, const char *what, struct skiff_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	BIO *bio = NULL;
	if (!file_check(fd, path, what, error))
		goto out;
	bio = BIO_new(BIO_s_mem());
	if (!bio) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		goto out;
	}
	if (!file_copy(fd, bio, path, what, error)) {
		BIO_free(bio);
		bio = NULL;
	} else {
		file_skip_mark(bio);
	}
out:
	if (fd >= 0)
		close(fd);
	return bio;
}

/* ---- saying what is in it ---- */

struct file_label {
	const char *label; /* the end of the line "-----BEGIN label-----" */
	const char *holds;
};

/* The first whose label fits counts. */
static const struct file_label file_labels[] = {
	{"CERTIFICATE REQUEST", "a certificate signing request; use the certificate that the CA made of it"},
	{"OPENSSH PRIVATE KEY", "a private key in OpenSSH's own format; convert it with: ssh-keygen -p -m PEM -f FILE"},
	{"PRIVATE KEY", "a private key"},
	{"PUBLIC KEY", "a public key"},
	{"X509 CRL", "a revocation list"},
	{"PKCS7", "a PKCS#7 bundle; convert it with: openssl pkcs7 -print_certs -in FILE"},
	{"CERTIFICATE", "a certificate"},
	{"EC PARAMETERS", "parameters of a key but no key"},
};

static bool label_ends_with(const char *label, size_t len, const char *end)
{
	size_t end_len = strlen(end);
	return len >= end_len && !memcmp(label + len - end_len, end, end_len);
}

/* What the first PEM block is; NULL when there is none. */
static const char *file_pem_holds(const char *data, size_t len)
{
	static const char begin[] = "-----BEGIN ";
	const char *at = memmem(data, len, begin, sizeof begin - 1);
	if (!at)
		return NULL;
	at += sizeof begin - 1;
	const char *end = memmem(at, len - (size_t)(at - data), "-----", 5);
	for (size_t i = 0; end && i < sizeof file_labels / sizeof file_labels[0]; i++)
		if (label_ends_with(at, (size_t)(end - at), file_labels[i].label))
			return file_labels[i].holds;
	return "PEM of another kind";
}

/* What is no PEM. */
static const char *file_other_holds(const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	if (len > 1 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff)))
		return "UTF-16 text; save it as plain text";
	if (!skiffi_tls_binary_is(data, len))
		return NULL;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	X509_free(certificate);
	if (certificate)
		return "a certificate";
	at = (const unsigned char *)data;
	PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)len);
	PKCS12_free(bundle);
	if (bundle)
		return "a PKCS#12 bundle";
	at = (const unsigned char *)data;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)len);
	EVP_PKEY_free(key);
	return key ? "a private key" : "DER of another kind";
}

/* The error for a file in which no `wanted` could be read. */
static void file_explain(const char *path, const char *what, const char *wanted, struct skiff_error *error)
{
	char *data;
	BIO *bio = file_open(path, what, error);
	if (!bio)
		return;
	long len = BIO_get_mem_data(bio, &data);
	const char *holds = file_pem_holds(data, (size_t)len);
	bool right_kind = holds && !strcmp(holds, wanted);
	if (!holds)
		holds = file_other_holds(data, (size_t)len);
	if (right_kind)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s \"%s\" is damaged: %s in it cannot be read", what, path,
			wanted);
	else if (!holds)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"%s \"%s\" holds no PEM (no line \"-----BEGIN ...-----\"), DER or PKCS#12", what, path);
	else
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s \"%s\" should hold %s, but holds %s", what, path, wanted,
			holds);
	ERR_clear_error();
	BIO_free(bio);
}

/* OpenSSL must never ask a terminal. */
static int file_no_password(char *buffer, int size, int writing, void *user)
{
	(void)buffer, (void)size, (void)writing, (void)user;
	return -1;
}

/* Whether the last failure means "no further block". */
static bool file_at_end(void)
{
	unsigned long reason = ERR_peek_last_error();
	return ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
}

/* ---- kinds ---- */

/* The bytes, if they are not PEM. */
static bool file_is_binary(BIO *bio, struct skiffi_tls_binary *binary)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	if (!skiffi_tls_binary_is(data, (size_t)len))
		return false;
	binary->data = (const unsigned char *)data;
	binary->len = (size_t)len;
	return true;
}

bool skiffi_tls_file_is_binary(const char *path)
{
	struct skiffi_tls_binary binary;
	struct skiff_error ignored;
	BIO *bio = file_open(path, "", &ignored);
	bool is = bio && file_is_binary(bio, &binary);
	BIO_free(bio);
	return is;
}

static STACK_OF(X509) * pem_certificates(BIO *bio, const char *path, const char *what, struct skiff_error *error)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	X509 *certificate = NULL;
	while (list && (certificate = PEM_read_bio_X509_AUX(bio, NULL, file_no_password, NULL)))
		if (!sk_X509_push(list, certificate))
			break;
	if (list && !certificate && sk_X509_num(list) && file_at_end())
		return list;
	if (!list || certificate)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	else
		file_explain(path, what, "a certificate", error);
	X509_free(certificate);
	sk_X509_pop_free(list, X509_free);
	return NULL;
}

STACK_OF(X509) * skiffi_tls_read_certificates(const char *path, const char *what, skiff_key_password_fn password,
			 void *user, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.path = path, .what = what, .ask = password, .user = user};
	STACK_OF(X509) *list = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = file_open(path, what, error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		list = pem_certificates(bio, path, what, error);
	else if (!(list = skiffi_tls_binary_certificates(&binary, error)) && error->code == SKIFF_OK)
		file_explain(path, what, "a certificate", error);
	ERR_clear_error();
	BIO_free(bio);
	return list;
}

static STACK_OF(X509_CRL) * pem_crls(BIO *bio, const char *path, struct skiff_error *error)
{
	STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();
	X509_CRL *crl = NULL;
	while (list && (crl = PEM_read_bio_X509_CRL(bio, NULL, file_no_password, NULL)))
		if (!sk_X509_CRL_push(list, crl))
			break;
	if (list && !crl && sk_X509_CRL_num(list) && file_at_end())
		return list;
	if (!list || crl)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	else
		file_explain(path, "revocation list", "a revocation list", error);
	X509_CRL_free(crl);
	sk_X509_CRL_pop_free(list, X509_CRL_free);
	return NULL;
}

STACK_OF(X509_CRL) * skiffi_tls_read_crls(const char *path, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.path = path, .what = "revocation list"};
	STACK_OF(X509_CRL) *list = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = file_open(path, "revocation list", error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		list = pem_crls(bio, path, error);
	else if (!(list = skiffi_tls_binary_crls(&binary, error)) && error->code == SKIFF_OK)
		file_explain(path, "revocation list", "a revocation list", error);
	ERR_clear_error();
	BIO_free(bio);
	return list;
}

/* The user's password callback behind OpenSSL's, and what became of it. */
struct key_password {
	skiff_key_password_fn ask;
	void *user;
	bool asked, refused;
};

static int key_give_password(char *buffer, int size, int writing, void *user)
{
	struct key_password *password = user;
	(void)writing;
	password->asked = true;
	int len = password->ask ? password->ask(buffer, (size_t)size, password->user) : -1;
	password->refused = len < 0 || len > size;
	return password->refused ? -1 : len;
}

static EVP_PKEY *pem_key(BIO *bio, const char *path, skiff_key_password_fn ask, void *user, struct skiff_error *error)
{
	struct key_password password = {ask, user, false, false};
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, key_give_password, &password);
	if (key)
		return key;
	if (password.asked && !ask)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0,
			"the private key in \"%s\" is encrypted, and no password was given", path);
	else if (password.asked && password.refused)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0,
			"no password was given for the encrypted private key in \"%s\"", path);
	else if (password.asked)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0, "the password does not open the private key in \"%s\"",
			path);
	else
		file_explain(path, "key file", "a private key", error);
	return NULL;
}

EVP_PKEY *skiffi_tls_read_key(const char *path, skiff_key_password_fn ask, void *user, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.path = path, .what = "key file", .ask = ask, .user = user};
	EVP_PKEY *key = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = file_open(path, "key file", error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		key = pem_key(bio, path, ask, user, error);
	else if (!(key = skiffi_tls_binary_key(&binary, error)) && error->code == SKIFF_OK)
		file_explain(path, "key file", "a private key", error);
	ERR_clear_error();
	BIO_free(bio);
	return key;
}

/* ---- text ---- */

void skiffi_tls_name_text(char *out, size_t size, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_read(bio, out, (int)size - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
}

void skiffi_tls_date_text(char *out, size_t size, const ASN1_TIME *date)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(date, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(out, size, "an unreadable date");
}
