/* SPDX-License-Identifier: MIT
 *
 * Backward of linear.h. dy is packed twice: as panels of units [n/nr][m][nr] for the weight gradient
 * and as panels of samples [m/nr][n][nr] for the gradient by x, which is made transposed, so that
 * rows of W are the left operand and are read in place. A task is one block of rows of W.
 */
#include "kernels/linear.h"

#include <string.h>

#include "kernels/simd/table.h"

enum { MOST_ROWS = 64, BLOCK_VALUES = 1 << 16, LINE = 16 };

typedef struct job {
    const spur__linear *a;
    const spur__simd *simd;
    ptrdiff_t rows; /* of W in a block */
    float *by_unit, *by_sample; /* dy, packed */
    float *scratch; /* per thread */
    size_t scratch_size;
} job;

ptrdiff_t spur__linear_rows(ptrdiff_t n) {
    ptrdiff_t rows = BLOCK_VALUES / n / LINE * LINE;
    return spur__most(LINE, spur__least(rows, MOST_ROWS));
}

static size_t padded(ptrdiff_t n) {
    return (size_t)spur__round_up(n, 2 * LINE); /* panels of any instruction set */
}

/* Rows in the strips of a block: up to mr - 1 more than the block has. */
static size_t strip_rows(ptrdiff_t n) {
    return (size_t)spur__linear_rows(n) + LINE;
}

/* Floats of: x, packed; the block of the weight gradient; the gradient by x as [rows][m] and as
 * [m][rows]. */
static size_t scratch_of(ptrdiff_t m, ptrdiff_t n) {
    size_t rows = strip_rows(n), samples = (size_t)spur__round_up(m, LINE);
    return rows * (samples + (size_t)spur__round_up(n, LINE) + 2 * samples);
}

size_t spur__linear_backward_workspace(const spur__exec *exec, ptrdiff_t m, ptrdiff_t n) {
    size_t packed = padded(n) * padded(m) * 2;
    return (packed + (size_t)exec->threads * scratch_of(m, n)) * sizeof(float);
}

/* ---- packing dy ----------------------------------------------------------------------------- */

static ptrdiff_t width_of(const spur__simd *simd, ptrdiff_t columns) {
    return columns > simd->vl ? simd->nr : simd->vl;
}

static void pack_units(const job *q, ptrdiff_t panel) {
    const spur__linear *a = q->a;
    ptrdiff_t begin = panel * q->simd->nr, n = spur__least(q->simd->nr, a->n - begin);
    spur__pixels p = {.x = a->dy + begin, .count = a->m, .channels = n, .pitch = a->dy_pitch};
    q->simd->pack_panel(&p, width_of(q->simd, n), q->by_unit + begin * a->m, NULL);
}

static void pack_samples(const job *q, ptrdiff_t panel) {
    const spur__linear *a = q->a;
    ptrdiff_t begin = panel * q->simd->nr, n = spur__least(q->simd->nr, a->m - begin);
    q->simd->pack_transposed(a->dy + begin * a->dy_pitch, a->dy_pitch, n, width_of(q->simd, n),
                             a->n, q->by_sample + begin * a->n);
}

static void pack_task(void *data, ptrdiff_t index, int thread) {
    const job *q = data;
    ptrdiff_t units = spur__ceil_div(q->a->n, q->simd->nr);
    (void)thread;
    if (index < units)
        pack_units(q, index);
    else
        pack_samples(q, index - units);
}

/* ---- a block of rows ------------------------------------------------------------------------ */

/* What a thread works in; see scratch_of. */
typedef struct area {
    float *x, *block, *turning, *turned;
} area;

static area area_of(const job *q, int thread) {
    float *p = q->scratch + (size_t)thread * q->scratch_size;
    size_t rows = strip_rows(q->a->n), samples = (size_t)spur__round_up(q->a->m, LINE);
    area s = {.x = p, .block = p + rows * samples};
    s.turning = s.block + rows * (size_t)spur__round_up(q->a->n, LINE);
    s.turned = s.turning + rows * samples;
    return s;
}

/* dx[0..m)[row..row + rows) (+)= dy W^T, by its transpose [rows][m]. */
static void input_gradient(const job *q, ptrdiff_t row, ptrdiff_t rows, const area *s) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t zero = 0, strips = spur__ceil_div(rows, simd->mr), pitch = spur__round_up(a->m, LINE);
    spur__tile t = {
        .a_row = a->n, .a_step = 1, .a_run = &zero, .runs = 1, .run_length = a->n, .c_row = pitch};
    for (ptrdiff_t strip = 0; strip < strips; strip++) {
        ptrdiff_t begin, end;
        spur__part(rows, strips, strip, &begin, &end);
        t.a = a->w + (row + begin) * a->n;
        t.rows = end - begin;
        for (ptrdiff_t j = 0; j < a->m; j += simd->nr) {
            t.cols = spur__least(simd->nr, a->m - j);
            t.b = q->by_sample + j * a->n;
            t.c = s->turning + begin * pitch + j;
            simd->tile(&t);
        }
    }
    simd->pack_transposed(s->turning, pitch, rows, rows, a->m, s->turned);
    for (ptrdiff_t i = 0; i < a->m; i++) {
        float *dx = a->dx + i * a->dx_pitch + row;
        const float *from = s->turned + i * rows;
        if (a->dx_accumulate)
            for (ptrdiff_t r = 0; r < rows; r++) dx[r] += from[r];
        else
            memcpy(dx, from, (size_t)rows * sizeof(float));
    }
}

/* x[0..m)[row..row + rows) into strips [m][mr]. */
static void pack_x(const job *q, ptrdiff_t row, ptrdiff_t rows, float *out) {
    const spur__linear *a = q->a;
    ptrdiff_t mr = q->simd->mr, strips = spur__ceil_div(rows, mr);
    for (ptrdiff_t i = 0; i < a->m; i++)
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(rows, strips, s, &begin, &end);
            memcpy(out + (s * a->m + i) * mr, a->x + i * a->x_pitch + row + begin,
                   (size_t)(end - begin) * sizeof(float));
        }
}

/* dw[row..row + rows) (+)= x^T dy, into `dw`. */
static void weight_gradient(const job *q, ptrdiff_t row, ptrdiff_t rows, float *packed, float *dw) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t zero = 0, strips = spur__ceil_div(rows, simd->mr);
    spur__tile t = {.a_row = 1,
                    .a_step = simd->mr,
                    .a_run = &zero,
                    .runs = 1,
                    .run_length = a->m,
                    .c_row = a->n,
                    .load = !a->sink && a->dw_accumulate};
    pack_x(q, row, rows, packed);
    for (ptrdiff_t j = 0; j < a->n; j += simd->nr) {
        t.cols = spur__least(simd->nr, a->n - j);
        t.b = q->by_unit + j * a->m;
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(rows, strips, s, &begin, &end);
            t.a = packed + s * a->m * simd->mr;
            t.rows = end - begin;
            t.c = dw + begin * a->n + j;
            simd->tile(&t);
        }
    }
}

static void block_task(void *data, ptrdiff_t index, int thread) {
    const job *q = data;
    const spur__linear *a = q->a;
    area s = area_of(q, thread);
    ptrdiff_t row = index * q->rows, rows = spur__least(q->rows, a->k - row);
    if (a->dx) input_gradient(q, row, rows, &s);
    if (a->sink) {
        weight_gradient(q, row, rows, s.x, s.block);
        a->sink->take(a->sink->context, (size_t)(row * a->n), (size_t)(rows * a->n), s.block);
    } else if (a->dw) {
        weight_gradient(q, row, rows, s.x, a->dw + row * a->n);
    }
}

void spur__linear_backward(const spur__exec *exec, const spur__linear *args, void *workspace) {
    const spur__simd *simd = spur__simd_table();
    job q = {.a = args, .simd = simd, .rows = spur__linear_rows(args->n), .by_unit = workspace};
    q.by_sample = q.by_unit + padded(args->n) * padded(args->m);
    q.scratch = q.by_sample + padded(args->n) * padded(args->m);
    q.scratch_size = scratch_of(args->m, args->n);
    ptrdiff_t panels = spur__ceil_div(args->n, simd->nr) + spur__ceil_div(args->m, simd->nr);
    spur__parallel(exec, panels, pack_task, &q);
    spur__parallel(exec, spur__ceil_div(args->k, q.rows), block_task, &q);
}
