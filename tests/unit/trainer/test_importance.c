/* SPDX-License-Identifier: MIT
 *
 * Which part of the variance a parameter is said to explain.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "sweep/importance.h"

/* Two factors of up to four values each. */
static void shares_of(const double *means, const size_t *runs, size_t n, double within,
                      const size_t *a, const size_t *b, double shares[2]) {
    const size_t *const classes[] = {a, b};
    const size_t counts[] = {4, 4};
    const importance_input in = {means, runs, n, within, classes, counts, b ? 2 : 1};
    assert_true(importance_shares(&in, shares));
}

/* A grid: the shares are those of its two margins, whose sizes are 4 and 1 of 5. */
static void test_grid(void **state) {
    (void)state;
    const double means[] = {0, 1, 2, 3};
    const size_t runs[] = {3, 3, 3, 3}, a[] = {0, 0, 1, 1}, b[] = {0, 1, 0, 1};
    double shares[2];
    shares_of(means, runs, 4, 0, a, b, shares);
    assert_true(fabs(shares[0] - 0.7) < 1e-9); /* less chance: 1 left with two degrees of freedom */
    assert_true(fabs(shares[1] - 0.2) < 1e-9);
}

/* By hand, with other runs in every configuration. Three classes with two degrees of freedom: of 17 in all 15.6 are
 * between them, and chance, from the seeds, is 1.4 / 7. Two classes of two configurations each: of 37.5 in all
 * 36.9 are between these and 30.81667 between the classes; chance is what is left over, with two degrees. */
static void test_unequal_runs(void **state) {
    (void)state;
    double shares[2];
    shares_of((const double[]){1, 2, 4}, (const size_t[]){2, 3, 5}, 3, 1.4,
              (const size_t[]){0, 1, 2}, NULL, shares);
    assert_true(fabs(shares[0] - (15.6 - 2 * 0.2) / 17) < 1e-12);
    shares_of((const double[]){1, 2, 4, 6}, (const size_t[]){1, 3, 2, 4}, 4, 0.6,
              (const size_t[]){0, 0, 1, 1}, NULL, shares);
    const double between = 4 * 2.15 * 2.15 + 6 * (43.0 / 30) * (43.0 / 30);
    assert_true(fabs(shares[0] - (between - (36.9 - between) / 2) / 37.5) < 1e-12);
}

/* The noise of the seeds is nobody's. */
static void test_seeds_are_not_explained(void **state) {
    (void)state;
    const double means[] = {0, 0, 1, 1};
    const size_t runs[] = {3, 3, 3, 3}, a[] = {0, 0, 1, 1}, b[] = {0, 1, 0, 1};
    double shares[2];
    shares_of(means, runs, 4, 3, a, b, shares); /* between: 12 * 0.25 */
    assert_true(shares[0] > 0.4 && shares[0] < 0.5);
    assert_true(shares[1] == 0);
}

/* Twenty configurations drawn at random, five seeds each: a parameter that does nothing goes along
 * with the one that does by chance, and must not have a part of its share. */
static void test_random_design(void **state) {
    enum { N = 20, SWEEPS = 500 };
    double idle = 0, real = 0;
    spur__rng rng;
    (void)state;
    spur__rng_init(&rng, 1, 0, 0, 0);
    for (int k = 0; k < SWEEPS; k++) {
        double means[N], shares[2];
        size_t runs[N], a[N], b[N];
        for (size_t i = 0; i < N; i++) {
            double x = spur__rng_double(&rng);
            a[i] = (size_t)(4 * x);
            b[i] = spur__rng_below(&rng, 4);
            runs[i] = 5;
            means[i] = 4 * x + 0.05 * (double)spur__rng_normal(&rng);
        }
        shares_of(means, runs, N, 1, a, b, shares);
        real += shares[0] / SWEEPS;
        idle += shares[1] / SWEEPS;
    }
    if (real < 0.85 || idle > 0.01) fail_msg("real: %g, idle: %g", real, idle);
}

/* One run of each value, equal runs: nothing can be told. */
static void test_nothing_to_tell(void **state) {
    (void)state;
    const double means[] = {0.1, 0.5, 0.7}, equal[] = {0.1, 0.1, 0.1};
    const size_t once[] = {1, 1, 1}, thrice[] = {3, 3, 3}, a[] = {0, 1, 2}, b[] = {0, 1, 1};
    double shares[2];
    shares_of(means, once, 3, 0, a, NULL, shares);
    assert_true(isnan(shares[0]));
    shares_of(equal, thrice, 3, 0, a, b, shares);
    assert_true(isnan(shares[0]) && isnan(shares[1]));
    shares_of(means, thrice, 3, 0.01, a, NULL, shares); /* seeds tell what chance is */
    assert_true(shares[0] > 0.9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_unequal_runs),
        cmocka_unit_test(test_seeds_are_not_explained),
        cmocka_unit_test(test_random_design),
        cmocka_unit_test(test_nothing_to_tell),
    };
    return cmocka_run_group_tests_name("importance", tests, NULL, NULL);
}
