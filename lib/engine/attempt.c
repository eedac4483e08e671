/* SPDX-License-Identifier: Apache-2.0 */
/* attempt.c: sentences about attempts. */
#include "engine/attempt.h"

#include "base/error.h"
#include "session/verdict.h"

enum skiffi_protocol skiffi_attempt_version(const struct skiff_options *options)
{
	return options->version == SKIFF_MQTT_31    ? SKIFFI_V31
	       : options->version == SKIFF_MQTT_311 ? SKIFFI_V311
						    : SKIFFI_V5;
}

struct skiff_properties skiffi_attempt_properties(const struct skiff_options *options)
{
	struct skiff_properties properties = {0};
	if (options->connect_properties)
		properties = *options->connect_properties;
	if (options->session_expiry_s) {
		properties.has |= SKIFF_HAS_SESSION_EXPIRY;
		properties.session_expiry_s = options->session_expiry_s;
	}
	return properties;
}

void skiffi_attempt_silent(
	struct skiff_error *error, const struct skiffi_endpoint *endpoint, enum skiffi_protocol v, int detail)
{
	bool plain = endpoint->kind == SKIFFI_TCP;
	skiffi_fail(error, SKIFF_MQTT_CLOSED, detail, "'%s' closed the connection instead of answering CONNECT: %s%s",
		endpoint->url,
		plain ? "this port may speak TLS or WebSocket (try ssl:// or ws://), or the broker may not speak "
		      : "the broker may require other credentials or a client certificate, or may not speak ",
		skiffi_version_name(v));
}

void skiffi_attempt_unanswered(struct skiff_error *error, const struct skiffi_endpoint *endpoint, int limit_ms)
{
	skiffi_fail(error, SKIFF_MQTT_TIMEOUT, 0,
		"'%s' took the connection but sent no CONNACK within %d ms; it may not be an MQTT broker, or a very "
		"busy one",
		endpoint->url, limit_ms);
}

/* With socks5:// the broker's name is looked up here, and first. */
static enum skiff_code attempt_phase(const struct skiffi_endpoint *endpoint, const struct skiffi_proxy *proxy,
	const struct skiff_phases *phases, const char **name)
{
	bool own_name = !proxy || (proxy->kind == SKIFFI_PROXY_SOCKS5 && !endpoint->ip_literal);
	const struct skiffi_endpoint *first = own_name ? endpoint : proxy->endpoint;
	*name = own_name ? "at resolving the name" : "at resolving the name of the proxy";
	if (phases->dns_us < 0 && phases->tcp_us < 0 && !first->ip_literal && first->kind != SKIFFI_UNIX)
		return SKIFF_DNS_TIMEOUT;
	*name = proxy ? "on the way to the proxy" : "at connecting";
	if (phases->tcp_us < 0)
		return SKIFF_TCP_TIMEOUT;
	*name = "waiting for the proxy";
	if (proxy && phases->proxy_us < 0)
		return SKIFF_PROXY_REFUSED;
	*name = "at the TLS handshake";
	if (endpoint->tls && phases->tls_us < 0)
		return SKIFF_TLS_TIMEOUT;
	*name = "at the WebSocket upgrade";
	return SKIFF_WS_TIMEOUT;
}

void skiffi_attempt_late(struct skiff_error *error, const struct skiffi_endpoint *endpoint,
	const struct skiffi_proxy *proxy, const struct skiff_phases *phases, int limit_ms)
{
	const char *phase, *through = proxy && phases->proxy_us < 0 ? proxy->text : NULL;
	enum skiff_code code = attempt_phase(endpoint, proxy, phases, &phase);
	skiffi_fail(error, code, 0, "connecting to '%s'%s%s%s took more than %d ms; at the end it was %s",
		endpoint->url, through ? " through '" : "", through ? through : "", through ? "'" : "", limit_ms,
		phase);
}
