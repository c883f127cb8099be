/* SPDX-License-Identifier: MIT
 *
 * Forward and data gradient as a gather times a matrix, with register tiles.
 *
 * Forward: the output grid sees the input through all taps. Data gradient: the pixels of dx fall
 * into stride_h * stride_w phases; in one phase all pixels see dy through the same subset of taps,
 * with unit steps and transposed weights. So both are the same job: every tile of up to mr pixels of
 * a row of a phase times nr output channels is one call whose k runs over taps and channels. A task
 * copies a block of source rows, zero-padded (and ReLU-masked), into scratch that stays in cache,
 * and takes all phases from it; where no tap falls outside of the source, it is read in place.
 *
 * Weights are packed as panels [taps, phase after phase][channels][nr]. Where they exceed a core's
 * cache, tasks go bundle of panels by bundle of panels over a padded copy of the whole source.
 * A task takes its block's groups of channels in turn, and prefetches what the next one copies while
 * the tiles of this one are multiplied.
 *
 * Where a dilated kernel reaches far over the border, rows are cut where the taps that their pixels see
 * change, and tiles take those taps only.
 *
 * A forward pass that ends in a max pool makes some rows of outputs in scratch, pools them, and keeps
 * those that the next windows see as well.
 */
#include "kernels/conv/gather.h"

#include <string.h>

enum {
    BLOCK_FLOATS = 48 * 1024, /* of the source, for a task */
    GROUPS_FLOATS = 256 * 1024, /* of the source of all groups */
    GROUP_FLOATS = 4 * 1024, /* of a group, at least: a thin band copies its edges more often */
    BUNDLE_FLOATS = 320 * 1024, /* of the panels, for a task */
    POOL_FLOATS = 96 * 1024, /* of outputs on their way to a pool */
    STREAM_FLOATS = 3 << 19, /* outputs beyond the caches: see can_stream */
    TRIM_TAPS = 64, /* most taps of a kernel that is trimmed */
    FETCH_PRODUCTS = 128 /* per value of the source; with more, prefetching gains nothing */
};

typedef spur__gather_axis axis;
typedef spur__gather_phase phase;
typedef spur__gather_view view;
typedef spur__gather gather;

/* ---- geometry ------------------------------------------------------------------------------- */

/* Does the phase see the source through this tap, and at what offset? A pixel p of the destination
 * of a transposed convolution does if p + pad - tap * dilation is a multiple of the stride. */
static bool tap_at(const axis *a, ptrdiff_t p, ptrdiff_t tap, ptrdiff_t *offset) {
    ptrdiff_t distance = p + a->pad - tap * a->dilation;
    *offset = a->transposed ? distance / a->stride : -distance;
    return !a->transposed || distance % a->stride == 0;
}

static ptrdiff_t points_of(const axis *a, ptrdiff_t p) {
    return a->transposed ? spur__ceil_div(a->target - p, a->stride) : a->target;
}

/* Fills in what follows from the members above `phases`. */
static void complete_axis(axis *a) {
    ptrdiff_t last = 0, offset;
    bool any = false;
    a->phases = a->transposed ? spur__min(a->stride, a->target) : 1;
    a->points = points_of(a, 0);
    a->step = a->transposed ? 1 : a->stride;
    a->inside = true;
    for (ptrdiff_t i = 0; i < a->phases * a->kernel; i++) {
        ptrdiff_t p = i / a->kernel, end = (points_of(a, p) - 1) * a->step;
        if (!tap_at(a, p, i % a->kernel, &offset)) continue;
        a->first = any ? spur__min(a->first, offset) : offset;
        last = any ? spur__max(last, offset) : offset;
        a->inside = a->inside && offset >= 0 && end + offset < a->source;
        any = true;
    }
    a->reach = last - a->first;
    a->block_step = a->reach ? a->step : 1;
    a->gap = a->reach ? 1 : a->step;
}

/* Pixels of a block under so many grid points. */
static ptrdiff_t extent(const axis *a, ptrdiff_t points) {
    return (points - 1) * a->block_step + a->reach + 1;
}

/* Powers of two between pixels would put all rows of a tile into the same cache sets. */
static ptrdiff_t padded_pitch(ptrdiff_t channels) {
    return channels % 128 == 0 ? channels + 16 : channels;
}

/* Grid rows and images that a task takes, chosen for the plan's batch `most_images`: a smaller one finds
 * the scratch that was planned. Whether panels go in bundles. */
static void choose_block(gather *g, ptrdiff_t most_images) {
    ptrdiff_t rows = g->y.points, share = spur__max(GROUP_FLOATS, GROUPS_FLOATS / g->groups);
    ptrdiff_t most = spur__min(BLOCK_FLOATS, share);
    g->block_pitch = padded_pitch(g->channels);
    g->columns = extent(&g->x, g->x.points);
    while (rows > 1 && extent(&g->y, rows) * g->columns * g->block_pitch > most)
        rows = (rows + 1) / 2;
    g->block_rows = spur__ceil_div(g->y.points, spur__ceil_div(g->y.points, rows));
    g->rows = extent(&g->y, g->block_rows);
    ptrdiff_t floats = g->rows * g->columns * g->block_pitch;
    g->block_images = 1;
    if (g->block_rows == g->y.points) {
        ptrdiff_t images = spur__max(1, most / spur__max(1, floats));
        g->block_images = spur__ceil_div(most_images, spur__ceil_div(most_images, images));
    }
    g->block_floats = spur__round_up(floats * g->block_images, 16);
    g->whole = g->trimmed || (g->panel_floats > BUNDLE_FLOATS && g->outputs > 32);
    if (g->whole) g->rows = g->trimmed ? g->y.source : extent(&g->y, g->y.points);
    if (g->trimmed) g->columns = g->x.source;
}

/* No pixel of the source is further away than its neighbours, and none lies outside. */
static void trim_axis(axis *a) {
    a->first = a->reach = 0;
    a->block_step = a->gap = 1;
    a->inside = true;
}

/* Floats of outputs that a thread keeps for a pool. */
static ptrdiff_t pool_floats(const gather *g) {
    return spur__round_up(g->pool_rows * g->x.target * g->outputs, 16);
}

size_t spur__gather_copy(const gather *g) {
    ptrdiff_t floats = g->whole ? g->n * g->rows * g->columns * g->block_pitch : 0;
    return (size_t)spur__round_up(floats, 16) * sizeof(float);
}

size_t spur__gather_scratch(const gather *g) {
    ptrdiff_t floats = g->whole ? 0 : g->block_floats + (g->pool ? pool_floats(g) : 0);
    return (size_t)floats * sizeof(float);
}

void spur__gather_init(gather *g, const spur__conv_shape *s, ptrdiff_t n, bool transposed) {
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups;
    *g = (gather){.simd = spur__simd_table(), .n = n, .groups = s->groups};
    g->y = (axis){.transposed = transposed,
                  .kernel = s->kh,
                  .stride = s->stride_h,
                  .dilation = s->dilation_h,
                  .pad = s->pad_top,
                  .source = transposed ? s->oh : s->h,
                  .target = transposed ? s->h : s->oh};
    g->x = (axis){.transposed = transposed,
                  .kernel = s->kw,
                  .stride = s->stride_w,
                  .dilation = s->dilation_w,
                  .pad = s->pad_left,
                  .source = transposed ? s->ow : s->w,
                  .target = transposed ? s->w : s->ow};
    complete_axis(&g->y);
    complete_axis(&g->x);
    g->channels = transposed ? k : c;
    g->outputs = transposed ? c : k;
    g->pitch = transposed ? s->y_pitch : s->x_pitch;
    g->dst_pitch = transposed ? s->x_pitch : s->y_pitch;
    g->phase_count = g->y.phases * g->x.phases;
    g->depth = s->kh * s->kw * g->channels;
    g->panel_floats = g->depth * spur__round_up(g->outputs, 32);
    g->trimmed = s->kh * s->kw <= TRIM_TAPS && spur__conv_trims(s);
    if (g->trimmed) {
        trim_axis(&g->y);
        trim_axis(&g->x);
    }
    choose_block(g, s->n);
}

bool spur__gather_pools(gather *g, const spur__pool_shape *pool) {
    ptrdiff_t row = g->x.target * g->outputs, fit = spur__min(POOL_FLOATS / row, g->block_rows);
    if (g->groups > 1 || g->whole || pool->adaptive || pool->kh * row > POOL_FLOATS) return false;
    g->pool = pool;
    g->pool_step = spur__max(0, fit - pool->kh) / pool->stride_h + 1;
    g->pool_rows = (g->pool_step - 1) * pool->stride_h + pool->kh;
    g->dst_pitch = g->outputs;
    return true;
}

/* ---- phases ----------------------------------------------------------------------------------- */

size_t spur__gather_lists(const gather *g) {
    size_t taps = (size_t)(g->y.kernel * g->x.kernel) * 2 * sizeof(ptrdiff_t);
    return ((size_t)g->phase_count * sizeof(phase) + taps + 63) & ~(size_t)63;
}

/* Taps of one axis in a phase: kernel index and offset, the latter rising. */
static ptrdiff_t taps_of(const axis *a, ptrdiff_t p, ptrdiff_t *tap, ptrdiff_t *offset) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < a->kernel; i++) {
        tap[count] = a->transposed ? a->kernel - 1 - i : i;
        if (tap_at(a, p, tap[count], &offset[count])) count++;
    }
    return count;
}

/* A run is a stretch of k contiguous in the source or block: a row of taps if those touch, else one
 * tap. */
static void list_taps(const gather *g, phase *f, ptrdiff_t *taps) {
    ptrdiff_t y[SPUR__TAPS_MAX], x[SPUR__TAPS_MAX], at_y[SPUR__TAPS_MAX], at_x[SPUR__TAPS_MAX];
    ptrdiff_t rows = taps_of(&g->y, f->py, y, at_y), count = taps_of(&g->x, f->px, x, at_x);
    bool touching = g->source.column == g->channels && !g->trimmed;
    for (ptrdiff_t s = 1; s < count; s++)
        if (at_x[s] != at_x[s - 1] + 1) touching = false;
    ptrdiff_t across = touching && count ? 1 : count;
    f->run_length = g->channels * (across ? count / across : 0);
    f->run_count = rows * across;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t s = 0; s < count; s++) {
            taps[r * count + s] = y[r] * g->x.kernel + x[s];
            if (s < across)
                f->runs[r * across + s] = (at_y[r] - g->y.first) * g->source.row +
                                          (at_x[s] - g->x.first) * g->source.column;
        }
}

/* Lays phases, taps and runs out in `lists`, for the view that tiles read. */
static void list_phases(gather *g, void *lists) {
    g->phases = lists;
    ptrdiff_t *runs = (ptrdiff_t *)(void *)(g->phases + g->phase_count), depth = 0;
    g->taps = runs + g->y.kernel * g->x.kernel;
    for (ptrdiff_t i = 0; i < g->phase_count; i++) {
        phase *f = &g->phases[i];
        f->py = i / g->x.phases;
        f->px = i % g->x.phases;
        f->gh = points_of(&g->y, f->py);
        f->gw = points_of(&g->x, f->px);
        f->depth_before = depth;
        f->runs = runs + depth / g->channels;
        list_taps(g, f, g->taps + depth / g->channels);
        depth += f->run_count * f->run_length;
    }
    g->depth = depth;
}

/* ---- copies of the source --------------------------------------------------------------------- */

/* Not with pitches of 4 KiB: all rows of a tile would compete for the same cache sets. */
static bool can_read_in_place(const gather *g) {
    return !g->mask && g->y.inside && g->x.inside && g->pitch * g->x.step % 1024 != 0;
}

static void choose_view(gather *g) {
    g->in_place = can_read_in_place(g);
    g->copies = !g->in_place && !g->whole;
    if (g->in_place) {
        ptrdiff_t row = g->x.source * g->pitch;
        g->source = (view){.image = g->y.source * row,
                           .row = row,
                           .column = g->pitch,
                           .step_y = g->y.step,
                           .step_x = g->x.step};
        g->source.origin = g->src + g->y.first * row + g->x.first * g->pitch;
        g->whole = false;
    } else {
        ptrdiff_t row = g->columns * g->block_pitch;
        g->source = (view){.origin = g->copy,
                           .image = g->rows * row,
                           .row = row,
                           .column = g->block_pitch,
                           .step_y = g->y.block_step,
                           .step_x = g->x.block_step};
    }
}

/* Source row `row` of image `image` into a row of the block. */
static void copy_row(const gather *g, ptrdiff_t group, ptrdiff_t image, ptrdiff_t row, float *out) {
    ptrdiff_t gap = g->x.gap, pitch = g->block_pitch, first = g->x.first;
    if (row < 0 || row >= g->y.source) {
        memset(out, 0, (size_t)(g->columns * pitch) * sizeof(float));
        return;
    }
    ptrdiff_t begin = first < 0 ? spur__ceil_div(-first, gap) : 0;
    ptrdiff_t end = first < g->x.source ? spur__ceil_div(g->x.source - first, gap) : 0;
    begin = spur__min(begin, g->columns);
    end = spur__max(begin, spur__min(end, g->columns));
    memset(out, 0, (size_t)(begin * pitch) * sizeof(float));
    ptrdiff_t from = ((image * g->y.source + row) * g->x.source + first + begin * gap) * g->pitch;
    from += group * g->channels;
    spur__pixels p = {g->src + from, g->mask ? g->mask + from : NULL, end - begin, g->channels,
                      g->pitch * gap};
    if (end > begin) g->simd->copy_pixels(&p, out + begin * pitch, pitch);
    memset(out + end * pitch, 0, (size_t)((g->columns - end) * pitch) * sizeof(float));
}

static void copy_task(void *job, ptrdiff_t index, int thread) {
    const gather *g = job;
    ptrdiff_t image = index / g->rows, row = index % g->rows;
    (void)thread;
    copy_row(g, g->first_group, image, g->y.first + row * g->y.gap,
             g->copy + image * g->source.image + row * g->source.row);
}

void spur__gather_prepare(gather *g, void *lists) {
    choose_view(g);
    list_phases(g, lists);
}

/* ---- tiles ------------------------------------------------------------------------------------ */

/* What the row below reads of the source, in the time of so many tiles. */
static spur__prefetch row_ahead(const gather *g, const float *from, ptrdiff_t tiles) {
    const ptrdiff_t value = sizeof(float), rows = g->y.step;
    const view *v = &g->source;
    const float *next = from + g->y.step * v->row;
    if (g->channels == v->column)
        return spur__prefetch_block(next, rows, v->row * value, 1, 0, v->row * value, tiles);
    return spur__prefetch_block(next, rows, v->row * value, g->x.source, v->column * value,
                                g->channels * value, tiles);
}

typedef struct block {
    ptrdiff_t group, image, images, y, rows;
    const float *from; /* where the first point of the first phase begins to read */
    float *to; /* the first row of the destination */
    bool fetch; /* this is the first time that its source is read */
    spur__prefetch next; /* what the next group copies */
} block;

/* Points [first, first + points) of a row of a phase times one panel; `from` is where the row's first point
 * begins to read. */
static void strip_tiles(const gather *g, block *b, spur__tile *t, const float *from, float *dst,
                        ptrdiff_t first, ptrdiff_t points, bool fetch) {
    ptrdiff_t strips = spur__ceil_div(points, g->simd->mr);
    spur__prefetch next = fetch ? row_ahead(g, from, strips) : (spur__prefetch){0};
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(points, strips, s, &begin, &end);
        t->a = from + (first + begin) * t->a_row;
        t->rows = end - begin;
        t->c = dst + (first + begin) * t->c_row;
        if (fetch) spur__prefetch_step(&next);
        spur__prefetch_step(&b->next);
        if (t->load) t->next = t->c;
        g->simd->tile(t);
    }
}

/* Of taps at rising offsets those that see the source from point `p`, and where that changes next. */
static void seen_from(const axis *a, ptrdiff_t p, const ptrdiff_t *at, ptrdiff_t *first,
                      ptrdiff_t *last, ptrdiff_t *until) {
    *first = *last = 0;
    *until = a->points;
    for (ptrdiff_t i = 0; i < a->kernel; i++) {
        ptrdiff_t begin = -at[i], end = a->source - at[i]; /* from where this tap does */
        if (p < begin) {
            *until = spur__min(*until, begin);
            *first = i + 1;
        } else if (p < end) {
            *until = spur__min(*until, end);
            *last = i + 1;
        }
    }
}

/* Row y of the only phase times one panel, without taps that fall outside. */
static void trimmed_tiles(const gather *g, const phase *f, block *b, const spur__tile *like,
                          ptrdiff_t y, const float *from, float *dst) {
    ptrdiff_t tap[SPUR__TAPS_MAX], at_y[SPUR__TAPS_MAX], at_x[SPUR__TAPS_MAX];
    ptrdiff_t a_run[TRIM_TAPS], b_run[TRIM_TAPS], rows[2], columns[2], until;
    taps_of(&g->y, 0, tap, at_y);
    taps_of(&g->x, 0, tap, at_x);
    seen_from(&g->y, y, at_y, &rows[0], &rows[1], &until);
    spur__tile t = *like;
    t.a_run = a_run;
    t.b_run = b_run;
    for (ptrdiff_t x = 0; x < f->gw; x = until) {
        seen_from(&g->x, x, at_x, &columns[0], &columns[1], &until);
        t.runs = 0;
        for (ptrdiff_t r = rows[0]; r < rows[1]; r++)
            for (ptrdiff_t s = columns[0]; s < columns[1]; s++) {
                a_run[t.runs] = f->runs[r * g->x.kernel + s];
                b_run[t.runs++] = (r * g->x.kernel + s) * f->run_length;
            }
        strip_tiles(g, b, &t, from, dst, x, until - x, false);
    }
}

/* All rows of a phase in the block times one panel. */
static void phase_tiles(const gather *g, const phase *f, block *b, ptrdiff_t column,
                        const float *panel, spur__tile *t) {
    ptrdiff_t stride_y = g->y.transposed ? g->y.stride : 1, row = g->x.target * g->dst_pitch;
    ptrdiff_t rows = spur__min(b->rows, f->gh - b->y);
    bool nothing = !f->run_count && g->accumulate && !g->bias && !g->relu && !g->swish;
    if (nothing) return;
    t->a_run = f->runs;
    t->runs = f->run_count;
    t->run_length = f->run_length;
    t->b = panel + f->depth_before * (t->cols > g->simd->vl ? g->simd->nr : g->simd->vl);
    for (ptrdiff_t i = 0; i < b->images; i++)
        for (ptrdiff_t r = 0; r < rows; r++) {
            const float *from =
                b->from + i * g->source.image + r * g->source.step_y * g->source.row;
            float *to = b->to + (i * g->y.target + r * stride_y + f->py) * row +
                        f->px * g->dst_pitch + column;
            if (g->trimmed)
                trimmed_tiles(g, f, b, t, b->y + r, from, to);
            else
                strip_tiles(g, b, t, from, to, 0, f->gw, b->fetch && f == g->phases);
        }
}

/* The source under the block's grid rows. */
static void copy_block(const gather *g, const block *b, float *copy) {
    ptrdiff_t count = extent(&g->y, b->rows), first = b->y * g->y.step + g->y.first;
    for (ptrdiff_t i = 0; i < b->images; i++)
        for (ptrdiff_t r = 0; r < count; r++)
            copy_row(g, b->group, b->image + i, first + r * g->y.gap,
                     copy + i * g->source.image + r * g->source.row);
}

/* Where the first point of the block's first phase begins to read. */
static const float *block_source(const gather *g, const block *b, int thread) {
    const view *v = &g->source;
    if (g->copies) {
        float *copy = spur__scratch(g->exec, thread);
        copy_block(g, b, copy);
        return copy;
    }
    return v->origin + b->image * v->image + b->y * v->step_y * v->row +
           (g->in_place ? b->group * g->channels : 0);
}

/* What the block's copy for the next group reads, in the time of this one's tiles of so many panels. */
static spur__prefetch next_copy(const gather *g, const block *b, ptrdiff_t panels) {
    const ptrdiff_t value = sizeof(float), row = g->x.source * g->pitch;
    ptrdiff_t first = spur__max(0, b->y * g->y.step + g->y.first);
    ptrdiff_t last = b->y * g->y.step + g->y.first + extent(&g->y, b->rows), tiles = 0;
    ptrdiff_t rows = spur__min(last, g->y.source) - first;
    if (b->images > 1) rows = b->images * g->y.source;
    if (g->y.gap > 1 || g->x.gap > 1 || rows < 1) return (spur__prefetch){0};
    for (ptrdiff_t i = 0; i < g->phase_count; i++)
        tiles += b->images * spur__max(0, spur__min(b->rows, g->phases[i].gh - b->y)) *
                 spur__ceil_div(g->phases[i].gw, g->simd->mr) * panels;
    return spur__prefetch_block(
        g->src + (b->image * g->y.source + first) * row + (b->group + 1) * g->channels, rows,
        row * value, g->x.source, g->pitch * value, g->channels * value, spur__max(1, tiles));
}

/* Panels [begin, end) of a block whose place in the destination is known. */
static void block_tiles(const gather *g, block *b, ptrdiff_t begin, ptrdiff_t end, int thread) {
    const float *panels = g->panels + b->group * g->panel_floats;
    const float *bias = g->bias ? g->bias + b->group * g->outputs : NULL;
    b->from = block_source(g, b, thread);
    spur__tile t = {.a_row = g->source.step_x * g->source.column,
                    .a_step = 1,
                    .c_row = g->dst_pitch * (g->x.transposed ? g->x.stride : 1),
                    .load = g->accumulate,
                    .relu = g->relu,
                    .swish = g->swish,
                    .stream = g->stream};
    for (ptrdiff_t p = begin; p < end; p++) {
        ptrdiff_t column = p * g->simd->nr;
        b->fetch = p == begin && g->fetch;
        t.cols = spur__min(g->simd->nr, g->outputs - column);
        t.bias = bias ? bias + column : NULL;
        for (ptrdiff_t i = 0; i < g->phase_count; i++)
            phase_tiles(g, &g->phases[i], b, column, panels + column * g->depth, &t);
    }
    if (g->stream) g->simd->end_stream();
}

/* ---- tasks ------------------------------------------------------------------------------------ */

static ptrdiff_t block_count(const gather *g) {
    return spur__ceil_div(g->y.points, g->block_rows) * spur__ceil_div(g->n, g->block_images);
}

static block block_at(const gather *g, ptrdiff_t group, ptrdiff_t index) {
    ptrdiff_t bands = spur__ceil_div(g->y.points, g->block_rows);
    ptrdiff_t stride_y = g->y.transposed ? g->y.stride : 1;
    block b = {.group = group,
               .image = index / bands * g->block_images,
               .y = index % bands * g->block_rows};
    b.rows = spur__min(g->block_rows, g->y.points - b.y);
    b.images = spur__min(g->block_images, g->n - b.image);
    b.to = g->dst + (b.image * g->y.target + b.y * stride_y) * g->x.target * g->dst_pitch +
           group * g->outputs;
    return b;
}

static void gather_task(void *job, ptrdiff_t index, int thread) {
    const gather *g = job;
    ptrdiff_t blocks = block_count(g), at = index / blocks, begin, end, first, last;
    spur__part(g->group_count, g->group_parts, at % g->group_parts, &first, &last);
    spur__part(spur__gather_panels(g), g->bundles, at / g->group_parts, &begin, &end);
    for (ptrdiff_t i = first; i < last; i++) {
        block b = block_at(g, g->first_group + i, index % blocks);
        if (g->copies && i + 1 < last) b.next = next_copy(g, &b, end - begin);
        block_tiles(g, &b, begin, end, thread);
    }
}

/* ---- ending in a pool ------------------------------------------------------------------------- */

/* Rows of windows of an image that are made together, and the rows of outputs under them. */
typedef struct pooled {
    ptrdiff_t image, begin, count;
    ptrdiff_t first, last;
} pooled;

static pooled pooled_at(const gather *g, ptrdiff_t image, ptrdiff_t begin, ptrdiff_t end) {
    const spur__pool_shape *s = g->pool;
    pooled p = {image, begin, spur__min(g->pool_step, end - begin), 0, 0};
    ptrdiff_t top = begin * s->stride_h - s->pad_top;
    p.first = spur__max(0, top);
    p.last = spur__min(top + (p.count - 1) * s->stride_h + s->kh, g->y.target);
    p.last = spur__max(p.first, p.last);
    return p;
}

static float *pooled_row(const gather *g, const pooled *p, ptrdiff_t i) {
    const spur__pool_shape *s = g->pool;
    return g->dst + (p->image * s->oh + p->begin + i) * s->ow * s->y_pitch;
}

/* The rows of outputs from `first` on. */
static void make_rows(const gather *g, const pooled *p, ptrdiff_t first, float *to, int thread) {
    for (ptrdiff_t y = first; y < p->last; y += g->block_rows) {
        block b = {.image = p->image, .images = 1, .y = y};
        b.rows = spur__min(g->block_rows, p->last - y);
        b.to = to + (y - first) * g->x.target * g->outputs;
        block_tiles(g, &b, 0, spur__gather_panels(g), thread);
    }
}

static void pool_rows(const gather *g, const pooled *p, const float *rows) {
    spur__pool_shape s = *g->pool;
    s.h = p->last - p->first;
    s.x_pitch = g->outputs;
    s.pad_top += p->first - p->begin * s.stride_h;
    for (ptrdiff_t i = 0; i < p->count; i++)
        g->simd->max_pool(
            &(spur__pool_row){.s = &s, .row = i, .x = rows, .y = pooled_row(g, p, i)});
}

static void pool_task(void *job, ptrdiff_t index, int thread) {
    const gather *g = job;
    ptrdiff_t image = index / g->pool_tasks, row = g->x.target * g->outputs, begin, end;
    ptrdiff_t from = 0, have = 0; /* rows of outputs that lie in scratch */
    float *rows = (float *)spur__scratch(g->exec, thread) + g->block_floats;
    spur__part(g->pool->oh, g->pool_tasks, index % g->pool_tasks, &begin, &end);
    for (ptrdiff_t i = begin; i < end; i += g->pool_step) {
        pooled p = pooled_at(g, image, i, end);
        ptrdiff_t kept = spur__max(0, have - p.first), at = (p.first - from) * row;
        if (kept) memmove(rows, rows + at, (size_t)(kept * row) * sizeof(float));
        make_rows(g, &p, p.first + kept, rows + kept * row, thread);
        pool_rows(g, &p, rows);
        from = p.first;
        have = p.last;
    }
}

/* Large outputs go past the caches if whole lines are written: then they are not read before. */
static bool can_stream(const gather *g) {
    return g->n * g->y.target * g->x.target * g->groups * g->outputs >= STREAM_FLOATS &&
           !g->accumulate && g->outputs % 16 == 0 && g->dst_pitch % 16 == 0 &&
           (size_t)g->dst % 64 == 0;
}

void spur__gather_run(gather *g, const spur__exec *exec) {
    ptrdiff_t wanted = exec->threads > 1 ? 4 * exec->threads : 1, blocks = block_count(g);
    g->exec = exec;
    if (g->pool) {
        g->pool_tasks =
            spur__min(spur__ceil_div(wanted, g->n), spur__ceil_div(g->pool->oh, g->pool_step));
        spur__parallel(exec, g->n * g->pool_tasks, pool_task, g);
        return;
    }
    g->group_count = g->whole ? 1 : g->groups;
    g->group_parts = spur__min(g->group_count, spur__ceil_div(wanted, blocks));
    ptrdiff_t bundles = spur__max(spur__ceil_div(g->panel_floats, BUNDLE_FLOATS),
                                  spur__ceil_div(wanted, blocks * g->group_parts));
    g->bundles = spur__max(1, spur__min(spur__gather_panels(g), bundles));
    g->stream = can_stream(g);
    bool all = g->y.reach + 1 >= g->y.step && g->x.reach + 1 >= g->x.step; /* pixels are read */
    g->fetch = all && g->in_place && g->bundles == 1 && !g->trimmed &&
               g->outputs * g->depth <= FETCH_PRODUCTS * g->channels * g->y.step * g->x.step;
    for (g->first_group = 0; g->first_group < g->groups; g->first_group += g->group_count) {
        if (g->whole) spur__parallel(exec, g->n * g->rows, copy_task, g);
        spur__parallel(exec, blocks * g->bundles * g->group_parts, gather_task, g);
    }
}
