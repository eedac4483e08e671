/* SPDX-License-Identifier: Apache-2.0 */
/* cert_page.c: certificates for people. What strangers wrote is escaped, and lists without end are cut. */
#include "cert_show.h"
#include "cert_words.h"
#include "cli_output.h"
#include "cli_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_NAMES_MAX = 10, PAGE_NAME_BYTES = 300, PAGE_SENTENCE_BYTES = 4096, PAGE_REVOKED_MAX = 10 };

static const char *page_colour(const char *code)
{
	return cli_colour(STDOUT_FILENO) ? code : "";
}

/* Prints what may come from a stranger, cut where it is very long. */
static void page_bytes(const char *data, size_t len)
{
	char out[PAGE_NAME_BYTES * CLI_ESCAPE_FACTOR];
	size_t some = len < PAGE_NAME_BYTES ? len : PAGE_NAME_BYTES;
	fwrite(out, 1, cli_escape(out, data, some, ""), stdout);
	if (some < len)
		printf("... (%zu bytes)", len);
}

/* Prints all of a sentence of ours, in which strangers may be cited. */
static void page_sentence(const char *text)
{
	char out[PAGE_SENTENCE_BYTES * CLI_ESCAPE_FACTOR];
	fwrite(out, 1, cli_escape(out, text, strnlen(text, PAGE_SENTENCE_BYTES), ""), stdout);
}

static void page_label(const char *label)
{
	printf("   %-10s ", label);
}

static void page_row(const char *label, const char *text)
{
	if (!*text)
		return;
	page_label(label);
	page_bytes(text, strlen(text));
	putchar('\n');
}

static void page_name(const char *label, const X509_NAME *name)
{
	char text[CERT_NAME_BYTES];
	cert_name_text(text, sizeof(text), name);
	page_row(label, *text ? text : "(empty)");
}

static void page_names_one(const char *kind, const char *data, size_t len, void *user)
{
	size_t *told = user;
	if (++*told > PAGE_NAMES_MAX)
		return;
	printf("%s%s ", *told > 1 ? ", " : "", kind);
	page_bytes(data, len);
}

static void page_names(const GENERAL_NAMES *names)
{
	size_t told = 0;
	page_label("names");
	size_t count = cert_names_each(names, page_names_one, &told);
	if (!count)
		printf("none");
	if (count > PAGE_NAMES_MAX)
		printf(" and %zu more ('--json' has all)", count - PAGE_NAMES_MAX);
	putchar('\n');
}

/* "824 days left", "expired 12 days ago", in the colour of that. */
static void page_left(const ASN1_TIME *from, const ASN1_TIME *to, const char *over)
{
	int left = cert_days_left(to), until = from ? cert_days_left(from) : -1;
	const char *bad = page_colour("\033[31m"), *plain = page_colour("\033[0m");
	if (left < 0)
		printf("%s%s %d day%s ago%s", bad, over, -left - 1, left == -2 ? "" : "s", plain);
	else if (until >= 0)
		printf("%snot yet valid: begins in %d day%s%s", bad, until, until == 1 ? "" : "s", plain);
	else
		printf("%d day%s left", left, left == 1 ? "" : "s");
}

static void page_dates(const char *label, const ASN1_TIME *from, const ASN1_TIME *to, const char *over)
{
	char begin[CERT_DATE_BYTES], end[CERT_DATE_BYTES];
	cert_date_text(begin, sizeof(begin), from);
	cert_date_text(end, sizeof(end), to);
	page_label(label);
	printf("%s to %s: ", begin, to ? end : "no end told");
	if (to)
		page_left(from, to, over);
	putchar('\n');
}

static void page_key(const EVP_PKEY *key)
{
	char text[CERT_WORDS_BYTES], pin[CERT_PIN_BYTES];
	if (!key) {
		page_row("key", "cannot be read");
		return;
	}
	cert_key_text(text, sizeof(text), key);
	cert_pin_text(pin, key);
	page_row("key", text);
	page_row("pin", pin);
}

/* ---- items ---- */

static void page_certificate(X509 *certificate)
{
	char text[CERT_WORDS_BYTES], digest[CERT_DIGEST_BYTES];
	GENERAL_NAMES *names = cert_names_of(certificate);
	long depth = X509_get_pathlen(certificate);
	page_name("subject", X509_get_subject_name(certificate));
	page_names(names);
	GENERAL_NAMES_free(names);
	page_name("issuer", X509_get_issuer_name(certificate));
	cert_serial_text(text, sizeof(text), X509_get0_serialNumber(certificate));
	page_row("serial", text);
	page_dates("valid", X509_get0_notBefore(certificate), X509_get0_notAfter(certificate), "expired");
	page_key(X509_get0_pubkey(certificate));
	page_row("signed", OBJ_nid2sn(X509_get_signature_nid(certificate)));
	cert_weakness_text(text, sizeof(text), certificate);
	page_row("too weak", text);
	if (X509_check_ca(certificate) && depth >= 0)
		snprintf(text, sizeof(text), "a CA, for at most %ld more CA%s below it", depth, depth == 1 ? "" : "s");
	else
		snprintf(text, sizeof(text), "%s", X509_check_ca(certificate) ? "a CA" : "no CA");
	page_row("is", text);
	cert_usage_text(text, sizeof(text), certificate);
	page_row("usages", text);
	cert_purpose_text(text, sizeof(text), certificate);
	page_row("purposes", text);
	cert_digest_text(digest, certificate, EVP_sha256());
	page_row("SHA-256", digest);
	cert_digest_text(digest, certificate, EVP_sha1());
	page_row("SHA-1", digest);
}

static void page_request(X509_REQ *request)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	page_name("subject", X509_REQ_get_subject_name(request));
	page_names(names);
	page_key(key);
	page_row("signature", key && X509_REQ_verify(request, key) == 1 ? "by its own key" : "not by its own key");
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void page_crl(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	int count = revoked ? sk_X509_REVOKED_num(revoked) : 0;
	page_name("issuer", X509_CRL_get_issuer(crl));
	page_dates("valid", X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl), "out of date since");
	page_label("revokes");
	printf("%d certificate%s", count, count == 1 ? "" : "s");
	for (int i = 0; i < count && i < PAGE_REVOKED_MAX; i++) {
		char serial[CERT_WORDS_BYTES];
		cert_serial_text(
			serial, sizeof(serial), X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)));
		printf("%s%s", i ? ", " : ": ", serial);
	}
	puts(count > PAGE_REVOKED_MAX ? ", ..." : "");
}

static void page_item(size_t number, const struct cert_item *item)
{
	printf("\n%s%zu  %s", page_colour("\033[1m"), number,
		item->kind == CERT_OTHER && *item->label ? "" : strchr(cert_kind_text(item->kind), ' ') + 1);
	if (item->kind == CERT_OTHER)
		page_bytes(item->label, strlen(item->label));
	printf("%s%s", item->encrypted && !item->fault ? ", encrypted" : "", page_colour("\033[0m"));
	printf("%s%s\n", item->fault ? ": " : "", cert_fault_text(item->fault));
	page_row("convert by", cert_label_remedy(item->label));
	if (item->certificate)
		page_certificate(item->certificate);
	else if (item->request)
		page_request(item->request);
	else if (item->crl)
		page_crl(item->crl);
	else if (item->key)
		page_key(item->key);
}

/* ---- the tree ---- */

static void tree_line(size_t depth, size_t number, const X509_NAME *name, const char *remark)
{
	char text[CERT_NAME_BYTES];
	cert_name_text(text, sizeof(text), name);
	printf("  %*s%s", (int)(depth ? 3 * (depth - 1) : 0), "", depth ? "`- " : "");
	if (number)
		printf("%zu  ", number);
	page_bytes(text, strlen(text));
	printf("%s%s%s\n", *remark ? "  (" : "", remark, *remark ? ")" : "");
}

static void page_chain(const struct cert_view *view, const struct cert_chain *chain, void *user)
{
	bool *headed = user;
	const char *sent = view->peer ? "sent" : "here";
	const struct cert_link *last = &chain->links[chain->count - 1];
	if (!view->peer && chain->count == 1 && sk_X509_num(view->certificates) == 1 && chain->ends)
		return;
	if (!*headed)
		printf("\n%sWho signed whom%s\n", page_colour("\033[1m"), page_colour("\033[0m"));
	*headed = true;
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert_link *link = &chain->links[i];
		char remark[64] = "";
		if (link->trusted)
			snprintf(remark, sizeof(remark), "trusted here%s%s", link->index < 0 ? ", not " : "",
				link->index < 0 ? sent : "");
		else if (i + 1 == chain->count && chain->ends)
			snprintf(remark, sizeof(remark), "signed by itself, not trusted here");
		tree_line(i, cert_view_number(view, link->index), X509_get_subject_name(link->certificate), remark);
	}
	if (!chain->ends) {
		char remark[64];
		snprintf(remark, sizeof(remark), "neither %s nor trusted here", sent);
		tree_line(chain->count, 0, X509_get_issuer_name(last->certificate), last->trusted ? "" : remark);
	}
}

/* ---- the whole ---- */

static void page_verdict(const struct cert_view *view)
{
	const struct cert_peer *peer = view->peer;
	enum skiff_code code = peer->error.code;
	bool accepted = code == SKIFF_OK;
	bool we_are_not = code == SKIFF_TLS_CLIENT_CERT_REQUIRED || code == SKIFF_TLS_CLIENT_CERT_REJECTED;
	printf("\n%s%s%s", page_colour(accepted ? "\033[32m" : "\033[31m"),
		accepted     ? "accepted here"
		: we_are_not ? "accepted here, but does not accept this client: "
			     : "not accepted here: ",
		page_colour("\033[0m"));
	if (!accepted) {
		printf("%s\n  ", skiff_code_slug(code));
		page_sentence(peer->error.text);
	}
	printf("\na client must load: ");
	page_sentence(view->load);
	putchar('\n');
}

void cert_page_print(const struct cert_view *view)
{
	size_t count = view->items->count;
	bool headed = false;
	page_sentence(view->source);
	if (view->peer && *view->peer->connection.tls_version)
		printf(": %s, %s", view->peer->connection.tls_version, view->peer->connection.tls_cipher);
	printf(": %zu %s%s%s%s\n", count, view->peer ? "certificate" : "item", count == 1 ? "" : "s",
		view->items->form ? " in " : "", view->items->form ? view->items->form : "");
	for (size_t i = 0; i < count; i++)
		page_item(i + 1, &view->items->list[i]);
	cert_view_chains(view, page_chain, &headed);
	if (view->peer)
		page_verdict(view);
}
