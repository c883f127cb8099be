/* SPDX-License-Identifier: MIT
 *
 * The metrics, each one a function of a tally. Where a denominator is zero the value is 0, as with
 * scikit-learn's zero_division = 0. Means over classes take the classes that occur in truth or
 * prediction.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "nn/kind.h"
#include "nn/metric.h"

/* What a class got right and wrong. */
typedef struct score {
    double hit; /* truth and prediction */
    double truth; /* truth in all (support) */
    double predicted; /* prediction in all */
} score;

static score score_of(const spur_tally *t, int c) {
    score s = {.hit = (double)t->confusion[c * t->classes + c]};
    for (int i = 0; i < t->classes; i++) {
        s.truth += (double)t->confusion[c * t->classes + i];
        s.predicted += (double)t->confusion[i * t->classes + c];
    }
    return s;
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static double precision(score s) {
    return ratio(s.hit, s.predicted);
}

static double recall(score s) {
    return ratio(s.hit, s.truth);
}

static double f1(score s) {
    return ratio(2 * s.hit, s.truth + s.predicted);
}

static double iou(score s) {
    return ratio(s.hit, s.truth + s.predicted - s.hit);
}

/* ---- options of the metrics over classes ------------------------------------------------------ */

enum { MACRO, MICRO, WEIGHTED };
enum { ALL_CLASSES = -1 };

typedef struct class_options {
    int64_t average;
    int64_t class;
} class_options;

#define CLASS_ROWS(of_)                                                                            \
    SPUR__ROW(CHOICE, class_options, average, "macro", .choices = "macro|micro|weighted",          \
              .help =                                                                              \
                  of_ ": mean over classes, over all decisions, or over classes by their size"),   \
        SPUR__ROW(INT, class_options, class, "all", .max = 1e6, .choices = "all",                  \
                  .help = "one class alone, by its index")

static const spur__option class_rows[] = {CLASS_ROWS("how classes are averaged")};
static const spur__options class_table = SPUR__OPTIONS(class_rows, class_options);

static double average(const spur_tally *t, const void *options, double (*of)(score)) {
    const class_options *o = options;
    score total = {0};
    double sum = 0, weights = 0;
    if (o->class != ALL_CLASSES) return o->class < t->classes ? of(score_of(t, (int)o->class)) : 0;
    for (int c = 0; c < t->classes; c++) {
        score s = score_of(t, c);
        if (s.truth + s.predicted == 0) continue;
        double weight = o->average == WEIGHTED ? s.truth : 1;
        total.hit += s.hit;
        total.truth += s.truth;
        total.predicted += s.predicted;
        sum += weight * of(s);
        weights += weight;
    }
    return o->average == MICRO ? of(total) : ratio(sum, weights);
}

static void class_label(const char *name, const void *options, char *text, size_t size) {
    static const char *const suffixes[] = {"", "_micro", "_weighted"};
    const class_options *o = options;
    if (o->class != ALL_CLASSES)
        snprintf(text, size, "%s_class_%lld", name, (long long)o->class);
    else
        snprintf(text, size, "%s%s", name, suffixes[o->average]);
}

/* Declares a metric that is an average over classes. */
#define CLASS_METRIC(row_, name_, of_, help_)                                                      \
    static double row_##_value(const spur_tally *t, const void *o) {                               \
        return average(t, o, of_);                                                                 \
    }                                                                                              \
    static double row_##_class(const spur_tally *t, int c) {                                       \
        return of_(score_of(t, c));                                                                \
    }                                                                                              \
    static void row_##_label(const void *o, char *text, size_t size) {                             \
        class_label(name_, o, text, size);                                                         \
    }                                                                                              \
    const spur__metric_kind spur__metric_##row_ = {                                                \
        .kind = {name_, help_, &class_table},                                                      \
        .task = SPUR__METRIC_CLASSES,                                                              \
        .maximize = true,                                                                          \
        .value = row_##_value,                                                                     \
        .of_class = row_##_class,                                                                  \
        .label = row_##_label,                                                                     \
    }

CLASS_METRIC(precision, "precision", precision, "share of the predictions that are right");
CLASS_METRIC(recall, "recall", recall, "share of the truths that were found");
CLASS_METRIC(f1, "f1", f1, "harmonic mean of precision and recall");
CLASS_METRIC(iou, "iou", iou, "intersection over union");
CLASS_METRIC(dice, "dice", f1, "twice the intersection over the sum of both");

/* ---- the others ---------------------------------------------------------------------------------- */

static double accuracy_value(const spur_tally *t, const void *options) {
    double hits = 0;
    (void)options;
    for (int c = 0; c < t->classes; c++) hits += (double)t->confusion[c * t->classes + c];
    return ratio(hits, (double)t->count);
}

static double recall_class_of(const spur_tally *t, int c) {
    return recall(score_of(t, c));
}

const spur__metric_kind spur__metric_accuracy = {
    .kind = {"accuracy", "share of samples whose class is right", NULL},
    .task = SPUR__METRIC_CLASSES,
    .maximize = true,
    .value = accuracy_value,
    .of_class = recall_class_of,
};

const spur__metric_kind spur__metric_pixel_accuracy = {
    .kind = {"pixel_accuracy", "share of pixels whose class is right", NULL},
    .task = SPUR__METRIC_CLASSES,
    .maximize = true,
    .value = accuracy_value,
    .of_class = recall_class_of,
};

static double mean_iou_value(const spur_tally *t, const void *options) {
    (void)options;
    return average(t, &(class_options){MACRO, ALL_CLASSES}, iou);
}

static double iou_class_of(const spur_tally *t, int c) {
    return iou(score_of(t, c));
}

const spur__metric_kind spur__metric_mean_iou = {
    .kind = {"mean_iou", "mean over classes of intersection over union", NULL},
    .task = SPUR__METRIC_CLASSES,
    .maximize = true,
    .value = mean_iou_value,
    .of_class = iou_class_of,
};

typedef struct top_options {
    int64_t k;
} top_options;

static const spur__option top_rows[] = {
    SPUR__ROW(INT, top_options, k, "5", .min = 1, .max = 1e6, .help = "how many guesses count"),
};
static const spur__options top_table = SPUR__OPTIONS(top_rows, top_options);

static double top_value(const spur_tally *t, const void *options) {
    double hits = 0;
    for (int i = 0; i < t->classes && i < ((const top_options *)options)->k; i++)
        hits += (double)t->ranks[i];
    return ratio(hits, (double)t->count);
}

static void top_label(const void *options, char *text, size_t size) {
    snprintf(text, size, "top_%lld_accuracy", (long long)((const top_options *)options)->k);
}

const spur__metric_kind spur__metric_top_k = {
    .kind = {"top_k", "share of samples whose class is among the k most likely", &top_table},
    .task = SPUR__METRIC_CLASSES,
    .maximize = true,
    .value = top_value,
    .label = top_label,
};

static double mae_value(const spur_tally *t, const void *options) {
    (void)options;
    return ratio(t->absolute, (double)t->count);
}

static double mse_value(const spur_tally *t, const void *options) {
    (void)options;
    return ratio(t->squared, (double)t->count);
}

const spur__metric_kind spur__metric_mae = {
    .kind = {"mae", "mean absolute error", NULL},
    .task = SPUR__METRIC_VALUES,
    .value = mae_value,
};

const spur__metric_kind spur__metric_mse = {
    .kind = {"mse", "mean squared error", NULL},
    .task = SPUR__METRIC_VALUES,
    .value = mse_value,
};

void spur__metric_label(const spur__metric_kind *kind, const void *options, char *text,
                        size_t size) {
    if (kind->label && options)
        kind->label(options, text, size);
    else
        snprintf(text, size, "%s", kind->kind.name);
}

/* ---- by name --------------------------------------------------------------------------------------- */

static spur_status find(const spur_tally *tally, const char *name, const spur__metric_kind **metric,
                        spur_error *err) {
    spur_error own = {0};
    const spur__kind *kind = spur__family_find(&spur__metric_family, name, err ? err : &own);
    if (!kind) return err ? err->status : own.status;
    *metric = (const spur__metric_kind *)(const void *)kind;
    bool of_classes = (*metric)->task == SPUR__METRIC_CLASSES;
    if (of_classes && tally->classes == 0)
        return spur__fail(err, SPUR_E_STATE, "metric %s: it needs classes, the tally has none",
                          name);
    if (!of_classes && tally->classes > 0)
        return spur__fail(err, SPUR_E_STATE, "metric %s: it needs numbers, the tally has classes",
                          name);
    return SPUR_OK;
}

static spur_status check_class(const spur__kind *kind, const void *options, int classes,
                               spur_error *err) {
    const class_options *o = options;
    if (kind->options != &class_table || o->class < classes) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "metric %s: found class %lld, expected 0 to %d",
                      kind->name, (long long)o->class, classes - 1);
}

spur_status spur_metric(const spur_tally *tally, const char *name, const char *options,
                        double *value, spur_error *err) {
    const spur__metric_kind *metric = NULL;
    void *parsed;
    SPUR__TRY(find(tally, name, &metric, err));
    SPUR__TRY(spur__kind_options_create(&metric->kind, "metric", options, &parsed, err));
    spur_status status = check_class(&metric->kind, parsed, tally->classes, err);
    if (status == SPUR_OK) *value = metric->value(tally, parsed);
    spur__kind_options_free(&metric->kind, parsed);
    return status;
}

spur_status spur_metric_per_class(const spur_tally *tally, const char *name, double *values,
                                  spur_error *err) {
    const spur__metric_kind *metric = NULL;
    SPUR__TRY(find(tally, name, &metric, err));
    if (!metric->of_class)
        return spur__fail(err, SPUR_E_UNSUPPORTED, "metric %s: it has no value per class", name);
    for (int c = 0; c < tally->classes; c++) values[c] = metric->of_class(tally, c);
    return SPUR_OK;
}
