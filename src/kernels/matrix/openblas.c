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

/* A product whose sums are exact in single precision, against integers. */
static void self_test(void) {
    enum { M = 37, N = 45, K = 53 };
    float a[M * K], b[K * N], c[M * N];
    openblas_set_num_threads(1);
    for (int i = 0; i < M * K; i++) a[i] = (float)(i * 7 % 23 - 11);
    for (int i = 0; i < K * N; i++) b[i] = (float)(i * 5 % 19 - 9);
    product(
        &(spur__gemm_args){
            .m = M, .n = N, .k = K, .a = a, .lda = K, .b = b, .ldb = N, .c = c, .ldc = N},
        0, M, 0, N);
    usable = true;
    for (int i = 0; i < M * N; i++) {
        int sum = 0;
        for (int k = 0; k < K; k++) sum += (int)a[i / N * K + k] * (int)b[k * N + i % N];
        if (fabsf(c[i] - (float)sum) > 0.0f) usable = false;
    }
}

bool spur__gemm_openblas_usable(void) {
    pthread_once(&once, self_test);
    return usable;
}
