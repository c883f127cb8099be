/* SPDX-License-Identifier: MIT
 *
 * Packing of operands: transposition, and pixels with a ReLU mask applied on the way.
 */
#ifndef SPUR_KERNELS_SIMD_PACK_H
#define SPUR_KERNELS_SIMD_PACK_H

#include <stddef.h>

/* `count` pixels of `channels` floats, pitch floats apart. Where mask (same layout, NULL: none)
 * is not above 0, the value counts as 0. */
typedef struct spur__pixels {
    const float *x, *mask;
    ptrdiff_t count, channels, pitch;
} spur__pixels;

/* pack_transposed: out[k][width] = b[column][k] for `columns` columns (zeros up to width) and
 * `steps` steps; columns of b lie ldb floats apart.
 * copy_pixels: out[count][channels], out_pitch apart.
 * pack_panel: out[count][width], zeros beyond the channels; sums[channels] += each pixel, in order
 * (or NULL). channels <= width <= nr.
 * pack_panels: `panels` whole panels of nr columns, `panel` floats apart, of `rows` rows. */
#define SPUR__PACK_MAP(X)                                                                          \
    X(void, pack_transposed,                                                                       \
      (const float *b, ptrdiff_t ldb, ptrdiff_t columns, ptrdiff_t width, ptrdiff_t steps,         \
       float *out))                                                                                \
    X(void, copy_pixels, (const spur__pixels *p, float *out, ptrdiff_t out_pitch))                 \
    X(void, pack_panel, (const spur__pixels *p, ptrdiff_t width, float *out, float *sums))         \
    X(void, pack_panels,                                                                           \
      (const float *b, ptrdiff_t ldb, ptrdiff_t rows, ptrdiff_t panels, float *out,                \
       ptrdiff_t panel))

#endif
