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

static bool trust_add_file(X509_STORE *store, const char *path, struct skiff_error *error)
{
	STACK_OF(X509) *list = skiffi_tls_read_certificates(path, "CA file", NULL, NULL, error);
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

/* "0123abcd.0", as `openssl rehash` names its links. */
static bool trust_is_hashed(const char *name)
{
	return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	       isdigit((unsigned char)name[9]);
}

static bool trust_add_dir(X509_STORE *store, const char *path, struct skiff_error *error)
{
	DIR *dir = opendir(path);
	if (!dir) {
		skiffi_fail(error, errno == ENOENT ? SKIFF_FILE_MISSING : SKIFF_FILE_UNREADABLE, errno,
			"cannot read CA directory \"%s\": %s", path, uv_strerror(-errno));
		return false;
	}
	bool hashed = false;
	for (struct dirent *entry; !hashed && (entry = readdir(dir));)
		hashed = trust_is_hashed(entry->d_name);
	closedir(dir);
	if (!hashed) {
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"CA directory \"%s\" holds no certificate under its hash; make the links with: openssl rehash "
			"%s",
			path, path);
		return false;
	}
	if (X509_STORE_load_path(store, path))
		return true;
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

static bool trust_add_crls(X509_STORE *store, const char *path, struct skiff_error *error)
{
	STACK_OF(X509_CRL) *list = skiffi_tls_read_crls(path, error);
	if (!list)
		return false;
	bool ok = X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	for (int i = 0; ok && i < sk_X509_CRL_num(list); i++)
		ok = X509_STORE_add_crl(store, sk_X509_CRL_value(list, i));
	sk_X509_CRL_pop_free(list, X509_CRL_free);
	if (!ok)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	return ok;
}

X509_STORE *skiffi_tls_trust_new(const struct skiff_tls_options *options, struct skiff_error *error)
{
	if (!options->ca_file && !options->ca_dir && !options->crl_file)
		return trust_get_system(error);
	X509_STORE *store = X509_STORE_new();
	if (!store) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	if (!options->ca_file && !options->ca_dir)
		X509_STORE_set_default_paths(store);
	if ((!options->ca_file || trust_add_file(store, options->ca_file, error)) &&
		(!options->ca_dir || trust_add_dir(store, options->ca_dir, error)) &&
		(!options->crl_file || trust_add_crls(store, options->crl_file, error)))
		return store;
	X509_STORE_free(store);
	return NULL;
}
