/* SPDX-License-Identifier: MIT
 *
 * Layer normalisation of rows; vectors run along a row.
 */
#ifndef SPUR_KERNELS_SIMD_LAYER_H
#define SPUR_KERNELS_SIMD_LAYER_H

#include <stdbool.h>
#include <stddef.h>

/* Rows [begin, end); gamma and beta: [channels] or NULL for 1 and 0. */
typedef struct spur__layer_rows {
    ptrdiff_t begin, end, channels;
    const float *x; /* [rows][channels], and so are y, dy, dx */
    float *y;
    const float *gamma, *beta;
    double eps;
    bool relu; /* y = max(y, 0) */
    float *mean, *rstd; /* [rows] */
} spur__layer_rows;

/* dgamma and dbeta: [channels], those of the rows are added; or NULL. dx: or NULL. */
typedef struct spur__layer_gradient {
    spur__layer_rows rows; /* y is not used */
    const float *dy;
    float *dx, *dgamma, *dbeta;
    bool accumulate; /* dx += */
} spur__layer_gradient;

#define SPUR__LAYER_MAP(X)                                                                         \
    X(void, layer_norm, (const spur__layer_rows *p))                                               \
    X(void, layer_norm_backward, (const spur__layer_gradient *p))

#endif
