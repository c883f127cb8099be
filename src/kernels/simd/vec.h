/* SPDX-License-Identifier: MIT
 *
 * Elementwise operations and pieces of row and column work, per instruction set.
 */
#ifndef SPUR_KERNELS_SIMD_VEC_H
#define SPUR_KERNELS_SIMD_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/simd/pack.h"

typedef enum spur__map_op {
    SPUR__MAP_COPY, /* y (+)= a */
    /* Activations: forward y = f(a); backward y (+)= b * f', where a is the output, or the input
     * from SILU on. */
    SPUR__MAP_RELU,
    SPUR__MAP_LEAKY_RELU, /* alpha: slope below zero */
    SPUR__MAP_ELU, /* alpha */
    SPUR__MAP_SIGMOID,
    SPUR__MAP_TANH,
    SPUR__MAP_SILU,
    SPUR__MAP_HARD_SWISH,
    SPUR__MAP_HARD_SIGMOID,
    SPUR__MAP_GELU /* by the error function */
} spur__map_op;

typedef struct spur__map {
    spur__map_op op;
    bool backward; /* of an activation */
    bool accumulate; /* y += */
    float alpha;
    const float *a, *b;
    float *y;
} spur__map;

typedef struct spur__rows_job {
    ptrdiff_t rows, cols;
    const float *x, *dy;
    float *y;
    bool log, accumulate;
} spur__rows_job;

/* The logarithm of a row's sum of exponentials is top + log. Apart, since what is taken off it is mostly
 * near the top, and small differences of large numbers are lost in their sum. */
typedef struct spur__log_sum {
    float top, log;
} spur__log_sum;

typedef struct spur__dropout_job {
    uint32_t key[2], counter[4]; /* counter[0] counts blocks of four values */
    uint32_t threshold; /* values whose number is below it become zero */
    float factor;
    const float *x; /* or NULL: ones */
    float *y;
    bool accumulate;
} spur__dropout_job;

/* The gradient of y = relu(a + b): v = y <= 0 ? 0 : dy for both of them. */
typedef struct spur__relu_split {
    const float *y, *dy;
    float *dx[2]; /* (+)= v; may be dy; or NULL */
    bool accumulate[2];
} spur__relu_split;

/* map: [begin, end) of an elementwise job.
 * relu_split: [begin, end).
 * row_exps: e[r][c] = exp(x[r][c] - less[r].top - less[r].log). row_log_sums: y[r] of x[r].
 * softmax, softmax_backward: rows [begin, end); backward: x is the forward's output.
 * column_sums: sums[channels] = sum of the pixels, in order.
 * scale_pixels: y (+)= x * s[channels], the pixels dense. dot_pixels: sums[channels] = x * dy, in
 * order; dy as far apart as x.
 * dropout: values [begin, end), begin a multiple of 4. */
#define SPUR__VEC_MAP(X)                                                                           \
    X(void, map, (const spur__map *m, ptrdiff_t begin, ptrdiff_t end))                             \
    X(void, relu_split, (const spur__relu_split *p, ptrdiff_t begin, ptrdiff_t end))               \
    X(void, row_exps,                                                                              \
      (const float *x, ptrdiff_t rows, ptrdiff_t width, const spur__log_sum *less, float *e))      \
    X(void, row_log_sums, (const float *x, ptrdiff_t rows, ptrdiff_t width, spur__log_sum *y))     \
    X(void, softmax, (const spur__rows_job *j, ptrdiff_t begin, ptrdiff_t end))                    \
    X(void, softmax_backward, (const spur__rows_job *j, ptrdiff_t begin, ptrdiff_t end))           \
    X(void, column_sums, (const spur__pixels *p, float *sums))                                     \
    X(void, scale_pixels, (const spur__pixels *p, const float *s, float *y, bool accumulate))      \
    X(void, dot_pixels, (const spur__pixels *p, const float *dy, float *sums))                     \
    X(void, dropout, (const spur__dropout_job *j, ptrdiff_t begin, ptrdiff_t end))

#endif
