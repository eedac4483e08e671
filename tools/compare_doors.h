/* SPDX-License-Identifier: Apache-2.0 */
/* compare_doors.h: which doors are compared. */
#ifndef SKIFF_COMPARE_DOORS_H
#define SKIFF_COMPARE_DOORS_H

#include "cli_command.h"
#include "compare_report.h"

/* What the command line says of all doors. */
struct compare_wishes {
	const struct skiff_options *options; /* all but URL, engine and version */
	bool engines[3];                     /* by enum skiff_engine */
	bool versions[2];                    /* by enum skiff_version */
};

/* Adds the doors that `target` means: a URL, "lab", "test.mosquitto.org", or a host whose doors are looked for, each
 * for every engine and version asked for. What the options point to must outlive the report. Result: an exit code,
 * after saying why it is not 0. */
int compare_doors_add(const struct cli_context *context, struct compare_report *report, const char *target,
	const struct compare_wishes *wishes);

/* Whether all doors could be asked: the files that they need are there. Result: as above. */
int compare_doors_check(const struct cli_context *context, const struct compare_report *report);

#endif
