/* SPDX-License-Identifier: Apache-2.0 */
/* staples.c: OCSP responses stapled to the server's certificate, made by `openssl ocsp`, over TLS 1.2 and 1.3. */
#include "certs/trust_far.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>

/* The response FILE about certificate `of` by the responder's certificate `signer`; `more` are options of openssl's. */
static void staple_make(const char *file, const char *of, const char *signer, const char *more)
{
	trust_shell("openssl ocsp -issuer own-ca.crt -cert %s.crt -no_nonce -reqout req.der && openssl ocsp -index "
		    "ocsp.txt "
		    "-CA own-ca.crt -rsigner %s.crt -rkey %s.key -reqin req.der -respout %s %s",
		of, signer, signer, file, more);
}

static void *pem_read(const char *name, bool key)
{
	FILE *file = fopen(trust_path(name), "r");
	assert_non_null(file);
	void *read = key ? (void *)PEM_read_PrivateKey(file, NULL, NULL, NULL)
			 : (void *)PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(read);
	return read;
}

/* One for good.crt in `file`, from and until some seconds from now (0: it names no end): `openssl ocsp` makes none of
 * another time. */
static void staple_make_dated(const char *file, long from_s, long until_s)
{
	unsigned char *der = NULL;
	X509 *good = pem_read("good.crt", false), *ca = pem_read("own-ca.crt", false);
	EVP_PKEY *key = pem_read("own-ca.key", true);
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *until = until_s ? X509_gmtime_adj(NULL, until_s) : NULL;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), good, ca);
	assert_non_null(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, until));
	assert_int_equal(OCSP_basic_sign(basic, ca, key, EVP_sha256(), NULL, 0), 1);
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int len = i2d_OCSP_RESPONSE(response, &der);
	trust_write(file, (char *)der, (size_t)len);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	EVP_PKEY_free(key);
	X509_free(good);
	X509_free(ca);
}

/* A database as `openssl ca` has it: V(alid) and R(evoked) by serial number. */
static void staples_make(void)
{
	trust_shell("serial() { openssl x509 -in $1.crt -noout -serial | cut -d= -f2; }; "
		    "for name in good stapled; do printf 'V\\t350101000000Z\\t\\t%%s\\tunknown\\t/CN=%%s\\n' $(serial "
		    "$name) "
		    "$name; "
		    "done >ocsp.txt; "
		    "printf 'R\\t350101000000Z\\t250101000000Z\\t%%s\\tunknown\\t/CN=revoked\\n' $(serial revoked) "
		    ">>ocsp.txt");
	staple_make("good.der", "good", "own-ca", "-ndays 5");
	staple_make("stapled.der", "stapled", "own-ca", "-ndays 5");
	staple_make("delegated.der", "good", "responder", "-ndays 5");
	staple_make("revoked.der", "revoked", "own-ca", "-ndays 5");
	staple_make("stranger.der", "good", "stranger-ca", "-ndays 5");
	staple_make("undelegated.der", "good", "client", "-ndays 5");
	staple_make("unknown.der", "wildcard", "own-ca", "-ndays 5");
	staple_make_dated("dated.der", -3600, 3600);
	staple_make_dated("old.der", -7200, -3600);
	staple_make_dated("early.der", 3600, 7200);
	trust_shell("head -c 100 good.der >damaged.der; printf '\\060\\003\\012\\001\\003' >later.der");
}

/* Certificates that make-certs.sh has no case for: one that must be stapled, one of a responder's. */
static void staples_make_certificates(void)
{
	trust_shell(
		"sign() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj "
		"/CN=$1 -out "
		"x.csr && openssl x509 -req -in x.csr -CA own-ca.crt -CAkey own-ca.key -days 30 -extfile x.ext -out "
		"$1.crt; }; "
		"printf 'subjectAltName=IP:127.0.0.1\\ntlsfeature=status_request\\n' >x.ext && sign stapled && "
		"printf 'extendedKeyUsage=OCSPSigning\\n' >x.ext && sign responder");
}

struct staple_case {
	const char *certificate, *staple;
	enum skiff_ocsp wanted;
	enum skiff_code code;
	const char *says;
};

static const struct staple_case staple_cases[] = {
	{"good", NULL, SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"good", NULL, SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
	{"good", NULL, SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "staples no"},
	{"good", "good.der", SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
	{"good", "good.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"good", "delegated.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"revoked", "revoked.der", SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"revoked", "revoked.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_REVOKED, "since 2025-01-01"},
	{"revoked", "revoked.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_REVOKED, "own CA"},
	{"revoked", "good.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "another certificate"},
	{"good", "stranger.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "not signed by"},
	{"good", "undelegated.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "not signed by"},
	{"wildcard", "unknown.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "does not know"},
	{"good", "damaged.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "damaged"},
	{"good", "later.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "error of the responder"},
	{"good", "dated.der", SKIFF_OCSP_REQUIRED, SKIFF_OK, NULL},
	{"good", "old.der", SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "out of date"},
	{"good", "early.der", SKIFF_OCSP_REQUIRED, SKIFF_TLS_OCSP, "out of date"},
	{"stapled", NULL, SKIFF_OCSP_OFF, SKIFF_OK, NULL},
	{"stapled", NULL, SKIFF_OCSP_IF_STAPLED, SKIFF_TLS_OCSP, "says it must"},
	{"stapled", "stapled.der", SKIFF_OCSP_IF_STAPLED, SKIFF_OK, NULL},
};

static void stapled_responses(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof staple_cases / sizeof *staple_cases; i++) {
		const struct staple_case *row = &staple_cases[i / 2];
		struct net_options options = {.max_version = versions[i % 2]};
		if (row->staple) {
			options.staple_file = trust_path(row->staple);
		}
		struct net_listener *far = trust_far(row->certificate, options);
		struct skiff_tls_options tls = trust_own_ca();
		tls.ocsp = row->wanted;
		tls.insecure_skip_name = true;
		trust_gives(far, &tls, row->code, row->says);
		net_listener_stop(far);
	}
}

/* A resumed handshake has no certificate, and so no response; it was judged before. */
static void resumed_sessions_were_judged(void **state)
{
	struct skiff_connection way;
	(void)state;
	struct net_listener *far = trust_far("good", (struct net_options){.staple_file = trust_path("good.der")});
	struct skiff_tls_options tls = trust_own_ca();
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_connected(&options);
	user_disconnect(user);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_true(way.tls_resumed);
	user_disconnect(user);
	user_free(user);
	net_listener_stop(far);
}

/* No longer than its proof: this response is out of date, within what clocks may differ. */
static void sessions_end_with_their_proof(void **state)
{
	(void)state;
	staple_make_dated("late.der", -3600, -100);
	staple_make_dated("open-old.der", -8 * 24 * 3600, 0);
	staple_make_dated("open.der", -3600, 0);
	struct net_options server = {.staple_file = trust_path("late.der")};
	struct net_listener *far = trust_far("good", server);
	struct skiff_tls_options tls = trust_own_ca();
	tls.ocsp = SKIFF_OCSP_REQUIRED;
	struct skiff_options options = trust_options(far, &tls);
	struct user *user = user_new(&options);
	trust_connects(user, false);
	trust_connects(user, false);
	user_free(user);
	net_listener_stop(far);
	server.staple_file = trust_path("open.der");
	far = trust_far("good", server);
	trust_gives(far, &tls, SKIFF_OK, NULL);
	net_listener_stop(far);
	server.staple_file = trust_path("open-old.der"); /* names no end, and is not of today */
	far = trust_far("good", server);
	trust_gives(far, &tls, SKIFF_TLS_OCSP, "out of date");
	net_listener_stop(far);
}

/* ---- the run ---- */

static int make_all(void **state)
{
	if (trust_make(state))
		return -1;
	staples_make_certificates();
	staples_make();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stapled_responses),
		cmocka_unit_test(resumed_sessions_were_judged),
		cmocka_unit_test(sessions_end_with_their_proof),
	};
	return cmocka_run_group_tests(tests, make_all, trust_remove);
}
