/* SPDX-License-Identifier: MIT
 *
 * Choice of the update loops by instruction set, and the passes that memory alone limits.
 */
#include "kernels/optim.h"

#include "kernels/simd/table.h"

void spur__optim_sgd(const spur__sgd_step *step, size_t count, float *value, const float *gradient,
                     float *buffer) {
    spur__simd_table()->sgd_step(step, count, value, gradient, buffer);
}

void spur__optim_adam(const spur__adam_step *step, size_t count, float *value,
                      const float *gradient, float *m, float *v, float *largest) {
    spur__simd_table()->adam_step(step, count, value, gradient, m, v, largest);
}

void spur__optim_adagrad(const spur__adagrad_step *step, size_t count, float *value,
                         const float *gradient, float *sum) {
    spur__simd_table()->adagrad_step(step, count, value, gradient, sum);
}

void spur__optim_rmsprop(const spur__rmsprop_step *step, size_t count, float *value,
                         const float *gradient, float *square, float *buffer, float *mean) {
    spur__simd_table()->rmsprop_step(step, count, value, gradient, square, buffer, mean);
}

double spur__optim_sum_squares(size_t count, const float *x) {
    return spur__simd_table()->sum_squares(count, x);
}

void spur__optim_lerp(size_t count, float *restrict average, const float *restrict value,
                      float weight) {
    for (size_t i = 0; i < count; i++) average[i] += (value[i] - average[i]) * weight;
}

void spur__optim_scale(size_t count, float *x, float factor) {
    for (size_t i = 0; i < count; i++) x[i] *= factor;
}

void spur__optim_clamp(size_t count, float *x, float limit) {
    for (size_t i = 0; i < count; i++) {
        float low = x[i] < -limit ? -limit : x[i];
        x[i] = low > limit ? limit : low;
    }
}

void spur__optim_swap(size_t count, float *restrict a, float *restrict b) {
    for (size_t i = 0; i < count; i++) {
        float kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}
