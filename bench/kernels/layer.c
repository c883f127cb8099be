/* SPDX-License-Identifier: MIT
 *
 * Layers for the benchmark: data, runs, times.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "bench.h"

void fill_normal(float *p, ptrdiff_t n, uint64_t stream, float scale) {
    spur__rng rng;
    spur__rng_init(&rng, 1, SPUR__STREAM_TEST, 0, stream);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = scale * spur__rng_normal(&rng);
}

float *normal_values(ptrdiff_t n, uint64_t stream, float scale) {
    float *p = spur__malloc_aligned(64, (size_t)n * sizeof(float));
    if (!p) exit(1);
    fill_normal(p, n, stream, scale);
    return p;
}

static void *bytes(layer *l, size_t size) {
    spur__arena *memory = &l->memory[l->arrays++];
    if (!spur__arena_create(memory, size)) exit(1);
    return memory->base;
}

static float *values(layer *l, ptrdiff_t n, uint64_t stream, float scale) {
    float *p = bytes(l, (size_t)n * sizeof *p);
    fill_normal(p, n, stream, scale);
    return p;
}

void layer_create(layer *l, const spur__conv_shape *shape, spur__conv_algo algo, int threads) {
    spur_error err;
    *l = (layer){.exec = {.threads = threads}};
    if (spur__conv_plan_init(&l->plan, shape, algo, threads, &err) != SPUR_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    const spur__conv_shape *s = &l->plan.shape;
    l->nx = s->n * s->h * s->w * s->c;
    l->ny = s->n * s->oh * s->ow * s->k;
    l->nw = s->kh * s->kw * s->c / s->groups * s->k;
    l->x = values(l, l->nx, 1, 1.0f);
    for (ptrdiff_t i = 0; i < l->nx; i++) l->x[i] = fmaxf(l->x[i], 0.0f);
    l->w = values(l, l->nw, 2, sqrtf(2.0f * (float)s->k / (float)l->nw));
    l->bias = values(l, s->k, 3, 0.0f);
    l->y = values(l, l->ny, 4, 1.0f);
    l->dy = values(l, l->ny, 5, 1.0f);
    l->dx = values(l, l->nx, 6, 1.0f);
    l->dw = values(l, l->nw, 7, 1.0f);
    l->dbias = values(l, s->k, 8, 1.0f);
    spur__conv_memory most = {64, 64};
    for (int i = 0; i < SPUR__CONV_PASSES; i++) {
        spur__conv_memory memory = l->plan.memory[i];
        most.workspace = spur__max_size(most.workspace, memory.workspace);
        most.scratch = spur__max_size(most.scratch, memory.scratch);
    }
    l->workspace = bytes(l, most.workspace);
    l->exec.scratch_bytes = (most.scratch + 4095) / 4096 * 4096; /* no page has two threads' */
    l->exec.scratch = bytes(l, (size_t)threads * l->exec.scratch_bytes);
}

void layer_destroy(layer *l) {
    while (l->arrays > 0) spur__arena_destroy(&l->memory[--l->arrays]);
}

void layer_run(const layer *l, spur__conv_pass pass) {
    ptrdiff_t n = l->plan.shape.n;
    if (pass == SPUR__CONV_FORWARD)
        spur__conv_forward(&l->plan, &l->exec,
                           &(spur__conv_forward_args){.n = n,
                                                      .x = l->x,
                                                      .w = l->w,
                                                      .bias = l->bias,
                                                      .y = l->y,
                                                      .workspace = l->workspace});
    else if (pass == SPUR__CONV_BACKWARD_DATA)
        spur__conv_backward_data(
            &l->plan, &l->exec,
            &(spur__conv_data_args){
                .n = n, .dy = l->dy, .w = l->w, .dx = l->dx, .workspace = l->workspace});
    else
        spur__conv_backward_weights(&l->plan, &l->exec,
                                    &(spur__conv_weights_args){.n = n,
                                                               .x = l->x,
                                                               .dy = l->dy,
                                                               .dw = l->dw,
                                                               .dbias = l->dbias,
                                                               .workspace = l->workspace});
}

double layer_flops(const layer *l) {
    const spur__conv_shape *s = &l->plan.shape;
    return 2.0 * (double)l->ny * (double)(s->kh * s->kw * s->c / s->groups);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double layer_time(const layer *l, spur__conv_pass pass, int repetitions) {
    enum { MOST = 101 };
    double seconds[MOST];
    if (repetitions > MOST) repetitions = MOST;
    layer_run(l, pass);
    for (int i = 0; i < repetitions; i++) {
        uint64_t start = spur__monotonic_ns();
        layer_run(l, pass);
        seconds[i] = (double)(spur__monotonic_ns() - start) * 1e-9;
    }
    qsort(seconds, (size_t)repetitions, sizeof seconds[0], ascending);
    return seconds[repetitions / 2];
}
