/* SPDX-License-Identifier: Apache-2.0 */
/* check_causes.h: what a cause of failure means for the person who has it, as one table; `skiff help causes` prints it.
 */
#ifndef SKIFF_CHECK_CAUSES_H
#define SKIFF_CHECK_CAUSES_H

#include "check_place.h"

struct check_cause {
	const char *slug;
	enum check_stage stage; /* where it shows, as a rule; wrong-protocol shows at tls and websocket too */
	const char *remedy;     /* sentences; {url}, {host}, {port} and {issuer} are filled in */
};

/* The table, for `skiff help causes`. */
void check_causes_print(void);

/* Ends with a NULL slug. */
extern const struct check_cause check_causes[];

/* The stage at which an error of the library shows. */
enum check_stage check_cause_stage(enum skiff_code code);

/* The stage at which it shows that the peer speaks another protocol: the first that was not reached. */
enum check_stage check_strange_stage(const struct check_place *place, const struct skiff_phases *phases);

/* Writes the remedy for report->failure.cause. */
void check_cause_advise(struct check_report *report);

/* The remedy is the same command once more with `option`, in words `lead`; what was given stays. */
void check_cause_retry(struct check_report *report, const char *lead, const char *option);

#endif
