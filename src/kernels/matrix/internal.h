/* SPDX-License-Identifier: MIT
 *
 * The way to OpenBLAS, shared by gemm.c and openblas.c.
 */
#ifndef SPUR_KERNELS_MATRIX_INTERNAL_H
#define SPUR_KERNELS_MATRIX_INTERNAL_H

#include "kernels/matrix/gemm.h"

/* k > 0. Panels of C depend on the shape only. */
void spur__gemm_openblas(const spur__exec *exec, const spur__gemm_args *args);

#endif
