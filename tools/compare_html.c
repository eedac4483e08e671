/* SPDX-License-Identifier: Apache-2.0 */
/* compare_html.c: a comparison as one page: words, the set-up as stacked bars, round trips as curves, what a message
 * costs as bars, and the tables. Bars are boxes of a width in percent, curves are SVG without text, so that all of it
 * fits a phone; there is no script, and nothing is loaded. */
#include "compare_columns.h"
#include "compare_curve.h"
#include "compare_style.h"
#include <math.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CURVE_HEIGHT = 100 };

/* ---- text ---- */

static void html_bytes(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			fprintf(out, "&#%d;", c);
		else
			putc(c < ' ' || c == 0x7f ? '?' : c, out);
	}
}

static void html_text(FILE *out, const char *text)
{
	html_bytes(out, text, strlen(text));
}

static void html_label(FILE *out, const struct compare_door *door)
{
	char label[COMPARE_LABEL_BYTES];
	compare_label(label, door);
	html_text(out, label);
}

static void html_section(FILE *out, const char *id, const char *title)
{
	fprintf(out, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
}

/* ---- words ---- */

static void html_words(FILE *out, struct compare_report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *words = open_memstream(&text, &size);
	bool in_list = false;
	if (!words)
		return;
	compare_words_print(report, words);
	fclose(words);
	html_section(out, "words", "In words");
	for (const char *line = text; line && *line; line += strcspn(line, "\n") + 1) {
		bool item = strncmp(line, "  ", 2) == 0;
		if (*line == '\n')
			continue;
		if (item != in_list)
			fputs(item ? "<ul>\n" : "</ul>\n", out);
		in_list = item;
		fputs(item ? "<li>" : "<p>", out);
		html_bytes(out, line + 2 * item, strcspn(line, "\n") - 2 * item);
		fputs(item ? "</li>\n" : "</p>\n", out);
	}
	fputs(in_list ? "</ul>\n</section>\n" : "</section>\n", out);
	free(text);
}

/* ---- the set-up ---- */

static double setup_ms(struct compare_sample *phases, int phase)
{
	double ms = compare_sample_at(&phases[phase], 0.5);
	return isfinite(ms) ? ms : 0;
}

/* Of the phases together: their medians may add up to more than the median of the whole. */
static double setup_length_ms(struct compare_sample *phases)
{
	double length_ms = 0;
	for (int phase = 0; phase < COMPARE_TOTAL; phase++)
		length_ms += setup_ms(phases, phase);
	return length_ms;
}

/* The phases one after the other; their lengths are parts of `most_ms`. */
static void setup_bar(FILE *out, struct compare_sample *phases, double most_ms, const char *kind)
{
	fprintf(out, "<div class=\"bar %s\" role=\"img\" aria-label=\"%s:", kind, kind);
	for (int phase = 0; phase < COMPARE_TOTAL; phase++)
		if (setup_ms(phases, phase) > 0)
			fprintf(out, " %s %.2f ms", compare_phase_name((enum compare_phase)phase),
				setup_ms(phases, phase));
	fputs("\">", out);
	for (int phase = 0; phase < COMPARE_TOTAL; phase++) {
		double ms = setup_ms(phases, phase);
		if (ms > 0)
			fprintf(out, "<i class=\"%s\" style=\"width:%.3f%%\" title=\"%s %.2f ms\"></i>",
				compare_phase_name((enum compare_phase)phase), ms / most_ms * 100,
				compare_phase_name((enum compare_phase)phase), ms);
	}
	fputs("</div>", out);
}

static void setup_row(FILE *out, struct compare_door *door, double most_ms)
{
	fputs("<div class=\"row\"><span class=\"name\">", out);
	html_label(out, door);
	if (!door->rounds) {
		fputs("</span><span class=\"none\">", out);
		html_text(out, *door->lacks ? door->lacks : compare_outcome_name(door));
		fputs(door->as_expected ? ", as expected</span></div>\n" : "</span></div>\n", out);
		return;
	}
	fputs("</span><div>", out);
	setup_bar(out, door->full, most_ms, "full");
	if (door->resumed[COMPARE_TOTAL].count)
		setup_bar(out, door->resumed, most_ms, "resumed");
	fprintf(out, "</div><span class=\"value\">%.2f ms", setup_ms(door->full, COMPARE_TOTAL));
	if (door->resumed[COMPARE_TOTAL].count)
		fprintf(out, "<br><small>resumed %.2f</small>", setup_ms(door->resumed, COMPARE_TOTAL));
	fputs("</span></div>\n", out);
}

static void html_setup(FILE *out, struct compare_report *report)
{
	double most_ms = 0;
	for (size_t i = 0; i < report->count; i++)
		most_ms = fmax(most_ms,
			fmax(setup_length_ms(report->doors[i].full), setup_length_ms(report->doors[i].resumed)));
	html_section(out, "setup", "Set-up, to scale");
	fputs("<p class=\"legend\">", out);
	for (int phase = 0; phase < COMPARE_TOTAL; phase++)
		fprintf(out, "<span><i class=\"%s\"></i>%s</span>", compare_phase_name((enum compare_phase)phase),
			compare_phase_name((enum compare_phase)phase));
	fputs("<span>thin: with a resumed TLS session</span></p>\n", out);
	for (size_t i = 0; i < report->count; i++)
		setup_row(out, &report->doors[i], most_ms);
	fputs("</section>\n", out);
}

/* ---- round trips ---- */

static void trips_curve(FILE *out, const struct compare_curve *curve)
{
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"M0,%d",
		COMPARE_CURVE_POINTS - 1, CURVE_HEIGHT, CURVE_HEIGHT);
	for (int i = 0; i < COMPARE_CURVE_POINTS; i++)
		fprintf(out, "L%d,%.1f", i, CURVE_HEIGHT * (1 - 0.96 * curve->heights[i]));
	fprintf(out, "L%d,%dZ\"/></svg>", COMPARE_CURVE_POINTS - 1, CURVE_HEIGHT);
}

static void trips_row(FILE *out, struct compare_door *door, int qos, const struct compare_scale *scale)
{
	struct compare_curve curve;
	struct compare_sample *trip = &door->trip[qos];
	double p50 = compare_sample_at(trip, 0.5), p99 = compare_sample_at(trip, 0.99);
	if (!trip->count)
		return;
	compare_curve_draw(&curve, trip, scale);
	fputs("<div class=\"row\"><span class=\"name\">", out);
	html_label(out, door);
	fprintf(out, "</span><div class=\"curve\" role=\"img\" aria-label=\"p50 %.0f us, p99 %.0f us\">", p50, p99);
	trips_curve(out, &curve);
	fprintf(out, "<i class=\"p50\" style=\"left:%.2f%%\" title=\"p50 %.0f us\"></i>",
		compare_scale_at(scale, p50) * 100, p50);
	fprintf(out, "<i class=\"p99\" style=\"left:%.2f%%\" title=\"p99 %.0f us\"></i></div>",
		compare_scale_at(scale, p99) * 100, p99);
	fprintf(out, "<span class=\"value\">%.0f us<br><small>p99 %.0f</small></span></div>\n", p50, p99);
}

static void trips_ticks(FILE *out, const struct compare_scale *scale)
{
	double tick = 0;
	fputs("<div class=\"row axis\"><span class=\"name\"></span><div class=\"ticks\">", out);
	while ((tick = compare_scale_tick(scale, tick)) > 0)
		fprintf(out,
			tick < 1000 ? "<span style=\"left:%.2f%%\">%.0f us</span>"
				    : "<span style=\"left:%.2f%%\">%.0f ms</span>",
			compare_scale_at(scale, tick) * 100, tick < 1000 ? tick : tick / 1000);
	fputs("</div><span class=\"value\"></span></div>\n", out);
}

static void html_trips(FILE *out, struct compare_report *report)
{
	html_section(out, "trips", "Round trips");
	fputs("<p class=\"legend\"><span>How many take how long, on a scale of ratios; the lines are the median and, "
	      "thin, the 99th percentile.</span></p>\n",
		out);
	for (int qos = 0; qos < COMPARE_QOS; qos++) {
		struct compare_scale scale = {0};
		for (size_t i = 0; i < report->count; i++)
			compare_scale_widen(&scale, &report->doors[i].trip[qos]);
		if (!report->qos[qos] || !(scale.most > 0))
			continue;
		fprintf(out, "<h3>QoS %d</h3>\n", qos);
		for (size_t i = 0; i < report->count; i++)
			trips_row(out, &report->doors[i], qos, &scale);
		trips_ticks(out, &scale);
	}
	fputs("</section>\n", out);
}

/* ---- what a message costs ---- */

static const struct compare_column *column_of(const char *name)
{
	const struct compare_column *column = compare_columns;
	while (strcmp(column->name, name) != 0)
		column++;
	return column;
}

/* A bar for each door; of its first `inner`, if that is not NULL, another part of it. */
static void html_bars(FILE *out, struct compare_report *report, const char *id, const char *title, const char *name,
	double (*inner)(const struct compare_door *door))
{
	const struct compare_column *column = column_of(name);
	double most = 0;
	for (size_t i = 0; i < report->count; i++) {
		double value = compare_column_value(column, &report->doors[i]);
		most = isfinite(value) ? fmax(most, value) : most;
	}
	if (!(most > 0))
		return;
	fprintf(out, "<div id=\"%s\"><h3>%s</h3>\n", id, title);
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		double value = compare_column_value(column, door), part = inner ? inner(door) : 0;
		if (!isfinite(value))
			continue;
		fputs("<div class=\"row\"><span class=\"name\">", out);
		html_label(out, door);
		fputs("</span><div class=\"bar full\">", out);
		if (part > 0)
			fprintf(out, "<i class=\"mqtt\" style=\"width:%.3f%%\"></i>", fmin(part, value) / most * 100);
		fprintf(out,
			"<i class=\"more\" style=\"width:%.3f%%\"></i></div><span class=\"value\">%.*f</span></div>\n",
			fmax(value - part, 0) / most * 100, column->digits, value);
	}
	fputs("</div>\n", out);
}

static double inner_mqtt(const struct compare_door *door)
{
	return door->mqtt_bytes;
}

static void html_messages(FILE *out, struct compare_report *report)
{
	html_section(out, "messages", "Each message");
	fprintf(out,
		"<p class=\"legend\"><span><i class=\"mqtt\"></i>MQTT's own bytes, %zu of them payload</span>"
		"<span><i class=\"more\"></i>what the way adds</span></p>\n",
		report->payload_len);
	html_bars(out, report, "wire", "Bytes on the wire, for a message alone", "wire_bytes", inner_mqtt);
	html_bars(out, report, "cpu", "Processor time of the client, there and back, us", "cpu_us", NULL);
	html_bars(out, report, "rate", "Messages a second outward, in a burst", "out_per_s", NULL);
	html_bars(out, report, "memory", "Memory of a connection, KB", "memory_kb", NULL);
	fputs("</section>\n", out);
}

/* ---- tables ---- */

static void html_table(FILE *out, struct compare_report *report, enum compare_section section)
{
	char text[COMPARE_CELL_BYTES];
	fprintf(out, "<div class=\"scroll\"><table><caption>%s</caption><tr><th>door</th><th>outcome</th>",
		compare_section_title(section));
	for (size_t c = 0; c < compare_column_count; c++)
		if (compare_column_is_in(report, &compare_columns[c], section))
			fprintf(out, "<th>%s</th>", compare_columns[c].title);
	fputs("</tr>\n", out);
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		fputs("<tr><td>", out);
		html_label(out, door);
		fprintf(out, "</td><td>%s</td>", compare_outcome_name(door));
		for (size_t c = 0; c < compare_column_count; c++) {
			if (!compare_column_is_in(report, &compare_columns[c], section))
				continue;
			compare_cell(text, &compare_columns[c], door, "&ndash;");
			fprintf(out, "<td>%s</td>", text);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void html_tables(FILE *out, struct compare_report *report)
{
	html_section(out, "figures", "All figures");
	for (int section = 0; section < COMPARE_SECTIONS; section++)
		html_table(out, report, (enum compare_section)section);
	fputs("</section>\n", out);
}

/* ---- the page ---- */

static void html_facts(FILE *out, const struct compare_report *report)
{
	char when[64];
	time_t now = time(NULL);
	struct tm utc;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
	fprintf(out, "<p class=\"facts\">%zu doors, %zu round%s, %zu bytes of payload; %s, skiff %s</p>\n",
		report->count, report->rounds, report->rounds == 1 ? "" : "s", report->payload_len, when,
		skiff_version());
}

void compare_html_print(struct compare_report *report, FILE *out)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n"
	      "<title>What each door costs</title>\n<style>\n",
		out);
	fputs(compare_style, out);
	fputs("</style></head>\n<body><main>\n<h1>What each door costs</h1>\n", out);
	html_facts(out, report);
	html_words(out, report);
	if (compare_base(report)) {
		html_setup(out, report);
		html_trips(out, report);
		html_messages(out, report);
	}
	html_tables(out, report);
	fputs("</main></body></html>\n", out);
}
