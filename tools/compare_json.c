/* SPDX-License-Identifier: Apache-2.0 */
/* compare_json.c: a comparison as one JSON object of the schema skiff.compare/1 (docs/schema/compare-1.json). */
#include "cli_json.h"
#include "compare_report.h"
#include <math.h>

static void json_spread(struct cli_json *json, const char *name, struct compare_sample *sample, int digits)
{
	cli_json_open(json, name, '{');
	cli_json_integer(json, "count", (long long)sample->count);
	cli_json_number(json, "p50", compare_sample_at(sample, 0.5), digits);
	cli_json_number(json, "p90", compare_sample_at(sample, 0.9), digits);
	cli_json_number(json, "p99", compare_sample_at(sample, 0.99), digits);
	cli_json_number(json, "max", compare_sample_max(sample), digits);
	cli_json_close(json, '}');
}

static void json_phases(struct cli_json *json, const char *name, struct compare_sample *phases)
{
	if (!phases[COMPARE_TOTAL].count) {
		cli_json_null(json, name);
		return;
	}
	cli_json_open(json, name, '{');
	for (int phase = 0; phase < COMPARE_PHASES; phase++)
		cli_json_number(
			json, compare_phase_name((enum compare_phase)phase), compare_sample_at(&phases[phase], 0.5), 3);
	cli_json_close(json, '}');
}

static void json_interval(struct cli_json *json, const char *name, struct compare_interval interval)
{
	cli_json_open(json, name, '{');
	cli_json_number(json, "value", interval.value, 4);
	cli_json_number(json, "low", interval.low, 4);
	cli_json_number(json, "high", interval.high, 4);
	cli_json_close(json, '}');
}

static void json_against(struct cli_json *json, const struct compare_report *report, const struct compare_door *door)
{
	const struct compare_door *base = compare_base((struct compare_report *)report);
	size_t rounds = base ? compare_rounds_of_both(door, base) : 0;
	int trip = COMPARE_EACH_TRIP + compare_qos(report);
	if (!base || base == door || !rounds) {
		cli_json_null(json, "against_base");
		return;
	}
	cli_json_open(json, "against_base", '{');
	json_interval(json, "trip_ratio", compare_ratio(door->each[trip], base->each[trip], rounds));
	json_interval(json, "setup_more_ms",
		compare_difference(door->each[COMPARE_EACH_SETUP], base->each[COMPARE_EACH_SETUP], rounds));
	if (door->wire_out.count && base->wire_out.count)
		json_interval(json, "wire_more_bytes",
			compare_difference(door->each[COMPARE_EACH_WIRE], base->each[COMPARE_EACH_WIRE], rounds));
	else
		cli_json_null(json, "wire_more_bytes");
	cli_json_close(json, '}');
}

static void json_measured(struct cli_json *json, const struct compare_report *report, struct compare_door *door)
{
	json_phases(json, "setup_ms", door->full);
	json_phases(json, "resumed_ms", door->resumed);
	json_spread(json, "trip_qos0_us", &door->trip[0], 1);
	json_spread(json, "trip_qos1_us", &door->trip[1], 1);
	json_spread(json, "trip_qos2_us", &door->trip[2], 1);
	cli_json_number(json, "out_per_s", compare_sample_at(&door->out_rate, 0.5), 1);
	cli_json_number(json, "back_per_s", compare_sample_at(&door->back_rate, 0.5), 1);
	cli_json_number(json, "wire_bytes", compare_sample_at(&door->wire_out, 0.5), 2);
	cli_json_number(json, "wire_back_bytes", compare_sample_at(&door->wire_back, 0.5), 2);
	cli_json_number(json, "wire_burst_bytes", compare_sample_at(&door->burst_out, 0.5), 2);
	cli_json_number(json, "wire_burst_back_bytes", compare_sample_at(&door->burst_back, 0.5), 2);
	cli_json_number(json, "mqtt_bytes", door->mqtt_bytes > 0 ? door->mqtt_bytes : NAN, 2);
	cli_json_number(json, "cpu_us", compare_sample_at(&door->cpu_us, 0.5), 2);
	cli_json_number(json, "memory_bytes", door->memory_bytes > 0 ? door->memory_bytes : NAN, 0);
	json_against(json, report, door);
}

static void json_door(struct cli_json *json, const struct compare_report *report, struct compare_door *door)
{
	char url[CHECK_URL_BYTES];
	check_place_bare(url, door->url, false);
	cli_json_open(json, NULL, '{');
	cli_json_text(json, "door", door->name);
	cli_json_text(json, "url", url);
	cli_json_text(json, "engine", compare_engine_name(door));
	cli_json_text(json, "mqtt_version", door->options.version == SKIFF_MQTT_311 ? "3.1.1" : "5");
	cli_json_text(json, "address", *door->address ? door->address : NULL);
	cli_json_text(json, "outcome", compare_outcome_name(door));
	cli_json_text(json, "error", *door->lacks ? door->lacks : door->outcome.code ? door->outcome.text : NULL);
	cli_json_text(json, "expected", door->expect ? door->expect : "ok");
	cli_json_bool(json, "as_expected", door->as_expected);
	cli_json_integer(json, "rounds", (long long)door->rounds);
	json_measured(json, report, door);
	cli_json_close(json, '}');
}

void compare_json_print(struct compare_report *report)
{
	struct cli_json json = {.out = stdout};
	const struct compare_door *base = compare_base(report);
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.compare/1");
	cli_json_integer(&json, "exit", report->exit_code);
	cli_json_integer(&json, "rounds", (long long)report->rounds);
	cli_json_integer(&json, "payload_bytes", (long long)report->payload_len);
	cli_json_number(&json, "rate", report->rate > 0 ? report->rate : NAN, 3);
	cli_json_text(&json, "base", base ? base->name : NULL);
	cli_json_open(&json, "doors", '[');
	for (size_t i = 0; i < report->count; i++)
		json_door(&json, report, &report->doors[i]);
	cli_json_close(&json, ']');
	cli_json_close(&json, '}');
	putchar('\n');
}
