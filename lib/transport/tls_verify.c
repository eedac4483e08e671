/* SPDX-License-Identifier: Apache-2.0 */
/* tls_verify.c: the checks, and the record of what a handshake showed. tls_explain.c makes sentences of it.
 *
 * Happy path: skiffi_tls_attach ties the report to the SSL; OpenSSL calls the hooks of the SSL_CTX: info (times,
 * alerts), certificate request, and verify, where the chain is checked by OpenSSL with the name as a part of it.
 * Failure: the first error that OpenSSL finds in the chain ends the handshake and is kept with the certificate it is
 * about. An SSL without a report is never accepted. */
#include "transport/tls_verify.h"

#include "base/clock.h"
#include "transport/tls_files.h"
#include "transport/tls_ocsp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- the way from an SSL to our data ---- */

static pthread_once_t verify_once = PTHREAD_ONCE_INIT;
static int verify_report_index, verify_context_index;

static void verify_make_indices(void)
{
	verify_report_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	verify_context_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static struct skiffi_tls_report *report_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, verify_report_index);
}

static struct skiffi_tls_context *context_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, verify_context_index);
}

static SSL *ssl_of(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
}

/* ---- what a certificate says, as text ---- */

static void text_add(char *out, size_t size, const char *data, int len)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", len, data);
}

static void text_add_address(char *out, size_t size, const ASN1_OCTET_STRING *address)
{
	char text[INET6_ADDRSTRLEN] = "an odd address";
	int len = ASN1_STRING_length(address);
	if (len == 4 || len == 16)
		inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
	text_add(out, size, text, (int)strlen(text));
}

/* The names that a certificate is for. */
static void text_of_names(char *out, size_t size, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	*out = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		if (type == GEN_DNS)
			text_add(out, size, (const char *)ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
		else if (type == GEN_IPADD)
			text_add_address(out, size, value);
	}
	GENERAL_NAMES_free(names);
}

/* ---- judging ---- */

/* Unknown CA or missing intermediate: OpenSSL sees no difference when the server sent its own certificate alone. An
 * intermediate signed it for sure when the certificate tells that its issuer has an issuer of another name, and most
 * likely when it tells where its issuer's certificate can be had, as those of public CAs do and those of home-made ones
 * do not. */
static bool issuer_is_intermediate(const X509 *leaf)
{
	AUTHORITY_KEYID *key_id = X509_get_ext_d2i(leaf, NID_authority_key_identifier, NULL, NULL);
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(leaf, NID_info_access, NULL, NULL);
	bool intermediate = false;
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++)
		if (OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, i)->method) == NID_ad_ca_issuers)
			intermediate = true;
	for (int i = 0; key_id && i < sk_GENERAL_NAME_num(key_id->issuer); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(key_id->issuer, i);
		if (name->type == GEN_DIRNAME)
			intermediate = X509_NAME_cmp(name->d.directoryName, X509_get_issuer_name(leaf)) != 0;
	}
	AUTHORITY_INFO_ACCESS_free(access);
	AUTHORITY_KEYID_free(key_id);
	return intermediate;
}

static bool trust_has_name(X509_STORE_CTX *store, const X509_NAME *name)
{
	STACK_OF(X509) *found = X509_STORE_CTX_get1_certs(store, name);
	bool has = sk_X509_num(found) > 0;
	sk_X509_pop_free(found, X509_free);
	return has;
}

/* Once or twice: some servers are given it in the file of the chain as well. */
static bool sent_alone(X509_STORE_CTX *store, const X509 *leaf)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
	for (int i = 0; i < sk_X509_num(sent); i++)
		if (X509_cmp(sk_X509_value(sent, i), leaf) != 0)
			return false;
	return true;
}

static enum skiff_code verify_judge_issuer(
	X509_STORE_CTX *store, struct skiffi_tls_report *report, const X509 *certificate)
{
	if (trust_has_name(store, X509_get_issuer_name(certificate))) {
		snprintf(report->verify_detail, sizeof report->verify_detail,
			" (a CA of that name is, but with another key)");
		return SKIFF_TLS_UNKNOWN_CA;
	}
	return sent_alone(store, certificate) && issuer_is_intermediate(certificate) ? SKIFF_TLS_MISSING_INTERMEDIATE
										     : SKIFF_TLS_UNKNOWN_CA;
}

/* What keeps a certificate from being a server's. Neither usage is restricted where its extension is not there. */
static const char *purpose_lacks(X509 *certificate)
{
	bool for_servers = X509_get_extended_key_usage(certificate) & (XKU_SSL_SERVER | XKU_ANYEKU);
	return for_servers ? "key usage digitalSignature" : "extended key usage serverAuth";
}

static enum skiff_code verify_judge(X509_STORE_CTX *store, struct skiffi_tls_report *report, X509 *certificate)
{
	size_t size = sizeof report->verify_detail;
	switch (report->verify_error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		skiffi_tls_date_text(report->verify_detail, size, X509_get0_notAfter(certificate));
		return SKIFF_TLS_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		skiffi_tls_date_text(report->verify_detail, size, X509_get0_notBefore(certificate));
		return SKIFF_TLS_NOT_YET_VALID;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		text_of_names(report->verify_detail, size, certificate);
		return SKIFF_TLS_HOSTNAME;
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return SKIFF_TLS_HOSTNAME;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		skiffi_tls_pin_text(report->pin, certificate);
		return SKIFF_TLS_SELF_SIGNED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return verify_judge_issuer(store, report, certificate);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
		return SKIFF_TLS_UNKNOWN_CA;
	case X509_V_ERR_INVALID_PURPOSE:
		snprintf(report->verify_detail, size, "%s", purpose_lacks(certificate));
		return report->verify_depth ? SKIFF_TLS_BAD_CHAIN : SKIFF_TLS_WRONG_PURPOSE;
	case X509_V_ERR_CERT_REVOKED:
		return SKIFF_TLS_REVOKED;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		snprintf(report->verify_detail, size, "its key has %d bits",
			EVP_PKEY_get_bits(X509_get0_pubkey(certificate)));
		return SKIFF_TLS_WEAK;
	case X509_V_ERR_CA_MD_TOO_WEAK:
		snprintf(report->verify_detail, size, "it is signed with %s",
			OBJ_nid2ln(X509_get_signature_nid(certificate)));
		return SKIFF_TLS_WEAK;
	case X509_V_ERR_OUT_OF_MEM:
		return SKIFF_MEMORY;
	default:
		return SKIFF_TLS_BAD_CHAIN;
	}
}

/* Keeps what OpenSSL found; it goes no further. */
static int verify_on_error(int ok, X509_STORE_CTX *store)
{
	struct skiffi_tls_report *report = report_of(ssl_of(store));
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	if (ok)
		return 1;
	report->verify_error = X509_STORE_CTX_get_error(store);
	report->verify_depth = X509_STORE_CTX_get_error_depth(store);
	report->verify_code = report->verify_error == X509_V_ERR_OUT_OF_MEM ? SKIFF_MEMORY : SKIFF_TLS_BAD_CHAIN;
	if (!certificate)
		return 0;
	skiffi_tls_name_text(report->verify_subject, sizeof report->verify_subject, X509_get_subject_name(certificate));
	skiffi_tls_name_text(report->verify_issuer, sizeof report->verify_issuer, X509_get_issuer_name(certificate));
	report->verify_code = verify_judge(store, report, certificate);
	return 0;
}

/* RFC 9525: a wildcard is a whole label, and the CN is no name, unless the user says so and there is no other. */
static unsigned verify_name_flags(const struct skiffi_tls_context *context, const X509 *leaf)
{
	bool by_cn = skiffi_tls_context_options(context)->accept_common_name &&
		     X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) < 0;
	return X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | (by_cn ? 0 : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

/* The name alone, for those who do not want the chain checked. */
static int verify_name_only(X509_STORE_CTX *store, const struct skiffi_tls_context *context)
{
	const char *name = skiffi_tls_context_verify_name(context);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	unsigned flags = verify_name_flags(context, leaf);
	bool address = name && skiffi_tls_name_is_address(name);
	int matches = 1;
	if (name)
		matches = address ? X509_check_ip_asc(leaf, name, flags) : X509_check_host(leaf, name, 0, flags, NULL);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	if (matches == 1)
		return 1;
	X509_STORE_CTX_set_error(store, address ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH);
	X509_STORE_CTX_set_error_depth(store, 0);
	X509_STORE_CTX_set_current_cert(store, leaf);
	return verify_on_error(0, store);
}

static bool verify_set_name(X509_STORE_CTX *store, const struct skiffi_tls_context *context)
{
	const char *name = skiffi_tls_context_verify_name(context);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	X509_VERIFY_PARAM_set_hostflags(param, verify_name_flags(context, X509_STORE_CTX_get0_cert(store)));
	if (!name)
		return true;
	if (!*name) /* which OpenSSL takes for any */
		return false;
	return skiffi_tls_name_is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1
						: X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool verify_chain(X509_STORE_CTX *store, const struct skiffi_tls_context *context)
{
	if (skiffi_tls_context_skips_chain(context))
		return verify_name_only(store, context);
	if (!verify_set_name(store, context)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return verify_on_error(0, store);
	}
	X509_STORE_CTX_set_verify_cb(store, verify_on_error);
	return X509_verify_cert(store) == 1;
}

/* ---- the key ---- */

static bool verify_refuse(X509_STORE_CTX *store, struct skiffi_tls_report *report, enum skiff_code code)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	report->verify_error = X509_V_ERR_APPLICATION_VERIFICATION;
	report->verify_code = code;
	skiffi_tls_name_text(report->verify_subject, sizeof report->verify_subject, X509_get_subject_name(leaf));
	skiffi_tls_name_text(report->verify_issuer, sizeof report->verify_issuer, X509_get_issuer_name(leaf));
	return false;
}

static bool verify_known(
	X509_STORE_CTX *store, struct skiffi_tls_report *report, const struct skiffi_tls_context *context)
{
	const char *path = skiffi_tls_context_options(context)->known_hosts_file,
		   *peer = skiffi_tls_context_peer(context);
	struct skiff_error error;
	unsigned line = 0;
	switch (skiffi_tls_known_look(path, peer, report->pin, &line, &error)) {
	case SKIFFI_TLS_KNOWN:
		return true;
	case SKIFFI_TLS_KNOWN_NOT:
		report->pin_is_new = true;
		return true;
	case SKIFFI_TLS_KNOWN_OTHER:
		snprintf(report->verify_detail, sizeof report->verify_detail,
			"\"%.120s\" has another in line %u; if that was changed on purpose, delete the line", path,
			line);
		return verify_refuse(store, report, SKIFF_TLS_PIN);
	default:
		snprintf(report->verify_detail, sizeof report->verify_detail, "%.*s",
			(int)sizeof report->verify_detail - 1, error.text);
		return verify_refuse(store, report, error.code);
	}
}

static bool verify_key(
	X509_STORE_CTX *store, struct skiffi_tls_report *report, const struct skiffi_tls_context *context)
{
	const struct skiff_tls_options *options = skiffi_tls_context_options(context);
	if (!options->pins && !options->known_hosts_file)
		return true;
	skiffi_tls_pin_text(report->pin, X509_STORE_CTX_get0_cert(store));
	if (!*report->pin)
		return verify_refuse(store, report, SKIFF_MEMORY);
	if (options->pins && !skiffi_tls_pins_have(options->pins, report->pin)) {
		snprintf(report->verify_detail, sizeof report->verify_detail,
			"it is none of those pinned (tls.pins); if it was changed on purpose, add it there");
		return verify_refuse(store, report, SKIFF_TLS_PIN);
	}
	return !options->known_hosts_file || verify_known(store, report, context);
}

/* Stands in for OpenSSL's own check of the peer's chain. */
static int verify_peer(X509_STORE_CTX *store, void *argument)
{
	SSL *ssl = ssl_of(store);
	const struct skiffi_tls_context *context = ssl ? context_of(ssl) : NULL;
	(void)argument;
	if (!context || !report_of(ssl)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	skiffi_tls_context_show(context, X509_STORE_CTX_get0_untrusted(store));
	if (skiffi_tls_context_options(context)->psk_identity)
		return verify_refuse(store, report_of(ssl), SKIFF_TLS_PSK);
	return verify_chain(store, context) && verify_key(store, report_of(ssl), context);
}

/* ---- a stapled response ---- */

static int status_on_response(SSL *ssl, void *argument)
{
	struct skiffi_tls_report *report = report_of(ssl);
	const struct skiffi_tls_context *context = context_of(ssl);
	(void)argument;
	if (!report || !context)
		return 0;
	report->verify_code = skiffi_tls_ocsp_judge(ssl, skiffi_tls_context_options(context)->ocsp,
		report->verify_detail, sizeof report->verify_detail, &report->verify_error, &report->proof_until);
	if (report->verify_code == SKIFF_OK)
		return 1;
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	if (!leaf)
		return 0;
	skiffi_tls_name_text(report->verify_subject, sizeof report->verify_subject, X509_get_subject_name(leaf));
	skiffi_tls_name_text(report->verify_issuer, sizeof report->verify_issuer, X509_get_issuer_name(leaf));
	return 0;
}

/* ---- a pre-shared key ---- */

static unsigned psk_on_hint(
	SSL *ssl, const char *hint, char *identity, unsigned identity_size, unsigned char *key, unsigned key_size)
{
	const struct skiffi_tls_context *context = context_of(ssl);
	const struct skiff_tls_options *options = context ? skiffi_tls_context_options(context) : NULL;
	(void)hint;
	if (!options || strlen(options->psk_identity) >= identity_size || options->psk_key.len > key_size)
		return 0;
	snprintf(identity, identity_size, "%s", options->psk_identity);
	memcpy(key, options->psk_key.data, options->psk_key.len);
	return (unsigned)options->psk_key.len;
}

void skiffi_tls_use_psk(SSL_CTX *ctx)
{
	SSL_CTX_set_psk_client_callback(ctx, psk_on_hint);
}

/* ---- recording ---- */

static void info_on_event(const SSL *ssl, int where, int value)
{
	struct skiffi_tls_report *report = report_of(ssl);
	if (!report)
		return;
	if (where & SSL_CB_HANDSHAKE_START && !report->started_us)
		report->started_us = skiffi_now_us();
	if (where & SSL_CB_HANDSHAKE_DONE && !report->done_us) {
		report->done_us = skiffi_now_us();
		report->handshake_done = true;
	}
	int description = value & 0xff;
	if (where & SSL_CB_ALERT && where & SSL_CB_READ && description != SSL_AD_CLOSE_NOTIFY &&
		description != SSL_AD_USER_CANCELLED && description != SSL_AD_NO_RENEGOTIATION)
		report->alert_received = description;
}

/* The names of the CAs that the server accepts, as far as there is room. */
static void certificate_note_wanted(struct skiffi_tls_report *report, const SSL *ssl)
{
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
	size_t size = sizeof report->certificate_by;
	report->certificate_by[0] = '\0';
	for (int i = 0; i < sk_X509_NAME_num(names); i++) {
		char name[128];
		size_t used = strlen(report->certificate_by);
		skiffi_tls_name_text(name, sizeof name, sk_X509_NAME_value(names, i));
		if (used + strlen(name) + sizeof "\"\", and others" > size) {
			if (used)
				snprintf(report->certificate_by + used, size - used, ", and others");
			return;
		}
		snprintf(report->certificate_by + used, size - used, "%s\"%s\"", used ? ", " : "", name);
	}
}

static int certificate_on_request(SSL *ssl, void *argument)
{
	struct skiffi_tls_report *report = report_of(ssl);
	(void)argument;
	if (!report)
		return 1;
	report->certificate_requested = true;
	certificate_note_wanted(report, ssl);
	report->certificate_sent = SSL_get_certificate(ssl) != NULL;
	return 1;
}

/* A session that may be resumed has come. Result: whether it is taken over. */
static int session_on_new(SSL *ssl, SSL_SESSION *session)
{
	struct skiffi_tls_context *context = context_of(ssl);
	struct skiffi_tls_report *report = report_of(ssl);
	if (report)
		report->session_given = true;
	if (!context || !skiffi_tls_context_resumes(context))
		return 0;
	skiffi_tls_context_keep(context, ssl, session, report_of(ssl)->proof_until);
	return 1;
}

static void keylog_on_line(const SSL *ssl, const char *line)
{
	struct skiffi_tls_context *context = context_of(ssl);
	if (context)
		skiffi_tls_context_log_key(context, line);
}

void skiffi_tls_log_keys(SSL_CTX *ctx)
{
	SSL_CTX_set_keylog_callback(ctx, keylog_on_line);
}

void skiffi_tls_install(SSL_CTX *ctx)
{
	pthread_once(&verify_once, verify_make_indices);
	SSL_CTX_set_cert_verify_callback(ctx, verify_peer, NULL);
	SSL_CTX_set_info_callback(ctx, info_on_event);
	SSL_CTX_set_cert_cb(ctx, certificate_on_request, NULL);
	SSL_CTX_sess_set_new_cb(ctx, session_on_new);
	SSL_CTX_set_tlsext_status_cb(ctx, status_on_response);
}

bool skiffi_tls_attach(SSL *ssl, struct skiffi_tls_report *report, struct skiffi_tls_context *context)
{
	bool asks = skiffi_tls_context_options(context)->ocsp != SKIFF_OCSP_OFF;
	report->alert_received = -1;
	return (!asks || SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp)) &&
	       SSL_set_ex_data(ssl, verify_report_index, report) &&
	       SSL_set_ex_data(ssl, verify_context_index, context) &&
	       SSL_set_tlsext_host_name(ssl, skiffi_tls_context_sni(context)) &&
	       skiffi_tls_context_resume(context, ssl);
}

void skiffi_tls_record(struct skiffi_tls_report *report, SSL *ssl, int result)
{
	int system_error = errno;
	int kind = SSL_get_error(ssl, result);
	unsigned long reason = ERR_peek_last_error();
	ERR_clear_error();
	if (kind == SSL_ERROR_ZERO_RETURN)
		report->close_notify = true;
	if (kind == SSL_ERROR_SYSCALL)
		report->system_error = system_error;
	if (kind == SSL_ERROR_SSL && !report->openssl_error)
		report->openssl_error = reason;
	if (kind == SSL_ERROR_ZERO_RETURN || kind == SSL_ERROR_SYSCALL ||
		(ERR_GET_LIB(reason) == ERR_LIB_SSL && ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
		report->peer_closed = true;
}
