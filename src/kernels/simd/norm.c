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

/* Vectors of channels taken along a row at a time, so that memory is read in long stretches. */
enum { GROUP = VL == 16 ? 4 : 2 };

/* Channels c .. c + n * VL: the mean, and the sum of squared differences to it. n is a constant. */
ALWAYS_INLINE void moments_vectors(const spur__pixels *p, ptrdiff_t c, int n, float *mean,
                                   float *m2) {
    vf sum[GROUP] = {0}, square[GROUP] = {0}, m[GROUP];
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part[GROUP] = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++)
            for (int v = 0; v < n; v++) part[v] += vload(p->x + i * p->pitch + c + v * VL);
        for (int v = 0; v < n; v++) sum[v] += part[v];
    }
    for (int v = 0; v < n; v++) m[v] = sum[v] * (1.0f / (float)p->count);
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part[GROUP] = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            for (int v = 0; v < n; v++) {
                vf d = vload(p->x + i * p->pitch + c + v * VL) - m[v];
                part[v] += d * d;
            }
        }
        for (int v = 0; v < n; v++) square[v] += part[v];
    }
    for (int v = 0; v < n; v++) vstore(mean + c + v * VL, m[v]);
    for (int v = 0; v < n; v++) vstore(m2 + c + v * VL, square[v]);
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
    for (; c + GROUP * VL <= p->channels; c += GROUP * VL) moments_vectors(p, c, GROUP, mean, m2);
    for (; c + VL <= p->channels; c += VL) moments_vectors(p, c, 1, mean, m2);
    for (; c < p->channels; c++) moments_one(p, c, mean, m2);
}

/* dy where the ReLU behind the normalisation let x through. */
ALWAYS_INLINE vf masked(const spur__norm_dx *p, vf x, ptrdiff_t i, ptrdiff_t c) {
    vf dy = vload(p->dy + i * p->dy_pitch + c);
    if (!p->scale) return dy;
    return vmask_positive(dy, vfma(x, vload(p->scale + c), vload(p->shift + c)));
}

ALWAYS_INLINE float masked1(const spur__norm_dx *p, float x, ptrdiff_t i, ptrdiff_t c) {
    bool shut = p->scale && !(fma1(x, p->scale[c], p->shift[c]) > 0.0f);
    return shut ? 0.0f : p->dy[i * p->dy_pitch + c];
}

/* Channels c .. c + n * VL: sums of dy and of dy times x less its mean. n is a constant. */
ALWAYS_INLINE void moments_dy_vectors(const spur__norm_dx *p, ptrdiff_t c, int n, const float *mean,
                                      float *sum_dy, float *sum_dyx) {
    vf sum[GROUP] = {0}, dot[GROUP] = {0};
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        vf part[GROUP] = {0}, part_dot[GROUP] = {0};
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            for (int v = 0; v < n; v++) {
                vf x = vload(p->x + i * p->x_pitch + c + v * VL);
                vf dy = masked(p, x, i, c + v * VL);
                part[v] += dy;
                part_dot[v] += dy * (x - vload(mean + c + v * VL));
            }
        }
        for (int v = 0; v < n; v++) sum[v] += part[v];
        for (int v = 0; v < n; v++) dot[v] += part_dot[v];
    }
    for (int v = 0; v < n; v++) vstore(sum_dy + c + v * VL, sum[v]);
    for (int v = 0; v < n; v++) vstore(sum_dyx + c + v * VL, dot[v]);
}

/* The same for one channel. */
ALWAYS_INLINE void moments_dy_one(const spur__norm_dx *p, ptrdiff_t c, const float *mean,
                                  float *sum_dy, float *sum_dyx) {
    float sum = 0.0f, dot = 0.0f;
    for (ptrdiff_t at = 0; at < p->count; at += STRETCH) {
        float part = 0.0f, part_dot = 0.0f;
        for (ptrdiff_t i = at; i < stretch_end(at, p->count); i++) {
            float x = p->x[i * p->x_pitch + c], dy = masked1(p, x, i, c);
            part += dy;
            part_dot += dy * (x - mean[c]);
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
    for (; c + GROUP * VL <= p->channels; c += GROUP * VL)
        moments_dy_vectors(p, c, GROUP, mean, sum_dy, sum_dyx);
    for (; c + VL <= p->channels; c += VL) moments_dy_vectors(p, c, 1, mean, sum_dy, sum_dyx);
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
            vf at = vload(x + c), v = vfma(at, vload(p->b + c), vload(p->c + c));
            v = vfma(masked(p, at, i, c), vload(p->a + c), v);
            vstore(dx + c, p->accumulate ? vload(dx + c) + v : v);
        }
        for (; c < p->channels; c++) {
            float v = fma1(x[c], p->b[c], p->c[c]);
            v = fma1(masked1(p, x[c], i, c), p->a[c], v);
            dx[c] = p->accumulate ? dx[c] + v : v;
        }
    }
}
