/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution; see depthwise.h. Some pixels at a time, so that a weight is loaded once for
 * all of them and their sums do not wait for each other; then the next channels, so that memory is read
 * in long stretches. Channels left over make a vector that is not full. In groups, a vector
 * is multiplied once for each channel of a group, which all lanes of the group then hold.
 */
#include "kernels/simd/depthwise.h"

#include "kernels/simd/simd.h"

/* Channels [c, c + n) of a pixel. With a mask, values count where that is above 0. */
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
    vf w;
    for (int i = 0; i < VL; i++) w[i] = v[lane[i]];
    return w;
#endif
}

/* Channel j of the groups of channels [c, c + n), whose values are v, x being channel c's place. */
ALWAYS_INLINE vf member(vf v, const float *x, const float *mask, ptrdiff_t c, int depth, int j) {
    if (depth == 1) return v;
    if (depth <= VL) return of_group(v, depth, j);
    ptrdiff_t at = j - c % depth;
    return vset(mask && !(mask[at] > 0.0f) ? 0.0f : x[at]);
}

/* ---- outputs and data gradient -------------------------------------------------------------- */

enum { SUMS = 8 }; /* of a block */

ALWAYS_INLINE void finish(const spur__depthwise_run *p, float *y, ptrdiff_t c, vf sum,
                          ptrdiff_t n) {
    if (p->accumulate) sum += vload_n(y, n);
    if (p->bias) sum += vload_n(p->bias + c, n);
    if (p->relu) sum = vrelu(sum);
    if (p->stream)
        vstream(y, sum);
    else
        vstore_n(y, sum, n);
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

/* Calls f with depth and mask as constants. */
#define BY_DEPTH(f, p, masked)                                                                     \
    switch ((p)->depth) {                                                                          \
    case 1:                                                                                        \
        f(p, 1, masked);                                                                           \
        break;                                                                                     \
    case 2:                                                                                        \
        f(p, 2, masked);                                                                           \
        break;                                                                                     \
    case 4:                                                                                        \
        f(p, 4, masked);                                                                           \
        break;                                                                                     \
    default:                                                                                       \
        f(p, 8, masked);                                                                           \
    }

static void shown_pixels(const spur__depthwise_run *p) {
    BY_DEPTH(all_pixels, p, true)
}

void SPUR__SIMD(depthwise_pixels)(const spur__depthwise_run *p) {
    if (p->mask)
        shown_pixels(p);
    else
        BY_DEPTH(all_pixels, p, false)
}

/* ---- weight gradient ------------------------------------------------------------------------ */

enum { TAP_SUMS = 10 }; /* kept in registers for a vector of channels */

/* Taps [s, s + taps) of row r, channels [c, c + n). taps, depth and masked are constants. */
ALWAYS_INLINE void taps_of(const spur__depthwise_sums *p, ptrdiff_t r, ptrdiff_t s, int taps,
                           int depth, ptrdiff_t c, ptrdiff_t n, bool masked) {
    vf sum[TAP_SUMS];
    float *sums = p->sums + (r * p->sum_row + s) * depth * p->channels + c;
    const float *x = p->x + r * p->x_row + s * p->x_col + c, *dy = p->dy + c;
    const float *mask = masked ? p->mask + c : NULL;
#pragma GCC unroll 10
    for (int k = 0; k < taps * depth; k++) sum[k] = vload_n(sums + k * p->channels, n);
    for (ptrdiff_t i = 0; i < p->count; i++, x += p->x_step, dy += p->dy_step) {
        vf d = load_shown(dy, masked ? mask + i * p->dy_step : NULL, n);
#pragma GCC unroll 5
        for (int k = 0; k < taps; k++) {
            const float *here = x + k * p->x_col;
            vf v = vload_n(here, n);
#pragma GCC unroll 8
            for (int j = 0; j < depth; j++)
                sum[k * depth + j] =
                    vfma(member(v, here, NULL, c, depth, j), d, sum[k * depth + j]);
        }
    }
#pragma GCC unroll 10
    for (int k = 0; k < taps * depth; k++) vstore_n(sums + k * p->channels, sum[k], n);
}

ALWAYS_INLINE void channels_of(const spur__depthwise_sums *p, ptrdiff_t c, ptrdiff_t n, int depth,
                               bool masked) {
    for (ptrdiff_t r = 0; r < p->rows; r++) {
        ptrdiff_t s = 0;
        if (depth == 1)
            for (; s + 5 <= p->cols; s += 5) taps_of(p, r, s, 5, depth, c, n, masked);
        if (depth <= 2)
            for (; s + 3 <= p->cols; s += 3) taps_of(p, r, s, 3, depth, c, n, masked);
        for (; s < p->cols; s++) taps_of(p, r, s, 1, depth, c, n, masked);
    }
}

ALWAYS_INLINE void all_channels(const spur__depthwise_sums *p, int depth, bool masked) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) channels_of(p, c, VL, depth, masked);
    if (c < p->channels) channels_of(p, c, p->channels - c, depth, masked);
}

static void shown_weights(const spur__depthwise_sums *p) {
    BY_DEPTH(all_channels, p, true)
}

void SPUR__SIMD(depthwise_weights)(const spur__depthwise_sums *p) {
    if (p->mask)
        shown_weights(p);
    else
        BY_DEPTH(all_channels, p, false)
}
