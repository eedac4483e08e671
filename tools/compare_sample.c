/* SPDX-License-Identifier: Apache-2.0 */
/* compare_sample.c: percentiles and the bootstrap. */
#include "compare_sample.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { BOOTSTRAP_DRAWS = 2000 };

bool compare_sample_add(struct compare_sample *sample, double value)
{
	if (sample->count == sample->room) {
		size_t room = sample->room ? 2 * sample->room : 256;
		double *values = realloc(sample->values, room * sizeof(*values));
		if (!values)
			return false;
		sample->values = values;
		sample->room = room;
	}
	sample->values[sample->count++] = value;
	return true;
}

void compare_sample_free(struct compare_sample *sample)
{
	free(sample->values);
	*sample = (struct compare_sample){0};
}

static int value_compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

double compare_sample_at(struct compare_sample *sample, double part)
{
	if (!sample->count)
		return NAN;
	qsort(sample->values, sample->count, sizeof(*sample->values), value_compare);
	size_t index = (size_t)ceil(part * (double)sample->count);
	return sample->values[index ? index - 1 : 0];
}

double compare_sample_max(struct compare_sample *sample)
{
	return compare_sample_at(sample, 1);
}

/* Knuth's MMIX generator; its upper bits will do for drawing rounds. */
static size_t draw(uint64_t *state, size_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)((*state >> 33) % below);
}

static double ratio_of(const double *mine, const double *base, size_t count)
{
	double sums[2] = {0};
	for (size_t i = 0; i < count; i++) {
		sums[0] += mine[i];
		sums[1] += base[i];
	}
	return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

struct compare_interval compare_bootstrap(const double *mine, const double *base, size_t count)
{
	struct compare_interval interval = {ratio_of(mine, base, count), 0, INFINITY};
	double ratios[BOOTSTRAP_DRAWS];
	uint64_t state = 1;
	if (count < COMPARE_ROUNDS_TELLING)
		return interval;
	for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++) {
		double sums[2] = {0};
		for (size_t n = 0; n < count; n++) {
			size_t round = draw(&state, count);
			sums[0] += mine[round];
			sums[1] += base[round];
		}
		ratios[i] = sums[1] > 0 ? sums[0] / sums[1] : NAN;
	}
	qsort(ratios, BOOTSTRAP_DRAWS, sizeof(*ratios), value_compare);
	interval.low = ratios[BOOTSTRAP_DRAWS / 40];
	interval.high = ratios[BOOTSTRAP_DRAWS - 1 - BOOTSTRAP_DRAWS / 40];
	return interval;
}
