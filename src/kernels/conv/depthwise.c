/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution (groups = c = k), and that in groups of 2, 4 or 8 channels each: tasks of
 * one row each; the weight gradient in a fixed number of parts whose partial sums are added in order.
 *
 * Along an axis, the taps that a position of the result sees are equally far apart and so are their
 * sources. A row is cut into runs of positions that see the same taps: mostly one, and a few at the
 * edges of the image; the data gradient of a stride has its own for every phase.
 */
#include <stdint.h>
#include <string.h>

#include "kernels/conv/internal.h"

enum {
    PARTS = 16,
    STREAM_FLOATS = 3 << 20 /* outputs that no cache keeps until they are read */
};

/* What a position sees along an axis: `taps` taps from `tap` on, `tap_step` apart (or backwards), the first of
 * them over source `source`, the next ones `source_step` apart. */
typedef struct reach {
    ptrdiff_t tap, taps, tap_step, source, source_step;
} reach;

/* An axis of the result. Outputs: source = position * stride - pad + tap * dilation. Data gradient:
 * the positions of dy over which dx lies, position = source * stride - pad + tap * dilation. */
typedef struct axis {
    bool backward;
    ptrdiff_t size; /* of the source */
    ptrdiff_t kernel, stride, pad, dilation;
} axis;

/* The positions first, first + step, ... of a row. */
typedef struct run {
    reach at; /* what the first one sees */
    ptrdiff_t first, count;
} run;

typedef struct depthwise_job {
    const spur__conv_shape *s;
    const spur__simd *simd;
    axis down, across;
    ptrdiff_t height, width; /* of the result */
    ptrdiff_t step; /* between the positions of a run */
    ptrdiff_t run_count;
    const run *runs;
    spur__depthwise_run pixels; /* what all runs have in common */
    const float *x, *dy, *mask;
    float *y;
    ptrdiff_t n, parts;
    ptrdiff_t depth; /* channels of a group */
    const float *w; /* of the data gradient, to be turned */
    float *turned;
    float *partial; /* [parts][kh * kw][depth][c] */
    float *bias; /* [parts][c], or NULL */
} depthwise_job;

/* ---- geometry ------------------------------------------------------------------------------ */

/* The source under a tap; false: there is none. */
static bool source_of(const axis *a, ptrdiff_t position, ptrdiff_t tap, ptrdiff_t *source) {
    *source = a->backward ? position + a->pad - tap * a->dilation
                          : position * a->stride - a->pad + tap * a->dilation;
    if (a->backward && *source % a->stride != 0) return false;
    if (a->backward) *source /= a->stride;
    return *source >= 0 && *source < a->size;
}

/* From the first source to the last, as memory likes it: of the data gradient, backwards through the taps. */
static reach reach_of(const axis *a, ptrdiff_t position) {
    reach r = {.tap_step = 1};
    for (ptrdiff_t i = 0, source; i < a->kernel; i++) {
        ptrdiff_t tap = a->backward ? a->kernel - 1 - i : i;
        if (!source_of(a, position, tap, &source)) continue;
        if (r.taps == 0) {
            r.tap = tap;
            r.source = source;
        } else if (r.taps == 1) {
            r.tap_step = tap - r.tap;
            r.source_step = source - r.source;
        }
        r.taps++;
    }
    return r;
}

/* How many runs there are at most: within a phase the first tap only falls and so does the last. */
static ptrdiff_t most_runs(const spur__conv_shape *s) {
    return 2 * (s->kw + 1) * s->stride_w;
}

static void make_runs(depthwise_job *q, void *memory) {
    run *runs = memory, *last = NULL;
    q->runs = runs;
    for (ptrdiff_t phase = 0; phase < q->step; phase++, last = NULL) {
        for (ptrdiff_t i = phase; i < q->width; i += q->step) {
            reach at = reach_of(&q->across, i);
            if (last && last->at.taps == at.taps && (at.taps == 0 || last->at.tap == at.tap)) {
                last->count++;
                continue;
            }
            last = &runs[q->run_count++];
            *last = (run){.at = at, .first = i, .count = 1};
        }
    }
}

static depthwise_job job_of(const spur__conv_shape *s, bool backward, void *workspace) {
    depthwise_job q = {
        .s = s,
        .simd = spur__simd_table(),
        .down = {backward, backward ? s->oh : s->h, s->kh, s->stride_h, s->pad_top, s->dilation_h},
        .across = {backward, backward ? s->ow : s->w, s->kw, s->stride_w, s->pad_left,
                   s->dilation_w},
        .height = backward ? s->h : s->oh,
        .width = backward ? s->w : s->ow,
        .step = backward ? s->stride_w : 1,
        .depth = s->c / s->groups};
    make_runs(&q, workspace);
    return q;
}

static size_t runs_bytes(const spur__conv_shape *s) {
    return ((size_t)most_runs(s) * sizeof(run) + 63) / 64 * 64;
}

static float *behind_runs(const spur__conv_shape *s, void *workspace) {
    return (float *)(void *)((char *)workspace + runs_bytes(s));
}

size_t spur__depthwise_workspace(const spur__conv_plan *plan, spur__conv_pass pass) {
    const spur__conv_shape *s = &plan->shape;
    ptrdiff_t weights = s->kh * s->kw * s->c / s->groups * s->c, floats = 0;
    if (pass == SPUR__CONV_BACKWARD_DATA) floats = weights;
    if (pass == SPUR__CONV_BACKWARD_WEIGHTS) floats = PARTS * (weights + s->c);
    return runs_bytes(s) + (size_t)floats * sizeof(float);
}

/* ---- outputs and data gradient ------------------------------------------------------------- */

static void row_task(void *job, ptrdiff_t index, int thread) {
    const depthwise_job *q = job;
    const spur__conv_shape *s = q->s;
    spur__depthwise_run p = q->pixels;
    ptrdiff_t pitch = q->down.backward ? s->y_pitch : s->x_pitch, c = s->c;
    ptrdiff_t y_pitch = q->down.backward ? s->x_pitch : s->y_pitch;
    ptrdiff_t image = index / q->height * q->down.size * q->across.size;
    reach down = reach_of(&q->down, index % q->height);
    (void)thread;
    p.x_step = (q->down.backward ? 1 : s->stride_w) * pitch;
    p.y_step = q->step * y_pitch;
    p.rows = down.taps;
    p.x_row = down.source_step * q->across.size * pitch;
    p.w_row = down.tap_step * s->kw * q->depth * c;
    for (ptrdiff_t i = 0; i < q->run_count; i++) {
        const run *r = &q->runs[i];
        ptrdiff_t at = (image + down.source * q->across.size + r->at.source) * pitch;
        p.count = r->count;
        p.cols = r->at.taps;
        p.x = q->x + at;
        p.mask = q->mask ? q->mask + at : NULL;
        p.x_col = r->at.source_step * pitch;
        p.w = q->pixels.w + (down.tap * s->kw + r->at.tap) * q->depth * c;
        p.w_col = r->at.tap_step * q->depth * c;
        p.y = q->y + (index * q->width + r->first) * y_pitch;
        q->simd->depthwise_pixels(&p);
    }
    if (p.stream) q->simd->end_stream();
}

static void all_rows(const spur__exec *exec, depthwise_job *q, ptrdiff_t images) {
    ptrdiff_t pitch = q->down.backward ? q->s->x_pitch : q->s->y_pitch, rows = images * q->height;
    q->pixels.channels = q->s->c;
    q->pixels.depth = q->depth;
    q->pixels.stream = q->s->c % 16 == 0 && pitch % 16 == 0 && (uintptr_t)q->y % 64 == 0 &&
                       !q->pixels.accumulate && rows * q->width * q->s->c >= STREAM_FLOATS;
    spur__parallel(exec, rows, row_task, q);
}

void spur__depthwise_forward(const spur__conv_plan *plan, const spur__exec *exec,
                             const spur__conv_forward_args *args) {
    depthwise_job q = job_of(&plan->shape, false, args->workspace);
    q.x = args->x;
    q.y = args->y;
    q.pixels = (spur__depthwise_run){.w = args->packed ? args->packed : args->w,
                                     .bias = args->bias,
                                     .relu = args->relu,
                                     .swish = args->swish,
                                     .accumulate = args->accumulate};
    all_rows(exec, &q, args->n);
}

/* Within groups the data gradient goes from outputs to inputs: turned[tap][j][i] of input i is w[tap] of
 * its place in the group and the group's output j. */
static void turn_task(void *job, ptrdiff_t tap, int thread) {
    const depthwise_job *q = job;
    ptrdiff_t c = q->s->c, depth = q->depth;
    const float *w = q->w + tap * depth * c;
    float *turned = q->turned + tap * depth * c;
    (void)thread;
    for (ptrdiff_t i = 0; i < c; i++)
        for (ptrdiff_t j = 0; j < depth; j++)
            turned[j * c + i] = w[i % depth * c + i / depth * depth + j];
}

void spur__depthwise_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_data_args *args) {
    depthwise_job q = job_of(&plan->shape, true, args->workspace);
    q.x = args->dy;
    q.mask = args->relu_y;
    q.y = args->dx;
    if (q.depth > 1) {
        q.w = args->w;
        q.turned = behind_runs(&plan->shape, args->workspace);
        spur__parallel(exec, plan->shape.kh * plan->shape.kw, turn_task, &q);
    }
    q.pixels = (spur__depthwise_run){.w = q.depth > 1 ? q.turned : args->w,
                                     .bias = args->bias,
                                     .relu = args->relu,
                                     .accumulate = args->accumulate};
    all_rows(exec, &q, args->n);
}

/* ---- weight gradient ----------------------------------------------------------------------- */

static void add_row(const depthwise_job *q, ptrdiff_t row, float *sums, float *bias) {
    const spur__conv_shape *s = q->s;
    reach down = reach_of(&q->down, row % s->oh);
    ptrdiff_t image = row / s->oh * s->h * s->w;
    spur__depthwise_sums p = {.channels = s->c,
                              .depth = q->depth,
                              .rows = down.taps,
                              .x_step = s->stride_w * s->x_pitch,
                              .x_row = s->dilation_h * s->w * s->x_pitch,
                              .x_col = s->dilation_w * s->x_pitch,
                              .dy_step = s->y_pitch,
                              .sum_row = s->kw,
                              .bias = bias};
    for (ptrdiff_t i = 0; i < q->run_count; i++) {
        const run *r = &q->runs[i];
        ptrdiff_t at = (row * s->ow + r->first) * s->y_pitch;
        p.count = r->count;
        p.cols = r->at.taps;
        p.x = q->x + (image + down.source * s->w + r->at.source) * s->x_pitch;
        p.dy = q->dy + at;
        p.mask = q->mask ? q->mask + at : NULL;
        p.sums = sums + (down.tap * s->kw + r->at.tap) * q->depth * s->c;
        q->simd->depthwise_weights(&p);
    }
}

static void weights_task(void *job, ptrdiff_t part, int thread) {
    const depthwise_job *q = job;
    const spur__conv_shape *s = q->s;
    ptrdiff_t floats = s->kh * s->kw * q->depth * s->c, begin, end;
    float *sums = q->partial + part * floats, *bias = q->bias ? q->bias + part * s->c : NULL;
    (void)thread;
    memset(sums, 0, (size_t)floats * sizeof(float));
    if (bias) memset(bias, 0, (size_t)s->c * sizeof(float));
    spur__part(q->n * s->oh, q->parts, part, &begin, &end);
    for (ptrdiff_t i = begin; i < end; i++) add_row(q, i, sums, bias);
}

void spur__depthwise_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                      const spur__conv_weights_args *args) {
    const spur__conv_shape *s = &plan->shape;
    depthwise_job q = job_of(s, false, args->workspace);
    ptrdiff_t floats = s->kh * s->kw * q.depth * s->c;
    q.x = args->x;
    q.dy = args->dy;
    q.mask = args->relu_y;
    q.n = args->n;
    q.parts = spur__min(PARTS, args->n * s->oh);
    q.partial = behind_runs(s, args->workspace);
    if (args->dbias) q.bias = q.partial + q.parts * floats;
    spur__parallel(exec, q.parts, weights_task, &q);
    spur__reduce_parts(exec, args->dw, q.partial, q.parts, floats, floats, args->accumulate);
    if (args->dbias)
        spur__reduce_parts(exec, args->dbias, q.bias, q.parts, s->c, s->c, args->accumulate);
}
