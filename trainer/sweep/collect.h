/* SPDX-License-Identifier: MIT
 *
 * Gathering what a sweep, or some runs, came to: the input of reports and results.csv.
 */
#ifndef SPUR_TRAINER_SWEEP_COLLECT_H
#define SPUR_TRAINER_SWEEP_COLLECT_H

#include "sweep/layout.h"
#include "run/outcome.h"
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

/* The configuration that a group of the sweep's report belongs to. */
size_t sweep_view_find(const sweep_view *v, const char *label);

/* The columns of metrics.csv that a report is about: their last values; the first one is compared.
 * None: the best value of each run's monitor, and its last one beside it. */
typedef struct metric_list {
    char *names[1 + REPORT_OTHERS];
    size_t count;
} metric_list;

/* From "val_accuracy,val_f1" (NULL: none). */
spur_status metric_list_parse(metric_list *m, const char *text, spur_error *err);
void metric_list_free(metric_list *m);

/* How many metrics stand beside the one that is compared. */
size_t metric_list_others(const metric_list *m);

/* The numbers of one run, metric_list_others(m) + 1 of them. */
spur_status run_numbers(const char *run, const run_outcome *o, const metric_list *m,
                        double *numbers, spur_error *err);

/* Names and direction, from the list or else the first run that has a monitor. False when out of
 * memory. */
bool report_name_metrics(report *r, const metric_list *m, const run_outcome *runs, size_t count);

/* Means over seeds of each configuration, with the varied options as factors; sorted, best first. */
spur_status sweep_view_report(const sweep_view *v, const metric_list *metrics, report *out,
                              spur_error *err);

/* Writes <sweep>/results.csv: one row per trial in trial order, no times, no paths. */
spur_status sweep_view_write_results(const sweep_view *v, spur_error *err);

/* Runs of any origin: those whose config.ini agrees but for the seed, names and places form a group,
 * labelled by the options in which the groups differ. */
spur_status runs_report(char *const *runs, size_t count, const metric_list *metrics, report *out,
                        spur_error *err);

#endif
