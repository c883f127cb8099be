/* SPDX-License-Identifier: MIT
 *
 * Pruners: whether a trial that does badly is stopped before its last epoch.
 *
 * A decision depends only on the curves reported so far, so it can be repeated from a journal.
 * Epochs count from 1; values[i] is the objective after epoch i + 1.
 */
#ifndef SPUR_TRAINER_SWEEP_PRUNER_H
#define SPUR_TRAINER_SWEEP_PRUNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"

typedef struct learning_curve {
    size_t trial; /* its number in the sweep: decides its bracket under hyperband */
    const double *values;
    size_t count;
    bool finished; /* ran to its end (not pruned, not failed) */
} learning_curve;

typedef struct pruner {
    spur__kind kind;
    /* True when curve `self`, which has just reported its last value, should be stopped. */
    bool (*prune)(const void *options, const learning_curve *curves, size_t count, size_t self,
                  bool maximize);
} pruner;

extern const spur__family pruner_family;

/* Their rows, with the defaults of Optuna's pruners of the same names, are in settings.c. */
typedef struct median_options {
    int64_t startup_trials; /* finished trials before anything is pruned */
    int64_t warmup_epochs; /* epochs of a trial in which it is never pruned */
} median_options;

typedef struct asha_options {
    int64_t min_resource; /* epochs of the first rung */
    int64_t reduction_factor; /* one of so many trials is promoted */
    int64_t min_early_stopping_rate;
} asha_options;

typedef struct hyperband_options {
    int64_t min_resource;
    int64_t max_resource; /* epochs of the longest trial */
    int64_t reduction_factor;
} hyperband_options;

/* The bracket of a trial under hyperband, 0 .. brackets - 1. */
size_t hyperband_bracket(const hyperband_options *options, size_t trial);

#endif
