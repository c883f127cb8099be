/* SPDX-License-Identifier: MIT
 *
 * Forward of linear.h: tasks are stretches of k times blocks of columns. A task packs KC rows of W
 * at a time into panels [n/nr][KC][nr] in its thread's scratch and adds their product to the
 * stretch's partial sum [m][n]; the stretches are then added in order. For very few samples rows of
 * W are added as they are. Panels lie a line more than their size apart: at multiples of 4096 bytes
 * all of them would share a few lines of the first cache.
 */
#include "kernels/linear.h"

#include <string.h>

#include "kernels/simd/table.h"

enum {
    MOST_FORWARD = 128, /* samples: beyond, partial sums cost more than they spare */
    MOST_BACKWARD = 511, /* beyond, arithmetic is the limit */
    STRETCH = 1024, /* rows of W in one partial sum, at least */
    MOST_STRETCHES = 16,
    COLUMNS = 1024, /* of W in one task */
    KC = 96, /* rows packed at a time */
    NARROWEST = 8, /* panel of any instruction set */
    PLAIN = 3, /* samples for which packing does not pay */
    LINE = 16 /* floats in a cache line */
};

bool spur__linear_streams_forward(ptrdiff_t m) {
    return m <= MOST_FORWARD;
}

bool spur__linear_streams_backward(ptrdiff_t m) {
    return m <= MOST_BACKWARD;
}

typedef struct job {
    const spur__linear *a;
    const spur__simd *simd;
    ptrdiff_t stretches, column_blocks;
    bool direct; /* one stretch: sums go straight to y */
    float *partial; /* [stretches][m][n]; y itself when direct */
    ptrdiff_t partial_pitch;
    float *scratch; /* per thread: packed W, then packed x */
    size_t scratch_size;
} job;

static bool is_direct(ptrdiff_t m, ptrdiff_t stretches) {
    return stretches == 1 && m > PLAIN;
}

static ptrdiff_t stretches_of(ptrdiff_t k) {
    return spur__most(1, spur__least(k / STRETCH, MOST_STRETCHES));
}

/* Floats; mr * ceil(m / mr) < m + 16 for all instruction sets. */
static size_t scratch_of(ptrdiff_t m) {
    return (size_t)(KC * (COLUMNS + m + 2 * LINE) + COLUMNS / NARROWEST * LINE);
}

/* Enough for any m samples or fewer. */
static size_t partial_of(ptrdiff_t m, ptrdiff_t k, ptrdiff_t n) {
    ptrdiff_t stretches = stretches_of(k);
    if (is_direct(m, stretches)) m = PLAIN;
    return (size_t)spur__round_up(stretches * m * n, LINE);
}

size_t spur__linear_forward_workspace(const spur__exec *exec, ptrdiff_t m, ptrdiff_t k,
                                      ptrdiff_t n) {
    return ((size_t)exec->threads * scratch_of(m) + partial_of(m, k, n)) * sizeof(float);
}

/* The part of a product that one task works on. */
typedef struct part {
    ptrdiff_t column, columns; /* of W */
    ptrdiff_t k, kc, padded; /* rows of W in the scratch; padded: to 16 */
    float *b, *x; /* packed */
    float *c; /* the partial sum, at [0][column] */
    bool first; /* of the stretch */
    bool last;
} part;

/* The packed panel that begins at column j. */
static float *panel_of(const job *q, const part *p, ptrdiff_t j) {
    return p->b + j * p->padded + j / q->simd->nr * LINE;
}

/* x[0..m)[k..k + kc) as strips [kc/16][mr][16]. */
static void pack_x(const job *q, const part *p) {
    const spur__linear *a = q->a;
    ptrdiff_t mr = q->simd->mr, strips = spur__ceil_div(a->m, mr);
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(a->m, strips, s, &begin, &end);
        float *out = p->x + s * mr * p->padded;
        for (ptrdiff_t i = begin; i < end; i++) {
            const float *x = a->x + i * a->x_pitch + p->k;
            for (ptrdiff_t step = 0; step < p->kc; step += LINE) {
                ptrdiff_t n = spur__least(LINE, p->kc - step);
                float *to = out + step * mr + (i - begin) * LINE;
                if (n == LINE) {
                    memcpy(to, x + step, LINE * sizeof(float));
                    continue;
                }
                memcpy(to, x + step, (size_t)n * sizeof(float));
                for (ptrdiff_t j = n; j < LINE; j++) to[j] = 0.0f;
            }
        }
    }
}

/* Rows [k, k + kc) of W, row by row, into panels; zeros below them. */
static void pack_w(const job *q, const part *p) {
    const spur__simd *simd = q->simd;
    const float *w = q->a->w + p->k * q->a->n + p->column;
    ptrdiff_t whole = p->columns / simd->nr, rest = p->columns % simd->nr, done = whole * simd->nr;
    simd->pack_panels(w, q->a->n, p->kc, whole, p->b, simd->nr * p->padded + LINE);
    if (rest)
        simd->pack_panel(&(spur__pixels){w + done, NULL, p->kc, rest, q->a->n},
                         rest > simd->vl ? simd->nr : simd->vl, panel_of(q, p, done), NULL);
    for (ptrdiff_t j = 0; j < p->columns && p->kc < p->padded; j += simd->nr) {
        ptrdiff_t width = p->columns - j > simd->vl ? simd->nr : simd->vl;
        memset(panel_of(q, p, j) + p->kc * width, 0,
               (size_t)((p->padded - p->kc) * width) * sizeof(float));
    }
}

static void multiply(const job *q, const part *p) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t runs[KC / LINE], strips = spur__ceil_div(a->m, simd->mr);
    for (ptrdiff_t r = 0; r < p->padded / LINE; r++) runs[r] = r * LINE * simd->mr;
    bool ends = p->last && q->direct;
    spur__tile t = {.a_row = LINE,
                    .a_step = 1,
                    .a_run = runs,
                    .runs = p->padded / LINE,
                    .run_length = LINE,
                    .c_row = q->partial_pitch,
                    .load = !p->first,
                    .relu = ends && a->relu};
    for (ptrdiff_t j = 0; j < p->columns; j += simd->nr) {
        t.cols = spur__least(simd->nr, p->columns - j);
        t.b = panel_of(q, p, j);
        t.bias = ends && a->bias ? a->bias + p->column + j : NULL;
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(a->m, strips, s, &begin, &end);
            t.a = p->x + s * simd->mr * p->padded;
            t.rows = end - begin;
            t.c = p->c + begin * q->partial_pitch + j;
            simd->tile(&t);
        }
    }
}

/* Rows [begin, end) of W, a few at a time, added to each sample's sums. */
static void add_plain(const job *q, const part *p, ptrdiff_t begin, ptrdiff_t end) {
    enum { AT_ONCE = 8 };
    const spur__linear *a = q->a;
    for (ptrdiff_t i = 0; i < a->m; i++)
        memset(p->c + i * q->partial_pitch, 0, (size_t)p->columns * sizeof(float));
    for (ptrdiff_t k = begin; k < end; k += AT_ONCE)
        for (ptrdiff_t i = 0; i < a->m; i++)
            q->simd->add_rows(a->x + i * a->x_pitch + k, spur__least(AT_ONCE, end - k),
                              a->w + k * a->n + p->column, a->n, p->columns,
                              p->c + i * q->partial_pitch);
}

static void forward_task(void *data, ptrdiff_t index, int thread) {
    const job *q = data;
    const spur__linear *a = q->a;
    ptrdiff_t stretch = index / q->column_blocks, begin, end, column_end;
    part p = {.b = q->scratch + (size_t)thread * q->scratch_size};
    p.x = p.b + KC * (COLUMNS + LINE) + COLUMNS / NARROWEST * LINE;
    spur__part(a->k, q->stretches, stretch, &begin, &end);
    spur__part(spur__ceil_div(a->n, 32), q->column_blocks, index % q->column_blocks, &p.column,
               &column_end);
    p.column *= 32;
    p.columns = spur__least(column_end * 32, a->n) - p.column;
    p.c = q->partial + stretch * a->m * q->partial_pitch + p.column;
    if (a->m <= PLAIN) {
        add_plain(q, &p, begin, end);
        return;
    }
    for (p.k = begin; p.k < end; p.k += KC) {
        p.kc = spur__least(KC, end - p.k);
        p.padded = spur__round_up(p.kc, LINE);
        p.first = p.k == begin;
        p.last = p.k + p.kc == end;
        pack_x(q, &p);
        pack_w(q, &p);
        multiply(q, &p);
    }
}

/* One row of y from its partial sums. */
static void add_task(void *data, ptrdiff_t row, int thread) {
    const job *q = data;
    const spur__linear *a = q->a;
    float *y = a->y + row * a->y_pitch;
    const float *from = q->partial + row * a->n;
    (void)thread;
    for (ptrdiff_t j = 0; j < a->n; j++) y[j] = from[j];
    for (ptrdiff_t s = 1; s < q->stretches; s++) {
        from += a->m * a->n;
        for (ptrdiff_t j = 0; j < a->n; j++) y[j] += from[j];
    }
    if (a->bias)
        for (ptrdiff_t j = 0; j < a->n; j++) y[j] += a->bias[j];
    if (a->relu)
        for (ptrdiff_t j = 0; j < a->n; j++) y[j] = y[j] < 0.0f ? 0.0f : y[j];
}

void spur__linear_forward(const spur__exec *exec, const spur__linear *args, void *workspace) {
    job q = {.a = args, .simd = spur__simd_table(), .scratch_size = scratch_of(args->m)};
    q.stretches = stretches_of(args->k);
    q.column_blocks = spur__ceil_div(args->n, COLUMNS);
    q.direct = is_direct(args->m, q.stretches);
    q.scratch = workspace;
    q.partial = q.direct ? args->y : q.scratch + (size_t)exec->threads * q.scratch_size;
    q.partial_pitch = q.direct ? args->y_pitch : args->n;
    spur__parallel(exec, q.stretches * q.column_blocks, forward_task, &q);
    if (!q.direct) spur__parallel(exec, args->m, add_task, &q);
}
