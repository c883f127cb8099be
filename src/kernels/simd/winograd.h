/* SPDX-License-Identifier: MIT
 *
 * The transforms of Winograd's minimal filtering F(m x m, 3 x 3), m = 2 or 4 (Lavin & Gray, "Fast
 * algorithms for convolutional neural networks", CVPR 2016; points 0, +-1, +-2 and infinity).
 * Vectors run over channels. Written such that every product inside B, A and their transposes is by
 * a power of two, hence exact, and the same bits come from every instruction set.
 *
 * A tile's edge is m + 2 in the transform domain; xi counts its (m + 2)^2 positions.
 */
#ifndef SPUR_KERNELS_SIMD_WINOGRAD_H
#define SPUR_KERNELS_SIMD_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/simd/winograd_cut.h"

/* A code per pooled value, [n][h / 2][w / 2][channels]: the position of the maximum in its 2x2
 * window, row-major; or SPUR__POOL_NOWHERE, where a ReLU let nothing through. */
enum { SPUR__POOL_NOWHERE = 4 };

/* Images cut into tiles of m x m outputs, fewer in tiles that are not full; tile t of all images is
 * row-major (image, row of tiles, column of tiles). */
typedef struct spur__tiling {
    ptrdiff_t h, w, channels, pitch; /* images [n][h][w][pitch] */
    ptrdiff_t row_step, column_step; /* floats between neighbours of a phase */
    spur__cut rows, columns; /* of tiles */
    const int32_t *order; /* the tile at each place; NULL: in turn */
    ptrdiff_t pad_y, pad_x; /* a tile's patch starts that much before its outputs, in its phase */
    const float *x; /* images that are read */
    const float *mask; /* values count as 0 where it is not above 0; or NULL */
    const uint8_t *argmax; /* x is [n][h / 2][w / 2][pitch], to be spread over windows; or NULL */
    float *y; /* images that are written */
} spur__tiling;

/* Where a transform puts tile i's channel c at position xi:
 * v[xi * xi_step + c / group * group_step + i * row_step + c % group]. */
typedef struct spur__spectrum {
    float *v;
    ptrdiff_t xi_step, group, group_step, row_step;
    ptrdiff_t ahead; /* tiles whose lines are asked for before their turn; 0: they are near */
} spur__spectrum;

typedef struct spur__wino_weights {
    const float *w; /* tap t (row-major), step s, column j: w[t * tap_step + s * step + j] */
    ptrdiff_t tap_step, step;
    bool rotated; /* taps in reverse order */
    ptrdiff_t steps, columns, width; /* zeros from columns to width */
    float *u; /* [xi][steps of xi_step / width][width] */
    ptrdiff_t xi_step;
} spur__wino_weights;

typedef struct spur__wino_output {
    const float *m; /* [xi][tiles][width]: channels `first` .. `first + columns` */
    ptrdiff_t xi_step, width, first, columns;
    const float *bias; /* [columns] or NULL */
    bool relu, accumulate;
    bool pool; /* only the maxima of 2x2 windows are stored: t->y is [n][h / 2][w / 2][pitch] */
    uint8_t *argmax; /* of the pool, or NULL */
} spur__wino_output;

typedef struct spur__wino_dw {
    const float *u; /* [xi][rows][u_row] */
    ptrdiff_t xi_step, u_row, rows, columns;
    float *dw; /* [9][tap_step], rows row_step apart */
    ptrdiff_t tap_step, row_step;
    bool accumulate;
} spur__wino_dw;

/* wino_input: B^T d B of patches of edge m + 2. wino_gradient: A dY A^T of patches of edge m.
 * Both fill channels up to the next multiple of 16 with zeros.
 * wino_weights: G g G^T. wino_output: A^T M A into images t->y. wino_dw: G^T dU G. */
#define SPUR__WINOGRAD_MAP(X)                                                                      \
    X(void, wino_input,                                                                            \
      (int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count, const spur__spectrum *to))   \
    X(void, wino_gradient,                                                                         \
      (int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count, const spur__spectrum *to))   \
    X(void, wino_weights, (int m, const spur__wino_weights *p))                                    \
    X(void, wino_output,                                                                           \
      (int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count, const spur__wino_output *p)) \
    X(void, wino_dw, (int m, const spur__wino_dw *p))

#endif
