/* SPDX-License-Identifier: MIT
 *
 * Forward and data gradient of 3x3 convolutions with unit steps by Winograd F(m x m, 3 x 3). The
 * data gradient is the forward pass over dy with rotated, transposed weights. A dilated one differs in
 * where its tiles lie (simd/winograd_cut.h) alone.
 *
 * V = transformed input  [xi][strip][channels / 16][mr][16]   strips of up to mr tiles
 * U = transformed weights [panel][xi][channels][width]        panels of nr output channels
 * M = V * U              [xi][tiles][width]                   one panel at a time
 *
 * Small layers: U is made once; a task takes a block of tiles through all three steps in its own
 * scratch, without a barrier. Large ones (U would not stay in cache): V of a superblock of tiles is
 * made by all threads; then a task takes one panel, makes its U on the way and multiplies. Neither
 * choice changes a bit: every element of M is summed over the channels in one order.
 */
#include "kernels/prefetch.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_tiles.h"

enum {
    LARGE = 128 * 256, /* channels times outputs from which on U may be made on the way */
    LARGE_TILES = 96, /* and is, up to so many tiles; beyond LARGE * 8 always */
    FAR = 128 * 96, /* from which on U does not stay near the core */
    BLOCK_TILES = 28, /* few enough for V and M to stay near the core; SUB_STRIPS at most */
    MANY_BLOCKS = 64, /* a thread; one more or less does not matter then */
    SUPERBLOCK_FLOATS = 5 << 20, /* of V shared by all threads */
    SUB_STRIPS = 7, /* strips multiplied by a panel at a time in the large mode */
    TURNED = 16, /* rows of weights transposed at a time for the data gradient */
    MAX_RUNS = 4096 / 16
};

typedef struct wino_job {
    int m;
    ptrdiff_t xis; /* (m + 2)^2 */
    const spur__simd *simd;
    const spur__exec *exec;
    spur__tiling in, out;
    ptrdiff_t tiles, channels, depth, outputs, panels; /* depth: channels rounded up to 16 */
    const float *w; /* HWIO */
    ptrdiff_t w_inputs, w_outputs; /* its c and k */
    bool backward;
    const float *bias;
    bool relu, accumulate, pool;
    uint8_t *argmax;
    const float *packed; /* U of all panels, or NULL in the large mode */
    float *u; /* where to make it */
    bool large;
    ptrdiff_t strips; /* at most, of a block (small) or superblock (large) */
    ptrdiff_t blocks;
    ptrdiff_t first; /* first tile of the superblock */
    ptrdiff_t count; /* its tiles */
    float *v; /* shared V */
    ptrdiff_t xi_step; /* of V */
    ptrdiff_t v_floats, m_floats, u_floats;
    ptrdiff_t thread_floats; /* of scratch */
    int32_t *order; /* [tiles], each strip's in order; or NULL */
    spur__ranks *ranks; /* at each strip's first tile */
    ptrdiff_t runs[MAX_RUNS];
} wino_job;

/* ---- sizes --------------------------------------------------------------------------------- */

/* A step between positions that is no power of two, so that the transforms' 36 streams do not
 * fall into the same cache sets. */
static ptrdiff_t u_step(const wino_job *q, ptrdiff_t width) {
    return q->depth * width + 16;
}

static ptrdiff_t u_panel_floats(const wino_job *q) {
    return q->xis * u_step(q, q->simd->nr);
}

static ptrdiff_t strip_floats(const wino_job *q) {
    return q->depth * q->simd->mr;
}

/* Likewise. */
static ptrdiff_t v_step(const wino_job *q, ptrdiff_t strips) {
    return strips * strip_floats(q) + 48;
}

static void choose_mode(wino_job *q, int threads) {
    ptrdiff_t all = spur__ceil_div(q->tiles, q->simd->mr);
    ptrdiff_t fit = BLOCK_TILES / q->simd->mr;
    ptrdiff_t weights = q->channels * q->outputs;
    q->large = weights >= 8 * LARGE || (weights >= LARGE && q->tiles <= LARGE_TILES);
    if (q->large) fit = spur__max(SUB_STRIPS, SUPERBLOCK_FLOATS / (q->xis * strip_floats(q)));
    q->blocks = spur__ceil_div(all, fit);
    /* All threads shall end together: with few blocks, a multiple of the team. */
    if (!q->large && q->blocks < MANY_BLOCKS * threads)
        q->blocks = spur__min(all, spur__round_up(q->blocks, threads));
    q->strips = spur__ceil_div(spur__ceil_div(q->tiles, q->blocks), q->simd->mr);
    ptrdiff_t sub = q->large ? spur__min(q->strips, SUB_STRIPS) : q->strips;
    q->xi_step = v_step(q, q->strips);
    q->v_floats = q->xis * q->xi_step;
    q->m_floats = q->xis * (sub * q->simd->mr * 32 + 16);
    q->u_floats = q->large ? u_panel_floats(q) : 0;
    ptrdiff_t turned = q->backward ? 9 * TURNED * 32 : 0; /* weights of a panel, transposed */
    if (q->large)
        q->thread_floats = q->m_floats + q->u_floats + turned;
    else
        q->thread_floats = spur__max(q->m_floats + q->v_floats, turned);
}

static void job_of(wino_job *q, const spur__conv_shape *s, int m, bool backward, ptrdiff_t n,
                   int threads) {
    *q = (wino_job){.m = m,
                    .xis = (m + 2) * (m + 2),
                    .simd = spur__simd_table(),
                    .w_inputs = s->c,
                    .w_outputs = s->k,
                    .backward = backward};
    spur__cut_images(s, m, backward, &q->in, &q->out);
    q->tiles = n * q->in.rows.tiles * q->in.columns.tiles;
    q->channels = q->in.channels;
    q->outputs = q->out.channels;
    q->depth = spur__round_up(q->channels, 16);
    q->panels = spur__ceil_div(q->outputs, q->simd->nr);
    for (ptrdiff_t r = 0; r < q->depth / 16; r++) q->runs[r] = r * 16 * q->simd->mr;
    choose_mode(q, threads);
}

static ptrdiff_t packed_floats(const wino_job *q) {
    return q->panels * u_panel_floats(q);
}

bool spur__winograd_possible(const spur__conv_shape *s) {
    bool in_phases = s->pad_top % s->dilation_h == 0 && s->pad_left % s->dilation_w == 0;
    return s->kh == 3 && s->kw == 3 && s->stride_h == 1 && s->stride_w == 1 && in_phases &&
           s->groups == 1 && s->c <= 16 * MAX_RUNS && s->k <= 16 * MAX_RUNS;
}

spur__winograd_cost spur__winograd_cost_of(const spur__conv_shape *s, int m, bool backward) {
    spur__tiling in, out;
    spur__cut_images(s, m, backward, &in, &out);
    return (spur__winograd_cost){out.rows.tiles * out.columns.tiles,
                                 spur__cut_products(&out.rows, m) *
                                     spur__cut_products(&out.columns, m)};
}

size_t spur__winograd_packed(const spur__conv_shape *s, int m) {
    wino_job q;
    job_of(&q, s, m, false, s->n, 1);
    return (size_t)packed_floats(&q) * sizeof(float);
}

bool spur__winograd_pools(const spur__conv_shape *s, int m) {
    wino_job q;
    job_of(&q, s, m, false, 1, 1);
    return spur__tiles_even(&q.out);
}

/* Of the order of tiles and their ranks. */
static size_t order_bytes(const wino_job *q) {
    if (spur__tiles_full(&q->in)) return 0;
    return (size_t)spur__round_up(q->tiles, 16) * (sizeof(spur__ranks) + sizeof(int32_t));
}

/* Smaller batches may take other block sizes. */
spur__conv_memory spur__winograd_memory(const spur__conv_plan *plan, int m, bool backward) {
    spur__conv_memory most = {0, 0};
    for (ptrdiff_t n = 1; n <= plan->shape.n; n++) {
        wino_job q;
        job_of(&q, &plan->shape, m, backward, n, plan->threads);
        size_t shared = (size_t)(q.large ? q.v_floats : packed_floats(&q)) * sizeof(float);
        most.workspace = spur__max_size(most.workspace, shared + order_bytes(&q) + 64);
        most.scratch = spur__max_size(most.scratch, (size_t)q.thread_floats * sizeof(float));
    }
    return most;
}

/* ---- steps --------------------------------------------------------------------------------- */

static ptrdiff_t panel_width(const wino_job *q, ptrdiff_t panel) {
    return q->outputs - panel * q->simd->nr > q->simd->vl ? q->simd->nr : q->simd->vl;
}

/* The transform of a panel's weights for the data gradient: rotated and, some rows at a time in
 * scratch `turned`, transposed. */
static void make_turned(const wino_job *q, ptrdiff_t column, spur__wino_weights *p, float *turned) {
    ptrdiff_t width = p->width;
    p->tap_step = TURNED * width;
    p->step = width;
    p->rotated = true;
    p->w = turned;
    for (ptrdiff_t i = 0; i < q->channels; i += TURNED) {
        p->steps = spur__min(TURNED, q->channels - i);
        for (ptrdiff_t tap = 0; tap < 9; tap++) {
            const float *w = q->w + (tap * q->w_inputs + column) * q->w_outputs + i;
            q->simd->pack_transposed(w, q->w_outputs, p->columns, width, p->steps,
                                     turned + tap * p->tap_step);
        }
        q->simd->wino_weights(q->m, p);
        p->u += TURNED * width;
    }
}

/* U of one panel into u; `turned`: scratch for transposed weights. */
static void make_u(const wino_job *q, ptrdiff_t panel, float *u, float *turned) {
    ptrdiff_t column = panel * q->simd->nr, width = panel_width(q, panel);
    spur__wino_weights p = {.steps = q->channels,
                            .width = width,
                            .u = u,
                            .columns = spur__min(width, q->outputs - column),
                            .xi_step = u_step(q, width)};
    if (q->backward) {
        make_turned(q, column, &p, turned);
    } else {
        p.tap_step = q->w_inputs * q->w_outputs;
        p.step = q->w_outputs;
        p.w = q->w + column;
        q->simd->wino_weights(q->m, &p);
    }
    for (ptrdiff_t xi = 0; xi < q->xis; xi++)
        for (ptrdiff_t i = q->channels * width; i < q->depth * width; i++)
            u[xi * p.xi_step + i] = 0.0f;
}

/* Tiles of strip `strip` of a block that starts at tile `first` and has `count` tiles. */
static void strip_of(const wino_job *q, ptrdiff_t count, ptrdiff_t strip, ptrdiff_t *begin,
                     ptrdiff_t *end) {
    spur__part(count, spur__ceil_div(count, q->simd->mr), strip, begin, end);
}

/* Tiles [first, first + count) of a strip that begins, or goes on, at v. */
static void make_tiles(const wino_job *q, ptrdiff_t first, ptrdiff_t count, float *v) {
    spur__spectrum to = {v, q->xi_step, 16, 16 * q->simd->mr, 16, 0};
    q->simd->wino_input(q->m, &q->in, first, count, &to);
}

static void make_v(const wino_job *q, ptrdiff_t first, ptrdiff_t count, ptrdiff_t strip, float *v) {
    ptrdiff_t begin, end;
    strip_of(q, count, strip, &begin, &end);
    if (q->order)
        q->ranks[first + begin] = spur__order_tiles(&q->in, first + begin, end - begin, q->order);
    make_tiles(q, first + begin, end - begin, v + strip * strip_floats(q));
}

/* The outputs of tiles [tile, end) in some columns. */
static spur__prefetch outputs_ahead(const wino_job *q, ptrdiff_t tile, ptrdiff_t end,
                                    ptrdiff_t column, ptrdiff_t columns, ptrdiff_t steps) {
    ptrdiff_t by = q->pool ? 2 : 1, size = (ptrdiff_t)sizeof(float);
    spur__tiled_images images = {.pixels = (const char *)(q->out.y + column),
                                 .h = q->out.h / by,
                                 .w = q->out.w / by,
                                 .pitch = q->out.pitch * size,
                                 .width = columns * size,
                                 .rows = &q->out.rows,
                                 .columns = &q->out.columns,
                                 .edge = q->m / by};
    return spur__prefetch_tiles(images, tile, end, steps);
}

/* Lines of U that each strip asks for during a run: together those of the next position, evenly, as a
 * burst would keep the product waiting. None where U is near. */
static ptrdiff_t lines_ahead(const wino_job *q, ptrdiff_t width, ptrdiff_t strips) {
    if (q->channels * q->outputs < FAR) return 0;
    return spur__min(16, spur__ceil_div(width, strips));
}

/* Strips [begin, end) of the V of `count` tiles from `first` on, and the memory for M. */
typedef struct factor {
    ptrdiff_t first, count;
    ptrdiff_t begin, end;
    const float *v;
    float *m;
} factor;

/* Some strips of V times U of a panel, and their outputs. */
static void multiply(const wino_job *q, const factor *f, ptrdiff_t panel, const float *u) {
    const ptrdiff_t first = f->first, count = f->count, s0 = f->begin, strips = f->end - s0;
    const float *v = f->v;
    float *m = f->m;
    ptrdiff_t width = panel_width(q, panel), column = panel * q->simd->nr;
    ptrdiff_t columns = spur__min(width, q->outputs - column);
    ptrdiff_t tiles[SUB_STRIPS + 1];
    for (ptrdiff_t s = 0; s < strips; s++) strip_of(q, count, s0 + s, &tiles[s], &tiles[s + 1]);
    ptrdiff_t base = tiles[0], end = tiles[strips];
    spur__prefetch outputs =
        outputs_ahead(q, first + base, first + end, column, columns, q->xis * strips);
    spur__tile t = {.a_row = 16,
                    .a_step = 1,
                    .a_run = q->runs,
                    .runs = q->depth / 16,
                    .run_length = 16,
                    .c_row = width,
                    .cols = width,
                    .next_lines = lines_ahead(q, width, strips)};
    ptrdiff_t m_step = strips * q->simd->mr * width + 16;
    for (ptrdiff_t xi = 0; xi < q->xis; xi++) {
        t.b = u + xi * u_step(q, width);
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin = 0, behind = tiles[s + 1] - tiles[s];
            if (q->order) spur__ranks_at(&q->ranks[first + tiles[s]], q->m, xi, &begin, &behind);
            t.rows = behind - begin;
            t.a = v + xi * q->xi_step + (s0 + s) * strip_floats(q) + begin * 16;
            t.c = m + xi * m_step + (tiles[s] - base + begin) * width;
            spur__prefetch_step(&outputs);
            if (t.rows <= 0) continue;
            t.next = t.b + u_step(q, width) + s * t.next_lines * q->depth;
            q->simd->tile(&t);
        }
    }
    spur__wino_output o = {.m = m,
                           .xi_step = m_step,
                           .width = width,
                           .first = column,
                           .columns = columns,
                           .bias = q->bias ? q->bias + column : NULL,
                           .relu = q->relu,
                           .accumulate = q->accumulate,
                           .pool = q->pool,
                           .argmax = q->argmax};
    q->simd->wino_output(q->m, &q->out, first + base, end - base, &o);
}

/* ---- tasks --------------------------------------------------------------------------------- */

static float *scratch_of(const wino_job *q, int thread) {
    return spur__scratch(q->exec, thread);
}

static void u_task(void *job, ptrdiff_t panel, int thread) {
    const wino_job *q = job;
    make_u(q, panel, q->u + panel * u_panel_floats(q), scratch_of(q, thread));
}

static void block_task(void *job, ptrdiff_t block, int thread) {
    const wino_job *q = job;
    ptrdiff_t first, end;
    float *v = scratch_of(q, thread);
    spur__part(q->tiles, q->blocks, block, &first, &end);
    ptrdiff_t count = end - first, strips = spur__ceil_div(count, q->simd->mr);
    const factor all = {first, count, 0, strips, v, v + q->v_floats};
    for (ptrdiff_t s = 0; s < strips; s++) make_v(q, first, count, s, v);
    for (ptrdiff_t p = 0; p < q->panels; p++)
        multiply(q, &all, p, q->packed + p * u_panel_floats(q));
}

/* Few strips would leave threads without work: halves, if no order binds a strip's tiles. */
static void v_task(void *job, ptrdiff_t index, int thread) {
    const wino_job *q = job;
    ptrdiff_t begin, end, from, to;
    (void)thread;
    if (q->order) {
        make_v(q, q->first, q->count, index, q->v);
        return;
    }
    strip_of(q, q->count, index / 2, &begin, &end);
    spur__part(end - begin, 2, index % 2, &from, &to);
    make_tiles(q, q->first + begin + from, to - from,
               q->v + index / 2 * strip_floats(q) + from * 16);
}

static void panel_task(void *job, ptrdiff_t panel, int thread) {
    const wino_job *q = job;
    float *m = scratch_of(q, thread), *made = m + q->m_floats;
    const float *u = made;
    ptrdiff_t strips = spur__ceil_div(q->count, q->simd->mr);
    if (q->packed)
        u = q->packed + panel * u_panel_floats(q);
    else
        make_u(q, panel, made, made + q->u_floats);
    for (ptrdiff_t s = 0; s < strips; s += SUB_STRIPS) {
        const factor some = {q->first, q->count, s, spur__min(strips, s + SUB_STRIPS), q->v, m};
        multiply(q, &some, panel, u);
    }
}

static void run(wino_job *q, const spur__exec *exec, float *workspace) {
    q->exec = exec;
    if (order_bytes(q) > 0) {
        q->ranks = (spur__ranks *)(void *)workspace;
        q->order = (int32_t *)(void *)(q->ranks + spur__round_up(q->tiles, 16));
        q->in.order = q->out.order = q->order;
        workspace += order_bytes(q) / sizeof(float);
    }
    if (!q->large) {
        q->u = workspace;
        if (!q->packed) {
            spur__parallel(exec, q->panels, u_task, q);
            q->packed = q->u;
        }
        spur__parallel(exec, q->blocks, block_task, q);
        return;
    }
    q->v = workspace;
    for (ptrdiff_t b = 0; b < q->blocks; b++) {
        ptrdiff_t end;
        spur__part(q->tiles, q->blocks, b, &q->first, &end);
        q->count = end - q->first;
        ptrdiff_t strips = spur__ceil_div(q->count, q->simd->mr);
        spur__parallel(exec, q->order ? strips : 2 * strips, v_task, q);
        spur__parallel(exec, q->panels, panel_task, q);
    }
}

void spur__winograd_pack(const spur__conv_plan *plan, const spur__exec *exec, int m, const float *w,
                         float *packed) {
    wino_job q;
    job_of(&q, &plan->shape, m, false, 1, exec->threads);
    q.exec = exec;
    q.w = w;
    q.u = packed;
    spur__parallel(exec, q.panels, u_task, &q);
}

void spur__winograd_forward(const spur__conv_plan *plan, const spur__exec *exec, int m,
                            const spur__conv_forward_args *args) {
    wino_job q;
    job_of(&q, &plan->shape, m, false, args->n, plan->threads);
    q.in.x = args->x;
    q.out.y = args->y;
    q.w = args->w;
    q.packed = args->packed;
    q.bias = args->bias;
    q.relu = args->relu;
    q.accumulate = args->accumulate;
    q.pool = args->pool;
    q.argmax = args->argmax;
    run(&q, exec, args->workspace);
}

void spur__winograd_backward_data(const spur__conv_plan *plan, const spur__exec *exec, int m,
                                  const spur__conv_data_args *args) {
    wino_job q;
    job_of(&q, &plan->shape, m, true, args->n, plan->threads);
    q.in.x = args->dy;
    q.in.mask = args->relu_y;
    q.in.argmax = args->argmax;
    q.out.y = args->dx;
    q.w = args->w;
    q.bias = args->bias;
    q.relu = args->relu;
    q.accumulate = args->accumulate;
    run(&q, exec, args->workspace);
}
