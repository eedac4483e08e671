/* SPDX-License-Identifier: Apache-2.0 */
/* compare_report.h: what `skiff compare` measured, door by door. compare_doors.c makes the list, compare_run.c fills
 * it, compare_table.c, compare_json.c, compare_words.c and compare_html.c show it. */
#ifndef SKIFF_COMPARE_REPORT_H
#define SKIFF_COMPARE_REPORT_H

#include "check_place.h"
#include "compare_sample.h"
#include <skiff/skiff.h>
#include <stdio.h>

enum { COMPARE_DOORS_MAX = 64, COMPARE_QOS = 3 };

enum compare_phase {
	COMPARE_DNS,
	COMPARE_TCP,
	COMPARE_TLS,
	COMPARE_WEBSOCKET,
	COMPARE_MQTT,
	COMPARE_TOTAL,
	COMPARE_PHASES
};

/* What is known of each round, so that doors can be compared round by round: COMPARE_EACH_TRIP + QoS is the median of
 * the round trips in us, then come the set-up in ms, and the bytes written for a message alone. */
enum compare_each { COMPARE_EACH_TRIP, COMPARE_EACH_SETUP = COMPARE_QOS, COMPARE_EACH_WIRE, COMPARE_EACH };

struct compare_door {
	/* what is asked for */
	char name[CHECK_URL_BYTES]; /* "8883", or the URL where that is all there is; with engine and version where
				     * there are several */
	char url[CHECK_URL_BYTES];
	char what[64];
	struct skiff_options options; /* what it points to is the caller's */
	bool asks_certificate;        /* it must refuse without the client certificate, and open with it */
	const char *expect;           /* the slug of the outcome; NULL: "ok" */
	char lacks[64];               /* what it needs and was not given: it is left out */

	/* what came of it */
	struct check_place place;
	char address[64];                 /* that the last round was connected to, numeric, without the port */
	struct skiff_error outcome, bare; /* bare: without the client certificate */
	bool as_expected;
	int maximum_qos;
	size_t rounds;
	double each[COMPARE_EACH][COMPARE_ROUNDS_MAX];
	struct compare_sample full[COMPARE_PHASES], resumed[COMPARE_PHASES]; /* ms */
	struct compare_sample trip[COMPARE_QOS];                             /* us */
	struct compare_sample out_rate, back_rate;                           /* messages per second */
	/* bytes of TCP for a message, alone and in the burst, written and read */
	struct compare_sample wire_out, wire_back, burst_out, burst_back;
	struct compare_sample cpu_us; /* of the process, for a message out and back */
	double mqtt_bytes;            /* of one such PUBLISH, as MQTT has it */
	double memory_bytes;          /* of the connection, with all that hangs on it */
};

/* A name that was looked up, once for all of its doors. */
struct compare_host {
	char name[256], address[64];
	double ms;
};

struct compare_report {
	struct compare_door *doors; /* COMPARE_DOORS_MAX */
	size_t count;
	struct compare_host hosts[COMPARE_DOORS_MAX];
	size_t host_count;
	bool qos[COMPARE_QOS]; /* those of the round trips; the least is also that of the burst */
	size_t payload_len, trips, burst, rounds;
	double duration_ms; /* after which no round begins; 0: no limit */
	double rate;        /* round trips a second; 0: one after the other */
	int exit_code;
};

/* The name of a phase: "dns" ... "total". */
const char *compare_phase_name(enum compare_phase phase);

/* "native" or "paho". */
const char *compare_engine_name(const struct compare_door *door);

/* The slug of the outcome, or "left-out". */
const char *compare_outcome_name(const struct compare_door *door);

/* The least and the highest QoS that is measured. */
int compare_qos(const struct compare_report *report);
int compare_qos_most(const struct compare_report *report);

/* The door that the others are compared with: the first that works and is plain TCP, else the first that works; NULL.
 */
struct compare_door *compare_base(const struct compare_report *report);

/* The rounds in which both were measured. */
size_t compare_rounds_of_both(const struct compare_door *door, const struct compare_door *base);

void compare_run(struct compare_report *report, bool progress);
void compare_report_free(struct compare_report *report);

void compare_table_print(struct compare_report *report);
void compare_markdown_print(struct compare_report *report);
void compare_csv_print(struct compare_report *report);
void compare_json_print(struct compare_report *report);

/* Lines that begin with two blanks belong to the one before that does not. */
void compare_words_print(struct compare_report *report, FILE *out);

/* The page for a browser, complete in itself. */
void compare_html_print(struct compare_report *report, FILE *out);

#endif
