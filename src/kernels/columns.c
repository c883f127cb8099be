/* SPDX-License-Identifier: MIT
 *
 * The loops of columns.h: one task masks and sums a block of rows; another pass adds the blocks.
 */
#include "kernels/columns.h"

enum { BLOCK_VALUES = 1 << 14, MOST_BLOCKS = 64, COLUMNS = 256 };

static ptrdiff_t blocks_of(ptrdiff_t rows, ptrdiff_t n) {
    ptrdiff_t blocks = spur__ceil_div(rows * n, BLOCK_VALUES);
    return spur__most(1, spur__least(spur__least(blocks, rows), MOST_BLOCKS));
}

size_t spur__columns_workspace(ptrdiff_t rows, ptrdiff_t n) {
    return (size_t)(blocks_of(rows, n) * n) * sizeof(double);
}

/* sum[c] (+)= the masked values of one row. */
static void add_row(const spur__columns *a, ptrdiff_t row, double *sum) {
    const float *dy = a->dy + row * a->pitch;
    const float *y = a->relu_y ? a->relu_y + row * a->pitch : NULL;
    float *masked = a->masked ? a->masked + row * a->n : NULL;
    if (masked && y)
        for (ptrdiff_t c = 0; c < a->n; c++) masked[c] = y[c] > 0.0f ? dy[c] : 0.0f;
    else if (masked)
        for (ptrdiff_t c = 0; c < a->n; c++) masked[c] = dy[c];
    if (!a->sum) return;
    if (y)
        for (ptrdiff_t c = 0; c < a->n; c++) sum[c] += y[c] > 0.0f ? (double)dy[c] : 0.0;
    else
        for (ptrdiff_t c = 0; c < a->n; c++) sum[c] += (double)dy[c];
}

static void block_task(void *job, ptrdiff_t index, int thread) {
    const spur__columns *a = job;
    double *sum = (double *)a->workspace + index * a->n;
    ptrdiff_t begin, end;
    (void)thread;
    spur__part(a->rows, blocks_of(a->rows, a->n), index, &begin, &end);
    for (ptrdiff_t c = 0; a->sum && c < a->n; c++) sum[c] = 0;
    for (ptrdiff_t r = begin; r < end; r++) add_row(a, r, sum);
}

static void finish_task(void *job, ptrdiff_t index, int thread) {
    const spur__columns *a = job;
    const double *part = a->workspace;
    ptrdiff_t blocks = blocks_of(a->rows, a->n);
    ptrdiff_t end = spur__least((index + 1) * COLUMNS, a->n);
    (void)thread;
    for (ptrdiff_t c = index * COLUMNS; c < end; c++) {
        double sum = 0;
        for (ptrdiff_t b = 0; b < blocks; b++) sum += part[b * a->n + c];
        a->sum[c] = (a->accumulate ? a->sum[c] : 0.0f) + (float)sum;
    }
}

void spur__sum_columns(const spur__exec *exec, const spur__columns *args) {
    spur__columns job = *args;
    spur__parallel(exec, blocks_of(args->rows, args->n), block_task, &job);
    if (args->sum) spur__parallel(exec, spur__ceil_div(args->n, COLUMNS), finish_task, &job);
}
