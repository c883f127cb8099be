/* SPDX-License-Identifier: MIT
 *
 * What the sources in this folder share: the vector type of the instruction set being compiled
 * for, its fused multiply-add, and the naming of exported functions (name_avx512, ...).
 *
 * The build gives SPUR_ISA = generic | avx2 | avx512. An FMA rounds once everywhere: where the CPU
 * may lack the instruction it is made of double-precision operations that give the same bits
 * (round to odd, then to single: Boldo & Melquiond, "Emulation of a FMA and correctly rounded
 * sums", 2008).
 */
#ifndef SPUR_KERNELS_SIMD_H
#define SPUR_KERNELS_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/simd/table.h"

#if defined(SPUR_ISA_avx512) || defined(SPUR_ISA_avx2)
#include <immintrin.h>
#endif

#define SPUR__PASTE2(a, b) a##_##b
#define SPUR__PASTE(a, b) SPUR__PASTE2(a, b)
/* The exported name of a function of the table. */
#define SPUR__SIMD(name) SPUR__PASTE(spur__##name, SPUR_ISA)
#define SPUR__SIMD_PROTOTYPE(type, name, params) type SPUR__SIMD(name) params;
SPUR__SIMD_MAP(SPUR__SIMD_PROTOTYPE)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(SPUR_ISA_avx512)
enum { VL = 16, MR = 14 };
#elif defined(SPUR_ISA_avx2)
enum { VL = 8, MR = 6 };
#else
enum { VL = 4, MR = 4 };
#endif
enum { NR = 2 * VL };

/* X for each number of rows that a register tile may have, 1 to MR, with `comma` (COMMA or NOTHING)
 * between them. */
#if defined(SPUR_ISA_avx512)
#define EACH_ROWS(X, comma)                                                                        \
    X(1)                                                                                           \
    comma X(2) comma X(3) comma X(4) comma X(5) comma X(6) comma X(7) comma X(8) comma X(9)        \
        comma X(10) comma X(11) comma X(12) comma X(13) comma X(14)
#elif defined(SPUR_ISA_avx2)
#define EACH_ROWS(X, comma) X(1) comma X(2) comma X(3) comma X(4) comma X(5) comma X(6)
#else
#define EACH_ROWS(X, comma) X(1) comma X(2) comma X(3) comma X(4)
#endif
#define NOTHING
#define COMMA ,

/* x, of which the compiler knows nothing: addresses made of it are computed where they are used, not all
 * of them before a loop, to be spilled and loaded again. */
ALWAYS_INLINE ptrdiff_t hidden(ptrdiff_t x) {
    __asm__("" : "+r"(x));
    return x;
}

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int32_t vi __attribute__((vector_size(VL * 4)));
typedef uint8_t vbytes __attribute__((vector_size(VL)));
typedef float vfu __attribute__((vector_size(VL * 4), aligned(4), may_alias)); /* any address */

/* The floats from a pixel to the one that a walk over pixels fetches meanwhile. Some processors do not
 * look far enough ahead of a walk over memory, or stop where it leaves out channels. */
enum { WALK_AHEAD = 1536 };
ALWAYS_INLINE ptrdiff_t walk_ahead(ptrdiff_t pitch) {
    return (WALK_AHEAD + pitch - 1) / pitch * pitch;
}

ALWAYS_INLINE vf vload(const float *p) {
    return *(const vfu *)p;
}

ALWAYS_INLINE void vstore(float *p, vf v) {
    *(vfu *)p = v;
}

/* Past the caches, to a multiple of the vector's size; whole lines at a time, or it is slow, which
 * the portable vectors are too short for. */
ALWAYS_INLINE void vstream(float *p, vf v) {
#if defined(SPUR_ISA_avx512)
    _mm512_stream_ps(p, (__m512)v);
#elif defined(SPUR_ISA_avx2)
    _mm256_stream_ps(p, (__m256)v);
#else
    vstore(p, v);
#endif
}

/* v, in a register: a select must not become a load under a mask, which waits for what the mask is made
 * of (a third slower where memory is the limit). */
ALWAYS_INLINE vf vloaded(vf v) {
#if defined(SPUR_ISA_avx512)
    __asm__("" : "+v"(v));
#endif
    return v;
}

/* n <= VL floats, zeros behind; nothing behind them is read. */
ALWAYS_INLINE vf vload_n(const float *p, ptrdiff_t n) {
    if (n >= VL) return vload(p);
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
    float lanes[VL] = {0};
    for (ptrdiff_t i = 0; i < n; i++) lanes[i] = p[i];
    return vload(lanes);
#endif
}

/* The first n <= VL of them. */
ALWAYS_INLINE void vstore_n(float *p, vf v, ptrdiff_t n) {
    if (n >= VL) {
        vstore(p, v);
        return;
    }
#if defined(SPUR_ISA_avx512)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    float lanes[VL];
    vstore(lanes, v);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
#endif
}

ALWAYS_INLINE vf vset(float x) {
    return x - (vf){0};
}

/* The mask's lanes are all ones or all zeros. */
ALWAYS_INLINE vf vselect(vi mask, vf yes, vf no) {
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* The first n lanes of v, zeros behind. */
ALWAYS_INLINE vf vfirst(vf v, ptrdiff_t n) {
    vi index;
    if (n >= VL) return v;
    for (int i = 0; i < VL; i++) index[i] = i;
    return (vf)((vi)v & (index < (int32_t)n));
}

/* v where it is greater than most, else most, also where one of them is NaN. */
ALWAYS_INLINE vf vgreater(vf v, vf most) {
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_max_ps((__m512)v, (__m512)most);
#elif defined(SPUR_ISA_avx2)
    return (vf)_mm256_max_ps((__m256)v, (__m256)most);
#else
    return vselect(v > most, v, most);
#endif
}

/* max(v, 0) that lets NaN through. */
ALWAYS_INLINE vf vrelu(vf v) {
    return vselect(v < (vf){0}, (vf){0}, v);
}

/* value and its code in the place of the best so far where it is greater or NaN. */
ALWAYS_INLINE void vtake_greater(vf *best, vi *code, vf value, int32_t tap) {
#if defined(SPUR_ISA_avx512)
    __m512 v = (__m512)value, old = (__m512)*best;
    __mmask16 wins =
        _mm512_cmp_ps_mask(v, old, _CMP_GT_OQ) | _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    *best = (vf)_mm512_mask_mov_ps(old, wins, v);
    *code = (vi)_mm512_mask_mov_epi32((__m512i)*code, wins, _mm512_set1_epi32(tap));
#else
    vi wins = (value > *best) | (value != value);
    *best = vselect(wins, value, *best);
    *code = (vi)vselect(wins, (vf)((vi){0} + tap), (vf)*code);
#endif
}

/* v where vrelu lets y through, else 0: the gradient of vrelu, whatever v is. */
ALWAYS_INLINE vf vmask_positive(vf v, vf y) {
#if defined(SPUR_ISA_avx512)
    __mmask16 shown = _mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_NLE_UQ);
    return (vf)_mm512_maskz_mov_ps(shown, (__m512)v);
#elif defined(SPUR_ISA_avx2)
    __m256 shown = _mm256_cmp_ps((__m256)y, _mm256_setzero_ps(), _CMP_NLE_UQ);
    return (vf)_mm256_and_ps(shown, (__m256)v);
#else
    return (vf)((vi)v & ~(y <= (vf){0}));
#endif
}

/* VL bytes as lanes. Compilers make a scalar loop of the generic form. */
ALWAYS_INLINE vi vload_bytes(const uint8_t *p) {
#if defined(SPUR_ISA_avx512)
    return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
#elif defined(SPUR_ISA_avx2)
    return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
#else
    vbytes narrow;
    memcpy(&narrow, p, sizeof narrow);
    return __builtin_convertvector(narrow, vi);
#endif
}

/* The same of n <= VL bytes, zeros behind; nothing behind them is read. */
ALWAYS_INLINE vi vload_bytes_n(const uint8_t *p, ptrdiff_t n) {
    if (n >= VL) return vload_bytes(p);
    uint8_t bytes[VL] = {0};
    memcpy(bytes, p, (size_t)n);
    return vload_bytes(bytes);
}

#if !defined(SPUR_ISA_avx512) && !defined(SPUR_ISA_avx2) && !defined(__FP_FAST_FMAF)
#define SPUR__SOFT_FMA 1
ALWAYS_INLINE float soft_fma(float a, float b, float c) {
    double p = (double)a * (double)b; /* exact */
    double s = p + (double)c;
    double t = s - p;
    double e = (p - (s - t)) + ((double)c - t); /* s + e is the exact sum */
    int64_t bits;
    memcpy(&bits, &s, sizeof bits);
    int64_t toward = (e > 0.0) == (s > 0.0) ? 1 : -1;
    int64_t inexact = (e > 0.0) | (e < 0.0);
    bits += toward & -(inexact & ~bits & 1);
    memcpy(&s, &bits, sizeof s);
    return (float)s;
}
#endif

#if defined(SPUR__SOFT_FMA)
typedef float v2f __attribute__((vector_size(8)));
typedef double v2d __attribute__((vector_size(16)));
typedef int64_t v2l __attribute__((vector_size(16)));

/* soft_fma for two lanes. */
ALWAYS_INLINE v2f soft_fma2(v2f a, v2f b, v2f c) {
    v2d wide = __builtin_convertvector(c, v2d);
    v2d p = __builtin_convertvector(a, v2d) * __builtin_convertvector(b, v2d);
    v2d s = p + wide, t = s - p, e = (p - (s - t)) + (wide - t), zero = {0.0, 0.0};
    v2l bits = (v2l)s, inexact = (e > zero) | (e < zero), same = ~((e > zero) ^ (s > zero));
    bits += ((same & 2) - 1) & inexact & ((bits & 1) - 1);
    return __builtin_convertvector((v2d)bits, v2f);
}
#endif

/* a * b + c, rounded once. */
ALWAYS_INLINE float fma1(float a, float b, float c) {
#if defined(SPUR__SOFT_FMA)
    return soft_fma(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

ALWAYS_INLINE vf vfma(vf a, vf b, vf c) {
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(SPUR_ISA_avx2)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(SPUR__SOFT_FMA)
    v2f low = soft_fma2(__builtin_shufflevector(a, a, 0, 1), __builtin_shufflevector(b, b, 0, 1),
                        __builtin_shufflevector(c, c, 0, 1));
    v2f high = soft_fma2(__builtin_shufflevector(a, a, 2, 3), __builtin_shufflevector(b, b, 2, 3),
                         __builtin_shufflevector(c, c, 2, 3));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3);
#else
    vf r;
    for (int i = 0; i < VL; i++) r[i] = fma1(a[i], b[i], c[i]);
    return r;
#endif
}

#endif
