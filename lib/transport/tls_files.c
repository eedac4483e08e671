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
#include "transport/tls_old.h"
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

/* ---- sources ---- */

struct skiffi_tls_source skiffi_tls_source(
	const char *what, const char *path, const char *option, struct skiff_bytes bytes)
{
	struct skiffi_tls_source source = {.path = path, .bytes = bytes};
	if (!path) {
		snprintf(source.subject, sizeof source.subject, "%s", option);
		return source;
	}
	snprintf(source.subject, sizeof source.subject, "%s \"%s\"", what, path);
	source.place = strlen(what) + 1;
	return source;
}

static const char *source_place(const struct skiffi_tls_source *source)
{
	return source->subject + source->place;
}

static bool source_unreadable(const struct skiffi_tls_source *source, int number, struct skiff_error *error)
{
	skiffi_fail(error, SKIFF_FILE_UNREADABLE, number, "cannot read %s: %s", source->subject, uv_strerror(-number));
	return false;
}

static bool source_check(const struct skiffi_tls_source *source, int fd, struct skiff_error *error)
{
	struct stat status;
	if (fd < 0 && errno == ENOENT) {
		skiffi_fail(error, SKIFF_FILE_MISSING, errno, "%s does not exist", source->subject);
		return false;
	}
	if (fd < 0)
		return source_unreadable(source, errno, error);
	if (!fstat(fd, &status) && S_ISDIR(status.st_mode)) {
		skiffi_fail(error, SKIFF_FILE_UNREADABLE, EISDIR, "cannot read %s: it is a directory", source->subject);
		return false;
	}
	return true;
}

static bool source_copy_file(
	const struct skiffi_tls_source *source, int fd, BIO *bio, size_t *total, struct skiff_error *error)
{
	char buffer[4096];
	ssize_t got;
	while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		*total += (size_t)got;
		if (*total > FILE_MAX_BYTES || BIO_write(bio, buffer, (int)got) != got)
			break;
	}
	OPENSSL_cleanse(buffer, sizeof buffer);
	if (got < 0)
		return source_unreadable(source, errno, error);
	if (got > 0 && *total <= FILE_MAX_BYTES)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	return !got || *total > FILE_MAX_BYTES;
}

static bool source_copy(const struct skiffi_tls_source *source, BIO *bio, size_t *total, struct skiff_error *error)
{
	int fd = source->path ? open(source->path, O_RDONLY | O_CLOEXEC) : -1;
	if (source->path) {
		bool ok = source_check(source, fd, error) && source_copy_file(source, fd, bio, total, error);
		if (fd >= 0)
			close(fd);
		return ok;
	}
	*total = source->bytes.len;
	if (*total > FILE_MAX_BYTES || !*total || BIO_write(bio, source->bytes.data, (int)*total) == (int)*total)
		return true;
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

/* Some editors begin UTF-8 text with a mark, which would hide the line behind it. */
static void source_skip_mark(BIO *bio)
{
	char *data, mark[3];
	if (BIO_get_mem_data(bio, &data) > (long)sizeof mark && !memcmp(data, "\xef\xbb\xbf", sizeof mark))
		BIO_read(bio, mark, sizeof mark);
}

/* Whether text ends within a block, as a file does that is being written. */
static bool source_is_cut(BIO *bio)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	char *data;
	size_t len = (size_t)BIO_get_mem_data(bio, &data);
	const char *at = data, *open;
	while ((open = memmem(at, len - (size_t)(at - data), begin, sizeof begin - 1))) {
		const char *close = memmem(open, len - (size_t)(open - data), end, sizeof end - 1);
		if (!close ||
			!memmem(close + sizeof end - 1, len - (size_t)(close + sizeof end - 1 - data), "-----", 5))
			return true;
		at = close + sizeof end - 1;
	}
	return false;
}

/* Its bytes, the caller's; NULL with `*error`. */
static BIO *source_open(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	size_t total = 0;
	BIO *bio = BIO_new(BIO_s_mem());
	if (!bio) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (source_copy(source, bio, &total, error)) {
		source_skip_mark(bio);
		if (!total)
			skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s is empty", source->subject);
		else if (total > FILE_MAX_BYTES)
			skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s is larger than 16 MiB", source->subject);
		else if (source_is_cut(bio))
			skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
				"%s is damaged: it ends within a block that begins with \"-----BEGIN\"",
				source->subject);
		else
			return bio;
	}
	BIO_free(bio);
	return NULL;
}

/* ---- saying what is in it ---- */

struct file_label {
	const char *label; /* the end of the line "-----BEGIN label-----" */
	const char *holds;
};

/* The first whose label fits counts. */
static const struct file_label file_labels[] = {
	{"CERTIFICATE REQUEST", "a certificate signing request; use the certificate that the CA made of it"},
	{"OPENSSH PRIVATE KEY",
		"a private key in OpenSSH's own format; convert it with: ssh-keygen -p -m PKCS8 -f FILE"},
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

/* The error for a source in which no `wanted` could be read. */
static void file_explain(const struct skiffi_tls_source *source, const char *wanted, struct skiff_error *error)
{
	char *data;
	BIO *bio = source_open(source, error);
	if (!bio)
		return;
	long len = BIO_get_mem_data(bio, &data);
	const char *holds = file_pem_holds(data, (size_t)len);
	bool right_kind = holds && !strcmp(holds, wanted);
	if (!holds)
		holds = file_other_holds(data, (size_t)len);
	if (right_kind)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s is damaged: %s in it cannot be read", source->subject,
			wanted);
	else if (!holds)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"%s holds no PEM (no line \"-----BEGIN ...-----\"), DER or PKCS#12", source->subject);
	else
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0, "%s should hold %s, but holds %s", source->subject, wanted,
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
	struct skiffi_tls_source source = skiffi_tls_source("", path, "", (struct skiff_bytes){0});
	struct skiffi_tls_binary binary;
	struct skiff_error ignored;
	BIO *bio = source_open(&source, &ignored);
	bool is = bio && file_is_binary(bio, &binary);
	BIO_free(bio);
	return is;
}

static STACK_OF(X509) * pem_certificates(const struct skiffi_tls_source *source, BIO *bio, struct skiff_error *error)
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
		file_explain(source, "a certificate", error);
	X509_free(certificate);
	sk_X509_pop_free(list, X509_free);
	return NULL;
}

STACK_OF(X509) * skiffi_tls_read_certificates(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.source = source};
	STACK_OF(X509) *list = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = source_open(source, error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		list = pem_certificates(source, bio, error);
	else if (!(list = skiffi_tls_binary_certificates(&binary, error)) && error->code == SKIFF_OK)
		file_explain(source, "a certificate", error);
	ERR_clear_error();
	BIO_free(bio);
	return list;
}

static STACK_OF(X509_CRL) * pem_crls(const struct skiffi_tls_source *source, BIO *bio, struct skiff_error *error)
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
		file_explain(source, "a revocation list", error);
	X509_CRL_free(crl);
	sk_X509_CRL_pop_free(list, X509_CRL_free);
	return NULL;
}

STACK_OF(X509_CRL) * skiffi_tls_read_crls(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.source = source};
	STACK_OF(X509_CRL) *list = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = source_open(source, error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		list = pem_crls(source, bio, error);
	else if (!(list = skiffi_tls_binary_crls(&binary, error)) && error->code == SKIFF_OK)
		file_explain(source, "a revocation list", error);
	ERR_clear_error();
	BIO_free(bio);
	return list;
}

int skiffi_tls_give_password(char *buffer, int size, int writing, void *user)
{
	struct skiffi_tls_password *password = user;
	const struct skiffi_tls_source *source = password->source;
	(void)writing;
	password->asked = true;
	int len = source->ask ? source->ask(buffer, (size_t)size, source->user) : -1;
	password->refused = len < 0 || len > size;
	return password->refused ? -1 : len;
}

static bool source_has(const struct skiffi_tls_source *source, const char *text)
{
	struct skiff_error ignored;
	char *data;
	BIO *bio = source_open(source, &ignored);
	size_t len = bio ? (size_t)BIO_get_mem_data(bio, &data) : 0;
	bool has = len && memmem(data, len, text, strlen(text));
	BIO_free(bio);
	return has;
}

/* Once more, for which the password is asked once more: it may be by a cipher of old (DES, RC2) that it is encrypted.
 */
static EVP_PKEY *pem_key_of_old(struct skiffi_tls_password *password, struct skiff_error *error)
{
	struct skiffi_tls_old old;
	BIO *bio = source_open(password->source, error);
	EVP_PKEY *found = NULL;
	if (bio && skiffi_tls_old_open(&old))
		found = PEM_read_bio_PrivateKey_ex(bio, NULL, skiffi_tls_give_password, password, old.libctx, NULL);
	EVP_PKEY *key = skiffi_tls_old_bring_key(found);
	EVP_PKEY_free(found);
	if (bio)
		skiffi_tls_old_close(&old);
	BIO_free(bio);
	return key;
}

static EVP_PKEY *pem_key(const struct skiffi_tls_source *source, BIO *bio, struct skiff_error *error)
{
	struct skiffi_tls_password password = {source, false, false};
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, skiffi_tls_give_password, &password);
	const char *place = source_place(source);
	if (!key && password.asked && !password.refused)
		key = pem_key_of_old(&password, error);
	if (key)
		return key;
	if (password.asked && !source->ask)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0,
			"the private key in %s is encrypted, and no password was given", place);
	else if (password.asked && password.refused)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0,
			"no password was given for the encrypted private key in %s", place);
	else if (password.asked && source_has(source, "DEK-Info: DES-CBC,"))
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0,
			"the private key in %s is encrypted with DES, as of old; make it anew: openssl pkey -provider "
			"legacy "
			"-provider default -in FILE -aes256 -out NEW",
			place);
	else if (password.asked)
		skiffi_fail(
			error, SKIFF_FILE_KEY_PASSWORD, 0, "the password does not open the private key in %s", place);
	else
		file_explain(source, "a private key", error);
	return NULL;
}

EVP_PKEY *skiffi_tls_read_key(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	struct skiffi_tls_binary binary = {.source = source};
	EVP_PKEY *key = NULL;
	error->code = SKIFF_OK;
	ERR_clear_error();
	BIO *bio = source_open(source, error);
	if (!bio)
		return NULL;
	if (!file_is_binary(bio, &binary))
		key = pem_key(source, bio, error);
	else if (!(key = skiffi_tls_binary_key(&binary, error)) && error->code == SKIFF_OK)
		file_explain(source, "a private key", error);
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

time_t skiffi_tls_earlier(time_t than, const ASN1_TIME *date)
{
	int days, seconds;
	if (!date || !ASN1_TIME_diff(&days, &seconds, NULL, date))
		return than;
	time_t its = time(NULL) + (time_t)days * 24 * 3600 + seconds;
	return its < than ? its : than;
}
