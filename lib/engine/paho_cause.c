/* SPDX-License-Identifier: Apache-2.0 */
/* paho_cause.c: why a connection of Paho's failed or ended.
 *
 * Paho itself says -1 for nearly everything. What else is known: how far the attempt came (no socket, a socket that is
 * or is not connected, CONNECT sent), OpenSSL's error from its callback, alerts and refusals from its trace. Where that
 * names no cause (a port that refuses, a certificate that does not verify), a second look by our own transport does; it
 * sends neither CONNECT nor, unless our own verification passes what Paho's did not, a client certificate. */
#include "base/clock.h"
#include "base/error.h"
#include "codec/properties.h"
#include "engine/paho_internal.h"
#include "session/verdict.h"
#include "transport/tls_verify.h"
#include "transport/ws_head.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

/* ---- a connection that was up ---- */

static void cause_disconnected(const struct paho_link *link, struct skiff_error *error)
{
	struct skiff_properties properties = {0};
	struct skiffi_refusal why;
	const uint8_t *at = link->peer_properties.data;
	struct skiffi_reader reader = {at, at + link->peer_properties.len};
	char texts[2][256];
	if (!at || !skiffi_properties_read(&reader, SKIFFI_IN_DISCONNECT_FROM_SERVER, &properties, &why))
		properties = (struct skiff_properties){0};
	snprintf(texts[0], sizeof texts[0], "%.*s", (int)properties.reason_string.len,
		properties.reason_string.data ? (const char *)properties.reason_string.data : "");
	snprintf(texts[1], sizeof texts[1], "%.*s", (int)properties.server_reference.len,
		properties.server_reference.data ? (const char *)properties.server_reference.data : "");
	skiffi_verdict_disconnect(error, (uint8_t)link->peer_reason, texts[0], texts[1]);
}

static void cause_lost(const struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error)
{
	if (link->peer_reason >= 0)
		cause_disconnected(link, error);
	else if (link->over_disconnected)
		skiffi_fail(error, SKIFF_CLOSED, 0, "disconnected by this client");
	else if (link->over_silent && engine->limits.keep_alive_s)
		skiffi_fail(error, SKIFF_MQTT_KEEP_ALIVE, 0,
			"Paho ended the connection while the broker held it open: it went silent, or broke the "
			"protocol");
	else if (link->over_silent)
		skiffi_fail(error, SKIFF_MQTT_PROTOCOL, 0,
			"Paho ended the connection while the broker held it open: the broker broke the protocol");
	else
		skiffi_fail(error, SKIFF_TCP_CLOSED, 0, "the peer closed the connection");
}

/* ---- an attempt ---- */

static void cause_http(const struct paho_engine *engine, int status, struct skiff_error *error)
{
	struct skiffi_ws_head head = {0};
	char text[64];
	size_t used;
	int len = snprintf(text, sizeof text, "HTTP/1.1 %03d\r\n\r\n", status);
	enum skiffi_ws_answer answer = skiffi_ws_head_take(
		&head, (const uint8_t *)text, (size_t)len, &used, "", engine->base.config->endpoint, error);
	skiffi_ws_head_release(&head);
	if (answer != SKIFFI_WS_REFUSED)
		skiffi_fail(error, SKIFF_WS_BAD_ACCEPT, status, "'%s' answered the WebSocket upgrade with status %d",
			engine->base.config->endpoint->url, status);
}

/* As tls_explain.c would have it, had our own transport seen it. */
static bool cause_tls(const struct paho_engine *engine, const struct paho_facts *facts, struct skiff_error *error)
{
	int reason = ERR_GET_REASON(facts->tls_error);
	bool alert = ERR_GET_LIB(facts->tls_error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET;
	struct skiffi_tls_report report = {.alert_received = facts->alert,
		.openssl_error = facts->tls_error,
		.certificate_requested = facts->certificate_requested,
		.certificate_sent = facts->certificate_requested && engine->base.config->options->tls.cert_file};
	if (report.alert_received < 0 && alert)
		report.alert_received = reason - SSL_AD_REASON_OFFSET;
	if (report.alert_received < 0 && (!facts->tls_error || reason == SSL_R_CERTIFICATE_VERIFY_FAILED))
		return false;
	return skiffi_tls_error(&report, engine->tls, engine->base.config->endpoint, error) != SKIFF_OK;
}

static void cause_unknown(const struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error)
{
	const struct skiffi_endpoint *endpoint = engine->base.config->endpoint;
	const struct paho_facts *facts = &link->facts;
	if (facts->name_refused)
		skiffi_fail(error, SKIFF_TLS_HOSTNAME, 0,
			"the server's certificate is not for \"%s\"; connect by one of its names, or have one issued "
			"for "
			"this",
			endpoint->host);
	else if (ERR_GET_REASON(facts->tls_error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		skiffi_fail(error, SKIFF_TLS_BAD_CHAIN, 0,
			"the server's certificate does not verify; OpenSSL says no more to Paho than that");
	else if (endpoint->tls && !facts->ws_refused)
		skiffi_fail(error, SKIFF_TLS_CLOSED, 0,
			"the connection ended during the TLS handshake; port %u is probably not one for TLS",
			endpoint->port);
	else
		skiffi_fail(error, SKIFF_TCP_FAILED, 0, "Paho could not connect to '%s', and does not say why",
			endpoint->url);
}

static void cause_failed(
	struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error, bool *look)
{
	const struct skiffi_endpoint *endpoint = engine->base.config->endpoint;
	const struct paho_facts *facts = &link->facts;
	bool verify = facts->name_refused || ERR_GET_REASON(facts->tls_error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
	if (link->over_connack) {
		/* a broker that knows no 5 may answer in the form, and with the codes, of 3.1.1 */
		enum skiffi_protocol v = link->over_code < 0x80 ? SKIFFI_V311 : link->version;
		skiffi_verdict_connack(error, v, link->version, (uint8_t)link->over_code, NULL);
	} else if (endpoint->tls && !facts->name_refused && cause_tls(engine, facts, error)) {
		return;
	} else if (facts->http_status) {
		cause_http(engine, facts->http_status, error);
	} else if (facts->ws_refused) {
		skiffi_fail(error, SKIFF_WS_BAD_ACCEPT, 101,
			"'%s' switched to WebSocket in a way that Paho does not take: another key, or an answer that "
			"did not come in one piece",
			endpoint->url);
	} else if (link->greeting_us) {
		skiffi_attempt_silent(error, endpoint, link->version, 0);
	} else {
		cause_unknown(engine, link, error);
		engine->look_tls = endpoint->tls && (verify || facts->tls_version[0]);
		*look = true;
	}
}

void skiffi_paho_cause(struct paho_engine *engine, struct skiff_error *error, bool *look)
{
	struct paho_link *link = engine->link;
	*look = false;
	pthread_mutex_lock(&link->lock);
	if (link->over_was_up || link->over_disconnected)
		cause_lost(engine, link, error);
	else if (link->over_code == MQTTASYNC_BAD_UTF8_STRING)
		skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "Paho does not take the user name: it finds it not to be UTF-8");
	else
		cause_failed(engine, link, error, look);
	pthread_mutex_unlock(&link->lock);
}
