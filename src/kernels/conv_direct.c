/* SPDX-License-Identifier: MIT
 *
 * Forward and data gradient as a gather times a matrix, with register tiles.
 *
 * Forward: the output grid sees the input through all taps. Data gradient: the pixels of dx fall
 * into stride_h * stride_w phases; in one phase all pixels see dy through the same subset of taps,
 * with unit steps and transposed weights. So both are the same job: copy a block of source rows,
 * zero-padded (and ReLU-masked), into scratch that stays in cache; then every tile of up to mr
 * pixels of a row times nr output channels is one call whose k runs over taps and channels.
 * Weights are packed as panels [taps][channels][nr].
 */
#include <string.h>

#include "kernels/conv_internal.h"

enum { BLOCK_FLOATS = 48 * 1024 };

typedef struct gather {
    const spur__simd *simd;
    spur__taps y, x;
    /* source: n images of h * w pixels, `channels` from each, pitch apart */
    const float *src, *mask;
    ptrdiff_t n, h, w, channels, pitch;
    /* output grid and where its points lie in dst */
    ptrdiff_t gh, gw, outputs;
    float *dst;
    ptrdiff_t dst_image, dst_row, dst_column;
    const float *bias;
    bool relu, accumulate;
    const float *panels;
    ptrdiff_t *runs; /* [run_count] offsets in the scratch block */
    ptrdiff_t run_count, run_length;
    /* the scratch block: images * rows * columns pixels, block_pitch apart */
    ptrdiff_t block_rows, block_images; /* grid rows, images a task takes */
    ptrdiff_t rows, columns, block_pitch;
    ptrdiff_t panel_groups; /* tasks across the outputs */
    bool in_place; /* nothing to pad or mask: tiles read the source itself */
    float *scratch;
    ptrdiff_t scratch_floats; /* a thread */
} gather;

static ptrdiff_t extent(const spur__taps *t, ptrdiff_t points) {
    if (t->count < 2) return points;
    return (points - 1) * t->step + t->offset[t->count - 1] - t->offset[0] + 1;
}

/* Powers of two between pixels would put all rows of a tile into the same cache sets. */
static ptrdiff_t padded_pitch(ptrdiff_t channels) {
    return channels % 128 == 0 ? channels + 16 : channels;
}

/* Grid rows and images that a scratch block holds. */
static void choose_block(gather *g) {
    ptrdiff_t rows = g->gh;
    g->block_pitch = padded_pitch(g->channels);
    g->columns = extent(&g->x, g->gw);
    while (rows > 1 && extent(&g->y, rows) * g->columns * g->block_pitch > BLOCK_FLOATS)
        rows = (rows + 1) / 2;
    g->block_rows = spur__ceil_div(g->gh, spur__ceil_div(g->gh, rows));
    g->rows = extent(&g->y, g->block_rows);
    ptrdiff_t floats = g->rows * g->columns * g->block_pitch;
    g->block_images = 1;
    if (g->block_rows == g->gh)
        g->block_images = spur__most(1, spur__least(g->n, BLOCK_FLOATS / spur__most(1, floats)));
    g->scratch_floats = spur__round_up(floats * g->block_images, 16);
}

/* True if all taps of all points lie inside [0, size). */
static bool inside(const spur__taps *t, ptrdiff_t points, ptrdiff_t size) {
    return t->count > 0 && t->offset[0] >= 0 &&
           (points - 1) * t->step + t->offset[t->count - 1] < size;
}

/* Not with pitches of 4 KiB: all rows of a tile would compete for the same cache sets. */
static bool can_read_in_place(const gather *g) {
    return !g->mask && inside(&g->y, g->gh, g->h) && inside(&g->x, g->gw, g->w) &&
           g->pitch * g->x.step % 1024 != 0;
}

/* A run is a stretch of k contiguous in the source or block: a row of taps if those touch, else one
 * tap. */
static void choose_runs(gather *g) {
    g->in_place = can_read_in_place(g);
    ptrdiff_t pitch = g->in_place ? g->pitch : g->block_pitch;
    ptrdiff_t columns = g->in_place ? g->w : g->columns;
    bool touching = pitch == g->channels;
    for (ptrdiff_t s = 1; s < g->x.count; s++)
        if (g->x.offset[s] != g->x.offset[s - 1] + 1) touching = false;
    ptrdiff_t across = touching && g->x.count ? 1 : g->x.count;
    g->run_length = g->channels * (across ? g->x.count / across : 0);
    g->run_count = g->y.count * across;
    for (ptrdiff_t r = 0; r < g->y.count; r++)
        for (ptrdiff_t s = 0; s < across; s++)
            g->runs[r * across + s] =
                ((g->y.offset[r] - g->y.offset[0]) * columns + (g->x.offset[s] - g->x.offset[0])) *
                pitch;
}

/* Source row `row` of image `image` into a row of the block. */
static void copy_row(const gather *g, ptrdiff_t image, ptrdiff_t row, float *out) {
    ptrdiff_t step = g->x.count < 2 ? g->x.step : 1, pitch = g->block_pitch;
    ptrdiff_t first = g->x.count ? g->x.offset[0] : 0;
    if (row < 0 || row >= g->h) {
        memset(out, 0, (size_t)(g->columns * pitch) * sizeof(float));
        return;
    }
    ptrdiff_t begin = first < 0 ? spur__ceil_div(-first, step) : 0;
    ptrdiff_t end = first < g->w ? spur__ceil_div(g->w - first, step) : 0;
    begin = spur__least(begin, g->columns);
    end = spur__most(begin, spur__least(end, g->columns));
    memset(out, 0, (size_t)(begin * pitch) * sizeof(float));
    ptrdiff_t from = ((image * g->h + row) * g->w + first + begin * step) * g->pitch;
    spur__pixels p = {g->src + from, g->mask ? g->mask + from : NULL, end - begin, g->channels,
                      g->pitch * step};
    if (end > begin) g->simd->copy_pixels(&p, out + begin * pitch, pitch);
    memset(out + end * pitch, 0, (size_t)((g->columns - end) * pitch) * sizeof(float));
}

static void copy_block(const gather *g, ptrdiff_t image, ptrdiff_t images, ptrdiff_t y,
                       ptrdiff_t rows, float *block) {
    ptrdiff_t count = extent(&g->y, rows), step = g->y.count < 2 ? g->y.step : 1;
    ptrdiff_t first = y * g->y.step + (g->y.count ? g->y.offset[0] : 0);
    if (!g->run_count) return;
    for (ptrdiff_t i = 0; i < images; i++)
        for (ptrdiff_t r = 0; r < count; r++)
            copy_row(g, image + i, first + r * step,
                     block + (i * g->rows + r) * g->columns * g->block_pitch);
}

/* Grid row `row` of image `image` as tiles see it; image and row count from the block's start. */
static const float *tile_source(const gather *g, const float *block, ptrdiff_t first_image,
                                ptrdiff_t first_row, ptrdiff_t image, ptrdiff_t row) {
    if (g->in_place)
        return g->src +
               (((first_image + image) * g->h + (first_row + row) * g->y.step + g->y.offset[0]) *
                    g->w +
                g->x.offset[0]) *
                   g->pitch;
    ptrdiff_t step = g->y.count < 2 ? 1 : g->y.step;
    return block + (image * g->rows + row * step) * g->columns * g->block_pitch;
}

/* One grid row times one panel. */
static void row_tiles(const gather *g, spur__tile *t, const float *block, float *dst) {
    ptrdiff_t strips = spur__ceil_div(g->gw, g->simd->mr);
    ptrdiff_t step = (g->x.count < 2 ? 1 : g->x.step) * g->block_pitch;
    if (g->in_place) step = g->x.step * g->pitch;
    t->a_row = step;
    for (ptrdiff_t s = 0; s < strips; s++) {
        ptrdiff_t begin, end;
        spur__part(g->gw, strips, s, &begin, &end);
        t->a = block + begin * step;
        t->rows = end - begin;
        t->c = dst + begin * g->dst_column;
        g->simd->tile(t);
    }
}

static void gather_task(void *job, ptrdiff_t index, int thread) {
    const gather *g = job;
    float *block = g->scratch + thread * g->scratch_floats;
    ptrdiff_t bands = spur__ceil_div(g->gh, g->block_rows), group = index % g->panel_groups;
    ptrdiff_t y = index / g->panel_groups % bands * g->block_rows;
    ptrdiff_t image = index / g->panel_groups / bands * g->block_images;
    ptrdiff_t rows = spur__least(g->block_rows, g->gh - y);
    ptrdiff_t images = spur__least(g->block_images, g->n - image), begin, end;
    spur__part(spur__ceil_div(g->outputs, g->simd->nr), g->panel_groups, group, &begin, &end);
    if (!g->in_place) copy_block(g, image, images, y, rows, block);
    spur__tile t = {.a_step = 1,
                    .a_run = g->runs,
                    .runs = g->run_count,
                    .c_row = g->dst_column,
                    .run_length = g->run_length,
                    .load = g->accumulate,
                    .relu = g->relu};
    ptrdiff_t depth = g->run_count * g->run_length;
    for (ptrdiff_t p = begin; p < end; p++) {
        ptrdiff_t column = p * g->simd->nr;
        t.cols = spur__least(g->simd->nr, g->outputs - column);
        t.b = g->panels + column * depth;
        t.bias = g->bias ? g->bias + column : NULL;
        for (ptrdiff_t i = 0; i < images; i++)
            for (ptrdiff_t r = 0; r < rows; r++)
                row_tiles(g, &t, tile_source(g, block, image, y, i, r),
                          g->dst + (image + i) * g->dst_image + (y + r) * g->dst_row + column);
    }
}

static void run_gather(gather *g, const spur__exec *exec) {
    if (!g->run_count && g->accumulate && !g->bias && !g->relu) return; /* nothing to add */
    ptrdiff_t panels = spur__ceil_div(g->outputs, g->simd->nr);
    ptrdiff_t blocks = spur__ceil_div(g->gh, g->block_rows) * spur__ceil_div(g->n, g->block_images);
    ptrdiff_t wanted = exec->threads > 1 ? 4 * exec->threads : 1;
    g->panel_groups = spur__most(1, spur__least(panels, spur__ceil_div(wanted, blocks)));
    spur__parallel(exec, blocks * g->panel_groups, gather_task, g);
}

/* ---- packing of weights -------------------------------------------------------------------- */

typedef struct pack_job {
    const spur__conv_shape *s;
    const spur__simd *simd;
    const spur__taps *y, *x;
    const float *w;
    float *panels;
    ptrdiff_t group;
    bool transposed; /* for the data gradient: k in the inner sum, c across */
} pack_job;

static void pack_task(void *job, ptrdiff_t panel, int thread) {
    const pack_job *q = job;
    const spur__conv_shape *s = q->s;
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups;
    ptrdiff_t depth = q->transposed ? k : c, across = q->transposed ? c : k;
    ptrdiff_t column = panel * q->simd->nr, columns = spur__least(q->simd->nr, across - column);
    ptrdiff_t width = columns > q->simd->vl ? q->simd->nr : q->simd->vl;
    float *out = q->panels + column * depth * q->y->count * q->x->count;
    (void)thread;
    for (ptrdiff_t r = 0; r < q->y->count; r++) {
        for (ptrdiff_t t = 0; t < q->x->count; t++, out += depth * width) {
            const float *w =
                q->w + (q->y->kernel[r] * s->kw + q->x->kernel[t]) * c * s->k + q->group * k;
            if (q->transposed)
                q->simd->pack_transposed(w + column * s->k, s->k, columns, width, depth, out);
            else
                q->simd->pack_panel(&(spur__pixels){w + column, NULL, depth, columns, s->k}, width,
                                    out, NULL);
        }
    }
}

static void pack_weights(pack_job *q, const spur__exec *exec) {
    ptrdiff_t across = (q->transposed ? q->s->c : q->s->k) / q->s->groups;
    spur__parallel(exec, spur__ceil_div(across, q->simd->nr), pack_task, q);
}

/* Floats of one group's panels, whatever the instruction set. */
static ptrdiff_t panel_floats(const spur__conv_shape *s, ptrdiff_t depth, ptrdiff_t across) {
    return s->kh * s->kw * depth * spur__round_up(across, 32);
}

/* ---- the two passes ------------------------------------------------------------------------ */

static void all_taps(spur__taps *t, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t dilation,
                     ptrdiff_t pad) {
    t->count = count;
    t->step = stride;
    for (ptrdiff_t i = 0; i < count; i++) {
        t->offset[i] = i * dilation - pad;
        t->kernel[i] = i;
    }
}

/* Taps that reach dx's pixels of phase p (position p + i * stride): those where
 * p + pad - tap * dilation is a multiple of the stride. */
static void phase_taps(spur__taps *t, ptrdiff_t p, ptrdiff_t count, ptrdiff_t stride,
                       ptrdiff_t dilation, ptrdiff_t pad) {
    t->count = 0;
    t->step = 1;
    for (ptrdiff_t i = count - 1; i >= 0; i--) {
        ptrdiff_t distance = p + pad - i * dilation;
        if (distance % stride != 0) continue;
        t->offset[t->count] = distance / stride;
        t->kernel[t->count++] = i;
    }
}

static void forward_gather(gather *g, const spur__conv_shape *s, ptrdiff_t n) {
    *g = (gather){.simd = spur__simd_table(), .n = n, .h = s->h, .w = s->w};
    g->channels = s->c / s->groups;
    g->pitch = s->x_pitch;
    g->gh = s->oh;
    g->gw = s->ow;
    g->outputs = s->k / s->groups;
    g->dst_column = s->y_pitch;
    g->dst_row = s->ow * s->y_pitch;
    g->dst_image = s->oh * g->dst_row;
    all_taps(&g->y, s->kh, s->stride_h, s->dilation_h, s->pad_top);
    all_taps(&g->x, s->kw, s->stride_w, s->dilation_w, s->pad_left);
    choose_block(g);
}

/* The gather of phase (py, px) of dx; false if no pixel is in it. */
static bool data_gather(gather *g, const spur__conv_shape *s, ptrdiff_t n, ptrdiff_t phase) {
    ptrdiff_t py = phase / s->stride_w, px = phase % s->stride_w;
    *g = (gather){.simd = spur__simd_table(), .n = n, .h = s->oh, .w = s->ow};
    g->channels = s->k / s->groups;
    g->pitch = s->y_pitch;
    g->gh = s->h > py ? spur__ceil_div(s->h - py, s->stride_h) : 0;
    g->gw = s->w > px ? spur__ceil_div(s->w - px, s->stride_w) : 0;
    g->outputs = s->c / s->groups;
    g->dst_column = s->stride_w * s->x_pitch;
    g->dst_row = s->stride_h * s->w * s->x_pitch;
    g->dst_image = s->h * s->w * s->x_pitch;
    phase_taps(&g->y, py, s->kh, s->stride_h, s->dilation_h, s->pad_top);
    phase_taps(&g->x, px, s->kw, s->stride_w, s->dilation_w, s->pad_left);
    if (g->gh <= 0 || g->gw <= 0) return false;
    choose_block(g);
    return true;
}

static size_t runs_bytes(const spur__conv_shape *s) {
    return ((size_t)(s->kh * s->kw) * sizeof(ptrdiff_t) + 63) & ~(size_t)63;
}

size_t spur__direct_packed(const spur__conv_shape *s) {
    return (size_t)(s->groups * panel_floats(s, s->c / s->groups, s->k / s->groups)) *
           sizeof(float);
}

size_t spur__direct_workspace(const spur__conv_plan *plan, spur__conv_pass pass) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    ptrdiff_t largest = 0;
    size_t panels;
    if (pass == SPUR__CONV_FORWARD) {
        forward_gather(&g, s, s->n);
        largest = g.scratch_floats;
        panels = spur__direct_packed(s);
    } else {
        for (ptrdiff_t phase = 0; phase < s->stride_h * s->stride_w; phase++)
            if (data_gather(&g, s, s->n, phase)) largest = spur__most(largest, g.scratch_floats);
        panels = (size_t)panel_floats(s, s->k / s->groups, s->c / s->groups) * sizeof(float);
    }
    return 128 + runs_bytes(s) + panels + (size_t)(plan->threads * largest) * sizeof(float);
}

void spur__direct_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                       float *packed) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    forward_gather(&g, s, 1);
    pack_job q = {s, g.simd, &g.y, &g.x, w, packed, 0, false};
    for (; q.group < s->groups; q.group++) {
        pack_weights(&q, exec);
        q.panels += panel_floats(s, s->c / s->groups, s->k / s->groups);
    }
}

void spur__direct_forward(const spur__conv_plan *plan, const spur__exec *exec,
                          const spur__conv_forward_args *args) {
    const spur__conv_shape *s = &plan->shape;
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups;
    gather g;
    forward_gather(&g, s, args->n);
    g.runs = args->workspace;
    float *panels = (float *)(void *)((char *)args->workspace + runs_bytes(s));
    g.scratch = panels + spur__direct_packed(s) / sizeof(float);
    g.relu = args->relu;
    g.accumulate = args->accumulate;
    choose_runs(&g);
    if (!args->packed) spur__direct_pack(plan, exec, args->w, panels);
    g.panels = args->packed ? args->packed : panels;
    for (ptrdiff_t group = 0; group < s->groups; group++) {
        g.src = args->x + group * c;
        g.dst = args->y + group * k;
        g.bias = args->bias ? args->bias + group * k : NULL;
        run_gather(&g, exec);
        g.panels += panel_floats(s, c, k);
    }
}

void spur__direct_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                const spur__conv_data_args *args) {
    const spur__conv_shape *s = &plan->shape;
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups;
    float *panels = (float *)(void *)((char *)args->workspace + runs_bytes(s));
    gather g;
    for (ptrdiff_t i = 0; i < s->groups * s->stride_h * s->stride_w; i++) {
        ptrdiff_t group = i % s->groups, phase = i / s->groups;
        if (!data_gather(&g, s, args->n, phase)) continue;
        g.runs = args->workspace;
        g.panels = panels;
        g.scratch = panels + panel_floats(s, k, c);
        g.src = args->dy + group * k;
        g.mask = args->relu_y ? args->relu_y + group * k : NULL;
        choose_runs(&g);
        g.dst =
            args->dx + group * c + (phase / s->stride_w * s->w + phase % s->stride_w) * s->x_pitch;
        g.accumulate = args->accumulate;
        g.bias = args->bias ? args->bias + group * c : NULL;
        g.relu = args->relu;
        pack_job q = {s, g.simd, &g.y, &g.x, args->w, panels, group, true};
        pack_weights(&q, exec);
        run_gather(&g, exec);
    }
}
