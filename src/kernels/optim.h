/* SPDX-License-Identifier: MIT
 *
 * Update loops of the optimizers over chunks of values, and the elementwise passes over gradients.
 *
 * All are elementwise (spur__optim_sum_squares aside), so any split over threads gives the same
 * bits; every instruction set gives the same bits too. Scalars come ready: the caller does the
 * arithmetic of a step (bias corrections) in double. Pointers: [count] each.
 */
#ifndef SPUR_KERNELS_OPTIM_H
#define SPUR_KERNELS_OPTIM_H

#include <stddef.h>

#include "kernels/simd/optim.h"

/* buffer: NULL without momentum. */
void spur__optim_sgd(const spur__sgd_step *step, size_t count, float *value, const float *gradient,
                     float *buffer);

/* largest: the running maximum of v for AMSGrad, or NULL. */
void spur__optim_adam(const spur__adam_step *step, size_t count, float *value,
                      const float *gradient, float *m, float *v, float *largest);

void spur__optim_adagrad(const spur__adagrad_step *step, size_t count, float *value,
                         const float *gradient, float *sum);

/* buffer: NULL without momentum; mean: the centered form's running mean, or NULL. */
void spur__optim_rmsprop(const spur__rmsprop_step *step, size_t count, float *value,
                         const float *gradient, float *square, float *buffer, float *mean);

/* average += (value - average) * weight */
void spur__optim_lerp(size_t count, float *average, const float *value, float weight);
void spur__optim_scale(size_t count, float *x, float factor);
void spur__optim_clamp(size_t count, float *x, float limit);
void spur__optim_swap(size_t count, float *a, float *b);

/* Sum of squares in double, in an order that depends on count alone. */
double spur__optim_sum_squares(size_t count, const float *x);

#endif
