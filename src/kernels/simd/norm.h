/* SPDX-License-Identifier: MIT
 *
 * Pieces of normalisation, per instruction set; vectors run over channels.
 */
#ifndef SPUR_KERNELS_SIMD_NORM_H
#define SPUR_KERNELS_SIMD_NORM_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/simd/pack.h"
#include "kernels/swish.h"

/* y = x * scale + shift (+ plus), per channel. */
typedef struct spur__affine {
    ptrdiff_t count, channels, x_pitch, y_pitch;
    const float *x;
    float *y;
    const float *scale, *shift; /* [channels] */
    const float *plus; /* [count][channels] or NULL */
    bool relu;
    spur__swish swish;
    bool stream; /* y goes past the caches: its rows begin at multiples of 64 bytes, channels is a
                    multiple of 16; the task calls end_stream when it is done */
} spur__affine;

/* dx (+)= dy * a + x * b + c, per channel. Where scale and shift are given, dy counts only where the
 * forward pass's x * scale + shift was above 0: a ReLU's mask, made again instead of read; or, with
 * swish, times its slope there. */
typedef struct spur__norm_dx {
    ptrdiff_t count, channels, x_pitch, dy_pitch;
    const float *x, *dy;
    const float *scale, *shift; /* [channels] or NULL */
    spur__swish swish;
    float *dx; /* x_pitch */
    const float *a, *b, *c; /* [channels] */
    bool accumulate;
    bool stream; /* norm_dx: as for spur__affine, dx */
} spur__norm_dx;

/* moments: mean[channels] and squared distances from it summed, m2[channels], of the pixels.
 * moments_dy: sum of dy, and of dy * (x - mean), per channel. */
#define SPUR__NORM_MAP(X)                                                                          \
    X(void, moments, (const spur__pixels *p, float *mean, float *m2))                              \
    X(void, moments_dy,                                                                            \
      (const spur__norm_dx *p, const float *mean, float *sum_dy, float *sum_dyx))                  \
    X(void, affine, (const spur__affine *p))                                                       \
    X(void, norm_dx, (const spur__norm_dx *p))

#endif
