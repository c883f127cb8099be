/* SPDX-License-Identifier: MIT
 *
 * y = a + b or a * b for operands of up to five axes, where an axis of stride 0 is broadcast, and
 * the gradients, which sum over such axes. Sums run in double precision in one fixed order.
 */
#ifndef SPUR_KERNELS_BROADCAST_H
#define SPUR_KERNELS_BROADCAST_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"

enum { SPUR__AXES = 5 };

/* Sizes of the result; strides (in floats) of the operands: the result is dense. */
typedef struct spur__broadcast {
    int rank;
    ptrdiff_t size[SPUR__AXES];
    ptrdiff_t a[SPUR__AXES], b[SPUR__AXES];
    bool multiply; /* else add */
    bool relu; /* y = max(y, 0) at the end */
} spur__broadcast;

/* Merges axes that lie one behind the other in both operands. Call once; the other functions take
 * the merged form or any other. */
void spur__broadcast_merge(spur__broadcast *s);

/* y: dense [size...]. */
void spur__broadcast_forward(const spur__exec *exec, const spur__broadcast *s, const float *a,
                             const float *b, float *y);

/* da (+)= the sum over a's broadcast axes of dy (times b, for a product). The gradient by b is the
 * same with the operands' strides exchanged. b may be NULL for a sum. */
void spur__broadcast_backward(const spur__exec *exec, const spur__broadcast *s, const float *dy,
                              const float *b, float *da, bool accumulate);

#endif
