/* SPDX-License-Identifier: Apache-2.0 */
/* compare_sample.h: measured values, and what may be said of them. */
#ifndef SKIFF_COMPARE_SAMPLE_H
#define SKIFF_COMPARE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

/* Every value is kept, so that percentiles are exact. */
struct compare_sample {
	double *values;
	size_t count, room;
};

/* False: no memory. */
bool compare_sample_add(struct compare_sample *sample, double value);
void compare_sample_free(struct compare_sample *sample);

/* The value below which the share `part` (0 to 1) lies; NAN when there is none. Sorts. */
double compare_sample_at(struct compare_sample *sample, double part);
double compare_sample_max(struct compare_sample *sample);

/* `low` to `high`: where the value lies with 95 % confidence. */
struct compare_interval {
	double value, low, high;
};

/* By bootstrap: `count` rounds, in each of which both were measured, are drawn again and again. From a fixed seed, so
 * that the same figures give the same interval. With too few rounds it is without bounds. */
enum { COMPARE_ROUNDS_TELLING = 3, COMPARE_ROUNDS_MAX = 1000 };

/* The ratio of their medians, and the median of `mine` less that of `base`. At most COMPARE_ROUNDS_MAX rounds. */
struct compare_interval compare_ratio(const double *mine, const double *base, size_t count);
struct compare_interval compare_difference(const double *mine, const double *base, size_t count);

#endif
