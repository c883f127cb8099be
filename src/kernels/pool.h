/* SPDX-License-Identifier: MIT
 *
 * Max and average pooling over NHWC images, both passes; also adaptive ones (PyTorch's windows:
 * from floor(i * h / oh) to ceil((i + 1) * h / oh)).
 *
 * Max: the first of equal values wins and NaN wins over all, as in PyTorch; where it stood is kept
 * as the position inside the window, one byte a value (four where a window may have more than 256
 * positions). Padding never wins.
 */
#ifndef SPUR_KERNELS_POOL_H
#define SPUR_KERNELS_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"
#include "kernels/simd/pool.h"

/* See simd/pool.h for spur__pool_shape. Bytes to keep from max forward to max backward. */
size_t spur__pool_argmax_bytes(const spur__pool_shape *s);

/* argmax may be NULL (inference). */
void spur__max_pool(const spur__exec *exec, const spur__pool_shape *s, const float *x, float *y,
                    void *argmax);
/* The pool of values that are made of x on the way. */
void spur__max_pool_affine(const spur__exec *exec, const spur__pool_shape *s,
                           const spur__pool_affine *affine, const float *x, float *y, void *argmax);
void spur__max_pool_backward(const spur__exec *exec, const spur__pool_shape *s, const float *dy,
                             const void *argmax, float *dx, bool accumulate);
void spur__avg_pool(const spur__exec *exec, const spur__pool_shape *s, const float *x, float *y);
void spur__avg_pool_backward(const spur__exec *exec, const spur__pool_shape *s, const float *dy,
                             float *dx, bool accumulate);

#endif
