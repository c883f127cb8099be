/* SPDX-License-Identifier: MIT
 *
 * Matrix products by OpenBLAS: one thread per call, our threads over panels of C whose size
 * depends on the shape alone, since OpenBLAS may sum in another order for another panel height.
 */
#include "kernels/matrix/internal.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>

enum { PANEL_ROWS = 256, PANEL_COLUMNS = 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable;

static void product(const spur__gemm_args *g, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
                    ptrdiff_t columns) {
    const float *a = g->a + (g->a_transposed ? row : row * g->lda);
    const float *b = g->b + (g->b_transposed ? column * g->ldb : column);
    cblas_sgemm(CblasRowMajor, g->a_transposed ? CblasTrans : CblasNoTrans,
                g->b_transposed ? CblasTrans : CblasNoTrans, (blasint)rows, (blasint)columns,
                (blasint)g->k, 1.0f, a, (blasint)g->lda, b, (blasint)g->ldb,
                g->accumulate ? 1.0f : 0.0f, g->c + row * g->ldc + column, (blasint)g->ldc);
}

static void epilogue(const spur__gemm_args *g, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
                     ptrdiff_t columns) {
    if (!g->bias && !g->relu) return;
    for (ptrdiff_t i = row; i < row + rows; i++) {
        float *c = g->c + i * g->ldc + column;
        if (g->bias)
            for (ptrdiff_t j = 0; j < columns; j++) c[j] += g->bias[column + j];
        if (g->relu)
            for (ptrdiff_t j = 0; j < columns; j++) c[j] = c[j] < 0.0f ? 0.0f : c[j];
    }
}

typedef struct panel_job {
    const spur__gemm_args *g;
    ptrdiff_t across; /* panels in a row of panels */
} panel_job;

static void panel_task(void *job, ptrdiff_t index, int thread) {
    const panel_job *q = job;
    ptrdiff_t row = index / q->across * PANEL_ROWS, column = index % q->across * PANEL_COLUMNS;
    ptrdiff_t rows = spur__min(PANEL_ROWS, q->g->m - row);
    ptrdiff_t columns = spur__min(PANEL_COLUMNS, q->g->n - column);
    (void)thread;
    product(q->g, row, rows, column, columns);
    epilogue(q->g, row, rows, column, columns);
}

void spur__gemm_openblas(const spur__exec *exec, const spur__gemm_args *args) {
    panel_job q = {args, spur__ceil_div(args->n, PANEL_COLUMNS)};
    spur__parallel(exec, spur__ceil_div(args->m, PANEL_ROWS) * q.across, panel_task, &q);
}

/* ---- the self-test --------------------------------------------------------------------------- */

/* Larger than what OpenBLAS has kernels of their own for (up to 100^3 products). */
enum { M = 96, N = 128, K = 96 };

/* A product whose sums are exact in single precision, against whole numbers. */
static bool is_right(bool a_transposed, bool b_transposed) {
    static float a[M * K], b[K * N], c[M * N];
    const ptrdiff_t a_row = a_transposed ? 1 : K, a_step = a_transposed ? M : 1;
    const ptrdiff_t b_step = b_transposed ? 1 : N, b_column = b_transposed ? K : 1;
    for (int i = 0; i < M * K; i++) a[i] = (float)(i * 7 % 23 - 11);
    for (int i = 0; i < K * N; i++) b[i] = (float)(i * 5 % 19 - 9);
    for (int i = 0; i < M * N; i++) c[i] = NAN; /* to be overwritten */
    product(&(spur__gemm_args){.m = M,
                               .n = N,
                               .k = K,
                               .a = a,
                               .lda = a_row + a_step - 1,
                               .b = b,
                               .ldb = b_step + b_column - 1,
                               .c = c,
                               .ldc = N,
                               .a_transposed = a_transposed,
                               .b_transposed = b_transposed},
            0, M, 0, N);
    for (ptrdiff_t i = 0; i < M * N; i++) {
        const float *row = a + i / N * a_row, *column = b + i % N * b_column;
        int sum = 0;
        for (ptrdiff_t k = 0; k < K; k++) sum += (int)row[k * a_step] * (int)column[k * b_step];
        if (!(c[i] == (float)sum)) return false; /* nor is NaN */
    }
    return true;
}

static void self_test(void) {
    openblas_set_num_threads(1);
    usable = is_right(false, false) && is_right(false, true) && is_right(true, false) &&
             is_right(true, true);
}

bool spur__gemm_openblas_usable(void) {
    pthread_once(&once, self_test);
    return usable;
}
