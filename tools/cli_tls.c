/* SPDX-License-Identifier: Apache-2.0 */
/* cli_tls.c: what the TLS options tell the library. Files and names are checked there. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_output.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static int tls_wrong(const struct cli_context *context, const char *option, const char *why)
{
	cli_say(context, "option '%s': %s", option, why);
	return CLI_EXIT_USAGE;
}

const char *cli_tls_given(const struct cli_tls_params *params)
{
	const struct {
		bool given;
		const char *option;
	} all[] = {
		{params->cafile, "--cafile"},
		{params->capath, "--capath"},
		{params->ca_system, "--ca-system"},
		{params->crlfile, "--crlfile"},
		{params->crlpath, "--crlpath"},
		{params->ocsp, "--ocsp"},
		{params->pin, "--pin"},
		{params->known_hosts, "--known-hosts"},
		{params->cert, "--cert"},
		{params->key, "--key"},
		{params->insecure, "--insecure"},
		{params->insecure_chain, "--insecure-chain"},
		{params->alpn, "--tls-alpn"},
		{params->server_name, "--server-name"},
		{params->no_server_name, "--no-server-name"},
		{params->accept_common_name, "--accept-common-name"},
		{params->key_password_file, "--key-password-file"},
		{params->strict_key_file, "--strict-key-file"},
		{params->psk_identity, "--psk-identity"},
		{params->psk_file, "--psk-file"},
		{params->psk, "--psk"},
		{params->min_version, "--tls-min"},
		{params->max_version, "--tls-max"},
		{params->ciphers, "--ciphers"},
		{params->cipher_suites, "--cipher-suites"},
		{params->groups, "--groups"},
		{params->keylog, "--keylog"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].given)
			return all[i].option;
	return NULL;
}

static bool tls_is_directory(const char *path)
{
	struct stat about;
	return path && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

const char *cli_tls_directory_option(const struct skiff_tls_options *tls, int detail)
{
	return detail == EISDIR && tls_is_directory(tls->ca_file) ? "--capath" : NULL;
}

/* ---- secrets ---- */

static int tls_key_password(char *buffer, size_t size, void *user)
{
	const struct cli_secret *secret = user;
	if (!secret->data || secret->len > size)
		return -1;
	memcpy(buffer, secret->data, secret->len);
	return (int)secret->len;
}

/* With --strict-key-file what opens a key is guarded as the key is, which the library looks at. */
static int tls_read_secret(const struct cli_context *context, const struct cli_tls_params *params, const char *path,
	struct cli_secret *secret)
{
	if (!params->strict_key_file || strcmp(path, "-") == 0 || !cli_secret_file_is_open(path, S_IRGRP | S_IROTH))
		return cli_password_from_file(context, path, secret);
	cli_say(context,
		"file '%s' holds a secret and may be read by others; 'chmod 600' it, or leave out "
		"'--strict-key-file'",
		path);
	return CLI_EXIT_FILE;
}

static int tls_set_key_password(
	const struct cli_context *context, const struct cli_tls_params *params, struct cli_client_setup *setup)
{
	int code = params->key_password_file
			   ? tls_read_secret(context, params, params->key_password_file, &setup->key_password)
			   : cli_password_from_environment(context, "SKIFF_KEY_PASSWORD", &setup->key_password);
	if (setup->key_password.data) {
		setup->options.tls.key_password = tls_key_password;
		setup->options.tls.key_password_user = &setup->key_password;
	}
	return code;
}

/* Hexadecimal digits, as mosquitto has them in its files. */
static int tls_decode_psk(const struct cli_context *context, const char *option, struct cli_client_setup *setup)
{
	long len = 0;
	unsigned char *key = OPENSSL_hexstr2buf(setup->psk.data ? setup->psk.data : "", &len);
	if (!key || !len) {
		OPENSSL_free(key);
		return tls_wrong(context, option, "the key is not written in pairs of hexadecimal digits");
	}
	cli_secret_wipe(&setup->psk);
	setup->psk.data = malloc((size_t)len);
	if (setup->psk.data) {
		memcpy(setup->psk.data, key, (size_t)len);
		setup->psk.len = (size_t)len;
	}
	OPENSSL_clear_free(key, (size_t)len);
	setup->options.tls.psk_key = (struct skiff_bytes){setup->psk.data, setup->psk.len};
	if (setup->psk.data)
		return CLI_EXIT_OK;
	cli_say(context, "out of memory");
	return CLI_EXIT_FAILURE;
}

static int tls_set_psk(
	const struct cli_context *context, const struct cli_tls_params *params, struct cli_client_setup *setup)
{
	const char *option = params->psk ? "--psk" : params->psk_file ? "--psk-file" : NULL;
	int code = CLI_EXIT_OK;
	if (!option && !params->psk_identity)
		return code;
	if (!option || !params->psk_identity)
		return tls_wrong(context, option ? option : "--psk-identity",
			option ? "add '--psk-identity', the name that the broker has for the key"
			       : "add the key by '--psk-file'");
	if (params->psk && params->psk_file)
		return tls_wrong(context, "--psk-file", "excludes '--psk'");
	if (params->psk) {
		if (cli_was_shown(context, "psk"))
			cli_warn(context, "the key of '--psk' was visible to others; use '--psk-file'");
		code = cli_password_copy(context, params->psk, &setup->psk);
	} else {
		code = tls_read_secret(context, params, params->psk_file, &setup->psk);
	}
	setup->options.tls.psk_identity = params->psk_identity;
	return code == CLI_EXIT_OK ? tls_decode_psk(context, option, setup) : code;
}

/* ---- the rest ---- */

static void tls_set_rest(const struct cli_tls_params *params, struct skiff_tls_options *tls)
{
	tls->ca_file = params->cafile;
	tls->ca_dir = params->capath;
	tls->ca_system = params->ca_system;
	bool folder = tls_is_directory(params->crlfile) && !params->crlpath;
	tls->crl_file = folder ? NULL : params->crlfile;
	tls->crl_dir = folder ? params->crlfile : params->crlpath;
	tls->ocsp = (enum skiff_ocsp)params->ocsp;
	tls->pins = params->pin;
	tls->known_hosts_file = params->known_hosts;
	tls->cert_file = params->cert;
	tls->key_file = params->key;
	tls->refuse_open_key = params->strict_key_file;
	tls->server_name = params->server_name;
	tls->no_server_name = params->no_server_name;
	tls->accept_common_name = params->accept_common_name;
	tls->insecure_skip_name = params->insecure;
	tls->insecure_skip_chain = params->insecure_chain;
	tls->min_version = (enum skiff_tls_version)params->min_version;
	tls->max_version = (enum skiff_tls_version)params->max_version;
	tls->ciphers = params->ciphers;
	tls->cipher_suites = params->cipher_suites;
	tls->groups = params->groups;
	tls->alpn = params->alpn;
	tls->keylog_file = params->keylog;
}

int cli_tls_prepare(
	const struct cli_context *context, const struct cli_tls_params *params, struct cli_client_setup *setup)
{
	if (params->key && !params->cert)
		return tls_wrong(context, "--key", "needs its certificate; add '--cert'");
	/* of what every user may read the library warns */
	if (params->key && !params->strict_key_file && !cli_secret_file_is_open(params->key, S_IROTH))
		cli_secret_file_check(context, params->key);
	tls_set_rest(params, &setup->options.tls);
	int code = tls_set_key_password(context, params, setup);
	return code == CLI_EXIT_OK ? tls_set_psk(context, params, setup) : code;
}
