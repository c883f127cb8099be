/* SPDX-License-Identifier: MIT
 *
 * Batch, group and layer normalisation of pixels with channels, both passes.
 *
 * Statistics are taken over fixed blocks of pixels (two passes over a block that is still in
 * cache: mean, then squared distances from it) and combined in double in block order (Chan et al.,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979), so neither
 * a large mean nor the team changes a digit.
 */
#ifndef SPUR_KERNELS_NORM_NORM_H
#define SPUR_KERNELS_NORM_NORM_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/parallel.h"
#include "kernels/simd/pool.h"
#include "kernels/swish.h"

/* Bytes of workspace for batch or group norm on `n` images of `pixels` pixels. */
size_t spur__norm_workspace(ptrdiff_t n, ptrdiff_t pixels, ptrdiff_t channels);

/* ---- batch norm ---------------------------------------------------------------------------- */

typedef struct spur__batch_norm {
    ptrdiff_t pixels, channels; /* x, y, dy, dx: [pixels][pitch]; pixels = n * h * w */
    ptrdiff_t x_pitch, y_pitch; /* 0: channels; dx as x, dy as y */
    const float *gamma, *beta; /* [channels] or NULL: 1 and 0 */
    double eps;
    bool relu; /* y = max(y, 0) */
    spur__swish swish; /* y = swish(y); neither with pool nor plus */
    float *mean, *rstd; /* [channels]: kept from forward to backward */
    float *running_mean, *running_var; /* updated in training if not NULL */
    double momentum;
    /* A sliding max pool behind it, or NULL: y and dy are the pool's, y_pitch too, and what lies
     * between is nowhere stored; argmax as in pool.h. */
    const spur__pool_shape *pool;
    void *argmax;
    /* Without a pool: added to what is normalised, before the ReLU; y and dy are dense, as it is. Or NULL. */
    const float *plus; /* [pixels][channels] */
    void *workspace;
} spur__batch_norm;

/* Bytes of each thread's scratch for backward when a pool is behind it; when something was added. */
size_t spur__batch_norm_pool_scratch(const spur__pool_shape *pool);
size_t spur__batch_norm_plus_scratch(ptrdiff_t pixels, ptrdiff_t channels);

/* Training: mean and 1/sqrt(var + eps) of the batch into p->mean, p->rstd, running statistics
 * updated (with the unbiased variance), then normalised. */
void spur__batch_norm_train(const spur__exec *exec, const spur__batch_norm *p, const float *x,
                            float *y);
/* Evaluation by the running statistics. */
void spur__batch_norm_eval(const spur__exec *exec, const spur__batch_norm *p, const float *x,
                           float *y);

/* Backward with p->relu: dy counts where the forward pass's y was above 0; y itself is read only if
 * something was added, so gamma and beta must be those of the forward pass; so
 * must they with p->swish, whose slopes are made of them. */
typedef struct spur__norm_gradient {
    const float *x, *dy;
    float *dx; /* or NULL */
    float *dgamma, *dbeta; /* += ; or NULL */
    bool accumulate; /* dx += */
    /* Batch norm to which something was added; else NULL and false. */
    float *dplus; /* its gradient; may be dy */
    bool accumulate_plus; /* dplus += */
    const float *y; /* with p->relu: the outputs */
} spur__norm_gradient;

void spur__batch_norm_backward(const spur__exec *exec, const spur__batch_norm *p,
                               const spur__norm_gradient *g);
/* Weights and bias of a convolution [rows][channels] with the normalisation of its outputs folded
 * in: w' = w * gamma * rstd, bias' = beta + (bias - mean) * gamma * rstd, by running statistics. */
void spur__batch_norm_fold(const spur__batch_norm *p, ptrdiff_t rows, const float *w,
                           const float *bias, float *w_out, float *bias_out);

/* ---- group norm ------------------------------------------------------------------------------ */

typedef struct spur__group_norm {
    ptrdiff_t n, pixels, channels,
        groups; /* [n][pixels][channels], dense; groups divide channels */
    const float *gamma, *beta; /* [channels] or NULL */
    double eps;
    bool relu; /* y = max(y, 0) */
    float *mean, *rstd; /* [n][groups]: kept for backward */
    void *workspace;
} spur__group_norm;

void spur__group_norm_forward(const spur__exec *exec, const spur__group_norm *p, const float *x,
                              float *y);
void spur__group_norm_backward(const spur__exec *exec, const spur__group_norm *p,
                               const spur__norm_gradient *g);

/* ---- layer norm ------------------------------------------------------------------------------ */

typedef struct spur__layer_norm {
    ptrdiff_t rows, channels; /* [rows][channels], dense */
    const float *gamma, *beta; /* [channels] or NULL */
    double eps;
    bool relu; /* y = max(y, 0) */
    float *mean, *rstd; /* [rows]: kept for backward */
    void *workspace;
} spur__layer_norm;

/* Bytes of workspace for the backward pass; the forward pass needs none. */
size_t spur__layer_norm_workspace(ptrdiff_t rows, ptrdiff_t channels);
void spur__layer_norm_forward(const spur__exec *exec, const spur__layer_norm *p, const float *x,
                              float *y);
void spur__layer_norm_backward(const spur__exec *exec, const spur__layer_norm *p,
                               const spur__norm_gradient *g);

#endif
