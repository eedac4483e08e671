/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h: whom to trust, and who we are. For the ssl and wss transports; not looked at elsewhere. */
#ifndef SKIFF_TLS_H
#define SKIFF_TLS_H

#include <skiff/bytes.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Gives the password of an encrypted private key, or the PIN of a token: writes it to `buffer` (`size` bytes, no NUL
 * needed) and returns its length, or a negative number to refuse. Called on the thread that creates the client or calls
 * skiff_tls_reload; and on the client's I/O thread when files have changed. Must not call the client. skiff never
 * prompts by itself. */
typedef int (*skiff_key_password_fn)(char *buffer, size_t size, void *user);

/** Shows the chain that a server sent: `count` certificates, DER, its own first, in its order, before they are judged
 * and whatever comes of that. Called on the client's I/O thread during each full handshake; `certificates` are borrowed
 * until return. Must not call the client. */
typedef void (*skiff_tls_chain_fn)(const struct skiff_bytes *certificates, size_t count, void *user);

enum skiff_tls_version {
	SKIFF_TLS_DEFAULT, /* 1.2 as the lowest, 1.3 as the highest */
	SKIFF_TLS_1_2,
	SKIFF_TLS_1_3
};

/** Whether the server is to prove with its certificate that this is not revoked: a response of the CA's, stapled to it
 * [RFC 6066, 8]. One that comes is verified whole: signed by the issuer or for it, about this certificate, in time. */
enum skiff_ocsp {
	SKIFF_OCSP_OFF,        /* not asked for */
	SKIFF_OCSP_IF_STAPLED, /* asked for, and required of certificates that say so themselves [RFC 7633] */
	SKIFF_OCSP_REQUIRED    /* refused without */
};

/** TLS options. All-zero is the safe default: TLS 1.2 or newer, the system's trust store, chain and name verified.
 * Strings and bytes are copied. Files are read and checked when the client is created, so that what is wrong with them
 * is said before any connection is tried; those that change are read again before the next connection. They are PEM,
 * DER or PKCS#12, whatever they are called; the engine paho takes PEM. */
struct skiff_tls_options {
	/* ---- whom to trust ---- */
	const char *ca_file;       /* one or more; replaces the system's trust store */
	const char *ca_dir;        /* directory made by `openssl rehash`; replaces the system's trust store */
	struct skiff_bytes ca_pem; /* as ca_file, from memory: PEM or DER */
	bool ca_system;            /* the system's trust store beside those given */
	const char *crl_file;      /* revocation list(s); when given, every certificate's issuer needs one */
	const char *crl_dir;       /* directory of them made by `openssl rehash`; the same holds */
	enum skiff_ocsp ocsp;
	/* Keys of the server's, one of which its certificate must have besides: "sha256//BASE64" of the public key
	 * (SubjectPublicKeyInfo, DER), several with ';' between them. */
	const char *pins;
	/* Trust on first use: lines "HOST:PORT sha256//BASE64". A server that is not in it is added, one that is must
	 * have that key. Without a CA given beside, the key alone counts: not the chain, the name or the dates. */
	const char *known_hosts_file;

	/* ---- who we are ---- */
	/* Client certificate, then its chain; needs a key unless it holds that too. Both may be a URI of a token's:
	 * "pkcs11:token=..;object=.." [RFC 7512], or of a TPM's: "handle:0x81000001"; OpenSSL must have the provider or
	 * engine for it. */
	const char *cert_file;
	const char *key_file;                 /* private key; NULL: look in `cert_file` */
	struct skiff_bytes cert_pem, key_pem; /* the same from memory: PEM, DER or PKCS#12 */
	skiff_key_password_fn key_password;   /* also of a PKCS#12 file, and PIN of a
						 token; NULL: what is encrypted is refused with a sentence */
	void *key_password_user;              /* passed to `key_password` */
	bool refuse_open_key;       /* a key file that group or others can read is refused, instead of warned of */
	const char *psk_identity;   /* instead of certificates, ours and the server's [RFC 4279; RFC 8446, 2.2] */
	struct skiff_bytes psk_key; /* the key for it, as the server has it: 1 to 64 bytes */

	/* ---- the server's name ---- */
	const char *server_name;  /* SNI and the name to verify; NULL: the URL's host. An IP literal sends no SNI */
	bool no_server_name;      /* send no SNI; the name is verified all the same */
	bool accept_common_name;  /* of a certificate without alternative names, against RFC 9525 */
	bool insecure_skip_chain; /* accept any certificate chain: anybody can pose as the server */
	bool insecure_skip_name;  /* accept a valid certificate for any other name */

	/* ---- how ---- */
	enum skiff_tls_version min_version, max_version;
	const char *ciphers;       /* for TLS 1.2, as `openssl ciphers` takes them */
	const char *cipher_suites; /* for TLS 1.3, with ':' between them */
	const char *groups;        /* for the key exchange, best first, with ':' between them: "X25519:P-256" */
	const char *alpn;          /* comma-separated protocols for ALPN; NULL: none on ssl, "http/1.1" on wss */
	bool no_resumption;        /* make a full handshake on every reconnect */
	/* The way ends when TLS stands: nothing of WebSocket or MQTT is sent, the connection is closed, and the token
	 * of skiff_connect ends with SKIFF_OK when the server was accepted. In TLS 1.3 a server judges a client
	 * certificate after that; where it asked for one its word is waited for, for a second at most. There is no next
	 * attempt, and the event is SKIFF_EVENT_FAILED, whose error is then SKIFF_OK. Only for URLs with TLS. */
	bool handshake_only;

	/* ---- what is told ---- */
	int warn_days; /* SKIFF_EVENT_TLS_EXPIRING for certificates, ours and the server's, with less; 0: 7, -1: never
			*/
	skiff_tls_chain_fn on_chain; /* NULL: nobody looks */
	void *on_chain_user;         /* passed to `on_chain`; must outlive the client */
	/* Appends the secrets of each connection to this file, made with mode 0600, in the form that Wireshark reads.
	 * Whoever has the file can read the traffic. NULL: no file; no environment variable is looked at. */
	const char *keylog_file;
};

#ifdef __cplusplus
}
#endif
#endif
