/* SPDX-License-Identifier: MIT
 *
 * Packing with transposition; see pack.h.
 */
#include "kernels/simd/simd.h"

/* 4 columns times 4 steps, in registers. */
ALWAYS_INLINE void transpose4(const float *b, ptrdiff_t ldb, float *out, ptrdiff_t width) {
    typedef float v4 __attribute__((vector_size(16)));
    typedef float v4u __attribute__((vector_size(16), aligned(4), may_alias));
    v4 a = *(const v4u *)b, c = *(const v4u *)(b + ldb);
    v4 d = *(const v4u *)(b + 2 * ldb), e = *(const v4u *)(b + 3 * ldb);
    v4 ac = __builtin_shufflevector(a, c, 0, 4, 1, 5),
       AC = __builtin_shufflevector(a, c, 2, 6, 3, 7);
    v4 de = __builtin_shufflevector(d, e, 0, 4, 1, 5),
       DE = __builtin_shufflevector(d, e, 2, 6, 3, 7);
    *(v4u *)out = __builtin_shufflevector(ac, de, 0, 1, 4, 5);
    *(v4u *)(out + width) = __builtin_shufflevector(ac, de, 2, 3, 6, 7);
    *(v4u *)(out + 2 * width) = __builtin_shufflevector(AC, DE, 0, 1, 4, 5);
    *(v4u *)(out + 3 * width) = __builtin_shufflevector(AC, DE, 2, 3, 6, 7);
}

/* Steps taken at a time, so that what is written stays in the first cache until its lines are full;
 * as many floats of each column are a line, and the next ones are asked for meanwhile. */
enum { AT_ONCE = 16 };

/* Steps [begin, end) of all columns. */
ALWAYS_INLINE void transpose_steps(const float *b, ptrdiff_t ldb, ptrdiff_t columns,
                                   ptrdiff_t width, ptrdiff_t begin, ptrdiff_t end, float *out) {
    ptrdiff_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        ptrdiff_t k = begin;
        for (ptrdiff_t i = j; i < j + 4; i++) __builtin_prefetch(b + i * ldb + begin + 2 * AT_ONCE);
        for (; k + 4 <= end; k += 4) transpose4(b + j * ldb + k, ldb, out + k * width + j, width);
        for (; k < end; k++)
            for (ptrdiff_t i = j; i < j + 4; i++) out[k * width + i] = b[i * ldb + k];
    }
    for (; j < width; j++)
        for (ptrdiff_t k = begin; k < end; k++)
            out[k * width + j] = j < columns ? b[j * ldb + k] : 0.0f;
}

void SPUR__SIMD(pack_transposed)(const float *b, ptrdiff_t ldb, ptrdiff_t columns, ptrdiff_t width,
                                 ptrdiff_t steps, float *out) {
    for (ptrdiff_t k = 0; k < steps; k += AT_ONCE)
        transpose_steps(b, ldb, columns, width, k, k + AT_ONCE < steps ? k + AT_ONCE : steps, out);
}

/* A call costs more than a few vectors. */
ALWAYS_INLINE void copy_plain(const float *x, float *out, ptrdiff_t n) {
    ptrdiff_t i = 0;
    if (n > 8 * VL) {
        memcpy(out, x, (size_t)n * sizeof(float));
        return;
    }
    for (; i + VL <= n; i += VL) vstore(out + i, vload(x + i));
    for (; i < n; i++) out[i] = x[i];
}

static void copy_masked(const float *x, const float *mask, float *out, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + VL <= n; i += VL) vstore(out + i, vmask_positive(vload(x + i), vload(mask + i)));
    for (; i < n; i++) out[i] = mask[i] <= 0.0f ? 0.0f : x[i];
}

/* Whole rows when neither side has gaps. */
void SPUR__SIMD(copy_pixels)(const spur__pixels *p, float *out, ptrdiff_t out_pitch) {
    ptrdiff_t count = p->count, width = p->channels;
    if (p->pitch == width && out_pitch == width) {
        width *= count;
        count = count > 0;
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        const float *x = p->x + i * p->pitch;
        if (p->mask)
            copy_masked(x, p->mask + i * p->pitch, out + i * out_pitch, width);
        else
            copy_plain(x, out + i * out_pitch, width);
    }
}

/* Panels without empty columns; vectors is a constant. */
ALWAYS_INLINE void pack_full(const spur__pixels *p, float *out, float *sums, int vectors) {
    vf sum[2] = {{0}, {0}};
    for (int v = 0; sums && v < vectors; v++) sum[v] = vload(sums + v * VL);
    for (ptrdiff_t i = 0; i < p->count; i++, out += vectors * VL) {
        const float *x = p->x + i * p->pitch;
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            vf value = vload(x + v * VL);
            if (p->mask) value = vmask_positive(value, vload(p->mask + i * p->pitch + v * VL));
            vstore(out + v * VL, value);
            sum[v] += value;
        }
    }
    for (int v = 0; sums && v < vectors; v++) vstore(sums + v * VL, sum[v]);
}

static void pack_some(const spur__pixels *p, ptrdiff_t width, float *out, float *sums) {
    float sum[NR] = {0};
    if (sums) memcpy(sum, sums, (size_t)p->channels * sizeof(float));
    for (ptrdiff_t i = 0; i < p->count; i++) {
        float *to = out + i * width;
        if (p->mask)
            copy_masked(p->x + i * p->pitch, p->mask + i * p->pitch, to, p->channels);
        else
            copy_plain(p->x + i * p->pitch, to, p->channels);
        for (ptrdiff_t j = p->channels; j < width; j++) to[j] = 0.0f;
        if (sums)
            for (ptrdiff_t j = 0; j < width; j++) sum[j] += to[j];
    }
    if (sums) memcpy(sums, sum, (size_t)p->channels * sizeof(float));
}

void SPUR__SIMD(pack_panel)(const spur__pixels *p, ptrdiff_t width, float *out, float *sums) {
    if (p->channels == NR && width == NR)
        pack_full(p, out, sums, 2);
    else if (p->channels == VL && width == VL)
        pack_full(p, out, sums, 1);
    else
        pack_some(p, width, out, sums);
}

void SPUR__SIMD(pack_panels)(const float *b, ptrdiff_t ldb, ptrdiff_t rows, ptrdiff_t panels,
                             float *out, ptrdiff_t panel) {
    for (ptrdiff_t i = 0; i < rows; i++, b += ldb, out += NR) {
        for (ptrdiff_t p = 0; p < panels; p++) {
            vstore(out + p * panel, vload(b + p * NR));
            vstore(out + p * panel + VL, vload(b + p * NR + VL));
        }
    }
}
