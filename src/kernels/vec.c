/* SPDX-License-Identifier: MIT
 *
 * Loops over values, cut into tasks; see vec.h.
 */
#include "kernels/vec.h"

#include <string.h>

#include "base/random.h"
#include "kernels/simd/table.h"

enum { GRAIN = 32 * 1024 }; /* values a task; a multiple of 64 */

typedef void (*range_fn)(const void *args, ptrdiff_t begin, ptrdiff_t end);

typedef struct range_job {
    range_fn fn;
    const void *args;
    ptrdiff_t n, grain;
} range_job;

static void range_task(void *job, ptrdiff_t index, int thread) {
    const range_job *q = job;
    (void)thread;
    q->fn(q->args, index * q->grain, spur__min(q->n, (index + 1) * q->grain));
}

/* fn over [0, n) in stretches of `grain`. */
static void over_range(const spur__exec *exec, ptrdiff_t n, ptrdiff_t grain, range_fn fn,
                       const void *args) {
    range_job q = {fn, args, n, spur__max(1, grain)};
    spur__parallel(exec, spur__ceil_div(n, q.grain), range_task, &q);
}

static void map_range(const void *args, ptrdiff_t begin, ptrdiff_t end) {
    spur__simd_table()->map(args, begin, end);
}

void spur__vec_map(const spur__exec *exec, ptrdiff_t n, const spur__map *map) {
    over_range(exec, n, GRAIN, map_range, map);
}

void spur__vec_copy(const spur__exec *exec, ptrdiff_t n, const float *x, float *y) {
    spur__vec_map(exec, n, &(spur__map){.op = SPUR__MAP_COPY, .a = x, .y = y});
}

bool spur__activation_from_output(spur__map_op activation) {
    return activation < SPUR__MAP_SILU;
}

void spur__vec_activation(const spur__exec *exec, ptrdiff_t n, spur__map_op op, float alpha,
                          const float *x, float *y) {
    spur__vec_map(exec, n, &(spur__map){.op = op, .alpha = alpha, .a = x, .y = y});
}

void spur__vec_activation_backward(const spur__exec *exec, ptrdiff_t n,
                                   const spur__activation_gradient *args) {
    spur__map m = {.op = args->op,
                   .backward = true,
                   .accumulate = args->accumulate,
                   .alpha = args->alpha,
                   .a = args->value,
                   .b = args->dy,
                   .y = args->dx};
    spur__vec_map(exec, n, &m);
}

static void relu_split_range(const void *args, ptrdiff_t begin, ptrdiff_t end) {
    spur__simd_table()->relu_split(args, begin, end);
}

void spur__vec_relu_split(const spur__exec *exec, ptrdiff_t n, const spur__relu_split *args) {
    over_range(exec, n, GRAIN, relu_split_range, args);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void softmax_range(const void *args, ptrdiff_t begin, ptrdiff_t end) {
    spur__simd_table()->softmax(args, begin, end);
}

static void softmax_backward_range(const void *args, ptrdiff_t begin, ptrdiff_t end) {
    spur__simd_table()->softmax_backward(args, begin, end);
}

static void over_rows(const spur__exec *exec, const spur__rows_job *q, range_fn fn) {
    if (q->cols > 0) over_range(exec, q->rows, GRAIN / 4 / q->cols, fn, q);
}

void spur__vec_softmax(const spur__exec *exec, ptrdiff_t rows, ptrdiff_t cols, const float *x,
                       float *y) {
    over_rows(exec, &(spur__rows_job){.rows = rows, .cols = cols, .x = x, .y = y}, softmax_range);
}

void spur__vec_log_softmax(const spur__exec *exec, ptrdiff_t rows, ptrdiff_t cols, const float *x,
                           float *y) {
    over_rows(exec, &(spur__rows_job){.rows = rows, .cols = cols, .x = x, .y = y, .log = true},
              softmax_range);
}

void spur__vec_softmax_backward(const spur__exec *exec, const spur__softmax_gradient *args) {
    spur__rows_job q = {.rows = args->rows,
                        .cols = args->cols,
                        .x = args->y,
                        .dy = args->dy,
                        .y = args->dx,
                        .log = args->log,
                        .accumulate = args->accumulate};
    over_rows(exec, &q, softmax_backward_range);
}

/* ---- dropout ------------------------------------------------------------------------------- */

static void dropout_range(const void *args, ptrdiff_t begin, ptrdiff_t end) {
    spur__simd_table()->dropout(args, begin, end);
}

void spur__vec_dropout(const spur__exec *exec, ptrdiff_t n, const spur__dropout *args,
                       const float *x, float *y, bool accumulate) {
    spur__rng rng;
    spur__rng_init(&rng, args->seed, SPUR__STREAM_DROPOUT, args->step, args->node);
    spur__dropout_job q = {
        .factor = 1.0f / (1.0f - args->rate), .x = x, .y = y, .accumulate = accumulate};
    q.threshold = (uint32_t)((double)args->rate * 4294967296.0);
    memcpy(q.key, rng.key, sizeof q.key);
    memcpy(q.counter, rng.counter, sizeof q.counter);
    over_range(exec, n, GRAIN / 4, dropout_range, &q);
}
