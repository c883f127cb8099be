/* SPDX-License-Identifier: MIT
 *
 * Depthwise rows; see depthwise.h. Channels go in blocks of one vector; those left over through
 * the same code on a zero-padded copy, so that lanes never change a sum's order.
 */
#include "kernels/simd/simd.h"

#include "kernels/simd/depthwise.h"

/* A vector of n <= VL floats, zeros behind. */
ALWAYS_INLINE vf load_n(const float *p, ptrdiff_t n) {
    if (n == VL) return vload(p);
    float lanes[VL] = {0};
    for (ptrdiff_t i = 0; i < n; i++) lanes[i] = p[i];
    return vload(lanes);
}

ALWAYS_INLINE void store_n(float *p, vf v, ptrdiff_t n) {
    if (n == VL) {
        vstore(p, v);
        return;
    }
    float lanes[VL];
    vstore(lanes, v);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
}

ALWAYS_INLINE void finish(const spur__depthwise_row *p, ptrdiff_t pixel, ptrdiff_t c, vf sum,
                          ptrdiff_t n) {
    float *y = p->y + pixel * p->y_pitch + c;
    if (p->accumulate) sum += load_n(y, n);
    if (p->bias) sum += load_n(p->bias + c, n);
    store_n(y, p->relu ? vrelu(sum) : sum, n);
}

/* Taps [first, end) of `count` that fall inside [0, size) from `origin`, dilation apart. */
ALWAYS_INLINE void valid_taps(ptrdiff_t origin, ptrdiff_t dilation, ptrdiff_t count, ptrdiff_t size,
                              ptrdiff_t *first, ptrdiff_t *end) {
    *first = origin < 0 ? (-origin + dilation - 1) / dilation : 0;
    *end = size > origin ? (size - origin + dilation - 1) / dilation : 0;
    if (*end > count) *end = count;
}

ALWAYS_INLINE void forward_vector(const spur__depthwise_row *p, ptrdiff_t c, ptrdiff_t n) {
    ptrdiff_t top = p->row * p->stride_h - p->pad_top, r0, r1;
    valid_taps(top, p->dilation_h, p->kh, p->h, &r0, &r1);
    for (ptrdiff_t i = 0; i < p->count; i++) {
        ptrdiff_t left = i * p->stride_w - p->pad_left, s0, s1;
        valid_taps(left, p->dilation_w, p->kw, p->w, &s0, &s1);
        vf sum = {0};
        for (ptrdiff_t r = r0; r < r1; r++) {
            const float *x = p->x + (top + r * p->dilation_h) * p->w * p->x_pitch + c;
            for (ptrdiff_t s = s0; s < s1; s++)
                sum = vfma(load_n(x + (left + s * p->dilation_w) * p->x_pitch, n),
                           load_n(p->weights + (r * p->kw + s) * p->channels + c, n), sum);
        }
        finish(p, i, c, sum, n);
    }
}

void SPUR__SIMD(depthwise_forward)(const spur__depthwise_row *p) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) forward_vector(p, c, VL);
    if (c < p->channels) forward_vector(p, c, p->channels - c);
}

/* Source index seen by position i of dx through a tap, or -1. */
ALWAYS_INLINE ptrdiff_t reached(ptrdiff_t i, ptrdiff_t pad, ptrdiff_t tap, ptrdiff_t dilation,
                                ptrdiff_t stride, ptrdiff_t size) {
    ptrdiff_t distance = i + pad - tap * dilation;
    if (distance < 0 || (stride > 1 && distance % stride != 0)) return -1;
    if (stride > 1) distance /= stride;
    return distance < size ? distance : -1;
}

ALWAYS_INLINE void data_vector(const spur__depthwise_row *p, ptrdiff_t c, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < p->count; i++) {
        vf sum = {0};
        for (ptrdiff_t r = 0; r < p->kh; r++) {
            ptrdiff_t row = reached(p->row, p->pad_top, r, p->dilation_h, p->stride_h, p->h);
            if (row < 0) continue;
            for (ptrdiff_t s = 0; s < p->kw; s++) {
                ptrdiff_t col = reached(i, p->pad_left, s, p->dilation_w, p->stride_w, p->w);
                if (col < 0) continue;
                ptrdiff_t at = (row * p->w + col) * p->x_pitch + c;
                vf dy = load_n(p->x + at, n);
                if (p->mask) dy = vmask_positive(dy, load_n(p->mask + at, n));
                sum = vfma(dy, load_n(p->weights + (r * p->kw + s) * p->channels + c, n), sum);
            }
        }
        finish(p, i, c, sum, n);
    }
}

void SPUR__SIMD(depthwise_data)(const spur__depthwise_row *p) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) data_vector(p, c, VL);
    if (c < p->channels) data_vector(p, c, p->channels - c);
}

ALWAYS_INLINE void weights_vector(const spur__depthwise_row *p, const float *dy, const float *mask,
                                  float *sums, ptrdiff_t c, ptrdiff_t n) {
    ptrdiff_t top = p->row * p->stride_h - p->pad_top, r0, r1;
    valid_taps(top, p->dilation_h, p->kh, p->h, &r0, &r1);
    for (ptrdiff_t r = r0; r < r1; r++) {
        const float *x = p->x + (top + r * p->dilation_h) * p->w * p->x_pitch + c;
        for (ptrdiff_t s = 0; s < p->kw; s++) {
            float *to = sums + (r * p->kw + s) * p->channels + c;
            vf sum = load_n(to, n);
            for (ptrdiff_t i = 0; i < p->count; i++) {
                ptrdiff_t col = i * p->stride_w - p->pad_left + s * p->dilation_w;
                if (col < 0 || col >= p->w) continue;
                vf d = load_n(dy + i * p->y_pitch + c, n);
                if (mask) d = vmask_positive(d, load_n(mask + i * p->y_pitch + c, n));
                sum = vfma(load_n(x + col * p->x_pitch, n), d, sum);
            }
            store_n(to, sum, n);
        }
    }
}

void SPUR__SIMD(depthwise_weights)(const spur__depthwise_row *p, const float *dy, const float *mask,
                                   float *sums) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) weights_vector(p, dy, mask, sums, c, VL);
    if (c < p->channels) weights_vector(p, dy, mask, sums, c, p->channels - c);
}
