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

typedef double (*statistic_fn)(double mine, double base);

static double statistic_ratio(double mine, double base)
{
	return base > 0 ? mine / base : NAN;
}

static double statistic_difference(double mine, double base)
{
	return mine - base;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), value_compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The statistic of the medians over `count` rounds: all in turn, or drawn by `state`. */
static double rounds_statistic(
	const double *mine, const double *base, size_t count, statistic_fn statistic, uint64_t *state)
{
	double drawn[2][COMPARE_ROUNDS_MAX];
	for (size_t i = 0; i < count; i++) {
		size_t round = state ? draw(state, count) : i;
		drawn[0][i] = mine[round];
		drawn[1][i] = base[round];
	}
	return statistic(median(drawn[0], count), median(drawn[1], count));
}

static struct compare_interval bootstrap(const double *mine, const double *base, size_t count, statistic_fn statistic)
{
	struct compare_interval interval = {NAN, -INFINITY, INFINITY};
	double drawn[BOOTSTRAP_DRAWS];
	uint64_t state = 1;
	if (count)
		interval.value = rounds_statistic(mine, base, count, statistic, NULL);
	if (count < COMPARE_ROUNDS_TELLING)
		return interval;
	for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++)
		drawn[i] = rounds_statistic(mine, base, count, statistic, &state);
	qsort(drawn, BOOTSTRAP_DRAWS, sizeof(*drawn), value_compare);
	interval.low = drawn[BOOTSTRAP_DRAWS / 40];
	interval.high = drawn[BOOTSTRAP_DRAWS - 1 - BOOTSTRAP_DRAWS / 40];
	return interval;
}

struct compare_interval compare_ratio(const double *mine, const double *base, size_t count)
{
	return bootstrap(mine, base, count, statistic_ratio);
}

struct compare_interval compare_difference(const double *mine, const double *base, size_t count)
{
	return bootstrap(mine, base, count, statistic_difference);
}
