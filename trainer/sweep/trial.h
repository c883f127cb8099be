/* SPDX-License-Identifier: MIT
 *
 * The trainer's side of a sweep: a run that has a trial.ini is a trial. It tells HParams what is
 * varied, and after each epoch it asks here whether it should stop: the pruner looks at the
 * metrics.csv of all trials, so that no process has to tell another.
 */
#ifndef SPUR_TRAINER_SWEEP_TRIAL_H
#define SPUR_TRAINER_SWEEP_TRIAL_H

#include "config/document.h"
#include "sweep/settings.h"

typedef struct trial {
    bool active; /* this run is a trial; else everything below is empty */
    char *run; /* its directory */
    size_t configuration; /* from 1, as in names */
    int64_t seed;
    document values; /* what is varied: entries of section "values" (key may contain dots) */
    sweep_settings settings; /* pruner and its options */
    const pruner *pruner;
} trial;

/* Reads <run>/trial.ini and the pruner's options from the sweep's sweep.ini. A run without
 * trial.ini gives an inactive trial. */
spur_status trial_open(trial *t, const char *run, spur_error *err);
void trial_close(trial *t);

/* Whether the pruner stops this trial after so many epochs, by the monitor's column in its own and
 * all other trials' metrics.csv. */
spur_status trial_should_stop(const trial *t, const char *monitor, bool maximize, size_t epochs,
                              bool *stop, spur_error *err);

#endif
