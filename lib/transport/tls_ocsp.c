/* SPDX-License-Identifier: Apache-2.0 */
/* tls_ocsp.c: judges a stapled response.
 *
 * Happy path: 1. DER; 2. its status is "successful"; 3. signed by the issuer, or by a responder that the issuer made
 * one; 4. it speaks of this certificate; 5. it is in time; 6. it says "good".
 * Failure: the first that does not hold. None at all is one where it is required, by the user or by the certificate. */
#include "transport/tls_ocsp.h"

#include "transport/tls_files.h"
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { OCSP_SKEW_S = 300, OCSP_OPEN_S = 24 * 3600, FEATURE_STATUS_REQUEST = 5 }; /* RFC 7633, 4.1 */

/* What is judged, and where the reason goes. */
struct judged {
	SSL *ssl;
	const X509 *leaf, *issuer;
	char *detail;
	size_t size;
	int *number;
	time_t *until;
};

static enum skiff_code judged_bad(const struct judged *judged, const char *reason)
{
	snprintf(judged->detail, judged->size, "%s", reason);
	return SKIFF_TLS_OCSP;
}

/* Whether a certificate says that it must come with a response. */
static bool must_be_stapled(const X509 *leaf)
{
	TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
	bool must = false;
	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		must |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == FEATURE_STATUS_REQUEST;
	sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
	return must;
}

/* The entry about the certificate. Which hash names it there is the responder's choice. */
static OCSP_SINGLERESP *entry_find(OCSP_BASICRESP *basic, const struct judged *judged)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *entry = OCSP_resp_get0(basic, i);
		OCSP_CERTID *its = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(entry);
		ASN1_OBJECT *hash = NULL;
		OCSP_id_get0_info(NULL, &hash, NULL, NULL, its);
		const EVP_MD *digest = hash ? EVP_get_digestbyobj(hash) : NULL;
		OCSP_CERTID *ours = digest ? OCSP_cert_to_id(digest, judged->leaf, judged->issuer) : NULL;
		bool same = ours && !OCSP_id_cmp(ours, its);
		OCSP_CERTID_free(ours);
		if (same)
			return entry;
	}
	return NULL;
}

static enum skiff_code entry_judge(OCSP_SINGLERESP *entry, const struct judged *judged)
{
	ASN1_GENERALIZEDTIME *revoked, *from, *until;
	int reason, status = OCSP_single_get0_status(entry, &reason, &revoked, &from, &until);
	/* one that names no end is of today, or none [RFC 6960, 4.2.2.1] */
	if (OCSP_check_validity(from, until, OCSP_SKEW_S, until ? -1 : OCSP_OPEN_S) != 1)
		return judged_bad(judged, "the stapled OCSP response is out of date");
	*judged->until = skiffi_tls_earlier(time(NULL) + OCSP_OPEN_S * 7, until);
	if (status == V_OCSP_CERTSTATUS_GOOD)
		return SKIFF_OK;
	if (status != V_OCSP_CERTSTATUS_REVOKED)
		return judged_bad(judged, "the stapled OCSP response says that the CA does not know the certificate");
	char date[64];
	skiffi_tls_date_text(date, sizeof date, revoked);
	snprintf(judged->detail, judged->size, "the stapled OCSP response says so, since %s", date);
	*judged->number = reason;
	return SKIFF_TLS_REVOKED;
}

static enum skiff_code basic_judge(OCSP_BASICRESP *basic, const struct judged *judged)
{
	X509_STORE *trust = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(judged->ssl));
	if (OCSP_basic_verify(basic, SSL_get0_verified_chain(judged->ssl), trust, 0) != 1)
		return judged_bad(
			judged, "the stapled OCSP response is not signed by the certificate's issuer, or for it");
	OCSP_SINGLERESP *entry = entry_find(basic, judged);
	return entry ? entry_judge(entry, judged)
		     : judged_bad(judged, "the stapled OCSP response is about another certificate");
}

static enum skiff_code response_judge(const unsigned char *data, long len, const struct judged *judged)
{
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &data, len);
	OCSP_BASICRESP *basic = NULL;
	enum skiff_code code;
	if (!response)
		code = judged_bad(judged, "the stapled OCSP response is damaged");
	else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		code = judged_bad(judged, "the stapled OCSP response is only an error of the responder's");
	else if (!(basic = OCSP_response_get1_basic(response)))
		code = judged_bad(judged, "the stapled OCSP response is of an unknown kind");
	else
		code = basic_judge(basic, judged);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return code;
}

enum skiff_code skiffi_tls_ocsp_judge(
	SSL *ssl, enum skiff_ocsp wanted, char *detail, size_t size, int *number, time_t *until)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	const unsigned char *data;
	long len = SSL_get_tlsext_status_ocsp_resp(ssl, &data);
	struct judged judged = {.ssl = ssl, .detail = detail, .size = size, .number = number, .until = until};
	enum skiff_code code = SKIFF_OK;
	if (SSL_session_reused(ssl)) /* it was judged when the session was made */
		return SKIFF_OK;
	if (sk_X509_num(chain) < 2) /* trusted by itself: nobody can revoke it */
		return wanted == SKIFF_OCSP_REQUIRED
			       ? judged_bad(&judged, "no CA can have said so, as the certificate itself is trusted")
			       : SKIFF_OK;
	judged.leaf = sk_X509_value(chain, 0);
	judged.issuer = sk_X509_value(chain, 1);
	if (data && len > 0)
		code = response_judge(data, len, &judged);
	else if (wanted == SKIFF_OCSP_REQUIRED)
		code = judged_bad(&judged, "it staples no OCSP response");
	else if (must_be_stapled(judged.leaf))
		code = judged_bad(&judged, "it staples no OCSP response, which its certificate says it must");
	ERR_clear_error();
	return code;
}
