/* SPDX-License-Identifier: MIT
 *
 * Windows that slide over an image: what convolutions and pools have in common. Sizes, strides and
 * dilations are {height, width}, padding is top, left, bottom, right.
 */
#ifndef SPUR_OPS_WINDOW_H
#define SPUR_OPS_WINDOW_H

#include "graph/graph.h"
#include "kernels/simd/pool.h"

typedef struct spur__slide {
    int kernel[2], stride[2], dilation[2], padding[4];
    int64_t in[2], out[2];
} spur__slide;

/* {a, 0} means a in both directions; {0, 0} the default. */
void spur__pair(int out[2], const int in[2], int standard);

/* Padding that keeps ceil(size / stride); the odd pixel goes to the bottom and the right. */
void spur__window_same(spur__slide *w);

/* Whether kernel, stride, dilation and padding of one direction are such as can be; errors name it. */
spur_status spur__window_check(const spur__slide *w, int d, spur_error *err);

/* Checks the members and computes `out`. */
spur_status spur__window_fit(spur__slide *w, bool ceil_mode, spur_error *err);

/* What a pool's kernels want to know of a pool's node, for its planned batch. */
spur_status spur__pool_shape_of(const spur_node *pool, spur__pool_shape *s, spur_error *err);

#endif
