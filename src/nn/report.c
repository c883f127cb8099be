/* SPDX-License-Identifier: MIT
 *
 * The classification report, in the form of scikit-learn's.
 */
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "nn/metric.h"

enum { LABEL_MIN = 12, LABEL_MAX = 40 };

static const char *label_of(const char *const *names, int c, char buffer[16]) {
    if (names && names[c]) return names[c];
    snprintf(buffer, 16, "%d", c);
    return buffer;
}

static int label_width(const spur_tally *t, const char *const *names) {
    int width = LABEL_MIN;
    for (int c = 0; c < t->classes; c++) {
        char buffer[16];
        const char *label = label_of(names, c, buffer);
        size_t n = spur__utf8_columns(label, strlen(label));
        if ((int)n > width) width = n > LABEL_MAX ? LABEL_MAX : (int)n;
    }
    return width;
}

static uint64_t support_of(const spur_tally *t, int c) {
    uint64_t sum = 0;
    for (int i = 0; i < t->classes; i++) sum += t->confusion[c * t->classes + i];
    return sum;
}

/* In truth or prediction: other classes do not enter a mean, as everywhere (metrics.c). */
static bool occurs(const spur_tally *t, int c) {
    uint64_t sum = 0;
    for (int i = 0; i < t->classes; i++)
        sum += t->confusion[c * t->classes + i] + t->confusion[i * t->classes + c];
    return sum > 0;
}

static void print_row(FILE *out, int width, const char *label, const double values[3],
                      uint64_t support) {
    int shown = (int)spur__utf8_fitting(label, (size_t)width);
    int blanks = width - (int)spur__utf8_columns(label, (size_t)shown);
    fprintf(out, "%*s%.*s %9.4f %9.4f %9.4f %9llu\n", blanks, "", shown, label, values[0],
            values[1], values[2], (unsigned long long)support);
}

static const spur__metric_kind *const columns[3] = {&spur__metric_precision, &spur__metric_recall,
                                                    &spur__metric_f1};

/* The mean of each column over the classes; by_support: weighted by their size. */
static void print_mean(const spur_tally *t, FILE *out, int width, bool by_support) {
    double sums[3] = {0}, weights = 0;
    for (int c = 0; c < t->classes; c++) {
        double weight = by_support ? (double)support_of(t, c) : occurs(t, c) ? 1 : 0;
        for (int i = 0; i < 3; i++) sums[i] += weight * columns[i]->of_class(t, c);
        weights += weight;
    }
    for (int i = 0; i < 3; i++) sums[i] = weights > 0 ? sums[i] / weights : 0;
    print_row(out, width, by_support ? "weighted avg" : "macro avg", sums, t->count);
}

spur_status spur_classification_report(const spur_tally *t, const char *const *names, FILE *out) {
    if (t->classes == 0) return SPUR_E_STATE;
    int width = label_width(t, names);
    fprintf(out, "%*s %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score",
            "support");
    for (int c = 0; c < t->classes; c++) {
        char buffer[16];
        double values[3];
        for (int i = 0; i < 3; i++) values[i] = columns[i]->of_class(t, c);
        print_row(out, width, label_of(names, c, buffer), values, support_of(t, c));
    }
    double accuracy = spur__metric_accuracy.value(t, NULL);
    fprintf(out, "\n%*s %9s %9s %9.4f %9llu\n", width, "accuracy", "", "", accuracy,
            (unsigned long long)t->count);
    print_mean(t, out, width, false);
    print_mean(t, out, width, true);
    return ferror(out) ? SPUR_E_IO : SPUR_OK;
}
