/* SPDX-License-Identifier: MIT
 *
 * Variance explained by the parameters of a sweep; see importance.h.
 *
 * Least squares with weights, by Gram and Schmidt: the indicators of a factor's classes are made
 * orthogonal to those of the factors before it, and what the values project onto them is explained.
 */
#include "sweep/importance.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* The fit so far. Vectors have one entry per configuration, times the root of its runs. */
typedef struct fit {
    const importance_input *in;
    size_t n; /* configurations */
    double *basis; /* [size][n], orthonormal */
    size_t size;
    double *rest; /* [n]: of the values, what the basis does not explain */
    double *vector; /* [n], scratch */
    double total, noise; /* sum of squares of all runs; mean square within configurations or NaN */
} fit;

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Appends what is new in f->vector to the basis, if it is not just rounding. */
static void extend(fit *f) {
    double before = dot(f->vector, f->vector, f->n);
    for (int pass = 0; pass < 2; pass++) { /* twice is enough (Giraud et al. 2005) */
        for (size_t k = 0; k < f->size; k++) {
            const double *q = f->basis + k * f->n;
            double along = dot(q, f->vector, f->n);
            for (size_t i = 0; i < f->n; i++) f->vector[i] -= along * q[i];
        }
    }
    double length = dot(f->vector, f->vector, f->n);
    if (f->size == f->n || !(length > 1e-9 * before)) return;
    double *q = f->basis + f->size++ * f->n;
    for (size_t i = 0; i < f->n; i++) q[i] = f->vector[i] / sqrt(length);
}

/* Appends a factor's classes; all but the last, which follows from the others. */
static void extend_by(fit *f, size_t factor) {
    for (size_t c = 0; c + 1 < f->in->class_counts[factor]; c++) {
        for (size_t i = 0; i < f->n; i++)
            f->vector[i] = f->in->classes[factor][i] == c ? sqrt((double)f->in->runs[i]) : 0;
        extend(f);
    }
}

/* The share of a factor beside those in the basis, which is left as it was. */
static double share_of(fit *f, size_t factor) {
    size_t before = f->size;
    extend_by(f, factor);
    double explained = 0, left = dot(f->rest, f->rest, f->n), chance = f->noise;
    for (size_t k = before; k < f->size; k++) {
        double along = dot(f->basis + k * f->n, f->rest, f->n);
        explained += along * along;
    }
    if (f->size < f->n)
        chance = fmax(chance, fmax(0, left - explained) / (double)(f->n - f->size));
    else if (f->in->factors > 1)
        chance = NAN; /* as many classes as configurations: it could be any of the factors */
    double share = (explained - (double)(f->size - before) * chance) / f->total;
    f->size = before;
    return share != share ? NAN : fmax(0, share);
}

/* Takes a factor into the basis, and what it explains out of the rest. */
static void take(fit *f, size_t factor) {
    size_t before = f->size;
    extend_by(f, factor);
    for (size_t k = before; k < f->size; k++) {
        const double *q = f->basis + k * f->n;
        double along = dot(q, f->rest, f->n);
        for (size_t i = 0; i < f->n; i++) f->rest[i] -= along * q[i];
    }
}

static void begin(fit *f) {
    const importance_input *in = f->in;
    double runs = 0, mean = 0, size = 0;
    for (size_t i = 0; i < f->n; i++) runs += (double)in->runs[i];
    for (size_t i = 0; i < f->n; i++) mean += in->means[i] * (double)in->runs[i] / runs;
    for (size_t i = 0; i < f->n; i++) {
        double root = sqrt((double)in->runs[i]);
        f->vector[i] = root;
        f->rest[i] = root * (in->means[i] - mean);
        size = fmax(size, fabs(in->means[i]));
    }
    extend(f);
    f->total = dot(f->rest, f->rest, f->n) + in->within;
    if (!(f->total > runs * 1e-24 * size * size)) f->total = NAN; /* equal but for rounding */
    f->noise = runs > (double)f->n ? in->within / (runs - (double)f->n) : NAN;
}

/* Greatest first. shares[] is NaN for those that are not taken yet; open[] says which these are. */
static void take_all(fit *f, bool *open, double *shares) {
    for (size_t round = 0; round < f->in->factors; round++) {
        size_t best = f->in->factors;
        for (size_t k = 0; k < f->in->factors; k++) {
            if (!open[k]) continue;
            shares[k] = share_of(f, k);
            if (shares[k] > 0 && (best == f->in->factors || shares[k] > shares[best])) best = k;
        }
        if (best == f->in->factors) return;
        open[best] = false;
        take(f, best);
    }
}

bool importance_shares(const importance_input *in, double *shares) {
    size_t n = in->configurations, classes = 1;
    for (size_t k = 0; k < in->factors; k++) classes += in->class_counts[k];
    if (classes > n) classes = n;
    fit f = {.in = in,
             .n = n,
             .basis = spur__malloc_array((classes + 1) * (n + 1), sizeof *f.basis),
             .rest = spur__malloc_array(n + 1, sizeof *f.rest),
             .vector = spur__malloc_array(n + 1, sizeof *f.vector)};
    bool *open = spur__malloc_array(in->factors + 1, sizeof *open);
    bool complete = f.basis && f.rest && f.vector && open;
    if (complete) {
        for (size_t k = 0; k < in->factors; k++) open[k] = true;
        begin(&f);
        take_all(&f, open, shares);
    }
    spur__free(open);
    spur__free(f.vector);
    spur__free(f.rest);
    spur__free(f.basis);
    return complete;
}
