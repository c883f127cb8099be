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

/* Stretches walked side by side, so that no addition waits for the one before it; their sums are
 * still added one after the other. */
enum { SIDE = 4 };

/* Adds rows [at, at + sides * STRETCH), or those to the end if sides is 1, to sum; with `mean`, the
 * squares of their distances from it. n and sides are constants. */
ALWAYS_INLINE void add_moments(const spur__pixels *p, ptrdiff_t c, ptrdiff_t at, int n, int sides,
                               const vf *mean, vf *sum) {
    vf part[SIDE][GROUP] = {{{0}}};
    ptrdiff_t rows = sides > 1 ? STRETCH : stretch_end(at, p->count) - at, pitch = p->pitch;
    const float *x = p->x + at * pitch + c;
    for (ptrdiff_t i = 0; i < rows; i++, x += pitch) {
#pragma GCC unroll 4
        for (int k = 0; k < sides; k++) {
#pragma GCC unroll 4
            for (int v = 0; v < n; v++) {
                vf d = vload(x + k * STRETCH * pitch + v * VL);
                if (mean) d -= mean[v];
                part[k][v] += mean ? d * d : d;
            }
        }
    }
    for (int k = 0; k < sides; k++)
        for (int v = 0; v < n; v++) sum[v] += part[k][v];
}

ALWAYS_INLINE void all_moments(const spur__pixels *p, ptrdiff_t c, int n, const vf *mean, vf *sum) {
    ptrdiff_t at = 0;
    int sides = SIDE / n;
    for (; at + sides * STRETCH <= p->count; at += sides * STRETCH)
        add_moments(p, c, at, n, sides, mean, sum);
    for (; at < p->count; at += STRETCH) add_moments(p, c, at, n, 1, mean, sum);
}

/* Channels c .. c + n * VL: the mean, and the sum of squared differences to it. n is a constant. */
ALWAYS_INLINE void moments_vectors(const spur__pixels *p, ptrdiff_t c, int n, float *mean,
                                   float *m2) {
    vf sum[GROUP] = {0}, square[GROUP] = {0}, m[GROUP];
    all_moments(p, c, n, NULL, sum);
    for (int v = 0; v < n; v++) m[v] = sum[v] * (1.0f / (float)p->count);
    all_moments(p, c, n, m, square);
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
    for (; c + 2 * VL <= p->channels; c += 2 * VL) moments_vectors(p, c, 2, mean, m2);
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

/* What moments_dy knows of the channels at work. */
typedef struct dy_channels {
    vf mean[GROUP], scale[GROUP], shift[GROUP];
    bool masked;
} dy_channels;

/* Adds rows [at, at + sides * STRETCH), or those to the end if sides is 1. n, sides: constants. */
ALWAYS_INLINE void add_moments_dy(const spur__norm_dx *p, const dy_channels *q, ptrdiff_t c,
                                  ptrdiff_t at, int n, int sides, vf *sum, vf *dot) {
    vf part[SIDE][GROUP] = {{{0}}}, part_dot[SIDE][GROUP] = {{{0}}};
    ptrdiff_t rows = sides > 1 ? STRETCH : stretch_end(at, p->count) - at;
    ptrdiff_t x_pitch = p->x_pitch, dy_pitch = p->dy_pitch;
    const float *x = p->x + at * x_pitch + c, *g = p->dy + at * dy_pitch + c;
    for (ptrdiff_t i = 0; i < rows; i++, x += x_pitch, g += dy_pitch) {
#pragma GCC unroll 4
        for (int k = 0; k < sides; k++) {
#pragma GCC unroll 4
            for (int v = 0; v < n; v++) {
                vf here = vload(x + k * STRETCH * x_pitch + v * VL);
                vf dy = vload(g + k * STRETCH * dy_pitch + v * VL);
                if (q->masked) dy = vmask_positive(dy, vfma(here, q->scale[v], q->shift[v]));
                part[k][v] += dy;
                part_dot[k][v] += dy * (here - q->mean[v]);
            }
        }
    }
    for (int k = 0; k < sides; k++) {
        for (int v = 0; v < n; v++) sum[v] += part[k][v];
        for (int v = 0; v < n; v++) dot[v] += part_dot[k][v];
    }
}

/* Channels c .. c + n * VL: sums of dy and of dy times x less its mean. n is a constant. */
ALWAYS_INLINE void moments_dy_vectors(const spur__norm_dx *p, ptrdiff_t c, int n, const float *mean,
                                      bool masked, float *sum_dy, float *sum_dyx) {
    vf sum[GROUP] = {0}, dot[GROUP] = {0};
    dy_channels q = {.masked = masked};
    ptrdiff_t at = 0;
    int sides = SIDE / n;
    for (int v = 0; v < n; v++) q.mean[v] = vload(mean + c + v * VL);
    for (int v = 0; v < n && masked; v++) q.scale[v] = vload(p->scale + c + v * VL);
    for (int v = 0; v < n && masked; v++) q.shift[v] = vload(p->shift + c + v * VL);
    for (; at + sides * STRETCH <= p->count; at += sides * STRETCH)
        add_moments_dy(p, &q, c, at, n, sides, sum, dot);
    for (; at < p->count; at += STRETCH) add_moments_dy(p, &q, c, at, n, 1, sum, dot);
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

ALWAYS_INLINE ptrdiff_t moments_dy_all(const spur__norm_dx *p, const float *mean, bool masked,
                                       float *sum_dy, float *sum_dyx) {
    ptrdiff_t c = 0;
    for (; c + GROUP * VL <= p->channels; c += GROUP * VL)
        moments_dy_vectors(p, c, GROUP, mean, masked, sum_dy, sum_dyx);
    for (; c + 2 * VL <= p->channels; c += 2 * VL)
        moments_dy_vectors(p, c, 2, mean, masked, sum_dy, sum_dyx);
    for (; c + VL <= p->channels; c += VL)
        moments_dy_vectors(p, c, 1, mean, masked, sum_dy, sum_dyx);
    return c;
}

void SPUR__SIMD(moments_dy)(const spur__norm_dx *p, const float *mean, float *sum_dy,
                            float *sum_dyx) {
    ptrdiff_t c = p->scale ? moments_dy_all(p, mean, true, sum_dy, sum_dyx)
                           : moments_dy_all(p, mean, false, sum_dy, sum_dyx);
    for (; c < p->channels; c++) moments_dy_one(p, c, mean, sum_dy, sum_dyx);
}

void SPUR__SIMD(affine)(const spur__affine *p) {
    for (ptrdiff_t i = 0; i < p->count; i++) {
        const float *x = p->x + i * p->x_pitch;
        const float *plus = p->plus ? p->plus + i * p->channels : NULL;
        float *y = p->y + i * p->y_pitch;
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) {
            vf v = vfma(vload(x + c), vload(p->scale + c), vload(p->shift + c));
            if (plus) v += vload(plus + c);
            if (p->relu) v = vrelu(v);
            if (p->stream)
                vstream(y + c, v);
            else
                vstore(y + c, v);
        }
        for (; c < p->channels; c++) {
            float v = fma1(x[c], p->scale[c], p->shift[c]);
            if (plus) v += plus[c];
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
            if (p->accumulate) v += vload(dx + c);
            if (p->stream)
                vstream(dx + c, v);
            else
                vstore(dx + c, v);
        }
        for (; c < p->channels; c++) {
            float v = fma1(x[c], p->b[c], p->c[c]);
            v = fma1(masked1(p, x[c], i, c), p->a[c], v);
            dx[c] = p->accumulate ? dx[c] + v : v;
        }
    }
}
