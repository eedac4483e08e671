/* SPDX-License-Identifier: Apache-2.0 */
/* net_listener.h: the far end of tcp, unix and tls connections, on loopback and a free port.
 *
 * Each connection it takes runs a script of the test's on a thread of its own, with blocking calls that give up after
 * NET_PEER_PATIENCE_S. After the script the connection ends in order. Failing to listen aborts the test program. */
#ifndef TESTS_NET_LISTENER_H
#define TESTS_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NET_PEER_PATIENCE_S = 30, NET_URL_BYTES = 160 };

struct net_listener;
struct net_peer;

typedef void (*net_script)(struct net_peer *peer, void *user);

enum net_kind { NET_TCP, NET_UNIX, NET_TLS };

enum net_manner {
	NET_SERVES,  /* takes connections and runs the script */
	NET_REFUSES, /* the address is taken, nobody listens */
	NET_IGNORES, /* a queue that is full: no connection is taken, none refused */
	NET_SILENT   /* takes connections and says nothing: no TLS */
};

struct net_options {
	enum net_kind kind;
	enum net_manner manner;
	net_script script;
	void *user;
	const char *cert_file; /* NULL: one for localhost, 127.0.0.1 and ::1, signed by itself, made at the start */
	const char *key_file;
	const char *client_ca_file; /* NULL: client certificates are not asked for */
	const char *client_crl_file;
	bool client_optional;    /* ask, but take a client without */
	int security_level;      /* 0: OpenSSL's own, -1: level 0 */
	int max_version;         /* 0: any */
	const char *alpn;        /* the only protocol taken, NULL: any */
	const char *ciphers;     /* of TLS 1.2, as OpenSSL spells them; NULL: its own choice */
	const char *staple_file; /* an OCSP response for the certificate, DER; NULL: none */
	const char *psk;         /* the key of every identity but "nobody"; NULL: none */
	bool early_data;         /* take data before the handshake of a resumed session is done (TLS 1.3) */
};

struct net_listener *net_listener_start(const struct net_options *options);
const char *net_listener_url(const struct net_listener *listener); /* tcp://127.0.0.1:PORT and the like */
uint16_t net_listener_port(const struct net_listener *listener);
const char *net_listener_ca(const struct net_listener *listener); /* file to trust it by; NULL without TLS of its own */

/* So far: connections taken, client certificates shown. */
unsigned net_listener_taken(const struct net_listener *listener);
unsigned net_listener_certificates(const struct net_listener *listener);

/* Takes no more connections, waits for the scripts, frees. The first half of it alone, so that counts are final. */
void net_listener_stop(struct net_listener *listener);
void net_listener_finish(struct net_listener *listener);

/* ---- for scripts ---- */

size_t net_peer_read(struct net_peer *peer, void *data, size_t len); /* up to `len`; 0: the end */
bool net_peer_write(struct net_peer *peer, const void *data, size_t len);
bool net_peer_write_raw(struct net_peer *peer, const void *data, size_t len); /* below TLS */
bool net_peer_was_reset(const struct net_peer *peer);                         /* how the end that a read showed came */
bool net_peer_ended_tls(const struct net_peer *peer);                         /* by close_notify */
void net_peer_reset(struct net_peer *peer);
void net_peer_drop(struct net_peer *peer);          /* ends the connection without ending TLS */
struct ssl_st *net_peer_ssl(struct net_peer *peer); /* OpenSSL's SSL, for what has no call here; NULL without TLS */

#endif
