/* SPDX-License-Identifier: MIT
 *
 * What both sides of Winograd's products share: where a tile lies in its image, and exact products.
 */
#ifndef SPUR_KERNELS_SIMD_WINOGRAD_CORNER_H
#define SPUR_KERNELS_SIMD_WINOGRAD_CORNER_H

#include "kernels/simd/simd.h"

/* a * b + c where a is a power of two: the product is exact, so one rounding either way. */
ALWAYS_INLINE vf scaled(float a, vf b, vf c) {
#if defined(SPUR__SOFT_FMA)
    return a * b + c;
#else
    return vfma(vset(a), b, c);
#endif
}

/* The upper left corner of a tile's patch, and the part of the patch inside the image. */
typedef struct corner {
    ptrdiff_t image, y, x; /* y and x may be negative */
    ptrdiff_t offset; /* of that pixel */
    ptrdiff_t y0, y1, x0, x1; /* rows and columns of the patch inside */
    bool inside; /* all of it */
} corner;

ALWAYS_INLINE corner corner_of(const spur__tiling *t, int m, int edge, ptrdiff_t tile) {
    corner c;
    ptrdiff_t tx = tile % t->tiles_x, rest = tile / t->tiles_x;
    ptrdiff_t ty = rest % t->tiles_y;
    c.image = rest / t->tiles_y;
    c.y = ty * m - t->pad_y;
    c.x = tx * m - t->pad_x;
    c.offset = ((c.image * t->h + c.y) * t->w + c.x) * t->pitch;
    c.y0 = c.y < 0 ? -c.y : 0;
    c.x0 = c.x < 0 ? -c.x : 0;
    c.y1 = t->h - c.y < edge ? t->h - c.y : edge;
    c.x1 = t->w - c.x < edge ? t->w - c.x : edge;
    c.inside = c.y0 == 0 && c.x0 == 0 && c.y1 == edge && c.x1 == edge;
    return c;
}

#endif
