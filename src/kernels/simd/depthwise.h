/* SPDX-License-Identifier: MIT
 *
 * One row of a depthwise convolution: every channel on its own, vectors run over channels.
 */
#ifndef SPUR_KERNELS_SIMD_DEPTHWISE_H
#define SPUR_KERNELS_SIMD_DEPTHWISE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spur__depthwise_row {
    const float *x; /* source images' row 0: [h][w][x_pitch]; dy for the data gradient */
    const float *mask; /* as x: values count as 0 where it is not above 0; or NULL */
    ptrdiff_t h, w, x_pitch;
    const float *weights; /* [kh][kw][channels] */
    ptrdiff_t kh, kw, channels;
    ptrdiff_t stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
    ptrdiff_t row; /* which row of the result */
    ptrdiff_t count, y_pitch; /* its pixels */
    float *y; /* that row: [count][y_pitch] */
    const float *bias;
    bool relu, accumulate;
} spur__depthwise_row;

/* depthwise_forward: y (+)= bias + sum over taps of x[row * stride + tap * dilation - pad] * w[tap]
 * depthwise_data: y = dx's row, x = dy: sum over the taps that reach it
 * depthwise_weights: sums[kh][kw][channels] += x's pixels under the kernel * y's row (= dy, read
 * only); mask is dy's */
#define SPUR__DEPTHWISE_MAP(X)                                                                     \
    X(void, depthwise_forward, (const spur__depthwise_row *p))                                     \
    X(void, depthwise_data, (const spur__depthwise_row *p))                                        \
    X(void, depthwise_weights,                                                                     \
      (const spur__depthwise_row *p, const float *dy, const float *mask, float *sums))

#endif
