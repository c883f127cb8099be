/* SPDX-License-Identifier: MIT
 *
 * Gathering what a sweep, or some runs, came to: the input of reports and results.csv.
 */
#ifndef SPUR_TRAINER_SWEEP_COLLECT_H
#define SPUR_TRAINER_SWEEP_COLLECT_H

#include "sweep/layout.h"
#include "sweep/outcome.h"
#include "sweep/report.h"

/* A sweep opened for reading only: nothing in its directory is touched. */
typedef struct sweep_view {
    config cfg;
    sweep_plan plan;
    sweep_dir dir;
    assignment *configurations;
    size_t count;
    run_outcome *outcomes; /* [count][plan.seed_count] */
} sweep_view;

/* True when the directory is that of a sweep. */
bool is_sweep(const char *path);

spur_status sweep_view_open(sweep_view *v, const char *path, spur_error *err);
void sweep_view_close(sweep_view *v);

/* Means over seeds of each configuration's best value, with the varied options as factors; sorted,
 * best first. */
spur_status sweep_view_report(const sweep_view *v, report *out, spur_error *err);

/* Writes <sweep>/results.csv: one row per trial in trial order, no times, no paths. */
spur_status sweep_view_write_results(const sweep_view *v, spur_error *err);

/* Runs of any origin: those whose config.ini agrees but for the seed, names and places form a group,
 * labelled by the options in which the groups differ. `metric` NULL: the runs' monitor, best epoch;
 * else the last value of that column of metrics.csv. */
spur_status runs_report(char *const *runs, size_t count, const char *metric, report *out,
                        spur_error *err);

#endif
