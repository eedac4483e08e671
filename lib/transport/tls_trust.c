/* SPDX-License-Identifier: Apache-2.0 */
/* tls_trust.c: the trust store.
 *
 * Happy path: with ca_file or ca_dir a store that holds these and nothing else; without, the system's, which is a
 * megabyte or two and so is loaded once for all clients of the process and anew after some minutes.
 * Failure: a file or directory that does not hold what it should. */
#include "transport/tls_trust.h"

#include "base/clock.h"
#include "base/error.h"
#include "transport/tls_files.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define TRUST_SYSTEM_US INT64_C(600000000) /* how long the system's store is reused */

static pthread_mutex_t trust_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *trust_system; /* guarded by the lock */
static int64_t trust_system_us;

/* A new reference to the system's store. */
static X509_STORE *trust_get_system(struct skiff_error *error)
{
	pthread_mutex_lock(&trust_lock);
	int64_t now = skiffi_now_us();
	if (trust_system && now - trust_system_us > TRUST_SYSTEM_US) {
		X509_STORE_free(trust_system);
		trust_system = NULL;
	}
	if (!trust_system && (trust_system = X509_STORE_new())) {
		X509_STORE_set_default_paths(trust_system);
		trust_system_us = now;
	}
	X509_STORE *store = trust_system;
	if (store)
		X509_STORE_up_ref(store);
	else
		skiffi_fail_plain(error, SKIFF_MEMORY);
	pthread_mutex_unlock(&trust_lock);
	ERR_clear_error();
	return store;
}

static bool trust_add(X509_STORE *store, const struct skiffi_tls_source *source, struct skiff_error *error)
{
	STACK_OF(X509) *list = skiffi_tls_read_certificates(source, error);
	if (!list)
		return false;
	bool ok = true;
	for (int i = 0; ok && i < sk_X509_num(list); i++)
		ok = X509_STORE_add_cert(store, sk_X509_value(list, i));
	sk_X509_pop_free(list, X509_free);
	if (!ok)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	return ok;
}

/* Certificates or revocation lists in a directory made by `openssl rehash`, whose links are named "0123abcd.0" and
 * "0123abcd.r0". */
struct trust_dir {
	const char *path, *what, *holds;
	bool crls;
};

static bool trust_is_hashed(const char *name, bool crls)
{
	if (strlen(name) < 10 || strspn(name, "0123456789abcdef") != 8 || name[8] != '.')
		return false;
	return isdigit((unsigned char)name[9]) ? !crls : crls && name[9] == 'r';
}

static bool trust_add_dir(X509_STORE *store, const struct trust_dir *wanted, struct skiff_error *error)
{
	DIR *dir = opendir(wanted->path);
	if (!dir) {
		skiffi_fail(error, errno == ENOENT ? SKIFF_FILE_MISSING : SKIFF_FILE_UNREADABLE, errno,
			"cannot read %s \"%s\": %s", wanted->what, wanted->path, uv_strerror(-errno));
		return false;
	}
	bool hashed = false;
	for (struct dirent *entry; !hashed && (entry = readdir(dir));)
		hashed = trust_is_hashed(entry->d_name, wanted->crls);
	closedir(dir);
	if (!hashed) {
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"%s \"%s\" holds no %s under its hash; make the links with: openssl rehash %s", wanted->what,
			wanted->path, wanted->holds, wanted->path);
		return false;
	}
	if (X509_STORE_load_path(store, wanted->path))
		return true;
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

static bool trust_add_crls(X509_STORE *store, const char *path, struct skiff_error *error)
{
	struct skiffi_tls_source source = skiffi_tls_source("revocation list", path, "", (struct skiff_bytes){0});
	STACK_OF(X509_CRL) *list = skiffi_tls_read_crls(&source, error);
	bool ok = true;
	if (!list)
		return false;
	for (int i = 0; ok && i < sk_X509_CRL_num(list); i++)
		ok = X509_STORE_add_crl(store, sk_X509_CRL_value(list, i));
	sk_X509_CRL_pop_free(list, X509_CRL_free);
	if (!ok)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	return ok;
}

static bool trust_fill(X509_STORE *store, const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source file = skiffi_tls_source("CA file", options->ca_file, "", options->ca_pem);
	struct skiffi_tls_source memory = skiffi_tls_source("", NULL, "tls.ca_pem", options->ca_pem);
	struct trust_dir authorities = {options->ca_dir, "CA directory", "certificate", false};
	struct trust_dir lists = {options->crl_dir, "CRL directory", "revocation list", true};
	bool revocation = options->crl_file || options->crl_dir;
	if (revocation && !X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return false;
	}
	return (!options->ca_file || trust_add(store, &file, error)) &&
	       (!options->ca_pem.len || trust_add(store, &memory, error)) &&
	       (!options->ca_dir || trust_add_dir(store, &authorities, error)) &&
	       (!options->crl_file || trust_add_crls(store, options->crl_file, error)) &&
	       (!options->crl_dir || trust_add_dir(store, &lists, error));
}

X509_STORE *skiffi_tls_trust_new(const struct skiff_tls_options *options, struct skiff_error *error)
{
	bool own = skiffi_tls_trust_given(options);
	if (!own && !options->crl_file && !options->crl_dir)
		return trust_get_system(error);
	X509_STORE *store = X509_STORE_new();
	if (!store) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (!own || options->ca_system)
		X509_STORE_set_default_paths(store);
	if (trust_fill(store, options, error))
		return store;
	X509_STORE_free(store);
	return NULL;
}

bool skiffi_tls_trust_given(const struct skiff_tls_options *options)
{
	return options->ca_file || options->ca_dir || options->ca_pem.len;
}

/* A piece of the list, with "and" before it where it is not the first. */
static void text_add(char *out, size_t size, const char *open, const char *piece)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%s%s%s%s", used ? " and " : "", open, piece, open);
}

void skiffi_tls_trust_text(char *out, size_t size, const struct skiff_tls_options *options)
{
	*out = '\0';
	if (options->ca_file)
		text_add(out, size, "\"", options->ca_file);
	if (options->ca_dir)
		text_add(out, size, "\"", options->ca_dir);
	if (options->ca_pem.len)
		text_add(out, size, "", "tls.ca_pem");
	if (options->ca_system || !skiffi_tls_trust_given(options))
		text_add(out, size, "", "the system's trust store");
}
