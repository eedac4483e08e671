/* SPDX-License-Identifier: Apache-2.0 */
/* tls_explain.c: the record of a handshake as an error and as information.
 *
 * What counts first: our own verdict on the server's certificate, then the peer's alert, then OpenSSL's reason, then
 * that the peer simply ended the connection. */
#include "transport/tls_verify.h"

#include "base/error.h"
#include "transport/tls_files.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { EXPLAIN_WANTED_BYTES = 288 };

/* What the functions below speak of. */
struct explain {
	const struct skiffi_tls_report *report;
	const struct skiffi_tls_context *context;
	const struct skiffi_endpoint *endpoint;
	struct skiff_error *error;
};

/* ---- our verdict on the server's certificate ---- */

static void text_of_now(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static enum skiff_code explain_dates(const struct explain *e, const char *who)
{
	char now[32];
	text_of_now(now, sizeof now);
	if (e->report->verify_code == SKIFF_TLS_EXPIRED)
		return skiffi_fail(e->error, SKIFF_TLS_EXPIRED, e->report->verify_error,
			"%s expired on %s; it must be renewed on the server (the clock here says %s)", who,
			e->report->verify_detail, now);
	return skiffi_fail(e->error, SKIFF_TLS_NOT_YET_VALID, e->report->verify_error,
		"%s is not valid before %s; the clock here says %s: is it right?", who, e->report->verify_detail, now);
}

static enum skiff_code explain_name(const struct explain *e)
{
	const char *name = skiffi_tls_context_verify_name(e->context);
	int number = e->report->verify_error;
	if (number == X509_V_ERR_PERMITTED_VIOLATION || number == X509_V_ERR_EXCLUDED_VIOLATION)
		return skiffi_fail(e->error, SKIFF_TLS_HOSTNAME, number,
			"the server's certificate has a name that its CA \"%s\" may not give (name constraints); "
			"another CA must issue one",
			e->report->verify_issuer);
	if (!*e->report->verify_detail)
		return skiffi_fail(e->error, SKIFF_TLS_HOSTNAME, number,
			"the server's certificate is for no name: it has no subject alternative name, and the one in "
			"its subject "
			"\"%s\" does not count; it cannot be for \"%s\"",
			e->report->verify_subject, name ? name : "");
	return skiffi_fail(e->error, SKIFF_TLS_HOSTNAME, number,
		"the server's certificate is for %s, not for \"%s\"; connect by one of its names, or have one issued "
		"for this",
		e->report->verify_detail, name ? name : "");
}

static enum skiff_code explain_issuer(const struct explain *e)
{
	const struct skiffi_tls_report *report = e->report;
	const char *trust = skiffi_tls_context_trust(e->context);
	if (report->verify_code == SKIFF_TLS_MISSING_INTERMEDIATE)
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server did not send the certificate of the intermediate CA \"%s\" that signed its own, "
			"and %s does not "
			"have it; the server must send its whole chain",
			report->verify_issuer, trust);
	if (report->verify_code == SKIFF_TLS_SELF_SIGNED)
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server's certificate \"%s\" is signed by itself, and is not in %s; if it is the right "
			"one (its key is %s), give it as the CA file",
			report->verify_subject, trust, report->pin);
	return skiffi_fail(e->error, SKIFF_TLS_UNKNOWN_CA, report->verify_error,
		"the server's certificate comes from the CA \"%s\", which is not in %s%s; if it is the right one, give "
		"its file as "
		"the CA file",
		report->verify_issuer, trust, report->verify_detail);
}

static enum skiff_code explain_chain(const struct explain *e, const char *who)
{
	const struct skiffi_tls_report *report = e->report;
	int number = report->verify_error;
	switch (number) {
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return skiffi_fail(e->error, SKIFF_TLS_BAD_CHAIN, number,
			"%s signed another one in the server's chain, and is no CA's", who);
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return skiffi_fail(
			e->error, SKIFF_TLS_BAD_CHAIN, number, "%s may not have so many intermediates below it", who);
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return skiffi_fail(e->error, SKIFF_TLS_BAD_CHAIN, number,
			"whether %s is revoked cannot be told: the file of revocation lists has none of the CA \"%s\"",
			who, report->verify_issuer);
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return skiffi_fail(e->error, SKIFF_TLS_BAD_CHAIN, number,
			"whether %s is revoked cannot be told: the revocation list of the CA \"%s\" is out of date; "
			"get a new one",
			who, report->verify_issuer);
	default:
		return skiffi_fail(e->error, SKIFF_TLS_BAD_CHAIN, number, "%s is not acceptable: %s", who,
			X509_verify_cert_error_string(number));
	}
}

static enum skiff_code explain_verdict(const struct explain *e)
{
	const struct skiffi_tls_report *report = e->report;
	char who[320] = "the server's certificate";
	if (report->verify_depth)
		snprintf(who, sizeof who, "the certificate \"%s\" in the server's chain", report->verify_subject);
	switch (report->verify_code) {
	case SKIFF_TLS_EXPIRED:
	case SKIFF_TLS_NOT_YET_VALID:
		return explain_dates(e, who);
	case SKIFF_TLS_HOSTNAME:
		return explain_name(e);
	case SKIFF_TLS_UNKNOWN_CA:
	case SKIFF_TLS_SELF_SIGNED:
	case SKIFF_TLS_MISSING_INTERMEDIATE:
		return explain_issuer(e);
	case SKIFF_TLS_WRONG_PURPOSE:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server shows a certificate that is not for servers (\"%s\"); it needs the %s",
			report->verify_subject, report->verify_detail);
	case SKIFF_TLS_REVOKED:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"%s was revoked by its CA \"%s\"%s%s", who, report->verify_issuer,
			*report->verify_detail ? ": " : "", report->verify_detail);
	case SKIFF_TLS_OCSP:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server does not prove that its certificate is not revoked: %s; its OCSP stapling must be "
			"set up "
			"or mended",
			report->verify_detail);
	case SKIFF_TLS_PIN:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server's key is %s: %s; else somebody may pose as '%.120s'", report->pin,
			report->verify_detail, skiffi_tls_context_peer(e->context));
	case SKIFF_TLS_PSK:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"the server shows a certificate (\"%s\") instead of taking the pre-shared key; is this the "
			"port for "
			"that?",
			report->verify_subject);
	case SKIFF_TLS_WEAK:
		return skiffi_fail(e->error, report->verify_code, report->verify_error,
			"%s is too weak: %s; the server needs a better one", who, report->verify_detail);
	case SKIFF_FILE_UNREADABLE: /* that of the known hosts */
		return skiffi_fail(e->error, report->verify_code, report->verify_error, "%s", report->verify_detail);
	case SKIFF_MEMORY:
		return skiffi_fail_plain(e->error, SKIFF_MEMORY);
	default:
		return explain_chain(e, who);
	}
}

/* ---- the peer's alerts ---- */

/* Whose client certificates the server takes, with a lead; "" where it did not say. */
static const char *explain_wanted(const struct explain *e, char out[EXPLAIN_WANTED_BYTES])
{
	const char *names = e->report->certificate_by;
	snprintf(out, EXPLAIN_WANTED_BYTES, "%s%s", *names ? "; it takes those of " : "", names);
	return out;
}

static enum skiff_code explain_required(const struct explain *e, int detail)
{
	char wanted[EXPLAIN_WANTED_BYTES];
	return skiffi_fail(e->error, SKIFF_TLS_CLIENT_CERT_REQUIRED, detail,
		"the server requires a client certificate, and none was given%s", explain_wanted(e, wanted));
}

/* The alerts that judge a client certificate; NULL for others. */
static const char *alert_on_certificate(int alert)
{
	switch (alert) {
	case SSL_AD_HANDSHAKE_FAILURE:
		return "it does not say why";
	case SSL_AD_BAD_CERTIFICATE:
		return "it finds it bad";
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
		return "it is of the wrong kind or for another purpose";
	case SSL_AD_CERTIFICATE_REVOKED:
		return "it is revoked";
	case SSL_AD_CERTIFICATE_EXPIRED:
		return "it has expired";
	case SSL_AD_CERTIFICATE_UNKNOWN:
		return "it is not acceptable";
	case SSL_AD_UNKNOWN_CA:
		return "it does not know the CA that signed it";
	case SSL_AD_ACCESS_DENIED:
		return "access is denied";
	case SSL_AD_DECRYPT_ERROR:
		return "its signature cannot be verified";
	default:
		return NULL;
	}
}

/* The alerts that may mean a pre-shared key. */
static bool alert_on_psk(int alert)
{
	return alert == SSL_AD_UNKNOWN_PSK_IDENTITY || alert == SSL_AD_DECRYPT_ERROR ||
	       alert == SSL_AD_BAD_RECORD_MAC || alert == SSL_AD_HANDSHAKE_FAILURE ||
	       alert == SSL_AD_ILLEGAL_PARAMETER || alert == SSL_AD_MISSING_EXTENSION || alert == SSL_AD_INTERNAL_ERROR;
}

/* The versions that this side speaks. */
static const char *explain_versions(const struct explain *e)
{
	const struct skiff_tls_options *options = skiffi_tls_context_options(e->context);
	if (options->min_version == SKIFF_TLS_1_3)
		return "does not speak TLS 1.3, the only version";
	return options->max_version == SKIFF_TLS_1_2 ? "does not speak TLS 1.2, the only version"
						     : "speaks none of TLS 1.2 and 1.3, the versions";
}

static enum skiff_code explain_alert(const struct explain *e)
{
	int alert = e->report->alert_received;
	const char *reason = alert_on_certificate(alert);
	const char *file = skiffi_tls_context_certificate(e->context);
	char wanted[EXPLAIN_WANTED_BYTES];
	if (alert_on_psk(alert) && skiffi_tls_context_options(e->context)->psk_identity)
		return skiffi_fail(e->error, SKIFF_TLS_PSK, alert,
			"the server does not take the pre-shared key of \"%s\": it knows another key, or not this "
			"identity, "
			"or has no such keys at all (%s, alert %d)",
			skiffi_tls_context_options(e->context)->psk_identity, SSL_alert_desc_string_long(alert), alert);
	if (alert == SSL_AD_CERTIFICATE_REQUIRED ||
		(reason && e->report->certificate_requested && !e->report->certificate_sent))
		return explain_required(e, alert);
	if (reason && e->report->certificate_sent)
		return skiffi_fail(e->error, SKIFF_TLS_CLIENT_CERT_REJECTED, alert,
			"the server rejected the client certificate in \"%s\": %s (alert %d)%s", file ? file : "",
			reason, alert, explain_wanted(e, wanted));
	if (alert == SSL_AD_HANDSHAKE_FAILURE && e->report->handshake_done)
		return skiffi_fail(e->error, SKIFF_TLS_FAILED, alert,
			"the server ended TLS after the handshake (alert %d), as one does that wants to negotiate "
			"anew; that "
			"is refused here",
			alert);
	switch (alert) {
	case SSL_AD_HANDSHAKE_FAILURE:
	case SSL_AD_INSUFFICIENT_SECURITY:
		return skiffi_fail(e->error, SKIFF_TLS_NO_SHARED_CIPHER, alert,
			"the server found no cipher, group or signature in common with this client (alert %d)", alert);
	case SSL_AD_PROTOCOL_VERSION:
	case SSL_AD_INAPPROPRIATE_FALLBACK:
		return skiffi_fail(e->error, SKIFF_TLS_VERSION, alert, "the server %s accepted here (alert %d)",
			explain_versions(e), alert);
	case SSL_AD_UNRECOGNIZED_NAME:
		return skiffi_fail(e->error, SKIFF_TLS_HOSTNAME, alert,
			"the server does not know the name \"%s\" (alert %d)",
			skiffi_tls_context_sni(e->context) ? skiffi_tls_context_sni(e->context) : "", alert);
	case SSL_AD_NO_APPLICATION_PROTOCOL:
		return skiffi_fail(e->error, SKIFF_TLS_ALPN, alert,
			"the server offers none of the application protocols asked for (ALPN, alert %d)", alert);
	default:
		return skiffi_fail(e->error, SKIFF_TLS_FAILED, alert, "the server ended TLS: %s (alert %d)",
			SSL_alert_desc_string_long(alert), alert);
	}
}

/* ---- OpenSSL's reasons ---- */

static enum skiff_code explain_not_tls(const struct explain *e, int reason)
{
	const struct skiffi_endpoint *to = e->endpoint;
	bool bracket = strchr(to->host, ':');
	return skiffi_fail(e->error, SKIFF_WRONG_PROTOCOL, reason,
		"the peer does not speak TLS on port %u; try %s://%s%s%s:%u%s, or the port that is for TLS", to->port,
		to->path ? "ws" : "tcp", bracket ? "[" : "", to->host, bracket ? "]" : "", to->port,
		to->path ? to->path : "");
}

static enum skiff_code explain_openssl(const struct explain *e)
{
	unsigned long number = e->report->openssl_error;
	int reason = ERR_GET_REASON(number);
	const char *text = ERR_reason_error_string(number);
	if (ERR_GET_LIB(number) == ERR_LIB_SSL && !e->report->handshake_done) {
		switch (reason) {
		case SSL_R_WRONG_VERSION_NUMBER:
		case SSL_R_HTTP_REQUEST:
		case SSL_R_UNKNOWN_PROTOCOL:
			return explain_not_tls(e, reason);
		case SSL_R_UNSUPPORTED_PROTOCOL:
		case SSL_R_WRONG_SSL_VERSION:
		case SSL_R_VERSION_TOO_LOW:
			return skiffi_fail(e->error, SKIFF_TLS_VERSION, reason, "the server %s accepted here",
				explain_versions(e));
		case SSL_R_EXCESSIVE_MESSAGE_SIZE:
			return skiffi_fail(e->error, SKIFF_TLS_BAD_CHAIN, reason,
				"the server sent a message of the handshake that is larger than is accepted here; its "
				"certificates are too large or too many");
		case SSL_R_DH_KEY_TOO_SMALL:
		case SSL_R_EE_KEY_TOO_SMALL:
			return skiffi_fail(
				e->error, SKIFF_TLS_WEAK, reason, "the server offers a key that is too weak: %s", text);
		case SSL_R_WRONG_CIPHER_RETURNED:
		case SSL_R_UNKNOWN_CIPHER_RETURNED:
		case SSL_R_WRONG_SIGNATURE_TYPE:
		case SSL_R_NO_CIPHERS_AVAILABLE:
			return skiffi_fail(e->error, SKIFF_TLS_NO_SHARED_CIPHER, reason,
				"no cipher, group or signature in common with the server: %s", text);
		default:
			break;
		}
	}
	if (reason == ERR_R_MALLOC_FAILURE)
		return skiffi_fail_plain(e->error, SKIFF_MEMORY);
	return skiffi_fail(e->error, SKIFF_TLS_FAILED, reason, "TLS failed%s: %s",
		e->report->handshake_done ? "" : " during the handshake", text ? text : "no reason given");
}

/* ---- the end of the connection ---- */

static enum skiff_code explain_end(const struct explain *e)
{
	const struct skiffi_tls_report *report = e->report;
	const char *how = report->system_error == ECONNRESET ? "reset" : "closed";
	char wanted[EXPLAIN_WANTED_BYTES];
	if (report->certificate_requested && !report->certificate_sent && !report->data_received)
		return skiffi_fail(e->error, SKIFF_TLS_CLIENT_CERT_REQUIRED, report->system_error,
			"the server asked for a client certificate, was given none, and %s the connection%s", how,
			explain_wanted(e, wanted));
	if (!report->handshake_done)
		return skiffi_fail(e->error, SKIFF_TLS_CLOSED, report->system_error,
			"the peer %s the connection during the TLS handshake; port %u is probably not one for TLS", how,
			e->endpoint->port);
	if (report->system_error == ECONNRESET)
		return skiffi_fail(e->error, SKIFF_TCP_RESET, report->system_error, "the peer reset the connection");
	return skiffi_fail(e->error, SKIFF_TCP_CLOSED, report->system_error, "the peer closed the connection%s",
		report->close_notify ? "" : " without ending TLS (no close_notify): the last bytes may be missing");
}

enum skiff_code skiffi_tls_error(const struct skiffi_tls_report *report, const struct skiffi_tls_context *context,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	struct explain e = {report, context, endpoint, error};
	int reason = ERR_GET_REASON(report->openssl_error);
	if (report->verify_code != SKIFF_OK)
		return explain_verdict(&e);
	if (report->alert_received >= 0)
		return explain_alert(&e);
	if (report->openssl_error && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return explain_openssl(&e);
	return explain_end(&e);
}

/* ---- information ---- */

void skiffi_tls_info(const SSL *ssl, struct skiff_connection *connection)
{
	const unsigned char *alpn;
	unsigned alpn_len;
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	snprintf(connection->tls_version, sizeof connection->tls_version, "%s", SSL_get_version(ssl));
	const char *cipher = SSL_get_cipher_name(ssl);
	snprintf(connection->tls_cipher, sizeof connection->tls_cipher, "%s", cipher ? cipher : "");
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
	snprintf(connection->tls_alpn, sizeof connection->tls_alpn, "%.*s", (int)alpn_len,
		alpn ? (const char *)alpn : "");
	connection->tls_resumed = SSL_session_reused(ssl);
	if (!certificate)
		return;
	skiffi_tls_name_text(
		connection->tls_subject, sizeof connection->tls_subject, X509_get_subject_name(certificate));
	skiffi_tls_name_text(connection->tls_issuer, sizeof connection->tls_issuer, X509_get_issuer_name(certificate));
}
