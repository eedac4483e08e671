/* SPDX-License-Identifier: Apache-2.0 */
/* compare_columns.c: the table of columns. */
#include "compare_columns.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static double wire_ratio(struct compare_door *door)
{
	return door->mqtt_bytes > 0 ? compare_sample_at(&door->wire_out, 0.5) / door->mqtt_bytes : NAN;
}

static double memory_kb(struct compare_door *door)
{
	return door->memory_bytes > 0 ? door->memory_bytes / 1024 : NAN;
}

#define PART(member, part) offsetof(struct compare_door, member), (part), NULL
#define VALUE(function)    0, 0, (function)
#define MEDIAN(member)     PART(member, 0.5)

/* clang-format off */
#define SETUP(title, name, phase) {COMPARE_SECTION_SETUP, -1, title, name, 2, MEDIAN(phase)}
#define TRIPS(qos) \
	{COMPARE_SECTION_TRIPS, qos, "QoS " #qos " p50", "trip_qos" #qos "_p50_us", 0, PART(trip[qos], 0.5)}, \
	{COMPARE_SECTION_TRIPS, qos, "p90", "trip_qos" #qos "_p90_us", 0, PART(trip[qos], 0.9)}, \
	{COMPARE_SECTION_TRIPS, qos, "p99", "trip_qos" #qos "_p99_us", 0, PART(trip[qos], 0.99)}, \
	{COMPARE_SECTION_TRIPS, qos, "max", "trip_qos" #qos "_max_us", 0, PART(trip[qos], 1)}
#define MESSAGES(title, name, digits, what) {COMPARE_SECTION_MESSAGES, -1, title, name, digits, what}

const struct compare_column compare_columns[] = {
	SETUP("tcp", "setup_tcp_ms", full[COMPARE_TCP]),
	SETUP("tls", "setup_tls_ms", full[COMPARE_TLS]),
	SETUP("ws", "setup_websocket_ms", full[COMPARE_WEBSOCKET]),
	SETUP("mqtt", "setup_mqtt_ms", full[COMPARE_MQTT]),
	SETUP("total", "setup_ms", full[COMPARE_TOTAL]),
	SETUP("resumed", "resumed_ms", resumed[COMPARE_TOTAL]),
	TRIPS(0),
	TRIPS(1),
	TRIPS(2),
	MESSAGES("out /s", "out_per_s", 0, MEDIAN(out_rate)),
	MESSAGES("back /s", "back_per_s", 0, MEDIAN(back_rate)),
	MESSAGES("wire B", "wire_bytes", 1, MEDIAN(wire_out)),
	MESSAGES("x MQTT", "wire_ratio", 2, VALUE(wire_ratio)),
	MESSAGES("back B", "wire_back_bytes", 1, MEDIAN(wire_back)),
	MESSAGES("burst B", "wire_burst_bytes", 1, MEDIAN(burst_out)),
	MESSAGES(NULL, "wire_burst_back_bytes", 1, MEDIAN(burst_back)),
	MESSAGES("CPU us", "cpu_us", 1, MEDIAN(cpu_us)),
	MESSAGES("KB", "memory_kb", 0, VALUE(memory_kb)),
};
/* clang-format on */

const size_t compare_column_count = sizeof(compare_columns) / sizeof(*compare_columns);

const char *compare_section_title(enum compare_section section)
{
	static const char *const titles[] = {"Set-up, ms", "Round trips, us", "Each message"};
	return titles[section];
}

bool compare_column_is_in(
	const struct compare_report *report, const struct compare_column *column, enum compare_section section)
{
	return column->title && column->section == section && (column->qos < 0 || report->qos[column->qos]);
}

double compare_column_value(const struct compare_column *column, struct compare_door *door)
{
	if (!door->rounds)
		return NAN;
	if (column->value)
		return column->value(door);
	struct compare_sample *sample = (struct compare_sample *)((char *)door + column->sample);
	return compare_sample_at(sample, column->part);
}

void compare_cell(char *out, const struct compare_column *column, struct compare_door *door, const char *none)
{
	double value = compare_column_value(column, door);
	if (isfinite(value))
		snprintf(out, COMPARE_CELL_BYTES, "%.*f", column->digits, value);
	else
		snprintf(out, COMPARE_CELL_BYTES, "%s", none);
}

void compare_label(char *out, const struct compare_door *door)
{
	snprintf(out, COMPARE_LABEL_BYTES, "%s%s%s", door->name, *door->what ? " " : "",
		*door->what ? door->place.scheme : "");
}
