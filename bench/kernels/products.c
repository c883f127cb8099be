/* SPDX-License-Identifier: MIT
 *
 * Matrix products: our kernel beside OpenBLAS, in turn.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench.h"
#include "kernels/matrix/gemm.h"

typedef struct product {
    const char *what;
    ptrdiff_t m, n, k;
    bool a_transposed, b_transposed;
} product;

static double seconds_of(const spur__exec *exec, const spur__gemm_args *g) {
    uint64_t start = spur__monotonic_ns();
    spur__gemm(exec, g);
    return (double)(spur__monotonic_ns() - start) * 1e-9;
}

static void print_product(const product *p, int threads) {
    static const spur__gemm_mode modes[] = {SPUR__GEMM_SPUR, SPUR__GEMM_OPENBLAS};
    double best[2] = {1e9, 1e9};
    /* Written, all of it: memory that nobody has touched is one page of zeros, always in the cache. */
    float *a = normal_values(p->m * p->k, 1, 1), *b = normal_values(p->k * p->n, 2, 1);
    float *c = normal_values(p->m * p->n, 3, 1);
    spur__exec exec = {.threads = threads, .scratch_bytes = spur__gemm_scratch()};
    exec.scratch = spur__malloc_aligned(64, (size_t)threads * exec.scratch_bytes);
    if (!exec.scratch) exit(1);
    spur__gemm_args g = {.m = p->m,
                         .n = p->n,
                         .k = p->k,
                         .a = a,
                         .b = b,
                         .c = c,
                         .ldc = p->n,
                         .lda = p->a_transposed ? p->m : p->k,
                         .a_transposed = p->a_transposed,
                         .ldb = p->b_transposed ? p->k : p->n,
                         .b_transposed = p->b_transposed};
    for (int i = 0; i < 14; i++) {
        exec.gemm = modes[i % 2];
        double s = seconds_of(&exec, &g);
        if (s < best[i % 2]) best[i % 2] = s;
    }
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k * 1e-9;
    printf("%-34s %7td x %6td x %6td   spur %6.1f   openblas %6.1f GF/s\n", p->what, p->m, p->n,
           p->k, flops / best[0], flops / best[1]);
    spur__free(a);
    spur__free(b);
    spur__free(c);
    spur__free(exec.scratch);
}

void print_products(int threads) {
    static const product products[] = {
        {"square", 1024, 1024, 1024, false, false},
        {"linear 18432 to 512, forward", 64, 512, 18432, false, false},
        {"linear, data gradient", 64, 18432, 512, false, true},
        {"linear, weight gradient", 18432, 512, 64, true, false},
        {"1x1 convolution 256 to 64", 50176, 64, 256, false, false},
        {"1x1 convolution 64 to 256", 50176, 256, 64, false, false},
    };
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++)
        print_product(&products[i], threads);
}
