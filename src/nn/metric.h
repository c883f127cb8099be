/* SPDX-License-Identifier: MIT
 *
 * What a metric is: a row with its options, its direction, and a function of a tally.
 */
#ifndef SPUR_NN_METRIC_H
#define SPUR_NN_METRIC_H

#include <spur/metrics.h>
#include "base/options.h"

struct spur_tally {
    int classes;
    bool ignore;
    int ignore_index;
    float threshold_logit;
    uint64_t count; /* rows counted, or values */
    uint64_t *confusion; /* [classes][classes]: truth, predicted */
    uint64_t *ranks; /* [classes]: how often that many classes had a larger logit than the truth */
    double absolute, squared; /* sums of errors */
};

typedef enum spur__metric_task {
    SPUR__METRIC_CLASSES, /* needs classes */
    SPUR__METRIC_VALUES
} spur__metric_task;

typedef struct spur__metric_kind {
    spur__kind kind;
    spur__metric_task task;
    bool maximize; /* larger is better */
    double (*value)(const spur_tally *tally, const void *options);
    double (*of_class)(const spur_tally *tally, int class); /* NULL: no such form */
    /* The name in logs and CSV where the options change it ("top_3"); NULL: the kind's name. */
    void (*label)(const void *options, char *text, size_t size);
} spur__metric_kind;

extern const spur__metric_kind spur__metric_accuracy, spur__metric_top_k, spur__metric_precision,
    spur__metric_recall, spur__metric_f1, spur__metric_iou, spur__metric_mean_iou,
    spur__metric_dice, spur__metric_pixel_accuracy, spur__metric_mae, spur__metric_mse;
extern const spur__family spur__metric_family;

/* The label in logs: the kind's, or what its options make of it. */
void spur__metric_label(const spur__metric_kind *kind, const void *options, char *text,
                        size_t size);

#endif
