/* SPDX-License-Identifier: Apache-2.0 */
/* compare_table.c: the doors as rows: for a terminal, as Markdown, as CSV. One list of columns for the three. */
#include "compare_report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL_BYTES = 96, COLUMNS = 14 };

typedef double (*column_fn)(struct compare_door *door);

struct column {
	const char *title, *name; /* for people; for CSV */
	int digits;
	column_fn value;
};

static double full_ms(struct compare_door *door)
{
	return compare_sample_at(&door->full[COMPARE_TOTAL], 0.5);
}

static double resumed_ms(struct compare_door *door)
{
	return compare_sample_at(&door->resumed[COMPARE_TOTAL], 0.5);
}

static double trip0_p50(struct compare_door *door)
{
	return compare_sample_at(&door->trip[0], 0.5);
}

static double trip0_p90(struct compare_door *door)
{
	return compare_sample_at(&door->trip[0], 0.9);
}

static double trip0_p99(struct compare_door *door)
{
	return compare_sample_at(&door->trip[0], 0.99);
}

static double trip0_max(struct compare_door *door)
{
	return compare_sample_max(&door->trip[0]);
}

static double trip1_p50(struct compare_door *door)
{
	return compare_sample_at(&door->trip[1], 0.5);
}

static double trip1_p99(struct compare_door *door)
{
	return compare_sample_at(&door->trip[1], 0.99);
}

static double in_rate(struct compare_door *door)
{
	return compare_sample_at(&door->in_rate, 0.5);
}

static double wire_alone(struct compare_door *door)
{
	return compare_sample_at(&door->wire_alone, 0.5);
}

static double wire_burst(struct compare_door *door)
{
	return compare_sample_at(&door->wire_burst, 0.5);
}

static double wire_ratio(struct compare_door *door)
{
	return door->mqtt_bytes > 0 ? wire_alone(door) / door->mqtt_bytes : NAN;
}

static double cpu_us(struct compare_door *door)
{
	return compare_sample_at(&door->cpu_us, 0.5);
}

static double memory_kb(struct compare_door *door)
{
	return door->memory_bytes > 0 ? door->memory_bytes / 1024 : NAN;
}

static const struct column columns[COLUMNS] = {
	{"SET-UP ms", "setup_ms", 2, full_ms},
	{"RESUMED ms", "resumed_ms", 2, resumed_ms},
	{"TRIP p50 us", "trip_qos0_p50_us", 0, trip0_p50},
	{"p90", "trip_qos0_p90_us", 0, trip0_p90},
	{"p99", "trip_qos0_p99_us", 0, trip0_p99},
	{"max", "trip_qos0_max_us", 0, trip0_max},
	{"QoS 1 p50", "trip_qos1_p50_us", 0, trip1_p50},
	{"p99", "trip_qos1_p99_us", 0, trip1_p99},
	{"BURST /s", "burst_per_s", 0, in_rate},
	{"WIRE B", "wire_bytes", 1, wire_alone},
	{"x MQTT", "wire_ratio", 2, wire_ratio},
	{"BURST B", "wire_burst_bytes", 1, wire_burst},
	{"CPU us", "cpu_us", 1, cpu_us},
	{"KB", "memory_kb", 0, memory_kb},
};

static void cell(char *out, const struct column *column, struct compare_door *door)
{
	double value = door->rounds ? column->value(door) : NAN;
	if (isfinite(value))
		snprintf(out, CELL_BYTES, "%.*f", column->digits, value);
	else
		snprintf(out, CELL_BYTES, "-");
}

static const char *outcome(const struct compare_door *door)
{
	return *door->lacks ? "left out" : skiff_code_slug(door->outcome.code);
}

static const char *engine_name(const struct compare_door *door)
{
	return door->engine == SKIFF_ENGINE_PAHO ? "paho" : "native";
}

/* The name, and what it is where that does not say it. */
static void door_label(char *out, const struct compare_door *door)
{
	snprintf(out, CELL_BYTES, "%.80s%s%s", door->name, *door->what ? " " : "",
		*door->what ? door->place.scheme : "");
}

void compare_table_print(const struct compare_report *report)
{
	char text[CELL_BYTES];
	printf("%-24s %-12s", "DOOR", "OUTCOME");
	for (size_t c = 0; c < COLUMNS; c++)
		printf(" %*s", (int)strlen(columns[c].title) > 7 ? (int)strlen(columns[c].title) : 7, columns[c].title);
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		door_label(text, door);
		printf("%-24s %-12s", text, outcome(door));
		for (size_t c = 0; c < COLUMNS && door->rounds; c++) {
			cell(text, &columns[c], door);
			printf(" %*s", (int)strlen(columns[c].title) > 7 ? (int)strlen(columns[c].title) : 7, text);
		}
		printf("%s\n", door->rounds || door->as_expected ? "" : *door->lacks ? "" : "  (not as expected)");
	}
}

void compare_markdown_print(const struct compare_report *report)
{
	char text[CELL_BYTES];
	printf("| door | outcome |");
	for (size_t c = 0; c < COLUMNS; c++)
		printf(" %s |", columns[c].title);
	printf("\n|---|---|");
	for (size_t c = 0; c < COLUMNS; c++)
		printf("---:|");
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		door_label(text, door);
		printf("| %s | %s |", text, outcome(door));
		for (size_t c = 0; c < COLUMNS; c++) {
			cell(text, &columns[c], door);
			printf(" %s |", text);
		}
		putchar('\n');
	}
}

void compare_csv_print(const struct compare_report *report)
{
	char text[CELL_BYTES];
	printf("door,url,engine,outcome,expected");
	for (size_t c = 0; c < COLUMNS; c++)
		printf(",%s", columns[c].name);
	putchar('\n');
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		char url[CHECK_URL_BYTES];
		check_place_bare(url, door->url, false);
		printf("\"%s\",\"%s\",%s,%s,%s", door->name, url, engine_name(door), outcome(door),
			door->as_expected ? "yes" : "no");
		for (size_t c = 0; c < COLUMNS; c++) {
			cell(text, &columns[c], door);
			printf(",%s", *text == '-' ? "" : text);
		}
		putchar('\n');
	}
}
