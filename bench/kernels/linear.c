/* SPDX-License-Identifier: MIT
 *
 * Linear layers of few samples: forward, both gradients, and both with Adam's update in the walk
 * over the weights, against the update as a pass of its own. Gigabytes count what must move: the
 * weights, and for Adam weights and moments, read and written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "bench.h"
#include "kernels/matrix/linear.h"
#include "kernels/optim.h"

enum { ROUNDS = 9 };

typedef struct linear_bench {
    spur__linear job;
    spur__exec exec;
    float *x, *w, *y, *dy, *dx, *dw, *m, *v;
    void *workspace;
    spur__arena memory[10]; /* of each of these, as the engine has it: in huge pages */
    int arrays;
} linear_bench;

static const spur__adam_step step = {.beta2 = 0.999f,
                                     .one_minus_beta1 = 0.1f,
                                     .one_minus_beta2 = 0.001f,
                                     .step_size = 1e-4f,
                                     .correction2 = 0.5f,
                                     .eps = 1e-8f,
                                     .shrink = 1};

static void take(void *context, size_t begin, size_t count, const float *gradient) {
    const linear_bench *b = context;
    spur__optim_adam(&step, count, b->w + begin, gradient, b->m + begin, b->v + begin, NULL);
}

static void adam_task(void *context, ptrdiff_t index, int thread) {
    const linear_bench *b = context;
    size_t begin = (size_t)(index * b->job.n);
    (void)thread;
    take(context, begin, (size_t)b->job.n, b->dw + begin);
}

static void *bytes(linear_bench *b, size_t size) {
    spur__arena *memory = &b->memory[b->arrays++];
    if (!spur__arena_create(memory, size)) exit(1);
    return memory->base;
}

static float *values(linear_bench *b, ptrdiff_t n) {
    float *p = bytes(b, (size_t)n * sizeof *p);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = 1e-3f * (float)(i % 17);
    return p;
}

static void create(linear_bench *b, ptrdiff_t m, ptrdiff_t k, ptrdiff_t n, int threads) {
    *b = (linear_bench){.exec = {.threads = threads}};
    size_t forward = spur__linear_forward_workspace(m, k, n);
    size_t backward = spur__linear_backward_workspace(m, n);
    b->x = values(b, m * k), b->w = values(b, k * n), b->y = values(b, m * n);
    b->dy = values(b, m * n), b->dx = values(b, m * k), b->dw = values(b, k * n);
    b->m = values(b, k * n), b->v = values(b, k * n);
    b->workspace = bytes(b, spur__max_size(forward, backward));
    b->exec.scratch_bytes =
        spur__max_size(spur__linear_forward_scratch(m), spur__linear_backward_scratch(m, n));
    b->exec.scratch = bytes(b, (size_t)threads * b->exec.scratch_bytes);
    b->job = (spur__linear){.m = m,
                            .k = k,
                            .n = n,
                            .x = b->x,
                            .x_pitch = k,
                            .w = b->w,
                            .y = b->y,
                            .y_pitch = n,
                            .dy = b->dy,
                            .dy_pitch = n,
                            .dx = b->dx,
                            .dx_pitch = k};
}

static void destroy(linear_bench *b) {
    while (b->arrays > 0) spur__arena_destroy(&b->memory[--b->arrays]);
}

static void run(linear_bench *b, int kind) {
    spur__sink sink = {.take = take, .context = b, .reads = {b->m, b->v}};
    spur__linear job = b->job;
    if (kind == 0) {
        spur__linear_forward(&b->exec, &job, b->workspace);
        return;
    }
    if (kind == 1) job.dw = b->dw;
    if (kind == 2) job.sink = &sink;
    if (kind == 3)
        spur__parallel(&b->exec, job.k, adam_task, b);
    else
        spur__linear_backward(&b->exec, &job, b->workspace);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void print_linear(int threads) {
    static const char *const kinds[] = {"forward", "backward", "backward with Adam", "Adam alone"};
    static const double products[] = {2, 4, 4, 0}, passes[] = {1, 2, 6, 7};
    static const ptrdiff_t shapes[][3] = {{64, 18432, 512}, {16, 25088, 4096}, {1, 18432, 512}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        linear_bench b;
        create(&b, shapes[s][0], shapes[s][1], shapes[s][2], threads);
        double size = (double)shapes[s][1] * (double)shapes[s][2];
        for (int kind = 0; kind < 4; kind++) {
            double times[ROUNDS];
            for (int r = 0; r < ROUNDS; r++) {
                uint64_t start = spur__monotonic_ns();
                run(&b, kind);
                times[r] = (double)(spur__monotonic_ns() - start) * 1e-9;
            }
            qsort(times, ROUNDS, sizeof times[0], ascending);
            double t = times[ROUNDS / 2];
            printf("%3td x %5td -> %4td  %-20s %8.2f ms %7.1f GF/s %6.1f GB/s\n", shapes[s][0],
                   shapes[s][1], shapes[s][2], kinds[kind], t * 1e3,
                   products[kind] * size * (double)shapes[s][0] * 1e-9 / t,
                   passes[kind] * size * sizeof(float) * 1e-9 / t);
        }
        destroy(&b);
    }
}
