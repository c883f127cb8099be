/* SPDX-License-Identifier: MIT
 *
 * Pooling: forward tasks are rows of windows. In backward tasks that scatter, no two windows of
 * different tasks may share an input pixel: a task is a band of rows where windows do not overlap,
 * else a stretch of channels of a whole image. Sliding max pools with overlap gather instead: a
 * task collects one row of dx from the windows over it.
 */
#include "kernels/pool.h"

#include <string.h>

#include "kernels/simd/table.h"

enum { CHANNELS = 64 }; /* of a backward task over a whole image */

typedef struct pool_job {
    spur__pool_shape s;
    const spur__simd *simd;
    const spur__pool_affine *affine;
    const float *x;
    float *y;
    char *argmax;
    const char *argmax_in;
    size_t argmax_row; /* bytes */
    bool max, wide, accumulate, rows_apart;
    ptrdiff_t channel_tasks;
} pool_job;

static spur__pool_shape complete(const spur__pool_shape *s) {
    spur__pool_shape out = *s;
    if (!out.x_pitch) out.x_pitch = out.c;
    if (!out.y_pitch) out.y_pitch = out.c;
    return out;
}

static bool is_wide(const spur__pool_shape *s) {
    ptrdiff_t kh = s->adaptive ? spur__ceil_div(s->h, s->oh) + 1 : s->kh;
    ptrdiff_t kw = s->adaptive ? spur__ceil_div(s->w, s->ow) + 1 : s->kw;
    return kh * kw > 256;
}

size_t spur__pool_argmax_bytes(const spur__pool_shape *s) {
    return (size_t)(s->n * s->oh * s->ow * s->c) * (is_wide(s) ? sizeof(uint32_t) : 1);
}

static pool_job job_of(const spur__pool_shape *s) {
    pool_job q = {.s = complete(s), .simd = spur__simd_table(), .wide = is_wide(s)};
    q.argmax_row = (size_t)(s->ow * s->c) * (q.wide ? sizeof(uint32_t) : 1);
    q.rows_apart = s->adaptive ? s->h % s->oh == 0 : s->stride_h >= s->kh;
    q.channel_tasks = q.rows_apart ? 1 : spur__ceil_div(s->c, CHANNELS);
    return q;
}

static void forward_task(void *job, ptrdiff_t index, int thread) {
    const pool_job *q = job;
    const spur__pool_shape *s = &q->s;
    spur__pool_row p = {.s = s, .row = index % s->oh, .wide = q->wide, .affine = q->affine};
    (void)thread;
    p.x = q->x + index / s->oh * s->h * s->w * s->x_pitch;
    p.y = q->y + index * s->ow * s->y_pitch;
    p.argmax = q->argmax ? q->argmax + (size_t)index * q->argmax_row : NULL;
    if (q->max)
        q->simd->max_pool(&p);
    else
        q->simd->avg_pool(&p);
}

void spur__max_pool(const spur__exec *exec, const spur__pool_shape *s, const float *x, float *y,
                    void *argmax) {
    spur__max_pool_affine(exec, s, NULL, x, y, argmax);
}

void spur__max_pool_affine(const spur__exec *exec, const spur__pool_shape *s,
                           const spur__pool_affine *affine, const float *x, float *y,
                           void *argmax) {
    pool_job q = job_of(s);
    q.affine = affine;
    q.x = x;
    q.y = y;
    q.argmax = argmax;
    q.max = true;
    spur__parallel(exec, s->n * s->oh, forward_task, &q);
}

void spur__avg_pool(const spur__exec *exec, const spur__pool_shape *s, const float *x, float *y) {
    pool_job q = job_of(s);
    q.x = x;
    q.y = y;
    spur__parallel(exec, s->n * s->oh, forward_task, &q);
}

static void zero(const pool_job *q, float *dx, ptrdiff_t rows, ptrdiff_t c0, ptrdiff_t c1) {
    for (ptrdiff_t i = 0; i < rows * q->s.w; i++)
        memset(dx + i * q->s.x_pitch + c0, 0, (size_t)(c1 - c0) * sizeof(float));
}

static void row_gradient(const pool_job *q, spur__pool_row_gradient *p, ptrdiff_t image,
                         ptrdiff_t row) {
    ptrdiff_t index = image * q->s.oh + row;
    p->row = row;
    p->dy = q->x + index * q->s.ow * q->s.y_pitch;
    p->argmax = q->argmax_in ? q->argmax_in + (size_t)index * q->argmax_row : NULL;
    if (q->max)
        q->simd->max_pool_backward(p);
    else
        q->simd->avg_pool_backward(p);
}

/* Windows do not overlap from row to row: the task owns dx's rows from its windows' first one up
 * to the next task's. */
static void band_task(void *job, ptrdiff_t index, int thread) {
    const pool_job *q = job;
    const spur__pool_shape *s = &q->s;
    ptrdiff_t image = index / s->oh, row = index % s->oh;
    spur__window v = spur__pool_window(row, s->h, s->oh, s->kh, s->stride_h, s->pad_top,
                                       s->pad_bottom, s->adaptive);
    spur__window next = spur__pool_window(row + 1, s->h, s->oh, s->kh, s->stride_h, s->pad_top,
                                          s->pad_bottom, s->adaptive);
    ptrdiff_t begin = row ? v.begin : 0, end = row + 1 < s->oh ? next.begin : s->h;
    spur__pool_row_gradient p = {.s = s, .c1 = s->c, .wide = q->wide};
    (void)thread;
    p.dx = q->y + image * s->h * s->w * s->x_pitch;
    if (!q->accumulate) zero(q, p.dx + begin * s->w * s->x_pitch, end - begin, 0, s->c);
    row_gradient(q, &p, image, row);
}

static void channels_task(void *job, ptrdiff_t index, int thread) {
    const pool_job *q = job;
    const spur__pool_shape *s = &q->s;
    ptrdiff_t image = index / q->channel_tasks, part = index % q->channel_tasks;
    spur__pool_row_gradient p = {.s = s, .wide = q->wide, .c0 = part * CHANNELS};
    (void)thread;
    p.c1 = spur__min(s->c, p.c0 + CHANNELS);
    p.dx = q->y + image * s->h * s->w * s->x_pitch;
    if (!q->accumulate) zero(q, p.dx, s->h, p.c0, p.c1);
    for (ptrdiff_t row = 0; row < s->oh; row++) row_gradient(q, &p, image, row);
}

static void gather_task(void *job, ptrdiff_t index, int thread) {
    const pool_job *q = job;
    const spur__pool_shape *s = &q->s;
    ptrdiff_t image = index / s->h, windows = image * s->oh;
    (void)thread;
    q->simd->max_pool_gather(
        &(spur__pool_gather){.s = s,
                             .row = index % s->h,
                             .dy = q->x + windows * s->ow * s->y_pitch,
                             .argmax = q->argmax_in + (size_t)windows * q->argmax_row,
                             .wide = q->wide,
                             .accumulate = q->accumulate,
                             .dx = q->y + index * s->w * s->x_pitch});
}

static void backward(const spur__exec *exec, pool_job *q, const float *dy, float *dx,
                     bool accumulate) {
    q->x = dy;
    q->y = dx;
    q->accumulate = accumulate;
    if (q->rows_apart)
        spur__parallel(exec, q->s.n * q->s.oh, band_task, q);
    else if (q->max && !q->s.adaptive)
        spur__parallel(exec, q->s.n * q->s.h, gather_task, q);
    else
        spur__parallel(exec, q->s.n * q->channel_tasks, channels_task, q);
}

void spur__max_pool_backward(const spur__exec *exec, const spur__pool_shape *s, const float *dy,
                             const void *argmax, float *dx, bool accumulate) {
    pool_job q = job_of(s);
    q.max = true;
    q.argmax_in = argmax;
    backward(exec, &q, dy, dx, accumulate);
}

void spur__avg_pool_backward(const spur__exec *exec, const spur__pool_shape *s, const float *dy,
                             float *dx, bool accumulate) {
    pool_job q = job_of(s);
    backward(exec, &q, dy, dx, accumulate);
}
