/* SPDX-License-Identifier: MIT
 *
 * Which test for which runs; see evidence.h.
 */
#include "sweep/evidence.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define POWER 0.8
#define BLOCK_LEVEL 0.05 /* at which seeds are taken to go together; with two configurations: */
#define BLOCK_LEVEL_OF_TWO 0.01
#define EQUAL 0.05 /* sizes of effects up to which means are practically equal */
enum {
    LEAST_RUNS = 3, /* of a variance that counts */
    LEAST_GROUPS = 5, /* of the common variance of runs */
    TRIMMED_DF = 10, /* degrees of freedom from which on the wildest groups are left out */
    PRIOR_SHARE =
        4, /* the common variance of differences counts a quarter of its degrees of freedom */
    PRIOR_DF = 4 /* at most */
};

int evidence_digits(double p) {
    return fabs(p - EVIDENCE_LEVEL) < 0.0006 ? 3 : 2;
}

/* The pairs of configurations that could be tested. The reference is chosen by what is tested, so
 * that a comparison with it is one of all of these. */
static size_t count_pairs(const report *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->group_count; i++) n += r->groups[i].count >= 2;
    return n < 2 ? 0 : n * (n - 1) / 2;
}

/* ---- common variances ---------------------------------------------------------------------- */

/* How many of n configurations, with so many degrees of freedom in all, count no more than the wildest of the
 * others, so that one which diverges now and then does not hide what the others differ in. */
static size_t count_wild(size_t n, size_t df) {
    if (n < LEAST_GROUPS || df < TRIMMED_DF) return 0;
    return n < 16 ? 1 : n / 8;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The mean of n numbers, sorted here, of which the `wild` largest count as the next one. */
static double tame_mean(double *x, size_t n, size_t wild) {
    double sum = 0;
    qsort(x, n, sizeof *x, by_size);
    for (size_t i = 0; i < n; i++) sum += x[i < n - wild ? i : n - wild - 1];
    return sum / (double)n;
}

/* Of configurations with runs enough. NaN where there are few: it would not be known well enough. */
static double common_variance(const report *r, double *scratch) {
    size_t n = 0, df = 0;
    for (size_t i = 0; i < r->group_count; i++) {
        summary_stats s = stats_summarize(r->groups[i].values, r->groups[i].count);
        if (s.n < LEAST_RUNS) continue;
        scratch[n++] = s.std * s.std;
        df += s.n - 1;
    }
    return n < LEAST_GROUPS ? NAN : tame_mean(scratch, n, count_wild(n, df - df / n));
}

/* Twice the mean square that configurations and seeds leave, once the wildest configurations are out: they
 * would move the means of the seeds. `left`: what each row leaves, [count]; both are put in another order. */
static double common_difference(const double **rows, double *left, size_t count, size_t seeds) {
    size_t wild = count_wild(count, (count - 1) * (seeds - 1)), kept = count - wild;
    for (size_t last = count; last-- > kept;) {
        size_t most = 0;
        for (size_t i = 1; i <= last; i++)
            if (left[i] > left[most]) most = i;
        const double *row = rows[most];
        rows[most] = rows[last];
        rows[last] = row;
        left[most] = left[last];
    }
    stats_blocks(rows, kept, seeds, left);
    double all = tame_mean(left, kept, 0) * (double)kept; /* sorted: the largest is the last */
    all += (double)wild * left[kept - 1];
    return 2 * all / (double)((count - 1) * (seeds - 1));
}

/* ---- seeds as blocks ----------------------------------------------------------------------- */

static bool same_seeds(const report_group *a, const report_group *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->seeds[i] != b->seeds[i]) return false;
    return true;
}

/* Whether the configurations with the seeds of the best one go up and down together. */
static void find_blocks(evidence *e, const double **rows, double *left) {
    size_t n = 0, seeds = e->best->count;
    if (seeds < LEAST_RUNS) return;
    for (size_t i = 0; i < e->r->group_count; i++)
        if (same_seeds(&e->r->groups[i], e->best)) rows[n++] = e->r->groups[i].values;
    if (n < 2) return;
    e->blocks_p = stats_blocks(rows, n, seeds, left).p;
    e->blocks = e->blocks_p < (n == 2 ? BLOCK_LEVEL_OF_TWO : BLOCK_LEVEL);
    if (n == 2) return; /* the pair itself is all that is known */
    e->common_difference = common_difference(rows, left, n, seeds);
    e->prior_df = fmin((double)((n - 1) * (seeds - 1)) / PRIOR_SHARE, PRIOR_DF);
}

evidence evidence_of(const report *r) {
    evidence e = {.r = r, .pairs = count_pairs(r), .common = NAN, .blocks_p = NAN};
    if (r->group_count == 0) return e;
    e.best = &r->groups[report_reference(r)];
    double *scratch = spur__malloc_array(r->group_count, sizeof *scratch);
    const double **rows = spur__malloc_array(r->group_count, sizeof *rows);
    if (scratch && rows) {
        e.common = common_variance(r, scratch);
        find_blocks(&e, rows, scratch);
    }
    spur__free(scratch);
    spur__free(rows);
    return e;
}

/* ---- tests --------------------------------------------------------------------------------- */

bool evidence_is_paired(const evidence *e, const report_group *g) {
    return e->blocks && same_seeds(g, e->best) &&
           isfinite(stats_paired(e->best->values, g->values, g->count, 0, 0).p);
}

t_result evidence_test(const evidence *e, const report_group *g) {
    const report_group *best = e->best;
    if (evidence_is_paired(e, g))
        return stats_paired(best->values, g->values, g->count, e->common_difference, e->prior_df);
    if (isnan(e->common) || best->count < LEAST_RUNS || g->count < LEAST_RUNS)
        return stats_welch(best->values, best->count, g->values, g->count);
    return stats_moderated(best->values, best->count, g->values, g->count, e->common);
}

bool report_p_values(const report *r, double *p) {
    double *raw = spur__malloc_array(2 * r->group_count + 1, sizeof *raw);
    if (!raw) return false;
    evidence e = evidence_of(r);
    for (size_t i = 0; i < r->group_count; i++) {
        const report_group *g = &r->groups[i];
        raw[i] = g == e.best ? NAN : evidence_test(&e, g).p;
    }
    stats_holm(raw, r->group_count, e.pairs, p, raw + r->group_count);
    spur__free(raw);
    return true;
}

/* A size in deviations: of the differences between seeds, or of runs. */
static double size_of(const evidence *e, const report_group *g, bool paired) {
    const report_group *best = e->best;
    if (paired) return fabs(evidence_test(e, g).t) / sqrt((double)g->count);
    return fabs(stats_hedges_g(best->values, best->count, g->values, g->count));
}

size_t evidence_seeds_needed(const evidence *e, const report_group *g) {
    bool paired = evidence_is_paired(e, g);
    double size = size_of(e, g, paired), level = EVIDENCE_LEVEL / (double)e->pairs;
    if (!isfinite(size) || size <= EQUAL) return 0;
    size_t needed =
        paired ? stats_pairs_needed(size, level, POWER) : stats_runs_needed(size, level, POWER);
    size_t runs = e->best->count > g->count ? e->best->count : g->count;
    return needed > runs ? needed : runs + 1;
}
