/* SPDX-License-Identifier: MIT
 *
 * Shared by the normalisations: blocks of pixels, and adding up their statistics.
 */
#ifndef SPUR_KERNELS_NORM_INTERNAL_H
#define SPUR_KERNELS_NORM_INTERNAL_H

#include "kernels/norm/norm.h"
#include "kernels/simd/table.h"

enum { SPUR__NORM_BLOCK = 128, SPUR__NORM_BLOCKS = 512 };

/* How many blocks the pixels are cut into. */
static inline ptrdiff_t spur__norm_blocks(ptrdiff_t pixels) {
    return spur__max(1, spur__min(SPUR__NORM_BLOCKS, spur__ceil_div(pixels, SPUR__NORM_BLOCK)));
}

typedef struct spur__moments {
    double count, mean, m2;
} spur__moments;

static inline void spur__moments_add(spur__moments *t, double count, double mean, double m2) {
    double all = t->count + count, d = mean - t->mean;
    t->m2 += m2 + d * d * t->count * count / all;
    t->mean += d * count / all;
    t->count = all;
}

#endif
