/* SPDX-License-Identifier: MIT
 *
 * Weight gradient of 3x3 convolutions by Winograd: dU = sum over tiles of V^T dM per position xi,
 * with V the transformed inputs and dM the transformed dy; dw = G^T dU G.
 *
 * V  [xi][channels / 16][tiles][16]      dM [xi][panel][tiles][nr]      dU [xi][channels][u_row]
 *
 * Small layers: the tiles are cut into parts by shape alone; a task takes one part through all
 * steps with a dU of its own and leaves a partial dw; those are added in order. Large ones: V and dM
 * of a superblock of tiles (cut by shape alone) are made by all threads; then tasks multiply, in
 * the way that moves less memory. By positions: a task takes one xi, reads its V and dM once, and dU
 * is kept until all superblocks are through. By blocks, where tiles are few beside the weights: a
 * task takes a block of channels and outputs through all xi. Its dU is kept from superblock to
 * superblock, or, when there is only one, stays in cache and becomes dw at once.
 */
#include <string.h>

#include "kernels/prefetch.h"
#include "kernels/conv/winograd.h"
#include "kernels/conv/winograd_tiles.h"

enum {
    SMALL = 64 * 96, /* channels times outputs up to which every thread has a dU; */
    MANY = 1024, /* of so many tiles: */
    SMALL_OF_MANY = 64 * 128,
    PARTS = 16,
    PART_TILES = 48, /* at least, in a part */
    BLOCK = 72, /* at most, taken at a time by a part */
    SMALL_U = 32 * 64, /* up to which it takes more: */
    SMALL_U_BLOCK = 96,
    LINE = 16, /* floats of one in a cache */
    GROUP = 16, /* channels that lie together in V */
    EDGE = 64, /* channels and outputs of a task that takes a block */
    SUPERBLOCK_FLOATS = 4 << 20, /* of V and dM by positions; half of it by blocks */
    MOST_TILES = 512, /* of a superblock, multiplied in one go */
    ROWS = 8, /* channels whose dU become dw in one task */
    CHUNK = 8, /* tiles transformed by a task */
    TILES_AHEAD = 2 /* whose places in V and dM are fetched: a superblock lies far from the core */
};

typedef struct dw_job {
    int m;
    ptrdiff_t xis;
    const spur__simd *simd;
    const spur__exec *exec;
    spur__tiling x, dy;
    ptrdiff_t tiles, c, k;
    ptrdiff_t span; /* tiles that V and dM have room for; small: taken at a time, at most */
    ptrdiff_t v_group, v_step, dm_step, u_row, u_step;
    ptrdiff_t v_floats, dm_floats, u_floats;
    bool large, positions;
    ptrdiff_t parts, blocks; /* small; large: superblocks */
    ptrdiff_t first, count, superblock; /* the superblock at work */
    float *v, *dm, *partial, *bias;
    ptrdiff_t thread_floats; /* of scratch */
    ptrdiff_t kept_floats;
    float *kept; /* dU of all positions, or of every block when there are several superblocks */
    float *dw, *dbias;
    bool accumulate;
    int32_t *order; /* [tiles], of what is multiplied at a time in order; or NULL */
    spur__ranks ranks; /* of the superblock at work */
} dw_job;

/* Tasks of a superblock. */
static ptrdiff_t dw_blocks(const dw_job *q) {
    return spur__ceil_div(q->c, EDGE) * spur__ceil_div(q->k, EDGE);
}

static void sizes(dw_job *q) {
    /* The transform fills channels up to the next multiple of 16, which may be a panel more. */
    ptrdiff_t panels = spur__ceil_div(spur__round_up(q->k, 16), q->simd->nr);
    bool by_blocks = q->large && !q->positions;
    ptrdiff_t rows = by_blocks ? EDGE : q->c;
    q->v_group = q->span * GROUP + 16; /* off the power of two */
    q->v_step = spur__ceil_div(q->c, GROUP) * q->v_group + 48;
    q->dm_step = panels * q->span * q->simd->nr + 48;
    q->u_row = (by_blocks ? EDGE : spur__round_up(q->k, 32)) + 16;
    q->u_step = rows * q->u_row + 16;
    q->v_floats = q->xis * q->v_step;
    q->dm_floats = q->xis * spur__round_up(q->dm_step, 16);
    q->u_floats = q->xis * q->u_step;
    if (q->positions)
        q->kept_floats = q->u_floats;
    else if (by_blocks && q->blocks > 1)
        q->kept_floats = dw_blocks(q) * q->u_floats;
    if (!q->large)
        q->thread_floats = q->u_floats + q->v_floats + q->dm_floats;
    else if (by_blocks)
        q->thread_floats = q->u_floats;
}

/* Superblocks of at least `least` tiles with up to `floats` of V and dM. */
static ptrdiff_t superblocks(const dw_job *q, ptrdiff_t floats, ptrdiff_t least) {
    ptrdiff_t fit = floats / (q->xis * (q->c + q->k));
    return spur__ceil_div(q->tiles, spur__max(least, spur__min(fit, MOST_TILES)));
}

/* Compares what the two ways read and write, in floats per position. */
static void choose_way(dw_job *q) {
    ptrdiff_t weights = q->c * q->k, by_positions = superblocks(q, SUPERBLOCK_FLOATS, 192);
    q->blocks = superblocks(q, SUPERBLOCK_FLOATS / 2, 128);
    ptrdiff_t kept = q->blocks > 1 ? 2 * q->blocks * weights : 0;
    q->positions = q->tiles * (q->c + q->k) + (2 * by_positions + 1) * weights <
                   q->tiles * weights * 2 / EDGE + kept;
    if (q->positions) q->blocks = by_positions;
    q->span = spur__ceil_div(q->tiles, q->blocks);
}

static void job_of(dw_job *q, const spur__conv_shape *s, int m, ptrdiff_t n) {
    *q = (dw_job){.m = m,
                  .xis = (m + 2) * (m + 2),
                  .simd = spur__simd_table(),
                  .c = s->c,
                  .k = s->k,
                  .parts = 1,
                  .blocks = 1};
    spur__cut_images(s, m, false, &q->x, &q->dy);
    q->tiles = n * q->x.rows.tiles * q->x.columns.tiles;
    q->large = s->c * s->k > (q->tiles < MANY ? SMALL : SMALL_OF_MANY);
    if (q->large) {
        choose_way(q);
    } else {
        q->parts = spur__max(1, spur__min(PARTS, q->tiles / PART_TILES));
        ptrdiff_t tiles = spur__ceil_div(q->tiles, q->parts); /* of a part, at most */
        ptrdiff_t most = s->c * s->k <= SMALL_U ? SMALL_U_BLOCK : BLOCK;
        q->span = spur__ceil_div(tiles, spur__ceil_div(tiles, most));
    }
    sizes(q);
}

static size_t order_bytes(const dw_job *q) {
    if (spur__tiles_full(&q->dy)) return 0;
    return (size_t)spur__round_up(q->tiles, 16) * sizeof(int32_t);
}

/* Smaller batches may be cut in other ways. */
spur__conv_memory spur__winograd_weights_memory(const spur__conv_plan *plan, int m) {
    spur__conv_memory most = {0, 0};
    for (ptrdiff_t n = 1; n <= plan->shape.n; n++) {
        dw_job q;
        job_of(&q, &plan->shape, m, n);
        ptrdiff_t shared = q.large ? q.v_floats + q.dm_floats + q.kept_floats + 64
                                   : q.parts * (9 * q.c * q.k + q.k);
        most.workspace =
            spur__max_size(most.workspace, (size_t)shared * sizeof(float) + order_bytes(&q) + 64);
        most.scratch = spur__max_size(most.scratch, (size_t)q.thread_floats * sizeof(float));
    }
    return most;
}

/* Tiles [tile, tile + count) to positions [at, at + count) of V and dM. */
static void transform(const dw_job *q, ptrdiff_t tile, ptrdiff_t count, ptrdiff_t at, float *v,
                      float *dm) {
    ptrdiff_t nr = q->simd->nr;
    ptrdiff_t ahead = q->large ? TILES_AHEAD : 0;
    spur__spectrum to_v = {v + at * GROUP, q->v_step, GROUP, q->v_group, GROUP, ahead};
    spur__spectrum to_dm = {dm + at * nr, q->dm_step, nr, q->span * nr, nr, ahead};
    q->simd->wino_input(q->m, &q->x, tile, count, &to_v);
    q->simd->wino_gradient(q->m, &q->dy, tile, count, &to_dm);
}

/* dU (+)= V^T dM over `count` tiles, for ranges of positions, channels and outputs. c[0] is the
 * first of a group of channels; v and dm point to the first tile, u to (0, c[0], k[0]). */
typedef struct product {
    ptrdiff_t xi[2], c[2], k[2], count;
    const float *v, *dm;
    float *u;
    bool load; /* += */
    const spur__ranks *ranks; /* of the tiles; NULL: all have products everywhere */
    spur__prefetch ahead; /* on the way */
} product;

/* The register tiles of a group's rows: strips from begin[s] to begin[s + 1]. */
static ptrdiff_t cut_rows(const dw_job *q, ptrdiff_t rows, ptrdiff_t begin[GROUP + 1]) {
    ptrdiff_t strips = spur__ceil_div(rows, q->simd->mr);
    for (ptrdiff_t s = 0; s < strips; s++) spur__part(rows, strips, s, &begin[s], &begin[s + 1]);
    return strips;
}

/* What a block reads at its next position, V then dM. It is soon through with this one. */
typedef struct operands {
    const float *v, *dm;
    ptrdiff_t v_lines;
    ptrdiff_t asks, lines; /* of a register tile; in each */
    ptrdiff_t at; /* the line that is asked for next */
} operands;

static operands operands_of(const dw_job *q, const product *p) {
    ptrdiff_t nr = q->simd->nr, panels = spur__ceil_div(p->k[1] - p->k[0], nr);
    ptrdiff_t groups = spur__ceil_div(p->c[1] - p->c[0], GROUP);
    operands o = {.v_lines = groups * q->v_group / LINE,
                  .asks = spur__ceil_div(p->count, SPUR__TILE_ASK)};
    ptrdiff_t tiles = panels * groups * spur__ceil_div(GROUP, q->simd->mr);
    o.lines = spur__ceil_div(o.v_lines + panels * q->span * nr / LINE, tiles * o.asks);
    return o;
}

/* Gives tile t its share. */
static void ask_for_operands(operands *o, spur__tile *t) {
    bool v = o->at < o->v_lines;
    t->next = v ? o->v + o->at * LINE : o->dm + (o->at - o->v_lines) * LINE;
    t->next_lines = o->lines;
    o->at += o->asks * o->lines;
}

static void multiply(const dw_job *q, product *p) {
    operands ahead = operands_of(q, p);
    bool block = q->large && !q->positions && !p->load; /* whose dU is near */
    ptrdiff_t run = 0, nr = q->simd->nr, begin[GROUP + 1], cut = 0, strips = 0;
    spur__tile t = {.a_row = 1,
                    .a_step = GROUP,
                    .a_run = &run,
                    .runs = 1,
                    .run_length = p->count,
                    .c_row = q->u_row,
                    .cols = nr,
                    .load = p->load};
    for (ptrdiff_t xi = p->xi[0]; xi < p->xi[1]; xi++) {
        ahead.v = p->v + (xi + 1) * q->v_step + p->c[0] / GROUP * q->v_group;
        ahead.dm = p->dm + (xi + 1) * q->dm_step + p->k[0] / nr * q->span * nr;
        ahead.at = 0;
        ptrdiff_t first = 0, behind = p->count;
        if (p->ranks) spur__ranks_at(p->ranks, q->m, xi, &first, &behind);
        t.run_length = behind - first;
        for (ptrdiff_t j = p->k[0]; j < p->k[1]; j += nr) {
            t.b = p->dm + xi * q->dm_step + j / nr * q->span * nr + first * nr;
            t.c = p->u + xi * q->u_step + j - p->k[0];
            for (ptrdiff_t g = p->c[0]; g < p->c[1]; g += GROUP) {
                const float *v = p->v + xi * q->v_step + g / GROUP * q->v_group + first * GROUP;
                ptrdiff_t rows = spur__min(GROUP, p->c[1] - g);
                if (rows != cut) strips = cut_rows(q, cut = rows, begin);
                for (ptrdiff_t s = 0; s < strips; s++) {
                    t.rows = begin[s + 1] - begin[s];
                    t.a = v + begin[s];
                    if (block)
                        ask_for_operands(&ahead, &t);
                    else
                        t.next = t.c + t.rows * q->u_row;
                    spur__prefetch_step(&p->ahead);
                    q->simd->tile(&t);
                    t.c += t.rows * q->u_row;
                }
            }
        }
    }
}

/* The sum of dy over a tile is its transform at the points (1, 1): position m + 3. */
static void add_bias(const dw_job *q, const float *dm, ptrdiff_t count, const ptrdiff_t k[2],
                     float *bias) {
    ptrdiff_t nr = q->simd->nr;
    for (ptrdiff_t j = k[0]; j < k[1]; j += nr) {
        float sums[64];
        const float *from = dm + (q->m + 3) * q->dm_step + j / nr * q->span * nr;
        spur__pixels p = {from, NULL, count, spur__min(nr, k[1] - j), nr};
        q->simd->column_sums(&p, sums);
        for (ptrdiff_t i = 0; i < p.channels; i++) bias[j + i] += sums[i];
    }
}

/* ---- small --------------------------------------------------------------------------------- */

static void part_task(void *job, ptrdiff_t part, int thread) {
    const dw_job *q = job;
    ptrdiff_t begin, end;
    float *u = spur__scratch(q->exec, thread), *v = u + q->u_floats;
    float *dm = v + q->v_floats, *bias = q->bias + part * q->k;
    product d = {.xi = {0, q->xis}, .c = {0, q->c}, .k = {0, q->k}, .v = v, .dm = dm, .u = u};
    spur__ranks ranks;
    if (q->order) d.ranks = &ranks;
    spur__part(q->tiles, q->parts, part, &begin, &end);
    memset(bias, 0, (size_t)q->k * sizeof(float));
    ptrdiff_t tiles = end - begin, blocks = spur__ceil_div(tiles, q->span);
    for (ptrdiff_t b = 0; b < blocks; b++) {
        ptrdiff_t first;
        spur__part(tiles, blocks, b, &first, &end);
        d.count = end - first;
        d.load = b > 0;
        if (q->order) ranks = spur__order_tiles(&q->dy, begin + first, d.count, q->order);
        transform(q, begin + first, d.count, 0, v, dm);
        multiply(q, &d);
        add_bias(q, dm, d.count, d.k, bias);
    }
    spur__wino_dw p = {.u = u,
                       .xi_step = q->u_step,
                       .u_row = q->u_row,
                       .rows = q->c,
                       .columns = q->k,
                       .dw = q->partial + part * 9 * q->c * q->k,
                       .tap_step = q->c * q->k,
                       .row_step = q->k};
    q->simd->wino_dw(q->m, &p);
}

static void run_small(dw_job *q, const spur__exec *exec, float *workspace) {
    ptrdiff_t floats = 9 * q->c * q->k;
    q->partial = workspace;
    q->bias = q->partial + q->parts * floats;
    spur__parallel(exec, q->parts, part_task, q);
    spur__reduce_parts(exec, q->dw, q->partial, q->parts, floats, floats, q->accumulate);
    if (q->dbias) spur__reduce_parts(exec, q->dbias, q->bias, q->parts, q->k, q->k, q->accumulate);
}

/* ---- large --------------------------------------------------------------------------------- */

static void transform_task(void *job, ptrdiff_t chunk, int thread) {
    const dw_job *q = job;
    ptrdiff_t at = chunk * CHUNK;
    (void)thread;
    transform(q, q->first + at, spur__min(CHUNK, q->count - at), at, q->v, q->dm);
}

static void add_bias_of(const dw_job *q, const ptrdiff_t k[2]) {
    if (!q->dbias) return;
    if (!q->accumulate && q->superblock == 0)
        memset(q->dbias + k[0], 0, (size_t)(k[1] - k[0]) * sizeof(float));
    add_bias(q, q->dm, q->count, k, q->dbias);
}

/* The lines of dw that a product becomes, which it asks for. */
static spur__prefetch gradient_ahead(const dw_job *q, const product *d) {
    ptrdiff_t size = (ptrdiff_t)sizeof(float), row = q->k * size;
    ptrdiff_t panels = spur__ceil_div(d->k[1] - d->k[0], q->simd->nr);
    ptrdiff_t strips = spur__ceil_div(d->c[1] - d->c[0], q->simd->mr);
    return spur__prefetch_block(q->dw + d->c[0] * q->k + d->k[0], 9, q->c * row, d->c[1] - d->c[0],
                                row, (d->k[1] - d->k[0]) * size, q->xis * panels * strips);
}

static void block_task(void *job, ptrdiff_t index, int thread) {
    const dw_job *q = job;
    ptrdiff_t across = spur__ceil_div(q->k, EDGE), c = index / across * EDGE;
    ptrdiff_t k = index % across * EDGE;
    float *u = spur__scratch(q->exec, thread);
    if (q->blocks > 1) u = q->kept + index * q->u_floats;
    product d = {.xi = {0, q->xis},
                 .c = {c, spur__min(q->c, c + EDGE)},
                 .k = {k, spur__min(q->k, k + EDGE)},
                 .count = q->count,
                 .v = q->v,
                 .dm = q->dm,
                 .u = u,
                 .load = q->superblock > 0,
                 .ranks = q->order ? &q->ranks : NULL};
    if (q->superblock == q->blocks - 1) d.ahead = gradient_ahead(q, &d);
    multiply(q, &d);
    spur__wino_dw p = {.u = u,
                       .xi_step = q->u_step,
                       .u_row = q->u_row,
                       .rows = d.c[1] - c,
                       .columns = d.k[1] - k,
                       .dw = q->dw + c * q->k + k,
                       .tap_step = q->c * q->k,
                       .row_step = q->k,
                       .accumulate = q->accumulate};
    if (q->superblock == q->blocks - 1) q->simd->wino_dw(q->m, &p);
    if (c == 0) add_bias_of(q, d.k);
}

static void position_task(void *job, ptrdiff_t xi, int thread) {
    const dw_job *q = job;
    product d = {.xi = {xi, xi + 1},
                 .c = {0, q->c},
                 .k = {0, q->k},
                 .count = q->count,
                 .v = q->v,
                 .dm = q->dm,
                 .u = q->kept,
                 .load = q->superblock > 0,
                 .ranks = q->order ? &q->ranks : NULL};
    (void)thread;
    multiply(q, &d);
    if (xi == q->m + 3) add_bias_of(q, d.k);
}

static void rows_task(void *job, ptrdiff_t index, int thread) {
    const dw_job *q = job;
    ptrdiff_t row = index * ROWS;
    (void)thread;
    spur__wino_dw p = {.u = q->kept + row * q->u_row,
                       .xi_step = q->u_step,
                       .u_row = q->u_row,
                       .rows = spur__min(ROWS, q->c - row),
                       .columns = q->k,
                       .dw = q->dw + row * q->k,
                       .tap_step = q->c * q->k,
                       .row_step = q->k,
                       .accumulate = q->accumulate};
    q->simd->wino_dw(q->m, &p);
}

static void run_large(dw_job *q, const spur__exec *exec, float *workspace) {
    q->v = workspace;
    q->dm = q->v + spur__round_up(q->v_floats, 16);
    q->kept = q->dm + q->dm_floats;
    for (q->superblock = 0; q->superblock < q->blocks; q->superblock++) {
        ptrdiff_t end;
        spur__part(q->tiles, q->blocks, q->superblock, &q->first, &end);
        q->count = end - q->first;
        if (q->order) q->ranks = spur__order_tiles(&q->dy, q->first, q->count, q->order);
        spur__parallel(exec, spur__ceil_div(q->count, CHUNK), transform_task, q);
        if (q->positions)
            spur__parallel(exec, q->xis, position_task, q);
        else
            spur__parallel(exec, dw_blocks(q), block_task, q);
    }
    if (q->positions) spur__parallel(exec, spur__ceil_div(q->c, ROWS), rows_task, q);
}

void spur__winograd_backward_weights(const spur__conv_plan *plan, const spur__exec *exec, int m,
                                     const spur__conv_weights_args *args) {
    dw_job q;
    job_of(&q, &plan->shape, m, args->n);
    q.exec = exec;
    q.x.x = args->x;
    q.dy.x = args->dy;
    q.dy.mask = args->relu_y;
    q.dy.argmax = args->argmax;
    q.dw = args->dw;
    q.dbias = args->dbias;
    q.accumulate = args->accumulate;
    float *workspace = args->workspace;
    if (order_bytes(&q) > 0) {
        q.order = (int32_t *)(void *)workspace;
        q.x.order = q.dy.order = q.order;
        workspace += order_bytes(&q) / sizeof(float);
    }
    if (q.large)
        run_large(&q, exec, workspace);
    else
        run_small(&q, exec, workspace);
}
