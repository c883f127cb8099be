/* SPDX-License-Identifier: MIT
 *
 * A linear layer of few samples, y = x W + b: limited by reading the weights, so each pass reads
 * them once, as one stream, and both gradients are made in one walk over the rows of W.
 *
 * The weight gradient is made in blocks of spur__linear_rows(n) rows. A sink takes each block as
 * soon as it is complete, while it lies in the cache: an optimizer that updates the weights there
 * spares memory the whole gradient. The gradient by x of those rows has been made by then.
 *
 * Every sum is one chain of FMAs over a stretch that depends on the shape alone, and stretches are
 * added in order: the same bits for any team and instruction set.
 */
#ifndef SPUR_KERNELS_MATRIX_LINEAR_H
#define SPUR_KERNELS_MATRIX_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"
#include "kernels/matrix/sink.h"

typedef struct spur__linear {
    ptrdiff_t m, k, n; /* samples, inputs, units */
    const float *x; /* [m][k], x_pitch apart */
    ptrdiff_t x_pitch;
    const float *w; /* [k][n] */
    /* forward */
    const float *bias; /* [n] or NULL */
    float *y; /* [m][n], y_pitch apart */
    ptrdiff_t y_pitch;
    bool relu;
    /* backward */
    const float *dy; /* [m][n], dy_pitch apart */
    ptrdiff_t dy_pitch;
    float *dx; /* [m][k], dx_pitch apart; NULL: not wanted */
    ptrdiff_t dx_pitch;
    bool dx_accumulate;
    float *dw; /* [k][n]; NULL: not wanted, or a sink takes it */
    bool dw_accumulate;
    const spur__sink *sink; /* or NULL */
} spur__linear;

/* True where these functions are made for the shape; false: use spur__gemm. */
bool spur__linear_streams_forward(ptrdiff_t m);
bool spur__linear_streams_backward(ptrdiff_t m);

/* Rows of the weight gradient in one block, by the number of units. */
ptrdiff_t spur__linear_rows(ptrdiff_t n);

/* Bytes of a workspace for the team, and of each thread's scratch. */
size_t spur__linear_forward_workspace(ptrdiff_t m, ptrdiff_t k, ptrdiff_t n);
size_t spur__linear_forward_scratch(ptrdiff_t m);
size_t spur__linear_backward_workspace(ptrdiff_t m, ptrdiff_t n);
size_t spur__linear_backward_scratch(ptrdiff_t m, ptrdiff_t n);

/* Workspaces are aligned to 64 bytes. */
void spur__linear_forward(const spur__exec *exec, const spur__linear *args, void *workspace);
void spur__linear_backward(const spur__exec *exec, const spur__linear *args, void *workspace);

#endif
