/* SPDX-License-Identifier: MIT
 *
 * Weight gradient of 1x1 convolutions with very few outputs, as the head of a segmentation net is one:
 * dw[c][k] = sum over pixels of x[c] dy[k]. Register tiles would be padded from a few outputs to a
 * vector of them; here vectors run over the inputs, and x is read once, in place.
 *
 * Pixels are cut into parts by shape alone; a part adds the sums of stretches of pixels, and the parts
 * are added in order.
 */
#include <string.h>

#include "kernels/conv/internal.h"

enum {
    FEW = 4, /* outputs, at most */
    PARTS = 32, /* at most, of at least a stretch each */
    STRETCH = SPUR__TILE_STRETCH
};

typedef struct head_job {
    const spur__conv_weights_args *args;
    const spur__simd *simd;
    const spur__exec *exec;
    ptrdiff_t pixels, parts, c, k, x_pitch, y_pitch;
    float *sums; /* [parts][k][c + 1]: dw, then dbias */
} head_job;

static head_job job_of(const spur__conv_shape *s, ptrdiff_t n) {
    head_job q = {.simd = spur__simd_table(),
                  .pixels = n * s->h * s->w,
                  .c = s->c,
                  .k = s->k,
                  .x_pitch = s->x_pitch,
                  .y_pitch = s->y_pitch};
    q.parts = spur__max(1, spur__min(PARTS, q.pixels / STRETCH));
    return q;
}

bool spur__is_head(const spur__conv_shape *s) {
    ptrdiff_t padding = s->pad_top + s->pad_left + s->pad_bottom + s->pad_right;
    return s->kh == 1 && s->kw == 1 && s->stride_h == 1 && s->stride_w == 1 && padding == 0 &&
           s->groups == 1 && s->k <= FEW && s->c >= 8 && s->oh == s->h && s->ow == s->w;
}

spur__conv_memory spur__head_weights_memory(const spur__conv_plan *plan) {
    head_job q = job_of(&plan->shape, plan->shape.n);
    return (spur__conv_memory){(size_t)(q.parts * q.k * (q.c + 1)) * sizeof(float),
                               (size_t)q.c * sizeof(float)};
}

/* Output k of pixels [begin, begin + count) of dy, where its ReLU let it through. */
static void column_of(const head_job *q, ptrdiff_t begin, ptrdiff_t count, ptrdiff_t k,
                      float *column) {
    const float *dy = q->args->dy + begin * q->y_pitch + k;
    const float *y = q->args->relu_y ? q->args->relu_y + begin * q->y_pitch + k : NULL;
    for (ptrdiff_t i = 0; i < count; i++) column[i] = dy[i * q->y_pitch];
    for (ptrdiff_t i = 0; y && i < count; i++)
        if (y[i * q->y_pitch] <= 0) column[i] = 0; /* a NaN lets it through */
}

/* sums[0 .. c] += the stretch's x^T dy of one output, and its sum of dy. */
static void add_stretch(const head_job *q, ptrdiff_t begin, ptrdiff_t count, ptrdiff_t k,
                        float *sum, float *sums) {
    float column[STRETCH], bias = 0;
    column_of(q, begin, count, k, column);
    memset(sum, 0, (size_t)q->c * sizeof(float));
    q->simd->add_rows(column, count, q->args->x + begin * q->x_pitch, q->x_pitch, q->c, sum);
    for (ptrdiff_t i = 0; i < q->c; i++) sums[i] += sum[i];
    for (ptrdiff_t i = 0; i < count; i++) bias += column[i];
    sums[q->c] += bias;
}

static void part_task(void *job, ptrdiff_t part, int thread) {
    const head_job *q = job;
    ptrdiff_t begin, end;
    float *sums = q->sums + part * q->k * (q->c + 1), *sum = spur__scratch(q->exec, thread);
    spur__part(q->pixels, q->parts, part, &begin, &end);
    memset(sums, 0, (size_t)(q->k * (q->c + 1)) * sizeof(float));
    for (; begin < end; begin += STRETCH)
        for (ptrdiff_t k = 0; k < q->k; k++)
            add_stretch(q, begin, spur__min(STRETCH, end - begin), k, sum, sums + k * (q->c + 1));
}

static float sum_of_parts(const head_job *q, ptrdiff_t k, ptrdiff_t c) {
    const float *from = q->sums + k * (q->c + 1) + c;
    float sum = 0;
    for (ptrdiff_t p = 0; p < q->parts; p++) sum += from[p * q->k * (q->c + 1)];
    return sum;
}

void spur__head_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                 const spur__conv_weights_args *args) {
    head_job q = job_of(&plan->shape, args->n);
    q.args = args;
    q.exec = exec;
    q.sums = args->workspace;
    spur__parallel(exec, q.parts, part_task, &q);
    for (ptrdiff_t c = 0; c < q.c; c++) {
        for (ptrdiff_t k = 0; k < q.k; k++) {
            float *dw = &args->dw[c * q.k + k], sum = sum_of_parts(&q, k, c);
            *dw = args->accumulate ? *dw + sum : sum;
        }
    }
    for (ptrdiff_t k = 0; args->dbias && k < q.k; k++) {
        float sum = sum_of_parts(&q, k, q.c);
        args->dbias[k] = args->accumulate ? args->dbias[k] + sum : sum;
    }
}
