/* SPDX-License-Identifier: MIT
 *
 * How much of what differs between runs each varied parameter explains: an analysis of variance with
 * main effects, made for designs that are not balanced (random, tpe), where parameters that do
 * nothing go along with one that does.
 */
#ifndef SPUR_TRAINER_SWEEP_IMPORTANCE_H
#define SPUR_TRAINER_SWEEP_IMPORTANCE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct importance_input {
    const double *means; /* [configurations], each over its runs */
    const size_t *runs; /* [configurations], at least 1 */
    size_t configurations;
    double within; /* sum of squares of the runs around their configuration's mean */
    const size_t *const *classes; /* [factors][configurations]: which value it has, from 0 */
    const size_t *class_counts; /* [factors] */
    size_t factors;
} importance_input;

/* Into shares[factors] the part of the total sum of squares that each factor explains beyond those
 * that explain more, less what chance comes to (epsilon squared, Kelley 1935; not below 0). The
 * greatest is taken first, then the greatest of the others in what is left. Chance is measured by
 * what the factors leave unexplained between configurations, or by the seeds, whichever is more.
 * NaN where that cannot be told: too few configurations. False when out of memory. */
bool importance_shares(const importance_input *in, double *shares);

#endif
