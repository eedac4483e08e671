/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: every way in which something can go wrong, as one table.
 *
 * A code names the cause; its class names the stage of the way where it shows; its slug is the stable name for
 * scripts and logs. An error value adds a number that belongs to the cause and one sentence for a person. */
#ifndef SKIFF_ERROR_H
#define SKIFF_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** The stage of the way, or the kind of fault. */
enum skiff_class {
	SKIFF_CLASS_OK,
	SKIFF_CLASS_USAGE,  /* the caller asked for what cannot be */
	SKIFF_CLASS_MEMORY, /* an allocation failed */
	SKIFF_CLASS_AGAIN,  /* a bound is reached; the same call may succeed later */
	SKIFF_CLASS_FILE,   /* a local file, key or certificate */
	SKIFF_CLASS_DNS,
	SKIFF_CLASS_TCP, /* also Unix sockets */
	SKIFF_CLASS_PROXY,
	SKIFF_CLASS_TLS,
	SKIFF_CLASS_WS, /* the HTTP upgrade, or WebSocket framing */
	SKIFF_CLASS_MQTT,
	SKIFF_CLASS_TIMEOUT,
	SKIFF_CLASS_CLOSED /* ended, by this side or by the peer */
};

/* X(NAME, CLASS, HEALS, slug, text)
 * HEALS: 1 where trying again later may succeed without anybody changing something here; automatic reconnect stops
 * at the others. */
#define SKIFF_ERRORS(X) \
	X(OK, OK, 1, "ok", "no error") \
	X(USAGE, USAGE, 0, "usage", "invalid argument") \
	X(USAGE_STATE, USAGE, 0, "usage-state", "not possible in this state") \
	X(USAGE_URL, USAGE, 0, "usage-url", "invalid URL") \
	X(USAGE_TOPIC, USAGE, 0, "usage-topic", "invalid topic or filter") \
	X(USAGE_OPTION, USAGE, 0, "usage-option", "invalid option") \
	X(USAGE_IN_HANDLER, USAGE, 0, "usage-in-handler", "cannot wait inside a handler") \
	X(USAGE_UNSUPPORTED, USAGE, 0, "usage-unsupported", "not supported here") \
	X(MEMORY, MEMORY, 1, "memory", "out of memory") \
	X(AGAIN, AGAIN, 1, "again", "would exceed a bound; try again later") \
	X(FILE_MISSING, FILE, 0, "file-missing", "file does not exist") \
	X(FILE_UNREADABLE, FILE, 0, "file-unreadable", "file cannot be read") \
	X(FILE_NOT_PEM, FILE, 0, "file-not-pem", "file holds no PEM of the kind needed") \
	X(FILE_KEY_MISMATCH, FILE, 0, "key-mismatch", "private key does not belong to the certificate") \
	X(FILE_KEY_PASSWORD, FILE, 0, "key-password", "private key needs another password") \
	X(FILE_CERT_EXPIRED, FILE, 0, "own-cert-expired", "client certificate has expired") \
	X(FILE_CERT_NOT_YET_VALID, FILE, 0, "own-cert-not-yet-valid", "client certificate is not yet valid") \
	X(FILE_CERT_WEAK, FILE, 0, "own-cert-weak", "client certificate is too weak for the security level") \
	X(FILE_KEY_OPEN, FILE, 0, "key-open", "private key file can be read by others") \
	X(FILE_TOKEN, FILE, 0, "token", "token or TPM cannot be used") \
	X(DNS_NOT_FOUND, DNS, 1, "dns-not-found", "host name not found") \
	X(DNS_FAILED, DNS, 1, "dns-failed", "name resolution failed") \
	X(DNS_TIMEOUT, DNS, 1, "dns-timeout", "name resolution timed out") \
	X(TCP_REFUSED, TCP, 1, "tcp-refused", "connection refused") \
	X(TCP_TIMEOUT, TCP, 1, "tcp-timeout", "connecting timed out") \
	X(TCP_UNREACHABLE, TCP, 1, "tcp-unreachable", "host or network unreachable") \
	X(TCP_RESET, TCP, 1, "tcp-reset", "connection reset by the peer") \
	X(TCP_CLOSED, TCP, 1, "tcp-closed", "connection closed by the peer") \
	X(TCP_FAILED, TCP, 1, "tcp-failed", "socket error") \
	X(PROXY_REFUSED, PROXY, 1, "proxy-refused", "proxy refused the connection") \
	X(PROXY_AUTH, PROXY, 0, "proxy-auth", "proxy wants other credentials") \
	X(TLS_EXPIRED, TLS, 1, "tls-expired", "server certificate has expired") \
	X(TLS_NOT_YET_VALID, TLS, 1, "tls-not-yet-valid", "server certificate is not yet valid") \
	X(TLS_HOSTNAME, TLS, 0, "tls-hostname-mismatch", "server certificate is for another name") \
	X(TLS_UNKNOWN_CA, TLS, 0, "tls-unknown-ca", "server certificate is signed by an unknown CA") \
	X(TLS_SELF_SIGNED, TLS, 0, "tls-self-signed", "server certificate is self-signed") \
	X(TLS_MISSING_INTERMEDIATE, TLS, 0, "tls-missing-intermediate", \
		"server does not send its intermediate certificate") \
	X(TLS_WRONG_PURPOSE, TLS, 0, "tls-wrong-purpose", "server certificate is not for servers") \
	X(TLS_REVOKED, TLS, 0, "tls-revoked", "server certificate is revoked") \
	X(TLS_OCSP, TLS, 1, "tls-ocsp", "server does not prove that its certificate is not revoked") \
	X(TLS_PIN, TLS, 0, "tls-pin-mismatch", "server has another key than the one pinned or remembered") \
	X(TLS_PSK, TLS, 0, "tls-psk", "server does not take the pre-shared key") \
	X(TLS_WEAK, TLS, 0, "tls-weak", "server certificate is too weak for the security level") \
	X(TLS_BAD_CHAIN, TLS, 0, "tls-bad-chain", "server certificate chain is not valid") \
	X(TLS_CLIENT_CERT_REQUIRED, TLS, 0, "tls-client-cert-required", "server requires a client certificate") \
	X(TLS_CLIENT_CERT_REJECTED, TLS, 0, "tls-client-cert-rejected", "server rejected the client certificate") \
	X(TLS_VERSION, TLS, 0, "tls-version", "no TLS version in common") \
	X(TLS_NO_SHARED_CIPHER, TLS, 0, "tls-no-shared-cipher", "no cipher or group in common") \
	X(TLS_ALPN, TLS, 0, "tls-alpn", "no application protocol in common") \
	X(TLS_TIMEOUT, TLS, 1, "tls-timeout", "TLS handshake timed out") \
	X(TLS_CLOSED, TLS, 1, "tls-closed", "connection closed during the TLS handshake") \
	X(TLS_FAILED, TLS, 1, "tls-failed", "TLS failure") \
	X(WS_NOT_FOUND, WS, 0, "ws-not-found", "no WebSocket at this path") \
	X(WS_FORBIDDEN, WS, 0, "ws-forbidden", "WebSocket upgrade forbidden") \
	X(WS_REDIRECT, WS, 0, "ws-redirect", "server redirects elsewhere") \
	X(WS_SUBPROTOCOL, WS, 0, "ws-subprotocol", "server did not select the subprotocol mqtt") \
	X(WS_NOT_WEBSOCKET, WS, 0, "ws-not-websocket", "peer does not speak WebSocket") \
	X(WS_BAD_ACCEPT, WS, 0, "ws-bad-accept", "peer's upgrade answer is invalid") \
	X(WS_UNAVAILABLE, WS, 1, "ws-unavailable", "server cannot serve the WebSocket now") \
	X(WS_PROTOCOL, WS, 1, "ws-protocol", "peer broke the WebSocket protocol") \
	X(WS_TIMEOUT, WS, 1, "ws-timeout", "WebSocket upgrade timed out") \
	X(WRONG_PROTOCOL, MQTT, 0, "wrong-protocol", "peer speaks another protocol") \
	X(MQTT_BAD_CREDENTIALS, MQTT, 0, "mqtt-bad-credentials", "bad user name or password") \
	X(MQTT_NOT_AUTHORISED, MQTT, 0, "mqtt-not-authorised", "not authorised") \
	X(MQTT_CLIENT_ID, MQTT, 0, "mqtt-client-id", "client identifier not accepted") \
	X(MQTT_VERSION, MQTT, 0, "mqtt-version", "MQTT version not supported by the broker") \
	X(MQTT_UNAVAILABLE, MQTT, 1, "mqtt-unavailable", "broker unavailable") \
	X(MQTT_REFUSED, MQTT, 1, "mqtt-refused", "refused by the broker") \
	X(MQTT_BANNED, MQTT, 0, "mqtt-banned", "banned by the broker") \
	X(MQTT_MOVED, MQTT, 0, "mqtt-moved", "broker names another server") \
	X(MQTT_TAKEN_OVER, MQTT, 0, "mqtt-taken-over", "session taken over by another connection") \
	X(MQTT_CLOSED, MQTT, 1, "mqtt-closed", "connection closed before CONNACK") \
	X(MQTT_TIMEOUT, MQTT, 1, "mqtt-timeout", "no CONNACK in time") \
	X(MQTT_KEEP_ALIVE, MQTT, 1, "mqtt-keep-alive", "peer went silent") \
	X(MQTT_MALFORMED, MQTT, 1, "mqtt-malformed", "malformed packet from the peer") \
	X(MQTT_PROTOCOL, MQTT, 1, "mqtt-protocol", "peer broke the MQTT protocol") \
	X(MQTT_TOO_LARGE, MQTT, 0, "mqtt-too-large", "packet larger than allowed") \
	X(MQTT_NOT_ALLOWED, MQTT, 0, "mqtt-not-allowed", "not offered by this broker") \
	X(MQTT_REASON, MQTT, 1, "mqtt-reason", "the broker answered with an error reason") \
	X(MQTT_SESSION_LOST, MQTT, 1, "mqtt-session-lost", "session lost before the exchange ended") \
	X(MQTT_DISCONNECTED, MQTT, 1, "mqtt-disconnected", "disconnected by the broker") \
	X(TIMEOUT, TIMEOUT, 1, "timeout", "timed out") \
	X(CLOSED, CLOSED, 0, "closed", "closed by this client")

enum skiff_code {
#define SKIFF_ERROR_ENUM(name, class, heals, slug, text) SKIFF_##name,
	SKIFF_ERRORS(SKIFF_ERROR_ENUM)
#undef SKIFF_ERROR_ENUM
};

enum { SKIFF_ERROR_TEXT_BYTES = 512 };

/** An error as a value; plain data, copied freely. */
struct skiff_error {
	enum skiff_code code;
	int detail; /* errno, EAI_*, X509_V_ERR_*, HTTP status or MQTT reason code, as `code` says; 0 if none */
	char text[SKIFF_ERROR_TEXT_BYTES]; /* one sentence: subject, reason, way out; never holds a secret */
};

/** The class of a code. Any thread. */
enum skiff_class skiff_code_class(enum skiff_code code);

/** The stable name of a code, such as "tls-expired"; a static string. Any thread. */
const char *skiff_code_slug(enum skiff_code code);

/** A short description of a code; a static string. Any thread. */
const char *skiff_code_text(enum skiff_code code);

/** Whether trying again later may succeed with nothing changed on this side. Any thread. */
bool skiff_code_heals(enum skiff_code code);

/** The name of a class, such as "tls"; a static string. Any thread. */
const char *skiff_class_name(enum skiff_class class_);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
