/* SPDX-License-Identifier: MIT
 *
 * Forward of linear.h: tasks are stretches of k times blocks of columns. A task takes a few rows of
 * W at a time, reads them in place, and adds their product to the stretch's partial sum [m][n]. With
 * few samples it reads so few rows at a time that the hardware prefetches each of them; with more, the
 * arithmetic leaves time to prefetch the next rows explicitly. The stretches are then added in order.
 * For one sample rows of W are added as they are.
 */
#include "kernels/matrix/linear.h"

#include <string.h>

#include "kernels/simd/table.h"

enum {
    MOST_FORWARD = 128, /* samples: beyond, partial sums cost more than they spare */
    MOST_BACKWARD = 511, /* beyond, arithmetic is the limit */
    STRETCH = 1024, /* rows of W in one partial sum, at least */
    MOST_STRETCHES = 16,
    COLUMNS = 1024, /* of W in one task */
    KC = 96, /* rows at a time */
    KC_WIDE = 48, /* where a task's columns are a part of the row: they share few sets of a cache */
    FEW = 28, /* samples up to which a task reads few rows at a time, where they are long */
    COLUMNS_FEW = 4096,
    KC_FEW = 16,
    PANELS = 4, /* in one call, there: a tile of sixteen steps is short */
    WIDEST = 32, /* panel of any instruction set */
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
    bool along; /* few rows of W at a time, not fetched by name */
    ptrdiff_t rows; /* of W at a time */
    const spur__exec *exec; /* scratch: packed x, then the last, partial panel of W */
} job;

static bool is_direct(ptrdiff_t m, ptrdiff_t stretches) {
    return stretches == 1 && m > 1;
}

static ptrdiff_t stretches_of(ptrdiff_t k) {
    return spur__max(1, spur__min(k / STRETCH, MOST_STRETCHES));
}

/* mr * ceil(m / mr) < m + 16 for all instruction sets. */
size_t spur__linear_forward_scratch(ptrdiff_t m) {
    return (size_t)(KC * (m + LINE + WIDEST)) * sizeof(float);
}

/* Enough for any m samples or fewer. */
static size_t partial_of(ptrdiff_t m, ptrdiff_t k, ptrdiff_t n) {
    ptrdiff_t stretches = stretches_of(k);
    if (is_direct(m, stretches)) m = 1;
    return (size_t)spur__round_up(stretches * m * n, LINE);
}

size_t spur__linear_forward_workspace(ptrdiff_t m, ptrdiff_t k, ptrdiff_t n) {
    return partial_of(m, k, n) * sizeof(float);
}

/* The part of a product that one task works on. */
typedef struct part {
    ptrdiff_t column, columns; /* of W */
    ptrdiff_t k, kc, padded; /* rows of W at work; padded: to 16 */
    ptrdiff_t next; /* rows of W after these */
    float *b, *x; /* packed */
    float *c; /* the partial sum, at [0][column] */
    bool first; /* of the stretch */
    bool last;
} part;

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
                ptrdiff_t n = spur__min(LINE, p->kc - step);
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

/* What the multiplication of a part asks for: the next rows of W and the x that go with them. */
static spur__fetch next_of(const job *q, const part *p) {
    enum { VALUE = sizeof(float), PAIR = 2 * LINE, REQUESTS = SPUR__STRIP_RUN / SPUR__STRIP_UNIT };
    const spur__linear *a = q->a;
    spur__fetch f = {.pairs = 1};
    if (p->next == 0 || q->along) return f;
    ptrdiff_t next = p->k + p->kc, strips = spur__ceil_div(a->m, q->simd->mr);
    const float *w = a->w + next * a->n + p->column, *x = a->x + next;
    f.lines[0] = (spur__lines){(const char *)w, p->next, p->columns * VALUE, a->n * VALUE};
    f.lines[1] = (spur__lines){(const char *)x, a->m, p->next * VALUE, a->x_pitch * VALUE};
    f.count = 2;
    ptrdiff_t runs = p->columns / q->simd->nr * strips * (p->kc / LINE);
    ptrdiff_t pairs = p->next * (p->columns + a->m) / PAIR;
    f.pairs = (int)spur__ceil_div(pairs, spur__max(1, runs * REQUESTS));
    return f;
}

/* Whole panels of W, where they lie. */
static void multiply(const job *q, const part *p) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t strips = spur__ceil_div(a->m, simd->mr);
    bool ends = p->last && q->direct;
    spur__fetch fetch = next_of(q, p);
    spur__strip t = {.walk = SPUR__STRIP_BLOCKED,
                     .a_run = LINE * simd->mr,
                     .b_step = a->n,
                     .steps = p->kc,
                     .near = q->along ? 2 * simd->nr : 4 * a->n,
                     .b_panel = simd->nr,
                     .c_row = q->partial_pitch,
                     .width = simd->nr,
                     .load = !p->first,
                     .relu = ends && a->relu,
                     .fetch = &fetch};
    ptrdiff_t whole = p->columns / simd->nr, at_once = q->along ? PANELS : 1;
    for (ptrdiff_t panel = 0; panel < whole; panel += at_once) {
        ptrdiff_t j = panel * simd->nr;
        t.panels = spur__min(at_once, whole - panel);
        t.b = a->w + p->k * a->n + p->column + j;
        t.bias = ends && a->bias ? a->bias + p->column + j : NULL;
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(a->m, strips, s, &begin, &end);
            t.a = p->x + s * simd->mr * p->padded;
            t.rows = end - begin;
            t.c = p->c + begin * q->partial_pitch + j;
            simd->strip(&t);
        }
    }
}

/* The columns that are no whole panel, packed. */
static void multiply_rest(const job *q, const part *p) {
    const spur__linear *a = q->a;
    const spur__simd *simd = q->simd;
    ptrdiff_t runs[KC / LINE], strips = spur__ceil_div(a->m, simd->mr);
    ptrdiff_t done = p->columns / simd->nr * simd->nr, rest = p->columns - done;
    ptrdiff_t width = rest > simd->vl ? simd->nr : simd->vl;
    if (rest == 0) return;
    simd->pack_panel(&(spur__pixels){.x = a->w + p->k * a->n + p->column + done,
                                     .count = p->kc,
                                     .channels = rest,
                                     .pitch = a->n},
                     width, p->b, NULL);
    memset(p->b + p->kc * width, 0, (size_t)((p->padded - p->kc) * width) * sizeof(float));
    for (ptrdiff_t r = 0; r < p->padded / LINE; r++) runs[r] = r * LINE * simd->mr;
    bool ends = p->last && q->direct;
    spur__tile t = {.a_row = LINE,
                    .a_step = 1,
                    .a_run = runs,
                    .runs = p->padded / LINE,
                    .run_length = LINE,
                    .b = p->b,
                    .c_row = q->partial_pitch,
                    .cols = rest,
                    .bias = ends && a->bias ? a->bias + p->column + done : NULL,
                    .load = !p->first,
                    .relu = ends && a->relu};
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(a->m, strips, s, &begin, &end);
        t.a = p->x + s * simd->mr * p->padded;
        t.rows = end - begin;
        t.c = p->c + begin * q->partial_pitch + done;
        simd->tile(&t);
    }
}

/* Rows [begin, end) of W, a few at a time, added to one sample's sums. */
static void add_plain(const job *q, const part *p, ptrdiff_t begin, ptrdiff_t end) {
    enum { AT_ONCE = 8 };
    const spur__linear *a = q->a;
    memset(p->c, 0, (size_t)p->columns * sizeof(float));
    for (ptrdiff_t k = begin; k < end; k += AT_ONCE)
        q->simd->add_rows(a->x + k, spur__min(AT_ONCE, end - k), a->w + k * a->n + p->column, a->n,
                          p->columns, p->c);
}

static void forward_task(void *data, ptrdiff_t index, int thread) {
    const job *q = data;
    const spur__linear *a = q->a;
    ptrdiff_t stretch = index / q->column_blocks, begin, end, column_end;
    part p = {.x = spur__scratch(q->exec, thread)};
    p.b = p.x + KC * (a->m + LINE);
    spur__part(a->k, q->stretches, stretch, &begin, &end);
    spur__part(spur__ceil_div(a->n, 32), q->column_blocks, index % q->column_blocks, &p.column,
               &column_end);
    p.column *= 32;
    p.columns = spur__min(column_end * 32, a->n) - p.column;
    p.c = q->partial + stretch * a->m * q->partial_pitch + p.column;
    if (a->m == 1) {
        add_plain(q, &p, begin, end);
        return;
    }
    for (p.k = begin; p.k < end; p.k += p.kc) {
        p.kc = spur__min(q->rows, end - p.k);
        p.next = spur__min(q->rows, end - p.k - p.kc);
        p.padded = spur__round_up(p.kc, LINE);
        p.first = p.k == begin;
        p.last = p.k + p.kc == end;
        pack_x(q, &p);
        multiply(q, &p);
        multiply_rest(q, &p);
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
    job q = {.a = args, .simd = spur__simd_table(), .exec = exec};
    q.stretches = stretches_of(args->k);
    q.along = args->m <= FEW && args->n >= COLUMNS;
    q.column_blocks = spur__ceil_div(args->n, q.along ? COLUMNS_FEW : COLUMNS);
    q.rows = q.along ? KC_FEW : q.column_blocks > 1 ? KC_WIDE : KC;
    q.direct = is_direct(args->m, q.stretches);
    q.partial = q.direct ? args->y : workspace;
    q.partial_pitch = q.direct ? args->y_pitch : args->n;
    spur__parallel(exec, q.stretches * q.column_blocks, forward_task, &q);
    if (!q.direct) spur__parallel(exec, args->m, add_task, &q);
}
