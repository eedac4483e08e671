/* SPDX-License-Identifier: Apache-2.0 */
/* cert_file.c: files taken apart by OpenSSL.
 *
 * Happy path: the bytes; text is PEM, block by block, each decoded by its label; the rest is one of the forms of DER,
 * and which one is a matter of trying. Failure: a block that cannot be decoded stays in the list with its fault, so
 * that all of them can be told. */
#include "cert_file.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 16 * 1024 * 1024, FILE_ITEMS_MAX = 100000 };

/* ---- the list ---- */

static struct cert_item *items_add(struct cert_items *items, enum cert_kind kind)
{
	bool full = (items->count & (items->count - 1)) == 0; /* room for the next power of two */
	if (items->count == FILE_ITEMS_MAX)
		return NULL;
	if (full) {
		size_t room = items->count ? items->count * 2 : 1;
		struct cert_item *list = realloc(items->list, room * sizeof(*list));
		if (!list)
			return NULL;
		items->list = list;
	}
	struct cert_item *item = &items->list[items->count++];
	*item = (struct cert_item){.kind = kind};
	return item;
}

static void items_add_certificate(struct cert_items *items, X509 *certificate)
{
	struct cert_item *item = certificate ? items_add(items, CERT_CERTIFICATE) : NULL;
	if (item)
		item->certificate = certificate;
	else
		X509_free(certificate);
}

static void items_add_key(struct cert_items *items, enum cert_kind kind, EVP_PKEY *key, bool encrypted)
{
	struct cert_item *item = key ? items_add(items, kind) : NULL;
	if (!item) {
		EVP_PKEY_free(key);
		return;
	}
	item->key = key;
	item->encrypted = encrypted;
}

static void items_add_fault(struct cert_items *items, enum cert_kind kind, enum cert_fault fault)
{
	struct cert_item *item = items_add(items, kind);
	if (item) {
		item->fault = fault;
		item->encrypted = fault != CERT_DAMAGED && fault != CERT_CUT;
	}
}

void cert_items_free(struct cert_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		X509_free(items->list[i].certificate);
		X509_REQ_free(items->list[i].request);
		X509_CRL_free(items->list[i].crl);
		EVP_PKEY_free(items->list[i].key);
	}
	free(items->list);
	*items = (struct cert_items){0};
}

const struct cert_item *cert_file_first(const struct cert_items *items, enum cert_kind kind)
{
	for (size_t i = 0; i < items->count; i++)
		if (items->list[i].kind == kind)
			return &items->list[i];
	return NULL;
}

const char *cert_kind_text(enum cert_kind kind)
{
	static const char *const texts[] = {"a certificate", "a signing request", "a revocation list", "a private key",
		"a public key", "a block of another kind"};
	return texts[kind];
}

const char *cert_fault_text(enum cert_fault fault)
{
	static const char *const texts[] = {"", "it is encrypted, and no password was given",
		"the password does not open it", "it is damaged",
		"the file ends within it, before the end of its line \"-----END ...-----\"",
		"it is encrypted by a cipher of old that this OpenSSL has no longer; where it has, make it anew: "
		"openssl "
		"pkcs12 -legacy -nodes -in FILE -out X.pem && openssl pkcs12 -export -in X.pem -out NEW"};
	return texts[fault];
}

bool cert_path_is_token(const char *path)
{
	static const char *const schemes[] = {"pkcs11:", "handle:", "object:"};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncmp(path, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

const char *cert_label_remedy(const char *label)
{
	return strcmp(label, "OPENSSH PRIVATE KEY") == 0
		       ? "ssh-keygen -p -m PKCS8 -f FILE; one of Ed25519 stays as it is: make a new key, skiff cert csr"
		       : "";
}

/* ---- passwords ---- */

static int password_give(char *buffer, int size, int writing, void *user)
{
	const struct cli_secret *password = user;
	(void)writing;
	if (!password->data || password->len > (size_t)size)
		return -1;
	memcpy(buffer, password->data, password->len);
	return (int)password->len;
}

static enum cert_fault password_fault(const struct cli_secret *password)
{
	return password->data ? CERT_WRONG_PASSWORD : CERT_NO_PASSWORD;
}

/* ---- PKCS#12 ---- */

/* Copies into the default context what another made. */
static void bundle_add(struct cert_items *items, EVP_PKEY *key, X509 *own, const STACK_OF(X509) * others)
{
	unsigned char *der = NULL;
	int count = others ? sk_X509_num(others) : 0; /* with one certificate alone there is no list at all */
	for (int i = -1; i < count; i++) {
		X509 *from = i < 0 ? own : sk_X509_value(others, i);
		int len = from ? i2d_X509(from, &der) : 0;
		const unsigned char *at = der;
		if (len > 0)
			items_add_certificate(items, d2i_X509(NULL, &at, len));
		OPENSSL_free(der);
		der = NULL;
	}
	int len = key ? i2d_PrivateKey(key, &der) : 0;
	const unsigned char *at = der;
	if (len > 0)
		items_add_key(items, CERT_PRIVATE_KEY, d2i_AutoPrivateKey(NULL, &at, len), true);
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
}

/* Whether the bundle opens with this password; in a context that has the ciphers of old, where they are installed. */
static bool bundle_parse(struct cert_items *items, const unsigned char *data, size_t len, const char *password)
{
	OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *usual = libctx ? OSSL_PROVIDER_load(libctx, "default") : NULL;
	OSSL_PROVIDER *old = usual ? OSSL_PROVIDER_load(libctx, "legacy") : NULL;
	PKCS12 *bundle = usual ? PKCS12_init_ex(NID_pkcs7_data, libctx, NULL) : NULL;
	EVP_PKEY *key = NULL;
	X509 *own = NULL;
	STACK_OF(X509) *others = NULL;
	const unsigned char *at = data;
	bool open =
		bundle && d2i_PKCS12(&bundle, &at, (long)len) && PKCS12_parse(bundle, password, &key, &own, &others);
	if (open)
		bundle_add(items, key, own, others);
	EVP_PKEY_free(key);
	X509_free(own);
	sk_X509_pop_free(others, X509_free);
	PKCS12_free(bundle);
	OSSL_PROVIDER_unload(old);
	OSSL_PROVIDER_unload(usual);
	OSSL_LIB_CTX_free(libctx);
	return open;
}

static bool file_read_bundle(
	struct cert_items *items, const unsigned char *data, size_t len, const struct cli_secret *password)
{
	const unsigned char *at = data;
	PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)len);
	if (!bundle)
		return false;
	items->form = "PKCS#12";
	bool open = bundle_parse(items, data, len, "");
	bool opens = open || (password->data && bundle_parse(items, data, len, password->data));
	if (!opens) {
		bool right = password->data && PKCS12_mac_present(bundle) &&
			     PKCS12_verify_mac(bundle, password->data, (int)password->len);
		items_add_fault(items, CERT_PRIVATE_KEY, right ? CERT_OLD_CIPHER : password_fault(password));
	}
	for (size_t i = 0; open && i < items->count; i++)
		items->list[i].encrypted = false;
	PKCS12_free(bundle);
	return true;
}

/* ---- DER ---- */

static void items_add_pkcs7(struct cert_items *items, PKCS7 *bundle)
{
	STACK_OF(X509) *certificates = NULL;
	STACK_OF(X509_CRL) *crls = NULL;
	if (PKCS7_type_is_signed(bundle) && bundle->d.sign) {
		certificates = bundle->d.sign->cert;
		crls = bundle->d.sign->crl;
	}
	for (int i = 0; i < sk_X509_num(certificates); i++)
		items_add_certificate(items, X509_dup(sk_X509_value(certificates, i)));
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		struct cert_item *item = items_add(items, CERT_CRL);
		if (item)
			item->crl = X509_CRL_dup(sk_X509_CRL_value(crls, i));
	}
}

/* One certificate behind the other, until the end. */
static bool file_read_certificates(struct cert_items *items, const unsigned char *data, size_t len)
{
	const unsigned char *at = data, *end = data + len;
	while (at < end) {
		X509 *certificate = d2i_X509(NULL, &at, end - at);
		if (!certificate && items->count)
			items_add_fault(items, CERT_CERTIFICATE, CERT_DAMAGED);
		if (!certificate)
			break;
		items_add_certificate(items, certificate);
	}
	return items->count > 0;
}

static bool file_read_sealed_key(
	struct cert_items *items, const unsigned char *data, size_t len, const struct cli_secret *password)
{
	const unsigned char *at = data;
	X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)len);
	if (!sealed)
		return false;
	X509_SIG_free(sealed);
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	EVP_PKEY *key = bio ? d2i_PKCS8PrivateKey_bio(bio, NULL, password_give, (void *)password) : NULL;
	BIO_free(bio);
	if (key)
		items_add_key(items, CERT_PRIVATE_KEY, key, true);
	else
		items_add_fault(items, CERT_PRIVATE_KEY, password_fault(password));
	return true;
}

static bool file_read_others(struct cert_items *items, const unsigned char *data, size_t len)
{
	const unsigned char *at = data;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);
	struct cert_item *item = request ? items_add(items, CERT_REQUEST) : NULL;
	if (item)
		item->request = request;
	at = data;
	X509_CRL *crl = request ? NULL : d2i_X509_CRL(NULL, &at, (long)len);
	item = crl ? items_add(items, CERT_CRL) : NULL;
	if (item)
		item->crl = crl;
	at = data;
	PKCS7 *bundle = request || crl ? NULL : d2i_PKCS7(NULL, &at, (long)len);
	if (bundle) {
		items->form = "PKCS#7";
		items_add_pkcs7(items, bundle);
	}
	PKCS7_free(bundle);
	return items->count > 0;
}

static bool file_read_keys(
	struct cert_items *items, const unsigned char *data, size_t len, const struct cli_secret *password)
{
	const unsigned char *at = data;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)len);
	if (key) {
		items_add_key(items, CERT_PRIVATE_KEY, key, false);
		return true;
	}
	at = data;
	key = d2i_PUBKEY(NULL, &at, (long)len);
	if (key) {
		items_add_key(items, CERT_PUBLIC_KEY, key, false);
		return true;
	}
	return file_read_sealed_key(items, data, len, password);
}

static void file_read_der(
	struct cert_items *items, const unsigned char *data, size_t len, const struct cli_secret *password)
{
	items->form = "DER";
	if (!file_read_certificates(items, data, len) && !file_read_bundle(items, data, len, password) &&
		!file_read_others(items, data, len) && !file_read_keys(items, data, len, password))
		items->form = NULL;
}

/* ---- PEM ---- */

static bool label_ends(const char *label, const char *end)
{
	size_t len = strlen(label), end_len = strlen(end);
	return len >= end_len && strcmp(label + len - end_len, end) == 0;
}

/* What follows BEGIN, and what is in such a block; the first that fits counts. */
static const struct {
	const char *end;
	enum cert_kind kind;
} pem_labels[] = {
	{"CERTIFICATE REQUEST", CERT_REQUEST},
	{"OPENSSH PRIVATE KEY", CERT_OTHER},
	{"PRIVATE KEY", CERT_PRIVATE_KEY},
	{"PUBLIC KEY", CERT_PUBLIC_KEY},
	{"X509 CRL", CERT_CRL},
	{"CERTIFICATE", CERT_CERTIFICATE},
};

static enum cert_kind pem_kind(const char *label)
{
	for (size_t i = 0; i < sizeof(pem_labels) / sizeof(*pem_labels); i++)
		if (label_ends(label, pem_labels[i].end))
			return pem_labels[i].kind;
	return CERT_OTHER;
}

/* The block once more as it stood, for the readers of OpenSSL that know of its label and its encryption. */
static BIO *pem_again(const char *label, const char *header, const unsigned char *data, long len)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	if (bio && PEM_write_bio(bio, label, header, data, len) > 0)
		return bio;
	BIO_free(bio);
	return NULL;
}

static void pem_decode(struct cert_item *item, BIO *bio, const struct cli_secret *password)
{
	void *user = (void *)password;
	bool read = false;
	switch (item->kind) {
	case CERT_CERTIFICATE:
		read = (item->certificate = PEM_read_bio_X509_AUX(bio, NULL, password_give, user)) != NULL;
		break;
	case CERT_REQUEST:
		read = (item->request = PEM_read_bio_X509_REQ(bio, NULL, password_give, user)) != NULL;
		break;
	case CERT_CRL:
		read = (item->crl = PEM_read_bio_X509_CRL(bio, NULL, password_give, user)) != NULL;
		break;
	case CERT_PRIVATE_KEY:
		read = (item->key = PEM_read_bio_PrivateKey(bio, NULL, password_give, user)) != NULL;
		break;
	case CERT_PUBLIC_KEY:
		read = (item->key = PEM_read_bio_PUBKEY(bio, NULL, password_give, user)) != NULL;
		break;
	case CERT_OTHER:
		read = true;
		break;
	}
	if (!read)
		item->fault = item->encrypted ? password_fault(password) : CERT_DAMAGED;
}

static void pem_take(struct cert_items *items, const char *label, const char *header, const unsigned char *data,
	long len, const struct cli_secret *password)
{
	const unsigned char *at = data;
	bool pkcs7 = label_ends(label, "PKCS7") || strcmp(label, "CMS") == 0;
	PKCS7 *bundle = pkcs7 ? d2i_PKCS7(NULL, &at, len) : NULL;
	if (bundle) {
		items_add_pkcs7(items, bundle);
		PKCS7_free(bundle);
		return;
	}
	struct cert_item *item = items_add(items, pem_kind(label));
	BIO *bio = item ? pem_again(label, header, data, len) : NULL;
	if (!item)
		return;
	snprintf(item->label, sizeof(item->label), "%s", label);
	item->encrypted = strstr(label, "ENCRYPTED") || strstr(header, "ENCRYPTED");
	if (bio)
		pem_decode(item, bio, password);
	else
		item->fault = CERT_DAMAGED;
	BIO_free(bio);
}

/* The block that could not be read to its end: whether the file ends in it, and what it should be. */
static void items_add_broken(struct cert_items *items, const char *data, size_t len)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	char label[CERT_LABEL_BYTES] = "";
	const char *last = NULL, *at = data;
	while ((at = memmem(at, len - (size_t)(at - data), begin, sizeof(begin) - 1)))
		last = at += sizeof(begin) - 1;
	size_t left = last ? len - (size_t)(last - data) : 0, word = 0;
	const char *ends = last ? memmem(last, left, end, sizeof(end) - 1) : NULL;
	bool cut = last && (!ends || !memmem(ends + 5, len - (size_t)(ends + 5 - data), "-----", 5));
	if (cut) {
		while (word < left && last[word] != '-' && last[word] != '\n')
			word++;
		snprintf(label, sizeof(label), "%.*s", (int)(word < sizeof(label) ? word : 0), last);
	}
	items_add_fault(items, cut ? pem_kind(label) : CERT_OTHER, cut ? CERT_CUT : CERT_DAMAGED);
}

/* False: there is no block. A block whose lines are broken ends the reading, and is told as damaged. */
static bool file_read_pem(struct cert_items *items, BIO *bio, const struct cli_secret *password)
{
	char *all;
	long all_len = BIO_get_mem_data(bio, &all);
	char *label, *header;
	unsigned char *data;
	long len;
	items->form = "PEM";
	while (PEM_read_bio_ex(bio, &label, &header, &data, &len, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
		pem_take(items, label, header, data, len, password);
		OPENSSL_secure_clear_free(label, strlen(label) + 1);
		OPENSSL_secure_clear_free(header, strlen(header) + 1);
		OPENSSL_secure_clear_free(data, (size_t)len);
	}
	unsigned long reason = ERR_peek_last_error();
	if (ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) != PEM_R_NO_START_LINE)
		items_add_broken(items, all, (size_t)all_len);
	if (!items->count)
		items->form = NULL;
	return items->count > 0;
}

/* ---- the file ---- */

static BIO *file_bytes(const char *path, char why[CERT_WHY_BYTES])
{
	bool input = strcmp(path, "-") == 0;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	BIO *bio = fd >= 0 ? BIO_new(BIO_s_secmem()) : NULL;
	char some[4096];
	ssize_t got = -1;
	size_t total = 0;
	while (bio && ((got = read(fd, some, sizeof(some))) > 0 || (got < 0 && errno == EINTR))) {
		if (got < 0)
			continue;
		total += (size_t)got;
		if (total > FILE_MAX_BYTES || BIO_write(bio, some, (int)got) != got)
			break;
	}
	int error = errno;
	OPENSSL_cleanse(some, sizeof(some));
	if (fd >= 0 && !input)
		close(fd);
	if (got == 0 && total)
		return bio;
	BIO_free(bio);
	if (got == 0)
		snprintf(why, CERT_WHY_BYTES, "file '%.200s' is empty", path);
	else if (got > 0)
		snprintf(why, CERT_WHY_BYTES, "file '%.200s' is larger than 16 MiB", path);
	else
		snprintf(why, CERT_WHY_BYTES, "cannot read file '%.200s': %s", path, strerror(error));
	return NULL;
}

/* A sequence: its length takes more than a byte, as in no text, or is all there is. */
static bool bytes_are_der(const unsigned char *data, size_t len)
{
	return len > 2 && data[0] == 0x30 && (data[1] & 0x80 || data[1] + (size_t)2 == len);
}

bool cert_file_read(
	const char *path, const struct cli_secret *password, struct cert_items *items, char why[CERT_WHY_BYTES])
{
	char *data;
	*items = (struct cert_items){0};
	BIO *bio = file_bytes(path, why);
	if (!bio)
		return false;
	long len = BIO_get_mem_data(bio, &data);
	const unsigned char *bytes = (const unsigned char *)data;
	bool wide = len > 1 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff));
	if (len > 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a mark that some editors begin text with */
		char mark[3];
		BIO_read(bio, mark, sizeof(mark));
	}
	if (bytes_are_der(bytes, (size_t)len))
		file_read_der(items, bytes, (size_t)len, password);
	else if (!wide)
		file_read_pem(items, bio, password);
	ERR_clear_error();
	BIO_free(bio);
	if (items->form && items->count)
		return true;
	if (wide) {
		snprintf(why, CERT_WHY_BYTES,
			"file '%.200s' holds UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW", path);
		return false;
	}
	if (items->form) {
		snprintf(why, CERT_WHY_BYTES, "file '%.200s' is %s and holds nothing", path, items->form);
		cert_items_free(items);
		return false;
	}
	snprintf(why, CERT_WHY_BYTES, "file '%.200s' holds no PEM (no line \"-----BEGIN ...-----\"), DER or PKCS#12",
		path);
	return false;
}
