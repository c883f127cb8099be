/* SPDX-License-Identifier: MIT
 *
 * Memory brought near before it is needed. A task that multiplies leaves the memory idle; before
 * each register tile it asks for a few lines of what it will write or read next. Only caches notice.
 */
#ifndef SPUR_KERNELS_AHEAD_H
#define SPUR_KERNELS_AHEAD_H

#include <stddef.h>

/* Images [n][h][w] of pixels, cut into tiles of edge x edge pixels, or of edge - 1 from row full_y and
 * column full_x of tiles on. */
typedef struct spur__sheet {
    const void *pixels;
    ptrdiff_t h, w;
    ptrdiff_t pitch, width; /* bytes: between pixels, of a pixel */
    ptrdiff_t tiles_y, tiles_x, full_y, full_x, edge;
} spur__sheet;

/* A walk along the lines of some tiles' pixels. Tiles beside each other make one rectangle. */
typedef struct spur__ahead {
    spur__sheet sheet;
    ptrdiff_t tile, end; /* behind the rectangle at work */
    ptrdiff_t rows, pixels; /* of it: left with this one; in each */
    ptrdiff_t pitch, width, row_step; /* bytes */
    const char *at; /* the pixel at work */
    ptrdiff_t left, line; /* pixels of its row, with itself; bytes of it that are done */
    ptrdiff_t lines; /* to ask for in a step */
} spur__ahead;

/* The pixels of tiles [tile, end) in `steps` steps. */
spur__ahead spur__ahead_tiles(spur__sheet sheet, ptrdiff_t tile, ptrdiff_t end, ptrdiff_t steps);

/* `rows` times `pixels` stretches of `width` bytes, row_step and pitch bytes apart. */
spur__ahead spur__ahead_block(const void *from, ptrdiff_t rows, ptrdiff_t row_step,
                              ptrdiff_t pixels, ptrdiff_t pitch, ptrdiff_t width, ptrdiff_t steps);

void spur__ahead_step(spur__ahead *a);

#endif
