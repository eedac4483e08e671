/* SPDX-License-Identifier: Apache-2.0 */
/* compare_report.h: what `skiff compare` measured, door by door. compare_doors.c makes the list, compare_run.c fills
 * it, compare_table.c, compare_json.c and compare_words.c show it. */
#ifndef SKIFF_COMPARE_REPORT_H
#define SKIFF_COMPARE_REPORT_H

#include "check_place.h"
#include "compare_sample.h"
#include <skiff/skiff.h>

enum { COMPARE_DOORS_MAX = 32, COMPARE_ROUNDS_MAX = 1000 };

enum compare_phase {
	COMPARE_DNS,
	COMPARE_TCP,
	COMPARE_TLS,
	COMPARE_WEBSOCKET,
	COMPARE_MQTT,
	COMPARE_TOTAL,
	COMPARE_PHASES
};

struct compare_door {
	/* what is asked for */
	char name[CHECK_URL_BYTES]; /* "8883", or the URL where that is all there is; and the engine where there are two
				     */
	char url[CHECK_URL_BYTES];
	char what[64];
	enum skiff_engine engine;
	struct skiff_tls_options tls;
	const char *user_name;
	struct skiff_bytes password;
	bool asks_certificate; /* it must refuse without the client certificate, and open with it */
	const char *expect;    /* the slug of the outcome; NULL: "ok" */
	char lacks[64];        /* what it needs and was not given: it is left out */

	/* what came of it */
	struct check_place place;
	char address[64];                 /* that was connected to in every round; "" before */
	struct skiff_error outcome, bare; /* bare: without the client certificate */
	bool as_expected;
	char tls_version[16];
	struct compare_sample full[COMPARE_PHASES], resumed[COMPARE_PHASES]; /* ms */
	struct compare_sample trip[2];                                       /* by QoS; us */
	double round_trip_us[2][COMPARE_ROUNDS_MAX];                         /* medians, by QoS and round */
	size_t rounds;
	struct compare_sample out_rate, in_rate;      /* messages per second */
	struct compare_sample wire_alone, wire_burst; /* bytes of TCP for a message, alone and in the burst */
	struct compare_sample cpu_us;                 /* of the process, for a message out and back */
	double mqtt_bytes;                            /* of one such PUBLISH, as MQTT has it */
	double memory_bytes;                          /* of the connection, with all that hangs on it */
};

struct compare_report {
	struct compare_door *doors; /* COMPARE_DOORS_MAX */
	size_t count;
	size_t payload_len, trips, burst, rounds;
	double rate; /* round trips a second; 0: one after the other */
	int exit_code;
};

/* The name of a phase: "dns" ... "total". */
const char *compare_phase_name(enum compare_phase phase);

/* The door that the others are compared with: the first that works and is plain TCP, else the first that works; NULL.
 */
const struct compare_door *compare_base(const struct compare_report *report);

void compare_run(struct compare_report *report, bool progress);
void compare_table_print(const struct compare_report *report);
void compare_markdown_print(const struct compare_report *report);
void compare_csv_print(const struct compare_report *report);
void compare_json_print(const struct compare_report *report);
void compare_words_print(const struct compare_report *report);

#endif
