/* SPDX-License-Identifier: MIT
 *
 * Weighted sums of pixels; see blend.h.
 */
#include "kernels/simd/simd.h"

ALWAYS_INLINE void blend_vector(const spur__blend *b, const float *x, float *y, ptrdiff_t n) {
    const float *w = b->weight;
    vf p = w[0] * vload_n(x + b->offset[0], n) + w[1] * vload_n(x + b->offset[1], n);
    vf q = w[2] * vload_n(x + b->offset[2], n) + w[3] * vload_n(x + b->offset[3], n);
    vstore_n(y, p + q, n);
}

void SPUR__SIMD(blend)(const spur__blend *b, const float *x, float *y, ptrdiff_t channels) {
    ptrdiff_t c = 0;
    for (; c + VL <= channels; c += VL) blend_vector(b, x + c, y + c, VL);
    if (c < channels) blend_vector(b, x + c, y + c, channels - c);
}

void SPUR__SIMD(spread)(const spur__blend *b, const float *dy, float *dx, ptrdiff_t channels,
                        int count) {
    for (int i = 0; i < count; i++) {
        float *to = dx + b->offset[i], w = count == 1 ? 1.0f : b->weight[i];
        ptrdiff_t c = 0, n = channels % VL;
        for (; c + VL <= channels; c += VL) vstore(to + c, vload(to + c) + w * vload(dy + c));
        if (n) vstore_n(to + c, vload_n(to + c, n) + w * vload_n(dy + c, n), n);
    }
}
