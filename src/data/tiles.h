/* SPDX-License-Identifier: MIT
 *
 * Large pictures in tiles: the places of tiles that cover a picture with some overlap, and blending
 * what a network says about the tiles into one result, where weights fall off towards the edges of
 * each tile so that no seams show.
 */
#ifndef SPUR_DATA_TILES_H
#define SPUR_DATA_TILES_H

#include "data/transforms/resize.h"

/* Tiles of one picture: `rows` x `columns` of them, the last ones flush with the border. */
typedef struct spur__tiling {
    int height, width; /* of the picture */
    int tile_height, tile_width, overlap;
    int rows, columns;
} spur__tiling;

/* Tiles are clipped to pictures smaller than a tile. Overlap must be smaller than the tile. */
spur__tiling spur__tiling_make(int height, int width, int tile_height, int tile_width, int overlap);
spur__box spur__tiling_box(const spur__tiling *tiling, int index);
static inline int spur__tiling_count(const spur__tiling *tiling) {
    return tiling->rows * tiling->columns;
}

/* Copies a part of a picture; what lies outside becomes `fill`. */
spur_status spur__image_cut(const spur__image *from, spur__box box, uint8_t fill, spur__image *to,
                            spur_error *err);

/* Sums of weighted tile results, [height][width][channels], and of the weights. */
typedef struct spur__blend {
    spur__tiling tiling;
    int channels;
    float *sums, *weights;
    size_t capacity_sums, capacity_weights;
} spur__blend;

/* Starts a picture; the memory of the one before is used again. A blend begins as all zeros. */
spur_status spur__blend_begin(spur__blend *blend, const spur__tiling *tiling, int channels,
                              spur_error *err);
void spur__blend_free(spur__blend *blend);

/* Adds what was found for tile `index`: [tile_height][tile_width][channels]; parts beyond the
 * picture are left out. */
void spur__blend_add(spur__blend *blend, int index, const float *tile);

/* Divides by the weights: blend->sums is the result then. */
void spur__blend_finish(spur__blend *blend);

#endif
