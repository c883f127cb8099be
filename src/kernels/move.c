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
    const spur__pick *pick;
    const float *from;
    float *to;
} table_job;

static ptrdiff_t rows_per_task(const spur__pick *p) {
    return spur__max(1, TASK_VALUES / p->width);
}

static bool is_inside(const spur__pick *p, ptrdiff_t i) {
    return p->index[i] >= 0 && p->index[i] < p->rows;
}

static void gather_task(void *job, ptrdiff_t task, int thread) {
    const table_job *j = job;
    const spur__pick *p = j->pick;
    ptrdiff_t begin = task * rows_per_task(p), end = spur__min(begin + rows_per_task(p), p->count);
    (void)thread;
    for (ptrdiff_t i = begin; i < end; i++) {
        float *out = j->to + i * p->width;
        if (is_inside(p, i))
            memcpy(out, j->from + p->index[i] * p->width, (size_t)p->width * sizeof *out);
        else
            for (ptrdiff_t c = 0; c < p->width; c++) out[c] = NAN;
    }
}

void spur__gather_rows(const spur__exec *exec, const spur__pick *pick, const float *table,
                       float *out) {
    table_job job = {pick, table, out};
    spur__parallel(exec, spur__ceil_div(pick->count, rows_per_task(pick)), gather_task, &job);
}

/* One task owns some columns of the whole table, so that every sum has one order. */
static void scatter_task(void *job, ptrdiff_t task, int thread) {
    const table_job *j = job;
    const spur__pick *p = j->pick;
    ptrdiff_t begin = task * COLUMNS, end = spur__min(begin + COLUMNS, p->width);
    (void)thread;
    for (ptrdiff_t i = 0; i < p->count; i++) {
        if (!is_inside(p, i)) continue;
        float *row = j->to + p->index[i] * p->width;
        const float *d = j->from + i * p->width;
        for (ptrdiff_t c = begin; c < end; c++) row[c] += d[c];
    }
}

void spur__scatter_rows(const spur__exec *exec, const spur__pick *pick, const float *dout,
                        float *dtable) {
    table_job job = {pick, dout, dtable};
    spur__parallel(exec, spur__ceil_div(pick->width, COLUMNS), scatter_task, &job);
}
