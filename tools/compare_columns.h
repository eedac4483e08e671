/* SPDX-License-Identifier: Apache-2.0 */
/* compare_columns.h: what a row of a comparison shows, once for terminal, Markdown, CSV and the page. */
#ifndef SKIFF_COMPARE_COLUMNS_H
#define SKIFF_COMPARE_COLUMNS_H

#include "compare_report.h"

enum { COMPARE_CELL_BYTES = 32, COMPARE_LABEL_BYTES = CHECK_URL_BYTES + 16 };

enum compare_section { COMPARE_SECTION_SETUP, COMPARE_SECTION_TRIPS, COMPARE_SECTION_MESSAGES, COMPARE_SECTIONS };

struct compare_column {
	enum compare_section section;
	int qos;           /* that it belongs to; -1: none */
	const char *title; /* for people, under the section's title; NULL: in CSV only */
	const char *name;  /* for CSV */
	int digits;        /* behind the point */
	size_t sample;     /* where it is in the door, and which part of it is shown */
	double part;
	double (*value)(struct compare_door *door); /* instead, where it is no part of a sample */
};

extern const struct compare_column compare_columns[];
extern const size_t compare_column_count;

/* "Set-up, ms" and so on. */
const char *compare_section_title(enum compare_section section);

/* Whether the column is shown to people, in `section`. */
bool compare_column_is_in(
	const struct compare_report *report, const struct compare_column *column, enum compare_section section);

/* NAN: was not measured. */
double compare_column_value(const struct compare_column *column, struct compare_door *door);

/* Its text for `out` of COMPARE_CELL_BYTES; `none` where there is no value. */
void compare_cell(char *out, const struct compare_column *column, struct compare_door *door, const char *none);

/* The name, with the scheme where that does not say it, for `out` of COMPARE_LABEL_BYTES. */
void compare_label(char *out, const struct compare_door *door);

#endif
