/* SPDX-License-Identifier: MIT
 *
 * Counting predictions against truths. Counts are whole numbers and errors are summed in the order
 * of the rows, so the order of calls alone decides the bits.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "nn/metric.h"

enum { TORCH_IGNORE = -100 }; /* ignored where nothing else is said, as the losses do */

void spur_tally_destroy(spur_tally *tally) {
    if (!tally) return;
    spur__free(tally->confusion);
    spur__free(tally->ranks);
    spur__free(tally);
}

spur_tally *spur_tally_create(int classes, const spur_tally_options *options) {
    spur_tally *tally = spur__calloc(1, sizeof *tally);
    if (!tally || classes < 0) {
        spur__free(tally);
        return NULL;
    }
    size_t n = (size_t)classes, cells = 0;
    double threshold = options && options->threshold > 0 ? options->threshold : 0.5;
    tally->classes = classes;
    tally->ignore = options && options->ignore;
    tally->ignore_index = tally->ignore ? options->ignore_index : TORCH_IGNORE;
    tally->threshold_logit = threshold < 1 ? (float)log(threshold / (1 - threshold)) : INFINITY;
    if (!spur__mul(n, n, &cells) ||
        !(tally->confusion = spur__calloc(cells + 1, sizeof(uint64_t))) ||
        !(tally->ranks = spur__calloc(n + 1, sizeof(uint64_t)))) {
        spur_tally_destroy(tally);
        return NULL;
    }
    return tally;
}

void spur_tally_reset(spur_tally *tally) {
    size_t n = (size_t)tally->classes;
    memset(tally->confusion, 0, n * n * sizeof(uint64_t));
    memset(tally->ranks, 0, n * sizeof(uint64_t));
    tally->count = 0;
    tally->absolute = tally->squared = 0;
}

/* Index of the first largest of n values. */
static int argmax(const float *x, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

/* How many values are larger than x[at], or equal and before it. */
static int rank_of(const float *x, int n, int at) {
    int rank = 0;
    for (int i = 0; i < n; i++) rank += x[i] > x[at] || (x[i] == x[at] && i < at);
    return rank;
}

static void count_row(spur_tally *tally, const float *logits, int width, int truth) {
    int predicted, rank;
    if (width == 1) {
        predicted = logits[0] > tally->threshold_logit;
        rank = predicted != truth;
    } else {
        predicted = argmax(logits, width);
        rank = predicted == truth ? 0 : rank_of(logits, width, truth);
    }
    tally->confusion[truth * tally->classes + predicted]++;
    tally->ranks[rank]++;
    tally->count++;
}

static spur_status check_width(const spur_tally *tally, int width, spur_error *err) {
    if (tally->classes >= 2 && (width == tally->classes || (width == 1 && tally->classes == 2)))
        return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "metrics: found %d outputs, expected %d classes", width,
                      tally->classes);
}

spur_status spur_tally_add(spur_tally *tally, const float *logits, size_t rows, int width,
                           const int32_t *labels, spur_error *err) {
    SPUR__TRY(check_width(tally, width, err));
    for (size_t r = 0; r < rows; r++)
        if (labels[r] != tally->ignore_index && (labels[r] < 0 || labels[r] >= tally->classes))
            return spur__fail(err, SPUR_E_RANGE,
                              "metrics: found label %d in row %zu, expected 0 to %d", labels[r], r,
                              tally->classes - 1);
    for (size_t r = 0; r < rows; r++)
        if (labels[r] != tally->ignore_index)
            count_row(tally, logits + r * (size_t)width, width, labels[r]);
    return SPUR_OK;
}

spur_status spur_tally_add_soft(spur_tally *tally, const float *logits, size_t rows, int width,
                                const float *targets, spur_error *err) {
    SPUR__TRY(check_width(tally, width, err));
    for (size_t r = 0; r < rows; r++) {
        const float *t = targets + r * (size_t)width;
        int truth = width == 1 ? t[0] > 0.5f : argmax(t, width);
        count_row(tally, logits + r * (size_t)width, width, truth);
    }
    return SPUR_OK;
}

void spur_tally_add_values(spur_tally *tally, const float *outputs, size_t count,
                           const float *targets) {
    if (tally->classes > 0) return;
    for (size_t i = 0; i < count; i++) {
        double error = (double)outputs[i] - (double)targets[i];
        tally->absolute += fabs(error);
        tally->squared += error * error;
    }
    tally->count += count;
}

void spur_tally_merge(spur_tally *tally, const spur_tally *from) {
    size_t n = (size_t)tally->classes;
    if (tally->classes != from->classes) return;
    for (size_t i = 0; i < n * n; i++) tally->confusion[i] += from->confusion[i];
    for (size_t i = 0; i < n; i++) tally->ranks[i] += from->ranks[i];
    tally->count += from->count;
    tally->absolute += from->absolute;
    tally->squared += from->squared;
}

int spur_tally_classes(const spur_tally *tally) {
    return tally->classes;
}

uint64_t spur_tally_count(const spur_tally *tally) {
    return tally->count;
}

uint64_t spur_tally_confusion(const spur_tally *tally, int truth, int predicted) {
    int n = tally->classes;
    if (truth < 0 || truth >= n || predicted < 0 || predicted >= n) return 0;
    return tally->confusion[truth * n + predicted];
}
