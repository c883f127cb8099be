/* SPDX-License-Identifier: MIT
 *
 * Losses of single values; see loss.h. Nothing here is a small difference of large numbers, so sure
 * outputs keep their digits.
 */
#include "kernels/simd/math.h"

void SPUR__SIMD(softplus)(const float *x, ptrdiff_t n, float *y) {
    for (ptrdiff_t i = 0; i < n; i += VL) {
        ptrdiff_t lanes = n - i < VL ? n - i : VL;
        vstore_n(y + i, vsoftplus(vload_n(x + i, lanes)), lanes);
    }
}

double SPUR__SIMD(total)(const float *x, ptrdiff_t n) {
    enum { LANES = 16 };
    double sum[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) sum[j] += (double)x[i + j];
    for (int j = 0; i < n; i++, j++) sum[j] += (double)x[i];
    for (int j = 1; j < LANES; j++) sum[0] += sum[j];
    return sum[0];
}

ALWAYS_INLINE vf above_zero(vf x) {
    return vselect(x > (vf){0}, x, (vf){0});
}

ALWAYS_INLINE vf bce_value(vf x, vf y, vf p) {
    vf tail = vsoftplus_below(-vabs(x));
    return (1.0f - y) * (above_zero(x) + tail) + p * y * (above_zero(-x) + tail);
}

ALWAYS_INLINE vf bce_slope_of(vf x, vf y, vf p) {
    vf e = vexp(-vabs(x)), large = 1.0f / (1.0f + e), small = e * large;
    vf up = vselect_signed(x, small, large), down = vselect_signed(x, large, small);
    return (1.0f - y) * up - p * y * down;
}

/* function is a constant. */
ALWAYS_INLINE void each(const spur__bce_values *q, vf (*function)(vf x, vf y, vf p)) {
    for (ptrdiff_t i = 0; i < q->n; i += VL) {
        ptrdiff_t n = q->n - i < VL ? q->n - i : VL;
        vf p = q->pos_weight ? vload_n(q->pos_weight + i, n) : vset(1.0f);
        vstore_n(q->out + i, function(vload_n(q->x + i, n), vload_n(q->y + i, n), p), n);
    }
}

void SPUR__SIMD(bce)(const spur__bce_values *p) {
    each(p, bce_value);
}

void SPUR__SIMD(bce_slope)(const spur__bce_values *p) {
    each(p, bce_slope_of);
}
