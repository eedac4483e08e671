/* SPDX-License-Identifier: Apache-2.0 */
/* check_more.c: what one connection does not show: the other addresses of the name, the other versions. */
#include "check_causes.h"
#include "check_knock.h"
#include "check_walk.h"
#include "cli_patience.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MORE_GRACE_MS = 1000, MORE_SLACK_MS = 2000 };

/* ---- addresses ---- */

struct more_addresses {
	char list[CHECK_ADDRESSES][INET6_ADDRSTRLEN];
	size_t count;
};

static void addresses_add(struct more_addresses *all, const struct addrinfo *info)
{
	char text[INET6_ADDRSTRLEN];
	if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->list[i], text) == 0)
			return;
	if (all->count < CHECK_ADDRESSES)
		memcpy(all->list[all->count++], text, sizeof(text));
}

static void addresses_read(struct more_addresses *all, const char *host, int ip_version, int timeout_ms)
{
	struct addrinfo *answer;
	int family = ip_version == 4 ? AF_INET : ip_version == 6 ? AF_INET6 : AF_UNSPEC;
	if (cli_patience_addresses(host, family, timeout_ms, &answer) != 0)
		return;
	for (const struct addrinfo *at = answer; at; at = at->ai_next)
		addresses_add(all, at);
	freeaddrinfo(answer);
}

/* Without credentials: what counts is the way to the broker, and the certificate. */
static void address_ask(struct check_knock *knock, const struct check_report *report, const char *text,
	const struct skiff_options *options, int timeout_ms)
{
	*knock = (struct check_knock){.tls = &options->tls,
		.address = text,
		.headers = options->http_headers,
		.header_count = options->http_header_count,
		.timeout_ms = timeout_ms};
	memcpy(knock->url, report->url, sizeof(knock->url));
}

/* What a broker says to one whom it does not know is no matter. */
static bool address_works(const struct check_knock *knock)
{
	return check_knock_opens(knock) || skiff_code_class(knock->error.code) == SKIFF_CLASS_MQTT;
}

static void address_take(struct check_address *address, const char *text, const struct check_knock *knock)
{
	const struct skiff_phases *phases = &knock->connection.phases;
	snprintf(address->text, sizeof(address->text), "%s", text);
	address->works = address_works(knock);
	address->ms = phases->total_us >= 0 ? (double)phases->total_us / 1e3 : -1;
	if (!address->works)
		snprintf(address->why, sizeof(address->why), "%s", knock->error.text);
	if (knock->chain.count)
		memcpy(address->fingerprint, knock->chain.list[0].fingerprint, sizeof(address->fingerprint));
}

static void address_judge(struct check_report *report, const struct check_address *address)
{
	if (!address->works)
		check_warn(report, CHECK_TCP, "the name has %zu addresses, and %s of them does not work: %.300s",
			report->address_count, address->text, address->why);
	if (report->chain.count && *address->fingerprint &&
		strcmp(address->fingerprint, report->chain.list[0].fingerprint) != 0)
		check_warn(report, CHECK_TLS, "%s shows another certificate than the others: SHA-256 %s", address->text,
			address->fingerprint);
}

void check_addresses(struct check_report *report, const struct check_place *place, const struct skiff_options *options,
	const struct check_settings *settings)
{
	struct more_addresses all = {.count = 0};
	unsigned char number[sizeof(struct in6_addr)];
	if (place->local || *report->connection.proxy || inet_pton(AF_INET, place->host, number) == 1 ||
		strchr(place->host, ':'))
		return;
	addresses_read(&all, place->host, options->ip_version, check_settings_left_ms(settings));
	if (all.count < 2)
		return;
	report->address_count = all.count;
	struct check_knock *knocks = calloc(all.count, sizeof(*knocks));
	if (!knocks) {
		report->address_count = 0;
		return;
	}
	for (size_t i = 0; i < all.count; i++)
		address_ask(&knocks[i], report, all.list[i], options, check_settings_left_ms(settings));
	check_knock(knocks, all.count);
	for (size_t i = 0; i < all.count; i++)
		address_take(&report->addresses[i], all.list[i], &knocks[i]);
	free(knocks);
	for (size_t i = 0; i < all.count; i++)
		address_judge(report, &report->addresses[i]);
}

/* ---- versions ---- */

static void version_try(struct check_version *version, const char *name, struct skiff_options options, int timeout_ms)
{
	struct skiff_error error = {0};
	version->name = name;
	options.tls.on_chain = NULL;
	struct skiff_client *client = skiff_client_new(&options, &error);
	struct skiff_token *token = client ? skiff_connect(client) : NULL;
	if (token) {
		skiff_token_wait(token, timeout_ms + MORE_SLACK_MS);
		error = *skiff_token_error(token);
		version->accepted = skiff_token_done(token) && error.code == SKIFF_OK;
		skiff_token_free(token);
	}
	if (version->accepted)
		skiff_wait(skiff_disconnect(client, MORE_GRACE_MS, NULL), 2 * MORE_GRACE_MS);
	else
		snprintf(version->why, sizeof(version->why), "%s", error.text);
	skiff_client_free(client);
}

static struct skiff_options version_options(const struct skiff_options *options)
{
	struct skiff_options other = *options;
	other.client_id = NULL; /* the one that was given is not to be used by two */
	other.resume_session = false;
	other.session_expiry_s = 0;
	other.connect_properties = NULL;
	other.will = (struct skiff_will){0};
	return other;
}

bool check_old_version(
	struct check_report *report, const struct skiff_options *options, const struct check_settings *settings)
{
	struct skiff_options other = version_options(options);
	struct check_version *old = &report->versions[1];
	struct check_failure *failure = &report->failure;
	other.version = SKIFF_MQTT_311;
	version_try(old, "3.1.1", other, check_settings_left_ms(settings));
	report->versions[0] = (struct check_version){.name = "5"};
	snprintf(report->versions[0].why, sizeof(report->versions[0].why), "%.500s", failure->evidence);
	report->version_count = 2;
	if (!old->accepted)
		return false;
	size_t used = strlen(failure->evidence);
	snprintf(failure->evidence + used, sizeof(failure->evidence) - used, "; MQTT 3.1.1 it takes");
	snprintf(failure->cause, sizeof(failure->cause), "mqtt-version");
	check_cause_retry(report, "Use MQTT 3.1.1", "-V 311");
	return true;
}

void check_versions(
	struct check_report *report, const struct skiff_options *options, const struct check_settings *settings)
{
	struct skiff_options other = version_options(options);
	other.version = SKIFF_MQTT_5;
	version_try(&report->versions[report->version_count++], "5", other, (int)settings->timeout_ms);
	other.version = SKIFF_MQTT_311;
	version_try(&report->versions[report->version_count++], "3.1.1", other, (int)settings->timeout_ms);
}
