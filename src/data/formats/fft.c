/* SPDX-License-Identifier: MIT
 *
 * Radix-2 FFT, iterative, decimation in time (Cooley & Tukey): bit reversal, then log2(n) passes of
 * butterflies with tabulated roots of unity.
 */
#include "data/formats/melspec.h"

#include "base/fmath.h"

void spur__fft_roots(float *roots, size_t n) {
    for (size_t k = 0; k < n / 2; k++) {
        float sine, cosine;
        spur__sincos2pif((float)k / (float)n, &sine, &cosine);
        roots[2 * k] = cosine;
        roots[2 * k + 1] = -sine;
    }
}

static void bit_reverse(float *data, size_t n) {
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i >= j) continue;
        for (size_t k = 0; k < 2; k++) {
            float swap = data[2 * i + k];
            data[2 * i + k] = data[2 * j + k];
            data[2 * j + k] = swap;
        }
    }
}

void spur__fft(float *data, const float *roots, size_t n) {
    bit_reverse(data, n);
    for (size_t half = 1; half < n; half *= 2) {
        size_t stride = n / (2 * half); /* between the roots of this pass */
        for (size_t start = 0; start < n; start += 2 * half)
            for (size_t k = 0; k < half; k++) {
                float *a = data + 2 * (start + k), *b = a + 2 * half;
                float c = roots[2 * k * stride], s = roots[2 * k * stride + 1];
                float re = b[0] * c - b[1] * s, im = b[0] * s + b[1] * c;
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
    }
}
