/* SPDX-License-Identifier: MIT
 *
 * The loops of move.h. Tasks are runs of rows, or stretches of long rows.
 */
#include "kernels/move.h"

#include <math.h>
#include <string.h>

enum { TASK_VALUES = 1 << 14, COLUMNS = 16 };

typedef struct box_job {
    const spur__box *box;
    ptrdiff_t rows_per_task, pieces; /* one of them is 1 */
} box_job;

static void move_run(const float *src, float *dst, ptrdiff_t n, bool accumulate) {
    if (!accumulate)
        memcpy(dst, src, (size_t)n * sizeof *dst);
    else
        for (ptrdiff_t i = 0; i < n; i++) dst[i] += src[i];
}

static void box_task(void *job, ptrdiff_t index, int thread) {
    const box_job *j = job;
    const spur__box *b = j->box;
    ptrdiff_t total = b->images * b->rows, begin, end;
    ptrdiff_t first = index / j->pieces * j->rows_per_task;
    ptrdiff_t last = spur__min(first + j->rows_per_task, total);
    (void)thread;
    spur__part(b->n, j->pieces, index % j->pieces, &begin, &end);
    for (ptrdiff_t r = first; r < last; r++) {
        ptrdiff_t image = r / b->rows, row = r % b->rows;
        move_run(b->src + image * b->src_image + row * b->src_row + begin,
                 b->dst + image * b->dst_image + row * b->dst_row + begin, end - begin,
                 b->accumulate);
    }
}

void spur__move_box(const spur__exec *exec, const spur__box *box) {
    ptrdiff_t rows = box->images * box->rows;
    if (rows == 0 || box->n == 0) return;
    box_job job = {box, 1, 1};
    if (box->n < TASK_VALUES)
        job.rows_per_task = TASK_VALUES / box->n;
    else
        job.pieces = spur__ceil_div(box->n, TASK_VALUES);
    spur__parallel(exec, spur__ceil_div(rows, job.rows_per_task) * job.pieces, box_task, &job);
}

typedef struct fill_job {
    float *dst;
    ptrdiff_t count;
    float value;
} fill_job;

static void fill_task(void *job, ptrdiff_t index, int thread) {
    const fill_job *j = job;
    ptrdiff_t begin = index * TASK_VALUES, end = spur__min(begin + TASK_VALUES, j->count);
    (void)thread;
    for (ptrdiff_t i = begin; i < end; i++) j->dst[i] = j->value;
}

void spur__fill(const spur__exec *exec, float *dst, ptrdiff_t count, float value) {
    fill_job job = {dst, count, value};
    spur__parallel(exec, spur__ceil_div(count, TASK_VALUES), fill_task, &job);
}

/* ---- tables --------------------------------------------------------------------------------- */

typedef struct table_job {
    const float *table;
    float *dtable;
    ptrdiff_t rows, width, count;
    const int32_t *index;
    float *out;
    const float *dout;
} table_job;

static void gather_task(void *job, ptrdiff_t task, int thread) {
    const table_job *j = job;
    ptrdiff_t per_task = spur__max(1, TASK_VALUES / j->width);
    ptrdiff_t end = spur__min((task + 1) * per_task, j->count);
    (void)thread;
    for (ptrdiff_t i = task * per_task; i < end; i++) {
        float *out = j->out + i * j->width;
        if (j->index[i] >= 0 && j->index[i] < j->rows)
            memcpy(out, j->table + j->index[i] * j->width, (size_t)j->width * sizeof *out);
        else
            for (ptrdiff_t c = 0; c < j->width; c++) out[c] = NAN;
    }
}

void spur__gather_rows(const spur__exec *exec, const float *table, ptrdiff_t rows, ptrdiff_t width,
                       const int32_t *index, ptrdiff_t count, float *out) {
    table_job job = {
        .table = table, .rows = rows, .width = width, .count = count, .index = index, .out = out};
    spur__parallel(exec, spur__ceil_div(count, spur__max(1, TASK_VALUES / width)), gather_task,
                   &job);
}

/* One task owns some columns of the whole table, so that every sum has one order. */
static void scatter_task(void *job, ptrdiff_t task, int thread) {
    const table_job *j = job;
    ptrdiff_t begin = task * COLUMNS, end = spur__min(begin + COLUMNS, j->width);
    (void)thread;
    for (ptrdiff_t i = 0; i < j->count; i++) {
        if (j->index[i] < 0 || j->index[i] >= j->rows) continue;
        float *row = j->dtable + j->index[i] * j->width;
        const float *d = j->dout + i * j->width;
        for (ptrdiff_t c = begin; c < end; c++) row[c] += d[c];
    }
}

void spur__scatter_rows(const spur__exec *exec, float *dtable, ptrdiff_t rows, ptrdiff_t width,
                        const int32_t *index, ptrdiff_t count, const float *dout) {
    table_job job = {.dtable = dtable,
                     .rows = rows,
                     .width = width,
                     .count = count,
                     .index = index,
                     .dout = dout};
    spur__parallel(exec, spur__ceil_div(width, COLUMNS), scatter_task, &job);
}
