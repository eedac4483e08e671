/* SPDX-License-Identifier: Apache-2.0 */
/* check_json.c: a report as one JSON object of the schema skiff.check/1 (docs/schema/check-1.json). */
#include "check_report.h"
#include "cli_json.h"
#include <string.h>

static void json_ms(struct cli_json *json, const char *name, double ms)
{
	if (ms < 0)
		cli_json_null(json, name);
	else
		cli_json_number(json, name, ms, 3);
}

/* "" is null. */
static void json_some(struct cli_json *json, const char *name, const char *text)
{
	cli_json_text(json, name, *text ? text : NULL);
}

static void json_stages(struct cli_json *json, const struct check_report *report)
{
	cli_json_open(json, "stages", '[');
	for (int stage = 0; stage < CHECK_STAGE_COUNT; stage++) {
		const struct check_step *step = &report->steps[stage];
		cli_json_open(json, NULL, '{');
		cli_json_text(json, "stage", check_stage_name((enum check_stage)stage));
		cli_json_text(json, "status", check_status_name(step->status));
		json_ms(json, "ms", step->ms);
		json_some(json, "text", step->text);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
}

static void json_chain(struct cli_json *json, const char *name, const struct check_chain *chain)
{
	cli_json_open(json, name, '[');
	for (size_t i = 0; i < chain->count; i++) {
		const struct check_certificate *one = &chain->list[i];
		cli_json_open(json, NULL, '{');
		cli_json_text(json, "subject", one->subject);
		cli_json_text(json, "issuer", one->issuer);
		json_some(json, "names", one->names);
		cli_json_text(json, "not_before", one->not_before);
		cli_json_text(json, "not_after", one->not_after);
		cli_json_integer(json, "days_left", one->days_left);
		cli_json_text(json, "sha256", one->fingerprint);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
}

static void json_proxy(struct cli_json *json, const struct skiff_connection *seen)
{
	if (!*seen->proxy) {
		cli_json_null(json, "proxy");
		return;
	}
	cli_json_open(json, "proxy", '{');
	cli_json_text(json, "url", seen->proxy);
	cli_json_text(json, "from", strcmp(seen->proxy_from, "proxy") == 0 ? "--proxy" : seen->proxy_from);
	cli_json_close(json, '}');
}

static void json_tls(struct cli_json *json, const struct check_report *report)
{
	const struct skiff_connection *seen = &report->connection;
	if (!*seen->tls_version && !report->chain.count) {
		cli_json_null(json, "tls");
		return;
	}
	cli_json_open(json, "tls", '{');
	json_some(json, "version", seen->tls_version);
	json_some(json, "cipher", seen->tls_cipher);
	json_some(json, "alpn", seen->tls_alpn);
	json_chain(json, "chain", &report->chain);
	json_chain(json, "own", &report->own);
	cli_json_close(json, '}');
}

static void json_mqtt(struct cli_json *json, const struct check_report *report)
{
	const struct skiff_connection *seen = &report->connection;
	if (!report->connected) {
		cli_json_null(json, "mqtt");
		return;
	}
	cli_json_open(json, "mqtt", '{');
	cli_json_text(json, "version", seen->mqtt_version == 5 ? "5" : "3.1.1");
	cli_json_text(json, "client_id", seen->client_id);
	cli_json_bool(json, "session_present", seen->session_present);
	cli_json_integer(json, "maximum_qos", seen->maximum_qos);
	cli_json_bool(json, "retain_available", seen->retain_available);
	cli_json_bool(json, "wildcard_available", seen->wildcard_available);
	cli_json_bool(json, "shared_available", seen->shared_available);
	cli_json_bool(json, "subscription_id_available", seen->subscription_id_available);
	cli_json_integer(json, "keep_alive_s", seen->keep_alive_s);
	cli_json_integer(json, "receive_maximum", seen->receive_maximum);
	cli_json_integer(json, "topic_alias_maximum", seen->topic_alias_maximum);
	cli_json_integer(json, "session_expiry_s", seen->session_expiry_s);
	cli_json_integer(json, "maximum_packet_size", seen->maximum_packet_size);
	cli_json_close(json, '}');
}

/* With the engine paho: the same way by the engine native. */
static void json_wire(struct cli_json *json, const struct check_report *report)
{
	const struct skiff_connection *wire = &report->wire;
	const struct skiff_phases *phases = &wire->phases;
	if (!report->wire_seen) {
		cli_json_null(json, "wire");
		return;
	}
	cli_json_open(json, "wire", '{');
	json_ms(json, "dns_ms", (double)phases->dns_us / 1e3);
	json_ms(json, "tcp_ms", (double)phases->tcp_us / 1e3);
	json_ms(json, "tls_ms", (double)phases->tls_us / 1e3);
	json_ms(json, "websocket_ms", (double)phases->websocket_us / 1e3);
	json_ms(json, "mqtt_ms", (double)phases->mqtt_us / 1e3);
	json_some(json, "address", wire->address);
	json_some(json, "tls_version", wire->tls_version);
	json_some(json, "tls_cipher", wire->tls_cipher);
	cli_json_integer(json, "bytes_out", (long long)wire->wire_bytes_out);
	cli_json_integer(json, "bytes_in", (long long)wire->wire_bytes_in);
	cli_json_close(json, '}');
}

static void json_addresses(struct cli_json *json, const struct check_report *report)
{
	cli_json_open(json, "addresses", '[');
	for (size_t i = 0; i < report->address_count; i++) {
		const struct check_address *address = &report->addresses[i];
		cli_json_open(json, NULL, '{');
		cli_json_text(json, "address", address->text);
		cli_json_bool(json, "works", address->works);
		json_ms(json, "ms", address->ms);
		json_some(json, "sha256", address->fingerprint);
		json_some(json, "error", address->why);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
}

static void json_versions(struct cli_json *json, const struct check_report *report)
{
	cli_json_open(json, "versions", '[');
	for (size_t i = 0; i < report->version_count; i++) {
		cli_json_open(json, NULL, '{');
		cli_json_text(json, "version", report->versions[i].name);
		cli_json_bool(json, "accepted", report->versions[i].accepted);
		json_some(json, "error", report->versions[i].why);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
}

static void json_limits(struct cli_json *json, const struct check_report *report)
{
	cli_json_open(json, "slo", '[');
	for (size_t i = 0; i < report->limit_count; i++) {
		cli_json_open(json, NULL, '{');
		cli_json_text(json, "name", report->limits[i].name);
		json_ms(json, "limit_ms", report->limits[i].limit_ms);
		json_ms(json, "ms", report->limits[i].ms);
		cli_json_bool(json, "exceeded", report->limits[i].exceeded);
		cli_json_close(json, '}');
	}
	cli_json_close(json, ']');
}

static void json_failure(struct cli_json *json, const struct check_failure *failure)
{
	if (!*failure->cause) {
		cli_json_null(json, "failure");
		return;
	}
	cli_json_open(json, "failure", '{');
	cli_json_text(json, "stage", check_stage_name(failure->stage));
	cli_json_text(json, "cause", failure->cause);
	cli_json_text(json, "evidence", failure->evidence);
	cli_json_text(json, "remedy", failure->remedy);
	json_some(json, "url", failure->url);
	cli_json_close(json, '}');
}

void check_json_print(const struct check_report *report)
{
	struct cli_json json = {.out = stdout};
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.check/1");
	cli_json_text(&json, "url", report->url);
	cli_json_text(&json, "engine", report->engine);
	cli_json_bool(&json, "ok", report->exit_code == 0);
	cli_json_integer(&json, "exit", report->exit_code);
	json_stages(&json, report);
	json_ms(&json, "total_ms", report->total_ms);
	json_some(&json, "address", report->connection.address);
	json_proxy(&json, &report->connection);
	json_tls(&json, report);
	if (report->connection.http_status)
		cli_json_integer(&json, "http_status", report->connection.http_status);
	else
		cli_json_null(&json, "http_status");
	json_mqtt(&json, report);
	json_wire(&json, report);
	json_addresses(&json, report);
	json_versions(&json, report);
	json_limits(&json, report);
	cli_json_open(&json, "warnings", '[');
	for (size_t i = 0; i < report->warning_count; i++)
		cli_json_text(&json, NULL, report->warnings[i]);
	cli_json_close(&json, ']');
	json_failure(&json, &report->failure);
	cli_json_close(&json, '}');
	putchar('\n');
}
