/* SPDX-License-Identifier: MIT
 *
 * Densities over configurations; see parzen.h.
 */
#include "sweep/parzen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"

enum { LEAST_ORDERED = 3 };

/* ---- axes ---------------------------------------------------------------------------------- */

static bool is_ordered(const parameter *p) {
    double x;
    if (p->kind != DOMAIN_CHOICE || p->choice_count < LEAST_ORDERED) return false;
    for (size_t i = 0; i < p->choice_count; i++)
        if (!spur__parse_double(p->choices[i], &x)) return false;
    return true;
}

/* Places 0, 1, ... of the choices when they are sorted as numbers. */
static bool fill_ranks(parzen_axis *axis) {
    const parameter *p = axis->p;
    axis->rank = spur__calloc(p->choice_count, sizeof *axis->rank);
    if (!axis->rank) return false;
    for (size_t i = 0; i < p->choice_count; i++) {
        double own = space_number(p, p->choices[i]);
        for (size_t k = 0; k < p->choice_count; k++) {
            double other = space_number(p, p->choices[k]);
            axis->rank[i] += other < own || (other == own && k < i);
        }
    }
    return true;
}

spur_status parzen_axes_init(parzen_axes *axes, const space *s) {
    *axes = (parzen_axes){.list = spur__calloc(s->count + 1, sizeof *axes->list)};
    bool complete = axes->list != NULL;
    for (size_t i = 0; complete && i < s->count; i++) {
        parzen_axis *axis = &axes->list[axes->count++];
        axis->p = &s->parameters[i];
        if (is_ordered(axis->p)) complete = fill_ranks(axis);
    }
    if (!complete) parzen_axes_free(axes);
    return complete ? SPUR_OK : SPUR_E_MEMORY;
}

void parzen_axes_free(parzen_axes *axes) {
    for (size_t i = 0; i < axes->count; i++) spur__free(axes->list[i].rank);
    spur__free(axes->list);
    *axes = (parzen_axes){0};
}

static size_t choice_index(const parameter *p, const char *value) {
    for (size_t i = 0; i < p->choice_count; i++)
        if (strcmp(p->choices[i], value) == 0) return i;
    return 0;
}

static double to_unit(const parameter *p, double x) {
    double u = p->kind == DOMAIN_LOG ? log(x / p->low) / log(p->high / p->low)
                                     : (x - p->low) / (p->high - p->low);
    return fmin(1, fmax(0, u));
}

static double from_unit(const parameter *p, double u) {
    if (p->kind == DOMAIN_LOG) return exp(log(p->low) + u * (log(p->high) - log(p->low)));
    return p->low + u * (p->high - p->low);
}

void parzen_point(const parzen_axes *axes, const assignment *a, double *point) {
    for (size_t i = 0; i < axes->count; i++) {
        const parameter *p = axes->list[i].p;
        const char *value = a->values[i];
        point[i] = !value                     ? -1
                   : p->kind == DOMAIN_CHOICE ? (double)choice_index(p, value)
                                              : to_unit(p, space_number(p, value));
    }
}

spur_status parzen_set(const parzen_axes *axes, size_t i, double coordinate, assignment *out) {
    const parameter *p = axes->list[i].p;
    char text[40];
    const char *value = text;
    if (p->kind == DOMAIN_CHOICE)
        value = p->choices[(size_t)coordinate];
    else
        snprintf(text, sizeof text, "%.6g", fmin(fmax(from_unit(p, coordinate), p->low), p->high));
    return assignment_set(out, i, value) ? SPUR_OK : SPUR_E_MEMORY;
}

/* ---- kernels -------------------------------------------------------------------------------- */

static double normal_cdf(double z) {
    return 0.5 * erfc(-z / sqrt(2.0));
}

/* The mass of a normal between two points, exact also far out. */
static double mass(double centre, double width, double low, double high) {
    double a = (low - centre) / width, b = (high - centre) / width;
    return a > 0 ? normal_cdf(-a) - normal_cdf(-b) : normal_cdf(b) - normal_cdf(a);
}

/* Where a coordinate lies in 0..1; the middle of its cell for an ordered choice. */
static double place(const parzen_axis *axis, double coordinate) {
    if (!axis->rank) return coordinate;
    return ((double)axis->rank[(size_t)coordinate] + 0.5) / (double)axis->p->choice_count;
}

static bool is_named(const parzen_axis *axis) {
    return axis->p->kind == DOMAIN_CHOICE && !axis->rank;
}

typedef struct neighbour {
    double place;
    size_t kernel;
} neighbour;

static int by_place(const void *a, const void *b) {
    const neighbour *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return (x->kernel > y->kernel) - (x->kernel < y->kernel);
}

/* Narrower than Optuna's 1 / (n + 2), which stays coarse where few good ones are known: measured on
 * the functions of bench/sweep/search.py, with noise and without. */
static double least_width(size_t n) {
    return fmax(0.01, pow((double)n + 2, -1.2));
}

/* How far the farther neighbour of a place is away; the ends of the interval for a single one. */
static double gap(const neighbour *seen, size_t n, size_t k) {
    double at = seen[k].place;
    if (n == 1) return fmax(at, 1 - at);
    double left = k > 0 ? at - seen[k - 1].place : 0;
    double right = k + 1 < n ? seen[k + 1].place - at : 0;
    return fmax(left, right);
}

/* The kernels along axis i; the prior is 1 wide. */
static void fill_axis(parzen *m, size_t i, neighbour *seen) {
    const parzen_axis *axis = &m->axes->list[i];
    size_t dims = m->axes->count, n = 0;
    if (is_named(axis)) return;
    for (size_t k = 0; k <= m->n; k++) {
        double *centre = &m->centre[k * dims + i];
        m->width[k * dims + i] = 1;
        if (k < m->n && *centre >= 0) seen[n++] = (neighbour){place(axis, *centre), k};
        *centre = k < m->n && *centre >= 0 ? place(axis, *centre) : 0.5;
    }
    qsort(seen, n, sizeof *seen, by_place);
    for (size_t k = 0; k < n; k++)
        m->width[seen[k].kernel * dims + i] = fmax(least_width(n), gap(seen, n, k));
    for (size_t k = 0; k <= m->n; k++) {
        double centre = m->centre[k * dims + i], w = m->width[k * dims + i];
        m->norm[k * dims + i] = log(mass(centre, w, 0, 1)) + (axis->rank ? 0 : log(w));
    }
}

spur_status parzen_init(parzen *m, const parzen_axes *axes, const double *points, size_t n) {
    size_t cells = (n + 1) * axes->count;
    *m = (parzen){.axes = axes,
                  .n = n,
                  .centre = spur__malloc_array(cells + 1, sizeof *m->centre),
                  .width = spur__malloc_array(cells + 1, sizeof *m->width),
                  .norm = spur__malloc_array(cells + 1, sizeof *m->norm)};
    neighbour *seen = spur__malloc_array(n + 1, sizeof *seen);
    bool complete = m->centre && m->width && m->norm && seen;
    if (complete) {
        if (n) memcpy(m->centre, points, n * axes->count * sizeof *points);
        for (size_t i = 0; i < axes->count; i++) m->centre[n * axes->count + i] = -1;
        for (size_t i = 0; i < axes->count; i++) fill_axis(m, i, seen);
    }
    spur__free(seen);
    if (!complete) parzen_free(m);
    return complete ? SPUR_OK : SPUR_E_MEMORY;
}

void parzen_free(parzen *m) {
    spur__free(m->centre);
    spur__free(m->width);
    spur__free(m->norm);
    *m = (parzen){0};
}

/* How much every name weighs beside 1 for the one that was observed. */
static double smoothing(const parzen *m) {
    return 1 / (double)(m->n + 1);
}

/* Log of kernel k along axis i. */
static double log_kernel(const parzen *m, size_t k, size_t i, double coordinate) {
    const parzen_axis *axis = &m->axes->list[i];
    size_t at = k * m->axes->count + i;
    double centre = m->centre[at], choices = (double)axis->p->choice_count, w = m->width[at];
    if (is_named(axis)) {
        if (centre < 0) return -log(choices);
        return log(((coordinate == centre) + smoothing(m)) / (1 + choices * smoothing(m)));
    }
    if (axis->rank) {
        double middle = place(axis, coordinate), half = 0.5 / choices;
        return log(fmax(1e-300, mass(centre, w, middle - half, middle + half))) - m->norm[at];
    }
    double z = (coordinate - centre) / w;
    return -0.5 * z * z - m->norm[at];
}

double parzen_log_density(const parzen *m, const double *point) {
    double largest = -INFINITY, sum = 0;
    for (size_t k = 0; k <= m->n; k++) {
        double l = 0;
        for (size_t i = 0; i < m->axes->count; i++)
            if (point[i] >= 0) l += log_kernel(m, k, i, point[i]);
        double top = fmax(largest, l);
        sum = sum * exp(largest - top) + exp(l - top);
        largest = top;
    }
    return largest + log(sum);
}

/* A normal number that falls into 0..1. */
static double draw_inside(double centre, double width, spur__rng *rng) {
    for (int attempt = 0; attempt < 1000; attempt++) {
        double u = centre + width * (double)spur__rng_normal(rng);
        if (u >= 0 && u <= 1) return u;
    }
    return centre;
}

static double draw_coordinate(const parzen *m, size_t k, size_t i, spur__rng *rng) {
    const parzen_axis *axis = &m->axes->list[i];
    size_t at = k * m->axes->count + i, choices = axis->p->choice_count;
    double centre = m->centre[at];
    if (is_named(axis)) {
        double keep = 1 / (1 + (double)choices * smoothing(m));
        if (centre >= 0 && spur__rng_double(rng) < keep) return centre;
        return (double)spur__rng_below(rng, (uint32_t)choices);
    }
    double u = draw_inside(centre, m->width[at], rng);
    if (!axis->rank) return u;
    size_t wanted = (size_t)fmin((double)choices - 1, u * (double)choices), found = 0;
    while (axis->rank[found] != wanted) found++;
    return (double)found;
}

void parzen_draw(const parzen *m, spur__rng *rng, double *point) {
    size_t k = spur__rng_below(rng, (uint32_t)m->n + 1);
    for (size_t i = 0; i < m->axes->count; i++) point[i] = draw_coordinate(m, k, i, rng);
}
