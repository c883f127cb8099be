/* SPDX-License-Identifier: MIT
 *
 * Update loops of the optimizers over [count] values; kernels/optim.h calls them.
 */
#ifndef SPUR_KERNELS_SIMD_OPTIM_H
#define SPUR_KERNELS_SIMD_OPTIM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spur__sgd_step {
    float lr, weight_decay, momentum, dampening;
    bool nesterov;
    bool first; /* the momentum buffer holds nothing yet */
} spur__sgd_step;

typedef struct spur__adam_step {
    float beta2, one_minus_beta1, one_minus_beta2;
    float step_size; /* lr / (1 - beta1^t) */
    float correction2; /* sqrt(1 - beta2^t) */
    float eps;
    float weight_decay; /* coupled: added to the gradient (Adam) */
    float shrink; /* decoupled: values are first multiplied by it (AdamW: 1 - lr * decay); 1: not */
} spur__adam_step;

typedef struct spur__adagrad_step {
    float lr, weight_decay, eps;
} spur__adagrad_step;

typedef struct spur__rmsprop_step {
    float lr, weight_decay, alpha, one_minus_alpha, eps, momentum;
} spur__rmsprop_step;

#define SPUR__OPTIM_MAP(X)                                                                         \
    X(void, sgd_step,                                                                              \
      (const spur__sgd_step *step, size_t count, float *value, const float *gradient,              \
       float *buffer))                                                                             \
    X(void, adam_step,                                                                             \
      (const spur__adam_step *step, size_t count, float *value, const float *gradient, float *m,   \
       float *v, float *largest))                                                                  \
    X(void, adagrad_step,                                                                          \
      (const spur__adagrad_step *step, size_t count, float *value, const float *gradient,          \
       float *sum))                                                                                \
    X(void, rmsprop_step,                                                                          \
      (const spur__rmsprop_step *step, size_t count, float *value, const float *gradient,          \
       float *square, float *buffer, float *mean))                                                 \
    X(double, sum_squares, (size_t count, const float *x))

#endif
