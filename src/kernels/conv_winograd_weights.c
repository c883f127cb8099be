/* SPDX-License-Identifier: MIT
 *
 * Weight gradient of 3x3 convolutions by Winograd: dU = sum over tiles of V^T dM per position xi,
 * with V the transformed inputs and dM the transformed dy; dw = G^T dU G.
 *
 * V  [xi][channels / 16][tiles][16]      dM [xi][panel][tiles][nr]      dU [xi][channels][u_row]
 *
 * Small layers: the tiles are cut into parts by shape alone; a task takes one part through all
 * steps with a dU of its own and leaves a partial dw; those are added in order. Large ones: V and dM
 * of a superblock of tiles (cut by shape alone) are made by all threads; then a task takes a block
 * of channels and outputs. Its dU is kept from superblock to superblock, or, when there is only
 * one, stays in cache and becomes dw at once.
 */
#include <string.h>

#include "kernels/conv_winograd.h"

enum {
    SMALL = 64 * 128, /* channels times outputs up to which every thread has a dU */
    PARTS = 16,
    PART_TILES = 48, /* at least, in a part */
    BLOCK = 48, /* tiles taken at a time by a part */
    GROUP = 16, /* channels that lie together in V */
    EDGE = 64, /* channels and outputs of a task in the large mode */
    SUPERBLOCK_FLOATS = 2 << 20, /* of V and dM */
    CHUNK = 8 /* tiles transformed by a task */
};

typedef struct dw_job {
    int m;
    ptrdiff_t xis;
    const spur__simd *simd;
    spur__tiling x, dy;
    ptrdiff_t tiles, c, k;
    ptrdiff_t span; /* tiles that V and dM have room for */
    ptrdiff_t v_group, v_step, dm_step, u_row, u_step;
    ptrdiff_t v_floats, dm_floats, u_floats;
    bool large;
    ptrdiff_t parts, blocks; /* small; large: superblocks */
    ptrdiff_t first, count, superblock; /* the superblock at work */
    float *v, *dm, *scratch, *partial, *bias;
    ptrdiff_t thread_floats, kept_floats;
    float *kept; /* large, several superblocks: dU of every block */
    float *dw, *dbias;
    bool accumulate;
} dw_job;

/* Tasks of a superblock. */
static ptrdiff_t dw_blocks(const dw_job *q) {
    return spur__ceil_div(q->c, EDGE) * spur__ceil_div(q->k, EDGE);
}

static void sizes(dw_job *q) {
    /* The transform fills channels up to the next multiple of 16, which may be a panel more. */
    ptrdiff_t panels = spur__ceil_div(spur__round_up(q->k, 16), q->simd->nr);
    ptrdiff_t rows = q->large ? EDGE : q->c;
    q->v_group = q->span * GROUP + 16; /* off the power of two */
    q->v_step = spur__ceil_div(q->c, GROUP) * q->v_group + 48;
    q->dm_step = panels * q->span * q->simd->nr + 48;
    q->u_row = (q->large ? EDGE : spur__round_up(q->k, 32)) + 16;
    q->u_step = rows * q->u_row + 16;
    q->v_floats = q->xis * q->v_step;
    q->dm_floats = q->xis * spur__round_up(q->dm_step, 16);
    q->u_floats = q->xis * q->u_step;
    q->thread_floats = q->u_floats + (q->large ? 0 : q->v_floats + q->dm_floats);
    q->kept_floats = q->large && q->blocks > 1 ? dw_blocks(q) * q->u_floats : 0;
}

static void job_of(dw_job *q, const spur__conv_shape *s, int m, ptrdiff_t n) {
    *q = (dw_job){.m = m,
                  .xis = (m + 2) * (m + 2),
                  .simd = spur__simd_table(),
                  .c = s->c,
                  .k = s->k,
                  .parts = 1,
                  .blocks = 1};
    q->x = (spur__tiling){.h = s->h,
                          .w = s->w,
                          .channels = s->c,
                          .pitch = s->x_pitch,
                          .pad_y = s->pad_top,
                          .pad_x = s->pad_left};
    q->dy = (spur__tiling){.h = s->oh, .w = s->ow, .channels = s->k, .pitch = s->y_pitch};
    q->x.tiles_y = q->dy.tiles_y = spur__ceil_div(s->oh, m);
    q->x.tiles_x = q->dy.tiles_x = spur__ceil_div(s->ow, m);
    q->tiles = n * q->x.tiles_y * q->x.tiles_x;
    q->large = s->c * s->k > SMALL;
    if (q->large) {
        ptrdiff_t fit = SUPERBLOCK_FLOATS / (q->xis * (s->c + s->k));
        fit = spur__most(128, spur__least(fit, 1024));
        q->blocks = spur__ceil_div(q->tiles, fit);
        q->span = spur__ceil_div(q->tiles, q->blocks);
    } else {
        q->parts = spur__most(1, spur__least(PARTS, q->tiles / PART_TILES));
        q->span = BLOCK;
    }
    sizes(q);
}

static size_t workspace_of(const spur__conv_plan *plan, int m, ptrdiff_t n) {
    dw_job q;
    job_of(&q, &plan->shape, m, n);
    ptrdiff_t shared =
        q.large ? q.v_floats + q.dm_floats + q.kept_floats + 64 : q.parts * (9 * q.c * q.k + q.k);
    return (size_t)(spur__round_up(shared, 16) +
                    plan->threads * spur__round_up(q.thread_floats, 16)) *
           sizeof(float);
}

size_t spur__winograd_weights_workspace(const spur__conv_plan *plan, int m) {
    size_t most = 0;
    for (ptrdiff_t n = 1; n <= plan->shape.n; n++) {
        size_t size = workspace_of(plan, m, n);
        if (size > most) most = size;
    }
    return most + 64;
}

/* Tiles [tile, tile + count) to positions [at, at + count) of V and dM. */
static void transform(const dw_job *q, ptrdiff_t tile, ptrdiff_t count, ptrdiff_t at, float *v,
                      float *dm) {
    ptrdiff_t nr = q->simd->nr;
    spur__spectrum to_v = {v + at * GROUP, q->v_step, GROUP, q->v_group, GROUP};
    spur__spectrum to_dm = {dm + at * nr, q->dm_step, nr, q->span * nr, nr};
    q->simd->wino_input(q->m, &q->x, tile, count, &to_v);
    q->simd->wino_gradient(q->m, &q->dy, tile, count, &to_dm);
}

/* Brings the rows of dU behind those of tile t near, while t is at work: they come next. */
static void prefetch_next(const spur__tile *t) {
    for (ptrdiff_t r = t->rows; r < 2 * t->rows; r++)
        for (ptrdiff_t j = 0; j < t->cols; j += 16) __builtin_prefetch(t->c + r * t->c_row + j, 1);
}

/* dU of channels [c0, c1) and outputs [k0, k1) (+)= V^T dM over `count` tiles. c0 is the first of a
 * group of channels. */
static void multiply(const dw_job *q, const float *v, const float *dm, ptrdiff_t count,
                     const ptrdiff_t c[2], const ptrdiff_t k[2], float *u, bool load) {
    ptrdiff_t run = 0, nr = q->simd->nr, begin, end;
    spur__tile t = {.a_row = 1,
                    .a_step = GROUP,
                    .a_run = &run,
                    .runs = 1,
                    .run_length = count,
                    .c_row = q->u_row,
                    .cols = nr,
                    .load = load};
    for (ptrdiff_t xi = 0; xi < q->xis; xi++) {
        for (ptrdiff_t j = k[0]; j < k[1]; j += nr) {
            t.b = dm + xi * q->dm_step + j / nr * q->span * nr;
            t.c = u + xi * q->u_step + j - k[0];
            for (ptrdiff_t g = c[0]; g < c[1]; g += GROUP) {
                ptrdiff_t rows = spur__least(GROUP, c[1] - g);
                ptrdiff_t strips = spur__ceil_div(rows, q->simd->mr);
                for (ptrdiff_t s = 0; s < strips; s++) {
                    spur__part(rows, strips, s, &begin, &end);
                    t.rows = end - begin;
                    t.a = v + xi * q->v_step + g / GROUP * q->v_group + begin;
                    prefetch_next(&t);
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
        spur__pixels p = {from, NULL, count, spur__least(nr, k[1] - j), nr};
        q->simd->column_sums(&p, sums);
        for (ptrdiff_t i = 0; i < p.channels; i++) bias[j + i] += sums[i];
    }
}

/* ---- small --------------------------------------------------------------------------------- */

static void part_task(void *job, ptrdiff_t part, int thread) {
    const dw_job *q = job;
    ptrdiff_t begin, end, c[2] = {0, q->c}, k[2] = {0, q->k};
    float *u = q->scratch + thread * spur__round_up(q->thread_floats, 16), *v = u + q->u_floats;
    float *dm = v + q->v_floats, *bias = q->bias + part * q->k;
    spur__part(q->tiles, q->parts, part, &begin, &end);
    memset(bias, 0, (size_t)q->k * sizeof(float));
    for (ptrdiff_t tile = begin; tile < end; tile += BLOCK) {
        ptrdiff_t count = spur__least(BLOCK, end - tile);
        transform(q, tile, count, 0, v, dm);
        multiply(q, v, dm, count, c, k, u, tile > begin);
        add_bias(q, dm, count, k, bias);
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
    q->scratch = workspace + spur__round_up(q->parts * (floats + q->k), 16);
    spur__parallel(exec, q->parts, part_task, q);
    spur__reduce_parts(exec, q->dw, q->partial, q->parts, floats, floats, q->accumulate);
    if (q->dbias) spur__reduce_parts(exec, q->dbias, q->bias, q->parts, q->k, q->k, q->accumulate);
}

/* ---- large --------------------------------------------------------------------------------- */

static void transform_task(void *job, ptrdiff_t chunk, int thread) {
    const dw_job *q = job;
    ptrdiff_t at = chunk * CHUNK;
    (void)thread;
    transform(q, q->first + at, spur__least(CHUNK, q->count - at), at, q->v, q->dm);
}

static void block_task(void *job, ptrdiff_t index, int thread) {
    const dw_job *q = job;
    ptrdiff_t across = spur__ceil_div(q->k, EDGE);
    ptrdiff_t c[2] = {index / across * EDGE, 0}, k[2] = {index % across * EDGE, 0};
    float *u = q->scratch + thread * spur__round_up(q->thread_floats, 16);
    c[1] = spur__least(q->c, c[0] + EDGE);
    k[1] = spur__least(q->k, k[0] + EDGE);
    if (q->blocks > 1) u = q->kept + index * q->u_floats;
    multiply(q, q->v, q->dm, q->count, c, k, u, q->superblock > 0);
    spur__wino_dw p = {.u = u,
                       .xi_step = q->u_step,
                       .u_row = q->u_row,
                       .rows = c[1] - c[0],
                       .columns = k[1] - k[0],
                       .dw = q->dw + c[0] * q->k + k[0],
                       .tap_step = q->c * q->k,
                       .row_step = q->k,
                       .accumulate = q->accumulate};
    if (q->superblock == q->blocks - 1) q->simd->wino_dw(q->m, &p);
    if (!q->dbias || c[0] > 0) return;
    if (!q->accumulate && q->superblock == 0)
        memset(q->dbias + k[0], 0, (size_t)(k[1] - k[0]) * sizeof(float));
    add_bias(q, q->dm, q->count, k, q->dbias);
}

static void run_large(dw_job *q, const spur__exec *exec, float *workspace) {
    q->v = workspace;
    q->dm = q->v + spur__round_up(q->v_floats, 16);
    q->kept = q->dm + q->dm_floats;
    q->scratch = q->kept + spur__round_up(q->kept_floats, 16);
    for (q->superblock = 0; q->superblock < q->blocks; q->superblock++) {
        ptrdiff_t end;
        spur__part(q->tiles, q->blocks, q->superblock, &q->first, &end);
        q->count = end - q->first;
        spur__parallel(exec, spur__ceil_div(q->count, CHUNK), transform_task, q);
        spur__parallel(exec, dw_blocks(q), block_task, q);
    }
}

void spur__winograd_backward_weights(const spur__conv_plan *plan, const spur__exec *exec, int m,
                                     const spur__conv_weights_args *args) {
    dw_job q;
    job_of(&q, &plan->shape, m, args->n);
    q.x.x = args->x;
    q.dy.x = args->dy;
    q.dy.mask = args->relu_y;
    q.dy.argmax = args->argmax;
    q.dw = args->dw;
    q.dbias = args->dbias;
    q.accumulate = args->accumulate;
    if (q.large)
        run_large(&q, exec, args->workspace);
    else
        run_small(&q, exec, args->workspace);
}
