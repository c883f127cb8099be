/* SPDX-License-Identifier: MIT
 *
 * Loops over values: elementwise functions and their gradients, softmax of rows, factors of
 * channels, dropout. Every result is the same for any team and instruction set.
 */
#ifndef SPUR_KERNELS_VEC_H
#define SPUR_KERNELS_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/parallel.h"
#include "kernels/simd/vec.h"

/* Runs an elementwise job over [0, n); see simd/vec.h for the operations. */
void spur__vec_map(const spur__exec *exec, ptrdiff_t n, const spur__map *map);

void spur__vec_copy(const spur__exec *exec, ptrdiff_t n, const float *x, float *y);

/* True where spur__vec_activation_backward wants the outputs, else it wants the inputs. */
bool spur__activation_from_output(spur__map_op activation);
/* y = f(x); x may be y. `op` is one of SPUR__MAP_RELU ... SPUR__MAP_GELU. */
void spur__vec_activation(const spur__exec *exec, ptrdiff_t n, spur__map_op op, float alpha,
                          const float *x, float *y);

typedef struct spur__activation_gradient {
    spur__map_op op;
    float alpha;
    const float *value; /* outputs or inputs, see above */
    const float *dy;
    float *dx; /* may be dy */
    bool accumulate;
} spur__activation_gradient;
void spur__vec_activation_backward(const spur__exec *exec, ptrdiff_t n,
                                   const spur__activation_gradient *args);

/* See simd/vec.h. */
void spur__vec_relu_split(const spur__exec *exec, ptrdiff_t n, const spur__relu_split *args);

/* Softmax of rows [rows][cols], dense; y may be x. */
void spur__vec_softmax(const spur__exec *exec, ptrdiff_t rows, ptrdiff_t cols, const float *x,
                       float *y);
void spur__vec_log_softmax(const spur__exec *exec, ptrdiff_t rows, ptrdiff_t cols, const float *x,
                           float *y);

typedef struct spur__softmax_gradient {
    ptrdiff_t rows, cols;
    const float *y, *dy; /* y: what the forward function gave */
    float *dx;
    bool log, accumulate;
} spur__softmax_gradient;
void spur__vec_softmax_backward(const spur__exec *exec, const spur__softmax_gradient *args);

/* Images [n][pixels][channels], each channel times its factor s[n][channels]. */
typedef struct spur__channel_scale {
    ptrdiff_t n, pixels, channels;
    const float *x, *s;
    float *y; /* x * s */
    const float *dy;
    float *dx; /* (+)= dy * s, or NULL */
    float *ds; /* (+)= sum over pixels of dy * x, or NULL */
    bool accumulate_dx, accumulate_ds;
} spur__channel_scale;
void spur__vec_channel_scale(const spur__exec *exec, const spur__channel_scale *args);
void spur__vec_channel_scale_backward(const spur__exec *exec, const spur__channel_scale *args);

/* Dropout by counter-based random numbers: value i is kept or not by (seed, step, node, i) alone,
 * so that the gradient's call makes the same choice again. */
typedef struct spur__dropout {
    float rate; /* probability of a zero, [0, 1) */
    uint64_t seed, node;
    uint32_t step;
} spur__dropout;
/* y (+)= kept ? x / (1 - rate) : 0; x NULL counts as ones. */
void spur__vec_dropout(const spur__exec *exec, ptrdiff_t n, const spur__dropout *args,
                       const float *x, float *y, bool accumulate);

#endif
