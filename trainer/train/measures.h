/* SPDX-License-Identifier: MIT
 *
 * What is measured: the loss and the configured metrics, as columns with names and directions, and
 * which of them decides what is best.
 */
#ifndef SPUR_TRAINER_TRAIN_MEASURES_H
#define SPUR_TRAINER_TRAIN_MEASURES_H

#include <spur/data.h>
#include <spur/metrics.h>

#include "config/config.h"
#include "nn/metric.h"

enum { MOST_METRICS = 16, METRIC_NAME = 48 };

typedef struct measure {
    const spur__metric_kind *kind;
    void *options;
    char name[METRIC_NAME];
} measure;

typedef struct measures {
    measure items[MOST_METRICS];
    size_t count;
    /* The monitor: a column of validation or of training, 0 the loss, i + 1 metric i. */
    bool monitor_validation, monitor_maximize;
    size_t monitor_column;
    char monitor_name[METRIC_NAME + 8]; /* "val_mean_iou" */
} measures;

/* Reads `train.metrics` and `train.monitor`. has_validation: there are data to validate on. */
spur_status measures_init(measures *m, const config *cfg, const spur_data_info *info,
                          bool has_validation, spur_error *err);
void measures_free(measures *m);

/* What one pass over data came to: the mean loss, and the values of the metrics. */
typedef struct pass_result {
    double loss;
    double values[MOST_METRICS];
} pass_result;

/* Collects batches. */
typedef struct pass {
    spur_tally *tally;
    double loss_sum; /* sum of loss * samples */
    double samples;
} pass;

spur_status pass_init(pass *p, const spur_data_info *info, spur_error *err);
void pass_free(pass *p);
void pass_reset(pass *p);
pass_result pass_finish(const pass *p, const measures *m);

/* Column c (0: the loss) of a result. */
double pass_column(const pass_result *r, size_t column);

#endif
