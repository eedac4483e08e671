/* SPDX-License-Identifier: Apache-2.0 */
/* check_page.c: a report for people: stages, time line, certificates, what the broker grants, warnings; and in the end,
 * where it is seen first, what failed and what to do. What strangers say is escaped. */
#include "check_report.h"
#include "cli_output.h"
#include "cli_text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_LINE = 60, PAGE_TEXT_BYTES = 2048 };

/* ---- colours ---- */

static const char *page_colour(const char *code)
{
	return cli_colour(STDOUT_FILENO) ? code : "";
}

static const char *page_plain(void)
{
	return page_colour("\033[0m");
}

static const char *status_colour(enum check_status status)
{
	static const char *const codes[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};
	return page_colour(codes[status]);
}

/* Prints what may come from a stranger. */
static void page_text(const char *text)
{
	char out[PAGE_TEXT_BYTES * CLI_ESCAPE_FACTOR];
	size_t len = strnlen(text, PAGE_TEXT_BYTES);
	fwrite(out, 1, cli_escape(out, text, len, ""), stdout);
}

static void page_heading(const char *text)
{
	printf("\n%s%s%s\n", page_colour("\033[1m"), text, page_plain());
}

/* ---- stages ---- */

static void page_stage(const struct check_report *report, enum check_stage stage)
{
	const struct check_step *step = &report->steps[stage];
	char time[32] = "";
	if (step->ms >= 0)
		snprintf(time, sizeof(time), "%.1f ms", step->ms);
	printf("  %-11s %s%-8s%s %11s   ", check_stage_name(stage), status_colour(step->status),
		check_status_name(step->status), page_plain(), time);
	page_text(step->text);
	putchar('\n');
}

/* The set-up, to scale: one letter for each sixtieth of it. */
static void page_time_line(const struct check_report *report)
{
	static const char letters[CHECK_STAGE_COUNT] = {[CHECK_DNS] = 'd',
		[CHECK_TCP] = 't',
		[CHECK_PROXY] = 'p',
		[CHECK_TLS] = 'T',
		[CHECK_WEBSOCKET] = 'w',
		[CHECK_MQTT] = 'm'};
	double total_ms = 0, at_ms = 0;
	int drawn = 0;
	for (int stage = CHECK_DNS; stage <= CHECK_MQTT; stage++)
		total_ms += report->steps[stage].ms > 0 ? report->steps[stage].ms : 0;
	if (total_ms <= 0)
		return;
	page_heading("Set-up, to scale");
	printf("  |");
	for (int stage = CHECK_DNS; stage <= CHECK_MQTT; stage++) {
		at_ms += report->steps[stage].ms > 0 ? report->steps[stage].ms : 0;
		for (; drawn < (int)(at_ms / total_ms * PAGE_LINE + 0.5); drawn++)
			putchar(letters[stage]);
	}
	printf("| %.1f ms\n  ", total_ms);
	for (int stage = CHECK_DNS; stage <= CHECK_MQTT; stage++)
		if (report->steps[stage].ms >= 0)
			printf("%c %s %.1f  ", letters[stage], check_stage_name(stage), report->steps[stage].ms);
	putchar('\n');
}

/* ---- what was seen ---- */

static void page_certificate(size_t index, const struct check_certificate *one)
{
	printf("  %zu  ", index);
	page_text(one->subject);
	if (*one->names) {
		printf("  (");
		page_text(one->names);
		putchar(')');
	}
	printf("\n     by ");
	page_text(one->issuer);
	printf("\n     %s to %s: ", one->not_before, one->not_after);
	if (one->days_left < 0)
		printf("%sexpired%s\n", status_colour(CHECK_FAILED), page_plain());
	else
		printf("%d days left\n", one->days_left);
	printf("     SHA-256 %s\n", one->fingerprint);
}

static void page_chain(const char *title, const struct check_chain *chain)
{
	if (!chain->count)
		return;
	page_heading(title);
	for (size_t i = 0; i < chain->count; i++)
		page_certificate(i, &chain->list[i]);
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static void page_grants(const struct check_report *report)
{
	const struct skiff_connection *seen = &report->connection;
	if (!report->connected)
		return;
	page_heading("What the broker grants");
	printf("  maximum QoS %u, retain %s, wildcards %s, shared subscriptions %s, subscription ids %s\n",
		seen->maximum_qos, yes(seen->retain_available), yes(seen->wildcard_available),
		yes(seen->shared_available), yes(seen->subscription_id_available));
	printf("  keep alive %u s, receive maximum %u, topic aliases %u, session expiry %u s, packets of ",
		seen->keep_alive_s, seen->receive_maximum, seen->topic_alias_maximum, seen->session_expiry_s);
	if (seen->maximum_packet_size && seen->maximum_packet_size != UINT32_MAX)
		printf("%u bytes at most\n", seen->maximum_packet_size);
	else
		printf("any size\n");
	if (*seen->server_reference || *seen->reason_string) {
		printf("  it says: ");
		page_text(*seen->reason_string ? seen->reason_string : seen->server_reference);
		putchar('\n');
	}
}

/* What Paho does not tell. */
static void page_wire(const struct check_report *report)
{
	static const char *const names[] = {"dns", "tcp", "proxy", "tls", "websocket", "mqtt"};
	const struct skiff_connection *wire = &report->wire;
	const struct skiff_phases *phases = &wire->phases;
	const int64_t us[] = {phases->dns_us, phases->tcp_us, phases->proxy_us, phases->tls_us, phases->websocket_us,
		phases->mqtt_us};
	if (!report->wire_seen)
		return;
	page_heading("The same way by the engine native");
	printf("  ");
	for (size_t i = 0; i < sizeof(us) / sizeof(*us); i++)
		if (us[i] >= 0)
			printf("%s %.1f ms  ", names[i], (double)us[i] / 1e3);
	printf("\n  %s", wire->address);
	if (*wire->tls_version)
		printf(", %s, %s", wire->tls_version, wire->tls_cipher);
	printf(", %llu bytes out and %llu in\n", (unsigned long long)wire->wire_bytes_out,
		(unsigned long long)wire->wire_bytes_in);
}

static void page_addresses(const struct check_report *report)
{
	if (!report->address_count)
		return;
	page_heading("Addresses of the name");
	for (size_t i = 0; i < report->address_count; i++) {
		const struct check_address *address = &report->addresses[i];
		printf("  %-40s %s%s%s", address->text, status_colour(address->works ? CHECK_OK : CHECK_FAILED),
			address->works ? "works" : "does not work", page_plain());
		if (address->ms >= 0)
			printf("  %.1f ms", address->ms);
		putchar('\n');
	}
}

static void page_versions(const struct check_report *report)
{
	if (!report->version_count)
		return;
	page_heading("Versions of MQTT");
	for (size_t i = 0; i < report->version_count; i++) {
		const struct check_version *version = &report->versions[i];
		printf("  %-6s %s%s", version->name, version->accepted ? "accepted" : "refused",
			version->accepted ? "" : ": ");
		page_text(version->why);
		putchar('\n');
	}
}

static void page_limits(const struct check_report *report)
{
	if (!report->limit_count)
		return;
	page_heading("Limits (--slo)");
	for (size_t i = 0; i < report->limit_count; i++) {
		const struct check_limit *limit = &report->limits[i];
		if (limit->ms < 0)
			printf("  %-10s not reached, or not part of this way\n", limit->name);
		else
			printf("  %-10s %s%.1f ms of %.1f%s\n", limit->name,
				status_colour(limit->exceeded ? CHECK_FAILED : CHECK_OK), limit->ms, limit->limit_ms,
				page_plain());
	}
}

static void page_warnings(const struct check_report *report)
{
	for (size_t i = 0; i < report->warning_count; i++) {
		printf("%s%swarning:%s ", i ? "" : "\n", status_colour(CHECK_WARNED), page_plain());
		page_text(report->warnings[i]);
		putchar('\n');
	}
}

static void page_verdict(const struct check_report *report)
{
	const struct check_failure *failure = &report->failure;
	if (!*failure->cause) {
		printf("\n%sok%s: %s works from here%s\n", status_colour(CHECK_OK), page_plain(), report->url,
			report->exit_code ? ", but not within the limits" : "");
		return;
	}
	printf("\n%sfailed at %s: %s%s\n  ", status_colour(CHECK_FAILED), check_stage_name(failure->stage),
		failure->cause, page_plain());
	page_text(failure->evidence);
	printf("%s\n  What to do: ", strchr(".?!", failure->evidence[strlen(failure->evidence) - 1]) ? "" : ".");
	page_text(failure->remedy);
	if (*failure->url) {
		char url[4 * CHECK_URL_BYTES];
		cli_shell_word(url, sizeof(url), failure->url);
		bool tls = strncmp(failure->url, "mqtts:", 6) == 0 || strncmp(failure->url, "wss:", 4) == 0;
		printf("\n  Next: skiff check ");
		page_text(report->given);
		page_text(tls ? report->given_tls : "");
		page_text(tls ? report->given_ca : "");
		page_text(url);
	}
	putchar('\n');
}

void check_page_print(const struct check_report *report)
{
	page_text(report->url);
	printf("  (engine %s)\n\n", report->engine);
	for (int stage = 0; stage < CHECK_STAGE_COUNT; stage++)
		page_stage(report, (enum check_stage)stage);
	page_time_line(report);
	page_chain("The server's certificates, as it sent them", &report->chain);
	page_chain("The client's certificate", &report->own);
	page_grants(report);
	page_wire(report);
	page_addresses(report);
	page_versions(report);
	page_limits(report);
	page_warnings(report);
	page_verdict(report);
}
