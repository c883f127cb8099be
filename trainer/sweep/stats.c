/* SPDX-License-Identifier: MIT
 *
 * Summaries, t tests, blocks, Wilcoxon, effect sizes and corrections; see stats.h for the sources.
 */
#include "sweep/stats.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

summary_stats stats_summarize(const double *x, size_t n) {
    summary_stats s = {.n = n, .mean = NAN, .std = NAN, .min = NAN, .max = NAN};
    if (n == 0) return s;
    double sum = 0, squares = 0;
    s.min = s.max = x[0];
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        s.min = fmin(s.min, x[i]);
        s.max = fmax(s.max, x[i]);
    }
    s.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - s.mean) * (x[i] - s.mean);
    if (n > 1) s.std = s.min == s.max ? 0 : sqrt(squares / (double)(n - 1)); /* 0 exactly */
    return s;
}

/* The continued fraction of the incomplete beta function. */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m <= 1000; m++) {
        for (int odd = 0; odd < 2; odd++) {
            double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                           : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + k * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + k / c;
            if (fabs(c) < tiny) c = tiny;
            h *= d * c;
        }
        if (fabs(d * c - 1) < 1e-16) break;
    }
    return h;
}

/* Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (Press et al.,
 * Numerical Recipes, 6.4). */
static double incomplete_beta(double a, double b, double x) {
    if (!(x > 0)) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(|T| >= |t|) for Student's t with `df` degrees of freedom. */
static double t_two_sided(double t, double df) {
    if (t != t || df != df) return NAN;
    return incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

/* The t for which P(|T| >= t) = p. */
static double t_critical(double p, double df) {
    double low = 0, high = 1;
    while (t_two_sided(high, df) > p && high < 1e300) high *= 2;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (middle <= low || middle >= high) break;
        if (t_two_sided(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* Horner's rule: (c[0] + c[1] r + ... + c[7] r^7) / (d[0] + ... + d[7] r^7). */
static double rational(const double c[8], const double d[8], double r) {
    double num = 0, den = 0;
    for (int i = 7; i >= 0; i--) {
        num = num * r + c[i];
        den = den * r + d[i];
    }
    return num / den;
}

double stats_normal_quantile(double p) {
    static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = p - 0.5;
    if (!(p > 0 && p < 1)) return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
    if (fabs(q) <= 0.425) return q * rational(a, b, 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double x = r <= 5 ? rational(c, d, r - 1.6) : rational(e, f, r - 5);
    return q < 0 ? -x : x;
}

static double normal_two_sided(double z) {
    return erfc(fabs(z) / sqrt(2.0));
}

/* One side of the test: the variance of its mean and the degrees of freedom of that. */
typedef struct side {
    double variance, df;
} side;

static side side_of(const summary_stats *s, double common, double prior_df) {
    double df = (double)(s->n - 1), own = s->std * s->std;
    double mixed = (prior_df * common + df * own) / (prior_df + df);
    return (side){fmax(own, mixed) / (double)s->n, df + prior_df};
}

/* The test of a difference whose squared standard error is `variance`. */
static t_result test_difference(double difference, double variance, double df) {
    double error = sqrt(variance), half = t_critical(0.05, df) * error;
    t_result r = {.t = difference / error, .df = df, .difference = difference};
    r.p = t_two_sided(r.t, r.df);
    r.low = difference - half;
    r.high = difference + half;
    return r;
}

static t_result untested(double difference) {
    return (t_result){NAN, NAN, NAN, difference, NAN, NAN};
}

static t_result compare_means(const double *a, size_t n, const double *b, size_t m, double common,
                              double prior_df) {
    summary_stats x = stats_summarize(a, n), y = stats_summarize(b, m);
    double difference = x.mean - y.mean;
    if (n < 2 || m < 2) return untested(difference);
    side u = side_of(&x, common, prior_df), v = side_of(&y, common, prior_df);
    double sum = u.variance + v.variance;
    if (sum == 0) return untested(difference);
    double df = sum * sum / (u.variance * u.variance / u.df + v.variance * v.variance / v.df);
    return test_difference(difference, sum, df);
}

t_result stats_welch(const double *a, size_t n, const double *b, size_t m) {
    return compare_means(a, n, b, m, 0, 0);
}

t_result stats_moderated(const double *a, size_t n, const double *b, size_t m, double common) {
    return compare_means(a, n, b, m, common, STATS_PRIOR_DF);
}

/* What n squares of differences between values up to `largest` come to by rounding alone. */
static double rounding(double largest, size_t n) {
    return (double)n * largest * largest * 1e-28;
}

t_result stats_paired(const double *a, const double *b, size_t n, double common, double prior_df) {
    double difference = stats_summarize(a, n).mean - stats_summarize(b, n).mean, squares = 0;
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        double off = a[i] - b[i] - difference;
        squares += off * off;
        largest = fmax(largest, fmax(fabs(a[i]), fabs(b[i])));
    }
    if (n < 2 || squares <= rounding(largest, n)) return untested(difference);
    summary_stats s = {.n = n, .std = sqrt(squares / (double)(n - 1))};
    side d = side_of(&s, common, prior_df);
    return test_difference(difference, d.variance, d.df);
}

/* The means of k rows' columns into columns[n]; returns the mean of all. */
static double column_means(const double *const *rows, size_t k, size_t n, double *columns) {
    double all = 0;
    for (size_t j = 0; j < n; j++) {
        columns[j] = 0;
        for (size_t i = 0; i < k; i++) columns[j] += rows[i][j] / (double)k;
        all += columns[j] / (double)n;
    }
    return all;
}

blocks_result stats_blocks(const double *const *rows, size_t k, size_t n, double *left) {
    double *columns = spur__malloc_array(n + 1, sizeof *columns);
    double between = 0, rest = 0, largest = 0;
    if (!columns) return (blocks_result){NAN, NAN};
    double all = column_means(rows, k, n, columns);
    for (size_t j = 0; j < n; j++) between += (double)k * (columns[j] - all) * (columns[j] - all);
    for (size_t i = 0; i < k; i++) {
        summary_stats s = stats_summarize(rows[i], n);
        double squares = 0;
        largest = fmax(largest, fmax(fabs(s.min), fabs(s.max)));
        for (size_t j = 0; j < n; j++) {
            double off = rows[i][j] - s.mean - columns[j] + all;
            squares += off * off;
        }
        if (left) left[i] = squares;
        rest += squares;
    }
    spur__free(columns);
    if (k < 2 || n < 2 || rest <= rounding(largest, k * n)) return (blocks_result){NAN, NAN};
    double df = (double)(n - 1), rest_df = df * (double)(k - 1);
    double f = between / df / (rest / rest_df);
    return (blocks_result){f, incomplete_beta(rest_df / 2, df / 2, rest_df / (rest_df + df * f))};
}

/* Ranks 1..n with ties sharing their mean rank. */
static void fill_ranks(const double *x, size_t n, double *ranks) {
    for (size_t i = 0; i < n; i++) {
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < n; j++) {
            below += x[j] < x[i];
            equal += x[j] == x[i];
        }
        ranks[i] = (double)below + ((double)equal + 1) / 2;
    }
}

/* P(sum of a random subset of the doubled ranks <= doubled) times two, clipped at 1: the exact
 * two-sided p. `ways` has room for the total + 1. */
static double exact_p(const double *ranks, size_t n, size_t doubled, double *ways) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += (size_t)(2 * ranks[i] + 0.5);
    memset(ways, 0, (total + 1) * sizeof *ways);
    ways[0] = 1;
    for (size_t i = 0; i < n; i++) {
        size_t rank = (size_t)(2 * ranks[i] + 0.5);
        for (size_t s = total + 1; s-- > rank;) ways[s] += ways[s - rank];
    }
    double below = 0;
    for (size_t s = 0; s <= doubled; s++) below += ways[s];
    return fmin(1, 2 * ldexp(below, -(int)n));
}

/* Normal approximation with the correction for ties, no continuity correction (as SciPy). */
static double approximate_p(const double *ranks, size_t n, double statistic) {
    double mean = (double)n * (double)(n + 1) / 4, variance = 0;
    for (size_t i = 0; i < n; i++) variance += ranks[i] * ranks[i];
    return normal_two_sided((statistic - mean) / sqrt(variance / 4));
}

wilcoxon_result stats_wilcoxon(const double *a, const double *b, size_t n) {
    enum { EXACT = 50 };
    wilcoxon_result r = {.statistic = NAN, .p = NAN};
    double *size = spur__malloc_array(3 * n + EXACT * (EXACT + 1) + 1, sizeof *size);
    double *sign = size ? size + n : NULL, *ranks = size ? size + 2 * n : NULL;
    if (!size) return r;
    for (size_t i = 0; i < n; i++) {
        double d = a[i] - b[i];
        if (d == 0 || d != d) continue;
        size[r.pairs] = fabs(d);
        sign[r.pairs++] = d;
    }
    if (r.pairs > 0) {
        double plus = 0, total = (double)r.pairs * (double)(r.pairs + 1) / 2;
        fill_ranks(size, r.pairs, ranks);
        for (size_t i = 0; i < r.pairs; i++) plus += sign[i] > 0 ? ranks[i] : 0;
        r.statistic = fmin(plus, total - plus);
        r.p = r.pairs <= EXACT
                  ? exact_p(ranks, r.pairs, (size_t)(2 * r.statistic + 0.5), size + 3 * n)
                  : approximate_p(ranks, r.pairs, r.statistic);
    }
    spur__free(size);
    return r;
}

double stats_hedges_g(const double *a, size_t n, const double *b, size_t m) {
    summary_stats x = stats_summarize(a, n), y = stats_summarize(b, m);
    if (n < 2 || m < 2) return NAN;
    double df = (double)(n + m - 2);
    double pooled = sqrt(((double)(n - 1) * x.std * x.std + (double)(m - 1) * y.std * y.std) / df);
    if (!(pooled > 0)) return NAN;
    return (x.mean - y.mean) / pooled * (1 - 3 / (4 * df - 1));
}

static size_t whole_runs(double n) {
    if (!(n < 1e6)) return 1000000;
    return n < 2 ? 2 : (size_t)ceil(n);
}

size_t stats_runs_needed(double g, double alpha, double power) {
    double z = stats_normal_quantile(1 - alpha / 2), w = stats_normal_quantile(power);
    return whole_runs(2 * (z + w) * (z + w) / (g * g) + z * z / 4);
}

size_t stats_pairs_needed(double size, double alpha, double power) {
    double z = stats_normal_quantile(1 - alpha / 2), w = stats_normal_quantile(power);
    return whole_runs((z + w) * (z + w) / (size * size) + z * z / 2);
}

void stats_holm(const double *p, size_t n, size_t tests, double *adjusted, double *scratch) {
    for (size_t i = 0; i < n; i++) {
        size_t smaller = 0;
        for (size_t j = 0; j < n; j++) smaller += p[j] < p[i];
        scratch[i] = (double)(tests - smaller) * p[i];
    }
    for (size_t i = 0; i < n; i++) {
        double largest = p[i] == p[i] ? 0 : NAN;
        for (size_t j = 0; j < n; j++)
            if (p[j] <= p[i]) largest = fmax(largest, scratch[j]);
        adjusted[i] = largest > 1 ? 1 : largest;
    }
}
