/* SPDX-License-Identifier: Apache-2.0 */
/* tls_watch.c: stat, and no more. */
#include "transport/tls_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool state_text(struct skiffi_buffer *state, const char *text)
{
	return skiffi_buffer_append(state, text ? "+" : "-", 1) &&
	       (!text || skiffi_buffer_append(state, text, strlen(text) + 1));
}

/* What is told of two files apart; `name` is within the directory `dir`, or AT_FDCWD. */
static bool state_status(struct skiffi_buffer *state, int dir, const char *name)
{
	struct stat status;
	if (fstatat(dir, name, &status, 0))
		return skiffi_buffer_append(state, "?", 1);
	return skiffi_buffer_append(state, &status.st_dev, sizeof status.st_dev) &&
	       skiffi_buffer_append(state, &status.st_ino, sizeof status.st_ino) &&
	       skiffi_buffer_append(state, &status.st_size, sizeof status.st_size) &&
	       skiffi_buffer_append(state, &status.st_mtim, sizeof status.st_mtim) &&
	       skiffi_buffer_append(state, &status.st_ctim, sizeof status.st_ctim);
}

static bool state_file(struct skiffi_buffer *state, const char *path)
{
	return state_text(state, path) && (!path || state_status(state, AT_FDCWD, path));
}

static bool state_dir(struct skiffi_buffer *state, const char *path)
{
	bool ok = state_file(state, path);
	DIR *dir = path && ok ? opendir(path) : NULL;
	for (struct dirent *entry; ok && dir && (entry = readdir(dir));)
		ok = entry->d_name[0] == '.' ||
		     (state_text(state, entry->d_name) && state_status(state, dirfd(dir), entry->d_name));
	if (dir)
		closedir(dir);
	return ok;
}

/* As OpenSSL finds it. */
static const char *default_path(const char *variable, const char *otherwise)
{
	const char *value = secure_getenv(variable);
	return value ? value : otherwise;
}

/* A list of directories with ':' between them, each known by itself alone: what lies in it is a thousand links. */
static bool state_folders(struct skiffi_buffer *state, const char *list)
{
	char folder[PATH_MAX];
	bool ok = true;
	for (const char *at = list; ok;) {
		size_t len = strcspn(at, ":");
		snprintf(folder, sizeof folder, "%.*s", (int)len, at);
		ok = state_file(state, folder);
		if (!at[len])
			break;
		at += len + 1;
	}
	return ok;
}

bool skiffi_tls_watch_system(struct skiffi_buffer *state)
{
	return state_file(state, default_path(X509_get_default_cert_file_env(), X509_get_default_cert_file())) &&
	       state_folders(state, default_path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
}

bool skiffi_tls_watch_state(const struct skiff_tls_options *options, struct skiffi_buffer *state)
{
	bool system = options->ca_system || (!options->ca_file && !options->ca_dir && !options->ca_pem.len);
	return state_file(state, options->ca_file) && state_dir(state, options->ca_dir) &&
	       state_file(state, options->cert_file) && state_file(state, options->key_file) &&
	       state_file(state, options->crl_file) && state_dir(state, options->crl_dir) &&
	       (!system || skiffi_tls_watch_system(state));
}

static bool plain(const char *path)
{
	struct stat status;
	return !path || (!stat(path, &status) && S_ISREG(status.st_mode));
}

bool skiffi_tls_watch_plain(const struct skiff_tls_options *options)
{
	return plain(options->ca_file) && plain(options->cert_file) && plain(options->key_file) &&
	       plain(options->crl_file);
}
