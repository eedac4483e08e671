/* SPDX-License-Identifier: Apache-2.0 */
/* compare_doors.c: URLs as they are; the eleven doors of test.mosquitto.org, there or in the lab, with what each needs
 * and what must come of it; and those that a host turns out to have. */
#include "compare_doors.h"
#include "check_map.h"
#include "cli_client.h"
#include "cli_exit.h"
#include "lab_doors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOORS_LOOK_MS = 3000 };

static const char doors_public[] = "test.mosquitto.org";

/* ---- one URL ---- */

/* What of the options goes with the door; the library refuses what would have no effect. */
static void door_fit_options(struct compare_door *door)
{
	struct skiff_options *options = &door->options;
	bool user, password;
	cli_client_user_info(door->url, &user, &password);
	if (!options->user_name && (!user || password))
		options->password = (struct skiff_bytes){0};
	if (!door->place.tls)
		options->tls = (struct skiff_tls_options){0};
	if (!door->place.ws) {
		options->http_headers = NULL;
		options->http_header_count = 0;
	}
}

static bool doors_add_one(const struct cli_context *context, struct compare_report *report,
	const struct compare_door *pattern, const struct compare_wishes *wishes, enum skiff_engine engine,
	enum skiff_version version)
{
	if (report->count == COMPARE_DOORS_MAX) {
		cli_say(context, "more than %d doors cannot be compared at a time", COMPARE_DOORS_MAX);
		return false;
	}
	struct compare_door *door = &report->doors[report->count++];
	*door = *pattern;
	door->options.engine = engine;
	door->options.version = version;
	snprintf(door->name, sizeof(door->name), "%.580s%s%s", pattern->name,
		engine == SKIFF_ENGINE_PAHO ? " (paho)" : "",
		wishes->versions[SKIFF_MQTT_5] && version == SKIFF_MQTT_311 ? " (3.1.1)" : "");
	check_place_read(&door->place, door->url);
	door_fit_options(door);
	return true;
}

static bool doors_add_all_kinds(const struct cli_context *context, struct compare_report *report,
	const struct compare_wishes *wishes, const struct compare_door *pattern)
{
	for (int engine = SKIFF_ENGINE_NATIVE; engine <= SKIFF_ENGINE_PAHO; engine++)
		for (int version = SKIFF_MQTT_5; version <= SKIFF_MQTT_311; version++)
			if (wishes->engines[engine] && wishes->versions[version] &&
				!doors_add_one(context, report, pattern, wishes, (enum skiff_engine)engine,
					(enum skiff_version)version))
				return false;
	return true;
}

static struct compare_door *pattern_new(const struct compare_wishes *wishes)
{
	struct compare_door *pattern = calloc(1, sizeof(*pattern));
	if (pattern)
		pattern->options = *wishes->options;
	return pattern;
}

static bool doors_add_url(const struct cli_context *context, struct compare_report *report, const char *url,
	const struct compare_wishes *wishes)
{
	struct compare_door *pattern = pattern_new(wishes);
	if (!pattern)
		return false;
	if (strlen(url) >= sizeof(pattern->url)) {
		cli_say(context, "a URL is too long: %zu bytes, and %zu are the most", strlen(url),
			sizeof(pattern->url) - 1);
		free(pattern);
		return false;
	}
	check_place_bare(pattern->name, url, false);
	strcpy(pattern->url, url);
	bool ok = doors_add_all_kinds(context, report, wishes, pattern);
	free(pattern);
	return ok;
}

/* ---- the doors of test.mosquitto.org ---- */

static const char *wish_or_environment(const char *wish, const char *variable)
{
	return wish ? wish : getenv(variable);
}

static void doors_set_tls(struct compare_door *door, const struct lab_door *known, bool lab)
{
	struct skiff_tls_options *tls = &door->options.tls;
	bool trusted = tls->ca_file || tls->ca_dir || tls->insecure_skip_chain;
	if (known->ca == LAB_CA_OWN && !trusted)
		tls->ca_file = getenv("SKIFF_LAB_CA");
	else if (known->ca == LAB_CA_WEB) /* its CA is not the one that the command line names */
		tls->ca_file = lab ? getenv("SKIFF_LAB_WEB_CA") : NULL;
	if (known->ca == LAB_CA_WEB)
		tls->ca_dir = NULL;
	if (known->ca == LAB_CA_OWN && !tls->ca_file && !trusted)
		snprintf(door->lacks, sizeof(door->lacks), "'--cafile mosquitto.org.crt'");
	if (known->auth != LAB_AUTH_CERTIFICATE) {
		tls->cert_file = tls->key_file = NULL;
		return;
	}
	door->asks_certificate = true;
	tls->cert_file = wish_or_environment(tls->cert_file, "SKIFF_LAB_CERT");
	tls->key_file = wish_or_environment(tls->key_file, "SKIFF_LAB_KEY");
	if (!tls->cert_file || !tls->key_file)
		snprintf(door->lacks, sizeof(door->lacks), "'--cert FILE --key FILE'");
}

static bool doors_add_known(const struct cli_context *context, struct compare_report *report,
	const struct compare_wishes *wishes, const struct lab_door *known, bool lab)
{
	struct compare_door *pattern = pattern_new(wishes);
	char variable[32];
	if (!pattern)
		return false;
	snprintf(variable, sizeof(variable), "SKIFF_LAB_URL_%d", known->port);
	if (lab && getenv(variable))
		snprintf(pattern->url, sizeof(pattern->url), "%.599s", getenv(variable));
	else
		lab_door_url(known, doors_public, known->port, pattern->url, sizeof(pattern->url));
	snprintf(pattern->name, sizeof(pattern->name), "%d", known->port);
	snprintf(pattern->what, sizeof(pattern->what), "%.63s", known->what);
	pattern->expect = known->expect;
	if (known->auth != LAB_AUTH_PASSWORD) /* the others know no users */
		pattern->options.user_name = NULL;
	doors_set_tls(pattern, known, lab);
	bool ok = doors_add_all_kinds(context, report, wishes, pattern);
	free(pattern);
	return ok;
}

static bool doors_add_all(
	const struct cli_context *context, struct compare_report *report, const struct compare_wishes *wishes, bool lab)
{
	if (lab && !getenv("SKIFF_LAB_URL_1883")) {
		cli_say(context, "'lab': there is none here; run 'skiff lab -- skiff compare lab'");
		return false;
	}
	for (size_t i = 0; i < LAB_DOORS; i++)
		if (!doors_add_known(context, report, wishes, &lab_doors[i], lab))
			return false;
	return true;
}

/* ---- those of any host ---- */

static int doors_add_host(const struct cli_context *context, struct compare_report *report, const char *host,
	const struct compare_wishes *wishes)
{
	static char urls[COMPARE_DOORS_MAX][CHECK_URL_BYTES];
	const struct skiff_options *options = wishes->options;
	bool known = options->user_name || options->tls.cert_file;
	int code = CLI_EXIT_USAGE;
	if (!check_map_resolves(context, host, options->ip_version, DOORS_LOOK_MS, &code))
		return code;
	size_t count = check_map_urls(host, options->ip_version, known, DOORS_LOOK_MS, urls, COMPARE_DOORS_MAX / 4);
	for (size_t i = 0; i < count; i++)
		if (!doors_add_url(context, report, urls[i], wishes))
			return CLI_EXIT_USAGE;
	if (count)
		return CLI_EXIT_OK;
	cli_say(context, "'%s': none of its usual ports speaks MQTT%s; 'skiff check %s' shows what they do", host,
		known ? "" : " without credentials", host);
	return CLI_EXIT_TCP;
}

int compare_doors_add(const struct cli_context *context, struct compare_report *report, const char *target,
	const struct compare_wishes *wishes)
{
	bool ok;
	if (strcmp(target, "lab") == 0 || strcmp(target, doors_public) == 0)
		ok = doors_add_all(context, report, wishes, *target == 'l');
	else if (!check_place_is_host(target))
		ok = doors_add_url(context, report, target, wishes);
	else
		return doors_add_host(context, report, target, wishes);
	return ok ? CLI_EXIT_OK : CLI_EXIT_USAGE;
}

int compare_doors_check(const struct cli_context *context, const struct compare_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct compare_door *door = &report->doors[i];
		struct skiff_options options = door->options;
		struct skiff_error error = {0};
		if (*door->lacks)
			continue;
		options.url = door->url;
		struct skiff_client *client = skiff_client_new(&options, &error);
		skiff_client_free(client);
		if (!client && skiff_code_class(error.code) == SKIFF_CLASS_FILE) {
			cli_say(context, "%s", error.text);
			return cli_exit_for(error.code);
		}
	}
	return CLI_EXIT_OK;
}
