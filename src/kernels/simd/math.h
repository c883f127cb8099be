/* SPDX-License-Identifier: MIT
 *
 * The functions of base/fmath.h for vectors: the same operations in the same order, so the same bits; and
 * the activations made of them, with their slopes. Where an instruction set has one operation for several
 * that come to the same bits, it is taken.
 */
#ifndef SPUR_KERNELS_SIMD_MATH_H
#define SPUR_KERNELS_SIMD_MATH_H

#include "kernels/simd/simd.h"

/* x, but at least low and at most high; NaN stays NaN. */
ALWAYS_INLINE vf vclamp(vf x, float low, float high) {
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_max_ps((__m512)vset(low), _mm512_min_ps((__m512)vset(high), (__m512)x));
#elif defined(SPUR_ISA_avx2)
    return (vf)_mm256_max_ps((__m256)vset(low), _mm256_min_ps((__m256)vset(high), (__m256)x));
#else
    return vselect(x > vset(high), vset(high), vselect(x < vset(low), vset(low), x));
#endif
}

ALWAYS_INLINE vf vabs(vf x) {
    return (vf)((vi)x & INT32_MAX);
}

/* yes where x's sign is set, else no. */
ALWAYS_INLINE vf vselect_signed(vf x, vf yes, vf no) {
#if defined(SPUR_ISA_avx512)
    __mmask16 set = _mm512_movepi32_mask((__m512i)x);
    return (vf)_mm512_mask_mov_ps((__m512)no, set, (__m512)yes);
#elif defined(SPUR_ISA_avx2)
    return (vf)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)x);
#else
    return vselect((vi)x < (vi){0}, yes, no);
#endif
}

/* ---- exp, log and friends ------------------------------------------------------------------- */

/* x = n ln 2 + r: e^r - 1. The lowest bits of *shifted are n. */
ALWAYS_INLINE vf vexpm1_reduced(vf x, vf *shifted) {
    *shifted = x * 1.44269504088896341f + 12582912.0f;
    vf n = *shifted - 12582912.0f;
#if defined(SPUR__SOFT_FMA)
    vf r = x - n * 0.693359375f;
#else
    vf r = vfma(n, vset(-0.693359375f), x); /* the product is exact, 9 bits times 8 */
#endif
    r -= n * -2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

ALWAYS_INLINE vf vexp_reduced(vf x, vf *shifted) {
    return vexpm1_reduced(x, shifted) + 1.0f;
}

/* p times 2 to the power of what lies in the lowest bits of `shifted`, from -125 to 127. */
ALWAYS_INLINE vf vtimes_power(vf p, vf shifted) {
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)(shifted - 12582912.0f));
#else
    return p * (vf)(((vi)shifted + 127) << 23);
#endif
}

ALWAYS_INLINE vf vexp(vf x) {
    vf shifted, p = vexp_reduced(vclamp(x, -104.0f, 89.0f), &shifted);
#if defined(SPUR_ISA_avx512)
    return vtimes_power(p, shifted); /* any power */
#else
    vi k = (vi)shifted - 0x4b400000; /* of NaN: anything, which leaves it NaN */
    vi half = k >> 1;
    return p * (vf)((half + 127) << 23) * (vf)((k - half + 127) << 23);
#endif
}

/* e^x - 1 for x <= 0; of a number above, or NaN: some number, or NaN. */
ALWAYS_INLINE vf vexpm1_below(vf x) {
    vf shifted, p = vexpm1_reduced(vclamp(x, -30.0f, 0.0f), &shifted);
    vf power = (vf)(((vi)shifted + 127) << 23);
    return p * power + (power - 1.0f);
}

/* Natural logarithm of finite numbers above 0 that are not subnormal. */
ALWAYS_INLINE vf vlog(vf x) {
    vi bits = (vi)x;
    vf m = (vf)((bits & 0x007fffff) | 0x3f000000); /* [0.5, 1) */
    vf e = __builtin_convertvector((bits >> 23) - 126, vf);
    vi low = m < vset(0.707106781186547524f);
    e = vselect(low, e - 1.0f, e);
    vf f = vselect(low, m + m, m) - 1.0f, z = f * f;
    vf p = f * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    vf y = p * f * z + e * -2.12194440e-4f;
    y = y - 0.5f * z;
    return (f + y) + e * 0.693359375f;
}

ALWAYS_INLINE vf vsigmoid(vf x) {
    vf down = (vf)((vi)x | INT32_MIN), shifted;
    vf p = vexp_reduced(down, &shifted);
#if defined(SPUR_ISA_avx512)
    __mmask16 there = _mm512_cmp_ps_mask((__m512)down, (__m512)vset(-87.0f), _CMP_NLT_UQ);
    vf e = (vf)_mm512_maskz_scalef_ps(there, (__m512)p, (__m512)(shifted - 12582912.0f));
#else
    vf e = vselect(down < vset(-87.0f), (vf){0}, vtimes_power(p, shifted));
#endif
    return vselect_signed(x, e, vset(1.0f)) / (1.0f + e);
}

/* log(1 + e^x) for x <= 0. */
ALWAYS_INLINE vf vsoftplus_below(vf x) {
    vf e = vexp(x), u = 1.0f + e, d = u - 1.0f;
    return vselect(d == (vf){0}, e, vlog(u) * (e / d));
}

ALWAYS_INLINE vf vsoftplus(vf x) {
    return vselect(x > (vf){0}, x, (vf){0}) + vsoftplus_below(vselect(x < (vf){0}, x, -x));
}

ALWAYS_INLINE vf vtanh(vf x) {
    vf a = vabs(x), z = x * x;
    vf p = z * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    vf small = p * z * a + a;
    vf large = 1.0f - 2.0f / (vexp(a + a) + 1.0f);
    vf y = vselect(a < vset(0.625f), small, large);
    return (vf)((vi)y | ((vi)x & INT32_MIN));
}

ALWAYS_INLINE vf verf(vf x) {
    vf c = vclamp(x, -4.0f, 4.0f), z = c * c;
    vf p = z * -2.72614225801306e-10f + 2.77068142495902e-08f;
    p = p * z - 2.10102402082508e-06f;
    p = p * z - 5.69250639462346e-05f;
    p = p * z - 7.34990630326855e-04f;
    p = p * z - 2.95459980854025e-03f;
    p = p * z - 1.60960333262415e-02f;
    vf q = z * -1.45660718464996e-05f - 2.13374052778905e-04f;
    q = q * z - 1.68282697438203e-03f;
    q = q * z - 7.37332916720468e-03f;
    q = q * z - 1.42647390514189e-02f;
    return c * p / q;
}

/* ---- activations: max(v, 0) and masks let NaN through ------------------------------------------ */

/* y = x * min(max(x + 3, 0), 6) / 6. */
ALWAYS_INLINE vf vhard_swish(vf x) {
    return x * vclamp(x + 3.0f, 0.0f, 6.0f) / 6.0f;
}

/* Its gradient: 0 where it is flat, whatever dy is, as PyTorch has it. */
ALWAYS_INLINE vf vhard_swish_dx(vf dy, vf x) {
    vf slope = vselect(x >= vset(3.0f), vset(1.0f), x / 3.0f + 0.5f);
    return vselect(x <= vset(-3.0f), (vf){0}, dy * slope);
}

ALWAYS_INLINE vf vsilu(vf x) {
    return x * vsigmoid(x);
}

ALWAYS_INLINE vf vsilu_slope(vf x) {
    vf s = vsigmoid(x);
    return s * (1.0f + x * (1.0f - s));
}

ALWAYS_INLINE vf vswish(vf x, spur__swish kind) {
    return kind == SPUR__SILU ? vsilu(x) : kind == SPUR__HARD_SWISH ? vhard_swish(x) : x;
}

ALWAYS_INLINE vf vgelu(vf x) {
    return 0.5f * x * (1.0f + verf(x * 0.70710678118654752f));
}

ALWAYS_INLINE vf vgelu_slope(vf x) {
    vf cdf = 0.5f * (1.0f + verf(x * 0.70710678118654752f));
    return cdf + x * (0.39894228040143268f * vexp(-0.5f * (x * x)));
}

#endif
