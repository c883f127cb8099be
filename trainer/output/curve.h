/* SPDX-License-Identifier: MIT
 *
 * A line chart in text: Braille dots (2 x 4 per cell), or stars where the terminal has no UTF-8.
 */
#ifndef SPUR_TRAINER_OUTPUT_CURVE_H
#define SPUR_TRAINER_OUTPUT_CURVE_H

#include "base/str.h"

typedef struct text_curve {
    const double *x, *y; /* [count]; points that are not finite are left out */
    size_t count;
    bool log_x;
    double mark; /* an x that is pointed at from below; NaN: none */
    int columns, rows; /* of the drawing, without labels; nothing is drawn in fewer than one */
    bool unicode;
} text_curve;

/* Appends the chart, with the range of y at the left and that of x below, then what the mark points at. */
void draw_text_curve(const text_curve *curve, spur__str *out);

#endif
