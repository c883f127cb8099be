/* SPDX-License-Identifier: MIT
 *
 * What the numbers say, and what they do not; see report.h. Tables are in report_table.c.
 */
#include "sweep/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sweep/stats.h"

#define LEVEL 0.05
#define POWER 0.8

void report_free(report *r) {
    for (size_t i = 0; i < r->group_count; i++) {
        spur__free(r->groups[i].label);
        spur__free(r->groups[i].values);
        spur__free(r->groups[i].seeds);
        for (size_t k = 0; k < REPORT_OTHERS; k++) spur__free(r->groups[i].others[k]);
    }
    for (size_t k = 0; k < REPORT_OTHERS; k++) spur__free(r->others[k]);
    for (size_t f = 0; f < r->factor_count; f++) {
        for (size_t v = 0; v < r->factors[f].value_count; v++) spur__free(r->factors[f].values[v]);
        spur__free(r->factors[f].values);
        spur__free(r->factors[f].of_group);
        spur__free(r->factors[f].name);
    }
    spur__free(r->groups);
    spur__free(r->factors);
    spur__free(r->metric);
    *r = (report){0};
}

bool report_group_init(report_group *g, char *label, size_t runs, size_t others) {
    *g = (report_group){.label = label};
    g->values = spur__malloc_array(runs + 1, sizeof *g->values);
    g->seeds = spur__malloc_array(runs + 1, sizeof *g->seeds);
    bool complete = label && g->values && g->seeds;
    for (size_t k = 0; k < others; k++) {
        g->others[k] = spur__malloc_array(runs + 1, sizeof *g->others[k]);
        complete = complete && g->others[k];
    }
    return complete;
}

void report_group_add(report_group *g, const double *numbers, size_t others, long long seed) {
    if (!isnan(numbers[0])) {
        g->values[g->count] = numbers[0];
        g->seeds[g->count++] = seed;
    }
    for (size_t k = 0; k < others; k++)
        if (!isnan(numbers[k + 1])) g->others[k][g->other_counts[k]++] = numbers[k + 1];
}

/* A key that sorts best first. */
static double rank_key(const report *r, size_t i) {
    double mean = stats_summarize(r->groups[i].values, r->groups[i].count).mean;
    return isnan(mean) ? INFINITY : r->maximize ? -mean : mean;
}

void report_sort(report *r) {
    for (size_t i = 1; i < r->group_count; i++) {
        for (size_t j = i; j > 0 && rank_key(r, j) < rank_key(r, j - 1); j--) {
            report_group swap = r->groups[j];
            r->groups[j] = r->groups[j - 1];
            r->groups[j - 1] = swap;
            for (size_t f = 0; f < r->factor_count; f++) {
                size_t *of = r->factors[f].of_group, index = of[j];
                of[j] = of[j - 1];
                of[j - 1] = index;
            }
        }
    }
}

bool report_p_values(const report *r, double *p) {
    double *raw = spur__malloc_array(2 * r->group_count + 1, sizeof *raw);
    if (!raw) return false;
    raw[0] = NAN;
    for (size_t i = 1; i < r->group_count; i++)
        raw[i] = stats_welch(r->groups[0].values, r->groups[0].count, r->groups[i].values,
                             r->groups[i].count)
                     .p;
    stats_holm(raw, r->group_count, p, raw + r->group_count);
    spur__free(raw);
    return true;
}

static void put_mean(const report_group *g, spur__str *out) {
    summary_stats s = stats_summarize(g->values, g->count);
    spur__str_printf(out, "%.4g", s.mean);
    if (s.n > 1) spur__str_printf(out, " +- %.2g", s.std);
    spur__str_printf(out, " (n = %zu)", s.n);
}

/* Pairs with the same seed: Wilcoxon's p, NaN when the seeds do not match. */
static double paired_p(const report_group *a, const report_group *b) {
    if (a->count != b->count || a->count < 2) return NAN;
    for (size_t i = 0; i < a->count; i++)
        if (a->seeds[i] != b->seeds[i]) return NAN;
    return stats_wilcoxon(a->values, b->values, a->count).p;
}

static void put_real(const report_group *best, const report_group *g, double p, spur__str *out) {
    welch_result w = stats_welch(best->values, best->count, g->values, g->count);
    double paired = paired_p(best, g),
           size = stats_hedges_g(best->values, best->count, g->values, g->count);
    spur__str_printf(out, "  %s: difference %.3g, 95 %% interval [%.3g, %.3g], p = %.2g", g->label,
                     w.difference, w.low, w.high, p);
    if (isfinite(size)) spur__str_printf(out, ", effect g = %.1f", fabs(size));
    if (isfinite(paired)) spur__str_printf(out, ", Wilcoxon p = %.2g", paired);
    spur__str_putc(out, '\n');
}

/* The number of seeds holds for all comparisons together, as the p-value does, and is more than
 * those that did not suffice. */
static void put_unproved(const report_group *best, const report_group *g, double p,
                         size_t comparisons, spur__str *out) {
    double size = stats_hedges_g(best->values, best->count, g->values, g->count);
    size_t runs = best->count > g->count ? best->count : g->count;
    spur__str_printf(out, "  %s: p = %.2g", g->label, p);
    if (isfinite(size) && fabs(size) > 0.05) {
        size_t needed = stats_runs_needed(size, LEVEL / (double)comparisons, POWER);
        spur__str_printf(out, "; a difference of this size would need about %zu seeds each",
                         needed > runs ? needed : runs + 1);
    } else {
        spur__str_puts(out, "; the means are practically equal");
    }
    spur__str_putc(out, '\n');
}

/* Every group whose p-value is on the wanted side of the level. */
static void put_group_of(const report *r, const double *p, bool real, spur__str *out) {
    size_t told = 0, comparisons = 0;
    for (size_t i = 1; i < r->group_count; i++)
        if (!isnan(p[i])) comparisons++;
    for (size_t i = 1; i < r->group_count; i++) {
        if (isnan(p[i]) || (p[i] < LEVEL) != real) continue;
        if (told++ == 0)
            spur__str_puts(out, real ? "Really worse (Welch's t test, Holm-corrected, 5 %):\n"
                                     : "No evidence of a difference from the best:\n");
        if (real)
            put_real(&r->groups[0], &r->groups[i], p[i], out);
        else
            put_unproved(&r->groups[0], &r->groups[i], p[i], comparisons, out);
    }
}

/* True when some comparison cannot be made because a side was run once only. */
static bool has_single_run(const report *r) {
    for (size_t i = 0; i < r->group_count && r->group_count > 1; i++)
        if (r->groups[i].count == 1) return true;
    return false;
}

static bool has_pruned_run(const report *r) {
    for (size_t i = 0; i < r->group_count; i++)
        if (r->groups[i].pruned > 0) return true;
    return false;
}

void report_statements(const report *r, spur__str *out) {
    if (r->group_count == 0 || r->groups[0].count == 0) {
        spur__str_puts(out, "No run has finished with a value: there is nothing to compare.\n");
        return;
    }
    spur__str_printf(out, "Best %s: %s: ", r->metric, r->groups[0].label);
    put_mean(&r->groups[0], out);
    spur__str_putc(out, '\n');
    double *p = spur__malloc_array(r->group_count, sizeof *p);
    if (!p || !report_p_values(r, p)) {
        spur__free(p);
        return;
    }
    put_group_of(r, p, true, out);
    put_group_of(r, p, false, out);
    if (has_pruned_run(r))
        spur__str_puts(out, "A run that was pruned counts with its best value until then: where it "
                            "stands lower,\nit may be for that.\n");
    if (has_single_run(r))
        spur__str_puts(out,
                       "With a single run of a configuration nothing can be said about chance: "
                       "repeat with\n`seeds = 1..5` before believing a difference.\n");
    spur__free(p);
}

/* ---- importance ---------------------------------------------------------------------------- */

typedef struct weight {
    const report_factor *factor;
    double share;
} weight;

static int by_share(const void *a, const void *b) {
    double x = ((const weight *)a)->share, y = ((const weight *)b)->share;
    x = isnan(x) ? -1 : x;
    y = isnan(y) ? -1 : y;
    return (x < y) - (x > y);
}

/* All runs in a row: value and the factor's value; absent ones are a class of their own. */
static double share_of(const report *r, const report_factor *f, double *values, size_t *classes,
                       double *scratch) {
    size_t n = 0;
    for (size_t g = 0; g < r->group_count; g++) {
        for (size_t i = 0; i < r->groups[g].count; i++) {
            values[n] = r->groups[g].values[i];
            classes[n++] = f->of_group[g] == SIZE_MAX ? f->value_count : f->of_group[g];
        }
    }
    return stats_importance(values, classes, n, f->value_count + 1, scratch);
}

/* True when two groups differ in the factor: of one that nobody varied nothing can be said. */
static bool is_varied(const report *r, const report_factor *f) {
    for (size_t g = 1; g < r->group_count; g++)
        if (f->of_group[g] != f->of_group[0]) return true;
    return false;
}

void report_importance(const report *r, spur__str *out) {
    size_t runs = 0, most = 0;
    for (size_t g = 0; g < r->group_count; g++) runs += r->groups[g].count;
    for (size_t f = 0; f < r->factor_count; f++)
        if (r->factors[f].value_count > most) most = r->factors[f].value_count;
    double *values = spur__malloc_array(runs + 2 * (most + 1) + 1, sizeof *values);
    size_t *classes = spur__malloc_array(runs + 1, sizeof *classes);
    weight *weights = spur__calloc(r->factor_count + 1, sizeof *weights);
    if (values && classes && weights && runs > 2 && r->factor_count > 0) {
        for (size_t f = 0; f < r->factor_count; f++)
            weights[f] = (weight){&r->factors[f],
                                  share_of(r, &r->factors[f], values, classes, values + runs)};
        qsort(weights, r->factor_count, sizeof *weights, by_share);
        spur__str_puts(out, "What matters (share of the variance between runs, less chance):\n");
        for (size_t f = 0; f < r->factor_count; f++)
            if (isfinite(weights[f].share) && is_varied(r, weights[f].factor))
                spur__str_printf(out, "  %5.1f %%  %s\n", 100 * weights[f].share,
                                 weights[f].factor->name);
    }
    spur__free(weights);
    spur__free(classes);
    spur__free(values);
}
