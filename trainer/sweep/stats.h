/* SPDX-License-Identifier: MIT
 *
 * The statistics behind every statement that `spur compare` and `spur sweep` make.
 *
 * Samples are final (or best) metrics of runs that differ in their seed only. All tests are
 * two-sided. Results agree with SciPy's (tests/golden/stats.txt).
 */
#ifndef SPUR_TRAINER_SWEEP_STATS_H
#define SPUR_TRAINER_SWEEP_STATS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct summary_stats {
    size_t n;
    double mean;
    double std; /* sample standard deviation (n - 1); NaN for n < 2 */
    double min, max;
} summary_stats;

summary_stats stats_summarize(const double *x, size_t n);

/* Quantile of the standard normal distribution (Wichura 1988, algorithm AS 241). */
double stats_normal_quantile(double p);

/* What a t test found. Only the difference is known, all else NaN, where nothing can be tested. */
typedef struct t_result {
    double t, df, p;
    double difference; /* mean(a) - mean(b) */
    double low, high; /* 95 % confidence interval of the difference */
} t_result;

/* Welch's t test for two independent samples (Welch 1947; degrees of freedom after
 * Satterthwaite). Nothing can be tested with fewer than two values on a side or when the values of
 * both sides are constant. */
t_result stats_welch(const double *a, size_t n, const double *b, size_t m);

/* The same with moderated variances (Smyth, "Linear models and empirical Bayes methods for assessing
 * differential expression in microarray experiments", 2004): each side's is averaged with `common`,
 * the mean variance of many samples, which weighs as STATS_PRIOR_DF degrees of freedom, and never
 * taken for less than it is. Three values have a variance that is small by chance too often. */
enum { STATS_PRIOR_DF = 2 };
t_result stats_moderated(const double *a, size_t n, const double *b, size_t m, double common);

/* Student's t test of pairs a[i], b[i] (Student 1908), its variance moderated likewise by `common`,
 * the mean variance of many such differences, which weighs as prior_df degrees of freedom (0: it is
 * not). Nothing can be tested with fewer than two pairs or when all differ by the same. */
t_result stats_paired(const double *a, const double *b, size_t n, double common, double prior_df);

/* Two-way analysis of variance without repetitions (Fisher 1925): whether the columns of k rows of n
 * values differ, once the rows' means are out. left[k], unless NULL: the sum of squares that
 * neither explains, by rows. NaN where nothing is left, k or n is below 2, or without memory. */
typedef struct blocks_result {
    double f, p;
} blocks_result;
blocks_result stats_blocks(const double *const *rows, size_t k, size_t n, double *left);

/* Wilcoxon's signed-rank test of pairs a[i], b[i] (Wilcoxon 1945): zero differences are dropped,
 * ties share mid-ranks. Exact distribution up to 50 pairs (enumerated over doubled mid-ranks, so
 * also exact with ties), normal approximation with tie correction above. p is NaN without a
 * non-zero pair or memory. */
typedef struct wilcoxon_result {
    double statistic; /* the smaller of the two rank sums */
    double p;
    size_t pairs; /* non-zero differences */
} wilcoxon_result;
wilcoxon_result stats_wilcoxon(const double *a, const double *b, size_t n);

/* Hedges' g: difference of means over the pooled standard deviation, small-sample corrected
 * (Hedges 1981). NaN when it is not defined. */
double stats_hedges_g(const double *a, size_t n, const double *b, size_t m);

/* Runs per side that a two-sided test at `alpha` needs to see an effect of size g with the given
 * power: 2 ((z_{1-alpha/2} + z_power) / g)^2 + z_{1-alpha/2}^2 / 4 (Guenther 1981), rounded up;
 * at least 2, at most 1000000. */
size_t stats_runs_needed(double g, double alpha, double power);

/* Pairs that a paired test needs to see a mean difference of `size` standard deviations of the
 * differences: ((z_{1-alpha/2} + z_power) / size)^2 + z_{1-alpha/2}^2 / 2 (Guenther 1981), likewise. */
size_t stats_pairs_needed(double size, double alpha, double power);

/* Holm's step-down adjustment (Holm 1979) of n p-values out of a family of `tests`, which is at
 * least their number: those not given are taken for larger ones, which errs on the safe side. NaNs
 * stay and do not count. Scratch of n doubles. */
void stats_holm(const double *p, size_t n, size_t tests, double *adjusted, double *scratch);

#endif
