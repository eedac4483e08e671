/* SPDX-License-Identifier: Apache-2.0 */
/* tls_trust.c: the trust store.
 *
 * Happy path: with CAs given a store that holds these and nothing else; without, the system's, which is a megabyte or
 * two and so is loaded once for all clients of the process, and anew when its files change.
 * Failure: a file or directory that does not hold what it should. */
#include "transport/tls_trust.h"

#include "base/buffer.h"
#include "base/error.h"
#include "transport/tls_files.h"
#include "transport/tls_watch.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static pthread_mutex_t trust_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *trust_system; /* guarded by the lock, as is what it was made of */
static struct skiffi_buffer trust_system_state;

/* Lets go of the system's store when its files are others by now. */
static bool trust_look_at_system(bool anew)
{
	struct skiffi_buffer state = {0};
	bool ok = skiffi_tls_watch_system(&state);
	if (ok && !anew && skiffi_buffer_same(&state, &trust_system_state)) {
		skiffi_buffer_release(&state);
		return true;
	}
	X509_STORE_free(trust_system);
	trust_system = NULL;
	skiffi_buffer_release(&trust_system_state);
	trust_system_state = state;
	return ok;
}

/* A new reference to the system's store. */
static X509_STORE *trust_get_system(bool anew, struct skiff_error *error)
{
	pthread_mutex_lock(&trust_lock);
	bool ok = trust_look_at_system(anew);
	if (ok && !trust_system && (trust_system = X509_STORE_new()))
		X509_STORE_set_default_paths(trust_system);
	X509_STORE *store = ok ? trust_system : NULL;
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

static bool trust_add_crls(X509_STORE *store, const struct skiffi_tls_source *source, struct skiff_error *error)
{
	STACK_OF(X509_CRL) *list = skiffi_tls_read_crls(source, error);
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

/* Reads one link, now and not when OpenSSL would look for it, so that a file half-written is found out. One that leads
 * nowhere is left over from a certificate that is gone. */
static bool trust_add_entry(
	X509_STORE *store, const struct trust_dir *wanted, const char *name, struct skiff_error *error)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s", wanted->path, name) >= (int)sizeof path || access(path, F_OK))
		return true;
	struct skiffi_tls_source source = skiffi_tls_source(wanted->holds, path, "", (struct skiff_bytes){0});
	return name[9] == 'r' ? trust_add_crls(store, &source, error) : trust_add(store, &source, error);
}

static bool trust_read_dir(X509_STORE *store, const struct trust_dir *wanted, DIR *dir, struct skiff_error *error)
{
	bool hashed = false, ok = true;
	for (struct dirent *entry; ok && (entry = readdir(dir));) {
		if (!trust_is_hashed(entry->d_name, wanted->crls))
			continue;
		hashed = true;
		ok = trust_add_entry(store, wanted, entry->d_name, error);
	}
	if (ok && !hashed)
		skiffi_fail(error, SKIFF_FILE_NOT_PEM, 0,
			"%s \"%s\" holds no %s under its hash; make the links with: openssl rehash %s", wanted->what,
			wanted->path, wanted->holds, wanted->path);
	return ok && hashed;
}

static bool trust_add_dir(X509_STORE *store, const struct trust_dir *wanted, struct skiff_error *error)
{
	DIR *dir = opendir(wanted->path);
	if (!dir) {
		skiffi_fail(error, errno == ENOENT ? SKIFF_FILE_MISSING : SKIFF_FILE_UNREADABLE, errno,
			"cannot read %s \"%s\": %s", wanted->what, wanted->path, uv_strerror(-errno));
		return false;
	}
	bool ok = trust_read_dir(store, wanted, dir, error);
	closedir(dir);
	return ok;
}

static bool trust_fill(X509_STORE *store, const struct skiff_tls_options *options, struct skiff_error *error)
{
	struct skiffi_tls_source file = skiffi_tls_source("CA file", options->ca_file, "", options->ca_pem);
	struct skiffi_tls_source memory = skiffi_tls_source("", NULL, "tls.ca_pem", options->ca_pem);
	struct skiffi_tls_source list =
		skiffi_tls_source("revocation list", options->crl_file, "", (struct skiff_bytes){0});
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
	       (!options->crl_file || trust_add_crls(store, &list, error)) &&
	       (!options->crl_dir || trust_add_dir(store, &lists, error));
}

X509_STORE *skiffi_tls_trust_new(const struct skiff_tls_options *options, bool anew, struct skiff_error *error)
{
	bool own = skiffi_tls_trust_given(options);
	if (!own && !options->crl_file && !options->crl_dir)
		return trust_get_system(anew, error);
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

time_t skiffi_tls_trust_lists_until(X509_STORE *store, time_t until)
{
	X509_STORE_lock(store);
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
		until = crl ? skiffi_tls_earlier(until, X509_CRL_get0_nextUpdate(crl)) : until;
	}
	X509_STORE_unlock(store);
	return until;
}
