/* SPDX-License-Identifier: MIT
 *
 * The optimizers' update loops, compiled once per instruction set (SPUR_ISA). Plain loops that the
 * compiler vectorises; additions, multiplications, divisions and square roots only, uncontracted,
 * so that every instruction set gives the same bits. Formulas: torch.optim's single-tensor forms,
 * except that Adam divides once per value instead of twice: the other divisor is the same for all values.
 */
#include <math.h>

#include "kernels/simd/simd.h"

/* value, gradient, buffer: [count] */
void SPUR__SIMD(sgd_step)(const spur__sgd_step *s, size_t count, float *restrict value,
                          const float *restrict gradient, float *restrict buffer) {
    const float lr = s->lr, decay = s->weight_decay, momentum = s->momentum;
    if (!buffer) {
        for (size_t i = 0; i < count; i++)
            value[i] = value[i] - lr * (gradient[i] + decay * value[i]);
        return;
    }
    const float keep = s->first ? 0.0f : momentum;
    const float enter = s->first ? 1.0f : 1.0f - s->dampening;
    const float ahead = s->nesterov ? momentum : 1.0f;
    const float direct = s->nesterov ? 1.0f : 0.0f;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] + decay * value[i];
        float b = keep * buffer[i] + enter * g;
        buffer[i] = b;
        value[i] = value[i] - lr * (direct * g + ahead * b);
    }
}

/* The AMSGrad form: divides by the largest second moment so far. */
static void amsgrad(const spur__adam_step *s, size_t count, float *restrict value,
                    const float *restrict gradient, float *restrict m, float *restrict v,
                    float *restrict largest) {
    const float root = 1.0f / s->correction2;
    for (size_t i = 0; i < count; i++) {
        float w = value[i] * s->shrink;
        float g = gradient[i] + s->weight_decay * w;
        float first = m[i] + (g - m[i]) * s->one_minus_beta1;
        float second = v[i] * s->beta2 + s->one_minus_beta2 * g * g;
        float top = largest[i] > second ? largest[i] : second;
        m[i] = first;
        v[i] = second;
        largest[i] = top;
        value[i] = w - s->step_size * (first / (sqrtf(top) * root + s->eps));
    }
}

void SPUR__SIMD(adam_step)(const spur__adam_step *s, size_t count, float *restrict value,
                           const float *restrict gradient, float *restrict m, float *restrict v,
                           float *restrict largest) {
    if (largest) {
        amsgrad(s, count, value, gradient, m, v, largest);
        return;
    }
    const float enter1 = s->one_minus_beta1, beta2 = s->beta2, enter2 = s->one_minus_beta2;
    const float step = s->step_size, root = 1.0f / s->correction2, eps = s->eps;
    const float decay = s->weight_decay, shrink = s->shrink;
    for (size_t i = 0; i < count; i++) {
        float w = value[i] * shrink;
        float g = gradient[i] + decay * w;
        float first = m[i] + (g - m[i]) * enter1;
        float second = v[i] * beta2 + enter2 * g * g;
        m[i] = first;
        v[i] = second;
        value[i] = w - step * (first / (sqrtf(second) * root + eps));
    }
}

void SPUR__SIMD(adagrad_step)(const spur__adagrad_step *s, size_t count, float *restrict value,
                              const float *restrict gradient, float *restrict sum) {
    const float lr = s->lr, decay = s->weight_decay, eps = s->eps;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] + decay * value[i];
        float total = sum[i] + g * g;
        sum[i] = total;
        value[i] = value[i] - lr * (g / (sqrtf(total) + eps));
    }
}

/* The running mean of squares (less the squared mean, when centered), as a divisor. */
static float rmsprop_divisor(const spur__rmsprop_step *s, float g, float *square, float *mean) {
    *square = *square * s->alpha + s->one_minus_alpha * g * g;
    if (!mean) return sqrtf(*square) + s->eps;
    *mean = *mean + (g - *mean) * s->one_minus_alpha;
    return sqrtf(*square - *mean * *mean) + s->eps;
}

void SPUR__SIMD(rmsprop_step)(const spur__rmsprop_step *s, size_t count, float *restrict value,
                              const float *restrict gradient, float *restrict square,
                              float *restrict buffer, float *restrict mean) {
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] + s->weight_decay * value[i];
        float step = g / rmsprop_divisor(s, g, &square[i], mean ? &mean[i] : NULL);
        if (buffer) step = buffer[i] = s->momentum * buffer[i] + step;
        value[i] = value[i] - s->lr * step;
    }
}

/* Sixteen partial sums, so that the order is the same for every vector width. */
double SPUR__SIMD(sum_squares)(size_t count, const float *restrict x) {
    double sums[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t j = 0; j < 16; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t j = 0; i + j < count; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t j = 0; j < width; j++) sums[j] += sums[j + width];
    return sums[0];
}
