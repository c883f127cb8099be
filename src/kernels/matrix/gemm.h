/* SPDX-License-Identifier: MIT
 *
 * C (+)= op(A) * op(B), row-major single precision, with an optional bias per column and ReLU.
 *
 * Our own kernel sums every element as chains of 256 FMAs in k order, so the same bits come from
 * every CPU and team size. OpenBLAS is called with one thread per call over fixed panels: the same
 * bits for any team size, but per CPU kind. Which of them works: spur__exec.gemm; AUTO looks at
 * the shapes alone.
 */
#ifndef SPUR_KERNELS_MATRIX_GEMM_H
#define SPUR_KERNELS_MATRIX_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"

typedef struct spur__gemm_args {
    ptrdiff_t m, n, k;
    const float *a; /* [m][k], or [k][m] when a_transposed; rows lda floats apart */
    ptrdiff_t lda;
    const float *b; /* [k][n], or [n][k] when b_transposed */
    ptrdiff_t ldb;
    float *c; /* [m][n] */
    ptrdiff_t ldc;
    const float *bias; /* [n] or NULL: added to every row */
    bool a_transposed, b_transposed;
    bool accumulate; /* C += instead of C = */
    bool relu; /* at the very end: max(c, 0), NaN stays NaN */
} spur__gemm_args;

/* Bytes of each thread's scratch that spur__gemm wants for any shape. */
size_t spur__gemm_scratch(void);

void spur__gemm(const spur__exec *exec, const spur__gemm_args *args);

/* False when OpenBLAS failed the self-test that runs before its first use (some builds are wrong
 * on some CPUs); our own kernel is then used in its place. Sets OpenBLAS to one thread per call,
 * process-wide. */
bool spur__gemm_openblas_usable(void);

#endif
