/* SPDX-License-Identifier: Apache-2.0 */
/* compare_report.c: what all that show a comparison ask of it. */
#include "compare_report.h"
#include <stdlib.h>

const char *compare_phase_name(enum compare_phase phase)
{
	static const char *const names[] = {"dns", "tcp", "tls", "websocket", "mqtt", "total"};
	return names[phase];
}

const char *compare_engine_name(const struct compare_door *door)
{
	return door->options.engine == SKIFF_ENGINE_PAHO ? "paho" : "native";
}

const char *compare_outcome_name(const struct compare_door *door)
{
	return *door->lacks ? "left-out" : skiff_code_slug(door->outcome.code);
}

int compare_qos(const struct compare_report *report)
{
	int qos = 0;
	while (qos < COMPARE_QOS - 1 && !report->qos[qos])
		qos++;
	return qos;
}

int compare_qos_most(const struct compare_report *report)
{
	int qos = COMPARE_QOS - 1;
	while (qos > 0 && !report->qos[qos])
		qos--;
	return qos;
}

struct compare_door *compare_base(const struct compare_report *report)
{
	struct compare_door *first = NULL;
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		if (!door->rounds)
			continue;
		if (!door->place.tls && !door->place.ws && !door->place.local)
			return door;
		if (!first)
			first = door;
	}
	return first;
}

size_t compare_rounds_of_both(const struct compare_door *door, const struct compare_door *base)
{
	return door->rounds < base->rounds ? door->rounds : base->rounds;
}

static void door_free(struct compare_door *door)
{
	struct compare_sample *samples[] = {&door->out_rate, &door->back_rate, &door->wire_out, &door->wire_back,
		&door->burst_out, &door->burst_back, &door->cpu_us};
	for (int phase = 0; phase < COMPARE_PHASES; phase++) {
		compare_sample_free(&door->full[phase]);
		compare_sample_free(&door->resumed[phase]);
	}
	for (int qos = 0; qos < COMPARE_QOS; qos++)
		compare_sample_free(&door->trip[qos]);
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		compare_sample_free(samples[i]);
}

void compare_report_free(struct compare_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		door_free(&report->doors[i]);
	free(report->doors);
	report->doors = NULL;
	report->count = 0;
}
