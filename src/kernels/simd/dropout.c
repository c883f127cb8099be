/* SPDX-License-Identifier: MIT
 *
 * Dropout; see vec.h. Value i belongs to number i % 4 of block i / 4, as base/random.c makes them by
 * Philox4x32-10. Here VL blocks are made at a time, in two halves whose numbers lie in lanes of 64 bits,
 * which is what the multiplications want: they read the lower half of a lane and leave all of it full,
 * and nobody looks at the upper half of anything else.
 */
#include "kernels/simd/simd.h"

typedef uint32_t vu __attribute__((vector_size(VL * 4)));
typedef uint64_t vq __attribute__((vector_size(VL * 4)));

enum { WIDE = VL / 2 }; /* lanes of vq */

/* The lower halves of the lanes, multiplied. */
ALWAYS_INLINE vq multiply(vq a, vq b) {
#if defined(SPUR_ISA_avx512)
    return (vq)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(SPUR_ISA_avx2)
    return (vq)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

ALWAYS_INLINE void philox_round(vq x[4], uint32_t k0, uint32_t k1) {
    vq a = multiply(x[0], (vq){0} + 0xD2511F53u), b = multiply(x[2], (vq){0} + 0xCD9E8D57u);
    x[0] = (b >> 32) ^ x[1] ^ k0;
    x[2] = (a >> 32) ^ x[3] ^ k1;
    x[1] = b;
    x[3] = a;
}

/* Within each four of the lanes: a0 b0 a1 b1 and a2 b2 a3 b3; a0 a1 b0 b1 and a2 a3 b2 b3. */
#if defined(SPUR_ISA_avx512)
#define LOWS(a, b)                                                                                 \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGHS(a, b)                                                                                \
    __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIRS(a, b)                                                                            \
    __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIRS(a, b)                                                                           \
    __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#elif defined(SPUR_ISA_avx2)
#define LOWS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGHS(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#else
#define LOWS(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGHS(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#endif

/* From four numbers of VL blocks each to 4 * VL numbers in the blocks' order, when lane p holds block
 * p % 4 * (VL / 4) + p / 4. */
ALWAYS_INLINE void interleave(const vu x[4], vu out[4]) {
    vu low01 = LOWS(x[0], x[1]), high01 = HIGHS(x[0], x[1]);
    vu low23 = LOWS(x[2], x[3]), high23 = HIGHS(x[2], x[3]);
    out[0] = LOW_PAIRS(low01, low23);
    out[1] = HIGH_PAIRS(low01, low23);
    out[2] = LOW_PAIRS(high01, high23);
    out[3] = HIGH_PAIRS(high01, high23);
}

/* The first half has the even lanes of what `interleave` reads, the second half the odd ones. */
ALWAYS_INLINE vq blocks_of_half(uint32_t half) {
    vq v = {0};
    for (uint32_t i = 0; i < WIDE; i++) {
        uint32_t lane = 2 * i + half;
        v[i] = lane % 4 * (VL / 4) + lane / 4;
    }
    return v;
}

/* Numbers of blocks [block, block + VL). */
ALWAYS_INLINE void philox_blocks(const spur__dropout_job *q, uint32_t block, vu out[4]) {
    vq half[2][4];
    vu whole[4];
    uint32_t k0 = q->key[0], k1 = q->key[1];
    for (uint32_t h = 0; h < 2; h++) {
        half[h][0] = blocks_of_half(h) + block;
        for (int i = 1; i < 4; i++) half[h][i] = (vq){0} + q->counter[i];
    }
    for (int round = 0; round < 10; round++) {
        philox_round(half[0], k0, k1);
        philox_round(half[1], k0, k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++) whole[i] = (vu)((half[0][i] & UINT32_MAX) | half[1][i] << 32);
    interleave(whole, out);
}

/* Values i .. i + n, n <= VL, of which those whose number is below the threshold are dropped. */
ALWAYS_INLINE void drop(const spur__dropout_job *q, vu number, ptrdiff_t i, ptrdiff_t n) {
    vf value = q->x ? vload_n(q->x + i, n) * q->factor : vset(q->factor);
    vf v = vselect((vi)(number < q->threshold), (vf){0}, value);
    if (q->accumulate) v += vload_n(q->y + i, n);
    vstore_n(q->y + i, v, n);
}

void SPUR__SIMD(dropout)(const spur__dropout_job *q, ptrdiff_t begin, ptrdiff_t end) {
    vu number[4];
    ptrdiff_t i = begin;
    for (; i + 4 * VL <= end; i += 4 * VL) {
        philox_blocks(q, q->counter[0] + (uint32_t)(i / 4), number);
        for (int k = 0; k < 4; k++) drop(q, number[k], i + k * VL, VL);
    }
    if (i == end) return;
    philox_blocks(q, q->counter[0] + (uint32_t)(i / 4), number);
    for (int k = 0; k < 4 && i < end; k++, i += VL)
        drop(q, number[k], i, end - i < VL ? end - i : VL);
}
