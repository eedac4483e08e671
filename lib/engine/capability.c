/* SPDX-License-Identifier: Apache-2.0 */
/* capability.c: who can do what, as one table: the help prints it, and the check below walks it. */
#include "engine/capability.h"

#include "base/error.h"
#include <string.h>

enum { NATIVE = 1 << SKIFF_ENGINE_NATIVE, PAHO = 1 << SKIFF_ENGINE_PAHO, BOTH = NATIVE | PAHO };

typedef bool (*asked_fn)(const struct skiffi_engine_config *config);

/* ---- what a configuration asks for ---- */

static bool asked_unix(const struct skiffi_engine_config *config)
{
	return config->endpoint->kind == SKIFFI_UNIX;
}

static bool asked_ws_colon(const struct skiffi_engine_config *config)
{
	return config->endpoint->kind == SKIFFI_WS && strchr(config->endpoint->path, ':');
}

static bool asked_server_name(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.server_name;
}

static bool asked_no_server_name(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.no_server_name;
}

static bool asked_crl(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && (config->options->tls.crl_file || config->options->tls.crl_dir);
}

static bool asked_memory(const struct skiffi_engine_config *config)
{
	const struct skiff_tls_options *tls = &config->options->tls;
	return config->endpoint->tls && (tls->ca_pem.len || tls->cert_pem.len || tls->key_pem.len);
}

static bool asked_token(const struct skiffi_engine_config *config)
{
	const struct skiff_tls_options *tls = &config->options->tls;
	return config->endpoint->tls && ((tls->cert_file && skiffi_endpoint_is_token(tls->cert_file)) ||
						(tls->key_file && skiffi_endpoint_is_token(tls->key_file)));
}

static bool asked_ca_system(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.ca_system;
}

static bool asked_ocsp(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.ocsp != SKIFF_OCSP_OFF;
}

static bool asked_pins(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && (config->options->tls.pins || config->options->tls.known_hosts_file);
}

static bool asked_psk(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.psk_identity;
}

static bool asked_tls_policy(const struct skiffi_engine_config *config)
{
	const struct skiff_tls_options *tls = &config->options->tls;
	return config->endpoint->tls &&
	       (tls->min_version || tls->max_version || tls->ciphers || tls->cipher_suites || tls->groups);
}

static bool asked_proxy(const struct skiffi_engine_config *config)
{
	return config->options->proxy;
}

static bool asked_proxy_environment(const struct skiffi_engine_config *config)
{
	return config->options->proxy_environment;
}

static bool asked_address(const struct skiffi_engine_config *config)
{
	return config->options->address;
}

static bool asked_ip_version(const struct skiffi_engine_config *config)
{
	return config->options->ip_version;
}

static bool asked_local_address(const struct skiffi_engine_config *config)
{
	return config->options->local_address;
}

static bool asked_subprotocol(const struct skiffi_engine_config *config)
{
	return config->endpoint->kind == SKIFFI_WS && config->options->ws_subprotocol;
}

static bool asked_chain(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.on_chain;
}

static bool asked_keylog(const struct skiffi_engine_config *config)
{
	return config->endpoint->tls && config->options->tls.keylog_file;
}

static bool asked_handshake_only(const struct skiffi_engine_config *config)
{
	return config->options->tls.handshake_only;
}

static bool asked_tls_ipv6(const struct skiffi_engine_config *config)
{
	const struct skiffi_endpoint *endpoint = config->endpoint;
	return endpoint->tls && endpoint->ip_literal && strchr(endpoint->host, ':') &&
	       !config->options->tls.insecure_skip_name;
}

static bool asked_ping_timeout(const struct skiffi_engine_config *config)
{
	return config->options->ping_timeout_ms > 0;
}

static bool asked_aliases_out(const struct skiffi_engine_config *config)
{
	return config->options->outbound_aliases > 0;
}

static bool asked_aliases_in(const struct skiffi_engine_config *config)
{
	const struct skiff_properties *properties = config->options->connect_properties;
	return properties && properties->has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM && properties->topic_alias_maximum;
}

static bool asked_assigned_resumed(const struct skiffi_engine_config *config)
{
	return config->options->resume_session && !*config->options->client_id;
}

/* ---- the table ---- */

static const char *const capability_texts[SKIFF_CAPABILITY_COUNT] = {
#define CAPABILITY_TEXT(name, text) [SKIFF_CAN_##name] = text,
	SKIFF_CAPABILITIES(CAPABILITY_TEXT)
#undef CAPABILITY_TEXT
};

struct capability {
	unsigned engines;
	const char *option; /* NULL: no option asks for it */
	asked_fn asked;
};

#define ROW(name, set)                  [SKIFF_CAN_##name] = {.engines = set}
#define ASKED(name, set, option, asked) [SKIFF_CAN_##name] = {set, option, asked}

static const struct capability capabilities[SKIFF_CAPABILITY_COUNT] = {
	ROW(TCP, BOTH),
	ROW(TLS, BOTH),
	ROW(WS, BOTH),
	ASKED(UNIX, NATIVE, "url", asked_unix),
	ROW(MANY_WS, NATIVE), /* seen only when one opens */
	ROW(WS_BATCHED, NATIVE),
	ASKED(WS_COLON, NATIVE, "url", asked_ws_colon),
	ROW(WS_SUBPROTOCOL, NATIVE),
	ROW(RACING, NATIVE),
	ASKED(PROXY, NATIVE, "proxy", asked_proxy),
	ASKED(PROXY_ENVIRONMENT, NATIVE, "proxy_environment", asked_proxy_environment),
	ASKED(ADDRESS, NATIVE, "address", asked_address),
	ASKED(IP_VERSION, NATIVE, "ip_version", asked_ip_version),
	ASKED(LOCAL_ADDRESS, NATIVE, "local_address", asked_local_address),
	ASKED(OTHER_SUBPROTOCOL, NATIVE, "ws_subprotocol", asked_subprotocol),
	ROW(CLIENT_CERT, BOTH),
	ROW(NAME_VERIFIED, BOTH),
	ROW(NAME_STRICT, NATIVE),
	ASKED(SERVER_NAME, NATIVE, "tls.server_name", asked_server_name),
	ASKED(NO_SERVER_NAME, NATIVE, "tls.no_server_name", asked_no_server_name),
	ROW(TLS_RESUMED, NATIVE),
	ASKED(TLS_MEMORY, NATIVE, "tls.ca_pem, cert_pem or key_pem", asked_memory),
	ROW(TLS_BINARY, NATIVE),
	ASKED(TLS_TOKEN, NATIVE, "tls.cert_file or key_file", asked_token),
	ASKED(CA_SYSTEM, NATIVE, "tls.ca_system", asked_ca_system),
	ASKED(CRL, NATIVE, "tls.crl_file or crl_dir", asked_crl),
	ASKED(OCSP, NATIVE, "tls.ocsp", asked_ocsp),
	ASKED(PINS, NATIVE, "tls.pins or known_hosts_file", asked_pins),
	ASKED(PSK, NATIVE, "tls.psk_identity", asked_psk),
	ROW(COMMON_NAME, NATIVE),
	ASKED(TLS_POLICY, NATIVE, "tls.min_version, max_version, ciphers, cipher_suites or groups", asked_tls_policy),
	ROW(TLS_RENEWED, NATIVE),
	ASKED(CHAIN_TOLD, NATIVE, "tls.on_chain", asked_chain),
	ASKED(KEYLOG, NATIVE, "tls.keylog_file", asked_keylog),
	ASKED(HANDSHAKE_ONLY, NATIVE, "tls.handshake_only", asked_handshake_only),
	ASKED(TLS_IPV6, NATIVE, "url", asked_tls_ipv6),
	ROW(SECURITY_LEVEL, NATIVE),
	ROW(MQTT, BOTH),
	ASKED(PING_TIMEOUT, NATIVE, "ping_timeout_ms", asked_ping_timeout),
	ASKED(ALIASES_OUT, NATIVE, "outbound_aliases", asked_aliases_out),
	ASKED(ALIASES_IN, NATIVE, "connect_properties.topic_alias_maximum", asked_aliases_in),
	ASKED(ASSIGNED_RESUMED, NATIVE, "client_id", asked_assigned_resumed),
	ROW(STRICT, NATIVE),
	ROW(APART, NATIVE), /* MQTTProtocol_retry walks all clients of the process */
	ROW(PHASES, NATIVE),
	ROW(WIRE_TOLD, NATIVE),
	ROW(CERTIFICATE_TOLD, NATIVE),
	ROW(REASONS, NATIVE),
	ROW(DUP_QOS2, NATIVE),
	ROW(PUBREC_KNOWN, NATIVE),
};

const char *skiff_capability_text(enum skiff_capability capability)
{
	return (unsigned)capability < SKIFF_CAPABILITY_COUNT ? capability_texts[capability] : "";
}

bool skiff_engine_can(enum skiff_engine engine, enum skiff_capability capability)
{
	return (unsigned)capability < SKIFF_CAPABILITY_COUNT && capabilities[capability].engines & 1u << engine;
}

bool skiffi_capability_check(
	enum skiff_engine engine, const struct skiffi_engine_config *config, struct skiff_error *error)
{
	for (size_t i = 0; i < SKIFF_CAPABILITY_COUNT; i++) {
		const struct capability *row = &capabilities[i];
		if (row->engines & 1u << engine || !row->asked || !row->asked(config))
			continue;
		skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"%s: the engine '%s' has no support for %s; leave it out, or choose the engine native",
			row->option, skiff_engine_name(engine), capability_texts[i]);
		return false;
	}
	return true;
}
