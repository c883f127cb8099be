/* SPDX-License-Identifier: MIT
 *
 * Nearest and bilinear (align_corners = False) resizing of NHWC images, both passes; positions and
 * weights as PyTorch computes them.
 */
#ifndef SPUR_KERNELS_RESAMPLE_H
#define SPUR_KERNELS_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"

typedef struct spur__resample_shape {
    ptrdiff_t n, h, w, c, oh, ow;
    bool bilinear;
    ptrdiff_t x_pitch, y_pitch; /* floats between pixels; 0: c */
} spur__resample_shape;

/* Which of `size` pixels is nearest to pixel i of `out`. */
ptrdiff_t spur__resample_nearest(ptrdiff_t i, ptrdiff_t size, ptrdiff_t out);

void spur__resample(const spur__exec *exec, const spur__resample_shape *s, const float *x,
                    float *y);
/* dx (+)= the transposed operation on dy */
void spur__resample_backward(const spur__exec *exec, const spur__resample_shape *s, const float *dy,
                             float *dx, bool accumulate);

#endif
