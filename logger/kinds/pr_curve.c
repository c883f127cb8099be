/* SPDX-License-Identifier: MIT
 *
 * Precision-recall curves: DT_FLOAT of shape [6, T], rows true positives, false positives, true
 * negatives, false negatives, precision, recall; threshold i is i / (T - 1). As TensorBoard's own
 * summary makes them: a score falls into bucket floor(score * (T - 1)), rounded to float before the
 * floor, so that a score of 0.29 reaches the threshold of 0.29; the counts at a threshold are sums
 * over the buckets from it on.
 */
#include <math.h>
#include <string.h>

#include "kinds/array.h"
#include "base/memory.h"
#include "plugin.pb-c.h"
#include "kinds/tensor.h"
#include "write/writer.h"

enum { THRESHOLDS_DEFAULT = 201, THRESHOLDS_MAX = 100000, ROWS = 6, CONTENT_MAX = 16 };
enum { TP, FP, TN, FN, PRECISION, RECALL };

static spur_status check_thresholds(int t, spur_error *err) {
    if (t >= 2 && t <= THRESHOLDS_MAX) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "%d thresholds, expected 2 to %d", t, THRESHOLDS_MAX);
}

static spur_status check_predictions(const spur_log_predictions *p, spur_error *err) {
    if (!p || (p->count && (!p->labels || !p->scores)))
        return spur__fail(err, SPUR_E_ARGUMENT, "the predictions are NULL");
    for (size_t i = 0; i < p->count; i++) {
        if (p->labels[i] > 1)
            return spur__fail(err, SPUR_E_RANGE, "label %zu is %d, expected 0 or 1", i,
                              p->labels[i]);
        if (!(p->scores[i] >= 0.0f && p->scores[i] <= 1.0f))
            return spur__fail(err, SPUR_E_RANGE, "score %zu is %g, expected 0 to 1", i,
                              (double)p->scores[i]);
        if (p->weights && !(p->weights[i] >= 0.0f && isfinite(p->weights[i])))
            return spur__fail(err, SPUR_E_RANGE, "weight %zu is %g, expected 0 or more", i,
                              (double)p->weights[i]);
    }
    return SPUR_OK;
}

/* sums[TP], sums[FP]: per-bucket weights, then their sums from each bucket to the end. */
static void count_buckets(const spur_log_predictions *p, double *tp, double *fp, size_t t) {
    for (size_t i = 0; i < p->count; i++) {
        size_t bucket = (size_t)floorf(p->scores[i] * (float)(t - 1));
        double weight = p->weights ? (double)p->weights[i] : 1.0;
        (p->labels[i] ? tp : fp)[bucket] += weight;
    }
    for (size_t i = t - 1; i-- > 0;) {
        tp[i] += tp[i + 1];
        fp[i] += fp[i + 1];
    }
}

static double ratio(double part, double whole) {
    return part / fmax(1e-7, whole);
}

static void fill_ratios(double *rows, size_t t) {
    for (size_t i = 0; i < t; i++) {
        rows[PRECISION * t + i] = ratio(rows[TP * t + i], rows[TP * t + i] + rows[FP * t + i]);
        rows[RECALL * t + i] = ratio(rows[TP * t + i], rows[TP * t + i] + rows[FN * t + i]);
    }
}

/* rows: [6, t]. */
static spur_status write_curve(spur_writer *w, const char *tag, int64_t step, const double *rows,
                               size_t t, const spur_log_options *options) {
    uint8_t content[CONTENT_MAX];
    int64_t dims[2] = {ROWS, (int64_t)t};
    spur__tensor tensor;
    spur_log_options shown = options ? *options : (spur_log_options){0};
    Spur__Tb__PrCurvePluginData data = SPUR__TB__PR_CURVE_PLUGIN_DATA__INIT;
    float *values = spur__malloc_array(ROWS * t, sizeof *values);
    if (!values) return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "a PR curve: out of memory");
    for (size_t i = 0; i < ROWS * t; i++) values[i] = (float)rows[i];
    if (!shown.display_name) shown.display_name = tag;
    data.num_thresholds = (uint32_t)t;
    spur__tensor_init(&tensor, SPUR__TB__DATA_TYPE__DT_FLOAT, dims, 2);
    spur__tensor_bytes(&tensor, values, ROWS * t * sizeof *values);
    spur__entry entry = {.kind = SPUR__TAG_PR_CURVE,
                         .tag = tag,
                         .step = step,
                         .tensor = &tensor.proto,
                         .content = {spur__tb__pr_curve_plugin_data__pack(&data, content), content},
                         .options = &shown};
    spur_status status = spur__log_entry(w, &entry);
    spur__free(values);
    return status;
}

spur_status spur_log_pr_curve(spur_writer *w, const char *tag, int64_t step,
                              const spur_log_predictions *predictions,
                              const spur_log_pr_curve_options *options) {
    spur_error err;
    if (!spur__alive(w)) return SPUR_OK;
    int thresholds = options && options->thresholds ? options->thresholds : THRESHOLDS_DEFAULT;
    if (check_thresholds(thresholds, &err) != SPUR_OK ||
        check_predictions(predictions, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    size_t t = (size_t)thresholds;
    double *rows = spur__calloc(ROWS * t, sizeof *rows);
    if (!rows) return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "a PR curve: out of memory");
    count_buckets(predictions, rows + TP * t, rows + FP * t, t);
    for (size_t i = 0; i < t; i++) {
        rows[TN * t + i] = rows[FP * t] - rows[FP * t + i];
        rows[FN * t + i] = rows[TP * t] - rows[TP * t + i];
    }
    fill_ratios(rows, t);
    spur_status status = write_curve(w, tag, step, rows, t, options ? &options->log : NULL);
    spur__free(rows);
    return status;
}

static spur_status check_rows(const double *rows, size_t t, spur_error *err) {
    for (size_t i = 0; i < ROWS * t; i++)
        if (!isfinite(rows[i]) || rows[i] < 0.0)
            return spur__fail(err, SPUR_E_RANGE, "row %zu of the PR curve has %g at threshold %zu",
                              i / t, rows[i], i % t);
    return SPUR_OK;
}

spur_status spur_log_pr_curve_raw(spur_writer *w, const char *tag, int64_t step,
                                  const spur_log_pr_counts *c, const spur_log_options *options) {
    spur_error err;
    if (!spur__alive(w)) return SPUR_OK;
    if (!c || !c->true_positives || !c->false_positives || !c->true_negatives ||
        !c->false_negatives || !c->precision != !c->recall)
        return spur__point_failf(
            w, tag, step, SPUR_E_ARGUMENT,
            "a row of the PR curve is NULL (precision and recall go together)");
    if (check_thresholds(c->thresholds, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    size_t t = (size_t)c->thresholds;
    double *rows = spur__calloc(ROWS * t, sizeof *rows);
    if (!rows) return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "a PR curve: out of memory");
    const double *given[ROWS] = {c->true_positives,  c->false_positives, c->true_negatives,
                                 c->false_negatives, c->precision,       c->recall};
    for (size_t row = 0; row < ROWS; row++)
        if (given[row]) memcpy(rows + row * t, given[row], t * sizeof *rows);
    if (!c->precision) fill_ratios(rows, t);
    spur_status status = check_rows(rows, t, &err) == SPUR_OK
                             ? write_curve(w, tag, step, rows, t, options)
                             : spur__point_fail(w, tag, step, &err);
    spur__free(rows);
    return status;
}
