/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: which engines there are, and what each can do.
 *
 * An engine is a way to speak MQTT: `native` is skiff's own, `paho` is Eclipse Paho MQTT C. An option that asks for
 * what the chosen engine cannot do is refused by skiff_client_new, with its name. */
#ifndef SKIFF_ENGINE_H
#define SKIFF_ENGINE_H

#include <skiff/options.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* X(NAME, text)
 * Grouped: doors, TLS, MQTT, what is told. */
#define SKIFF_CAPABILITIES(X) \
	X(TCP, "tcp:// and mqtt://") \
	X(TLS, "ssl://, tls:// and mqtts://") \
	X(WS, "ws:// and wss://, with HTTP headers and a path") \
	X(UNIX, "unix:// (Unix sockets)") \
	X(MANY_WS, "several ws:// and wss:// connections in one process at a time") \
	X(WS_BATCHED, "several MQTT packets in one WebSocket frame taken at once") \
	X(WS_COLON, "a colon in the path of ws:// and wss://") \
	X(WS_SUBPROTOCOL, "a WebSocket server without the subprotocol mqtt refused") \
	X(RACING, "all addresses of a name tried, the fastest taken") \
	X(PROXY, "an HTTP or SOCKS5 proxy (proxy)") \
	X(PROXY_ENVIRONMENT, "the proxy that the environment names (proxy_environment)") \
	X(ADDRESS, "an address given instead of a look-up (address)") \
	X(IP_VERSION, "only IPv4, or only IPv6 (ip_version)") \
	X(LOCAL_ADDRESS, "an address to connect from (local_address)") \
	X(OTHER_SUBPROTOCOL, "another WebSocket subprotocol than mqtt (ws_subprotocol)") \
	X(CLIENT_CERT, "client certificate and (encrypted) key; CA file and directory; ALPN") \
	X(NAME_VERIFIED, "chain and name of the server verified by default") \
	X(NAME_STRICT, "a certificate without a subject alternative name, or with a partial wildcard, refused") \
	X(SERVER_NAME, "another name for SNI and verification (tls.server_name)") \
	X(NO_SERVER_NAME, "no SNI (tls.no_server_name)") \
	X(TLS_RESUMED, "TLS sessions resumed on reconnect") \
	X(TLS_MEMORY, "certificates and keys from memory (tls.ca_pem, cert_pem, key_pem)") \
	X(TLS_BINARY, "certificates and keys in DER and PKCS#12") \
	X(TLS_TOKEN, "certificate and key of a token or a TPM, by URI (tls.cert_file, tls.key_file)") \
	X(CA_SYSTEM, "the system's trust store beside other CAs (tls.ca_system)") \
	X(CRL, "revocation lists (tls.crl_file, tls.crl_dir)") \
	X(OCSP, "stapled OCSP responses verified (tls.ocsp)") \
	X(PINS, "the server's key pinned, or remembered (tls.pins, tls.known_hosts_file)") \
	X(PSK, "a pre-shared key instead of certificates (tls.psk_identity, tls.psk_key)") \
	X(COMMON_NAME, "the common name left out of account unless asked for (tls.accept_common_name)") \
	X(TLS_POLICY, \
		"versions, ciphers and groups of TLS (tls.min_version, max_version, ciphers, cipher_suites, groups)") \
	X(TLS_RENEWED, \
		"TLS files that change used once they are whole, and told of; certificates about to expire told of") \
	X(CHAIN_TOLD, "the chain that a server sends shown (tls.on_chain)") \
	X(KEYLOG, "secrets of connections written for Wireshark (tls.keylog_file)") \
	X(HANDSHAKE_ONLY, "the TLS handshake alone (tls.handshake_only)") \
	X(TLS_IPV6, "the name verified where ssl:// or wss:// has an IPv6 address for host") \
	X(SECURITY_LEVEL, "the system's TLS security level left as it is") \
	X(MQTT, "MQTT 5 with properties and 3.1.1; QoS 0, 1, 2; retained; will; resumed sessions") \
	X(PING_TIMEOUT, "a time limit for the answer to a ping (ping_timeout_ms)") \
	X(ALIASES_OUT, "topic aliases outward (outbound_aliases)") \
	X(ALIASES_IN, "topic aliases inward (connect_properties, topic_alias_maximum)") \
	X(ASSIGNED_RESUMED, "a session resumed under an id that the broker assigned (client_id \"\", resume_session)") \
	X(STRICT, "a broker that breaks the protocol or its limits found out and dropped") \
	X(APART, "other connections of the process left alone when one resumes with messages in flight") \
	X(PHASES, "the time of each phase of connecting, and limits for TCP, TLS and WebSocket apart") \
	X(WIRE_TOLD, "the bytes that TCP carried (connection.wire_bytes_out, wire_bytes_in)") \
	X(CERTIFICATE_TOLD, "subject and issuer of the server's certificate, the ALPN protocol chosen") \
	X(REASONS, "reason codes below 0x80 of PUBACK and PUBCOMP, reason string of a refused CONNACK") \
	X(DUP_QOS2, "a message of QoS 2 that the broker sends again marked as such (message.dup)") \
	X(PUBREC_KNOWN, "of QoS 2, that a lost session's message had reached the broker")

enum skiff_capability {
#define SKIFF_CAPABILITY_ENUM(name, text) SKIFF_CAN_##name,
	SKIFF_CAPABILITIES(SKIFF_CAPABILITY_ENUM)
#undef SKIFF_CAPABILITY_ENUM
		SKIFF_CAPABILITY_COUNT
};

/** What a capability means, in a few words; a static string. Any thread. */
const char *skiff_capability_text(enum skiff_capability capability);

/** Whether `engine` has a capability, built in or not. Any thread. */
bool skiff_engine_can(enum skiff_engine engine, enum skiff_capability capability);

/** Whether `engine` is built into this library. Any thread. */
bool skiff_engine_built(enum skiff_engine engine);

/** "native" or "paho"; a static string. Any thread. */
const char *skiff_engine_name(enum skiff_engine engine);

/** What it is, with the version that its library gives itself: "Eclipse Paho MQTT C 1.3.11"; a static string. Any
 * thread. */
const char *skiff_engine_library(enum skiff_engine engine);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
