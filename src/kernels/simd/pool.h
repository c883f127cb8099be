/* SPDX-License-Identifier: MIT
 *
 * Shapes of pooling and the work on one row of windows.
 */
#ifndef SPUR_KERNELS_SIMD_POOL_H
#define SPUR_KERNELS_SIMD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spur__pool_shape {
    ptrdiff_t n, h, w, c; /* x: [n][h][w][x_pitch] */
    ptrdiff_t oh, ow; /* y: [n][oh][ow][y_pitch] */
    ptrdiff_t kh, kw, stride_h, stride_w; /* unless adaptive */
    ptrdiff_t pad_top, pad_left, pad_bottom, pad_right;
    ptrdiff_t x_pitch, y_pitch; /* floats between pixels; 0: c */
    bool adaptive;
    bool exclude_padding; /* average over the positions inside the image */
} spur__pool_shape;

/* A window in one dimension: [begin, end) inside the image; `first` counts from the window's own
 * start; size with padding for the average. */
typedef struct spur__window {
    ptrdiff_t begin, end, first, size;
} spur__window;

static inline spur__window spur__pool_window(ptrdiff_t i, ptrdiff_t size, ptrdiff_t out,
                                             ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t pad,
                                             ptrdiff_t pad_end, bool adaptive) {
    spur__window v;
    if (adaptive) {
        v.begin = i * size / out;
        v.end = ((i + 1) * size + out - 1) / out;
        v.first = 0;
        v.size = v.end - v.begin;
        return v;
    }
    ptrdiff_t start = i * stride - pad, stop = start + kernel;
    if (stop > size + pad_end) stop = size + pad_end;
    v.size = stop - start;
    v.begin = start < 0 ? 0 : start;
    v.end = stop < size ? stop : size;
    if (v.end < v.begin) v.end = v.begin;
    v.first = v.begin - start;
    return v;
}

/* Values that are pooled without being stored: max(x * scale + shift, 0), or without the max. */
typedef struct spur__pool_affine {
    const float *scale, *shift; /* [c] */
    bool relu;
} spur__pool_affine;

/* One row of windows of one image: x is the image, y and argmax (uint8_t or, when wide, uint32_t,
 * [ow][c]; or NULL) are the row. Channels [0, c). `affine`, for max_pool: what is made of x; or NULL.
 * max_backward, avg_backward: image dx += the row's share, channels [c0, c1).
 * max_pool_gather: row `row` of dx (+)= what the windows over it give; sliding windows only. */
typedef struct spur__pool_row {
    const spur__pool_shape *s;
    ptrdiff_t row;
    const float *x;
    float *y;
    void *argmax;
    bool wide;
    const spur__pool_affine *affine;
} spur__pool_row;

typedef struct spur__pool_row_gradient {
    const spur__pool_shape *s;
    ptrdiff_t row, c0, c1;
    const float *dy;
    const void *argmax;
    bool wide;
    float *dx;
} spur__pool_row_gradient;

/* dx: the row, [w][x_pitch]; dy and argmax: the image's [oh][ow]. */
typedef struct spur__pool_gather {
    const spur__pool_shape *s;
    ptrdiff_t row;
    const float *dy;
    const void *argmax;
    bool wide, accumulate;
    float *dx;
} spur__pool_gather;

/* The sliding windows over position i: *begin..*end. */
static inline void spur__pool_windows_over(ptrdiff_t i, ptrdiff_t out, ptrdiff_t kernel,
                                           ptrdiff_t stride, ptrdiff_t pad, ptrdiff_t *begin,
                                           ptrdiff_t *end) {
    ptrdiff_t first = i + pad - kernel + stride; /* (.. + stride - 1) / stride rounds up */
    *begin = first > 0 ? first / stride : 0;
    *end = (i + pad) / stride + 1;
    if (*end > out) *end = out;
}

#define SPUR__POOL_MAP(X)                                                                          \
    X(void, max_pool, (const spur__pool_row *p))                                                   \
    X(void, avg_pool, (const spur__pool_row *p))                                                   \
    X(void, max_pool_backward, (const spur__pool_row_gradient *p))                                 \
    X(void, max_pool_gather, (const spur__pool_gather *p))                                         \
    X(void, avg_pool_backward, (const spur__pool_row_gradient *p))

#endif
