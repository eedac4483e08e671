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

/* Whether the keep alive can have run out: not before it has passed since CONNACK. */
static bool cause_may_be_keep_alive(const struct paho_engine *engine)
{
	int64_t keep_alive_us = (int64_t)engine->limits.keep_alive_s * 1000000;
	return keep_alive_us && skiffi_now_us() - engine->up_us >= keep_alive_us;
}

static void cause_lost(const struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error)
{
	if (link->peer_reason >= 0)
		cause_disconnected(link, error);
	else if (link->over_disconnected)
		skiffi_fail(error, SKIFF_CLOSED, 0, "disconnected by this client");
	else if (link->over_silent && cause_may_be_keep_alive(engine))
		skiffi_fail(error, SKIFF_MQTT_KEEP_ALIVE, 0,
			"Paho ended the connection while the broker held it open: it went silent, or broke the "
			"protocol");
	else if (link->over_silent && !engine->base.config->endpoint->tls)
		skiffi_fail(error, SKIFF_MQTT_PROTOCOL, 0,
			"Paho ended the connection while the broker held it open: the broker broke the protocol");
	else /* also where TLS was ended already, and TCP not yet */
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

/* Of an alert that this OpenSSL has no words for, the trace says "unknown", and so 1, the first without. */
enum { ALERT_UNKNOWN = 1 };

static bool cause_uncertified(const struct paho_engine *engine, const struct paho_facts *facts)
{
	return facts->certificate_requested && !engine->base.config->options->tls.cert_file;
}

/* The alert that ended TLS; -1: none did. OpenSSL's error has its number, the trace only its words. */
static int cause_alert(const struct paho_engine *engine, const struct paho_facts *facts)
{
	int reason = ERR_GET_REASON(facts->tls_error);
	if (ERR_GET_LIB(facts->tls_error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		return reason - SSL_AD_REASON_OFFSET;
	switch (facts->alert) {
	case SSL_AD_CLOSE_NOTIFY:
	case SSL_AD_USER_CANCELLED:
	case SSL_AD_NO_RENEGOTIATION:
		return -1;
	case ALERT_UNKNOWN:
		return cause_uncertified(engine, facts) ? SSL_AD_CERTIFICATE_REQUIRED : ALERT_UNKNOWN;
	default:
		return facts->alert;
	}
}

/* As tls_explain.c would have it, had our own transport seen it. `*look`: what OpenSSL holds against the server tells
 * no cause, and ours, which allows less than Paho's, may fail sooner and for a better one. */
static bool cause_tls(
	const struct paho_engine *engine, const struct paho_facts *facts, struct skiff_error *error, bool *look)
{
	struct skiffi_tls_report report = {.alert_received = cause_alert(engine, facts),
		.openssl_error = facts->tls_error,
		.handshake_done = facts->handshake_done,
		.certificate_requested = facts->certificate_requested,
		.certificate_sent = facts->certificate_requested && !cause_uncertified(engine, facts)};
	bool unverified = ERR_GET_REASON(facts->tls_error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
	/* all that a server of TLS 1.3 may show of its wish for a certificate */
	bool end =
		facts->handshake_done && cause_uncertified(engine, facts) && !facts->http_status && !facts->ws_refused;
	if (report.alert_received < 0 && (!facts->tls_error || unverified) && !end)
		return false;
	enum skiff_code code = skiffi_tls_error(&report, engine->tls, engine->base.config->endpoint, error);
	*look = code == SKIFF_TLS_FAILED && report.alert_received < 0 && !facts->handshake_done;
	return true;
}

static void cause_unknown(const struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error)
{
	const struct skiffi_endpoint *endpoint = engine->base.config->endpoint;
	const struct paho_facts *facts = &link->facts;
	const struct skiffi_ws_head nothing = {0};
	if (facts->name_refused)
		skiffi_fail(error, SKIFF_TLS_HOSTNAME, 0,
			"the server's certificate is not for \"%s\"; connect by one of its names, or have one issued "
			"for "
			"this",
			endpoint->host);
	else if (ERR_GET_REASON(facts->tls_error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		skiffi_fail(error, SKIFF_TLS_BAD_CHAIN, 0,
			"the server's certificate does not verify; OpenSSL says no more to Paho than that");
	else if (endpoint->kind == SKIFFI_WS && (!endpoint->tls || facts->handshake_done))
		skiffi_ws_head_silent(
			&nothing, facts->reset ? "reset the connection" : "closed the connection", endpoint, 0, error);
	else if (endpoint->tls)
		skiffi_fail(error, SKIFF_TLS_CLOSED, 0,
			"the connection ended during the TLS handshake; port %u is probably not one for TLS",
			endpoint->port);
	else
		skiffi_fail(error, SKIFF_TCP_FAILED, 0, "Paho could not connect to '%s', and does not say why",
			endpoint->url);
}

/* A broker that does not know MQTT 5 may refuse it in the words of 3.1.1, whose numbers mean something else in 5. */
static void cause_refused(const struct paho_link *link, struct skiff_error *error)
{
	bool old_words = link->version == SKIFFI_V5 && link->over_code < 0x80;
	skiffi_verdict_connack(
		error, old_words ? SKIFFI_V311 : link->version, link->version, (uint8_t)link->over_code, NULL);
}

static void cause_failed(
	struct paho_engine *engine, const struct paho_link *link, struct skiff_error *error, bool *look)
{
	const struct skiffi_endpoint *endpoint = engine->base.config->endpoint;
	const struct paho_facts *facts = &link->facts;
	bool verify = facts->name_refused || ERR_GET_REASON(facts->tls_error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
	if (link->over_connack) {
		cause_refused(link, error);
	} else if (endpoint->tls && !facts->name_refused && cause_tls(engine, facts, error, look)) {
		engine->look_tls = *look;
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
		*look = verify || !facts->handshake_done; /* else TLS has been through */
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
