/* SPDX-License-Identifier: Apache-2.0 */
/* cert_words.c: OpenSSL asked for one fact after the other. */
#include "cert_words.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	WORDS_SECURITY_BITS = 112,
	WORDS_FITS_FLAGS = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
};

void cert_name_text(char *out, size_t size, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	*out = '\0';
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		long len = BIO_get_mem_data(bio, &data);
		snprintf(out, size, "%.*s", (int)len, data);
	}
	BIO_free(bio);
}

void cert_date_text(char *out, size_t size, const ASN1_TIME *date)
{
	struct tm parts;
	if (!date || !ASN1_TIME_to_tm(date, &parts) || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts))
		snprintf(out, size, "unknown");
}

int cert_days_left(const ASN1_TIME *date)
{
	int days = 0, seconds = 0;
	if (!ASN1_TIME_diff(&days, &seconds, NULL, date))
		return 0;
	return seconds < 0 ? days - 1 : days;
}

void cert_digest_text(char *out, const X509 *certificate, const EVP_MD *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	*out = '\0';
	if (!X509_digest(certificate, digest, bytes, &len))
		return;
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void cert_pin_text(char *out, const EVP_PKEY *key)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int der_len = i2d_PUBKEY(key, &der);
	snprintf(out, CERT_PIN_BYTES, "sha256//");
	if (der_len > 0 && EVP_Digest(der, (size_t)der_len, digest, &len, EVP_sha256(), NULL))
		EVP_EncodeBlock((unsigned char *)out + strlen(out), digest, (int)len);
	OPENSSL_free(der);
}

/* The curve by the name that people use. */
static const char *key_curve(const EVP_PKEY *key, char *out, size_t size)
{
	size_t len;
	if (!EVP_PKEY_get_group_name(key, out, size, &len))
		return "of a curve of its own";
	const char *known = EC_curve_nid2nist(OBJ_sn2nid(out));
	return known ? known : out;
}

void cert_key_text(char *out, size_t size, const EVP_PKEY *key)
{
	char curve[64];
	const char *kind = key ? EVP_PKEY_get0_type_name(key) : NULL;
	if (!kind)
		snprintf(out, size, "of an unknown kind");
	else if (EVP_PKEY_is_a(key, "EC"))
		snprintf(out, size, "EC %s", key_curve(key, curve, sizeof(curve)));
	else if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS") || EVP_PKEY_is_a(key, "DSA"))
		snprintf(out, size, "%s %d bits", kind, EVP_PKEY_get_bits(key));
	else
		snprintf(out, size, "%s", kind);
}

void cert_weakness_text(char *out, size_t size, X509 *certificate)
{
	char text[CERT_WORDS_BYTES];
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	int digest = NID_undef, bits = 0;
	*out = '\0';
	if (key && EVP_PKEY_get_security_bits(key) < WORDS_SECURITY_BITS) {
		cert_key_text(text, sizeof(text), key);
		snprintf(out, size, "its key is %s", text);
	} else if (X509_self_signed(certificate, 0) != 1 &&
		   X509_get_signature_info(certificate, &digest, NULL, &bits, NULL) && bits < WORDS_SECURITY_BITS) {
		snprintf(out, size, "it is signed with %s", OBJ_nid2sn(X509_get_signature_nid(certificate)));
	}
}

static void words_add(char *out, size_t size, const char *word)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%s%s", used ? ", " : "", word);
}

void cert_usage_text(char *out, size_t size, X509 *certificate)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} usages[] = {{KU_DIGITAL_SIGNATURE, "digitalSignature"}, {KU_NON_REPUDIATION, "nonRepudiation"},
		{KU_KEY_ENCIPHERMENT, "keyEncipherment"}, {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
		{KU_KEY_AGREEMENT, "keyAgreement"}, {KU_KEY_CERT_SIGN, "keyCertSign"}, {KU_CRL_SIGN, "cRLSign"},
		{KU_ENCIPHER_ONLY, "encipherOnly"}, {KU_DECIPHER_ONLY, "decipherOnly"}};
	uint32_t has = X509_get_key_usage(certificate);
	*out = '\0';
	for (size_t i = 0; has != UINT32_MAX && i < sizeof(usages) / sizeof(*usages); i++)
		if (has & usages[i].bit)
			words_add(out, size, usages[i].word);
}

void cert_purpose_text(char *out, size_t size, const X509 *certificate)
{
	EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	*out = '\0';
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
		char number[80];
		const ASN1_OBJECT *purpose = sk_ASN1_OBJECT_value(purposes, i);
		int nid = OBJ_obj2nid(purpose);
		const char *word = nid == NID_server_auth   ? "serverAuth"
				   : nid == NID_client_auth ? "clientAuth"
				   : nid != NID_undef       ? OBJ_nid2sn(nid)
							    : NULL;
		if (!word && OBJ_obj2txt(number, sizeof(number), purpose, 1) > 0)
			word = number;
		if (word)
			words_add(out, size, word);
	}
	EXTENDED_KEY_USAGE_free(purposes);
}

void cert_serial_text(char *out, size_t size, const ASN1_INTEGER *serial)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
	char *text = number ? BN_bn2hex(number) : NULL;
	snprintf(out, size, "%s", text ? text : "unknown");
	OPENSSL_free(text);
	BN_free(number);
}

/* ---- names ---- */

static void name_tell_address(const ASN1_STRING *value, cert_name_fn each, void *user)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(value);
	if ((len == 4 || len == 16) &&
		inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text, sizeof(text)))
		each("IP", text, strlen(text), user);
	else
		each("IP", "of an odd length", strlen("of an odd length"), user);
}

static void name_tell(const GENERAL_NAME *name, cert_name_fn each, void *user)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);
	char text[CERT_NAME_BYTES];
	if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
		each(type == GEN_DNS        ? "DNS"
			: type == GEN_EMAIL ? "email"
					    : "URI",
			(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), user);
	} else if (type == GEN_IPADD) {
		name_tell_address(value, each, user);
	} else if (type == GEN_DIRNAME) {
		cert_name_text(text, sizeof(text), value);
		each("directory", text, strlen(text), user);
	} else {
		int len = type == GEN_RID ? OBJ_obj2txt(text, sizeof(text), value, 1)
			  : type == GEN_OTHERNAME
				  ? OBJ_obj2txt(text, sizeof(text), ((const OTHERNAME *)value)->type_id, 1)
				  : 0;
		each("other", text, len > 0 ? strnlen(text, sizeof(text)) : 0, user);
	}
}

size_t cert_names_each(const GENERAL_NAMES *names, cert_name_fn each, void *user)
{
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	for (int i = 0; i < count; i++)
		name_tell(sk_GENERAL_NAME_value(names, i), each, user);
	return (size_t)count;
}

GENERAL_NAMES *cert_names_of(const X509 *certificate)
{
	return X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

bool cert_fits_host(X509 *certificate, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	bool number = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
	return (number ? X509_check_ip_asc(certificate, host, WORDS_FITS_FLAGS)
		       : X509_check_host(certificate, host, 0, WORDS_FITS_FLAGS, NULL)) == 1;
}
