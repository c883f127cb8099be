/* SPDX-License-Identifier: MIT
 *
 * Axes: a range of numbers, round ticks, and the mapping to points of a canvas; linear or
 * logarithmic.
 */
#ifndef SPUR_TRAINER_PLOT_AXES_H
#define SPUR_TRAINER_PLOT_AXES_H

#include "plot/canvas.h"

enum { AXIS_MOST_TICKS = 16 };

typedef struct axis {
    double low, high; /* of the data, then widened to what is drawn */
    bool logarithmic;
    double ticks[AXIS_MOST_TICKS];
    int tick_count;
    double from, to; /* the points on the canvas that low and high come to */
} axis;

/* Chooses round ticks for the finite range low..high, about `wanted` of them, and widens a linear
 * range to the outer ticks. A logarithmic axis needs low > 0; its ticks are powers of ten, or
 * other round numbers where it holds fewer than three of these. */
void axis_init(axis *a, double low, double high, bool logarithmic, int wanted);

/* The point of a value. */
double axis_at(const axis *a, double value);

/* Shortest text for a tick: "0.02", "1e-5", "20k". */
void axis_label(double value, char *out, size_t size);

/* Draws both axes with grid, ticks and titles (NULL: none). The frame lies between the points in
 * the axes' from and to (y's from is the bottom). */
void axes_draw(canvas *c, const axis *x, const axis *y, const char *x_title, const char *y_title);

#endif
