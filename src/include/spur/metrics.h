/* SPDX-License-Identifier: MIT
 *
 * Metrics. A tally collects what was predicted against what was true; every metric is a function
 * of a tally. One tally per batch, merged into one per epoch, gives both forms:
 *
 *     spur_tally *batch = spur_tally_create(10, NULL), *epoch = spur_tally_create(10, NULL);
 *     spur_tally_reset(batch);
 *     spur_tally_add(batch, logits, rows, 10, labels);
 *     spur_tally_merge(epoch, batch);
 *     spur_metric(epoch, "f1", "average=macro", &value, &err);
 */
#ifndef SPUR_METRICS_H
#define SPUR_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <spur/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spur_tally spur_tally;

typedef struct spur_tally_options {
    bool ignore; /* labels equal to ignore_index do not count; else -100 does not */
    int ignore_index;
    double threshold; /* of the probability of a single logit [0.5] */
} spur_tally_options;

/* classes: 0 for regression. NULL when out of memory, and for a negative number. */
SPUR_API spur_tally *spur_tally_create(int classes, const spur_tally_options *options);
SPUR_API void spur_tally_destroy(spur_tally *tally);
SPUR_API void spur_tally_reset(spur_tally *tally);

/* logits: [rows][width], width = classes, or 1 for two classes; labels: [rows]. Rows are samples or
 * pixels. E_RANGE, nothing counted, for a label out of range; E_SHAPE for another width. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_tally_add(spur_tally *tally, const float *logits,
                                                     size_t rows, int width, const int32_t *labels,
                                                     spur_error *err);

/* Soft targets [rows][width]: the largest is the label (width 1: above one half is class 1). */
SPUR_API SPUR_WARN_UNUSED spur_status spur_tally_add_soft(spur_tally *tally, const float *logits,
                                                          size_t rows, int width,
                                                          const float *targets, spur_error *err);

/* Numbers, for mae and mse: outputs and targets [count]. Does nothing where classes are counted. */
SPUR_API void spur_tally_add_values(spur_tally *tally, const float *outputs, size_t count,
                                    const float *targets);

/* Adds what `from` holds; nothing if it has another number of classes. */
SPUR_API void spur_tally_merge(spur_tally *tally, const spur_tally *from);

SPUR_API int spur_tally_classes(const spur_tally *tally);
/* Rows (or numbers) that were counted. */
SPUR_API uint64_t spur_tally_count(const spur_tally *tally);
/* The confusion matrix: how many of class `truth` were taken for `predicted`. */
SPUR_API uint64_t spur_tally_confusion(const spur_tally *tally, int truth, int predicted);

/* accuracy, top_k, precision, recall, f1, iou, mean_iou, dice, pixel_accuracy, mae, mse.
 * `options` as for optimizers ("average=micro"), or NULL; docs/options.md lists them. A ratio over
 * nothing is 0. E_NOTFOUND for an unknown name, E_RANGE for a class that there is not, E_STATE for a
 * metric of classes where there are none and for one of numbers where classes are counted. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_metric(const spur_tally *tally, const char *name,
                                                  const char *options, double *value,
                                                  spur_error *err);

/* One value per class into values[classes]; E_UNSUPPORTED for metrics without such a form. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_metric_per_class(const spur_tally *tally,
                                                            const char *name, double *values,
                                                            spur_error *err);

/* Precision, recall, F1 and support of every class and their means, as scikit-learn's
 * classification_report prints them. names: [classes], or NULL for numbers. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_classification_report(const spur_tally *tally,
                                                                 const char *const *names,
                                                                 FILE *out);

#ifdef __cplusplus
}
#endif

#endif
