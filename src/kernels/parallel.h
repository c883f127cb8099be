/* SPDX-License-Identifier: MIT
 *
 * How kernels use threads. Work is cut into tasks by shape; which thread runs a task is left open,
 * because no task's numbers depend on it: tasks write disjoint outputs, and sums over tasks are
 * partial results that one later step adds in task order. So any team size gives the same bits.
 */
#ifndef SPUR_KERNELS_PARALLEL_H
#define SPUR_KERNELS_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/* Who multiplies large matrices. AUTO decides by shapes alone. */
typedef enum spur__gemm_mode {
    SPUR__GEMM_AUTO,
    SPUR__GEMM_OPENBLAS,
    SPUR__GEMM_SPUR
} spur__gemm_mode;

/* The context of every kernel call. */
typedef struct spur__exec {
    int threads; /* team size, >= 1; 1 runs in the calling thread */
    spur__gemm_mode gemm;
    /* [threads][scratch_bytes], lines of 64 bytes: memory of each thread's own. All kernels of a net use the
     * same, so it stays in the caches of that thread's core, and no other core has its lines. */
    void *scratch;
    size_t scratch_bytes; /* as many as the kernel wants; NULL and 0 if it wants none */
} spur__exec;

static inline void *spur__scratch(const spur__exec *exec, int thread) {
    return (char *)exec->scratch + (size_t)thread * exec->scratch_bytes;
}

/* One task: index in [0, tasks), thread in [0, exec->threads) for per-thread scratch. */
typedef void (*spur__task)(void *job, ptrdiff_t index, int thread);

/* Runs all tasks and returns when they are done. */
void spur__parallel(const spur__exec *exec, ptrdiff_t tasks, spur__task run, void *job);

/* Part `i` of `parts` nearly equal parts of [0, n): *begin..*end. */
static inline void spur__part(ptrdiff_t n, ptrdiff_t parts, ptrdiff_t i, ptrdiff_t *begin,
                              ptrdiff_t *end) {
    ptrdiff_t base = n / parts, extra = n % parts;
    *begin = i * base + (i < extra ? i : extra);
    *end = *begin + base + (i < extra);
}

static inline ptrdiff_t spur__ceil_div(ptrdiff_t a, ptrdiff_t b) {
    return (a + b - 1) / b;
}

static inline ptrdiff_t spur__round_up(ptrdiff_t a, ptrdiff_t b) {
    return spur__ceil_div(a, b) * b;
}

static inline ptrdiff_t spur__min(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}

static inline ptrdiff_t spur__max(ptrdiff_t a, ptrdiff_t b) {
    return a > b ? a : b;
}

/* The same of bytes. */
static inline size_t spur__max_size(size_t a, size_t b) {
    return a > b ? a : b;
}

#endif
