/* SPDX-License-Identifier: MIT
 *
 * The functions that exist once per instruction set, as one list: from it come the prototypes, the
 * table's members and the three tables.
 */
#ifndef SPUR_KERNELS_SIMD_TABLE_H
#define SPUR_KERNELS_SIMD_TABLE_H

#include <stddef.h>

#include "kernels/simd/blend.h"
#include "kernels/simd/depthwise.h"
#include "kernels/simd/layer.h"
#include "kernels/simd/loss.h"
#include "kernels/simd/norm.h"
#include "kernels/simd/optim.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/pool.h"
#include "kernels/simd/strip.h"
#include "kernels/simd/tile.h"
#include "kernels/simd/vec.h"
#include "kernels/simd/winograd.h"

/* X(return type, name, (parameters)) */
#define SPUR__SIMD_MAP(X)                                                                          \
    SPUR__TILE_MAP(X)                                                                              \
    SPUR__STRIP_MAP(X)                                                                             \
    SPUR__PACK_MAP(X)                                                                              \
    SPUR__DEPTHWISE_MAP(X)                                                                         \
    SPUR__VEC_MAP(X)                                                                               \
    SPUR__NORM_MAP(X)                                                                              \
    SPUR__LOSS_MAP(X)                                                                              \
    SPUR__OPTIM_MAP(X)                                                                             \
    SPUR__LAYER_MAP(X)                                                                             \
    SPUR__POOL_MAP(X)                                                                              \
    SPUR__BLEND_MAP(X)                                                                             \
    SPUR__WINOGRAD_MAP(X)

typedef struct spur__simd {
    ptrdiff_t vl; /* floats in a vector */
    ptrdiff_t mr, nr; /* most rows and columns of a register tile */
#define SPUR__SIMD_MEMBER(type, name, params) type(*name) params;
    SPUR__SIMD_MAP(SPUR__SIMD_MEMBER)
#undef SPUR__SIMD_MEMBER
} spur__simd;

extern const spur__simd spur__simd_generic, spur__simd_avx2, spur__simd_avx512;

/* The table of the instruction set in force (base/cpu.h). */
const spur__simd *spur__simd_table(void);

#endif
