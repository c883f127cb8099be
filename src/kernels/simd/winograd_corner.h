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
 * outputs (edge m), that belongs to the tile. Rows and columns are those of the tile's phase. */
typedef struct corner {
    ptrdiff_t image, y, x; /* y and x may be negative */
    ptrdiff_t offset; /* of that pixel */
    ptrdiff_t y0, y1, x0, x1; /* rows and columns of the patch inside */
    bool inside; /* all of it */
} corner;

/* One direction: how much of the patch counts, with `left` pixels from its first one on. */
ALWAYS_INLINE ptrdiff_t extent_of(int m, int edge, const spur__cut_place *at, ptrdiff_t left) {
    ptrdiff_t most = edge == m && at->tile >= at->cut.full ? m - 1 : edge;
    return left < most ? left : most;
}

ALWAYS_INLINE corner corner_of(const spur__tiling *t, int m, int edge, ptrdiff_t place) {
    corner c;
    ptrdiff_t tile = t->order ? t->order[place] : place;
    ptrdiff_t rest = tile / t->columns.tiles;
    spur__cut_place row = spur__cut_place_of(&t->rows, rest % t->rows.tiles);
    spur__cut_place column = spur__cut_place_of(&t->columns, tile % t->columns.tiles);
    ptrdiff_t h = spur__phase_size(t->h, row.phase, t->rows.dilation);
    ptrdiff_t w = spur__phase_size(t->w, column.phase, t->columns.dilation);
    c.image = rest / t->rows.tiles;
    c.y = spur__tile_start(m, row.tile, row.cut.full) - t->pad_y;
    c.x = spur__tile_start(m, column.tile, column.cut.full) - t->pad_x;
    c.offset = ((c.image * t->h + row.phase) * t->w + column.phase) * t->pitch + c.y * t->row_step +
               c.x * t->column_step;
    c.y0 = c.y < 0 ? -c.y : 0;
    c.x0 = c.x < 0 ? -c.x : 0;
    c.y1 = extent_of(m, edge, &row, h - c.y);
    c.x1 = extent_of(m, edge, &column, w - c.x);
    c.inside = c.y0 == 0 && c.x0 == 0 && c.y1 == edge && c.x1 == edge;
    return c;
}

#endif
