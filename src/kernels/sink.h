/* SPDX-License-Identifier: MIT
 *
 * Who takes a gradient block by block, as it is made, in place of storing it.
 */
#ifndef SPUR_KERNELS_SINK_H
#define SPUR_KERNELS_SINK_H

#include <stddef.h>

/* Gets values [begin, begin + count) of a gradient, complete; called by many threads, each block
 * once. */
typedef struct spur__sink {
    void (*take)(void *context, size_t begin, size_t count, const float *gradient);
    void *context;
} spur__sink;

#endif
