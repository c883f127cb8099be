/* SPDX-License-Identifier: MIT
 *
 * Sums of columns (the gradient of a bias), masked by a ReLU's output where there is one. The rows
 * are cut into blocks by shape alone, whose sums are added in order.
 */
#ifndef SPUR_KERNELS_MATRIX_COLUMNS_H
#define SPUR_KERNELS_MATRIX_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"

typedef struct spur__columns {
    ptrdiff_t rows, n;
    const float *dy; /* [rows][pitch] */
    ptrdiff_t pitch;
    const float *relu_y; /* as dy: dy counts only where relu_y > 0; or NULL */
    float *masked; /* [rows][n]: the masked dy, or NULL */
    float *sum; /* [n], or NULL: only the mask is wanted */
    bool accumulate; /* sum += instead of sum = */
    void *workspace; /* spur__columns_workspace() bytes */
} spur__columns;

size_t spur__columns_workspace(ptrdiff_t rows, ptrdiff_t n);
void spur__sum_columns(const spur__exec *exec, const spur__columns *args);

#endif
