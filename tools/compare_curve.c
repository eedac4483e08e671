/* SPDX-License-Identifier: Apache-2.0 */
/* compare_curve.c: a histogram over the scale, smoothed with a normal kernel as wide as Silverman's rule has it. */
#include "compare_curve.h"
#include <math.h>

enum { POINTS = COMPARE_CURVE_POINTS, CURVE_WIDE = 60 };

void compare_scale_widen(struct compare_scale *scale, struct compare_sample *sample)
{
	double least = compare_sample_at(sample, 0.005) / 1.1, most = compare_sample_at(sample, 0.995) * 1.1;
	if (!sample->count || !(least > 0))
		return;
	scale->least = scale->most > 0 ? fmin(scale->least, least) : least;
	scale->most = fmax(scale->most, most);
}

double compare_scale_at(const struct compare_scale *scale, double value)
{
	double place = log(value / scale->least) / log(scale->most / scale->least);
	return place > 1 ? 1 : place > 0 ? place : 0;
}

double compare_scale_tick(const struct compare_scale *scale, double after)
{
	static const double steps[] = {1, 2, 5};
	int count = scale->most > scale->least * CURVE_WIDE ? 1 : 3; /* so that they do not touch on a phone */
	for (double power = 1; power <= scale->most; power *= 10)
		for (int i = 0; i < count; i++) {
			double tick = steps[i] * power;
			if (tick > after && tick >= scale->least && tick <= scale->most)
				return tick;
		}
	return 0;
}

/* The width of the kernel, in points: the spread without what lies far out. */
static double curve_width(struct compare_sample *sample, const struct compare_scale *scale)
{
	double quartiles = compare_scale_at(scale, compare_sample_at(sample, 0.75)) -
			   compare_scale_at(scale, compare_sample_at(sample, 0.25));
	return fmax(0.9 * quartiles / 1.34 * (POINTS - 1) * pow((double)sample->count, -0.2), 1);
}

void compare_curve_draw(struct compare_curve *curve, struct compare_sample *sample, const struct compare_scale *scale)
{
	double counts[POINTS] = {0}, highest = 0;
	for (size_t i = 0; i < sample->count; i++)
		counts[(int)lround(compare_scale_at(scale, sample->values[i]) * (POINTS - 1))]++;
	double width = curve_width(sample, scale);
	for (int i = 0; i < POINTS; i++) {
		curve->heights[i] = 0;
		for (int k = 0; k < POINTS; k++)
			curve->heights[i] += counts[k] * exp(-0.5 * (i - k) * (i - k) / (width * width));
		highest = fmax(highest, curve->heights[i]);
	}
	for (int i = 0; i < POINTS; i++)
		curve->heights[i] /= highest > 0 ? highest : 1;
}
