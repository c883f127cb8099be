/* SPDX-License-Identifier: MIT
 *
 * Pieces of normalisation; see norm.h. Channels beyond the last whole vector go one by one, in the
 * same order of operations.
 */
#include "kernels/simd/simd.h"

/* Sums of many rows are made of sums of this many: a long chain of float additions loses digits. */
enum { STRETCH = 16 };

ALWAYS_INLINE ptrdiff_t stretch_end(ptrdiff_t begin, ptrdiff_t count) {
    return begin + STRETCH < count ? begin + STRETCH : count;
}

/* Channels c .. c + VL: the mean, and the sum of squared differences to it. */
ALWAYS_INLINE void moments_vector(const spur__pixels *p, ptrdiff_t c, float *mean, float *m2) {
    vf sum = {0}, square = {0};
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++)
            part += vload(p->x + i * p->pitch + c);
        sum += part;
    }
    vf m = sum * (1.0f / (float)p->count);
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            vf d = vload(p->x + i * p->pitch + c) - m;
            part += d * d;
        }
        square += part;
    }
    vstore(mean + c, m);
    vstore(m2 + c, square);
}

/* The same for one channel. */
ALWAYS_INLINE void moments_one(const spur__pixels *p, ptrdiff_t c, float *mean, float *m2) {
    float sum = 0.0f, square = 0.0f;
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        float part = 0.0f;
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) part += p->x[i * p->pitch + c];
        sum += part;
    }
    float m = sum * (1.0f / (float)p->count);
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        float part = 0.0f;
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            float d = p->x[i * p->pitch + c] - m;
            part += d * d;
        }
        square += part;
    }
    mean[c] = m;
    m2[c] = square;
}

void SPUR__SIMD(moments)(const spur__pixels *p, float *mean, float *m2) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) moments_vector(p, c, mean, m2);
    for (; c < p->channels; c++) moments_one(p, c, mean, m2);
}

ALWAYS_INLINE vf masked(const spur__norm_dx *p, ptrdiff_t at) {
    vf dy = vload(p->dy + at);
    return p->mask ? vmask_positive(dy, vload(p->mask + at)) : dy;
}

ALWAYS_INLINE float masked1(const spur__norm_dx *p, ptrdiff_t at) {
    return p->mask && !(p->mask[at] > 0.0f) ? 0.0f : p->dy[at];
}

/* Channels c .. c + VL: sums of dy and of dy times x less its mean. */
ALWAYS_INLINE void moments_dy_vector(const spur__norm_dx *p, ptrdiff_t c, const float *mean,
                                     float *sum_dy, float *sum_dyx) {
    vf sum = {0}, dot = {0}, m = vload(mean + c);
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part = {0}, part_dot = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            vf dy = masked(p, i * p->dy_pitch + c);
            part += dy;
            part_dot += dy * (vload(p->x + i * p->x_pitch + c) - m);
        }
        sum += part;
        dot += part_dot;
    }
    vstore(sum_dy + c, sum);
    vstore(sum_dyx + c, dot);
}

/* The same for one channel. */
ALWAYS_INLINE void moments_dy_one(const spur__norm_dx *p, ptrdiff_t c, const float *mean,
                                  float *sum_dy, float *sum_dyx) {
    float sum = 0.0f, dot = 0.0f;
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        float part = 0.0f, part_dot = 0.0f;
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            float dy = masked1(p, i * p->dy_pitch + c);
            part += dy;
            part_dot += dy * (p->x[i * p->x_pitch + c] - mean[c]);
        }
        sum += part;
        dot += part_dot;
    }
    sum_dy[c] = sum;
    sum_dyx[c] = dot;
}

void SPUR__SIMD(moments_dy)(const spur__norm_dx *p, const float *mean, float *sum_dy,
                            float *sum_dyx) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) moments_dy_vector(p, c, mean, sum_dy, sum_dyx);
    for (; c < p->channels; c++) moments_dy_one(p, c, mean, sum_dy, sum_dyx);
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
