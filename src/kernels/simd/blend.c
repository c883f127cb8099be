/* SPDX-License-Identifier: MIT
 *
 * Weighted sums of pixels; see blend.h.
 */
#include "kernels/simd/simd.h"

void SPUR__SIMD(blend)(const spur__blend *b, const float *x, float *y, ptrdiff_t channels) {
    const float *p = x + b->offset[0], *q = x + b->offset[1];
    const float *r = x + b->offset[2], *s = x + b->offset[3];
    const float *w = b->weight;
    ptrdiff_t c = 0;
    for (; c + VL <= channels; c += VL)
        vstore(y + c, (w[0] * vload(p + c) + w[1] * vload(q + c)) +
                          (w[2] * vload(r + c) + w[3] * vload(s + c)));
    for (; c < channels; c++) y[c] = (w[0] * p[c] + w[1] * q[c]) + (w[2] * r[c] + w[3] * s[c]);
}

void SPUR__SIMD(spread)(const spur__blend *b, const float *dy, float *dx, ptrdiff_t channels,
                        int count) {
    for (int i = 0; i < count; i++) {
        float *to = dx + b->offset[i], w = count == 1 ? 1.0f : b->weight[i];
        ptrdiff_t c = 0;
        for (; c + VL <= channels; c += VL) vstore(to + c, vload(to + c) + w * vload(dy + c));
        for (; c < channels; c++) to[c] += w * dy[c];
    }
}
