/* SPDX-License-Identifier: MIT
 *
 * libspur-nn: networks as static graphs, on the CPU.
 *
 * A net is built once by calls, each of which returns a node; shapes are inferred and checked as
 * it grows. spur_net_build() then plans every activation, gradient and workspace in one block of
 * memory, after which nothing is allocated any more:
 *
 *     spur_net *net = spur_net_create(&(spur_net_options){.seed = 1});
 *     spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){64, 48, 48, 3});
 *     spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){64});
 *     spur_node *h = spur_relu(net, spur_conv2d(net, x, "conv1", 32, NULL));
 *     h = spur_linear(net, spur_flatten(net, h), "fc", 10, NULL);
 *     spur_node *loss = spur_cross_entropy(net, h, y, NULL);       (spur/loss.h)
 *     if (spur_net_build(net, loss, &err) != SPUR_OK) ...
 *
 * Layout. Images are NHWC, float32, dense, channels innermost. shape[0] is always the batch: the
 * net is planned for at most that many samples and runs with any n from 1 to it.
 *
 * Errors while building stick to the net: a call on a NULL node returns NULL and does nothing, so
 * that only spur_net_build() needs checking; it reports the first error, which names the layer,
 * what was expected and what came.
 *
 * Threads. One net is used by one thread at a time; inside, every pass runs on `threads` threads
 * and gives the same bits for any number of them. The first product that OpenBLAS makes sets it,
 * process-wide, to one thread per call: the engine splits the work itself. OpenMP's threads do not
 * survive fork(): once a pass has run on several, a child must set `threads` to 1 or it waits for ever.
 */
#ifndef SPUR_NN_H
#define SPUR_NN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <spur/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SPUR_MAX_RANK = 5 };

typedef struct spur_net spur_net;
typedef struct spur_node spur_node;

typedef enum spur_dtype { SPUR_FLOAT32 = 0, SPUR_INT32 = 1 } spur_dtype;

/* How convolutions are computed. AUTO chooses by shapes only, never by CPU or timing. */
typedef enum spur_conv_algorithm {
    SPUR_CONV_AUTO = 0,
    SPUR_CONV_DIRECT = 1,
    SPUR_CONV_WINOGRAD2 = 2,
    SPUR_CONV_WINOGRAD4 = 3
} spur_conv_algorithm;

/* Who computes large matrix products. SPUR gives the same bits on every CPU. */
typedef enum spur_gemm_provider {
    SPUR_GEMM_AUTO = 0,
    SPUR_GEMM_OPENBLAS = 1,
    SPUR_GEMM_SPUR = 2
} spur_gemm_provider;

typedef enum spur_mode { SPUR_EVAL = 0, SPUR_TRAIN = 1 } spur_mode;

typedef struct spur_net_options {
    uint64_t seed; /* of initial weights and dropout */
    int threads; /* 0: all processors that the process may use */
    spur_conv_algorithm conv; /* default AUTO */
    spur_gemm_provider gemm; /* default AUTO */
    bool inference; /* plan for evaluation only: no gradients, batch norm folded into the weights of
                       the layer before, once: see spur_net_params_changed() */
} spur_net_options;

/* A new, empty net; NULL options for the defaults. NULL when out of memory. */
SPUR_API spur_net *spur_net_create(const spur_net_options *options);
SPUR_API void spur_net_destroy(spur_net *net);

/* ---- building ------------------------------------------------------------------------------ */

/* Names of layers are prefixes of their parameters' names, as in a PyTorch state dict: layer
 * "conv1" has "conv1.weight" and "conv1.bias". Scopes nest and are joined by dots. A NULL name is
 * made from the kind and a number ("conv2d_3"). A name that is taken is an error; weights are
 * shared by spur_reuse() only. Names are UTF-8 (E_UTF8), as files hold them. */
SPUR_API void spur_push_scope(spur_net *net, const char *name);
SPUR_API void spur_pop_scope(spur_net *net);

/* The layer once more, on another input: the same kind and options, the same parameters. */
SPUR_API spur_node *spur_reuse(spur_net *net, const spur_node *layer, spur_node *x);

/* A placeholder that the caller fills before each run; shape[0] is the largest batch. */
SPUR_API spur_node *spur_input(spur_net *net, const char *name, spur_dtype dtype, int rank,
                               const int64_t *shape);

typedef enum spur_init {
    SPUR_INIT_DEFAULT = 0, /* PyTorch's default of the layer */
    SPUR_INIT_HE_NORMAL = 1, /* kaiming_normal_, fan_in, relu */
    SPUR_INIT_HE_UNIFORM = 2,
    SPUR_INIT_XAVIER_NORMAL = 3,
    SPUR_INIT_XAVIER_UNIFORM = 4,
    SPUR_INIT_ORTHOGONAL = 5,
    SPUR_INIT_ZEROS = 6,
    SPUR_INIT_ONES = 7,
    SPUR_INIT_NORMAL_02 = 8 /* normal, standard deviation 0.02 */
} spur_init;

/* Zero means the default given in brackets; sizes are {height, width} in pixels, and a zero width
 * means the height. */
typedef struct spur_conv2d_options {
    int kernel[2]; /* [3] */
    int stride[2]; /* [1] */
    int padding[4]; /* top, left, bottom, right [0]; see same_padding */
    bool same_padding; /* padding that keeps ceil(size / stride), as Keras's "same" */
    int dilation[2]; /* [1] */
    int groups; /* [1]; = channels for depthwise */
    bool no_bias;
    int output_padding[2]; /* transposed convolution only: {height, width}, as given [0] */
    spur_init init;
} spur_conv2d_options;

/* x: [n][h][w][c] -> [n][oh][ow][filters]. Weight in PyTorch's layout: [filters][c/groups][kh][kw]. */
SPUR_API spur_node *spur_conv2d(spur_net *net, spur_node *x, const char *name, int filters,
                                const spur_conv2d_options *options);

/* Transposed convolution; weight in PyTorch's layout: [c][filters/groups][kh][kw]. With same_padding the output
 * has size * stride, as Keras's. */
SPUR_API spur_node *spur_conv_transpose2d(spur_net *net, spur_node *x, const char *name,
                                          int filters, const spur_conv2d_options *options);

typedef struct spur_linear_options {
    bool no_bias;
    spur_init init;
} spur_linear_options;

/* On the last axis: [..][in] -> [..][units]; weight [units][in] as PyTorch. After spur_flatten of
 * an image, import and export permute the columns between our HWC order and PyTorch's CHW: also
 * through activations, norms, dropout and sums, but not through spur_concat and spur_reshape. */
SPUR_API spur_node *spur_linear(spur_net *net, spur_node *x, const char *name, int units,
                                const spur_linear_options *options);

typedef struct spur_norm_options {
    double eps; /* [1e-5] */
    double momentum; /* [0.1] batch norm's running statistics, PyTorch's meaning */
    int groups; /* group norm only [32] */
    bool no_affine;
} spur_norm_options;

/* Over the batch and all pixels. Of one value (one sample of 1x1 pixels), for which PyTorch raises an error
 * in training, the variance is 0: the output is the bias, no gradient passes, and the running variance
 * takes a step towards 0. */
SPUR_API spur_node *spur_batch_norm(spur_net *net, spur_node *x, const char *name,
                                    const spur_norm_options *options);
SPUR_API spur_node *spur_group_norm(spur_net *net, spur_node *x, const char *name,
                                    const spur_norm_options *options);
/* Over the last axis, as nn.LayerNorm(c). */
SPUR_API spur_node *spur_layer_norm(spur_net *net, spur_node *x, const char *name,
                                    const spur_norm_options *options);

typedef struct spur_pool2d_options {
    int kernel[2]; /* [2] */
    int stride[2]; /* [kernel] */
    int padding[4]; /* top, left, bottom, right [0] */
    bool ceil_mode;
    bool exclude_padding; /* average pooling: count_include_pad = False */
} spur_pool2d_options;

SPUR_API spur_node *spur_max_pool2d(spur_net *net, spur_node *x,
                                    const spur_pool2d_options *options);
SPUR_API spur_node *spur_avg_pool2d(spur_net *net, spur_node *x,
                                    const spur_pool2d_options *options);
SPUR_API spur_node *spur_adaptive_avg_pool2d(spur_net *net, spur_node *x, int height, int width);
SPUR_API spur_node *spur_adaptive_max_pool2d(spur_net *net, spur_node *x, int height, int width);
/* [n][h][w][c] -> [n][c] */
SPUR_API spur_node *spur_global_avg_pool2d(spur_net *net, spur_node *x);
SPUR_API spur_node *spur_global_max_pool2d(spur_net *net, spur_node *x);

typedef enum spur_resample { SPUR_NEAREST = 0, SPUR_BILINEAR = 1 } spur_resample;

/* To height x width; bilinear as align_corners = False. */
SPUR_API spur_node *spur_upsample2d(spur_net *net, spur_node *x, int height, int width,
                                    spur_resample mode);

/* Joins 1 to 32 nodes along an axis (negative axes count from the end; the batch axis is not
 * allowed). */
SPUR_API spur_node *spur_concat(spur_net *net, spur_node *const *nodes, int count, int axis);

/* Elementwise; axes of size 1 are broadcast, and so is a scalar (rank 0). */
SPUR_API spur_node *spur_add(spur_net *net, spur_node *a, spur_node *b);
SPUR_API spur_node *spur_multiply(spur_net *net, spur_node *a, spur_node *b);
SPUR_API spur_node *spur_scale(spur_net *net, spur_node *x, double factor);

/* Rows and columns cut off (crop) or added with `value` (pad): top, left, bottom, right. */
SPUR_API spur_node *spur_crop2d(spur_net *net, spur_node *x, const int amount[4]);
SPUR_API spur_node *spur_pad2d(spur_net *net, spur_node *x, const int amount[4], double value);

/* shape[0] must be the batch; one size may be -1. */
SPUR_API spur_node *spur_reshape(spur_net *net, spur_node *x, int rank, const int64_t *shape);
SPUR_API spur_node *spur_flatten(spur_net *net, spur_node *x);

/* p: probability of a zero; the rest is scaled by 1/(1-p). 2d: whole channels; stochastic depth:
 * whole samples ("row" in torchvision). */
SPUR_API spur_node *spur_dropout(spur_net *net, spur_node *x, double p);
SPUR_API spur_node *spur_dropout2d(spur_net *net, spur_node *x, double p);
SPUR_API spur_node *spur_stochastic_depth(spur_net *net, spur_node *x, double p);

/* x: int32 [..] -> float [..][width]; weight [count][width]. The row of an index out of range is NaN:
 * E_NUMERIC in a net with a loss. */
SPUR_API spur_node *spur_embedding(spur_net *net, spur_node *x, const char *name, int count,
                                   int width);

typedef enum spur_activation_kind {
    SPUR_RELU = 1,
    SPUR_LEAKY_RELU, /* alpha = negative slope [0.01] */
    SPUR_ELU, /* alpha [1] */
    SPUR_SILU,
    SPUR_HARD_SWISH,
    SPUR_HARD_SIGMOID,
    SPUR_GELU, /* exact, by the error function */
    SPUR_SIGMOID,
    SPUR_TANH
} spur_activation_kind;

/* alpha = 0 for the kind's default. */
SPUR_API spur_node *spur_activation(spur_net *net, spur_node *x, spur_activation_kind kind,
                                    double alpha);
SPUR_API spur_node *spur_relu(spur_net *net, spur_node *x);

/* Over the last axis. */
SPUR_API spur_node *spur_softmax(spur_net *net, spur_node *x);
SPUR_API spur_node *spur_log_softmax(spur_net *net, spur_node *x);

/* Marks a node whose values and gradient must still be readable after a run (outputs, features; the
 * gradient by an input), a gradient until the next run forward. The values of inputs, of the loss and of
 * nodes without consumers are kept anyway. */
SPUR_API void spur_keep(spur_net *net, spur_node *node);

/* ---- running ------------------------------------------------------------------------------- */

/* Plans memory and algorithms. `loss` is a scalar node, or NULL for a net that is only run
 * forward. Reports the first error made while building. Once per net (E_STATE after that); after a
 * failure the net can only be destroyed. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_net_build(spur_net *net, spur_node *loss,
                                                     spur_error *err);

/* Samples in the next runs, 1 <= n <= planned batch (else E_RANGE), which is what holds until this is
 * called. E_STATE before the net is built. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_net_set_batch(spur_net *net, int n);

/* The training step that random numbers (dropout) are drawn for. */
SPUR_API void spur_net_set_step(spur_net *net, uint64_t step);

/* Values of a node (inputs: to be filled; others: of the last run, where they are kept), in its shape
 * and dense. NULL before the net is built, and for the other type: int32 nodes through _int. */
SPUR_API float *spur_node_data(spur_node *node);
SPUR_API int32_t *spur_node_data_int(spur_node *node);
/* Gradient of the loss by a kept node after spur_net_backward(), or NULL. */
SPUR_API const float *spur_node_gradient(const spur_node *node);
SPUR_API int spur_node_rank(const spur_node *node);
SPUR_API const int64_t *spur_node_shape(const spur_node *node);
SPUR_API const char *spur_node_name(const spur_node *node);

/* Runs every node. E_NUMERIC when the loss is not finite; the message names the first layer whose
 * output is not. E_RANGE for a label out of range. E_STATE for a net that is not built, and for
 * SPUR_TRAIN in one without a loss or for inference. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_net_forward(spur_net *net, spur_mode mode,
                                                       spur_error *err);

/* After a forward run in SPUR_TRAIN mode, once for each (else E_STATE): adds the gradients of all
 * trainable parameters (times `scale`) to those already there. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_net_backward(spur_net *net, float scale,
                                                        spur_error *err);

SPUR_API void spur_net_zero_gradients(spur_net *net);

/* The loss of the last forward run; 0 before it, and in a net without a loss. */
SPUR_API float spur_net_loss(const spur_net *net);

/* ---- parameters ----------------------------------------------------------------------------- */

/* How the values lie in memory, against PyTorch's layout in `shape`. */
typedef enum spur_layout {
    SPUR_LAYOUT_PLAIN = 0, /* as PyTorch, but for the order of a flattened image */
    SPUR_LAYOUT_HWIO = 1, /* conv2d: [kh][kw][c/groups][filters] */
    SPUR_LAYOUT_HWOI = 2, /* conv_transpose2d: [kh][kw][filters/groups][c] */
    SPUR_LAYOUT_IN_OUT = 3 /* linear: [in][units], rows of a flattened image in HWC order */
} spur_layout;

typedef struct spur_param {
    const char *name; /* "conv1.weight" */
    int rank;
    int64_t shape[SPUR_MAX_RANK]; /* PyTorch's shape */
    spur_layout layout;
    int64_t flattened[3]; /* of a linear layer or a norm behind a flattened image: its h, w, c; the
                             values follow the order h, w, c then. Else zeros */
    size_t count; /* number of values */
    float *value; /* in our layout; valid after spur_net_build() */
    float *gradient; /* same layout; NULL where nothing is trained: buffers (running statistics),
                        frozen parameters, nets without a loss or for inference */
    bool trainable; /* may be cleared, before spur_net_build(), to freeze it; false for buffers */
    bool decay; /* weight matrices and kernels: true; biases, norms: false */
    spur_net *net; /* whose it is */
} spur_param;

/* Buffers are among them. NULL for an index or a name that there is not. */
SPUR_API int spur_net_param_count(const spur_net *net);
SPUR_API spur_param *spur_net_param(spur_net *net, int index);
SPUR_API spur_param *spur_net_find_param(spur_net *net, const char *name);

/* Number of values in all trainable parameters. */
SPUR_API int64_t spur_net_trainable_count(const spur_net *net);

/* Copies param->count values between our layout and PyTorch's (dense, row-major over `shape`). Does
 * nothing before the net is built. Of the gradient a copy of the struct is exported:
 *     spur_param view = *param;
 *     view.value = param->gradient;
 *     spur_param_export(&view, out); */
SPUR_API void spur_param_export(const spur_param *param, float *out);
SPUR_API void spur_param_import(spur_param *param, const float *in);

/* To be called after values were written to param->value directly in a net built for inference,
 * which keeps forms of them of its own (spur_param_import() does it by itself). */
SPUR_API void spur_net_params_changed(spur_net *net);

/* ---- looking -------------------------------------------------------------------------------- */

/* A table of layers, output shapes, parameters, multiply-adds and memory, 80 columns wide. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_net_summary(const spur_net *net, FILE *out);

/* Bytes planned for activations, their gradients and workspaces together; parameters come on top. */
SPUR_API size_t spur_net_planned_bytes(const spur_net *net);

/* Nodes in the order in which they run, for drawing the graph: each one's kind ("conv2d") and
 * inputs. */
SPUR_API int spur_net_node_count(const spur_net *net);
SPUR_API const spur_node *spur_net_node(const spur_net *net, int index);
SPUR_API const char *spur_node_kind(const spur_node *node);
SPUR_API int spur_node_input_count(const spur_node *node);
SPUR_API const spur_node *spur_node_input(const spur_node *node, int index);

#ifdef __cplusplus
}
#endif

#endif
