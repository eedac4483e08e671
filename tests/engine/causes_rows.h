/* SPDX-License-Identifier: Apache-2.0 */
/* causes_rows.h: the failures that a far end can cause, as one table: what it does, what the client asks for, and what
 * comes of that. For causes.c, which compares the engines, and check/causes.c, which runs `skiff check`. */
#ifndef TESTS_CAUSES_ROWS_H
#define TESTS_CAUSES_ROWS_H

#include "engine/causes_far.h"
#include <skiff/skiff.h>

enum { TCP = 1 << CAUSE_TCP, SSLS = 1 << CAUSE_SSL, WS = 1 << CAUSE_WS, WSS = 1 << CAUSE_WSS };
enum { TLS = SSLS | WSS, WEB = WS | WSS, ALL = TCP | SSLS | WS | WSS };
enum { TLS_1_1 = 0x302, TLS_1_2 = 0x303, TLS_1_3 = 0x304 };

struct cause_row {
	const char *name;
	unsigned doors;
	struct cause_plan far;
	struct skiff_options ask;
	const char *client; /* the client certificate, of certs/cases.txt */
	const char *host;   /* NULL: 127.0.0.1 */
	enum skiff_code code;
	enum skiff_code paho; /* where it is another; SKIFF_OK: the same */
	bool other_class;     /* ... even of another class */
	bool or_closed;       /* or, on Paho, SKIFF_MQTT_CLOSED */
	bool paho_connects;   /* Paho does not mind */
	bool paho_shows;      /* the client certificate to a server that does not verify */
	int level;            /* only where the system's TLS security level is at least this */
	const char *says;     /* part of the sentence, on both */
	const char *check;    /* the cause that `skiff check` finds, which looks further; NULL: that of `code` */
};

#define WORDS(text) \
	{ \
		text, sizeof text - 1 \
	}
#define ANSWERS(text)       .far = {.answer = CAUSE_HOLDS, .said = WORDS(text)}
#define REFUSES_311(number) ANSWERS("\x20\2\0" number), .ask = {.version = SKIFF_MQTT_311}
#define REFUSES_5(number)   ANSWERS("\x20\3\0" number "\0")
#define SHOWS(name)         .doors = SSLS, .far = {.certificate = name}
#define HTTP(text)          .doors = WS, .far = {.http = "HTTP/1.1 " text}
#define UPGRADE             "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
/* Paho comes to a new socket only when its thread turns to it, up to some 1.1 s later. */
#define PATIENT .tcp_ms = 1500

static const struct cause_row rows[] = {
	/* ---- names and TCP ---- */
	{"no such name", ALL, .host = "missing.example", .code = SKIFF_DNS_NOT_FOUND, .says = "missing.example"},
	{"no answer for the name", TCP | WSS, .host = "slow.example", .ask = {.timeouts = {.resolve_ms = 100}},
		.code = SKIFF_DNS_TIMEOUT, .says = "slow.example"},
	{"port refused", ALL, .far = {.manner = NET_REFUSES}, .code = SKIFF_TCP_REFUSED, .says = "127.0.0.1"},
	{"connect hangs, tcp_ms", ALL, .far = {.manner = NET_IGNORES}, .ask = {.timeouts = {.tcp_ms = 300}},
		.code = SKIFF_TCP_TIMEOUT, .says = "300 ms"},
	{"connect hangs, total_ms", ALL, .far = {.manner = NET_IGNORES}, .ask = {.timeouts = {.total_ms = 300}},
		.code = SKIFF_TCP_TIMEOUT, .says = "300 ms"},
	/* ---- TLS: the server's certificate ---- */
	{"unknown CA", SHOWS("unknown-ca"), .code = SKIFF_TLS_UNKNOWN_CA, .says = "stranger CA"},
	{"self-signed", SHOWS("self-signed"), .code = SKIFF_TLS_SELF_SIGNED, .says = "signed by itself"},
	{"expired", .doors = TLS, .far = {.certificate = "expired"}, .code = SKIFF_TLS_EXPIRED, .says = "2021"},
	{"not yet valid", SHOWS("not-yet-valid"), .code = SKIFF_TLS_NOT_YET_VALID, .says = "2090"},
	{"wrong host", .doors = TLS, .far = {.certificate = "wrong-host"}, .code = SKIFF_TLS_HOSTNAME,
		.says = "other.example"},
	{"wrong purpose", SHOWS("wrong-purpose"), .code = SKIFF_TLS_WRONG_PURPOSE, .says = "serverAuth"},
	{"missing intermediate", SHOWS("missing-intermediate"), .code = SKIFF_TLS_MISSING_INTERMEDIATE,
		.says = "intermediate"},
	{"bad chain", SHOWS("bad-chain"), .code = SKIFF_TLS_BAD_CHAIN, .says = "chain"},
	/* A client certificate is not for a server that does not verify. Paho looks at the name only after the
	   handshake. */
	{"expired, asks for the client's", .doors = TLS, .client = "client",
		.far = {.certificate = "expired", .wants_client = true}, .code = SKIFF_TLS_EXPIRED},
	{"wrong host, asks for the client's", .doors = TLS, .client = "client",
		.far = {.certificate = "wrong-host", .wants_client = true}, .code = SKIFF_TLS_HOSTNAME,
		.paho_shows = true},
	/* SKIFF_CAN_SECURITY_LEVEL: Paho lowers OpenSSL's level to 1, whatever the system's is */
	{"key of 1024 bits", SSLS, .far = {.certificate = "weak-1024", .answer = CAUSE_SERVES}, .code = SKIFF_TLS_WEAK,
		.paho_connects = true, .level = 2, .says = "1024"},
	{"weak key", SHOWS("weak-key"), .code = SKIFF_TLS_WEAK, .says = "weak"},
	/* ---- TLS: the client's certificate ---- */
	{"client certificate required, TLS 1.2", .doors = TLS,
		.far = {.certificate = "good", .wants_client = true, .max_version = TLS_1_2},
		.code = SKIFF_TLS_CLIENT_CERT_REQUIRED, .says = "client certificate"},
	{"client certificate required, TLS 1.3", .doors = TLS,
		.far = {.certificate = "good", .wants_client = true, .max_version = TLS_1_3},
		.code = SKIFF_TLS_CLIENT_CERT_REQUIRED, .says = "client certificate"},
	{"client certificate rejected, TLS 1.2", .doors = TLS, .client = "client-stranger",
		.far = {.certificate = "good", .wants_client = true, .max_version = TLS_1_2},
		.code = SKIFF_TLS_CLIENT_CERT_REJECTED, .says = "client-stranger"},
	/* In TLS 1.3 the verdict comes after the handshake. Paho's CONNECT may be faster than it, and fail on the
	 * closed connection; then Paho reads no more, and the alert is lost. */
	{"client certificate rejected, TLS 1.3", .doors = TLS, .or_closed = true, .client = "client-stranger",
		.far = {.certificate = "good", .wants_client = true, .max_version = TLS_1_3},
		.code = SKIFF_TLS_CLIENT_CERT_REJECTED, .says = "client-stranger"},
	/* ---- TLS: the rest ---- */
	{"no cipher in common", .doors = TLS,
		.far = {.certificate = "good", .max_version = TLS_1_2, .ciphers = "AES128-SHA"},
		.code = SKIFF_TLS_NO_SHARED_CIPHER, .says = "cipher"},
	{"TLS 1.1 only", .doors = TLS, .far = {.certificate = "good", .max_version = TLS_1_1},
		.code = SKIFF_TLS_VERSION, .says = "1.2"},
	{"ALPN refused", .doors = TLS, .ask = {.tls = {.alpn = "mqtt"}}, .far = {.alpn = "other"},
		.code = SKIFF_TLS_ALPN, .says = "ALPN"},
	{"TLS to a plain MQTT port", .doors = TLS, .far = {.plain = true}, .code = SKIFF_TLS_CLOSED, .says = "port"},
	{"TLS to a port that answers in HTTP", .doors = TLS,
		.far = {.plain = true, .first = WORDS("HTTP/1.1 400 Bad Request\r\n\r\n")},
		.code = SKIFF_WRONG_PROTOCOL, .says = "TLS"},
	{"closed in the handshake", .doors = TLS, .far = {.drops = true}, .code = SKIFF_TLS_CLOSED, .says = "port"},
	{"silent in the handshake", .doors = TLS, .far = {.manner = NET_SILENT},
		.ask = {.timeouts = {PATIENT, .tls_ms = 300, .websocket_ms = 300}}, .code = SKIFF_TLS_TIMEOUT,
		.says = "300 ms"},
	/* ---- WebSocket ---- */
	{"404", .doors = WEB, .far = {.http = "HTTP/1.1 404 Not Found"}, .code = SKIFF_WS_NOT_FOUND, .says = "404"},
	{"404 of one that asks for the client's", WSS,
		.far = {.certificate = "good",
			.wants_client = true,
			.client_optional = true,
			.http = "HTTP/1.1 404 Not Found"},
		.code = SKIFF_WS_NOT_FOUND, .says = "404"},
	{"403", HTTP("403 Forbidden"), .code = SKIFF_WS_FORBIDDEN, .says = "403"},
	{"401", HTTP("401 Unauthorized"), .code = SKIFF_WS_FORBIDDEN, .says = "401"},
	{"302", HTTP("302 Found\r\nLocation: wss://other.example/"), .code = SKIFF_WS_REDIRECT, .says = "302"},
	{"500", HTTP("500 Internal Server Error"), .code = SKIFF_WS_UNAVAILABLE, .says = "500"},
	{"503", HTTP("503 Service Unavailable"), .code = SKIFF_WS_UNAVAILABLE, .says = "503"},
	{"400", HTTP("400 Bad Request"), .code = SKIFF_WS_NOT_WEBSOCKET, .says = "400"},
	{"200", HTTP("200 OK"), .code = SKIFF_WS_NOT_WEBSOCKET, .says = "200"},
	{"wrong accept key",
		HTTP(UPGRADE "Sec-WebSocket-Accept: xs3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
			     "Sec-WebSocket-Protocol: mqtt"),
		.code = SKIFF_WS_BAD_ACCEPT, .says = "WebSocket"},
	/* Paho does not look at the subprotocol */
	{"no subprotocol", .doors = WEB,
		.far = {.http = "HTTP/1.1 " UPGRADE "Sec-WebSocket-Accept: %s", .answer = CAUSE_SERVES},
		.code = SKIFF_WS_SUBPROTOCOL, .paho_connects = true, .says = "subprotocol"},
	{"silent on the upgrade", WS, .far = {.ignores_request = true},
		.ask = {.timeouts = {PATIENT, .websocket_ms = 300}}, .code = SKIFF_WS_TIMEOUT, .says = "300 ms"},
	{"silent on the upgrade", WSS, .far = {.ignores_request = true},
		.ask = {.timeouts = {PATIENT, .tls_ms = 1000, .websocket_ms = 300}}, .code = SKIFF_WS_TIMEOUT,
		.says = "300 ms"},
	{"closed on the upgrade", WEB, .far = {.closes_request = true}, .code = SKIFF_WS_NOT_WEBSOCKET},
	/* Paho goes on to CONNECT after an answer of 12 bytes or more that is not HTTP, and waits on where it is
	   shorter */
	{"no HTTP", WEB, .far = {.first = WORDS("SSH-2.0-OpenSSH_9.2p1\r\n")}, .ask = {.timeouts = {.mqtt_ms = 300}},
		.code = SKIFF_WS_NOT_WEBSOCKET, .paho = SKIFF_MQTT_TIMEOUT, .other_class = true,
		.check = "wrong-protocol"},
	{"MQTT on the port", WEB, .far = {.first = WORDS("\x20\2\0\1")},
		.ask = {.timeouts = {PATIENT, .tls_ms = 1000, .websocket_ms = 300}}, .code = SKIFF_WS_NOT_WEBSOCKET,
		.paho = SKIFF_WS_TIMEOUT, .check = "wrong-protocol"},
	{"WebSocket to a TLS port", WS, .far = {.tls = true}, .code = SKIFF_WS_NOT_WEBSOCKET,
		.check = "wrong-protocol"},
	/* ---- CONNACK ---- */
	{"3.1.1, 1", ALL, REFUSES_311("\1"), .code = SKIFF_MQTT_VERSION, .says = "3.1.1"},
	{"3.1.1, 2", TCP, REFUSES_311("\2"), .code = SKIFF_MQTT_CLIENT_ID, .says = "identifier"},
	{"3.1.1, 3", TCP, REFUSES_311("\3"), .code = SKIFF_MQTT_UNAVAILABLE, .says = "unavailable"},
	{"3.1.1, 4", TCP, REFUSES_311("\4"), .code = SKIFF_MQTT_BAD_CREDENTIALS, .says = "password"},
	{"3.1.1, 5", ALL, REFUSES_311("\5"), .code = SKIFF_MQTT_NOT_AUTHORISED, .says = "authorized"},
	{"5, 0x80", TCP, REFUSES_5("\x80"), .code = SKIFF_MQTT_REFUSED, .says = "0x80"},
	{"5, 0x84", TCP, REFUSES_5("\x84"), .code = SKIFF_MQTT_VERSION, .says = "MQTT 5"},
	{"5, 0x85", TCP, REFUSES_5("\x85"), .code = SKIFF_MQTT_CLIENT_ID, .says = "Identifier"},
	{"5, 0x86", ALL, REFUSES_5("\x86"), .code = SKIFF_MQTT_BAD_CREDENTIALS, .says = "0x86"},
	{"5, 0x87", ALL, REFUSES_5("\x87"), .code = SKIFF_MQTT_NOT_AUTHORISED, .says = "0x87"},
	{"5, 0x88", TCP, REFUSES_5("\x88"), .code = SKIFF_MQTT_UNAVAILABLE, .says = "0x88"},
	{"5, 0x8a", TCP, REFUSES_5("\x8a"), .code = SKIFF_MQTT_BANNED, .says = "0x8a"},
	{"5, 0x8c", TCP, REFUSES_5("\x8c"), .code = SKIFF_MQTT_NOT_ALLOWED, .says = "0x8c"},
	{"5, 0x97", TCP, REFUSES_5("\x97"), .code = SKIFF_MQTT_REFUSED, .says = "0x97"},
	{"5, 0x9c", TCP, REFUSES_5("\x9c"), .code = SKIFF_MQTT_MOVED, .says = "0x9c"},
	{"5, 0x9d", TCP, REFUSES_5("\x9d"), .code = SKIFF_MQTT_MOVED, .says = "0x9d"},
	{"5, 0x9f", TCP, REFUSES_5("\x9f"), .code = SKIFF_MQTT_UNAVAILABLE, .says = "0x9f"},
	{"5, refused in the words of 3.1.1", TCP, ANSWERS("\x20\2\0\1"), .code = SKIFF_MQTT_VERSION, .says = "MQTT 5"},
	/* ---- no CONNACK ---- */
	{"closed for CONNACK", ALL, .far = {0}, .code = SKIFF_MQTT_CLOSED, .says = "CONNECT"},
	{"reset for CONNACK", TCP | WS, .far = {.answer = CAUSE_RESETS}, .code = SKIFF_MQTT_CLOSED, .says = "CONNECT"},
	{"silent after CONNECT", ALL, .far = {.answer = CAUSE_HOLDS}, .ask = {.timeouts = {.mqtt_ms = 300}},
		.code = SKIFF_MQTT_TIMEOUT, .says = "300 ms"},
	{"MQTT to a TLS port", TCP, .far = {.tls = true}, .code = SKIFF_MQTT_CLOSED, .says = "TLS",
		.check = "wrong-protocol"},
	/* Paho takes the first bytes for a packet that is not all there: the words are lost in it */
	{"MQTT to an HTTP port", TCP | SSLS, .far = {.said = WORDS("HTTP/1.1 400 Bad Request\r\n\r\n")},
		.code = SKIFF_WRONG_PROTOCOL, .paho = SKIFF_MQTT_CLOSED},
	{"MQTT to an SSH port", TCP, ANSWERS("SSH-2.0-OpenSSH_9.2p1\r\n"), .ask = {.timeouts = {.mqtt_ms = 300}},
		.code = SKIFF_WRONG_PROTOCOL, .paho = SKIFF_MQTT_TIMEOUT},
	{"MQTT to an SMTP port", TCP, ANSWERS("220 mail.example ESMTP\r\n"), .ask = {.timeouts = {.mqtt_ms = 300}},
		.code = SKIFF_WRONG_PROTOCOL, .paho = SKIFF_MQTT_TIMEOUT},
	/* ---- auto ---- */
	{"auto, 5 refused by CONNACK", TCP | WSS, .ask = {.version = SKIFF_MQTT_AUTO},
		.far = {.answer = CAUSE_HOLDS, .only_311 = true, .said = WORDS("\x20\2\0\1")}, .code = SKIFF_OK},
	{"auto, 5 refused by an end", TCP | WS, .ask = {.version = SKIFF_MQTT_AUTO}, .far = {.only_311 = true},
		.code = SKIFF_OK},
	{"auto, none served", TCP, .ask = {.version = SKIFF_MQTT_AUTO}, .far = {0}, .code = SKIFF_MQTT_CLOSED,
		.says = "MQTT 3.1.1"},
	/* ---- a connection that was up ---- */
	{"up, closed", ALL, .far = {.answer = CAUSE_SERVES}, .code = SKIFF_TCP_CLOSED, .says = "closed"},
	/* Paho has taken the error off the socket, and tells of no difference */
	{"up, reset", TCP | WS, .far = {.answer = CAUSE_SERVES, .then = CAUSE_THEN_RESETS}, .code = SKIFF_TCP_RESET,
		.paho = SKIFF_TCP_CLOSED},
	{"up, DISCONNECT 0x8b", ALL,
		.far = {.answer = CAUSE_SERVES,
			.then = CAUSE_THEN_HOLDS,
			.then_said = WORDS("\xe0\x0b\x8b\x09\x1f\0\6closes")},
		.code = SKIFF_MQTT_UNAVAILABLE, .says = "closes"},
	{"up, DISCONNECT 0x8e, then the end", TCP, .far = {.answer = CAUSE_SERVES, .then_said = WORDS("\xe0\1\x8e")},
		.code = SKIFF_MQTT_TAKEN_OVER, .says = "0x8e"},
	{"up, silent", TCP | WSS, .ask = {.keep_alive_s = 1},
		.far = {.answer = CAUSE_SERVES, .then = CAUSE_THEN_FREEZES}, .code = SKIFF_MQTT_KEEP_ALIVE,
		.says = "silent"},
};
enum { ROWS = sizeof rows / sizeof *rows };

#endif
