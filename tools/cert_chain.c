/* SPDX-License-Identifier: Apache-2.0 */
/* cert_chain.c: issuers are known by their names, their key ids and their signatures; nothing is judged. */
#include "cert_chain.h"
#include "cert_file.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- trust ---- */

static bool trust_add_file(X509_STORE *store, const char *path, char *why, size_t size)
{
	struct cert_items items;
	char text[CERT_WHY_BYTES];
	const struct cli_secret none = {0};
	size_t added = 0;
	if (!cert_file_read(path, &none, &items, text)) {
		snprintf(why, size, "CA: %s", text);
		return false;
	}
	for (size_t i = 0; i < items.count; i++)
		if (items.list[i].certificate)
			added += X509_STORE_add_cert(store, items.list[i].certificate) == 1;
	if (!added)
		snprintf(why, size, "CA: file '%.200s' should hold certificates, but holds %s", path,
			cert_kind_text(items.list[0].kind));
	cert_items_free(&items);
	return added > 0;
}

X509_STORE *cert_trust_new(const char *ca, char *why, size_t size)
{
	struct stat about;
	X509_STORE *store = X509_STORE_new();
	bool directory = ca && stat(ca, &about) == 0 && S_ISDIR(about.st_mode);
	bool ok = store != NULL;
	if (ok && !ca)
		X509_STORE_set_default_paths(store);
	else if (ok && directory)
		ok = X509_STORE_load_path(store, ca) == 1;
	else if (ok)
		ok = trust_add_file(store, ca, why, size);
	ERR_clear_error();
	if (ok)
		return store;
	if (!store || directory)
		snprintf(why, size, "out of memory");
	X509_STORE_free(store);
	return NULL;
}

/* The trusted issuer of a certificate, or the certificate itself if it is trusted and its own issuer; the caller's. */
static X509 *trust_issuer(X509_STORE *trust, X509 *certificate)
{
	X509 *issuer = NULL;
	X509_STORE_CTX *context = trust ? X509_STORE_CTX_new() : NULL;
	if (context && X509_STORE_CTX_init(context, trust, certificate, NULL) &&
		X509_STORE_CTX_get1_issuer(&issuer, context, certificate) != 1)
		issuer = NULL;
	X509_STORE_CTX_free(context);
	if (issuer && X509_verify(certificate, X509_get0_pubkey(issuer)) != 1) {
		X509_free(issuer);
		issuer = NULL;
	}
	ERR_clear_error();
	return issuer;
}

/* ---- chains ---- */

static int given_find(STACK_OF(X509) * given, const X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(given); i++)
		if (X509_cmp(sk_X509_value(given, i), certificate) == 0)
			return i;
	return -1;
}

static X509 *given_issuer(STACK_OF(X509) * given, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(given); i++) {
		X509 *issuer = sk_X509_value(given, i);
		if (X509_check_issued(issuer, certificate) != X509_V_OK ||
			X509_verify(certificate, X509_get0_pubkey(issuer)) != 1)
			continue;
		X509_up_ref(issuer);
		return issuer;
	}
	ERR_clear_error();
	return NULL;
}

/* Takes over the reference. False: it is there already, or there is no room. */
static bool chain_add(struct cert_chain *chain, X509 *certificate, int index, bool trusted)
{
	bool again = chain->count == CERT_CHAIN_MAX;
	for (size_t i = 0; i < chain->count; i++)
		again |= X509_cmp(chain->links[i].certificate, certificate) == 0;
	if (again) {
		X509_free(certificate);
		return false;
	}
	chain->links[chain->count++] = (struct cert_link){certificate, index, trusted};
	return true;
}

void cert_chain_build(struct cert_chain *chain, STACK_OF(X509) * given, int index, X509_STORE *trust)
{
	X509 *at = sk_X509_value(given, index);
	*chain = (struct cert_chain){0};
	X509_up_ref(at);
	chain_add(chain, at, index, false);
	for (;;) {
		struct cert_link *last = &chain->links[chain->count - 1];
		X509 *issuer = trust_issuer(trust, last->certificate);
		bool trusted = issuer != NULL;
		chain->ends = X509_self_signed(last->certificate, 1) == 1;
		ERR_clear_error();
		if (chain->ends) {
			last->trusted = trusted && X509_cmp(issuer, last->certificate) == 0;
			X509_free(issuer);
			return;
		}
		if (!issuer)
			issuer = given_issuer(given, last->certificate);
		if (!issuer || !chain_add(chain, issuer, given_find(given, issuer), trusted))
			return;
	}
}

void cert_chain_free(struct cert_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		X509_free(chain->links[i].certificate);
	*chain = (struct cert_chain){0};
}
