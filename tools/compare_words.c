/* SPDX-License-Identifier: Apache-2.0 */
/* compare_words.c: what the figures say, in sentences: the price of each door beside the first, what is the broker's
 * and not the transport's, which doors are safe, and which to take. */
#include "compare_report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WORTH_IT 0.9

enum { STEP_MS = 100, STEP_SLACK_MS = 10, NAGLE_LOW_US = 38000, NAGLE_HIGH_US = 49000, PAHO_SECOND_MS = 900 };

/* ---- the price ---- */

/* Whether all rounds may as well have been the same. */
static bool interval_has(struct compare_interval interval, double value)
{
	return interval.low <= value && interval.high >= value;
}

static void words_trip(
	const struct compare_report *report, FILE *out, struct compare_door *door, struct compare_door *base)
{
	int trip = COMPARE_EACH_TRIP + compare_qos(report);
	size_t rounds = compare_rounds_of_both(door, base);
	struct compare_interval ratio = compare_ratio(door->each[trip], base->each[trip], rounds);
	if (rounds < COMPARE_ROUNDS_TELLING)
		fprintf(out, " costs %.2f x the round trip of %s (too few rounds to tell that from noise)", ratio.value,
			base->name);
	else if (interval_has(ratio, 1))
		fprintf(out,
			" costs no more for a round trip than can be told from noise (95 %% interval %.2f to %.2f)",
			ratio.low, ratio.high);
	else
		fprintf(out, " costs %.2f x the round trip of %s (95 %% interval %.2f to %.2f)", ratio.value,
			base->name, ratio.low, ratio.high);
}

static void words_wire(FILE *out, struct compare_door *door, struct compare_door *base)
{
	struct compare_interval more = compare_difference(
		door->each[COMPARE_EACH_WIRE], base->each[COMPARE_EACH_WIRE], compare_rounds_of_both(door, base));
	if (!door->wire_out.count || !base->wire_out.count)
		return;
	if (fabs(more.value) < 0.5)
		return;
	fprintf(out, ", %.0f bytes %s for a message alone", fabs(more.value), more.value >= 0 ? "more" : "less");
	if (isfinite(more.low) && more.high - more.low >= 1)
		fprintf(out, " (%.0f to %.0f)", more.low, more.high);
}

static void words_setup(FILE *out, struct compare_door *door, struct compare_door *base)
{
	size_t rounds = compare_rounds_of_both(door, base);
	struct compare_interval more =
		compare_difference(door->each[COMPARE_EACH_SETUP], base->each[COMPARE_EACH_SETUP], rounds);
	if (rounds >= COMPARE_ROUNDS_TELLING && interval_has(more, 0))
		fprintf(out, ", no longer to connect than can be told from noise (%.1f to %.1f ms)", more.low,
			more.high);
	else
		fprintf(out, ", %.1f ms %s to connect", fabs(more.value), more.value >= 0 ? "more" : "less");
	if (rounds >= COMPARE_ROUNDS_TELLING && !interval_has(more, 0))
		fprintf(out, " (%.1f to %.1f)", fmin(fabs(more.low), fabs(more.high)),
			fmax(fabs(more.low), fabs(more.high)));
	if (!door->resumed[COMPARE_TOTAL].count)
		return;
	double resumed = compare_sample_at(&door->resumed[COMPARE_TOTAL], 0.5),
	       full = compare_sample_at(&door->full[COMPARE_TOTAL], 0.5);
	if (resumed < full * WORTH_IT)
		fprintf(out, ", %.1f when TLS resumes", resumed - compare_sample_at(&base->full[COMPARE_TOTAL], 0.5));
	else
		fprintf(out, ", and no less when TLS resumes");
}

static void words_price(
	const struct compare_report *report, FILE *out, struct compare_door *door, struct compare_door *base)
{
	fprintf(out, "  %s", door->name);
	words_trip(report, out, door, base);
	words_wire(out, door, base);
	words_setup(out, door, base);
	fputs("\n", out);
}

/* ---- where to ---- */

static void words_addresses(const struct compare_report *report, FILE *out)
{
	for (size_t i = 0; i < report->host_count; i++) {
		const struct compare_host *host = &report->hosts[i];
		if (strcmp(host->name, host->address) != 0)
			fprintf(out, "\nAll connections to %s went to %s; it was looked up once, in %.1f ms.\n",
				host->name, host->address, host->ms);
		for (size_t n = 0; n < report->count; n++) {
			const struct compare_door *door = &report->doors[n];
			if (*door->address && strcmp(door->place.host, host->name) == 0 &&
				strcmp(door->address, host->address) != 0)
				fprintf(out, "  but %s to %s\n", door->name, door->address);
		}
	}
}

/* ---- whose delay ---- */

/* Whether a delay is one of some steps of 100 ms, while the round trips are far shorter. */
static bool words_is_step(double ms, double trip_us)
{
	double rest = fmod(ms, STEP_MS);
	return ms > STEP_MS - STEP_SLACK_MS && (rest < STEP_SLACK_MS || rest > STEP_MS - STEP_SLACK_MS) &&
	       trip_us < ms * 1e3 / 4;
}

static double words_slowest_ms(struct compare_door *door)
{
	double slowest = 0;
	for (int qos = 0; qos < COMPARE_QOS; qos++)
		if (door->trip[qos].count)
			slowest = fmax(slowest, compare_sample_max(&door->trip[qos]) / 1e3);
	return slowest;
}

/* Whether a door's upgrade, and its slowest round trip, are such steps. */
static void words_is_stepped(const struct compare_report *report, struct compare_door *door, bool stepped[2])
{
	double trip = compare_sample_at(&door->trip[compare_qos(report)], 0.5);
	stepped[0] = door->rounds && words_is_step(compare_sample_at(&door->full[COMPARE_WEBSOCKET], 0.5), trip);
	stepped[1] = stepped[0] && words_is_step(words_slowest_ms(door), trip);
}

/* One sentence for all that show the same. */
static void words_steps(struct compare_report *report, FILE *out, int which, const char *sentence)
{
	size_t named = 0;
	for (size_t i = 0; i < report->count; i++) {
		bool stepped[2];
		words_is_stepped(report, &report->doors[i], stepped);
		if (stepped[which])
			fprintf(out, named++ ? ", %s" : "  %s", report->doors[i].name);
	}
	if (named)
		fputs(sentence, out);
}

/* Seen in one kind of round trip and not in another, it is no distance. */
static bool words_is_nagle(struct compare_door *door, int qos)
{
	double trip = compare_sample_at(&door->trip[qos], 0.5),
	       other = compare_sample_at(&door->trip[qos ? 0 : 1], 0.5);
	return trip >= NAGLE_LOW_US && trip <= NAGLE_HIGH_US && other < NAGLE_LOW_US / 2;
}

static void words_nagle(struct compare_report *report, FILE *out, enum skiff_engine engine, int qos)
{
	size_t named = 0;
	for (size_t i = 0; i < report->count; i++)
		if (report->doors[i].options.engine == engine && words_is_nagle(&report->doors[i], qos))
			fprintf(out, named++ ? ", %s" : "  %s", report->doors[i].name);
	if (named)
		fprintf(out,
			": the round trips at QoS %d, of 40 ms and some, look like Nagle's algorithm meeting a delayed "
			"acknowledgement: a socket option of %s, not the transport\n",
			qos, engine == SKIFF_ENGINE_PAHO ? "Paho's" : "the broker's");
}

/* ---- which to take ---- */

static void words_failed(const struct compare_report *report, FILE *out)
{
	bool some = false;
	for (size_t i = 0; i < report->count; i++) {
		const struct compare_door *door = &report->doors[i];
		bool says = *door->lacks || door->outcome.code != SKIFF_OK || door->asks_certificate;
		if (says && !some)
			fputs("\n", out);
		some |= says;
		if (*door->lacks)
			fprintf(out, "  %s was left out: it needs %s\n", door->name, door->lacks);
		else if (door->outcome.code != SKIFF_OK)
			fprintf(out, "  %s does not open from here%s: %s\n", door->name,
				door->as_expected ? ", as expected" : "", door->outcome.text);
		else if (door->asks_certificate)
			fprintf(out, "  %s %s\n", door->name,
				door->as_expected ? "refuses a client without a certificate, as expected"
						  : "should refuse a client without a certificate, and does not");
	}
}

static bool words_is_safe(const struct compare_door *door)
{
	const struct skiff_tls_options *tls = &door->options.tls;
	return door->place.tls && !tls->insecure_skip_chain && !tls->insecure_skip_name;
}

/* Whether the round trips of `door` are shorter than those of `than`, beyond noise and by what is worth a change. */
static bool words_is_faster(
	const struct compare_report *report, const struct compare_door *door, const struct compare_door *than)
{
	int trip = COMPARE_EACH_TRIP + compare_qos(report);
	size_t rounds = compare_rounds_of_both(door, than);
	return compare_ratio(door->each[trip], than->each[trip], rounds).high < WORTH_IT;
}

/* One with TLS, without WebSocket where there is one; of those the first than which none is faster. */
static const struct compare_door *words_best(const struct compare_report *report)
{
	const struct compare_door *best = NULL;
	for (int ws = 0; ws < 2 && !best; ws++) {
		for (size_t i = 0; i < report->count; i++) {
			const struct compare_door *door = &report->doors[i];
			if (door->rounds && words_is_safe(door) && door->place.ws == (ws == 1) &&
				(!best || words_is_faster(report, door, best)))
				best = door;
		}
	}
	return best;
}

static bool words_any(const struct compare_report *report, bool tls, bool ws)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->doors[i].place.tls == tls && (!ws || report->doors[i].place.ws))
			return true;
	return false;
}

static void words_advice(const struct compare_report *report, FILE *out)
{
	const struct compare_door *best = words_best(report);
	fprintf(out,
		"\nSafe are the doors with TLS whose certificate is verified; at the others everybody on the way can "
		"read passwords and messages.\n");
	if (best)
		fprintf(out, "Take %s (%s)%s.\n", best->name, best->place.scheme,
			!best->place.ws && words_any(report, true, true)
				? "; where only HTTP gets through, a door of wss"
				: "");
	else if (words_any(report, true, false))
		fprintf(out, "None of the safe ones opened here.\n");
	else
		fprintf(out, "None of these is safe: compare one of mqtts:// or wss:// as well.\n");
}

/* Paho looks for what has arrived once a second while it connects. */
static void words_paho(const struct compare_report *report, FILE *out)
{
	size_t named = 0;
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		double total = compare_sample_at(&door->full[COMPARE_TOTAL], 0.5);
		if (door->rounds && door->options.engine == SKIFF_ENGINE_PAHO && total > PAHO_SECOND_MS)
			fprintf(out, named++ ? ", %s" : "  %s", door->name);
	}
	if (named)
		fprintf(out, ": the second that connecting takes is Paho's, which looks for answers once a second\n");
}

static size_t words_open(const struct compare_report *report)
{
	size_t open = 0;
	for (size_t i = 0; i < report->count; i++)
		open += report->doors[i].rounds > 0;
	return open;
}

static void words_doors(struct compare_report *report, struct compare_door *base, FILE *out)
{
	if (words_open(report) > 1)
		fprintf(out, "\nBeside %s, at %zu bytes and QoS %d:\n", base->name, report->payload_len,
			compare_qos(report));
	for (size_t i = 0; i < report->count; i++)
		if (report->doors[i].rounds && &report->doors[i] != base)
			words_price(report, out, &report->doors[i], base);
	words_steps(report, out, 0,
		": the time of the upgrade, and with wss that of TLS before it, looks like steps of 100 ms, as "
		"mosquitto "
		"makes them, which looks at such connections so often while they come up: the broker's, neither "
		"WebSocket's nor TLS's\n");
	words_steps(report, out, 1,
		": the slowest round trips look like steps of 100 ms as well, and bursts share in them\n");
	words_paho(report, out);
	for (int qos = 0; qos < COMPARE_QOS; qos++) {
		words_nagle(report, out, SKIFF_ENGINE_NATIVE, qos);
		words_nagle(report, out, SKIFF_ENGINE_PAHO, qos);
	}
}

void compare_words_print(struct compare_report *report, FILE *out)
{
	struct compare_door *base = compare_base(report);
	words_failed(report, out);
	if (base) {
		words_addresses(report, out);
		words_doors(report, base, out);
	}
	words_advice(report, out);
}
