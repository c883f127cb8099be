/* SPDX-License-Identifier: MIT
 *
 * Elementwise operations. Multiplications and additions are never contracted, so the length of vectors
 * changes no bit.
 */
#include "kernels/simd/math.h"

/* Activations, and their gradients as functions of dy and the input or the output. Where a gradient is 0
 * since the function is flat there, it is chosen, not multiplied: 0 times infinity is none. */
typedef vf (*function)(vf value, float alpha);
typedef vf (*gradient)(vf dy, vf value, float alpha);

ALWAYS_INLINE vf relu(vf x, float alpha) {
    (void)alpha;
    return vrelu(x);
}

ALWAYS_INLINE vf relu_dx(vf dy, vf y, float alpha) {
    (void)alpha;
    return vmask_positive(dy, y);
}

ALWAYS_INLINE vf leaky(vf x, float alpha) {
    return vselect(x < (vf){0}, x * alpha, x);
}

ALWAYS_INLINE vf leaky_dx(vf dy, vf y, float alpha) {
    return dy * vselect(y > (vf){0}, vset(1.0f), vset(alpha));
}

ALWAYS_INLINE vf elu(vf x, float alpha) {
    return vselect(x < (vf){0}, alpha * vexpm1_below(x), x);
}

ALWAYS_INLINE vf elu_dx(vf dy, vf y, float alpha) {
    return dy * vselect(y > (vf){0}, vset(1.0f), y + alpha);
}

ALWAYS_INLINE vf sigmoid(vf x, float alpha) {
    (void)alpha;
    return vsigmoid(x);
}

ALWAYS_INLINE vf sigmoid_dx(vf dy, vf y, float alpha) {
    (void)alpha;
    return dy * (y * (1.0f - y));
}

ALWAYS_INLINE vf hyperbolic(vf x, float alpha) {
    (void)alpha;
    return vtanh(x);
}

ALWAYS_INLINE vf hyperbolic_dx(vf dy, vf y, float alpha) {
    (void)alpha;
    return dy * (1.0f - y * y);
}

ALWAYS_INLINE vf silu(vf x, float alpha) {
    (void)alpha;
    return vsilu(x);
}

ALWAYS_INLINE vf silu_dx(vf dy, vf x, float alpha) {
    (void)alpha;
    return dy * vsilu_slope(x);
}

ALWAYS_INLINE vf hard_swish(vf x, float alpha) {
    (void)alpha;
    return vhard_swish(x);
}

ALWAYS_INLINE vf hard_swish_dx(vf dy, vf x, float alpha) {
    (void)alpha;
    return vhard_swish_dx(dy, x);
}

ALWAYS_INLINE vf hard_sigmoid(vf x, float alpha) {
    (void)alpha;
    return vclamp(x + 3.0f, 0.0f, 6.0f) / 6.0f;
}

ALWAYS_INLINE vf hard_sigmoid_dx(vf dy, vf x, float alpha) {
    (void)alpha;
    return vselect((x > vset(-3.0f)) & (x < vset(3.0f)), dy * (1.0f / 6.0f), (vf){0});
}

ALWAYS_INLINE vf gelu(vf x, float alpha) {
    (void)alpha;
    return vgelu(x);
}

ALWAYS_INLINE vf gelu_dx(vf dy, vf x, float alpha) {
    (void)alpha;
    return dy * vgelu_slope(x);
}

/* Values i .. i + n, n <= VL; both constants where they are VL and f. */
ALWAYS_INLINE void forward_vector(const spur__map *m, ptrdiff_t i, ptrdiff_t n, function f) {
    vstore_n(m->y + i, f(vload_n(m->a + i, n), m->alpha), n);
}

ALWAYS_INLINE void backward_vector(const spur__map *m, ptrdiff_t i, ptrdiff_t n, gradient dx) {
    vf v = dx(vloaded(vload_n(m->b + i, n)), vload_n(m->a + i, n), m->alpha);
    vstore_n(m->y + i, m->accumulate ? vload_n(m->y + i, n) + v : v, n);
}

ALWAYS_INLINE void forward(const spur__map *m, ptrdiff_t begin, ptrdiff_t end, function f) {
    ptrdiff_t i = begin;
    for (; i + VL <= end; i += VL) forward_vector(m, i, VL, f);
    if (i < end) forward_vector(m, i, end - i, f);
}

ALWAYS_INLINE void backward(const spur__map *m, ptrdiff_t begin, ptrdiff_t end, gradient dx) {
    ptrdiff_t i = begin;
    for (; i + VL <= end; i += VL) backward_vector(m, i, VL, dx);
    if (i < end) backward_vector(m, i, end - i, dx);
}

ALWAYS_INLINE void copy(const spur__map *m, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t i = begin; i < end; i += VL) {
        ptrdiff_t n = end - i < VL ? end - i : VL;
        vf v = vload_n(m->a + i, n);
        vstore_n(m->y + i, m->accumulate ? vload_n(m->y + i, n) + v : v, n);
    }
}

#define ACTIVATION(op, f)                                                                          \
    case op:                                                                                       \
        if (m->backward)                                                                           \
            backward(m, begin, end, f##_dx);                                                       \
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

/* Values i .. i + n, n <= VL; a constant where it is VL. */
ALWAYS_INLINE void split_vector(const spur__relu_split *p, ptrdiff_t i, ptrdiff_t n) {
    vf v = vmask_positive(vloaded(vload_n(p->dy + i, n)), vload_n(p->y + i, n));
    for (int k = 0; k < 2; k++) {
        float *dx = p->dx[k] ? p->dx[k] + i : NULL;
        if (dx) vstore_n(dx, p->accumulate[k] ? vload_n(dx, n) + v : v, n);
    }
}

void SPUR__SIMD(relu_split)(const spur__relu_split *p, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t i = begin;
    for (; i + VL <= end; i += VL) split_vector(p, i, VL);
    if (i < end) split_vector(p, i, end - i);
}
