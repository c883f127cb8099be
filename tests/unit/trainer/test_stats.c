/* SPDX-License-Identifier: MIT
 *
 * Statistics against SciPy's numbers (tests/golden/stats.txt, made by make_sweep_golden.py).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/stats.h"

enum { MOST = 128 };

static void near(double found, double expected, const char *what) {
    double scale = fmax(fabs(expected), 1e-3);
    if (!(fabs(found - expected) <= 1e-9 * scale)) {
        fprintf(stderr, "%s: found %.17g, expected %.17g\n", what, found, expected);
        fail();
    }
}

static size_t read_count(FILE *f) {
    size_t n;
    assert_int_equal(fscanf(f, "%zu", &n), 1);
    assert_true(n <= MOST);
    return n;
}

static void read_numbers(FILE *f, double *x, size_t n) {
    for (size_t i = 0; i < n; i++) assert_int_equal(fscanf(f, "%lf", &x[i]), 1);
}

static void near_result(FILE *f, t_result r) {
    double e[5];
    read_numbers(f, e, 5);
    near(r.t, e[0], "t");
    near(r.df, e[1], "df");
    near(r.p, e[2], "p");
    near(r.low, e[3], "low");
    near(r.high, e[4], "high");
}

static void check_welch(FILE *f) {
    double a[MOST], b[MOST];
    size_t n = read_count(f), m = read_count(f);
    read_numbers(f, a, n);
    read_numbers(f, b, m);
    near_result(f, stats_welch(a, n, b, m));
}

static void check_paired(FILE *f) {
    double a[MOST], b[MOST];
    size_t n = read_count(f);
    read_numbers(f, a, n);
    read_numbers(f, b, n);
    near_result(f, stats_paired(a, b, n, 0, 0));
}

static void check_blocks(FILE *f) {
    double x[MOST], e[2], left[MOST];
    const double *rows[MOST];
    size_t k = read_count(f), n = read_count(f);
    read_numbers(f, x, k * n);
    read_numbers(f, e, 2);
    for (size_t i = 0; i < k; i++) rows[i] = x + i * n;
    blocks_result r = stats_blocks(rows, k, n, left);
    near(r.f, e[0], "F");
    near(r.p, e[1], "p");
    if (k != 2) return;
    double squares = 0,
           mean = 0; /* either row leaves a quarter of the squares of the differences */
    for (size_t j = 0; j < n; j++) mean += (x[j] - x[n + j]) / (double)n;
    for (size_t j = 0; j < n; j++) squares += pow(x[j] - x[n + j] - mean, 2);
    near(left[0], squares / 4, "left");
    near(left[1], squares / 4, "left");
}

static void check_wilcoxon(FILE *f) {
    double a[MOST], b[MOST], e[2];
    size_t n = read_count(f);
    read_numbers(f, a, n);
    read_numbers(f, b, n);
    read_numbers(f, e, 2);
    wilcoxon_result r = stats_wilcoxon(a, b, n);
    near(r.statistic, e[0], "statistic");
    near(r.p, e[1], "p");
}

static void check_holm(FILE *f) {
    double p[MOST], adjusted[MOST], scratch[MOST], e[MOST];
    size_t n = read_count(f);
    read_numbers(f, p, n);
    read_numbers(f, e, n);
    size_t tests = 0;
    for (size_t i = 0; i < n; i++) tests += isnan(p[i]) ? 0 : 1;
    stats_holm(p, n, tests, adjusted, scratch);
    for (size_t i = 0; i < n; i++) near(adjusted[i], e[i], "holm");
}

static void check_normal(FILE *f) {
    double v[2];
    read_numbers(f, v, 2);
    near(stats_normal_quantile(v[0]), v[1], "normal quantile");
}

static void test_scipy(void **state) {
    (void)state;
    char name[32];
    size_t cases = 0;
    FILE *f = fopen(SPUR_TEST_SOURCE_DIR "/golden/stats.txt", "r");
    assert_non_null(f);
    for (; fscanf(f, "%31s", name) == 1; cases++) {
        if (strcmp(name, "welch") == 0)
            check_welch(f);
        else if (strcmp(name, "paired") == 0)
            check_paired(f);
        else if (strcmp(name, "blocks") == 0)
            check_blocks(f);
        else if (strcmp(name, "wilcoxon") == 0)
            check_wilcoxon(f);
        else if (strcmp(name, "holm") == 0)
            check_holm(f);
        else if (strcmp(name, "normal") == 0)
            check_normal(f);
        else
            fail_msg("unknown case %s", name);
    }
    fclose(f);
    assert_true(cases >= 39);
}

static void test_degenerate_samples(void **state) {
    (void)state;
    const double same[] = {0.5, 0.5, 0.5}, other[] = {0.6, 0.6, 0.6};
    assert_true(isnan(stats_welch(same, 1, other, 3).p));
    assert_true(isnan(stats_welch(same, 3, other, 3).p)); /* nothing varies: nothing is tested */
    assert_true(isnan(stats_welch(same, 3, same, 3).p));
    const double tenth[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}; /* their mean is not quite 0.1 */
    assert_true(isnan(stats_welch(tenth, 7, other, 3).p));
    assert_true(isnan(stats_wilcoxon(same, same, 3).p));
    const double gap[] = {0.7, NAN, 0.9, 0.5}; /* what is missing is no pair, nor are equals */
    assert_int_equal(stats_wilcoxon(gap, tenth, 4).pairs, 3);
    assert_true(stats_wilcoxon(gap, tenth, 4).p == 0.25);
    const double above[] = {0.7, 0.75, 0.65},
                 below[] = {0.69, 0.74, 0.64}; /* by the same everywhere */
    assert_true(isnan(stats_paired(above, below, 3, 1, 2).p));
    assert_true(isnan(stats_paired(above, tenth, 1, 0, 0).p));
    const double *rows[] = {same, other};
    assert_true(isnan(stats_blocks(rows, 2, 3, NULL).p));
    assert_true(isnan(stats_blocks(rows, 1, 3, NULL).p));
    assert_true(isnan(stats_hedges_g(same, 3, other, 3)));
    assert_true(isnan(stats_summarize(same, 0).mean));
    assert_true(isnan(stats_summarize(same, 1).std));
}

/* By hand, p and interval by SciPy. Of a: (2 * 5 + 3 * 5 / 3) / 5 = 3 with 5 degrees of freedom, of b:
 * (2 * 5 + 2 * 4) / 4 = 4.5 with 4, so 3 / 4 + 4.5 / 3 = 1.5^2 of the means. */
static void test_moderated(void **state) {
    (void)state;
    const double a[] = {10, 11, 12, 13}, b[] = {4, 6, 8}, none[] = {0, 0, 0, 0};
    t_result r = stats_moderated(a, 4, b, 3, 5);
    near(r.t, 11.0 / 3, "t");
    near(r.df, 7.5, "df");
    near(r.p, 0.007090940512994459, "p");
    near(r.high, 5.5 + 3.4995594402974612, "high");
    r = stats_moderated(a, 4, b, 3, 1); /* no less than their own: 5 / 3 / 4 + 4 / 3 */
    near(r.t, 5.5 / sqrt(7.0 / 4), "t");
    near(stats_hedges_g(a, 4, b, 3), 5.5 / sqrt((5 + 8) / 5.0) * (1 - 3.0 / 19), "g");
    const double d[] = {1, 2, 4, 5}; /* (1.5 * 10 + 3 * 10 / 3) / 4.5 */
    r = stats_paired(d, none, 4, 10, 1.5);
    near(r.t, 3 / sqrt(50.0 / 9 / 4), "t");
    near(r.df, 4.5, "df");
    near(r.p, 0.0568564470805303, "p");
}

/* Cohen's classic: 64 runs a side see g = 0.5 with 80 % power at 5 %. */
static void test_runs_needed(void **state) {
    (void)state;
    assert_int_equal(stats_runs_needed(0.5, 0.05, 0.8), 64);
    assert_in_range(stats_runs_needed(-2, 0.05, 0.8), 4, 6);
    assert_int_equal(stats_runs_needed(0, 0.05, 0.8), 1000000);
    assert_int_equal(stats_pairs_needed(0.5, 0.05, 0.8), 34); /* as G*Power */
    assert_int_equal(stats_pairs_needed(0, 0.05, 0.8), 1000000);
}

/* A family of more tests than are given: Holm's factors begin at its size. */
static void test_holm_in_a_larger_family(void **state) {
    (void)state;
    const double p[] = {0.02, NAN, 0.001};
    double adjusted[3], scratch[3];
    stats_holm(p, 3, 6, adjusted, scratch);
    near(adjusted[0], 5 * 0.02, "second");
    near(adjusted[2], 6 * 0.001, "first");
    assert_true(isnan(adjusted[1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scipy),       cmocka_unit_test(test_degenerate_samples),
        cmocka_unit_test(test_moderated),   cmocka_unit_test(test_holm_in_a_larger_family),
        cmocka_unit_test(test_runs_needed),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
