/* SPDX-License-Identifier: MIT
 *
 * A density over configurations, estimated from some of them (Parzen windows): what tpe compares.
 *
 * A mixture with one kernel per observation and a wide prior as the last. A kernel is a product over
 * the parameters, with the prior where its observation has none: a normal truncated to the interval
 * for numbers, the same in cells for choices that are numbers, a smoothed indicator for names.
 * Widths follow the distances between neighbours (Bergstra et al., NIPS 2011, section 4.2), so that
 * the density gets finer where the observations gather.
 */
#ifndef SPUR_TRAINER_SWEEP_PARZEN_H
#define SPUR_TRAINER_SWEEP_PARZEN_H

#include <stddef.h>

#include <spur/status.h>

#include "base/random.h"
#include "sweep/space.h"

/* How the values of one parameter lie. A coordinate is a number in 0..1 (logarithmic ones in their
 * logarithm), or the index of a choice; negative where the parameter is absent. */
typedef struct parzen_axis {
    const parameter *p;
    size_t *rank; /* CHOICE of three numbers or more: the place of each in their order; else NULL */
} parzen_axis;

typedef struct parzen_axes {
    parzen_axis *list;
    size_t count;
} parzen_axes;

spur_status parzen_axes_init(parzen_axes *axes, const space *s);
void parzen_axes_free(parzen_axes *axes);

/* The coordinates of a configuration; point[axes->count]. */
void parzen_point(const parzen_axes *axes, const assignment *a, double *point);

/* Writes a coordinate as the text of parameter i. */
spur_status parzen_set(const parzen_axes *axes, size_t i, double coordinate, assignment *out);

typedef struct parzen {
    const parzen_axes *axes;
    size_t n; /* observations; kernels are n + 1 */
    double *centre, *width, *norm; /* [n + 1][axes->count]; norm is the log of a kernel's mass */
} parzen;

/* From n points in a row, which are copied. */
spur_status parzen_init(parzen *m, const parzen_axes *axes, const double *points, size_t n);
void parzen_free(parzen *m);

/* Log density of a point. */
double parzen_log_density(const parzen *m, const double *point);

/* Draws a point from a random kernel; all parameters are present. */
void parzen_draw(const parzen *m, spur__rng *rng, double *point);

#endif
