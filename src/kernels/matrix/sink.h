/* SPDX-License-Identifier: MIT
 *
 * Who takes a gradient block by block, as it is made, in place of storing it.
 */
#ifndef SPUR_KERNELS_MATRIX_SINK_H
#define SPUR_KERNELS_MATRIX_SINK_H

#include <stddef.h>

/* Gets values [begin, begin + count) of a gradient, complete; called by many threads, each block
 * once. */
enum { SPUR__SINK_READS = 4 };

typedef struct spur__sink {
    void (*take)(void *context, size_t begin, size_t count, const float *gradient);
    void *context;
    const float *reads[SPUR__SINK_READS]; /* arrays like the gradient whose values [begin, begin +
                                           * count) `take` reads, NULL behind them: who makes the
                                           * gradient may fetch them */
} spur__sink;

#endif
