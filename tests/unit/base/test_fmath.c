/* SPDX-License-Identifier: MIT
 *
 * Our exp, log, tanh and friends against the C library's double versions, and their bits: the
 * checksum over a sweep of all exponents must be the same on every machine and compiler.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/fmath.h"

typedef float (*single)(float);
typedef double (*reference)(double);

/* Error in units of the last place of the float nearest to the exact value. */
static double ulps(float found, double exact) {
    double spacing = fabs((double)nextafterf((float)exact, INFINITY) - (double)(float)exact);
    return fabs((double)found - exact) / spacing;
}

/* The largest error over floats from low to high, stepping through the bit patterns. */
static double worst(single f, reference exact, float low, float high) {
    double largest = 0;
    for (float x = low; x <= high;) {
        double e = ulps(f(x), exact((double)x));
        if (!(e <= largest)) largest = e;
        float next = x;
        for (int i = 0; i < 97; i++) next = nextafterf(next, INFINITY);
        x = fmaxf(next, x + (high - low) * 1e-7f);
    }
    return largest;
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double softplus(double x) {
    return x > 30 ? x : log1p(exp(x));
}

static void check(const char *name, single f, reference exact, float low, float high, double most) {
    double found = worst(f, exact, low, high);
    printf("%s on [%g, %g]: %.2f ulp\n", name, (double)low, (double)high, found);
    assert_true(found <= most);
}

static void test_errors(void **state) {
    (void)state;
    check("exp", spur__expf, exp, -87.0f, 88.7f, 2);
    check("expm1", spur__expm1_belowf, expm1, -90.0f, -0.0f, 1);
    check("expm1 near 0", spur__expm1_belowf, expm1, -1e-3f, -1e-30f, 1);
    check("log", spur__logf, log, 1.2e-38f, 1e38f, 2);
    check("log near 1", spur__logf, log, 0.5f, 2.0f, 2);
    check("tanh", spur__tanhf, tanh, -12.0f, 12.0f, 3);
    check("sigmoid", spur__sigmoidf, sigmoid, -87.0f, 30.0f, 3);
    check("softplus", spur__softplusf, softplus, -80.0f, 80.0f, 4);
}

static void test_absolute_errors(void **state) {
    (void)state;
    double erf_error = 0, circle = 0;
    for (int i = 0; i <= 1000000; i++) {
        float t = (float)i * 1e-6f, sine, cosine;
        float x = t * 12.0f - 6.0f;
        erf_error = fmax(erf_error, fabs((double)spur__erff(x) - erf((double)x)));
        spur__sincos2pif(t, &sine, &cosine);
        circle = fmax(circle, fabs((double)sine - sin(2 * acos(-1) * (double)t)));
        circle = fmax(circle, fabs((double)cosine - cos(2 * acos(-1) * (double)t)));
    }
    printf("erf %.2g, sine and cosine %.2g\n", erf_error, circle);
    assert_true(erf_error < 5e-7 && circle < 2e-7);
}

static void test_special_values(void **state) {
    (void)state;
    assert_true(isinf(spur__expf(100)) && spur__expf(-200) == 0 && spur__expf(0) == 1);
    assert_true(isinf(spur__expf(INFINITY)) && spur__expf(-INFINITY) == 0);
    assert_true(isnan(spur__expf(NAN)) && isnan(spur__logf(NAN)) && isnan(spur__logf(-1)));
    assert_true(spur__logf(0) == -INFINITY && spur__logf(INFINITY) == INFINITY);
    assert_true(spur__tanhf(100) == 1 && spur__tanhf(-100) == -1 && spur__tanhf(0) == 0);
    assert_true(isnan(spur__tanhf(NAN)) && spur__sigmoidf(0) == 0.5f);
    assert_true(fabs(ulps(spur__logf(1e-40f), log((double)1e-40f))) < 2);
}

/* The promise of the header: the same bits everywhere. The number was computed once and must never
 * change, neither by compiler, nor by flags, nor by CPU. */
static void test_bits(void **state) {
    (void)state;
    uint32_t crc = 0;
    for (uint32_t bits = 0; bits < 0xff000000u; bits += 65537u) {
        float x = spur__float_of_bits(bits);
        if (isnan(x)) continue;
        float out[5] = {spur__expf(x), spur__tanhf(x), spur__sigmoidf(x), spur__erff(x),
                        x > 0 ? spur__logf(x) : 0.0f};
        crc = spur__crc32c(crc, out, sizeof out);
    }
    assert_int_equal(crc, 0xbe9b654au);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_absolute_errors),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests_name("fmath", tests, NULL, NULL);
}
