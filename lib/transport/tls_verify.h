/* SPDX-License-Identifier: Apache-2.0 */
/* tls_verify.h: chain, name and revocation of the server's certificate; and the translation of what OpenSSL saw, here
 * and in the peer's alerts, into our errors. Used by tls.c through hooks in the SSL_CTX. */
#ifndef SKIFFI_TLS_VERIFY_H
#define SKIFFI_TLS_VERIFY_H

#include "transport/tls_context.h"
#include "transport/tls_pins.h"
#include <skiff/client.h>

/* What one handshake showed; lives in the connection's own memory, zeroed before use. */
struct skiffi_tls_report {
	int verify_error;            /* X509_V_ERR_*, the first that counted; X509_V_OK */
	enum skiff_code verify_code; /* what that means; SKIFF_OK */
	int verify_depth;
	char verify_subject[256]; /* of the certificate at fault */
	char verify_issuer[256];
	char verify_detail[256];     /* dates or names, for the sentence */
	unsigned long openssl_error; /* the newest in OpenSSL's queue when the handshake or a read failed; 0 */
	int alert_received;          /* TLS alert description, or -1 */
	int system_error;            /* errno of the socket, or 0 */
	bool close_notify;           /* the peer ended TLS in order */
	bool peer_closed;            /* orderly or abrupt end without an alert: set by record, or by the transport */
	bool certificate_requested;  /* the server asked for a client certificate */
	char certificate_by[256];    /* whose it takes: the names of the CAs; "": it does not say */
	bool certificate_sent;       /* and one was given */
	bool handshake_done;
	bool session_given;          /* one that may be resumed has come */
	bool data_received;             /* application data: set by the transport */
	char pin[SKIFFI_TLS_PIN_BYTES]; /* of the server's key; "" where nobody asks for it */
	bool pin_is_new;                /* it is to be remembered, once the handshake is through */
	int64_t started_us, done_us;    /* monotonic; 0: not yet */
};

/* Sets in `ctx` the hooks that do all this. For tls_context.c. */
void skiffi_tls_install(SSL_CTX *ctx);

/* Has the secrets of connections told to their contexts as well. For tls_context.c. */
void skiffi_tls_log_keys(SSL_CTX *ctx);

/* Has a pre-shared key offered. For tls_context.c. */
void skiffi_tls_use_psk(SSL_CTX *ctx);

/* Ties `ssl` to `report` and sets SNI, name to verify, the session to resume and, inside the handshake, what is
 * recorded. Call before the handshake; `report` must outlive the use of `ssl`. */
bool skiffi_tls_attach(SSL *ssl, struct skiffi_tls_report *report, struct skiffi_tls_context *context);

/* Records the reason of a failed SSL_* call that returned `result`: OpenSSL's queue, errno. Call at once after it. */
void skiffi_tls_record(struct skiffi_tls_report *report, SSL *ssl, int result);

/* The report as an error: code, detail, and a sentence that names the certificate, the reason and the way out. */
enum skiff_code skiffi_tls_error(const struct skiffi_tls_report *report, const struct skiffi_tls_context *context,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error);

/* Fills in the tls_* members. */
void skiffi_tls_info(const SSL *ssl, struct skiff_connection *connection);

#endif
