/* SPDX-License-Identifier: MIT
 *
 * Comparing groups of runs honestly: a table of means and standard deviations, which difference is
 * real, what a parameter matters, and how many seeds would be needed where nothing can be said.
 */
#ifndef SPUR_TRAINER_SWEEP_REPORT_H
#define SPUR_TRAINER_SWEEP_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Runs that differ in their seed only. values[i] belongs to seeds[i]. */
typedef struct report_group {
    char *label;
    double *values;
    long long *seeds;
    size_t count;
    size_t failed, pruned; /* runs without a value, runs stopped early */
} report_group;

/* A varied parameter: which of its values each group has (index; SIZE_MAX: absent). */
typedef struct report_factor {
    char *name;
    char **values;
    size_t value_count;
    size_t *of_group;
} report_factor;

typedef struct report {
    char *metric;
    bool maximize;
    report_group *groups;
    size_t group_count;
    report_factor *factors;
    size_t factor_count;
} report;

typedef enum report_format {
    REPORT_TEXT,
    REPORT_CSV,
    REPORT_JSON,
    REPORT_MD,
    REPORT_LATEX
} report_format;

void report_free(report *r);

/* Best first; groups without a value last. */
void report_sort(report *r);

/* The table; `most` rows (0: all). */
void report_table(const report *r, report_format format, size_t most, spur__str *out);

/* Sentences: the best group, what is really worse, what shows no evidence, what would be needed.
 * Welch's t test against the best group, Holm-corrected, at 5 %; with the same seeds on both sides
 * also Wilcoxon's signed-rank test. */
void report_statements(const report *r, spur__str *out);

/* Share of the variance between runs that each factor explains, largest first. */
void report_importance(const report *r, spur__str *out);

/* p-values of every group against the first, Holm-corrected, into p[group_count]; p[0] is NaN.
 * False when out of memory. */
bool report_p_values(const report *r, double *p);

#endif
