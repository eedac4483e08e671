/* SPDX-License-Identifier: Apache-2.0 */
/* compare_curve.h: how often values occur, as a curve over a scale of ratios. */
#ifndef SKIFF_COMPARE_CURVE_H
#define SKIFF_COMPARE_CURVE_H

#include "compare_sample.h"

enum { COMPARE_CURVE_POINTS = 161 };

/* From `least` to `most`, logarithmic; zeroed before the first sample. */
struct compare_scale {
	double least, most;
};

/* So that it holds the sample but for its extremes, the lowest and highest 0.5 %. */
void compare_scale_widen(struct compare_scale *scale, struct compare_sample *sample);

/* Where a value is: 0 to 1, also for one that is outside. */
double compare_scale_at(const struct compare_scale *scale, double value);

/* The next round number (1, 2 or 5 times a power of ten; on a wide scale a power of ten) above `after` on the scale; 0:
 * none. */
double compare_scale_tick(const struct compare_scale *scale, double after);

struct compare_curve {
	double heights[COMPARE_CURVE_POINTS]; /* 0 to 1 */
};

void compare_curve_draw(struct compare_curve *curve, struct compare_sample *sample, const struct compare_scale *scale);

#endif
