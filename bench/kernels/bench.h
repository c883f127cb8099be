/* SPDX-License-Identifier: MIT
 *
 * A convolution layer with its data, as the benchmark's parts share it.
 */
#ifndef SPUR_BENCH_KERNELS_BENCH_H
#define SPUR_BENCH_KERNELS_BENCH_H

#include "base/arena.h"
#include "kernels/conv/conv.h"

typedef struct layer {
    spur__conv_plan plan;
    spur__exec exec;
    float *x, *w, *bias, *y, *dy, *dx, *dw, *dbias;
    void *workspace;
    ptrdiff_t nx, ny, nw;
    spur__arena memory[10]; /* of each of these, as the engine has it: in huge pages */
    int arrays;
} layer;

/* scale * N(0, 1), the same for the same stream. */
void fill_normal(float *p, ptrdiff_t n, uint64_t stream, float scale);
/* New ones; free with spur__free. Exits when memory is short. */
float *normal_values(ptrdiff_t n, uint64_t stream, float scale);

/* Inputs relu(N(0, 1)), weights N(0, 2 / fan_in), dy N(0, 1). Exits when memory is short. */
void layer_create(layer *l, const spur__conv_shape *shape, spur__conv_algo algo, int threads);
void layer_destroy(layer *l);
void layer_run(const layer *l, spur__conv_pass pass);

/* Multiply-adds of the direct method, times two. */
double layer_flops(const layer *l);

/* Median seconds of `repetitions` runs of a pass after one to warm up. */
double layer_time(const layer *l, spur__conv_pass pass, int repetitions);

/* Prints a table of errors against double precision. */
void print_accuracy(int threads);
/* Prints GF/s of matrix products. */
void print_products(int threads);
/* Prints times of linear layers of few samples. */
void print_linear(int threads);
/* Prints the machine's limits as one line of JSON, over this much memory; non-zero without it. */
int print_machine(int threads, size_t megabytes);

#endif
