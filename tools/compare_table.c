/* SPDX-License-Identifier: Apache-2.0 */
/* compare_table.c: the doors as rows: for a terminal, as Markdown, as CSV. */
#include "compare_columns.h"
#include <stdio.h>
#include <string.h>

enum { TABLE_LEAST = 7, TABLE_OUTCOME = 12 };

static int table_width(const struct compare_column *column)
{
	int len = (int)strlen(column->title);
	return len > TABLE_LEAST ? len : TABLE_LEAST;
}

static int table_label_width(const struct compare_report *report)
{
	size_t most = 4;
	for (size_t i = 0; i < report->count; i++) {
		char label[COMPARE_LABEL_BYTES];
		compare_label(label, &report->doors[i]);
		most = strlen(label) > most ? strlen(label) : most;
	}
	return (int)most;
}

/* ---- for a terminal ---- */

static void table_head(const struct compare_report *report, enum compare_section section, int width)
{
	printf("%s\n  %-*s", compare_section_title(section), width, "");
	if (section == COMPARE_SECTION_SETUP)
		printf(" %-*s", TABLE_OUTCOME, "outcome");
	for (size_t c = 0; c < compare_column_count; c++)
		if (compare_column_is_in(report, &compare_columns[c], section))
			printf(" %*s", table_width(&compare_columns[c]), compare_columns[c].title);
	putchar('\n');
}

static void table_row(
	const struct compare_report *report, enum compare_section section, struct compare_door *door, int width)
{
	char label[COMPARE_LABEL_BYTES], text[COMPARE_CELL_BYTES];
	compare_label(label, door);
	printf("  %-*s", width, label);
	if (section == COMPARE_SECTION_SETUP)
		printf(" %-*s", door->rounds ? TABLE_OUTCOME : 0, compare_outcome_name(door));
	for (size_t c = 0; c < compare_column_count && door->rounds; c++) {
		if (!compare_column_is_in(report, &compare_columns[c], section))
			continue;
		compare_cell(text, &compare_columns[c], door, "-");
		printf(" %*s", table_width(&compare_columns[c]), text);
	}
	puts(door->as_expected || *door->lacks ? "" : door->expect ? "  (not as expected)" : "  (does not open)");
}

void compare_table_print(struct compare_report *report)
{
	int width = table_label_width(report);
	bool some = compare_base(report) != NULL;
	for (int section = 0; section < COMPARE_SECTIONS && (some || !section); section++) {
		if (section)
			putchar('\n');
		table_head(report, (enum compare_section)section, width);
		for (size_t i = 0; i < report->count; i++)
			if (report->doors[i].rounds || !section)
				table_row(report, (enum compare_section)section, &report->doors[i], width);
	}
}

/* ---- Markdown ---- */

static void markdown_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void markdown_section(struct compare_report *report, enum compare_section section)
{
	char label[COMPARE_LABEL_BYTES], text[COMPARE_CELL_BYTES];
	printf("| %s | outcome |", compare_section_title(section));
	for (size_t c = 0; c < compare_column_count; c++)
		if (compare_column_is_in(report, &compare_columns[c], section))
			printf(" %s |", compare_columns[c].title);
	printf("\n|---|---|");
	for (size_t c = 0; c < compare_column_count; c++)
		if (compare_column_is_in(report, &compare_columns[c], section))
			printf("---:|");
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		compare_label(label, door);
		printf("| ");
		markdown_text(label);
		printf(" | %s |", compare_outcome_name(door));
		for (size_t c = 0; c < compare_column_count; c++) {
			if (!compare_column_is_in(report, &compare_columns[c], section))
				continue;
			compare_cell(text, &compare_columns[c], door, "-");
			printf(" %s |", text);
		}
		putchar('\n');
	}
}

void compare_markdown_print(struct compare_report *report)
{
	for (int section = 0; section < COMPARE_SECTIONS; section++) {
		if (section)
			putchar('\n');
		markdown_section(report, (enum compare_section)section);
	}
}

/* ---- CSV ---- */

/* In quotes, with those inside doubled [RFC 4180, 2]. */
static void csv_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

void compare_csv_print(struct compare_report *report)
{
	printf("door,url,engine,outcome,as_expected,address");
	for (size_t c = 0; c < compare_column_count; c++)
		printf(",%s", compare_columns[c].name);
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		char url[CHECK_URL_BYTES], text[COMPARE_CELL_BYTES];
		check_place_bare(url, door->url, false);
		csv_text(door->name);
		putchar(',');
		csv_text(url);
		printf(",%s,%s,%s,%s", compare_engine_name(door), compare_outcome_name(door),
			door->as_expected ? "yes" : "no", door->address);
		for (size_t c = 0; c < compare_column_count; c++) {
			compare_cell(text, &compare_columns[c], door, "");
			printf(",%s", text);
		}
		putchar('\n');
	}
}
