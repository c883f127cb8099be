/* SPDX-License-Identifier: MIT
 *
 * Weighted sums of four pixels, for bilinear resizing.
 */
#ifndef SPUR_KERNELS_SIMD_BLEND_H
#define SPUR_KERNELS_SIMD_BLEND_H

#include <stddef.h>

typedef struct spur__blend {
    ptrdiff_t offset[4];
    float weight[4];
} spur__blend;

/* blend: y[c] = sum of weight[i] * x[offset[i] + c].
 * spread: dx[offset[i] + c] += weight[i] * dy[c] for the first `count`, in order. */
#define SPUR__BLEND_MAP(X)                                                                         \
    X(void, blend, (const spur__blend *b, const float *x, float *y, ptrdiff_t channels))           \
    X(void, spread,                                                                                \
      (const spur__blend *b, const float *dy, float *dx, ptrdiff_t channels, int count))

#endif
