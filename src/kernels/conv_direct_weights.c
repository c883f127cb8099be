/* SPDX-License-Identifier: MIT
 *
 * Weight gradient with register tiles: for every kernel row r, dw[r] is a matrix [kw * c][k] that
 * sums, over all output pixels, the kw * c input values under the kernel times dy's k values.
 *
 * The pixels are cut into blocks (a band of rows of one image); the blocks into `parts` by shape
 * alone. A task takes one part and COLUMNS output channels; it copies each block's input rows
 * (zero-padded; without padding they are read where they lie) and dy (ReLU-masked, as panels) into
 * scratch and adds the block's sums to its partial dw. The partial ones are added at the end, in
 * order.
 */
#include <string.h>

#include "kernels/conv_internal.h"

enum {
    COLUMNS = 64, /* output channels of a task; a multiple of every nr */
    BLOCK_PIXELS = 256,
    BLOCK_FLOATS = 64 * 1024,
    TASKS = 16, /* wanted, for teams up to 8 */
    PART_FLOATS = 4 << 20 /* partial sums in all, unless there is one part */
};

typedef struct weights_job {
    const spur__conv_shape *s;
    const spur__simd *simd;
    const float *x, *dy, *mask;
    ptrdiff_t n, c, k; /* channels of a group */
    bool in_place; /* all taps lie inside the image */
    ptrdiff_t band, bands, rows, columns, pitch; /* block: output rows; input rows, columns */
    ptrdiff_t column_tasks, parts;
    float *partial; /* [parts][kh][kw][c][k of all groups] */
    float *bias; /* [parts][k of all groups], or NULL */
    ptrdiff_t partial_floats;
    ptrdiff_t *runs; /* [band] offsets of the band's rows in the block */
    float *scratch;
    ptrdiff_t x_floats, dy_floats; /* of a thread's scratch */
} weights_job;

static void plan_job(weights_job *q, const spur__conv_shape *s, ptrdiff_t n) {
    *q = (weights_job){
        .s = s, .simd = spur__simd_table(), .n = n, .c = s->c / s->groups, .k = s->k / s->groups};
    q->pitch = q->c % 128 == 0 ? q->c + 16 : q->c;
    q->columns = (s->ow - 1) * s->stride_w + (s->kw - 1) * s->dilation_w + 1;
    q->in_place = !s->pad_top && !s->pad_left && q->columns <= s->w &&
                  (s->oh - 1) * s->stride_h + (s->kh - 1) * s->dilation_h < s->h;
    if (q->in_place) {
        q->pitch = s->x_pitch;
        q->columns = s->w;
    }
    ptrdiff_t band = spur__most(1, spur__least(s->oh, BLOCK_PIXELS / s->ow));
    for (;; band = (band + 1) / 2) {
        q->rows = (band - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
        if (band == 1 || q->in_place || q->rows * q->columns * q->pitch <= BLOCK_FLOATS) break;
    }
    q->bands = spur__ceil_div(s->oh, band);
    q->band = spur__ceil_div(s->oh, q->bands);
    q->rows = (q->band - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
    q->x_floats = q->in_place ? 0 : spur__round_up(q->rows * q->columns * q->pitch + 16, 16);
    q->dy_floats = q->band * s->ow * COLUMNS;
    q->column_tasks = spur__ceil_div(q->k, COLUMNS);
    q->partial_floats = s->kh * s->kw * q->c * s->k;
    q->parts = spur__ceil_div(TASKS, q->column_tasks * s->groups);
    q->parts = spur__least(q->parts, PART_FLOATS / q->partial_floats);
    q->parts = spur__most(1, spur__least(q->parts, q->bands * n));
}

static void copy_input_row(const weights_job *q, const float *x, ptrdiff_t row, float *out) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t begin = s->pad_left, end = spur__least(q->columns, s->pad_left + s->w);
    if (row < 0 || row >= s->h || end <= begin) {
        memset(out, 0, (size_t)(q->columns * q->pitch) * sizeof(float));
        return;
    }
    memset(out, 0, (size_t)(begin * q->pitch) * sizeof(float));
    spur__pixels p = {x + row * s->w * s->x_pitch, NULL, end - begin, q->c, s->x_pitch};
    q->simd->copy_pixels(&p, out + begin * q->pitch, q->pitch);
    memset(out + end * q->pitch, 0, (size_t)((q->columns - end) * q->pitch) * sizeof(float));
}

/* The input rows under `count` output rows from y on. */
static void copy_rows(const weights_job *q, const float *image, ptrdiff_t y, ptrdiff_t count,
                      float *out) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t rows = (count - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
    for (ptrdiff_t r = 0; r < rows; r++)
        copy_input_row(q, image, y * s->stride_h - s->pad_top + r, out + r * q->columns * q->pitch);
}

/* Panels of columns [column, column + columns) of dy over `pixels` pixels from `offset`. */
static void pack_dy(const weights_job *q, ptrdiff_t offset, ptrdiff_t pixels, ptrdiff_t columns,
                    float *out, float *bias) {
    for (ptrdiff_t j = 0; j < columns; j += q->simd->nr) {
        ptrdiff_t across = spur__least(q->simd->nr, columns - j);
        spur__pixels p = {q->dy + offset + j, q->mask ? q->mask + offset + j : NULL, pixels, across,
                          q->s->y_pitch};
        q->simd->pack_panel(&p, across > q->simd->vl ? q->simd->nr : q->simd->vl, out + j * pixels,
                            bias ? bias + j : NULL);
    }
}

/* dw (+)= block's sums. Strips of mr of the values under a kernel row, contiguous when the pixels
 * of the block touch, else taken tap by tap. */
static void block_tiles(const weights_job *q, spur__tile *t, const float *x, const float *dy,
                        ptrdiff_t columns, float *dw) {
    const spur__conv_shape *s = q->s;
    bool touching = q->pitch == q->c && s->dilation_w == 1;
    ptrdiff_t taps = touching ? 1 : s->kw, values = q->c * (touching ? s->kw : 1);
    ptrdiff_t strips = spur__ceil_div(values, q->simd->mr), pixels = t->runs * t->run_length;
    for (ptrdiff_t j = 0; j < columns; j += q->simd->nr) {
        t->b = dy + j * pixels;
        t->cols = spur__least(q->simd->nr, columns - j);
        for (ptrdiff_t i = 0; i < s->kh * taps * strips; i++) {
            ptrdiff_t tap = i / strips, r = tap / taps, begin, end;
            spur__part(values, strips, i % strips, &begin, &end);
            t->rows = end - begin;
            t->a = x + (r * s->dilation_h * q->columns + tap % taps * s->dilation_w) * q->pitch +
                   begin;
            t->c = dw + (tap * values + begin) * s->k + j;
            q->simd->tile(t);
        }
    }
}

static void weights_task(void *job, ptrdiff_t index, int thread) {
    const weights_job *q = job;
    const spur__conv_shape *s = q->s;
    ptrdiff_t part = index % q->parts, rest = index / q->parts;
    ptrdiff_t group = rest / q->column_tasks, column = rest % q->column_tasks * COLUMNS;
    ptrdiff_t columns = spur__least(COLUMNS, q->k - column), begin, end;
    float *x = q->scratch + thread * (q->x_floats + q->dy_floats), *dy = x + q->x_floats;
    float *dw = q->partial + part * q->partial_floats + group * q->k + column;
    float *bias = q->bias ? q->bias + part * s->k + group * q->k + column : NULL;
    spur__part(q->n * q->bands, q->parts, part, &begin, &end);
    if (bias) memset(bias, 0, (size_t)columns * sizeof(float));
    spur__tile t = {.a_row = 1,
                    .a_step = s->stride_w * q->pitch,
                    .a_run = q->runs,
                    .run_length = s->ow,
                    .c_row = s->k};
    for (ptrdiff_t b = begin; b < end; b++) {
        ptrdiff_t image = b / q->bands, y = b % q->bands * q->band;
        const float *from = q->x + image * s->h * s->w * s->x_pitch + group * q->c;
        t.runs = spur__least(q->band, s->oh - y);
        if (!q->in_place) copy_rows(q, from, y, t.runs, x);
        pack_dy(q, (image * s->oh + y) * s->ow * s->y_pitch + group * q->k + column, t.runs * s->ow,
                columns, dy, bias);
        t.load = b > begin;
        block_tiles(q, &t, q->in_place ? from + y * s->stride_h * s->w * s->x_pitch : x, dy,
                    columns, dw);
    }
}

static size_t partial_bytes(const weights_job *q) {
    return (size_t)spur__round_up(q->parts * (q->partial_floats + q->s->k), 16) * sizeof(float);
}

static size_t runs_bytes(const weights_job *q) {
    return ((size_t)q->band * sizeof(ptrdiff_t) + 63) & ~(size_t)63;
}

size_t spur__direct_weights_workspace(const spur__conv_plan *plan) {
    weights_job q;
    plan_job(&q, &plan->shape, plan->shape.n);
    return 128 + runs_bytes(&q) + partial_bytes(&q) +
           (size_t)(plan->threads * (q.x_floats + q.dy_floats)) * sizeof(float);
}

void spur__direct_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_weights_args *args) {
    const spur__conv_shape *s = &plan->shape;
    weights_job q;
    plan_job(&q, s, args->n);
    q.x = args->x;
    q.dy = args->dy;
    q.mask = args->relu_y;
    q.runs = args->workspace;
    for (ptrdiff_t r = 0; r < q.band; r++) q.runs[r] = r * s->stride_h * q.columns * q.pitch;
    q.partial = (float *)(void *)((char *)args->workspace + runs_bytes(&q));
    q.scratch = q.partial + partial_bytes(&q) / sizeof(float);
    float *bias = q.partial + q.parts * q.partial_floats;
    q.bias = args->dbias ? bias : NULL;
    spur__parallel(exec, q.parts * q.column_tasks * s->groups, weights_task, &q);
    spur__reduce_parts(exec, args->dw, q.partial, q.parts, q.partial_floats, q.partial_floats,
                       args->accumulate);
    if (args->dbias)
        spur__reduce_parts(exec, args->dbias, bias, q.parts, s->k, s->k, args->accumulate);
}
