/* SPDX-License-Identifier: MIT
 *
 * Pieces of normalisation; see norm.h. Channels beyond the last whole vector make one that is not
 * full: `lanes` below VL.
 */
#include "kernels/simd/math.h"

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
 * squares of their distances from it. n and sides are constants; lanes, too, if it is VL. */
ALWAYS_INLINE void add_moments(const spur__pixels *p, ptrdiff_t c, ptrdiff_t lanes, ptrdiff_t at,
                               int n, int sides, const vf *mean, vf *sum) {
    vf part[SIDE][GROUP] = {{{0}}};
    ptrdiff_t rows = sides > 1 ? STRETCH : stretch_end(at, p->count) - at, pitch = p->pitch;
    ptrdiff_t ahead = walk_ahead(pitch);
    const float *x = p->x + at * pitch + c;
    for (ptrdiff_t i = 0; i < rows; i++, x += pitch) {
#pragma GCC unroll 4
        for (int k = 0; k < sides; k++) {
#pragma GCC unroll 4
            for (int v = 0; v < n; v++) {
                vf d = vload_n(x + k * STRETCH * pitch + v * VL, lanes);
                __builtin_prefetch(x + k * STRETCH * pitch + v * VL + ahead);
                if (mean) d -= mean[v];
                part[k][v] += mean ? d * d : d;
            }
        }
    }
    for (int k = 0; k < sides; k++)
        for (int v = 0; v < n; v++) sum[v] += part[k][v];
}

ALWAYS_INLINE void all_moments(const spur__pixels *p, ptrdiff_t c, ptrdiff_t lanes, int n,
                               const vf *mean, vf *sum) {
    ptrdiff_t at = 0;
    int sides = SIDE / n;
    for (; at + sides * STRETCH <= p->count; at += sides * STRETCH)
        add_moments(p, c, lanes, at, n, sides, mean, sum);
    for (; at < p->count; at += STRETCH) add_moments(p, c, lanes, at, n, 1, mean, sum);
}

/* Channels c .. c + n * VL, or c + lanes: the mean, and the sum of squared differences to it. n is a
 * constant. */
ALWAYS_INLINE void moments_vectors(const spur__pixels *p, ptrdiff_t c, ptrdiff_t lanes, int n,
                                   float *mean, float *m2) {
    vf sum[GROUP] = {0}, square[GROUP] = {0}, m[GROUP];
    all_moments(p, c, lanes, n, NULL, sum);
    for (int v = 0; v < n; v++) m[v] = sum[v] * (1.0f / (float)p->count);
    all_moments(p, c, lanes, n, m, square);
    for (int v = 0; v < n; v++) vstore_n(mean + c + v * VL, m[v], lanes);
    for (int v = 0; v < n; v++) vstore_n(m2 + c + v * VL, square[v], lanes);
}

void SPUR__SIMD(moments)(const spur__pixels *p, float *mean, float *m2) {
    ptrdiff_t c = 0;
    for (; c + GROUP * VL <= p->channels; c += GROUP * VL)
        moments_vectors(p, c, VL, GROUP, mean, m2);
    for (; c + 2 * VL <= p->channels; c += 2 * VL) moments_vectors(p, c, VL, 2, mean, m2);
    for (; c + VL <= p->channels; c += VL) moments_vectors(p, c, VL, 1, mean, m2);
    if (c < p->channels) moments_vectors(p, c, p->channels - c, 1, mean, m2);
}

/* What lies behind the normalisation. */
enum { NOTHING_BEHIND, RELU_BEHIND, HARD_SWISH_BEHIND, SILU_BEHIND };

ALWAYS_INLINE int behind_of(const spur__norm_dx *p) {
    if (!p->scale) return NOTHING_BEHIND;
    return p->swish == SPUR__SILU         ? SILU_BEHIND
           : p->swish == SPUR__HARD_SWISH ? HARD_SWISH_BEHIND
                                          : RELU_BEHIND;
}

/* dy in front of what is behind, where y is the normalised value. */
ALWAYS_INLINE vf through(vf dy, vf y, int behind) {
    return behind == SILU_BEHIND         ? dy * vsilu_slope(y)
           : behind == HARD_SWISH_BEHIND ? vhard_swish_dx(dy, y)
                                         : vmask_positive(dy, y);
}

/* dy of channels of pixel i. */
ALWAYS_INLINE vf dy_of(const spur__norm_dx *p, vf x, ptrdiff_t i, ptrdiff_t c, ptrdiff_t lanes,
                       int behind) {
    vf dy = vload_n(p->dy + i * p->dy_pitch + c, lanes);
    if (behind == NOTHING_BEHIND) return dy;
    vf y = vfma(x, vload_n(p->scale + c, lanes), vload_n(p->shift + c, lanes));
    return through(dy, y, behind);
}

/* What moments_dy knows of the channels at work. */
typedef struct dy_channels {
    vf mean[GROUP], scale[GROUP], shift[GROUP];
    int behind;
} dy_channels;

/* Adds rows [at, at + sides * STRETCH), or those to the end if sides is 1. n, sides: constants. */
ALWAYS_INLINE void add_moments_dy(const spur__norm_dx *p, const dy_channels *q, ptrdiff_t c,
                                  ptrdiff_t lanes, ptrdiff_t at, int n, int sides, vf *sum,
                                  vf *dot) {
    vf part[SIDE][GROUP] = {{{0}}}, part_dot[SIDE][GROUP] = {{{0}}};
    ptrdiff_t rows = sides > 1 ? STRETCH : stretch_end(at, p->count) - at;
    ptrdiff_t x_pitch = p->x_pitch, dy_pitch = p->dy_pitch;
    ptrdiff_t x_ahead = walk_ahead(x_pitch), dy_ahead = walk_ahead(dy_pitch);
    const float *x = p->x + at * x_pitch + c, *g = p->dy + at * dy_pitch + c;
    for (ptrdiff_t i = 0; i < rows; i++, x += x_pitch, g += dy_pitch) {
#pragma GCC unroll 4
        for (int k = 0; k < sides; k++) {
#pragma GCC unroll 4
            for (int v = 0; v < n; v++) {
                vf here = vload_n(x + k * STRETCH * x_pitch + v * VL, lanes);
                vf dy = vload_n(g + k * STRETCH * dy_pitch + v * VL, lanes);
                __builtin_prefetch(x + k * STRETCH * x_pitch + v * VL + x_ahead);
                __builtin_prefetch(g + k * STRETCH * dy_pitch + v * VL + dy_ahead);
                if (q->behind != NOTHING_BEHIND)
                    dy = through(dy, vfma(here, q->scale[v], q->shift[v]), q->behind);
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

/* Channels c .. c + n * VL, or c + lanes: sums of dy and of dy times x less its mean. n is a
 * constant. */
ALWAYS_INLINE void moments_dy_vectors(const spur__norm_dx *p, ptrdiff_t c, ptrdiff_t lanes, int n,
                                      const float *mean, int behind, float *sum_dy,
                                      float *sum_dyx) {
    vf sum[GROUP] = {0}, dot[GROUP] = {0};
    dy_channels q = {.behind = behind};
    ptrdiff_t at = 0;
    int sides = SIDE / n;
    for (int v = 0; v < n; v++) q.mean[v] = vload_n(mean + c + v * VL, lanes);
    for (int v = 0; v < n && behind; v++) q.scale[v] = vload_n(p->scale + c + v * VL, lanes);
    for (int v = 0; v < n && behind; v++) q.shift[v] = vload_n(p->shift + c + v * VL, lanes);
    for (; at + sides * STRETCH <= p->count; at += sides * STRETCH)
        add_moments_dy(p, &q, c, lanes, at, n, sides, sum, dot);
    for (; at < p->count; at += STRETCH) add_moments_dy(p, &q, c, lanes, at, n, 1, sum, dot);
    for (int v = 0; v < n; v++) vstore_n(sum_dy + c + v * VL, sum[v], lanes);
    for (int v = 0; v < n; v++) vstore_n(sum_dyx + c + v * VL, dot[v], lanes);
}

ALWAYS_INLINE void moments_dy_all(const spur__norm_dx *p, const float *mean, int behind,
                                  float *sum_dy, float *sum_dyx) {
    ptrdiff_t c = 0;
    for (; c + GROUP * VL <= p->channels; c += GROUP * VL)
        moments_dy_vectors(p, c, VL, GROUP, mean, behind, sum_dy, sum_dyx);
    for (; c + 2 * VL <= p->channels; c += 2 * VL)
        moments_dy_vectors(p, c, VL, 2, mean, behind, sum_dy, sum_dyx);
    for (; c + VL <= p->channels; c += VL)
        moments_dy_vectors(p, c, VL, 1, mean, behind, sum_dy, sum_dyx);
    if (c < p->channels)
        moments_dy_vectors(p, c, p->channels - c, 1, mean, behind, sum_dy, sum_dyx);
}

void SPUR__SIMD(moments_dy)(const spur__norm_dx *p, const float *mean, float *sum_dy,
                            float *sum_dyx) {
    switch (behind_of(p)) {
    case RELU_BEHIND:
        moments_dy_all(p, mean, RELU_BEHIND, sum_dy, sum_dyx);
        return;
    case HARD_SWISH_BEHIND:
        moments_dy_all(p, mean, HARD_SWISH_BEHIND, sum_dy, sum_dyx);
        return;
    case SILU_BEHIND:
        moments_dy_all(p, mean, SILU_BEHIND, sum_dy, sum_dyx);
        return;
    default:
        moments_dy_all(p, mean, NOTHING_BEHIND, sum_dy, sum_dyx);
    }
}

/* Channels [c, c + lanes) of a pixel. */
ALWAYS_INLINE void affine_vector(const spur__affine *p, const float *x, const float *plus, float *y,
                                 ptrdiff_t c, ptrdiff_t lanes, const ptrdiff_t ahead[2]) {
    __builtin_prefetch(x + c + ahead[0]);
    if (plus) __builtin_prefetch(plus + c + ahead[0]);
    if (!p->stream) __builtin_prefetch(y + c + ahead[1], 1);
    vf v = vfma(vload_n(x + c, lanes), vload_n(p->scale + c, lanes), vload_n(p->shift + c, lanes));
    if (plus) v += vload_n(plus + c, lanes);
    if (p->relu) v = vrelu(v);
    v = vswish(v, p->swish);
    if (p->stream)
        vstream(y + c, v);
    else
        vstore_n(y + c, v, lanes);
}

void SPUR__SIMD(affine)(const spur__affine *p) {
    ptrdiff_t ahead[2] = {walk_ahead(p->x_pitch), walk_ahead(p->y_pitch)};
    for (ptrdiff_t i = 0; i < p->count; i++) {
        const float *x = p->x + i * p->x_pitch;
        const float *plus = p->plus ? p->plus + i * p->channels : NULL;
        float *y = p->y + i * p->y_pitch;
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) affine_vector(p, x, plus, y, c, VL, ahead);
        if (c < p->channels) affine_vector(p, x, plus, y, c, p->channels - c, ahead);
    }
}

/* Channels [c, c + lanes) of pixel i. */
ALWAYS_INLINE void dx_vector(const spur__norm_dx *p, ptrdiff_t i, ptrdiff_t c, ptrdiff_t lanes,
                             const ptrdiff_t ahead[2], int behind) {
    float *dx = p->dx + i * p->x_pitch + c;
    __builtin_prefetch(p->x + i * p->x_pitch + c + ahead[0]);
    __builtin_prefetch(p->dy + i * p->dy_pitch + c + ahead[1]);
    if (!p->stream) __builtin_prefetch(dx + ahead[0], 1);
    vf at = vload_n(p->x + i * p->x_pitch + c, lanes);
    vf v = vfma(at, vload_n(p->b + c, lanes), vload_n(p->c + c, lanes));
    v = vfma(dy_of(p, at, i, c, lanes, behind), vload_n(p->a + c, lanes), v);
    if (p->accumulate) v += vload_n(dx, lanes);
    if (p->stream)
        vstream(dx, v);
    else
        vstore_n(dx, v, lanes);
}

void SPUR__SIMD(norm_dx)(const spur__norm_dx *p) {
    ptrdiff_t ahead[2] = {walk_ahead(p->x_pitch), walk_ahead(p->dy_pitch)};
    int behind = behind_of(p);
    for (ptrdiff_t i = 0; i < p->count; i++) {
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) dx_vector(p, i, c, VL, ahead, behind);
        if (c < p->channels) dx_vector(p, i, c, p->channels - c, ahead, behind);
    }
}
