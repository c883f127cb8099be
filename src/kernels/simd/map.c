/* SPDX-License-Identifier: MIT
 *
 * Elementwise operations, written as plain loops that the compiler vectorises: multiplications and
 * additions are never contracted, so vectors change no bit.
 */
#include "kernels/simd/simd.h"

#include "base/fmath.h"

ALWAYS_INLINE float relu(float x, float alpha) {
    (void)alpha;
    return x < 0.0f ? 0.0f : x;
}

ALWAYS_INLINE float relu_slope(float y, float alpha) {
    (void)alpha;
    return y > 0.0f ? 1.0f : 0.0f;
}

ALWAYS_INLINE float leaky(float x, float alpha) {
    return x < 0.0f ? x * alpha : x;
}

ALWAYS_INLINE float leaky_slope(float y, float alpha) {
    return y > 0.0f ? 1.0f : alpha;
}

ALWAYS_INLINE float elu(float x, float alpha) {
    float negative = alpha * (spur__expf(x < 0.0f ? x : 0.0f) - 1.0f);
    return x < 0.0f ? negative : x;
}

ALWAYS_INLINE float elu_slope(float y, float alpha) {
    return y > 0.0f ? 1.0f : y + alpha;
}

ALWAYS_INLINE float sigmoid(float x, float alpha) {
    (void)alpha;
    return spur__sigmoidf(x);
}

ALWAYS_INLINE float sigmoid_slope(float y, float alpha) {
    (void)alpha;
    return y * (1.0f - y);
}

ALWAYS_INLINE float hyperbolic(float x, float alpha) {
    (void)alpha;
    return spur__tanhf(x);
}

ALWAYS_INLINE float hyperbolic_slope(float y, float alpha) {
    (void)alpha;
    return 1.0f - y * y;
}

ALWAYS_INLINE float silu(float x, float alpha) {
    (void)alpha;
    return x * spur__sigmoidf(x);
}

ALWAYS_INLINE float silu_slope(float x, float alpha) {
    float s = spur__sigmoidf(x);
    (void)alpha;
    return s * (1.0f + x * (1.0f - s));
}

ALWAYS_INLINE float clamp6(float x) {
    float low = x < 0.0f ? 0.0f : x;
    return low > 6.0f ? 6.0f : low;
}

ALWAYS_INLINE float hard_swish(float x, float alpha) {
    (void)alpha;
    return x * clamp6(x + 3.0f) / 6.0f;
}

ALWAYS_INLINE float hard_swish_slope(float x, float alpha) {
    float middle = x / 3.0f + 0.5f;
    (void)alpha;
    return x <= -3.0f ? 0.0f : x < 3.0f ? middle : 1.0f;
}

ALWAYS_INLINE float hard_sigmoid(float x, float alpha) {
    (void)alpha;
    return clamp6(x + 3.0f) / 6.0f;
}

ALWAYS_INLINE float hard_sigmoid_slope(float x, float alpha) {
    (void)alpha;
    return x > -3.0f && x < 3.0f ? 1.0f / 6.0f : 0.0f;
}

ALWAYS_INLINE float gelu(float x, float alpha) {
    (void)alpha;
    return 0.5f * x * (1.0f + spur__erff(x * 0.70710678118654752f));
}

ALWAYS_INLINE float gelu_slope(float x, float alpha) {
    float cdf = 0.5f * (1.0f + spur__erff(x * 0.70710678118654752f));
    float density = 0.39894228040143268f * spur__expf(-0.5f * (x * x));
    (void)alpha;
    return cdf + x * density;
}

/* LANES values at a time through local arrays: no aliasing between a, b and y then matters, and the
 * compiler vectorises the inner loops whatever is in f. */
enum { LANES = 64 };

typedef float (*slope)(float value, float alpha);

ALWAYS_INLINE void forward(const spur__map *m, ptrdiff_t begin, ptrdiff_t end, slope f) {
    for (ptrdiff_t i = begin; i < end; i += LANES) {
        float x[LANES];
        ptrdiff_t n = end - i < LANES ? end - i : LANES;
        if (n < LANES) memset(x, 0, sizeof x);
        memcpy(x, m->a + i, (size_t)n * sizeof(float));
        for (int j = 0; j < LANES; j++) x[j] = f(x[j], m->alpha);
        memcpy(m->y + i, x, (size_t)n * sizeof(float));
    }
}

ALWAYS_INLINE void backward(const spur__map *m, ptrdiff_t begin, ptrdiff_t end, slope f) {
    for (ptrdiff_t i = begin; i < end; i += LANES) {
        float x[LANES] = {0}, dy[LANES] = {0}, old[LANES] = {0};
        ptrdiff_t n = end - i < LANES ? end - i : LANES;
        memcpy(x, m->a + i, (size_t)n * sizeof(float));
        memcpy(dy, m->b + i, (size_t)n * sizeof(float));
        for (int j = 0; j < LANES; j++) x[j] = dy[j] * f(x[j], m->alpha);
        if (m->accumulate) {
            memcpy(old, m->y + i, (size_t)n * sizeof(float));
            for (int j = 0; j < LANES; j++) x[j] = old[j] + x[j];
        }
        memcpy(m->y + i, x, (size_t)n * sizeof(float));
    }
}

ALWAYS_INLINE void copy(const spur__map *m, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t i = begin;
    for (; i + VL <= end; i += VL) {
        vf v = vload(m->a + i);
        vstore(m->y + i, m->accumulate ? vload(m->y + i) + v : v);
    }
    for (; i < end; i++) m->y[i] = m->accumulate ? m->y[i] + m->a[i] : m->a[i];
}

#define ACTIVATION(op, f)                                                                          \
    case op:                                                                                       \
        if (m->backward)                                                                           \
            backward(m, begin, end, f##_slope);                                                    \
        else                                                                                       \
            forward(m, begin, end, f);                                                             \
        return;

void SPUR__SIMD(map)(const spur__map *m, ptrdiff_t begin, ptrdiff_t end) {
    switch (m->op) {
    case SPUR__MAP_COPY:
        copy(m, begin, end);
        return;
        ACTIVATION(SPUR__MAP_RELU, relu)
        ACTIVATION(SPUR__MAP_LEAKY_RELU, leaky)
        ACTIVATION(SPUR__MAP_ELU, elu)
        ACTIVATION(SPUR__MAP_SIGMOID, sigmoid)
        ACTIVATION(SPUR__MAP_TANH, hyperbolic)
        ACTIVATION(SPUR__MAP_SILU, silu)
        ACTIVATION(SPUR__MAP_HARD_SWISH, hard_swish)
        ACTIVATION(SPUR__MAP_HARD_SIGMOID, hard_sigmoid)
        ACTIVATION(SPUR__MAP_GELU, gelu)
    }
}

ALWAYS_INLINE void add_to(float *dx, bool accumulate, vf v) {
    if (dx) vstore(dx, accumulate ? vload(dx) + v : v);
}

void SPUR__SIMD(relu_split)(const spur__relu_split *p, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t i = begin;
    for (; i + VL <= end; i += VL) {
        vf v = vload(p->dy + i) * vmask_positive(vset(1.0f), vload(p->y + i));
        for (int k = 0; k < 2; k++) add_to(p->dx[k] ? p->dx[k] + i : NULL, p->accumulate[k], v);
    }
    for (; i < end; i++) {
        float v = p->dy[i] * (p->y[i] > 0.0f ? 1.0f : 0.0f);
        for (int k = 0; k < 2; k++)
            if (p->dx[k]) p->dx[k][i] = p->accumulate[k] ? p->dx[k][i] + v : v;
    }
}
