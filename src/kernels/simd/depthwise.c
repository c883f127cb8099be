/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution; see depthwise.h. Some pixels at a time, so that a weight is loaded once for
 * all of them and their sums do not wait for each other; then the next channels, so that memory is read
 * in long stretches. Channels left over make a vector that is not full. In groups, a vector
 * is multiplied once for each channel of a group, which all lanes of the group then hold.
 */
#include "kernels/simd/depthwise.h"

#include "kernels/simd/math.h"

/* Channels [c, c + n) of a pixel. With a mask, values count where that is not 0 or less. */
ALWAYS_INLINE vf load_shown(const float *x, const float *mask, ptrdiff_t n) {
    vf v = vload_n(x, n);
    return mask ? vmask_positive(v, vload_n(mask, n)) : v;
}

/* In each lane the channel j of the lane's group; depth, a constant, divides VL. */
ALWAYS_INLINE vf of_group(vf v, int depth, int j) {
    vi lane;
    for (int i = 0; i < VL; i++) lane[i] = i / depth * depth + j;
#if defined(SPUR_ISA_avx512)
    return (vf)_mm512_permutexvar_ps((__m512i)lane, (__m512)v);
#elif defined(SPUR_ISA_avx2)
    return (vf)_mm256_permutevar8x32_ps((__m256)v, (__m256i)lane);
#else
    vf w = {0};
    for (int i = 0; i < VL; i++) w[i] = v[lane[i]];
    return w;
#endif
}

/* Channel j of the groups of channels [c, c + n), whose values are v, x being channel c's place. */
ALWAYS_INLINE vf member(vf v, const float *x, const float *mask, ptrdiff_t c, int depth, int j) {
    if (depth == 1) return v;
    if (depth <= VL) return of_group(v, depth, j);
    ptrdiff_t at = j - c % depth;
    return vset(mask && mask[at] <= 0.0f ? 0.0f : x[at]);
}

/* ---- outputs and data gradient -------------------------------------------------------------- */

enum { SUMS = 8 }; /* of a block */

ALWAYS_INLINE void finish(const spur__depthwise_run *p, float *y, ptrdiff_t c, vf sum,
                          ptrdiff_t n) {
    if (p->accumulate) sum += vload_n(y, n);
    if (p->bias) sum += vload_n(p->bias + c, n);
    if (p->relu) sum = vrelu(sum);
    sum = vswish(sum, p->swish);
    if (p->stream)
        vstream(y, sum);
    else
        vstore_n(y, sum, n);
}

/* The pixel that is read some 6 KB later, step floats from pixel to pixel. */
ALWAYS_INLINE ptrdiff_t later(ptrdiff_t step) {
    return (1536 / step + 1) * step;
}

/* Asks for what comes later in the last row that is read; the others were last ones before. */
ALWAYS_INLINE void ask_for(const float *x, ptrdiff_t step, int pixels, int vectors) {
    x += later(step);
#pragma GCC unroll 8
    for (int i = 0; i < pixels; i++)
        for (int k = 0; k < vectors * VL; k += 16) __builtin_prefetch(x + i * step + k);
}

/* Channels [c, c + vectors * VL), or [c, c + n) of one vector that is not full, of some pixels from
 * `first` on. pixels, vectors, depth and masked are constants. */
ALWAYS_INLINE void block_of(const spur__depthwise_run *p, ptrdiff_t first, int pixels, int vectors,
                            ptrdiff_t c, ptrdiff_t n, int depth, bool masked) {
    vf sum[SUMS];
    ptrdiff_t step = p->x_step, at = first * step + c;
    float *y = p->y + first * p->y_step + c;
#pragma GCC unroll 8
    for (int i = 0; i < pixels * vectors; i++) sum[i] = (vf){0};
    ask_for(p->x + at + (p->rows - 1) * p->x_row, step, pixels, vectors);
    for (ptrdiff_t r = 0; r < p->rows; r++) {
        const float *w = p->w + r * p->w_row + c;
        for (ptrdiff_t s = 0; s < p->cols; s++, w += p->w_col) {
            const float *x = p->x + at + r * p->x_row + s * p->x_col;
            const float *mask = masked ? p->mask + (x - p->x) : NULL;
#pragma GCC unroll 4
            for (int k = 0; k < vectors; k++) {
                vf weight[8];
#pragma GCC unroll 8
                for (int j = 0; j < depth; j++)
                    weight[j] = vload_n(w + j * p->channels + k * VL, n);
#pragma GCC unroll 8
                for (int i = 0; i < pixels; i++) {
                    const float *here = x + i * step + k * VL;
                    const float *shown = masked ? mask + i * step + k * VL : NULL;
                    vf v = load_shown(here, shown, n), *to = &sum[i * vectors + k];
#pragma GCC unroll 8
                    for (int j = 0; j < depth; j++)
                        *to = vfma(member(v, here, shown, c + k * VL, depth, j), weight[j], *to);
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < pixels; i++)
        for (int k = 0; k < vectors; k++)
            finish(p, y + i * p->y_step + k * VL, c + k * VL, sum[i * vectors + k], n);
}

/* Fewer pixels take more vectors of channels, so that as many sums are on their way. */
ALWAYS_INLINE void pixels_of(const spur__depthwise_run *p, ptrdiff_t first, int pixels, int vectors,
                             int depth, bool masked) {
    ptrdiff_t c = 0;
    for (; c + vectors * VL <= p->channels; c += vectors * VL)
        block_of(p, first, pixels, vectors, c, VL, depth, masked);
    for (; vectors > 1 && c + VL <= p->channels; c += VL)
        block_of(p, first, pixels, 1, c, VL, depth, masked);
    if (c < p->channels) block_of(p, first, pixels, 1, c, p->channels - c, depth, masked);
}

ALWAYS_INLINE void all_pixels(const spur__depthwise_run *p, int depth, bool masked) {
    ptrdiff_t i = 0;
    for (; i + 8 <= p->count; i += 8) pixels_of(p, i, 8, 1, depth, masked);
    for (; i + 4 <= p->count; i += 4) pixels_of(p, i, 4, VL > 4 ? 2 : 1, depth, masked);
    for (; i < p->count; i++) pixels_of(p, i, 1, VL > 4 ? 4 : 1, depth, masked);
}

/* A function for each depth and with or without a mask, as constants: all in one would not leave enough
 * registers to each. */
#define INSTANCE(f, job, depth, masked)                                                            \
    static void f##_##depth##_##masked(const job *p) {                                             \
        f(p, depth, masked);                                                                       \
    }
#define INSTANCES(f, job)                                                                          \
    INSTANCE(f, job, 1, false)                                                                     \
    INSTANCE(f, job, 2, false)                                                                     \
    INSTANCE(f, job, 4, false)                                                                     \
    INSTANCE(f, job, 8, false)                                                                     \
    INSTANCE(f, job, 1, true)                                                                      \
    INSTANCE(f, job, 2, true)                                                                      \
    INSTANCE(f, job, 4, true)                                                                      \
    INSTANCE(f, job, 8, true)                                                                      \
    static void (*const f##_instances[2][4])(const job *) = {                                      \
        {f##_1_false, f##_2_false, f##_4_false, f##_8_false},                                      \
        {f##_1_true, f##_2_true, f##_4_true, f##_8_true}};

INSTANCES(all_pixels, spur__depthwise_run)

static int place_of(ptrdiff_t depth) {
    return depth == 1 ? 0 : depth == 2 ? 1 : depth == 4 ? 2 : 3;
}

void SPUR__SIMD(depthwise_pixels)(const spur__depthwise_run *p) {
    all_pixels_instances[p->mask != NULL][place_of(p->depth)](p);
}

/* ---- weight gradient ------------------------------------------------------------------------ */

enum { TAP_SUMS = 10 }; /* kept in registers for a vector of channels */

/* Taps [s, s + cols) of rows [r, r + rows), channels [c, c + n) over some pixels; and dy's sums if bias is not
 * NULL. rows, cols, depth and masked are constants. */
ALWAYS_INLINE void taps_of(const spur__depthwise_sums *p, ptrdiff_t r, ptrdiff_t s, int rows,
                           int cols, int depth, ptrdiff_t c, ptrdiff_t n, bool masked,
                           float *bias) {
    vf sum[TAP_SUMS], total = bias ? vload_n(bias + c, n) : (vf){0};
    float *sums = p->sums + (r * p->sum_row + s) * depth * p->channels + c;
    ptrdiff_t sum_row = p->sum_row * depth * p->channels;
    const float *x = p->x + r * p->x_row + s * p->x_col + c, *dy = p->dy + c;
    const float *mask = masked ? p->mask + c : NULL;
    ptrdiff_t next = (rows - 1) * p->x_row + later(p->x_step), next_dy = later(p->dy_step);
#pragma GCC unroll 10
    for (int k = 0; k < rows * cols * depth; k++)
        sum[k] = vload_n(sums + k / (cols * depth) * sum_row + k % (cols * depth) * p->channels, n);
    for (ptrdiff_t i = 0; i < p->count; i++, x += p->x_step, dy += p->dy_step) {
        vf d = load_shown(dy, masked ? mask + i * p->dy_step : NULL, n);
        if (rows > 1) __builtin_prefetch(dy + next_dy);
        if (rows > 1) __builtin_prefetch(x + next);
        total += d;
#pragma GCC unroll 3
        for (int a = 0; a < rows; a++) {
#pragma GCC unroll 5
            for (int b = 0; b < cols; b++) {
                const float *here = x + a * p->x_row + b * p->x_col;
                vf v = vload_n(here, n), *to = &sum[(a * cols + b) * depth];
#pragma GCC unroll 8
                for (int j = 0; j < depth; j++)
                    to[j] = vfma(member(v, here, NULL, c, depth, j), d, to[j]);
            }
        }
    }
#pragma GCC unroll 10
    for (int k = 0; k < rows * cols * depth; k++)
        vstore_n(sums + k / (cols * depth) * sum_row + k % (cols * depth) * p->channels, sum[k], n);
    if (bias) vstore_n(bias + c, total, n);
}

/* As many taps at once as there are registers for; dy's sums with the first ones. */
ALWAYS_INLINE void channels_of(const spur__depthwise_sums *p, ptrdiff_t c, ptrdiff_t n, int depth,
                               bool masked) {
    ptrdiff_t r = 0;
    float *bias = p->bias;
    if (bias && p->rows * p->cols == 0) taps_of(p, 0, 0, 0, 0, depth, c, n, masked, bias);
    if (depth == 1 && p->cols == 3)
        for (; r + 3 <= p->rows; r += 3, bias = NULL)
            taps_of(p, r, 0, 3, 3, depth, c, n, masked, bias);
    for (; r < p->rows; r++) {
        ptrdiff_t s = 0;
        if (depth == 1)
            for (; s + 5 <= p->cols; s += 5, bias = NULL)
                taps_of(p, r, s, 1, 5, depth, c, n, masked, bias);
        if (depth <= 2)
            for (; s + 3 <= p->cols; s += 3, bias = NULL)
                taps_of(p, r, s, 1, 3, depth, c, n, masked, bias);
        for (; s < p->cols; s++, bias = NULL) taps_of(p, r, s, 1, 1, depth, c, n, masked, bias);
    }
}

ALWAYS_INLINE void all_channels(const spur__depthwise_sums *p, int depth, bool masked) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) channels_of(p, c, VL, depth, masked);
    if (c < p->channels) channels_of(p, c, p->channels - c, depth, masked);
}

INSTANCES(all_channels, spur__depthwise_sums)

void SPUR__SIMD(depthwise_weights)(const spur__depthwise_sums *p) {
    all_channels_instances[p->mask != NULL][place_of(p->depth)](p);
}
