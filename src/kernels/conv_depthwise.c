/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution (groups = c = k): tasks of one row each; the weight gradient in a fixed
 * number of parts whose partial sums are added in order.
 */
#include <string.h>

#include "kernels/conv_internal.h"

enum { PARTS = 16 };

typedef struct depthwise_job {
    const spur__conv_shape *s;
    const spur__simd *simd;
    spur__depthwise_row row; /* all but the pointers of one row */
    const float *x, *dy, *mask; /* dy, mask: of the weight gradient */
    float *y;
    ptrdiff_t n, parts;
    float *partial; /* [parts][kh * kw + 1][c]: weights, then bias */
} depthwise_job;

static spur__depthwise_row row_of(const spur__conv_shape *s, const float *w) {
    return (spur__depthwise_row){.h = s->h,
                                 .w = s->w,
                                 .x_pitch = s->x_pitch,
                                 .weights = w,
                                 .kh = s->kh,
                                 .kw = s->kw,
                                 .channels = s->c,
                                 .stride_h = s->stride_h,
                                 .stride_w = s->stride_w,
                                 .pad_top = s->pad_top,
                                 .pad_left = s->pad_left,
                                 .dilation_h = s->dilation_h,
                                 .dilation_w = s->dilation_w,
                                 .count = s->ow,
                                 .y_pitch = s->y_pitch};
}

size_t spur__depthwise_workspace(const spur__conv_plan *plan, spur__conv_pass pass) {
    const spur__conv_shape *s = &plan->shape;
    if (pass != SPUR__CONV_BACKWARD_WEIGHTS) return 64;
    return (size_t)(PARTS * (s->kh * s->kw + 1) * s->c) * sizeof(float);
}

static void forward_task(void *job, ptrdiff_t index, int thread) {
    const depthwise_job *q = job;
    const spur__conv_shape *s = q->s;
    spur__depthwise_row p = q->row;
    (void)thread;
    p.row = index % s->oh;
    p.x = q->x + index / s->oh * s->h * s->w * s->x_pitch;
    p.y = q->y + index * s->ow * s->y_pitch;
    q->simd->depthwise_forward(&p);
}

void spur__depthwise_forward(const spur__conv_plan *plan, const spur__exec *exec,
                             const spur__conv_forward_args *args) {
    const spur__conv_shape *s = &plan->shape;
    depthwise_job q = {.s = s, .simd = spur__simd_table(), .x = args->x, .y = args->y};
    q.row = row_of(s, args->packed ? args->packed : args->w);
    q.row.bias = args->bias;
    q.row.relu = args->relu;
    q.row.accumulate = args->accumulate;
    spur__parallel(exec, args->n * s->oh, forward_task, &q);
}

static void data_task(void *job, ptrdiff_t index, int thread) {
    const depthwise_job *q = job;
    const spur__conv_shape *s = q->s;
    spur__depthwise_row p = q->row;
    ptrdiff_t image = index / s->h * s->oh * s->ow * s->y_pitch;
    (void)thread;
    p.row = index % s->h;
    p.x = q->x + image;
    p.mask = q->mask ? q->mask + image : NULL;
    p.y = q->y + index * s->w * s->x_pitch;
    q->simd->depthwise_data(&p);
}

void spur__depthwise_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_data_args *args) {
    const spur__conv_shape *s = &plan->shape;
    depthwise_job q = {
        .s = s, .simd = spur__simd_table(), .x = args->dy, .mask = args->relu_y, .y = args->dx};
    q.row = row_of(s, args->w);
    q.row.h = s->oh;
    q.row.w = s->ow;
    q.row.x_pitch = s->y_pitch;
    q.row.count = s->w;
    q.row.y_pitch = s->x_pitch;
    q.row.accumulate = args->accumulate;
    q.row.bias = args->bias;
    q.row.relu = args->relu;
    spur__parallel(exec, args->n * s->h, data_task, &q);
}

static void weights_task(void *job, ptrdiff_t part, int thread) {
    const depthwise_job *q = job;
    const spur__conv_shape *s = q->s;
    spur__depthwise_row p = q->row;
    ptrdiff_t floats = s->kh * s->kw * s->c, begin, end;
    float *sums = q->partial + part * floats;
    float *bias = q->partial + q->parts * floats + part * s->c;
    (void)thread;
    memset(sums, 0, (size_t)floats * sizeof(float));
    memset(bias, 0, (size_t)s->c * sizeof(float));
    spur__part(q->n * s->oh, q->parts, part, &begin, &end);
    for (ptrdiff_t i = begin; i < end; i++) {
        ptrdiff_t at = i * s->ow * s->y_pitch;
        p.row = i % s->oh;
        p.x = q->x + i / s->oh * s->h * s->w * s->x_pitch;
        q->simd->depthwise_weights(&p, q->dy + at, q->mask ? q->mask + at : NULL, sums);
        for (ptrdiff_t pixel = at; pixel < at + s->ow * s->y_pitch; pixel += s->y_pitch)
            for (ptrdiff_t c = 0; c < s->c; c++)
                bias[c] += q->mask && !(q->mask[pixel + c] > 0.0f) ? 0.0f : q->dy[pixel + c];
    }
}

void spur__depthwise_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                      const spur__conv_weights_args *args) {
    const spur__conv_shape *s = &plan->shape;
    ptrdiff_t floats = s->kh * s->kw * s->c;
    depthwise_job q = {.s = s,
                       .simd = spur__simd_table(),
                       .x = args->x,
                       .dy = args->dy,
                       .mask = args->relu_y,
                       .n = args->n,
                       .partial = args->workspace};
    q.row = row_of(s, NULL);
    q.parts = spur__least(PARTS, args->n * s->oh);
    spur__parallel(exec, q.parts, weights_task, &q);
    spur__reduce_parts(exec, args->dw, q.partial, q.parts, floats, floats, args->accumulate);
    if (args->dbias)
        spur__reduce_parts(exec, args->dbias, q.partial + q.parts * floats, q.parts, s->c, s->c,
                           args->accumulate);
}
