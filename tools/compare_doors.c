/* SPDX-License-Identifier: Apache-2.0 */
/* compare_doors.c: URLs as they are; the eleven doors of test.mosquitto.org, there or in the lab, with what each needs
 * and what must come of it; and those that a host turns out to have. */
#include "compare_doors.h"
#include "check_map.h"
#include "lab_doors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOORS_LOOK_MS = 3000 };

static const char doors_public[] = "test.mosquitto.org";

/* One door for each engine asked for; NULL: there are too many. */
static struct compare_door *doors_next(
	const struct cli_context *context, struct compare_report *report, const char *name, const char *url)
{
	if (report->count == COMPARE_DOORS_MAX) {
		cli_say(context, "more than %d doors cannot be compared at a time", COMPARE_DOORS_MAX);
		return NULL;
	}
	struct compare_door *door = &report->doors[report->count++];
	snprintf(door->name, sizeof(door->name), "%s", name);
	snprintf(door->url, sizeof(door->url), "%s", url);
	check_place_read(&door->place, door->url);
	return door;
}

static bool doors_add_engines(const struct cli_context *context, struct compare_report *report,
	const struct compare_wishes *wishes, const struct compare_door *pattern)
{
	for (int engine = SKIFF_ENGINE_NATIVE; engine <= SKIFF_ENGINE_PAHO; engine++) {
		if (!wishes->engines[engine])
			continue;
		struct compare_door *door = doors_next(context, report, pattern->name, pattern->url);
		if (!door)
			return false;
		*door = *pattern;
		if (engine == SKIFF_ENGINE_PAHO)
			snprintf(door->name, sizeof(door->name), "%.580s (paho)", pattern->name);
		door->engine = (enum skiff_engine)engine;
		check_place_read(&door->place, door->url);
	}
	return true;
}

static bool doors_add_url(const struct cli_context *context, struct compare_report *report, const char *url,
	const struct compare_wishes *wishes)
{
	struct compare_door *pattern = calloc(1, sizeof(*pattern));
	char bare[CHECK_URL_BYTES];
	if (!pattern)
		return false;
	if (strlen(url) >= sizeof(pattern->url)) {
		cli_say(context, "a URL is too long: %zu bytes, and %zu are the most", strlen(url),
			sizeof(pattern->url) - 1);
		free(pattern);
		return false;
	}
	check_place_bare(bare, url, false);
	memcpy(pattern->name, bare, sizeof(bare));
	strcpy(pattern->url, url);
	check_place_read(&pattern->place, url);
	if (pattern->place.tls)
		pattern->tls = (struct skiff_tls_options){
			.ca_file = wishes->cafile, .cert_file = wishes->cert, .key_file = wishes->key};
	bool ok = doors_add_engines(context, report, wishes, pattern);
	free(pattern);
	return ok;
}

/* ---- the doors of test.mosquitto.org ---- */

static const char *wish_or_environment(const char *wish, const char *variable)
{
	return wish ? wish : getenv(variable);
}

static void doors_set_tls(
	struct compare_door *door, const struct lab_door *known, const struct compare_wishes *wishes, bool lab)
{
	struct skiff_tls_options *tls = &door->tls;
	if (known->ca == LAB_CA_OWN)
		tls->ca_file = wish_or_environment(wishes->cafile, "SKIFF_LAB_CA");
	else if (known->ca == LAB_CA_WEB && lab)
		tls->ca_file = getenv("SKIFF_LAB_WEB_CA");
	if (known->ca == LAB_CA_OWN && !tls->ca_file)
		snprintf(door->lacks, sizeof(door->lacks), "'--cafile mosquitto.org.crt'");
	if (known->auth != LAB_AUTH_CERTIFICATE)
		return;
	door->asks_certificate = true;
	tls->cert_file = wish_or_environment(wishes->cert, "SKIFF_LAB_CERT");
	tls->key_file = wish_or_environment(wishes->key, "SKIFF_LAB_KEY");
	if (!tls->cert_file || !tls->key_file)
		snprintf(door->lacks, sizeof(door->lacks), "'--cert FILE --key FILE'");
}

static bool doors_add_known(const struct cli_context *context, struct compare_report *report,
	const struct compare_wishes *wishes, const struct lab_door *known, bool lab)
{
	struct compare_door *pattern = calloc(1, sizeof(*pattern));
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
	doors_set_tls(pattern, known, wishes, lab);
	bool ok = doors_add_engines(context, report, wishes, pattern);
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

static bool doors_add_host(const struct cli_context *context, struct compare_report *report, const char *host,
	const struct compare_wishes *wishes)
{
	static char urls[COMPARE_DOORS_MAX][CHECK_URL_BYTES];
	size_t count = check_map_urls(host, DOORS_LOOK_MS, urls, COMPARE_DOORS_MAX / 2);
	for (size_t i = 0; i < count; i++)
		if (!doors_add_url(context, report, urls[i], wishes))
			return false;
	if (!count)
		cli_say(context,
			"'%s': none of its usual ports speaks MQTT without credentials; 'skiff check %s' shows "
			"what they do",
			host, host);
	return count > 0;
}

bool compare_doors_add(const struct cli_context *context, struct compare_report *report, const char *target,
	const struct compare_wishes *wishes)
{
	if (strcmp(target, "lab") == 0 || strcmp(target, doors_public) == 0)
		return doors_add_all(context, report, wishes, *target == 'l');
	if (!check_place_is_host(target))
		return doors_add_url(context, report, target, wishes);
	return doors_add_host(context, report, target, wishes);
}
