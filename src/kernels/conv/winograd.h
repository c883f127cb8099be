/* SPDX-License-Identifier: MIT
 *
 * Winograd's algorithm behind conv.h, for conv.c alone; m = 2 or 4.
 */
#ifndef SPUR_KERNELS_CONV_WINOGRAD_H
#define SPUR_KERNELS_CONV_WINOGRAD_H

#include "kernels/conv/internal.h"

/* Whether the shape is a 3x3 convolution with unit steps, whose outputs, if it is dilated, read inputs of
 * their own phase. */
bool spur__winograd_possible(const spur__conv_shape *s);

/* Tiles of an image, and the products that they take for a pair of channels. */
typedef struct spur__winograd_cost {
    ptrdiff_t tiles, products;
} spur__winograd_cost;

spur__winograd_cost spur__winograd_cost_of(const spur__conv_shape *s, int m, bool backward);

/* Whether no window of a 2x2 pool lies on several tiles, or phases, of outputs. */
bool spur__winograd_pools(const spur__conv_shape *s, int m);

size_t spur__winograd_packed(const spur__conv_shape *s, int m);
spur__conv_memory spur__winograd_memory(const spur__conv_plan *plan, int m, bool backward);
void spur__winograd_pack(const spur__conv_plan *plan, const spur__exec *exec, int m, const float *w,
                         float *packed);
void spur__winograd_forward(const spur__conv_plan *plan, const spur__exec *exec, int m,
                            const spur__conv_forward_args *args);
void spur__winograd_backward_data(const spur__conv_plan *plan, const spur__exec *exec, int m,
                                  const spur__conv_data_args *args);

spur__conv_memory spur__winograd_weights_memory(const spur__conv_plan *plan, int m);
void spur__winograd_backward_weights(const spur__conv_plan *plan, const spur__exec *exec, int m,
                                     const spur__conv_weights_args *args);

#endif
