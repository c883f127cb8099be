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

/* The upper left corner of a tile's patch, and the part of the patch inside the image; of a patch of
 * outputs (edge m), that belongs to the tile. */
typedef struct corner {
    ptrdiff_t image, y, x; /* y and x may be negative */
    ptrdiff_t offset; /* of that pixel */
    ptrdiff_t y0, y1, x0, x1; /* rows and columns of the patch inside */
    bool inside; /* all of it */
} corner;

/* One direction: tile i's first output, and how much of the patch counts. */
ALWAYS_INLINE ptrdiff_t start_of(int m, ptrdiff_t i, ptrdiff_t full) {
    return i <= full ? i * m : full * m + (i - full) * (m - 1);
}

ALWAYS_INLINE ptrdiff_t extent_of(int m, int edge, ptrdiff_t i, ptrdiff_t full, ptrdiff_t left) {
    ptrdiff_t most = edge == m && i >= full ? m - 1 : edge;
    return left < most ? left : most;
}

ALWAYS_INLINE corner corner_of(const spur__tiling *t, int m, int edge, ptrdiff_t place) {
    corner c;
    ptrdiff_t tile = t->order ? t->order[place] : place;
    ptrdiff_t tx = tile % t->tiles_x, rest = tile / t->tiles_x;
    ptrdiff_t ty = rest % t->tiles_y;
    c.image = rest / t->tiles_y;
    c.y = start_of(m, ty, t->full_y) - t->pad_y;
    c.x = start_of(m, tx, t->full_x) - t->pad_x;
    c.offset = ((c.image * t->h + c.y) * t->w + c.x) * t->pitch;
    c.y0 = c.y < 0 ? -c.y : 0;
    c.x0 = c.x < 0 ? -c.x : 0;
    c.y1 = extent_of(m, edge, ty, t->full_y, t->h - c.y);
    c.x1 = extent_of(m, edge, tx, t->full_x, t->w - c.x);
    c.inside = c.y0 == 0 && c.x0 == 0 && c.y1 == edge && c.x1 == edge;
    return c;
}

#endif
