/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution; see depthwise.h. Some pixels at a time, so that a weight is loaded once for
 * all of them and their sums do not wait for each other; then the next vector of channels, so that memory
 * is read in long stretches. Channels left over make a vector that is not full.
 */
#include "kernels/simd/depthwise.h"

#include "kernels/simd/simd.h"

/* ---- outputs and data gradient -------------------------------------------------------------- */

enum { PIXELS = 8 };

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

/* Channels [c, c + n) of some pixels from `first` on. pixels and masked are constants. */
ALWAYS_INLINE void vector_of(const spur__depthwise_run *p, ptrdiff_t first, int pixels, ptrdiff_t c,
                             ptrdiff_t n, bool masked) {
    vf sum[PIXELS];
    ptrdiff_t step = p->x_step, at = first * step + c;
    float *y = p->y + first * p->y_step + c;
#pragma GCC unroll 8
    for (int i = 0; i < pixels; i++) sum[i] = (vf){0};
    for (ptrdiff_t r = 0; r < p->rows; r++) {
        const float *w = p->w + r * p->w_row + c;
        for (ptrdiff_t s = 0; s < p->cols; s++, w += p->w_col) {
            ptrdiff_t from = at + r * p->x_row + s * p->x_col;
            vf weight = vload_n(w, n);
#pragma GCC unroll 8
            for (int i = 0; i < pixels; i++) {
                vf x = vload_n(p->x + from + i * step, n);
                if (masked) x = vmask_positive(x, vload_n(p->mask + from + i * step, n));
                sum[i] = vfma(x, weight, sum[i]);
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < pixels; i++) finish(p, y + i * p->y_step, c, sum[i], n);
}

ALWAYS_INLINE void pixels_of(const spur__depthwise_run *p, ptrdiff_t first, int pixels,
                             bool masked) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) vector_of(p, first, pixels, c, VL, masked);
    if (c < p->channels) vector_of(p, first, pixels, c, p->channels - c, masked);
}

ALWAYS_INLINE void all_pixels(const spur__depthwise_run *p, bool masked) {
    ptrdiff_t i = 0;
    for (; i + PIXELS <= p->count; i += PIXELS) pixels_of(p, i, PIXELS, masked);
    for (; i + 3 <= p->count; i += 3) pixels_of(p, i, 3, masked);
    for (; i < p->count; i++) pixels_of(p, i, 1, masked);
}

void SPUR__SIMD(depthwise_pixels)(const spur__depthwise_run *p) {
    if (p->mask)
        all_pixels(p, true);
    else
        all_pixels(p, false);
}

/* ---- weight gradient ------------------------------------------------------------------------ */

enum { TAPS = 5, VECTORS = 2 }; /* taps and vectors of channels whose sums are kept in registers */

/* Taps [s, s + taps) of row r, channels [c, c + n) or, if n is VL, some vectors of them. taps,
 * vectors and masked are constants. */
ALWAYS_INLINE void taps_of(const spur__depthwise_sums *p, ptrdiff_t r, ptrdiff_t s, int taps,
                           int vectors, ptrdiff_t c, ptrdiff_t n, bool masked) {
    vf sum[TAPS][VECTORS];
    float *sums = p->sums + (r * p->sum_row + s) * p->channels + c;
    const float *x = p->x + r * p->x_row + s * p->x_col + c, *dy = p->dy + c;
    const float *mask = masked ? p->mask + c : NULL;
#pragma GCC unroll 5
    for (int k = 0; k < taps; k++)
        for (int v = 0; v < vectors; v++) sum[k][v] = vload_n(sums + k * p->channels + v * VL, n);
    for (ptrdiff_t i = 0; i < p->count; i++, x += p->x_step, dy += p->dy_step) {
        vf d[VECTORS];
        for (int v = 0; v < vectors; v++) {
            d[v] = vload_n(dy + v * VL, n);
            if (masked) d[v] = vmask_positive(d[v], vload_n(mask + i * p->dy_step + v * VL, n));
        }
#pragma GCC unroll 5
        for (int k = 0; k < taps; k++)
            for (int v = 0; v < vectors; v++)
                sum[k][v] = vfma(vload_n(x + k * p->x_col + v * VL, n), d[v], sum[k][v]);
    }
#pragma GCC unroll 5
    for (int k = 0; k < taps; k++)
        for (int v = 0; v < vectors; v++) vstore_n(sums + k * p->channels + v * VL, sum[k][v], n);
}

ALWAYS_INLINE void channels_of(const spur__depthwise_sums *p, ptrdiff_t c, ptrdiff_t n, int vectors,
                               bool masked) {
    for (ptrdiff_t r = 0; r < p->rows; r++) {
        ptrdiff_t s = 0;
        for (; s + 5 <= p->cols; s += 5) taps_of(p, r, s, 5, vectors, c, n, masked);
        for (; s + 3 <= p->cols; s += 3) taps_of(p, r, s, 3, vectors, c, n, masked);
        for (; s < p->cols; s++) taps_of(p, r, s, 1, vectors, c, n, masked);
    }
}

ALWAYS_INLINE void all_channels(const spur__depthwise_sums *p, bool masked) {
    ptrdiff_t c = 0;
    for (; c + VECTORS * VL <= p->channels; c += VECTORS * VL)
        channels_of(p, c, VL, VECTORS, masked);
    for (; c + VL <= p->channels; c += VL) channels_of(p, c, VL, 1, masked);
    if (c < p->channels) channels_of(p, c, p->channels - c, 1, masked);
}

void SPUR__SIMD(depthwise_weights)(const spur__depthwise_sums *p) {
    if (p->mask)
        all_channels(p, true);
    else
        all_channels(p, false);
}
