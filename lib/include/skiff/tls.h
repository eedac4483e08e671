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

/** Gives the password of an encrypted private key: writes it to `buffer` (`size` bytes, no NUL needed) and returns its
 * length, or a negative number to refuse. Called on the thread that creates the client, never later. skiff never
 * prompts by itself. */
typedef int (*skiff_key_password_fn)(char *buffer, size_t size, void *user);

/** Shows the chain that a server sent: `count` certificates, DER, its own first, in its order, before they are judged
 * and whatever comes of that. Called on the client's I/O thread during each full handshake; `certificates` are borrowed
 * until return. Must not call the client. */
typedef void (*skiff_tls_chain_fn)(const struct skiff_bytes *certificates, size_t count, void *user);

/** TLS options. All-zero is the safe default: TLS 1.2 or newer, the system's trust store, chain and name verified.
 * Strings are copied. Files are read and checked when the client is created, so that what is wrong with them is said
 * before any connection is tried. They are PEM, DER or PKCS#12, whatever they are called; the engine paho takes PEM. */
struct skiff_tls_options {
	const char *ca_file;   /* one or more; replaces the system's trust store */
	const char *ca_dir;    /* directory made by `openssl rehash`; replaces the system's trust store */
	const char *cert_file; /* client certificate, then its chain; needs `key_file` unless it holds the key too */
	const char *key_file;  /* private key; NULL: look in `cert_file` */
	skiff_key_password_fn key_password; /* also of a PKCS#12 file, for which it may be asked twice;
						NULL: what is encrypted is refused with a sentence */
	void *key_password_user;            /* passed to `key_password` */
	const char *server_name;     /* SNI and the name to verify; NULL: the URL's host. An IP literal sends no SNI */
	bool no_server_name;         /* send no SNI; the name is verified all the same */
	const char *alpn;            /* comma-separated protocols for ALPN; NULL: none on ssl, "http/1.1" on wss */
	const char *crl_file;        /* revocation list(s); when given, every certificate's issuer needs one */
	skiff_tls_chain_fn on_chain; /* NULL: nobody looks */
	void *on_chain_user;         /* passed to `on_chain`; must outlive the client */
	/* Appends the secrets of each connection to this file, made with mode 0600, in the form that Wireshark reads.
	 * Whoever has the file can read the traffic. NULL: no file; no environment variable is looked at. */
	const char *keylog_file;
	/* The way ends when TLS stands: nothing of WebSocket or MQTT is sent, the connection is closed, and the token of
	 * skiff_connect ends with SKIFF_OK when the server was accepted. In TLS 1.3 a server judges a client certificate
	 * after that; where it asked for one its word is waited for, for a second at most. There is no next attempt, and
	 * the event is SKIFF_EVENT_FAILED, whose error is then SKIFF_OK. Only for URLs with TLS. */
	bool handshake_only;
	bool no_resumption;       /* make a full handshake on every reconnect */
	bool insecure_skip_chain; /* accept any certificate chain: anybody can pose as the server */
	bool insecure_skip_name;  /* accept a valid certificate for any other name */
};

#ifdef __cplusplus
}
#endif
#endif
