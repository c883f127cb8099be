/* SPDX-License-Identifier: MIT
 *
 * Pieces of normalisation; see norm.h. Channels beyond the last whole vector go one by one, in the
 * same order of operations.
 */
#include "kernels/simd/simd.h"

void SPUR__SIMD(moments)(const spur__pixels *p, float *mean, float *m2) {
    float factor = 1.0f / (float)p->count;
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) {
        vf sum = {0}, square = {0};
        for (ptrdiff_t i = 0; i < p->count; i++) sum += vload(p->x + i * p->pitch + c);
        vf m = sum * factor;
        for (ptrdiff_t i = 0; i < p->count; i++) {
            vf d = vload(p->x + i * p->pitch + c) - m;
            square += d * d;
        }
        vstore(mean + c, m);
        vstore(m2 + c, square);
    }
    for (; c < p->channels; c++) {
        float sum = 0.0f, square = 0.0f;
        for (ptrdiff_t i = 0; i < p->count; i++) sum += p->x[i * p->pitch + c];
        float m = sum * factor;
        for (ptrdiff_t i = 0; i < p->count; i++) {
            float d = p->x[i * p->pitch + c] - m;
            square += d * d;
        }
        mean[c] = m;
        m2[c] = square;
    }
}

ALWAYS_INLINE vf masked(const spur__norm_dx *p, ptrdiff_t at) {
    vf dy = vload(p->dy + at);
    return p->mask ? vmask_positive(dy, vload(p->mask + at)) : dy;
}

ALWAYS_INLINE float masked1(const spur__norm_dx *p, ptrdiff_t at) {
    return p->mask && !(p->mask[at] > 0.0f) ? 0.0f : p->dy[at];
}

void SPUR__SIMD(moments_dy)(const spur__norm_dx *p, const float *mean, float *sum_dy,
                            float *sum_dyx) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) {
        vf sum = {0}, dot = {0}, m = vload(mean + c);
        for (ptrdiff_t i = 0; i < p->count; i++) {
            vf dy = masked(p, i * p->dy_pitch + c);
            sum += dy;
            dot += dy * (vload(p->x + i * p->x_pitch + c) - m);
        }
        vstore(sum_dy + c, sum);
        vstore(sum_dyx + c, dot);
    }
    for (; c < p->channels; c++) {
        float sum = 0.0f, dot = 0.0f;
        for (ptrdiff_t i = 0; i < p->count; i++) {
            float dy = masked1(p, i * p->dy_pitch + c);
            sum += dy;
            dot += dy * (p->x[i * p->x_pitch + c] - mean[c]);
        }
        sum_dy[c] = sum;
        sum_dyx[c] = dot;
    }
}

void SPUR__SIMD(affine)(const spur__affine *p) {
    for (ptrdiff_t i = 0; i < p->count; i++) {
        const float *x = p->x + i * p->x_pitch;
        float *y = p->y + i * p->y_pitch;
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) {
            vf v = vfma(vload(x + c), vload(p->scale + c), vload(p->shift + c));
            vstore(y + c, p->relu ? vrelu(v) : v);
        }
        for (; c < p->channels; c++) {
            float v = fma1(x[c], p->scale[c], p->shift[c]);
            y[c] = p->relu && v < 0.0f ? 0.0f : v;
        }
    }
}

void SPUR__SIMD(norm_dx)(const spur__norm_dx *p) {
    for (ptrdiff_t i = 0; i < p->count; i++) {
        const float *x = p->x + i * p->x_pitch;
        float *dx = p->dx + i * p->x_pitch;
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) {
            vf v = vfma(vload(x + c), vload(p->b + c), vload(p->c + c));
            v = vfma(masked(p, i * p->dy_pitch + c), vload(p->a + c), v);
            vstore(dx + c, p->accumulate ? vload(dx + c) + v : v);
        }
        for (; c < p->channels; c++) {
            float v = fma1(x[c], p->b[c], p->c[c]);
            v = fma1(masked1(p, i * p->dy_pitch + c), p->a[c], v);
            dx[c] = p->accumulate ? dx[c] + v : v;
        }
    }
}
