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
#include "output/table.h"

enum { REPORT_OTHERS = 8 };

/* Runs that differ in their seed only. values[i] belongs to seeds[i]; all groups have theirs in one order. */
typedef struct report_group {
    char *label;
    double *values; /* of the metric that is compared */
    long long *seeds;
    size_t count;
    double *others[REPORT_OTHERS]; /* of the metrics shown beside it */
    size_t other_counts[REPORT_OTHERS];
    size_t failed, pruned; /* runs without a value, runs stopped early */
    size_t unfinished; /* runs of a sweep that have not come to their end: they may yet */
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
    char *others[REPORT_OTHERS]; /* names of the metrics shown beside it */
    size_t other_count;
    report_group *groups;
    size_t group_count;
    report_factor *factors;
    size_t factor_count;
    bool mixed; /* of a sweep whose options changed while it went on */
    size_t repeated; /* runs left out, as another of their seed counts for the configuration */
} report;

void report_free(report *r);

/* An empty group for up to `runs` runs; takes the label over (also on failure). False when out of
 * memory or the label is NULL. */
bool report_group_init(report_group *g, char *label, size_t runs, size_t others);

/* Adds a run: numbers[0] is of the metric compared, the others follow. Not finite: it has none. */
void report_group_add(report_group *g, const double *numbers, size_t others, long long seed);

/* Best first; groups in which runs failed or did not finish behind those in which all did, groups
 * without a value last. */
void report_sort(report *r);

/* The table for people; `most` rows (0: all). */
void report_text(const report *r, size_t most, spur__str *out);

/* The table for programs and papers. JSON is an object that also has every run's value. */
spur_status report_write(const report *r, table_format format, FILE *file);

/* The group that the others of a sorted report are compared with: the best one with several runs,
 * if there is one among those that rank as high as the first. */
size_t report_reference(const report *r);

/* "2 of 3 seeds failed, 1 unfinished" */
void report_put_missing(const report_group *g, spur__str *out);

/* Sentences: the best group, what is really worse, what shows no evidence, what would be needed.
 * A t test against the reference (evidence.h), Holm-corrected for all pairs of groups, at 5 %; with the same
 * seeds on both sides also Wilcoxon's signed-rank test. At most `most` groups of each kind (0: all). */
void report_statements(const report *r, size_t most, spur__str *out);

/* Share of the variance between runs that each factor explains, largest first (importance.h). */
void report_importance(const report *r, spur__str *out);

/* p-values of every group against the reference, Holm-corrected for all pairs, into p[group_count];
 * NaN for the reference and where nothing can be tested. False when out of memory. */
bool report_p_values(const report *r, double *p);

#endif
