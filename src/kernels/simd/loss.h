/* SPDX-License-Identifier: MIT
 *
 * What losses are made of: single values, and their sum.
 */
#ifndef SPUR_KERNELS_SIMD_LOSS_H
#define SPUR_KERNELS_SIMD_LOSS_H

#include <stddef.h>

/* Binary cross-entropy of n logits x with targets y; pos_weight: of each, or NULL for ones. */
typedef struct spur__bce_values {
    ptrdiff_t n;
    const float *x, *y, *pos_weight;
    float *out; /* [n]: may be y */
} spur__bce_values;

/* softplus: y = log(1 + exp(x)), of n values; y may be x. total: the sum of n values, in 16 lanes of
 * double. bce: (1 - y) log(1 + exp(x)) + pos_weight y log(1 + exp(-x)). bce_slope: its derivative by x. */
#define SPUR__LOSS_MAP(X)                                                                          \
    X(void, softplus, (const float *x, ptrdiff_t n, float *y))                                     \
    X(double, total, (const float *x, ptrdiff_t n))                                                \
    X(void, bce, (const spur__bce_values *p))                                                      \
    X(void, bce_slope, (const spur__bce_values *p))

#endif
