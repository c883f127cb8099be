/* SPDX-License-Identifier: MIT
 *
 * exp, log, tanh, sine and friends in single precision, with the same bits on every machine.
 *
 * The C library's versions differ between machines and versions. These use additions and
 * multiplications only, in a fixed order and without contraction (the build sets
 * -ffp-contract=off), and no branches on values, so that compilers vectorise loops over them.
 * Largest errors, measured over all floats by tests/unit/base/test_fmath.c, stand at each function.
 * Polynomials: minimax forms as in Cephes (Moshier) for exp, log and tanh; reductions after
 * Cody & Waite, "Software Manual for the Elementary Functions" (1980).
 */
#ifndef SPUR_BASE_FMATH_H
#define SPUR_BASE_FMATH_H

#include <stdint.h>
#include <string.h>

static inline float spur__float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t spur__bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* x = n ln 2 + r, n whole and r near 0: e^r - 1 (Cephes's polynomial). The bits of *shifted are those of
 * 1.5 * 2^23, whose lowest 23 are zeros, plus n. */
static inline float spur__expm1_reduced(float x, float *shifted) {
    *shifted = x * 1.44269504088896341f + 12582912.0f; /* rounds */
    float n = *shifted - 12582912.0f;
    float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

/* Likewise, e^r. */
static inline float spur__exp_reduced(float x, float *shifted) {
    return spur__expm1_reduced(x, shifted) + 1.0f;
}

/* e^x; below 1 ulp. Over 88.73 infinity, under -103.98 zero; NaN stays NaN. */
static inline float spur__expf(float x) {
    float clamped = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
    float shifted;
    float p = spur__exp_reduced(clamped, &shifted);
    /* 2^n in two factors, so that results near both ends of the range are right; NaN gives some
     * harmless finite factor. */
    int32_t k = (int32_t)(spur__bits_of_float(shifted) - 0x4b400000u);
    k = k > 200 ? 200 : k < -200 ? -200 : k;
    int32_t half = k >> 1;
    float a = spur__float_of_bits((uint32_t)(half + 127) << 23);
    float b = spur__float_of_bits((uint32_t)(k - half + 127) << 23);
    return p * a * b;
}

/* e^x - 1 for x at most 0; below 1 ulp, near 0 too. */
static inline float spur__expm1_belowf(float x) {
    float shifted, p = spur__expm1_reduced(x < -30.0f ? -30.0f : x, &shifted);
    float power = spur__float_of_bits((spur__bits_of_float(shifted) + 127) << 23); /* 2^n */
    return p * power + (power - 1.0f);
}

/* Natural logarithm; below 1 ulp. log(0) = -infinity, of a negative number NaN. */
static inline float spur__logf(float x) {
    uint32_t tiny = x < 1.17549435e-38f;
    float scaled = tiny ? x * 8388608.0f : x; /* subnormals times 2^23 */
    uint32_t bits = spur__bits_of_float(scaled);
    int32_t exponent = (int32_t)(bits >> 23) - 126 - (tiny ? 23 : 0);
    float m = spur__float_of_bits((bits & 0x007fffffu) | 0x3f000000u); /* [0.5, 1) */
    int32_t low = m < 0.707106781186547524f;
    float e = (float)(exponent - low);
    float f = (low ? m + m : m) - 1.0f;
    float z = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    float y = p * f * z + e * -2.12194440e-4f;
    y = y - 0.5f * z;
    float result = (f + y) + e * 0.693359375f;
    float special = x == 0.0f  ? -spur__float_of_bits(0x7f800000u)
                    : x > 0.0f ? x /* infinity */
                               : spur__float_of_bits(0x7fc00000u);
    return x > 0.0f && x < spur__float_of_bits(0x7f800000u) ? result : special;
}

/* Hyperbolic tangent; below 2 ulp. That of |x|, with the sign of x, which -0 keeps. */
static inline float spur__tanhf(float x) {
    uint32_t sign = spur__bits_of_float(x) & 0x80000000u;
    float a = spur__float_of_bits(spur__bits_of_float(x) ^ sign);
    float z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    float small = p * z * a + a;
    float large = 1.0f - 2.0f / (spur__expf(a + a) + 1.0f);
    float y = a < 0.625f ? small : large;
    return spur__float_of_bits(spur__bits_of_float(y) | sign);
}

/* 1 / (1 + e^-x); below 3 ulp down to -87, 0 below that. simd.h has it for vectors. */
static inline float spur__sigmoidf(float x) {
    float down = x < 0.0f ? x : -x, shifted;
    float e = spur__exp_reduced(down, &shifted);
    e *= spur__float_of_bits((spur__bits_of_float(shifted) + 127) << 23); /* 2^n, which is small */
    e = down < -87.0f ? 0.0f : e;
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* log(1 + e^x), without overflow; below 3 ulp. */
static inline float spur__softplusf(float x) {
    float e = spur__expf(x < 0.0f ? x : -x);
    float u = 1.0f + e;
    /* log1p by Kahan's correction: log(u) * e / (u - 1) */
    float d = u - 1.0f;
    float l = d == 0.0f ? e : spur__logf(u) * (e / d);
    return (x > 0.0f ? x : 0.0f) + l;
}

/* Error function; absolute error below 5e-7 (a rational minimax form on [-4, 4], odd in x). */
static inline float spur__erff(float x) {
    float c = x > 4.0f ? 4.0f : x < -4.0f ? -4.0f : x;
    float z = c * c;
    float p = -2.72614225801306e-10f;
    p = p * z + 2.77068142495902e-08f;
    p = p * z - 2.10102402082508e-06f;
    p = p * z - 5.69250639462346e-05f;
    p = p * z - 7.34990630326855e-04f;
    p = p * z - 2.95459980854025e-03f;
    p = p * z - 1.60960333262415e-02f;
    float q = -1.45660718464996e-05f;
    q = q * z - 2.13374055278905e-04f;
    q = q * z - 1.68282697438203e-03f;
    q = q * z - 7.37332916720468e-03f;
    q = q * z - 1.42647390514189e-02f;
    return c * p / q;
}

/* sin(2 pi t) and cos(2 pi t) for t in [0, 1]; absolute error below 2e-7. */
static inline void spur__sincos2pif(float t, float *sine, float *cosine) {
    float n = (t * 4.0f + 12582912.0f) - 12582912.0f; /* nearest quarter turn */
    float r = (t - n * 0.25f) * 6.28318530717958648f; /* [-pi/4, pi/4] */
    float z = r * r;
    float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
    float c =
        ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z -
        0.5f * z + 1.0f;
    int quadrant = (int)n & 3;
    float a = quadrant & 1 ? c : s;
    float b = quadrant & 1 ? s : c;
    *sine = quadrant & 2 ? -a : a;
    *cosine = quadrant == 1 || quadrant == 2 ? -b : b;
}

#endif
