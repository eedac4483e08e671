/* SPDX-License-Identifier: Apache-2.0 */
/* tls_token.c: the way to a token.
 *
 * Happy path: 1. the provider for the scheme, if OpenSSL can load it, and OSSL_STORE by it; 2. else, for pkcs11, the
 * engine of libp11. The module is the one that the URI names (module-path), or the environment variable
 * PKCS11_MODULE_PATH, or the one of p11-kit, as provider and engine have it.
 * Failure: neither is there; nothing of the kind under this URI; no PIN, or a wrong one. */
#define OPENSSL_SUPPRESS_DEPRECATED /* engines are, but are what systems have for tokens */
#include "transport/tls_token.h"

#include "base/alloc.h"
#include "base/error.h"
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <pthread.h>
#include <string.h>

/* What is looked for, and what was found of it. */
struct token_find {
	const struct skiffi_tls_source *source;
	struct skiffi_tls_password password;
	UI_METHOD *ui;
	int kind; /* OSSL_STORE_INFO_CERT or _PKEY */
	STACK_OF(X509) * certificates;
	EVP_PKEY *key;
};

static bool scheme_is(const char *name, const char *scheme)
{
	return !strncmp(name, scheme, strlen(scheme));
}

static bool find_is_done(const struct token_find *find)
{
	return find->kind == OSSL_STORE_INFO_CERT ? sk_X509_num(find->certificates) > 0 : find->key != NULL;
}

/* ---- by a provider ---- */

static pthread_mutex_t token_lock = PTHREAD_MUTEX_INITIALIZER;

/* Kept for the life of the process, as keys and certificates in use refer to it. */
static bool provider_load(const char *uri)
{
	const char *name = scheme_is(uri, "pkcs11:") ? "pkcs11" : "tpm2";
	pthread_mutex_lock(&token_lock);
	bool there = OSSL_PROVIDER_available(NULL, name) || OSSL_PROVIDER_try_load(NULL, name, 1);
	pthread_mutex_unlock(&token_lock);
	return there;
}

static void provider_take(struct token_find *find, OSSL_STORE_INFO *info)
{
	if (OSSL_STORE_INFO_get_type(info) != find->kind)
		return;
	if (find->kind == OSSL_STORE_INFO_PKEY && !find->key)
		find->key = OSSL_STORE_INFO_get1_PKEY(info);
	X509 *certificate = find->kind == OSSL_STORE_INFO_CERT ? OSSL_STORE_INFO_get1_CERT(info) : NULL;
	if (certificate && !sk_X509_push(find->certificates, certificate))
		X509_free(certificate);
}

static void provider_find(struct token_find *find)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(find->source->path, find->ui, &find->password, NULL, NULL);
	if (store && OSSL_STORE_expect(store, find->kind)) {
		while (!OSSL_STORE_eof(store)) {
			OSSL_STORE_INFO *info = OSSL_STORE_load(store);
			if (info)
				provider_take(find, info);
			OSSL_STORE_INFO_free(info);
		}
	}
	OSSL_STORE_close(store);
}

/* ---- by the engine ---- */

static ENGINE *token_engine; /* under the lock; kept, as the provider is */

/* The value of the attribute `module-path` of the URI's query; the caller's. NULL: there is none. */
static char *uri_module(const char *uri)
{
	const char *query = strchr(uri, '?');
	const char *value = query ? strstr(query, "module-path=") : NULL;
	if (!value)
		return NULL;
	value += strlen("module-path=");
	return skiffi_memdup(value, strcspn(value, "&;"));
}

static ENGINE *engine_start(const char *module)
{
	ENGINE *engine = ENGINE_by_id("pkcs11");
	if (engine && (!module || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0)) && ENGINE_init(engine))
		return engine;
	ENGINE_free(engine);
	return NULL;
}

/* The first URI decides on the module. */
static ENGINE *engine_load(const char *uri)
{
	char *module = uri_module(uri);
	pthread_mutex_lock(&token_lock);
	if (!token_engine)
		token_engine = engine_start(module);
	ENGINE *engine = token_engine;
	pthread_mutex_unlock(&token_lock);
	skiffi_free(module);
	return engine;
}

/* As the engine's command LOAD_CERT_CTRL has it. */
struct engine_certificate {
	const char *uri;
	X509 *certificate;
};

static void engine_find(struct token_find *find, ENGINE *engine)
{
	const char *path = find->source->path;
	char *uri = skiffi_memdup(path, strcspn(path, "?")); /* the engine knows no query */
	struct engine_certificate found = {uri, NULL};
	if (uri && find->kind == OSSL_STORE_INFO_PKEY)
		find->key = ENGINE_load_private_key(engine, uri, find->ui, &find->password);
	else if (uri)
		ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &found, NULL, 0);
	if (found.certificate && !sk_X509_push(find->certificates, found.certificate))
		X509_free(found.certificate);
	skiffi_free(uri);
}

/* ---- both ---- */

static void find_explain(const struct token_find *find, bool can, struct skiff_error *error)
{
	const char *subject = find->source->subject;
	const char *kind = find->kind == OSSL_STORE_INFO_CERT ? "certificate" : "private key";
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	if (!can && scheme_is(find->source->path, "pkcs11:"))
		skiffi_fail(error, SKIFF_FILE_TOKEN, 0,
			"%s: OpenSSL has neither the provider nor the engine \"pkcs11\" here; install pkcs11-provider "
			"or "
			"libengine-pkcs11-openssl",
			subject);
	else if (!can)
		skiffi_fail(error, SKIFF_FILE_TOKEN, 0,
			"%s: OpenSSL cannot load its provider \"tpm2\" here; is tpm2-openssl installed, and is there a "
			"TPM?",
			subject);
	else if (find->password.asked && find->password.refused)
		skiffi_fail(
			error, SKIFF_FILE_KEY_PASSWORD, 0, "%s: the token wants a PIN, and none was given", subject);
	else if (find->password.asked)
		skiffi_fail(error, SKIFF_FILE_KEY_PASSWORD, 0, "%s: the token does not take the PIN, or has no such %s",
			subject, kind);
	else
		skiffi_fail(error, SKIFF_FILE_TOKEN, 0,
			"%s: the token has no such %s (%s); is the module right (PKCS11_MODULE_PATH), and the object's "
			"name?",
			subject, kind, reason ? reason : "it says no more");
}

static bool find_run(struct token_find *find, struct skiff_error *error)
{
	const char *uri = find->source->path;
	bool can = provider_load(uri);
	if (can)
		provider_find(find);
	ENGINE *engine = !find_is_done(find) && scheme_is(uri, "pkcs11:") ? engine_load(uri) : NULL;
	if (engine)
		engine_find(find, engine);
	if (!find_is_done(find))
		find_explain(find, can || engine, error);
	ERR_clear_error();
	return find_is_done(find);
}

/* A PIN in the URI would be in the list of processes, in logs and in files that all can read. */
static bool find_begin(struct token_find *find, struct skiff_error *error)
{
	if (strstr(find->source->path, "pin-value=")) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"the URI of a token holds a PIN (pin-value), which others can see; leave it out and give it as "
			"the "
			"key's password");
		return false;
	}
	find->password.source = find->source;
	find->ui = UI_UTIL_wrap_read_pem_callback(skiffi_tls_give_password, 0);
	find->certificates = sk_X509_new_null();
	if (find->ui && find->certificates)
		return true;
	skiffi_fail_plain(error, SKIFF_MEMORY);
	return false;
}

static bool find_all(struct token_find *find, struct skiff_error *error)
{
	ERR_clear_error();
	bool found = find_begin(find, error) && find_run(find, error);
	UI_destroy_method(find->ui);
	if (found && find->kind == OSSL_STORE_INFO_CERT)
		return true;
	sk_X509_pop_free(find->certificates, X509_free);
	return found;
}

STACK_OF(X509) * skiffi_tls_token_certificates(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	struct token_find find = {.source = source, .kind = OSSL_STORE_INFO_CERT};
	return find_all(&find, error) ? find.certificates : NULL;
}

EVP_PKEY *skiffi_tls_token_key(const struct skiffi_tls_source *source, struct skiff_error *error)
{
	struct token_find find = {.source = source, .kind = OSSL_STORE_INFO_PKEY};
	return find_all(&find, error) ? find.key : NULL;
}

/* OpenSSL would sign by its own provider, which has no more than the public half of it. Digests and ciphers, which need
 * no key, stay with that: a TPM is slow. */
const char *skiffi_tls_token_properties(const EVP_PKEY *key)
{
	const OSSL_PROVIDER *provider = key ? EVP_PKEY_get0_provider(key) : NULL;
	bool tpm = provider && !strcmp(OSSL_PROVIDER_get0_name(provider), "tpm2");
	return tpm ? "?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes" : NULL;
}
