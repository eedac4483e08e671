/* SPDX-License-Identifier: Apache-2.0 */
/* check_walk.h: walks the way to a broker once, stage by stage, and enters what it finds into a report. */
#ifndef SKIFF_CHECK_WALK_H
#define SKIFF_CHECK_WALK_H

#include "check_place.h"
#include "check_report.h"
#include "cli_client.h"

struct check_settings {
	double timeout_ms;  /* of each stage */
	double deadline_ms; /* of the whole */
	double end_ms;      /* when that is over, on the monotonic clock; set by check_settings_begin */
	long long warn_days;
	bool connect_only;
	bool all_versions;
	const char *topic;               /* NULL: one of its own */
	struct cli_client_params *debug; /* whose log is shown; NULL: none */
};

/* The deadline counts from here. */
void check_settings_begin(struct check_settings *settings);

/* What is left for a stage: its own limit, or what the whole has left; at least 1. */
int check_settings_left_ms(const struct check_settings *settings);

/* `options` as for the client itself; timeouts, reconnecting and what is told of TLS are set here. The report begins
 * zeroed. */
void check_walk(struct check_report *report, struct skiff_options *options, const struct check_settings *settings);

/* check_prove.c: after a failure, looks what else may be at that place. */
void check_prove(struct check_report *report, const struct check_place *place, const struct skiff_options *options,
	const struct check_settings *settings, enum skiff_code code);

/* check_more.c: every other address of the name. */
void check_addresses(struct check_report *report, const struct check_place *place, const struct skiff_options *options,
	const struct check_settings *settings);
/* check_more.c: after a failure that may be the version's; true: MQTT 3.1.1 is taken, and the report says so. */
bool check_old_version(
	struct check_report *report, const struct skiff_options *options, const struct check_settings *settings);

/* After a success: which versions the broker takes. */
void check_versions(
	struct check_report *report, const struct skiff_options *options, const struct check_settings *settings);

#endif
