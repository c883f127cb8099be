/* SPDX-License-Identifier: MIT
 *
 * Two-dimensional convolution (cross-correlation, as in PyTorch), all three passes.
 *
 * Tensors are NHWC; neighbouring pixels lie x_pitch (y_pitch) floats apart, so that a tensor may be
 * a slice of channels of a wider one; rows and images are dense multiples of that. Weights are
 * HWIO: [kh][kw][c / groups][k]. Any channel count, size, stride, dilation and padding works.
 *
 * A plan picks the algorithm of each pass from shape and wish alone (never from CPU, threads or
 * timing), so the same bits come from every machine and team. Nothing allocates.
 */
#ifndef SPUR_KERNELS_CONV_CONV_H
#define SPUR_KERNELS_CONV_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernels/parallel.h"
#include "kernels/simd/pool.h"
#include "kernels/swish.h"

typedef struct spur__conv_shape {
    ptrdiff_t n, h, w, c; /* input; n is the largest batch */
    ptrdiff_t k; /* output channels */
    ptrdiff_t kh, kw;
    ptrdiff_t stride_h, stride_w;
    ptrdiff_t pad_top, pad_left, pad_bottom, pad_right;
    ptrdiff_t dilation_h, dilation_w;
    ptrdiff_t groups; /* divides c and k */
    ptrdiff_t oh, ow; /* output; 0: computed by spur__conv_plan */
    ptrdiff_t x_pitch, y_pitch; /* floats between pixels; 0: c and k */
} spur__conv_shape;

typedef enum spur__conv_algo {
    SPUR__CONV_AUTO,
    SPUR__CONV_DIRECT, /* register tiles over a padded copy; any shape */
    SPUR__CONV_WINOGRAD2, /* F(2x2, 3x3); where it cannot be used, DIRECT */
    SPUR__CONV_WINOGRAD4, /* F(4x4, 3x3); likewise */
    SPUR__CONV_DEPTHWISE /* chosen by plans for c = k in groups of 1, 2, 4 or 8 channels */
} spur__conv_algo;

typedef enum spur__conv_pass {
    SPUR__CONV_FORWARD,
    SPUR__CONV_BACKWARD_DATA,
    SPUR__CONV_BACKWARD_WEIGHTS,
    SPUR__CONV_PASSES
} spur__conv_pass;

/* What a pass wants, in bytes. */
typedef struct spur__conv_memory {
    size_t workspace; /* shared by the team, 64-byte aligned */
    size_t scratch; /* of each thread's own: exec->scratch_bytes, at least */
} spur__conv_memory;

typedef struct spur__conv_plan {
    spur__conv_shape shape; /* with the zeros filled in */
    int threads;
    spur__conv_algo algo[SPUR__CONV_PASSES];
    spur__conv_memory memory[SPUR__CONV_PASSES];
    size_t packed; /* bytes of weights prepared by spur__conv_pack */
} spur__conv_plan;

/* Checks the shape and fills the plan. E_SHAPE tells what does not fit. */
spur_status spur__conv_plan_init(spur__conv_plan *plan, const spur__conv_shape *shape,
                                 spur__conv_algo wish, int threads, spur_error *err);

/* "direct", "winograd4", ... */
const char *spur__conv_algo_name(spur__conv_algo algo);

/* Weights in the form that the forward pass wants; worth keeping while they do not change. */
void spur__conv_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                     float *packed);

typedef struct spur__conv_forward_args {
    ptrdiff_t n; /* images in this call, <= shape.n */
    const float *x; /* [n][h][w][x_pitch] */
    const float *w; /* [kh][kw][c / groups][k] */
    const float *packed; /* from spur__conv_pack, or NULL: prepared from w on the way */
    const float *bias; /* [k] or NULL */
    float *y; /* [n][oh][ow][y_pitch] */
    bool relu; /* y = max(y, 0), NaN stays NaN */
    spur__swish swish; /* that instead, if spur__conv_swishes; not with a pool */
    bool accumulate; /* y = relu(y + conv + bias) */
    bool pool; /* y is [n][oh / 2][ow / 2][y_pitch]: maxima of 2x2 windows, see below */
    uint8_t *argmax; /* [n][oh / 2][ow / 2][k]: where they stood, for backward; or NULL */
    /* y is [n][window->oh][window->ow][window->y_pitch]: what this max pool makes of the outputs, where
     * spur__conv_pooled_memory allows it; not together with accumulate or pool. Or NULL. */
    const spur__pool_shape *window;
    void *workspace; /* plan->memory[SPUR__CONV_FORWARD].workspace bytes */
} spur__conv_forward_args;

void spur__conv_forward(const spur__conv_plan *plan, const spur__exec *exec,
                        const spur__conv_forward_args *args);

/* True if the forward pass can end in a swish. */
bool spur__conv_swishes(const spur__conv_plan *plan);

/* True if the convolution can end in a max pool of 2x2 windows, stride 2, no padding, odd edges left
 * out (forward) and take its gradient from behind the pool (backward), without the bits changing. */
bool spur__conv_pools(const spur__conv_shape *shape, spur__conv_algo wish);

/* For a forward pass that ends in a sliding max pool, without backward; workspace is 0 if the plan's
 * cannot. The direct algorithm can unless weights or windows are very large. */
spur__conv_memory spur__conv_pooled_memory(const spur__conv_plan *plan,
                                           const spur__pool_shape *pool);

/* Gradients. Where relu_y (layout of dy) is given, dy counts only where relu_y > 0. Where argmax is
 * given, as the forward call filled it, dy is [n][oh / 2][ow / 2][y_pitch] and relu_y is not needed.
 *
 * A transposed convolution is the same three passes with the roles swapped: its forward is
 * backward_data (with bias and ReLU), its data gradient is forward, its weight gradient is
 * backward_weights with x and dy exchanged; weights are [kh][kw][filters / groups][inputs]. */
typedef struct spur__conv_data_args {
    ptrdiff_t n;
    const float *dy; /* [n][oh][ow][y_pitch] */
    const float *relu_y; /* as dy, or NULL */
    const uint8_t *argmax; /* or NULL */
    const float *w;
    float *dx; /* [n][h][w][x_pitch] */
    bool accumulate; /* dx += instead of dx = */
    const float *bias; /* [c] or NULL: added to every pixel of dx */
    bool relu; /* dx = max(dx, 0) at the end */
    void *workspace;
} spur__conv_data_args;

void spur__conv_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                              const spur__conv_data_args *args);

typedef struct spur__conv_weights_args {
    ptrdiff_t n;
    const float *x;
    const float *dy;
    const float *relu_y; /* or NULL */
    const uint8_t *argmax; /* or NULL */
    float *dw; /* [kh][kw][c / groups][k] */
    float *dbias; /* [k] or NULL */
    float *x_sums; /* [c]: sums of x, where spur__conv_sums_x; or NULL */
    bool accumulate; /* dw, dbias, x_sums += instead of = */
    void *workspace;
} spur__conv_weights_args;

/* Whether the weight gradient can sum x on the way, because the windows cover every pixel of x once. x_sums
 * is then the bias gradient of a transposed convolution. */
bool spur__conv_sums_x(const spur__conv_plan *plan);

void spur__conv_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                 const spur__conv_weights_args *args);

#endif
