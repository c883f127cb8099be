/* SPDX-License-Identifier: MIT
 *
 * The algorithms behind conv.h, for conv.c alone. Each one brings, per pass, the memory it
 * wants (for the plan's batch and threads) and the pass itself.
 */
#ifndef SPUR_KERNELS_CONV_INTERNAL_H
#define SPUR_KERNELS_CONV_INTERNAL_H

#include "kernels/conv/conv.h"
#include "kernels/simd/table.h"

enum {
    SPUR__TAPS_MAX = 64, /* rows, columns of a kernel */
    /* from which on the direct weight gradient reads an input where it lies in spite of padding, which it
     * then leaves out */
    SPUR__IN_PLACE_CHANNELS = 32
};

/* Whether a dilated kernel meets so much padding that forward pass and data gradient of the direct
 * algorithm leave it out. */
bool spur__conv_trims(const spur__conv_shape *s);

spur__conv_memory spur__direct_memory(const spur__conv_plan *plan, spur__conv_pass pass);
/* Of a forward pass that ends in the pool; workspace 0: it cannot. */
spur__conv_memory spur__direct_pooled_memory(const spur__conv_plan *plan,
                                             const spur__pool_shape *pool);
size_t spur__direct_packed(const spur__conv_shape *s);
void spur__direct_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                       float *packed);
void spur__direct_forward(const spur__conv_plan *plan, const spur__exec *exec,
                          const spur__conv_forward_args *args);
void spur__direct_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                const spur__conv_data_args *args);
/* Whether the direct algorithm's weight gradient is that of a 1x1 convolution with very few outputs. */
bool spur__is_head(const spur__conv_shape *s);
spur__conv_memory spur__head_weights_memory(const spur__conv_plan *plan);
void spur__head_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                 const spur__conv_weights_args *args);
spur__conv_memory spur__direct_weights_memory(const spur__conv_plan *plan);
void spur__direct_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_weights_args *args);

size_t spur__depthwise_workspace(const spur__conv_plan *plan, spur__conv_pass pass);
void spur__depthwise_forward(const spur__conv_plan *plan, const spur__exec *exec,
                             const spur__conv_forward_args *args);
void spur__depthwise_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_data_args *args);
void spur__depthwise_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                      const spur__conv_weights_args *args);

/* dst[i] = (accumulate ? dst[i] : 0) + sum over parts, in order, of part[p * stride + i]. */
void spur__reduce_parts(const spur__exec *exec, float *dst, const float *part, ptrdiff_t parts,
                        ptrdiff_t stride, ptrdiff_t n, bool accumulate);

static inline float *spur__align64(void *p) {
    return (float *)(((size_t)p + 63) & ~(size_t)63);
}

#endif
