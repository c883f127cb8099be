/* SPDX-License-Identifier: MIT
 *
 * Layer normalisation of rows; see layer.h. A sum along a row is made of LANES sums, one for each
 * remainder of the channel, which are added in pairs: the same for every instruction set.
 *
 * The mean is taken twice, the second time of the distances from the first one, which a long row or a
 * large mean has made inexact (the corrected two-pass algorithm: Chan, Golub & LeVeque, "Algorithms for
 * computing the sample variance", 1983).
 */
#include <math.h>

#include "kernels/simd/simd.h"

enum { LANES = 64, PARTS = LANES / VL };

typedef struct lanes {
    vf v[PARTS];
} lanes;

/* The sum of all lanes, halves added to each other until one is left. */
ALWAYS_INLINE float total(const lanes *s) {
    float one[VL];
    vf part[PARTS];
#pragma GCC unroll 16
    for (int i = 0; i < PARTS; i++) part[i] = s->v[i];
#pragma GCC unroll 4
    for (int n = PARTS / 2; n > 0; n /= 2)
        for (int i = 0; i < n; i++) part[i] += part[i + n];
    vstore(one, part[0]);
#pragma GCC unroll 4
    for (int n = VL / 2; n > 0; n /= 2)
        for (int i = 0; i < n; i++) one[i] += one[i + n];
    return one[0];
}

/* For every vector of channels: where it begins, c; its lanes, n, a constant VL but at the row's end; and
 * the part of the sums that it belongs to. */
#define EACH_VECTOR(channels, ...)                                                                 \
    for (ptrdiff_t first = 0; first < (channels); first += LANES) {                                \
        if (first + LANES <= (channels)) {                                                         \
            _Pragma("GCC unroll 16") for (int part = 0; part < PARTS; part++) {                    \
                const ptrdiff_t c = first + part * VL, n = VL;                                     \
                __VA_ARGS__                                                                        \
            }                                                                                      \
            continue;                                                                              \
        }                                                                                          \
        for (int part = 0; first + part * VL < (channels); part++) {                               \
            const ptrdiff_t c = first + part * VL, left = (channels)-c, n = left < VL ? left : VL; \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

ALWAYS_INLINE float row_sum(const float *x, ptrdiff_t channels) {
    lanes s = {0};
    EACH_VECTOR(channels, s.v[part] += vload_n(x + c, n););
    return total(&s);
}

/* Mean and 1 / sqrt(var + eps) of a row. */
ALWAYS_INLINE void row_statistics(const float *x, ptrdiff_t channels, double eps, float *mean,
                                  float *rstd) {
    double count = (double)channels;
    float about = (float)((double)row_sum(x, channels) / count);
    lanes sum = {0}, square = {0};
    EACH_VECTOR(channels, {
        vf d = vfirst(vload_n(x + c, n) - about, n);
        sum.v[part] += d;
        square.v[part] += d * d;
    });
    double rest = (double)total(&sum), m2 = (double)total(&square) - rest * rest / count;
    *mean = (float)((double)about + rest / count);
    *rstd = (float)(1.0 / sqrt(m2 / count + eps));
}

ALWAYS_INLINE vf gamma_of(const spur__layer_rows *p, ptrdiff_t c, ptrdiff_t n) {
    return p->gamma ? vload_n(p->gamma + c, n) : vset(1.0f);
}

ALWAYS_INLINE vf output(const spur__layer_rows *p, vf normal, ptrdiff_t c, ptrdiff_t n) {
    return vfma(normal, gamma_of(p, c, n), p->beta ? vload_n(p->beta + c, n) : (vf){0});
}

void SPUR__SIMD(layer_norm)(const spur__layer_rows *p) {
    for (ptrdiff_t r = p->begin; r < p->end; r++) {
        const float *x = p->x + r * p->channels;
        float *y = p->y + r * p->channels;
        row_statistics(x, p->channels, p->eps, p->mean + r, p->rstd + r);
        float mean = p->mean[r], rstd = p->rstd[r];
        EACH_VECTOR(p->channels, {
            vf v = output(p, (vload_n(x + c, n) - mean) * rstd, c, n);
            vstore_n(y + c, p->relu ? vrelu(v) : v, n);
        });
    }
}

/* ---- backward ------------------------------------------------------------------------------ */

/* What a row's gradient is made of: its normalised values, and dy where the ReLU let it through. */
typedef struct gradient_row {
    const spur__layer_rows *p;
    const float *x, *dy;
    float mean, rstd;
} gradient_row;

ALWAYS_INLINE vf normal_of(const gradient_row *r, ptrdiff_t c, ptrdiff_t n) {
    return (vload_n(r->x + c, n) - r->mean) * r->rstd;
}

ALWAYS_INLINE vf dy_of(const gradient_row *r, vf normal, ptrdiff_t c, ptrdiff_t n) {
    vf dy = vload_n(r->dy + c, n);
    return r->p->relu ? vmask_positive(dy, output(r->p, normal, c, n)) : dy;
}

/* dx = rstd * (g - mean(g) - normal * mean(g * normal)) with g = gamma * dy: sums[] are those means. */
ALWAYS_INLINE void row_dx(const spur__layer_gradient *q, const gradient_row *r,
                          const float means[2], float *dx) {
    const spur__layer_rows *p = r->p;
    EACH_VECTOR(p->channels, {
        vf normal = normal_of(r, c, n);
        vf g = gamma_of(p, c, n) * dy_of(r, normal, c, n);
        vf v = (g - means[0] - normal * means[1]) * r->rstd;
        vstore_n(dx + c, q->accumulate ? vload_n(dx + c, n) + v : v, n);
    });
}

ALWAYS_INLINE void row_means(const spur__layer_gradient *q, const gradient_row *r, float means[2]) {
    const spur__layer_rows *p = r->p;
    lanes sum = {0}, dot = {0};
    EACH_VECTOR(p->channels, {
        vf normal = normal_of(r, c, n), dy = dy_of(r, normal, c, n);
        vf g = vfirst(gamma_of(p, c, n) * dy, n);
        sum.v[part] += g;
        dot.v[part] += g * normal;
        if (q->dbeta) vstore_n(q->dbeta + c, vload_n(q->dbeta + c, n) + dy, n);
        if (q->dgamma) vstore_n(q->dgamma + c, vload_n(q->dgamma + c, n) + dy * normal, n);
    });
    means[0] = (float)((double)total(&sum) / (double)p->channels);
    means[1] = (float)((double)total(&dot) / (double)p->channels);
}

void SPUR__SIMD(layer_norm_backward)(const spur__layer_gradient *q) {
    const spur__layer_rows *p = &q->rows;
    for (ptrdiff_t i = p->begin; i < p->end; i++) {
        float means[2];
        gradient_row r = {p, p->x + i * p->channels, q->dy + i * p->channels, p->mean[i],
                          p->rstd[i]};
        row_means(q, &r, means);
        if (q->dx) row_dx(q, &r, means, q->dx + i * p->channels);
    }
}
