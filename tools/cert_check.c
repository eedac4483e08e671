/* SPDX-License-Identifier: Apache-2.0 */
/* cert_check.c: `skiff cert check`: whether certificate, key and CA fit together, without a connection.
 *
 * Happy path: 1. the certificate file; 2. the key, its file's permissions, and that it belongs to the certificate; 3.
 * dates, strength, purpose and name; 4. the chain up to the CA; 5. the library loads the same files. Failure: it is
 * noted, and everything that can still be looked at is looked at. */
#include "cert_chain.h"
#include "cert_file.h"
#include "cert_findings.h"
#include "cert_words.h"
#include "cli_exit.h"
#include "commands.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <skiff/log.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct check_params {
	const char *cert, *key, *ca, *crl, *host, *key_password_file;
	long long warn_days;
	bool json;
};

/* What is checked, and what came of it. */
struct checked {
	const struct check_params *params;
	struct cli_secret password;
	struct cert_items own, key_items; /* the files; key_items is empty where the key is in the first */
	STACK_OF(X509) * chain;           /* the certificates of `own`, borrowed */
	EVP_PKEY *key;                    /* borrowed; NULL: there is none */
	const char *key_path;
	bool faulty; /* something in the files could not be read, which was told */
	struct cert_findings findings;
};

#define FIELD(member) offsetof(struct check_params, member)

static const struct cli_option check_file_options[] = {
	{.name = "cert",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(cert),
		.help = "the certificate, then its chain; a PKCS#12 file holds the key too"},
	{.name = "key",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key),
		.help = "its private key; may be left out when --cert holds it too"},
	{.name = "key-password-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key_password_file),
		.help = "file with the password of an encrypted private key or PKCS#12 file; '-' is standard input; "
			"default "
			"SKIFF_KEY_PASSWORD"},
	{.name = "ca",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(ca),
		.help = "the CA that the other side trusts, a file or a directory made by 'openssl rehash'; default "
			"the "
			"system's"},
	{.name = "cafile", .type = CLI_STRING, .value = "FILE", .field = FIELD(ca), .help = "the same as --ca"},
	{.name = "crl",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(crl),
		.help = "revocation lists, a file or a directory made by 'openssl rehash'; when given, every "
			"certificate's issuer needs one"},
	{.name = "crlfile", .type = CLI_STRING, .value = "FILE", .field = FIELD(crl), .help = "the same as --crl"},
};

static const struct cli_option check_what_options[] = {
	{.name = "host",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(host),
		.help = "it is a server's, which clients connect to by this name or address; without, it is a "
			"client's"},
	{.name = "warn-days",
		.type = CLI_INT,
		.value = "DAYS",
		.field = FIELD(warn_days),
		.min = 0,
		.max = 36500,
		.fallback = 30,
		.help = "warn of certificates that end sooner than this; default 30"},
	{.name = "json",
		.type = CLI_FLAG,
		.field = FIELD(json),
		.help = "print one JSON object instead of lines (schema skiff.cert-check/1)"},
};

static const struct cli_group check_groups[] = {
	CLI_GROUP("Files", check_file_options, 0), CLI_GROUP("What for", check_what_options, 0), {0}};

/* Whose it is, for sentences. */
static const char *checked_who(const struct checked *checked)
{
	return checked->params->host ? "server" : "client";
}

/* ---- the files ---- */

/* What else than `wanted` is in a file, and what to do about it. */
static void check_other_kind(struct checked *checked, const char *check, const char *path,
	const struct cert_items *items, enum cert_kind wanted)
{
	enum cert_kind kind = items->list[0].kind;
	struct cert_findings *findings = &checked->findings;
	bool other = kind == CERT_OTHER && *items->list[0].label;
	findings_add(findings, CERT_FAIL, check, "'%s' should hold %s, but holds %s", path, cert_kind_text(wanted),
		other ? items->list[0].label : cert_kind_text(kind));
	if (wanted == CERT_CERTIFICATE && kind == CERT_REQUEST)
		findings_remedy(findings, "send it to the CA, and use the certificate that the CA makes of it");
	else if (wanted == CERT_CERTIFICATE && kind == CERT_PRIVATE_KEY)
		findings_remedy(findings, "give it by '--key', and the certificate that belongs to it by '--cert'");
	else if (wanted == CERT_PRIVATE_KEY && kind == CERT_PUBLIC_KEY)
		findings_remedy(findings, "use the private key that it was made from; a public key proves nothing");
	else if (wanted == CERT_PRIVATE_KEY && kind == CERT_CERTIFICATE)
		findings_remedy(findings, "give it by '--cert', and by '--key' the private key that belongs to it");
	else if (other && *cert_label_remedy(items->list[0].label))
		findings_remedy(findings, "convert it: %s", cert_label_remedy(items->list[0].label));
}

/* Items of a file that are damaged or stay shut. */
static void check_faults(struct checked *checked, const char *path, const struct cert_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct cert_item *item = &items->list[i];
		bool key = item->kind == CERT_PRIVATE_KEY;
		if (!item->fault)
			continue;
		findings_add(&checked->findings, CERT_FAIL, key ? "key" : "certificate", "number %zu in '%s', %s: %s",
			i + 1, path, cert_kind_text(item->kind), cert_fault_text(item->fault));
		checked->faulty = true;
		if (item->fault == CERT_NO_PASSWORD || item->fault == CERT_WRONG_PASSWORD)
			findings_remedy(&checked->findings,
				"give its password by '--key-password-file FILE' or SKIFF_KEY_PASSWORD");
		else if (item->fault == CERT_DAMAGED || item->fault == CERT_CUT)
			findings_remedy(&checked->findings,
				"get the file anew; between the lines BEGIN and END nothing may be changed");
	}
}

/* The URI is not shown: a PIN may stand in it. */
static void check_token(struct checked *checked, const char *check)
{
	findings_add(&checked->findings, CERT_WARN, check, "it is kept by a token, which is not looked into here");
	findings_remedy(&checked->findings, "see whether it works by a connection: skiff cert handshake, or skiff "
					    "check, with the same '--cert' and "
					    "'--key'");
}

static void check_certificate_file(struct checked *checked)
{
	const char *path = checked->params->cert;
	struct cert_items *items = &checked->own;
	char why[CERT_WHY_BYTES];
	if (cert_path_is_token(path)) {
		check_token(checked, "certificate");
		return;
	}
	if (!cert_file_read(path, &checked->password, items, why)) {
		findings_add(&checked->findings, CERT_FAIL, "certificate", "%s", why);
		findings_remedy(
			&checked->findings, "check the path and what the file holds: skiff cert show '%s'", path);
		return;
	}
	for (size_t i = 0; i < items->count; i++)
		if (items->list[i].certificate)
			sk_X509_push(checked->chain, items->list[i].certificate);
	check_faults(checked, path, items);
	int count = sk_X509_num(checked->chain);
	if (count)
		findings_add(&checked->findings, CERT_OK, "certificate", "'%s' is %s and holds %d certificate%s", path,
			items->form, count, count == 1 ? "" : "s");
	else if (!checked->faulty)
		check_other_kind(checked, "certificate", path, items, CERT_CERTIFICATE);
}

/* ---- the key ---- */

static void check_key_permissions(struct checked *checked)
{
	struct stat about;
	if (stat(checked->key_path, &about) != 0 || !S_ISREG(about.st_mode))
		return;
	unsigned mode = about.st_mode & 0777;
	if (!(mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH))) {
		findings_add(&checked->findings, CERT_OK, "permissions", "only its owner can use '%s' (mode %04o)",
			checked->key_path, mode);
		return;
	}
	findings_add(&checked->findings, CERT_WARN, "permissions", "the key in '%s' can be %s by %s (mode %04o)",
		checked->key_path, mode & (S_IRGRP | S_IROTH) ? "read" : "changed",
		mode & (S_IROTH | S_IWOTH) ? "every user of this machine" : "its group", mode);
	findings_remedy(&checked->findings, "chmod 600 '%s'", checked->key_path);
}

static void check_key_file(struct checked *checked)
{
	const struct check_params *params = checked->params;
	const struct cert_items *items = &checked->own;
	char why[CERT_WHY_BYTES];
	checked->key_path = params->key ? params->key : params->cert;
	if (params->key && cert_path_is_token(params->key)) {
		check_token(checked, "key");
		return;
	}
	if (params->key && !cert_file_read(params->key, &checked->password, &checked->key_items, why)) {
		findings_add(&checked->findings, CERT_FAIL, "key", "%s", why);
		findings_remedy(&checked->findings, "check the path and what the file holds: skiff cert show '%s'",
			params->key);
		return;
	}
	if (params->key) {
		items = &checked->key_items;
		check_faults(checked, params->key, items);
	}
	const struct cert_item *item = cert_file_first(items, CERT_PRIVATE_KEY);
	if (item && item->key) {
		char text[CERT_WORDS_BYTES];
		checked->key = item->key;
		cert_key_text(text, sizeof(text), item->key);
		findings_add(&checked->findings, CERT_OK, "key", "'%s' holds a private key, %s%s", checked->key_path,
			text, item->encrypted ? ", encrypted" : "");
		check_key_permissions(checked);
	} else if (params->key && !item) {
		check_other_kind(checked, "key", params->key, items, CERT_PRIVATE_KEY);
	} else if (!params->key && !item && items->count) {
		findings_add(
			&checked->findings, CERT_FAIL, "key", "no '--key' is given, and '%s' holds none", params->cert);
		findings_remedy(&checked->findings, "give the private key by '--key FILE'");
	}
}

static void check_key_belongs(struct checked *checked)
{
	int fits = -1, count = sk_X509_num(checked->chain);
	if (!checked->key || !count)
		return;
	for (int i = count - 1; i >= 0; i--)
		if (X509_check_private_key(sk_X509_value(checked->chain, i), checked->key) == 1)
			fits = i;
	ERR_clear_error();
	if (fits == 0) {
		findings_add(&checked->findings, CERT_OK, "match", "the key belongs to the certificate");
	} else if (fits > 0) {
		findings_add(&checked->findings, CERT_FAIL, "match",
			"the key belongs to certificate number %d in '%s'; its own must be the first", fits + 1,
			checked->params->cert);
		findings_remedy(
			&checked->findings, "put that certificate first, then the one that signed it, and so on");
	} else {
		findings_add(&checked->findings, CERT_FAIL, "match",
			"the key in '%s' does not belong to the certificate in '%s'", checked->key_path,
			checked->params->cert);
		findings_remedy(&checked->findings, "use the key that the certificate was requested with");
	}
}

/* ---- the certificate by itself ---- */

static void check_dates(struct checked *checked, const X509 *certificate, const char *whose)
{
	char date[CERT_DATE_BYTES];
	int left = cert_days_left(X509_get0_notAfter(certificate));
	cert_date_text(date, sizeof(date), X509_get0_notAfter(certificate));
	if (left < 0) {
		findings_add(&checked->findings, CERT_FAIL, "dates", "%s expired on %s, %d days ago", whose, date,
			-left - 1);
		findings_remedy(&checked->findings,
			"have it renewed; if the date seems right, look at this machine's clock: date");
	} else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		cert_date_text(date, sizeof(date), X509_get0_notBefore(certificate));
		findings_add(&checked->findings, CERT_FAIL, "dates", "%s is not valid before %s", whose, date);
		findings_remedy(
			&checked->findings, "look at this machine's clock: date; if it is right, wait until then");
	} else if (left < checked->params->warn_days) {
		findings_add(&checked->findings, CERT_WARN, "dates", "%s ends in %d days, on %s", whose, left, date);
		findings_remedy(&checked->findings, "have it renewed before");
	} else {
		findings_add(&checked->findings, CERT_OK, "dates", "%s is valid for %d more days, until %s", whose,
			left, date);
	}
}

static void check_strength(struct checked *checked, X509 *certificate, const char *whose)
{
	char weakness[CERT_WORDS_BYTES];
	cert_weakness_text(weakness, sizeof(weakness), certificate);
	if (!*weakness)
		return;
	findings_add(&checked->findings, CERT_FAIL, "strength", "%s is too weak: %s", whose, weakness);
	findings_remedy(
		&checked->findings, "have one issued for RSA of 2048 bits or P-256, signed with SHA-256 or better");
}

static void check_purpose(struct checked *checked, X509 *certificate)
{
	bool server = checked->params->host;
	const char *usage = server ? "serverAuth" : "clientAuth";
	if (X509_check_purpose(certificate, server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, 0) == 1) {
		findings_add(&checked->findings, CERT_OK, "purpose", "it may be used by a %s", checked_who(checked));
		return;
	}
	findings_add(&checked->findings, CERT_FAIL, "purpose",
		"it is not for a %s: its key usages exclude that (extended key "
		"usage %s)",
		checked_who(checked), usage);
	findings_remedy(&checked->findings, "have one issued for a %s%s", checked_who(checked),
		server ? "" : "; to check a server's, give '--host NAME'");
}

static void name_collect(const char *kind, const char *data, size_t len, void *user)
{
	char *out = user;
	size_t used = strlen(out);
	if ((strcmp(kind, "DNS") == 0 || strcmp(kind, "IP") == 0) && len < 256)
		snprintf(out + used, CERT_WORDS_BYTES - used, "%s%.*s", used ? ", " : "", (int)len, data);
}

static void check_name(struct checked *checked, X509 *certificate)
{
	const char *host = checked->params->host;
	char names[CERT_WORDS_BYTES] = "";
	if (!host)
		return;
	GENERAL_NAMES *all = cert_names_of(certificate);
	cert_names_each(all, name_collect, names);
	GENERAL_NAMES_free(all);
	if (cert_fits_host(certificate, host)) {
		findings_add(&checked->findings, CERT_OK, "name", "it is for \"%s\"", host);
	} else if (*names) {
		findings_add(&checked->findings, CERT_FAIL, "name", "it is not for \"%s\", but for %s", host, names);
		findings_remedy(&checked->findings,
			"have clients connect by one of its names, or have one issued for \"%s\"", host);
	} else {
		findings_add(&checked->findings, CERT_FAIL, "name",
			"it is for no name: it lists none, and that in its subject does not count [RFC 9525]");
		findings_remedy(&checked->findings, "have one issued with \"%s\" as a subject alternative name", host);
	}
}

/* ---- the chain ---- */

static void check_order(struct checked *checked)
{
	int count = sk_X509_num(checked->chain);
	for (int i = 0; i + 1 < count; i++) {
		X509 *one = sk_X509_value(checked->chain, i), *next = sk_X509_value(checked->chain, i + 1);
		if (X509_check_issued(next, one) == X509_V_OK)
			continue;
		findings_add(&checked->findings, CERT_WARN, "order",
			"certificate number %d in '%s' did not sign number %d before it", i + 2, checked->params->cert,
			i + 1);
		findings_remedy(&checked->findings,
			"let each be followed by the one that signed it; some peers take no other order");
		return;
	}
	if (count > 1)
		findings_add(
			&checked->findings, CERT_OK, "order", "each certificate is followed by the one that signed it");
}

static const char *chain_remedy(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "add the certificate of that CA: to the file of '--cert' if it is an intermediate, by '--ca' if "
		       "it is the "
		       "root";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "give its root by '--ca', if it is one that the other side trusts";
	case X509_V_ERR_CERT_REVOKED:
		return "its CA has taken it back: have a new one issued";
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "add the revocation list of that CA to the file of '--crl', or to its directory and run "
		       "'openssl rehash'";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "get a new revocation list";
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return "it signed another one, but is no CA's: have the certificate issued by one that is";
	default:
		return "whoever issued the certificates must mend it";
	}
}

/* Whether another check tells of it, with the certificate by itself. */
static bool chain_told_elsewhere(int error)
{
	return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID ||
	       error == X509_V_ERR_EE_KEY_TOO_SMALL || error == X509_V_ERR_CA_KEY_TOO_SMALL ||
	       error == X509_V_ERR_CA_MD_TOO_WEAK;
}

/* Whether it is hardly more than another fault of the chain seen once more: without its issuer a certificate has no
 * revocation list, and a broken chain suits no purpose. */
static bool chain_follows(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_KEYUSAGE_NO_CRL_SIGN ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE || error == X509_V_ERR_INVALID_PURPOSE;
}

/* A stranger's CA is no fault of a client's certificate where it was not said whom the server trusts. */
static enum cert_level chain_level(const struct checked *checked, int error)
{
	bool unknown = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
		       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
		       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE || error == X509_V_ERR_CERT_UNTRUSTED ||
		       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
	return unknown && !checked->params->host && !checked->params->ca ? CERT_WARN : CERT_FAIL;
}

/* Notes each fault of the chain and lets OpenSSL go on to the next. */
static int chain_on_verify(int ok, X509_STORE_CTX *context)
{
	struct checked *checked = X509_STORE_CTX_get_app_data(context);
	int error = X509_STORE_CTX_get_error(context);
	const X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	char name[CERT_WORDS_BYTES] = "", issuer[CERT_WORDS_BYTES] = "";
	bool purpose = error == X509_V_ERR_INVALID_PURPOSE && X509_STORE_CTX_get_error_depth(context) == 0;
	if (ok || chain_told_elsewhere(error) || purpose)
		return 1;
	if (certificate) {
		cert_name_text(name, sizeof(name), X509_get_subject_name(certificate));
		cert_name_text(issuer, sizeof(issuer), X509_get_issuer_name(certificate));
	}
	for (size_t i = 0; i < checked->findings.count; i++)
		if (strcmp(checked->findings.list[i].check, "chain") == 0 && chain_follows(error))
			return 1;
	findings_add(&checked->findings, chain_level(checked, error), "chain", "\"%.400s\", signed by \"%.400s\": %s",
		name, issuer, X509_verify_cert_error_string(error));
	findings_remedy(&checked->findings, "%s",
		chain_level(checked, error) == CERT_WARN ? "give the CA that the server trusts by '--ca FILE', to know"
							 : chain_remedy(error));
	return 1;
}

/* Without a store, the file is looked at by itself. */
static bool chain_add_crls(struct checked *checked, X509_STORE *store)
{
	struct cert_items items;
	const struct cli_secret none = {0};
	char why[CERT_WHY_BYTES];
	struct stat about;
	bool any = false;
	if (stat(checked->params->crl, &about) == 0 && S_ISDIR(about.st_mode))
		return !store || X509_STORE_load_path(store, checked->params->crl) == 1;
	if (!cert_file_read(checked->params->crl, &none, &items, why)) {
		findings_add(&checked->findings, CERT_FAIL, "revocation", "%s", why);
		findings_remedy(&checked->findings, "give the CA's revocation list by '--crl FILE'");
		return false;
	}
	for (size_t i = 0; i < items.count; i++)
		any |= items.list[i].crl && (!store || X509_STORE_add_crl(store, items.list[i].crl) == 1);
	if (!any)
		check_other_kind(checked, "revocation", checked->params->crl, &items, CERT_CRL);
	cert_items_free(&items);
	return any;
}

/* The certificates above the first, as OpenSSL put them together. */
static void chain_check_others(struct checked *checked, STACK_OF(X509) * built)
{
	char name[CERT_WORDS_BYTES], whose[CERT_WORDS_BYTES + 32];
	for (int i = 1; i < sk_X509_num(built); i++) {
		X509 *one = sk_X509_value(built, i);
		cert_name_text(name, sizeof(name), X509_get_subject_name(one));
		snprintf(whose, sizeof(whose), "the CA \"%.400s\"", name);
		check_dates(checked, one, whose);
		check_strength(checked, one, whose);
	}
}

static void chain_verify(struct checked *checked, X509_STORE *store)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509 *own = sk_X509_value(checked->chain, 0);
	size_t before = checked->findings.count;
	if (!context || !X509_STORE_CTX_init(context, store, own, checked->chain)) {
		findings_add(&checked->findings, CERT_FAIL, "chain", "out of memory");
		X509_STORE_CTX_free(context);
		return;
	}
	X509_STORE_CTX_set_app_data(context, checked);
	X509_STORE_CTX_set_verify_cb(context, chain_on_verify);
	X509_STORE_CTX_set_purpose(context, checked->params->host ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
	X509_verify_cert(context);
	if (checked->findings.count == before) {
		X509 *top = sk_X509_value(
			X509_STORE_CTX_get0_chain(context), sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1);
		char name[CERT_WORDS_BYTES];
		cert_name_text(name, sizeof(name), X509_get_subject_name(top));
		findings_add(&checked->findings, CERT_OK, "chain", "it leads to \"%.400s\", in %s%s", name,
			checked->params->ca ? checked->params->ca : "the system's trust store",
			checked->params->crl ? "; nothing in it is revoked" : "");
	}
	chain_check_others(checked, X509_STORE_CTX_get0_chain(context));
	X509_STORE_CTX_free(context);
	ERR_clear_error();
}

static void check_chain(struct checked *checked)
{
	char why[CERT_WHY_BYTES];
	X509_STORE *store = cert_trust_new(checked->params->ca, why, sizeof(why));
	if (!store) {
		findings_add(&checked->findings, CERT_FAIL, "ca", "%s", why);
		findings_remedy(&checked->findings, "give the CA's certificate by '--ca FILE'");
	}
	bool lists = !checked->params->crl || chain_add_crls(checked, store);
	if (store && lists && sk_X509_num(checked->chain) > 0) {
		if (checked->params->crl)
			X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		chain_verify(checked, store);
	}
	X509_STORE_free(store);
}

/* ---- the library ---- */

static int library_password(char *buffer, size_t size, void *user)
{
	const struct cli_secret *password = user;
	if (!password->data || password->len > size)
		return -1;
	memcpy(buffer, password->data, password->len);
	return (int)password->len;
}

static void library_log(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	(void)level, (void)component, (void)line, (void)user; /* what it warns of is a finding already */
}

/* What was overlooked here shows where '--cert' and '--key' are used in earnest. */
static void check_library(struct checked *checked)
{
	struct skiff_error error = {0};
	const struct check_params *params = checked->params;
	struct skiff_options options = {.url = "mqtts://localhost",
		.engine = SKIFF_ENGINE_NATIVE,
		.tls = {.cert_file = params->cert,
			.key_file = params->key,
			.key_password = checked->password.data ? library_password : NULL,
			.key_password_user = &checked->password}};
	skiff_log_set(SKIFF_LOG_WARN, library_log, NULL);
	struct skiff_client *client = skiff_client_new(&options, &error);
	skiff_client_free(client);
	if (!client && !checked->findings.failed)
		findings_add(&checked->findings, CERT_FAIL, "load", "%s", error.text);
	else if (client)
		findings_add(&checked->findings, CERT_OK, "load", "skiff loads '--cert%s",
			params->key ? "' and '--key'" : "'");
}

/* ---- the whole ---- */

static void check_all(struct checked *checked)
{
	check_certificate_file(checked);
	check_key_file(checked);
	check_key_belongs(checked);
	X509 *own = sk_X509_value(checked->chain, 0);
	if (own) {
		check_dates(checked, own, "the certificate");
		check_strength(checked, own, "the certificate");
		check_purpose(checked, own);
		check_name(checked, own);
		check_order(checked);
	}
	check_chain(checked); /* its files also where there is no certificate */
	const struct check_params *params = checked->params;
	if (!cert_path_is_token(params->cert) && !(params->key && cert_path_is_token(params->key)))
		check_library(checked);
}

static int check_run(const struct cli_context *context, void *raw)
{
	const struct check_params *params = raw;
	if (!params->cert) {
		cli_say(context, "what to check is missing; add '--cert FILE'");
		return CLI_EXIT_USAGE;
	}
	struct checked *checked = calloc(1, sizeof(*checked));
	if (!checked || !(checked->chain = sk_X509_new_null())) {
		cli_say(context, "out of memory");
		free(checked);
		return CLI_EXIT_FAILURE;
	}
	checked->params = params;
	int code = params->key_password_file
			   ? cli_password_from_file(context, params->key_password_file, &checked->password)
			   : cli_password_from_environment(context, "SKIFF_KEY_PASSWORD", &checked->password);
	if (code == CLI_EXIT_OK) {
		check_all(checked);
		code = checked->findings.failed ? CLI_EXIT_FILE : CLI_EXIT_OK;
		if (params->json)
			findings_json(&checked->findings, code);
		else
			findings_print(&checked->findings);
	}
	sk_X509_free(checked->chain);
	cert_items_free(&checked->own);
	cert_items_free(&checked->key_items);
	cli_secret_wipe(&checked->password);
	free(checked);
	return code;
}

const struct cli_command cmd_cert_check = {
	.name = "cert check",
	.summary = "check whether certificate, key and CA fit together",
	.usage = "--cert FILE [OPTION]...",
	.description =
		"Looks at everything that makes a certificate be refused, and says all that it finds, each with what "
		"to do: "
		"whether the files hold what they should, the key belongs to the certificate and is nobody else's to "
		"read, "
		"dates, strength, purpose, with --host the name, the order of the chain, and whether it leads to the "
		"CA, "
		"with --crl also whether something in it is revoked. No connection is made.\n\n"
		"Without --host it is a client's certificate; without --ca the system's CAs count, and that a client's "
		"leads to none of them is only a warning, as the server may trust another.\n\n"
		"Exit code 0: nothing failed; 10: something did.",
	.examples = "# is this what the broker will take?\nskiff cert check --cert client.crt --key client.key --ca "
		    "ca.crt\n"
		    "# a server's, before it is installed; in a script\n"
		    "skiff cert check --cert server.crt --key server.key --ca ca.crt --host broker.example --json\n",
	.groups = check_groups,
	.params_size = sizeof(struct check_params),
	.run = check_run,
};
