/* SPDX-License-Identifier: Apache-2.0 */
/* compare_words.c: what the figures say, in sentences: the price of each door beside the first, what is the broker's
 * and not the transport's, which doors are safe, and which to take. */
#include "compare_report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEP_MS = 100, STEP_SLACK_MS = 10, NAGLE_LOW_US = 38000, NAGLE_HIGH_US = 46000 };

const char *compare_phase_name(enum compare_phase phase)
{
	static const char *const names[] = {"dns", "tcp", "tls", "websocket", "mqtt", "total"};
	return names[phase];
}

const struct compare_door *compare_base(const struct compare_report *report)
{
	const struct compare_door *first = NULL;
	for (size_t i = 0; i < report->count; i++) {
		const struct compare_door *door = &report->doors[i];
		if (!door->rounds)
			continue;
		if (!door->place.tls && !door->place.ws && !door->place.local)
			return door;
		if (!first)
			first = door;
	}
	return first;
}

/* ---- the price ---- */

static void words_setup(struct compare_door *door, struct compare_door *base)
{
	double mine = compare_sample_at(&door->full[COMPARE_TOTAL], 0.5),
	       theirs = compare_sample_at(&base->full[COMPARE_TOTAL], 0.5);
	if (isfinite(mine - theirs))
		printf(", %.1f ms %s to connect", fabs(mine - theirs), mine >= theirs ? "more" : "less");
	if (door->resumed[COMPARE_TOTAL].count)
		printf(" (%.1f ms when TLS resumes)", compare_sample_at(&door->resumed[COMPARE_TOTAL], 0.5) - theirs);
}

static void words_price(struct compare_door *door, struct compare_door *base)
{
	size_t rounds = door->rounds < base->rounds ? door->rounds : base->rounds;
	struct compare_interval trip = compare_bootstrap(door->round_trip_us[0], base->round_trip_us[0], rounds);
	double wire = compare_sample_at(&door->wire_alone, 0.5) - compare_sample_at(&base->wire_alone, 0.5);
	printf("  %s", door->name);
	if (rounds < COMPARE_ROUNDS_TELLING)
		printf(" costs %.2f x the round trip of %s (too few rounds to tell that from noise)", trip.ratio,
			base->name);
	else if (trip.low <= 1 && trip.high >= 1)
		printf(" costs no more for a round trip than can be told from noise (95 %% interval %.2f to %.2f)",
			trip.low, trip.high);
	else
		printf(" costs %.2f x the round trip of %s (95 %% interval %.2f to %.2f)", trip.ratio, base->name,
			trip.low, trip.high);
	if (isfinite(wire))
		printf(", %.0f bytes %s for a message alone", fabs(wire), wire >= 0 ? "more" : "less");
	words_setup(door, base);
	puts("");
}

/* ---- whose delay ---- */

/* Whether a delay is one of some steps of 100 ms, while the round trips are far shorter. */
static bool words_is_step(double ms, double trip_us)
{
	double rest = fmod(ms, STEP_MS);
	return ms > STEP_MS - STEP_SLACK_MS && (rest < STEP_SLACK_MS || rest > STEP_MS - STEP_SLACK_MS) &&
	       trip_us < ms * 1e3 / 4;
}

static void words_steps(struct compare_door *door)
{
	double upgrade = compare_sample_at(&door->full[COMPARE_WEBSOCKET], 0.5);
	double trip = compare_sample_at(&door->trip[0], 0.5);
	double slowest = fmax(compare_sample_max(&door->trip[0]), compare_sample_max(&door->trip[1])) / 1e3;
	if (words_is_step(upgrade, trip))
		printf("  %s: the %.0f ms of its upgrade look like steps of %d ms, as mosquitto makes them, which "
		       "looks at "
		       "such connections so often while they come up: the broker's, not WebSocket's\n",
			door->name, upgrade, STEP_MS);
	if (door->place.ws && words_is_step(upgrade, trip) && words_is_step(slowest, trip))
		printf("  %s: its slowest round trips, of %.0f ms, look like such steps as well\n", door->name,
			slowest);
}

/* Seen in one kind of round trip and not in the other, it is no distance. */
static void words_nagle(struct compare_door *door)
{
	for (int qos = 0; qos < 2; qos++) {
		double trip = compare_sample_at(&door->trip[qos], 0.5),
		       other = compare_sample_at(&door->trip[!qos], 0.5);
		if (trip >= NAGLE_LOW_US && trip <= NAGLE_HIGH_US && other < NAGLE_LOW_US / 2)
			printf("  %s: round trips of %.0f ms at QoS %d look like Nagle's algorithm meeting a delayed "
			       "acknowledgement: a socket option of %s, not the transport\n",
				door->name, trip / 1e3, qos,
				door->engine == SKIFF_ENGINE_PAHO ? "Paho's" : "the broker's");
	}
}

/* ---- which to take ---- */

static void words_failed(const struct compare_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct compare_door *door = &report->doors[i];
		if (*door->lacks)
			printf("  %s was left out: it needs %s\n", door->name, door->lacks);
		else if (door->outcome.code != SKIFF_OK)
			printf("  %s does not open from here%s: %s\n", door->name,
				door->as_expected ? ", as expected" : "", door->outcome.text);
		else if (door->asks_certificate)
			printf("  %s %s\n", door->name,
				door->as_expected ? "refuses a client without a certificate, as expected"
						  : "should refuse a client without a certificate, and does not");
	}
}

/* TLS first; of those the one with the shortest round trip, without WebSocket where there is one. */
static const struct compare_door *words_best(const struct compare_report *report)
{
	const struct compare_door *best = NULL;
	double least = INFINITY;
	for (int ws = 0; ws < 2 && !best; ws++) {
		for (size_t i = 0; i < report->count; i++) {
			struct compare_door *door = &report->doors[i];
			double trip = compare_sample_at(&door->trip[0], 0.5);
			if (!door->rounds || !door->place.tls || door->place.ws != (ws == 1) || !(trip < least))
				continue;
			least = trip;
			best = door;
		}
	}
	return best;
}

static void words_advice(const struct compare_report *report)
{
	const struct compare_door *best = words_best(report);
	printf("\nSafe are the doors with TLS; at the others everybody on the way can read passwords and messages.\n");
	if (!best)
		printf("None of the safe ones opened here.\n");
	else
		printf("Take %s (%s)%s.\n", best->name, best->place.scheme,
			best->place.ws ? "" : "; where only HTTP gets through, a door of wss");
}

void compare_words_print(const struct compare_report *report)
{
	struct compare_door *base = (struct compare_door *)compare_base(report);
	puts("");
	words_failed(report);
	if (base) {
		printf("\nBeside %s, at %zu bytes:\n", base->name, report->payload_len);
		for (size_t i = 0; i < report->count; i++)
			if (report->doors[i].rounds && &report->doors[i] != base)
				words_price(&report->doors[i], base);
		for (size_t i = 0; i < report->count; i++) {
			if (!report->doors[i].rounds)
				continue;
			words_steps(&report->doors[i]);
			words_nagle(&report->doors[i]);
		}
	}
	words_advice(report);
}
