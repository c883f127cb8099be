/* SPDX-License-Identifier: MIT
 *
 * The register tile: C[rows][cols] (+)= A[rows][k] * B[k][cols] for up to mr rows and nr columns,
 * the one loop in which all matrix products and convolutions spend their time.
 *
 * k runs over `runs` stretches of `run_length` steps. A's element (row, step) of run r lies at
 * a[a_run[r] + row * a_row + step * a_step]; B is one packed panel, `width` floats a step with
 * width = vl or nr, padded by zeros. Every output is the sum of chains of
 * SPUR__TILE_STRETCH FMAs in k order (a single long one loses digits), then plus what was in C.
 */
#ifndef SPUR_KERNELS_SIMD_TILE_H
#define SPUR_KERNELS_SIMD_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/swish.h"

enum { SPUR__TILE_STRETCH = 256, SPUR__TILE_ASK = 32 };

typedef struct spur__tile {
    const float *a;
    ptrdiff_t a_row, a_step; /* one of them must be 1 */
    const ptrdiff_t *a_run; /* [runs] */
    ptrdiff_t runs, run_length;
    const float *b; /* [runs * run_length][width] */
    const ptrdiff_t *b_run; /* [runs] step in b where each run begins; NULL: where the last ended */
    float *c; /* [rows][c_row] */
    ptrdiff_t c_row;
    ptrdiff_t rows, cols; /* cols <= nr; width is vl if cols <= vl, else nr */
    const float *bias; /* [cols], added at the end, or NULL */
    /* Memory to bring near meanwhile, or NULL. Where runs are 16 long: as many lines during each of
     * them, up to 16. Where a_step is not 1: as many lines with every SPUR__TILE_ASK steps of a run,
     * or, if that is 0, the next tile's C, c_row apart. Else: this tile's C, of use with `load`. */
    const float *next;
    ptrdiff_t next_lines;
    bool load; /* add C instead of overwriting it */
    bool relu; /* store max(c, 0) */
    spur__swish swish; /* of C when it is done; not with `load` */
    bool stream; /* past the caches: C's rows begin at multiples of 64 bytes, cols at multiples of
                    16; the task calls end_stream when it is done */
} spur__tile;

/* add_rows: y[n] += x[0] w[0] + x[1] w[1] + ..., rows of w n floats long, one chain of FMAs in that
 * order for every element. end_stream: other threads see what was streamed. */
#define SPUR__TILE_MAP(X)                                                                          \
    X(void, tile, (const spur__tile *t))                                                           \
    X(void, end_stream, (void))                                                                    \
    X(void, add_rows,                                                                              \
      (const float *x, ptrdiff_t steps, const float *w, ptrdiff_t ldw, ptrdiff_t n, float *y))

#endif
