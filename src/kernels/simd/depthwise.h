/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution of pixels beside each other that see the same taps: every channel on its
 * own, or in small groups; vectors run over channels.
 */
#ifndef SPUR_KERNELS_SIMD_DEPTHWISE_H
#define SPUR_KERNELS_SIMD_DEPTHWISE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/swish.h"

/* Pixel i's value under tap (r, s) is x[i * x_step + r * x_row + s * x_col + channel], that tap's
 * weight for the group's channel j w[r * w_row + s * w_col + j * channels + channel]. Steps count
 * floats. */
typedef struct spur__depthwise_run {
    ptrdiff_t channels, count; /* pixels */
    ptrdiff_t depth; /* channels of a group: 1, 2, 4 or 8 */
    ptrdiff_t rows, cols; /* taps; there may be none */
    const float *x;
    const float *mask; /* as x: values count as 0 where it is not above 0; or NULL */
    ptrdiff_t x_step, x_row, x_col;
    const float *w;
    ptrdiff_t w_row, w_col;
    float *y; /* pixel i: y[i * y_step + channel] */
    ptrdiff_t y_step;
    const float *bias; /* [channels] or NULL */
    bool relu, accumulate;
    spur__swish swish; /* at the end */
    bool stream; /* y goes past the caches: its pixels begin at multiples of 64 bytes, channels is a
                    multiple of 16; the task calls end_stream when it is done */
} spur__depthwise_run;

/* For the weights' gradient x and the steps are as above; mask is dy's. */
typedef struct spur__depthwise_sums {
    ptrdiff_t channels, count, depth, rows, cols;
    const float *x;
    ptrdiff_t x_step, x_row, x_col;
    const float *dy, *mask; /* pixel i: dy[i * dy_step + channel] */
    ptrdiff_t dy_step;
    float *sums; /* of tap (r, s): sums[((r * sum_row + s) * depth + j) * channels + channel] */
    ptrdiff_t sum_row;
    float *bias; /* [channels] sums of dy, or NULL */
} spur__depthwise_sums;

/* depthwise_pixels: y = relu((y +) sum over taps, row by row, and within them over the channels of
 * the group, of x * w, + bias).
 * depthwise_weights: sums += x * dy, bias += dy, pixel by pixel. */
#define SPUR__DEPTHWISE_MAP(X)                                                                     \
    X(void, depthwise_pixels, (const spur__depthwise_run *p))                                      \
    X(void, depthwise_weights, (const spur__depthwise_sums *p))

#endif
