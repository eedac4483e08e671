/* SPDX-License-Identifier: Apache-2.0 */
/* check_prove.c: what a port speaks, if not what its URL says, is proven by trying; so is the path of a WebSocket.
 *
 * Only after a failure that another protocol could explain. All other doors are tried at the same time, without
 * credentials; the one that opens is named. */
#include "check_causes.h"
#include "check_knock.h"
#include "check_walk.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PROVE_MOST_MS = 3000, PROVE_LEAST_MS = 50, PROVE_DOORS = 4, PROVE_PATHS = 5 };

static const char *const prove_paths[PROVE_PATHS] = {"/mqtt", "/", "/ws", "/mqtt/", "/websocket"};

/* Whether the port may be one for another protocol. */
static bool code_is_strange(enum skiff_code code)
{
	switch (code) {
	case SKIFF_WRONG_PROTOCOL:
	case SKIFF_TCP_RESET:
	case SKIFF_TCP_CLOSED:
	case SKIFF_TLS_CLOSED:
	case SKIFF_TLS_FAILED:
	case SKIFF_TLS_TIMEOUT:
	case SKIFF_WS_NOT_WEBSOCKET:
	case SKIFF_WS_BAD_ACCEPT:
	case SKIFF_WS_PROTOCOL:
	case SKIFF_WS_TIMEOUT:
	case SKIFF_MQTT_CLOSED:
	case SKIFF_MQTT_TIMEOUT:
	case SKIFF_MQTT_MALFORMED:
	case SKIFF_MQTT_PROTOCOL:
		return true;
	default:
		return false;
	}
}

/* Whether HTTP is spoken, and it is the path that may be wrong. */
static bool code_is_of_path(enum skiff_code code, const struct skiff_connection *seen)
{
	return code == SKIFF_WS_NOT_FOUND || code == SKIFF_WS_FORBIDDEN || code == SKIFF_WS_REDIRECT ||
	       code == SKIFF_WS_BAD_ACCEPT || (code == SKIFF_WS_NOT_WEBSOCKET && seen->http_status > 0);
}

static int prove_limit_ms(const struct check_settings *settings)
{
	int left_ms = check_settings_left_ms(settings);
	return left_ms < PROVE_MOST_MS ? left_ms : PROVE_MOST_MS;
}

static void evidence_add(struct check_report *report, const char *text)
{
	char *evidence = report->failure.evidence;
	size_t used = strlen(evidence);
	snprintf(evidence + used, sizeof(report->failure.evidence) - used, "; %s", text);
}

static void prove_wrong_protocol(struct check_report *report, const struct check_place *place)
{
	struct check_failure *failure = &report->failure;
	enum check_stage stage = check_strange_stage(place, &report->connection.phases);
	double ms = report->steps[failure->stage].ms;
	char evidence[sizeof(failure->evidence)];
	memcpy(evidence, failure->evidence, sizeof(evidence));
	if (stage != failure->stage)
		report->steps[failure->stage] = (struct check_step){.ms = -1};
	check_fail(report, stage, "wrong-protocol", evidence);
	report->steps[stage].ms = ms;
}

/* ---- paths ---- */

static bool knock_upgrades(const struct check_knock *knock)
{
	return check_knock_opens(knock) || knock->connection.phases.websocket_us >= 0;
}

/* Tries the usual paths at a WebSocket door; true: one opens, and is named. */
static bool prove_path(struct check_report *report, const struct check_place *place,
	const struct skiff_options *options, const struct check_settings *settings, const char *scheme)
{
	struct check_knock knocks[PROVE_PATHS] = {0};
	struct check_failure *failure = &report->failure;
	const char *own = *place->path ? place->path : "/mqtt";
	size_t count = 0;
	for (size_t i = 0; i < PROVE_PATHS; i++) {
		if (place->ws && strcmp(prove_paths[i], own) == 0)
			continue;
		check_knock_url(knocks[count].url, scheme, place->host, place->port, prove_paths[i]);
		knocks[count].tls = place->tls ? &options->tls : NULL;
		knocks[count].ip_version = options->ip_version;
		knocks[count].proxy = options->proxy;
		knocks[count].proxy_environment = options->proxy_environment;
		knocks[count++].timeout_ms = prove_limit_ms(settings);
	}
	check_knock(knocks, count);
	for (size_t i = 0; i < count; i++) {
		if (!knock_upgrades(&knocks[i]))
			continue;
		memcpy(failure->url, knocks[i].url, sizeof(failure->url));
		snprintf(failure->remedy, sizeof(failure->remedy), "Use the path that answers: %.600s", knocks[i].url);
		return true;
	}
	evidence_add(report, "none of the paths /mqtt, /, /ws, /mqtt/ and /websocket opens either");
	return false;
}

/* Where the server sends us, as a URL of a WebSocket on the same host; false: elsewhere. */
static bool redirect_read(const struct check_place *place, const char *evidence, char url[CHECK_URL_BYTES])
{
	static const char lead[] = "redirects to '";
	static const struct {
		const char *http, *ws;
	} schemes[] = {{"https://", "wss://"}, {"http://", "ws://"}, {"wss://", "wss://"}, {"ws://", "ws://"}};
	const char *at = strstr(evidence, lead);
	struct check_place to;
	at = at ? at + sizeof(lead) - 1 : "";
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t len = strlen(schemes[i].http);
		if (strncmp(at, schemes[i].http, len) != 0)
			continue;
		snprintf(url, CHECK_URL_BYTES, "%s%.*s", schemes[i].ws, (int)strcspn(at + len, "'"), at + len);
		return check_place_read(&to, url) && strcasecmp(to.host, place->host) == 0;
	}
	return false;
}

static void prove_redirect(struct check_report *report, const struct check_place *place)
{
	struct check_failure *failure = &report->failure;
	char url[CHECK_URL_BYTES] = "";
	if (redirect_read(place, failure->evidence, url)) {
		memcpy(failure->url, url, sizeof(failure->url));
		snprintf(failure->remedy, sizeof(failure->remedy), "Use the place that it names: %.590s", url);
	} else if (*url) {
		snprintf(failure->remedy, sizeof(failure->remedy),
			"It names another host. If that is the login page of this network, which answers for everybody "
			"(a "
			"captive portal), log in with a browser first; if it is the broker's new place, use %.590s",
			url);
	}
}

/* ---- ALPN ---- */

/* Some servers take MQTT at a port of many protocols only from whom asks for it in TLS. True: this is one. */
static bool prove_alpn(struct check_report *report, const struct check_place *place,
	const struct skiff_options *options, const struct check_settings *settings, enum skiff_code code)
{
	struct skiff_tls_options tls = options->tls;
	if (!place->tls || place->ws || tls.alpn || (code != SKIFF_MQTT_CLOSED && code != SKIFF_MQTT_TIMEOUT))
		return false;
	tls.alpn = "mqtt";
	tls.on_chain = NULL;
	struct check_knock knock = {.tls = &tls,
		.ip_version = options->ip_version,
		.proxy = options->proxy,
		.proxy_environment = options->proxy_environment,
		.timeout_ms = prove_limit_ms(settings)};
	memcpy(knock.url, report->url, sizeof(knock.url));
	check_knock(&knock, 1);
	if (!check_knock_opens(&knock))
		return false;
	evidence_add(report, "it answers to who asks for the application protocol mqtt (ALPN)");
	check_cause_retry(report, "Ask for it", "--tls-alpn mqtt");
	return true;
}

/* ---- protocols ---- */

struct prove_door {
	const char *scheme;
	bool tls, ws;
};

static const struct prove_door prove_doors[PROVE_DOORS] = {
	{"mqtt", false, false}, {"mqtts", true, false}, {"ws", false, true}, {"wss", true, true}};

/* What the URL's scheme expects there. */
static const char *place_protocol(const struct check_place *place)
{
	return place->tls ? "TLS" : place->ws ? "HTTP and WebSocket" : "MQTT without TLS";
}

static void prove_found(struct check_report *report, const struct check_place *place, const struct check_knock *knock)
{
	struct check_failure *failure = &report->failure;
	const char *wants = check_knock_wants(knock);
	char text[CHECK_TEXT_BYTES];
	snprintf(text, sizeof(text), "the port does not speak %s: %.400s answers there%s%s", place_protocol(place),
		knock->url, *wants ? ", and wants " : "", wants);
	snprintf(failure->evidence, sizeof(failure->evidence), "%s", text);
	prove_wrong_protocol(report, place);
	memcpy(failure->url, knock->url, sizeof(failure->url));
	snprintf(failure->remedy, sizeof(failure->remedy), "Use this URL for this port: %.600s%s", knock->url,
		strncmp(knock->url, "mqtts:", 6) == 0 || strncmp(knock->url, "wss:", 4) == 0
			? "; its certificate was not verified in this look, so check it as well: with its CA by "
			  "'--cafile' if that is not a public one."
			: "; it is not encrypted: what is sent can be read on the way.");
}

/* TLS is spoken, and in it nothing that opens without credentials. */
static bool prove_tls(
	struct check_report *report, const struct check_place *place, const struct check_knock *knocks, size_t count)
{
	for (size_t i = 0; i < count && !place->tls; i++) {
		if (knocks[i].connection.phases.tls_us < 0)
			continue;
		evidence_add(report, "the port speaks TLS");
		prove_wrong_protocol(report, place);
		memcpy(report->failure.url, knocks[i].url, sizeof(report->failure.url));
		snprintf(report->failure.remedy, sizeof(report->failure.remedy),
			"Use TLS for this port: mqtts://, or wss:// where WebSocket is wanted.");
		return true;
	}
	return false;
}

/* The port speaks no MQTT in any of the four ways; what it does speak may have shown: then true. */
static bool prove_stranger(struct check_report *report, const struct check_place *place,
	const struct skiff_options *options, const struct check_settings *settings, const struct check_knock *knocks,
	size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (knocks[i].error.code == SKIFF_WRONG_PROTOCOL && (!place->ws || !report->connection.http_status)) {
			snprintf(
				report->failure.evidence, sizeof(report->failure.evidence), "%s", knocks[i].error.text);
			prove_wrong_protocol(report, place);
			return true;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (knocks[i].connection.http_status <= 0)
			continue;
		const char *scheme = strncmp(knocks[i].url, "wss", 3) == 0 ? "wss" : "ws";
		evidence_add(report, knocks[i].error.text);
		prove_wrong_protocol(report, place);
		prove_path(report, place, options, settings, scheme);
		return true;
	}
	return false;
}

static void prove_protocol(struct check_report *report, const struct check_place *place,
	const struct skiff_options *options, const struct check_settings *settings, enum skiff_code code)
{
	struct check_knock knocks[PROVE_DOORS] = {0};
	size_t count = 0;
	for (size_t i = 0; i < PROVE_DOORS; i++) {
		const struct prove_door *door = &prove_doors[i];
		if (strcmp(door->scheme, place->scheme) == 0)
			continue;
		char path[sizeof(place->path)] = "";
		if (door->ws) /* a query may hold a secret */
			snprintf(path, sizeof(path), "%.*s", (int)strcspn(place->path, "?"), place->path);
		check_knock_url(
			knocks[count].url, door->scheme, place->host, place->port, door->ws && !*path ? "/mqtt" : path);
		knocks[count].ip_version = options->ip_version;
		knocks[count].proxy = options->proxy;
		knocks[count].proxy_environment = options->proxy_environment;
		knocks[count++].timeout_ms = prove_limit_ms(settings);
	}
	check_knock(knocks, count);
	for (size_t i = 0; i < count; i++) {
		if (check_knock_opens(&knocks[i])) {
			prove_found(report, place, &knocks[i]);
			return;
		}
	}
	if (prove_tls(report, place, knocks, count))
		return;
	if (!prove_stranger(report, place, options, settings, knocks, count) && code == SKIFF_WRONG_PROTOCOL)
		prove_wrong_protocol(report, place);
}

void check_prove(struct check_report *report, const struct check_place *place, const struct skiff_options *options,
	const struct check_settings *settings, enum skiff_code code)
{
	if (place->local || check_settings_left_ms(settings) < PROVE_LEAST_MS)
		return;
	if (place->ws && code_is_of_path(code, &report->connection) &&
		prove_path(report, place, options, settings, place->scheme))
		return;
	if (code == SKIFF_WS_REDIRECT)
		prove_redirect(report, place);
	if (prove_alpn(report, place, options, settings, code))
		return;
	if (code_is_strange(code))
		prove_protocol(report, place, options, settings, code);
}
