/* SPDX-License-Identifier: MIT
 *
 * Backward of linear.h. dy is packed twice: as panels of units [n/nr][m][nr] for the weight gradient
 * and as panels of samples [m/nr][n][nr] for the gradient by x, which is made transposed, so that
 * rows of W are the left operand and are read in place. A task is a few blocks of rows of W; while
 * it multiplies, what the sink will read and the next block's rows are fetched.
 */
#include "kernels/matrix/linear.h"

#include <string.h>

#include "kernels/simd/table.h"

enum {
    MOST_ROWS = 64,
    BLOCK_VALUES = 1 << 16,
    MOST_BLOCKS = 8, /* in a task */
    ENOUGH = 32, /* samples: fewer leave no time to ask for lines, which the hardware does faster */
    TASKS = 16, /* at least, where there are as many blocks */
    LINE = 16, /* floats in a cache line */
    STRETCH = SPUR__TILE_STRETCH /* of a chain of FMAs */
};

typedef struct job {
    const spur__linear *a;
    const spur__simd *simd;
    ptrdiff_t rows; /* of W in a block */
    ptrdiff_t blocks; /* in a task */
    float *by_unit, *by_sample; /* dy, packed */
    const spur__exec *exec;
} job;

ptrdiff_t spur__linear_rows(ptrdiff_t n) {
    ptrdiff_t rows = BLOCK_VALUES / n / LINE * LINE;
    return spur__max(LINE, spur__min(rows, MOST_ROWS));
}

static size_t padded(ptrdiff_t n) {
    return (size_t)spur__round_up(n, 2 * LINE); /* panels of any instruction set */
}

/* Rows in the strips of a block: up to mr - 1 more than the block has. */
static size_t strip_rows(ptrdiff_t n) {
    return (size_t)spur__linear_rows(n) + LINE;
}

/* x, packed; the block of the weight gradient; the gradient by x as [rows][m] and as [m][rows]. */
size_t spur__linear_backward_scratch(ptrdiff_t m, ptrdiff_t n) {
    size_t rows = strip_rows(n), samples = (size_t)spur__round_up(m, LINE);
    return rows * (samples + (size_t)spur__round_up(n, LINE) + 2 * samples) * sizeof(float);
}

size_t spur__linear_backward_workspace(ptrdiff_t m, ptrdiff_t n) {
    return padded(n) * padded(m) * 2 * sizeof(float);
}

/* ---- packing dy ----------------------------------------------------------------------------- */

static ptrdiff_t width_of(const spur__simd *simd, ptrdiff_t columns) {
    return columns > simd->vl ? simd->nr : simd->vl;
}

static void pack_units(const job *q, ptrdiff_t panel) {
    const spur__linear *a = q->a;
    ptrdiff_t begin = panel * q->simd->nr, n = spur__min(q->simd->nr, a->n - begin);
    spur__pixels p = {.x = a->dy + begin, .count = a->m, .channels = n, .pitch = a->dy_pitch};
    q->simd->pack_panel(&p, width_of(q->simd, n), q->by_unit + begin * a->m, NULL);
}

static void pack_samples(const job *q, ptrdiff_t panel) {
    const spur__linear *a = q->a;
    ptrdiff_t begin = panel * q->simd->nr, n = spur__min(q->simd->nr, a->m - begin);
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

/* What a thread works in; see spur__linear_backward_scratch. */
typedef struct area {
    float *x, *block, *turning, *turned;
} area;

static area area_of(const job *q, int thread) {
    float *p = spur__scratch(q->exec, thread);
    size_t rows = strip_rows(q->a->n), samples = (size_t)spur__round_up(q->a->m, LINE);
    area s = {.x = p, .block = p + rows * samples};
    s.turning = s.block + rows * (size_t)spur__round_up(q->a->n, LINE);
    s.turned = s.turning + rows * samples;
    return s;
}

/* A block of rows of W; those of the next one of the task, 0: it is the last. */
typedef struct block {
    ptrdiff_t row, rows, next;
    spur__fetch fetch;
} block;

/* One more piece of memory to fetch. */
static void add_lines(spur__fetch *f, const float *at, ptrdiff_t rows, ptrdiff_t width,
                      ptrdiff_t pitch) {
    const ptrdiff_t value = sizeof *at;
    if (rows * width > 0)
        f->lines[f->count++] = (spur__lines){(const char *)at, rows, width * value, pitch * value};
}

/* What a block's multiplications ask for: what its sink reads, then what the next block does, as far
 * as they come. Asking faster would hold up their own loads. */
static void ask(const job *q, block *p) {
    const spur__linear *a = q->a;
    ptrdiff_t at = p->row * a->n, count = p->rows * a->n, next = p->row + p->rows;
    spur__fetch *f = &p->fetch;
    *f = (spur__fetch){.pairs = 1};
    if (a->m < ENOUGH) return;
    for (int i = 0; a->sink && i < SPUR__SINK_READS && a->sink->reads[i]; i++)
        add_lines(f, a->sink->reads[i] + at, 1, count, 0);
    if (a->sink && !a->dx) add_lines(f, a->w + at, 1, count, 0);
    if (a->dx) add_lines(f, a->w + next * a->n, 1, p->next * a->n, 0);
    add_lines(f, a->x + next, p->next ? a->m : 0, p->next, a->x_pitch);
}

/* dx[0..m)[row..row + rows) (+)= dy W^T, by its transpose [rows][m]. */
static void input_gradient(const job *q, block *p, const area *s) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t row = p->row, rows = p->rows, strips = spur__ceil_div(rows, simd->mr);
    ptrdiff_t pitch = spur__round_up(a->m, LINE);
    spur__strip t = {
        .walk = SPUR__STRIP_ROWS, .a_row = a->n, .panels = 1, .c_row = pitch, .fetch = &p->fetch};
    for (ptrdiff_t strip = 0; strip < strips; strip++) {
        ptrdiff_t begin, end;
        spur__part(rows, strips, strip, &begin, &end);
        t.rows = end - begin;
        for (ptrdiff_t j = 0; j < a->m; j += simd->nr) {
            t.width = width_of(simd, a->m - j);
            t.c = s->turning + begin * pitch + j;
            for (ptrdiff_t k = 0; k < a->n; k += STRETCH) {
                t.a = a->w + (row + begin) * a->n + k;
                t.b = q->by_sample + j * a->n + k * t.width;
                t.steps = spur__min(STRETCH, a->n - k);
                t.load = k > 0;
                simd->strip(&t);
            }
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

/* x[0..m)[row..row + rows) into strips [m][mr]. Sixteen floats at a time, where there are as many:
 * those beyond a strip's rows are written over by what comes next. */
static void pack_x(const job *q, ptrdiff_t row, ptrdiff_t rows, float *out) {
    const spur__linear *a = q->a;
    ptrdiff_t mr = q->simd->mr, strips = spur__ceil_div(rows, mr);
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(rows, strips, s, &begin, &end);
        const float *x = a->x + row + begin;
        ptrdiff_t width = end - begin, whole = row + begin + LINE <= a->k ? a->m : 0;
        float *to = out + s * a->m * mr;
        for (ptrdiff_t i = 0; i < whole; i++, x += a->x_pitch, to += mr)
            memcpy(to, x, LINE * sizeof(float));
        for (ptrdiff_t i = whole; i < a->m; i++, x += a->x_pitch, to += mr)
            memcpy(to, x, (size_t)width * sizeof(float));
    }
}

/* Columns [begin, end) of the weight gradient of a block, by the plain register tile. */
static void plain_weights(const job *q, const block *p, const float *x, float *dw, ptrdiff_t column,
                          ptrdiff_t column_end) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t zero = 0, strips = spur__ceil_div(p->rows, simd->mr);
    spur__tile t = {.a_row = 1,
                    .a_step = simd->mr,
                    .a_run = &zero,
                    .runs = 1,
                    .run_length = a->m,
                    .c_row = a->n,
                    .load = !a->sink && a->dw_accumulate};
    for (ptrdiff_t j = column; j < column_end; j += simd->nr) {
        t.cols = spur__min(simd->nr, a->n - j);
        t.b = q->by_unit + j * a->m;
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(p->rows, strips, s, &begin, &end);
            t.a = x + s * a->m * simd->mr;
            t.rows = end - begin;
            t.c = dw + begin * a->n + j;
            simd->tile(&t);
        }
    }
}

/* dw[row..row + rows) (+)= x^T dy, into `dw`. One chain of FMAs: whole panels fetch meanwhile. */
static void weight_gradient(const job *q, block *p, float *x, float *dw) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t strips = spur__ceil_div(p->rows, simd->mr);
    ptrdiff_t whole = a->m <= STRETCH ? a->n / simd->nr * simd->nr : 0;
    spur__strip t = {.walk = SPUR__STRIP_STEPS,
                     .steps = a->m,
                     .panels = whole / simd->nr,
                     .b_panel = simd->nr * a->m,
                     .b = q->by_unit,
                     .c_row = a->n,
                     .width = simd->nr,
                     .load = !a->sink && a->dw_accumulate,
                     .fetch = &p->fetch};
    pack_x(q, p->row, p->rows, x);
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(p->rows, strips, s, &begin, &end);
        t.a = x + s * a->m * simd->mr;
        t.rows = end - begin;
        t.c = dw + begin * a->n;
        simd->strip(&t);
    }
    plain_weights(q, p, x, dw, whole, a->n);
}

static void one_block(const job *q, block *p, const area *s) {
    const spur__linear *a = q->a;
    ask(q, p);
    if (a->dx) input_gradient(q, p, s);
    if (a->sink) {
        weight_gradient(q, p, s->x, s->block);
        a->sink->take(a->sink->context, (size_t)(p->row * a->n), (size_t)(p->rows * a->n),
                      s->block);
    } else if (a->dw) {
        weight_gradient(q, p, s->x, a->dw + p->row * a->n);
    }
}

static void blocks_task(void *data, ptrdiff_t index, int thread) {
    const job *q = data;
    area s = area_of(q, thread);
    ptrdiff_t end = spur__min((index + 1) * q->blocks * q->rows, q->a->k);
    for (ptrdiff_t row = index * q->blocks * q->rows; row < end; row += q->rows) {
        block p = {.row = row, .rows = spur__min(q->rows, end - row)};
        p.next = spur__min(q->rows, end - row - p.rows);
        one_block(q, &p, &s);
    }
}

void spur__linear_backward(const spur__exec *exec, const spur__linear *args, void *workspace) {
    const spur__simd *simd = spur__simd_table();
    job q = {.a = args,
             .simd = simd,
             .exec = exec,
             .rows = spur__linear_rows(args->n),
             .by_unit = workspace};
    q.by_sample = q.by_unit + padded(args->n) * padded(args->m);
    ptrdiff_t panels = spur__ceil_div(args->n, simd->nr) + spur__ceil_div(args->m, simd->nr);
    spur__parallel(exec, panels, pack_task, &q);
    ptrdiff_t blocks = spur__ceil_div(args->k, q.rows);
    q.blocks = spur__max(1, spur__min(MOST_BLOCKS, blocks / TASKS));
    spur__parallel(exec, spur__ceil_div(blocks, q.blocks), blocks_task, &q);
}
