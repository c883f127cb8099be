/* SPDX-License-Identifier: MIT
 *
 * Software prefetching. A task that multiplies leaves the memory idle; before each register tile it
 * prefetches a few cache lines of what it will write or read next. No result depends on it.
 */
#ifndef SPUR_KERNELS_PREFETCH_H
#define SPUR_KERNELS_PREFETCH_H

#include <stddef.h>

#include "kernels/simd/winograd_cut.h"

/* Images [n][h][w] of pixels, cut into tiles of edge x edge pixels or fewer. */
typedef struct spur__tiled_images {
    const char *pixels;
    ptrdiff_t h, w;
    ptrdiff_t pitch, width; /* bytes: between pixels, of a pixel */
    const spur__cut *rows, *columns; /* of tiles */
    ptrdiff_t edge;
} spur__tiled_images;

/* A walk along the cache lines of some tiles' pixels. Tiles beside each other make one rectangle. */
typedef struct spur__prefetch {
    ptrdiff_t rows, pixels; /* of it: left with this one; in each */
    ptrdiff_t pitch, width, row_step; /* bytes */
    const char *at; /* the pixel at work */
    ptrdiff_t left, line; /* pixels of its row, with itself; bytes of it that are done */
    ptrdiff_t lines; /* prefetched in a step */
    ptrdiff_t tile, end; /* behind the rectangle at work */
    spur__tiled_images images;
} spur__prefetch;

/* The pixels of tiles [tile, end) in `steps` steps. */
spur__prefetch spur__prefetch_tiles(spur__tiled_images images, ptrdiff_t tile, ptrdiff_t end,
                                    ptrdiff_t steps);

/* `rows` times `pixels` stretches of `width` bytes, row_step and pitch bytes apart. */
spur__prefetch spur__prefetch_block(const void *from, ptrdiff_t rows, ptrdiff_t row_step,
                                    ptrdiff_t pixels, ptrdiff_t pitch, ptrdiff_t width,
                                    ptrdiff_t steps);

/* The next step: asks for `lines` lines, or for those that are left. */
void spur__prefetch_step(spur__prefetch *a);

#endif
