/* SPDX-License-Identifier: MIT
 *
 * The loops of columns.h: one task masks and sums a block of rows; another pass adds the blocks.
 * Stretches of a few rows are summed in single precision, everything above them in double.
 */
#include "kernels/matrix/columns.h"

#include "kernels/simd/table.h"

enum { BLOCK_VALUES = 1 << 14, MOST_BLOCKS = 64, COLUMNS = 256, STRETCH = 16 };

static ptrdiff_t blocks_of(ptrdiff_t rows, ptrdiff_t n) {
    ptrdiff_t blocks = spur__ceil_div(rows * n, BLOCK_VALUES);
    return spur__max(1, spur__min(spur__min(blocks, rows), MOST_BLOCKS));
}

size_t spur__columns_workspace(ptrdiff_t rows, ptrdiff_t n) {
    return (size_t)(blocks_of(rows, n) * n) * sizeof(double);
}

/* masked = the masked values of rows [begin, end). */
static void mask_rows(const spur__columns *a, ptrdiff_t begin, ptrdiff_t end) {
    ptrdiff_t at = begin * a->pitch;
    spur__pixels p = {a->dy + at, a->relu_y ? a->relu_y + at : NULL, end - begin, a->n, a->pitch};
    spur__simd_table()->copy_pixels(&p, a->masked + begin * a->n, a->n);
}

/* sum[c] += the masked values of rows [begin, end). */
static void add_rows(const spur__columns *a, ptrdiff_t begin, ptrdiff_t end, double *sum) {
    float part[COLUMNS];
    for (ptrdiff_t c = 0; c < a->n; c += COLUMNS) {
        ptrdiff_t at = begin * a->pitch + c, n = spur__min(COLUMNS, a->n - c);
        spur__pixels p = {a->dy + at, a->relu_y ? a->relu_y + at : NULL, end - begin, n, a->pitch};
        spur__simd_table()->column_sums(&p, part);
        for (ptrdiff_t i = 0; i < n; i++) sum[c + i] += (double)part[i];
    }
}

static void block_task(void *job, ptrdiff_t index, int thread) {
    const spur__columns *a = job;
    double *sum = (double *)a->workspace + index * a->n;
    ptrdiff_t begin, end;
    (void)thread;
    spur__part(a->rows, blocks_of(a->rows, a->n), index, &begin, &end);
    for (ptrdiff_t c = 0; a->sum && c < a->n; c++) sum[c] = 0;
    for (ptrdiff_t r = begin; r < end; r += STRETCH) {
        ptrdiff_t to = spur__min(end, r + STRETCH);
        if (a->masked) mask_rows(a, r, to);
        if (a->sum) add_rows(a, r, to, sum);
    }
}

static void finish_task(void *job, ptrdiff_t index, int thread) {
    const spur__columns *a = job;
    const double *part = a->workspace;
    ptrdiff_t blocks = blocks_of(a->rows, a->n);
    ptrdiff_t end = spur__min((index + 1) * COLUMNS, a->n);
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
