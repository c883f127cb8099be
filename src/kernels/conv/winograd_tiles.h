/* SPDX-License-Identifier: MIT
 *
 * How Winograd's tiles cover images whose sides are no multiples of m, and which products they can do
 * without. The point at infinity of F(m, 3) enters the last of a tile's m outputs alone (its row of A
 * is 0 but there), so tiles with fewer outputs have no product there: 5 of 6 in each direction for
 * m = 4. An odd side is cut into tiles of m outputs and then of m - 1, instead of leaving one nearly
 * empty: 7 takes 11 products instead of 12, 9 takes 15 instead of 18. An even one is cut into tiles of
 * m and one of the rest: 14 takes 23 instead of 24. The phases of a dilated convolution, which no pool
 * follows, are cut like odd sides: 14 takes 22.
 */
#ifndef SPUR_KERNELS_CONV_WINOGRAD_TILES_H
#define SPUR_KERNELS_CONV_WINOGRAD_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/conv.h"
#include "kernels/simd/winograd.h"

/* Tiles in an order such that those with a product at some position xi lie together: narrow and tall
 * ones, [0, wide_begin); wide and tall ones, [wide_begin, tall_end); wide ones, [tall_end, wide_end);
 * those short of both. */
typedef struct spur__ranks {
    int32_t wide_begin, tall_end, wide_end;
} spur__ranks;

/* Cuts the images that are read (`in`, by patches of m + 2) and written (`out`) for the tiles of `out`:
 * x and y, or, backward, dy and dx. */
void spur__cut_images(const spur__conv_shape *s, int m, bool backward, spur__tiling *in,
                      spur__tiling *out);

/* The products of one direction's tiles. */
ptrdiff_t spur__cut_products(const spur__cut *c, int m);

/* Whether all tiles are full: then there is no need of an order. */
bool spur__tiles_full(const spur__tiling *t);

/* Whether 2x2 windows of outputs lie in one tile each: without dilation all begin at multiples of 2. */
bool spur__tiles_even(const spur__tiling *t);

/* Puts tiles [first, first + count) in order: order[first] is the first of them. */
spur__ranks spur__order_tiles(const spur__tiling *t, ptrdiff_t first, ptrdiff_t count,
                              int32_t *order);

/* Narrows [begin, end), the ranks of all tiles, to those that have a product at xi. */
void spur__ranks_at(const spur__ranks *r, int m, ptrdiff_t xi, ptrdiff_t *begin, ptrdiff_t *end);

#endif
