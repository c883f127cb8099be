/* SPDX-License-Identifier: MIT
 *
 * One direction of images cut into Winograd's tiles. With dilation d a side is d interleaved ones, its
 * phases (pixels p, p + d, p + 2d, ...): an output reads inputs of one phase alone, as if there were no
 * dilation. So each phase has tiles of its own, one phase's behind those of another; without dilation the
 * side is one phase.
 */
#ifndef SPUR_KERNELS_SIMD_WINOGRAD_CUT_H
#define SPUR_KERNELS_SIMD_WINOGRAD_CUT_H

#include <stddef.h>

/* Tiles of m outputs, of which there are `full`, and then of m - 1. */
typedef struct spur__phase_cut {
    ptrdiff_t tiles, full;
} spur__phase_cut;

typedef struct spur__cut {
    ptrdiff_t tiles; /* of all phases */
    ptrdiff_t dilation;
    ptrdiff_t longer; /* phases with one output more than the others; they come first */
    spur__phase_cut longer_phase, phase;
} spur__cut;

/* Where one of the tiles lies: its phase, and which tile of that phase it is. */
typedef struct spur__cut_place {
    ptrdiff_t phase, tile;
    spur__phase_cut cut; /* of that phase */
} spur__cut_place;

static inline spur__cut_place spur__cut_place_of(const spur__cut *c, ptrdiff_t i) {
    if (c->dilation == 1) return (spur__cut_place){0, i, c->phase};
    ptrdiff_t behind = i - c->longer * c->longer_phase.tiles;
    if (behind < 0)
        return (spur__cut_place){i / c->longer_phase.tiles, i % c->longer_phase.tiles,
                                 c->longer_phase};
    return (spur__cut_place){c->longer + behind / c->phase.tiles, behind % c->phase.tiles,
                             c->phase};
}

/* Pixels of a side's phase. */
static inline ptrdiff_t spur__phase_size(ptrdiff_t size, ptrdiff_t phase, ptrdiff_t dilation) {
    return dilation == 1 ? size : (size - phase + dilation - 1) / dilation;
}

/* The first output, in its phase, of tile i of a phase. */
static inline ptrdiff_t spur__tile_start(ptrdiff_t m, ptrdiff_t i, ptrdiff_t full) {
    return i <= full ? i * m : full * m + (i - full) * (m - 1);
}

#endif
