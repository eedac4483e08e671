/* SPDX-License-Identifier: Apache-2.0 */
/* cert_json.c: certificates as one JSON object of the schema skiff.cert/1 (docs/schema/cert-1.json). */
#include "cert_show.h"
#include "cert_words.h"
#include "cli_json.h"
#include <string.h>

/* "" is null. */
static void json_some(struct cli_json *json, const char *name, const char *text)
{
	cli_json_text(json, name, *text ? text : NULL);
}

static void json_name(struct cli_json *json, const char *name, const X509_NAME *value)
{
	char text[CERT_NAME_BYTES];
	cert_name_text(text, sizeof(text), value);
	cli_json_text(json, name, text);
}

static void json_date(struct cli_json *json, const char *name, const ASN1_TIME *date)
{
	char text[CERT_DATE_BYTES];
	cert_date_text(text, sizeof(text), date);
	cli_json_text(json, name, date ? text : NULL);
}

static void json_names_one(const char *kind, const char *data, size_t len, void *user)
{
	struct cli_json *json = user;
	cli_json_open(json, NULL, '{');
	cli_json_text(json, "type", kind);
	cli_json_bytes(json, "value", data, len);
	cli_json_close(json, '}');
}

static void json_names(struct cli_json *json, GENERAL_NAMES *names)
{
	cli_json_open(json, "names", '[');
	cert_names_each(names, json_names_one, json);
	cli_json_close(json, ']');
	GENERAL_NAMES_free(names);
}

static void json_key(struct cli_json *json, const EVP_PKEY *key)
{
	char text[CERT_WORDS_BYTES], pin[CERT_PIN_BYTES];
	if (!key) {
		cli_json_null(json, "key");
		return;
	}
	cert_key_text(text, sizeof(text), key);
	cert_pin_text(pin, key);
	cli_json_open(json, "key", '{');
	cli_json_text(json, "type", text);
	cli_json_integer(json, "bits", EVP_PKEY_get_bits(key));
	cli_json_text(json, "pin", pin);
	cli_json_close(json, '}');
}

static void json_words(struct cli_json *json, const char *name, char *list)
{
	char *rest = NULL;
	cli_json_open(json, name, '[');
	for (char *word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
		cli_json_text(json, NULL, word);
	cli_json_close(json, ']');
}

static void json_serial(struct cli_json *json, const char *name, const ASN1_INTEGER *serial)
{
	char text[CERT_WORDS_BYTES];
	cert_serial_text(text, sizeof(text), serial);
	cli_json_text(json, name, text);
}

static void json_certificate(struct cli_json *json, X509 *certificate)
{
	char text[CERT_WORDS_BYTES], digest[CERT_DIGEST_BYTES];
	json_name(json, "subject", X509_get_subject_name(certificate));
	json_name(json, "issuer", X509_get_issuer_name(certificate));
	json_names(json, cert_names_of(certificate));
	json_serial(json, "serial", X509_get0_serialNumber(certificate));
	json_date(json, "not_before", X509_get0_notBefore(certificate));
	json_date(json, "not_after", X509_get0_notAfter(certificate));
	cli_json_integer(json, "days_left", cert_days_left(X509_get0_notAfter(certificate)));
	json_key(json, X509_get0_pubkey(certificate));
	cli_json_text(json, "signature", OBJ_nid2sn(X509_get_signature_nid(certificate)));
	cert_weakness_text(text, sizeof(text), certificate);
	json_some(json, "weakness", text);
	cli_json_bool(json, "ca", X509_check_ca(certificate) != 0);
	cert_usage_text(text, sizeof(text), certificate);
	json_words(json, "usages", text);
	cert_purpose_text(text, sizeof(text), certificate);
	json_words(json, "purposes", text);
	cert_digest_text(digest, certificate, EVP_sha256());
	cli_json_text(json, "sha256", digest);
	cert_digest_text(digest, certificate, EVP_sha1());
	cli_json_text(json, "sha1", digest);
}

static void json_request(struct cli_json *json, X509_REQ *request)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	json_name(json, "subject", X509_REQ_get_subject_name(request));
	json_names(json, X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL));
	json_key(json, key);
	cli_json_bool(json, "signed_by_its_key", key && X509_REQ_verify(request, key) == 1);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void json_crl(struct cli_json *json, X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	json_name(json, "issuer", X509_CRL_get_issuer(crl));
	json_date(json, "not_before", X509_CRL_get0_lastUpdate(crl));
	json_date(json, "not_after", X509_CRL_get0_nextUpdate(crl));
	cli_json_open(json, "revoked", '[');
	for (int i = 0; revoked && i < sk_X509_REVOKED_num(revoked); i++)
		json_serial(json, NULL, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)));
	cli_json_close(json, ']');
}

static void json_item(struct cli_json *json, const struct cert_item *item)
{
	static const char *const kinds[] = {"certificate", "request", "crl", "private-key", "public-key", "other"};
	cli_json_open(json, NULL, '{');
	cli_json_text(json, "kind", kinds[item->kind]);
	json_some(json, "label", item->label);
	cli_json_bool(json, "encrypted", item->encrypted);
	json_some(json, "fault", cert_fault_text(item->fault));
	if (item->certificate)
		json_certificate(json, item->certificate);
	else if (item->request)
		json_request(json, item->request);
	else if (item->crl)
		json_crl(json, item->crl);
	else if (item->key)
		json_key(json, item->key);
	cli_json_close(json, '}');
}

static void json_chain(const struct cert_view *view, const struct cert_chain *chain, void *user)
{
	struct cli_json *json = user;
	cli_json_open(json, NULL, '{');
	cli_json_open(json, "links", '[');
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert_link *link = &chain->links[i];
		cli_json_open(json, NULL, '{');
		json_name(json, "subject", X509_get_subject_name(link->certificate));
		if (link->index >= 0)
			cli_json_integer(json, "item", (long long)cert_view_number(view, link->index));
		else
			cli_json_null(json, "item");
		cli_json_bool(json, "trusted", link->trusted);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
	if (chain->ends)
		cli_json_null(json, "missing");
	else
		json_name(json, "missing", X509_get_issuer_name(chain->links[chain->count - 1].certificate));
	cli_json_close(json, '}');
}

static void json_peer(struct cli_json *json, const struct cert_view *view)
{
	const struct cert_peer *peer = view->peer;
	if (!peer) {
		cli_json_null(json, "server");
		return;
	}
	cli_json_open(json, "server", '{');
	cli_json_bool(json, "accepted", peer->error.code == SKIFF_OK);
	cli_json_text(json, "cause", peer->error.code ? skiff_code_slug(peer->error.code) : NULL);
	cli_json_text(json, "error", peer->error.code ? peer->error.text : NULL);
	cli_json_text(json, "load", view->load);
	json_some(json, "address", peer->connection.address);
	json_some(json, "version", peer->connection.tls_version);
	json_some(json, "cipher", peer->connection.tls_cipher);
	cli_json_bool(json, "certificate_wanted", peer->connection.tls_certificate_wanted);
	cli_json_close(json, '}');
}

void cert_json_print(const struct cert_view *view)
{
	struct cli_json json = {.out = stdout};
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.cert/1");
	cli_json_text(&json, "source", view->source);
	cli_json_text(&json, "form", view->items->form);
	json_peer(&json, view);
	cli_json_open(&json, "items", '[');
	for (size_t i = 0; i < view->items->count; i++)
		json_item(&json, &view->items->list[i]);
	cli_json_close(&json, ']');
	cli_json_open(&json, "chains", '[');
	cert_view_chains(view, json_chain, &json);
	cli_json_close(&json, ']');
	cli_json_close(&json, '}');
	putchar('\n');
}
