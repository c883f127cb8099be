/* SPDX-License-Identifier: MIT
 *
 * conv2d and conv_transpose2d: [n][h][w][c] -> [n][oh][ow][filters].
 *
 * Weights lie as [kh][kw][c/groups][filters] (transposed: [kh][kw][filters/groups][c]). A bias and
 * a ReLU behind the convolution are part of the kernels: forward adds and clamps while it stores,
 * backward masks the gradient by output > 0 while it loads.
 */
#include <string.h>

#include "base/memory.h"
#include "graph/onnx.h"
#include "kernels/matrix/columns.h"
#include "kernels/conv/conv.h"
#include "kernels/vec.h"
#include "ops/window.h"

typedef struct conv_options {
    spur_conv2d_options user;
    int filters;
    bool transposed;
} conv_options;

/* The user's options with defaults filled in; `in` is the side that the window slides over. */
static void window_of(const conv_options *o, const int64_t image[2], spur__slide *w) {
    *w = (spur__slide){0};
    spur__pair(w->kernel, o->user.kernel, 3);
    spur__pair(w->stride, o->user.stride, 1);
    spur__pair(w->dilation, o->user.dilation, 1);
    for (int i = 0; i < 4; i++) w->padding[i] = o->user.padding[i];
    w->in[0] = image[0];
    w->in[1] = image[1];
}

static int groups_of(const conv_options *o) {
    return o->user.groups ? o->user.groups : 1;
}

static spur_status check_channels(const spur_node *node, spur_error *err) {
    const conv_options *o = node->options;
    int64_t c = node->inputs[0]->shape[3];
    int groups = groups_of(o);
    if (o->filters < 1)
        return spur__fail(err, SPUR_E_RANGE, "expected at least one filter, found %d", o->filters);
    if (groups < 1 || c % groups || o->filters % groups)
        return spur__fail(err, SPUR_E_SHAPE,
                          "expected channels and filters divisible by %d groups, found %lld and %d",
                          groups, (long long)c, o->filters);
    return SPUR_OK;
}

static spur_status declare(spur_node *node, const spur__slide *w, spur_error *err) {
    const conv_options *o = node->options;
    int64_t c = node->inputs[0]->shape[3], groups = groups_of(o);
    int64_t first = o->transposed ? c : o->filters;
    int64_t second = (o->transposed ? o->filters : c) / groups;
    int64_t taps = (int64_t)w->kernel[0] * w->kernel[1];
    spur__param_spec weight = {.suffix = "weight",
                               .rank = 4,
                               .shape = {first, second, w->kernel[0], w->kernel[1]},
                               .layout = o->transposed ? SPUR_LAYOUT_HWOI : SPUR_LAYOUT_HWIO,
                               .init = o->user.init,
                               .fan_in = second * taps,
                               .fan_out = first * taps,
                               .decay = true};
    if (!spur__param_declare(node, &weight, err)) return err->status;
    if (o->user.no_bias) return SPUR_OK;
    spur__param_spec bias = {.suffix = "bias",
                             .rank = 1,
                             .shape = {o->filters},
                             .init = o->user.init ? SPUR_INIT_ZEROS : SPUR_INIT_DEFAULT,
                             .fan_in = second * taps};
    return spur__param_declare(node, &bias, err) ? SPUR_OK : err->status;
}

static spur_status conv_shape(spur_node *node, spur_error *err) {
    const conv_options *o = node->options;
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    SPUR__TRY(check_channels(node, err));
    const int64_t *in = node->inputs[0]->shape;
    spur__slide w;
    window_of(o, in + 1, &w);
    if (o->user.same_padding) spur__window_same(&w);
    SPUR__TRY(spur__window_fit(&w, false, err));
    spur__shape_like(node, node->inputs[0]);
    node->shape[1] = w.out[0];
    node->shape[2] = w.out[1];
    node->shape[3] = o->filters;
    return declare(node, &w, err);
}

/* The window of a transposed convolution slides over its output: `in` there is our output. */
static spur_status transposed_window(const conv_options *o, const int64_t image[2], spur__slide *w,
                                     spur_error *err) {
    const int *extra = o->user.output_padding;
    window_of(o, image, w);
    for (int d = 0; d < 2; d++) {
        if (extra[d] < 0 ||
            extra[d] >= (w->stride[d] > w->dilation[d] ? w->stride[d] : w->dilation[d]))
            return spur__fail(err, SPUR_E_RANGE,
                              "expected output_padding below stride or dilation, found %d",
                              extra[d]);
        int64_t span = (int64_t)w->dilation[d] * (w->kernel[d] - 1) + 1;
        int64_t full = (image[d] - 1) * w->stride[d] + span + extra[d];
        if (o->user.same_padding) { /* Keras's "same": size * stride */
            int64_t cut = full - image[d] * w->stride[d];
            if (cut < 0) { /* a kernel that leaves gaps: the last one is part of the output */
                full -= cut;
                cut = 0;
            }
            w->padding[d] = (int)(cut / 2);
            w->padding[d + 2] = (int)(cut - cut / 2);
        }
        SPUR__TRY(spur__window_check(w, d, err));
        w->in[d] = full - w->padding[d] - w->padding[d + 2];
        w->out[d] = image[d];
        if (w->in[d] < 1)
            return spur__fail(err, SPUR_E_SHAPE,
                              "expected an output of 1 pixel or more, found %lld",
                              (long long)w->in[d]);
    }
    return SPUR_OK;
}

static spur_status transpose_shape(spur_node *node, spur_error *err) {
    const conv_options *o = node->options;
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    SPUR__TRY(check_channels(node, err));
    spur__slide w;
    SPUR__TRY(transposed_window(o, node->inputs[0]->shape + 1, &w, err));
    spur__shape_like(node, node->inputs[0]);
    node->shape[1] = w.in[0];
    node->shape[2] = w.in[1];
    node->shape[3] = o->filters;
    return declare(node, &w, err);
}

/* Multiply-adds: every output (transposed: input) meets every tap and channel of its group. */
static double conv_cost(const spur_node *node) {
    const conv_options *o = node->options;
    const spur_node *side = o->transposed ? node->inputs[0] : node;
    double pixels = (double)side->shape[1] * (double)side->shape[2];
    return pixels * (double)node->params[0]->count;
}

/* ---- planning ------------------------------------------------------------------------------- */

static spur__conv_algo algorithm(const spur_net_options *options) {
    switch (options->conv) {
    case SPUR_CONV_DIRECT:
        return SPUR__CONV_DIRECT;
    case SPUR_CONV_WINOGRAD2:
        return SPUR__CONV_WINOGRAD2;
    case SPUR_CONV_WINOGRAD4:
        return SPUR__CONV_WINOGRAD4;
    case SPUR_CONV_AUTO:
        break;
    }
    return SPUR__CONV_AUTO;
}

/* A convolution from `image` to `map`; a transposed one is the data gradient of one that goes the
 * other way. */
static spur__conv_shape shape_for(const spur_node *node, const spur_node *image,
                                  const spur_node *map, const spur__slide *w) {
    return (spur__conv_shape){
        .n = image->shape[0],
        .h = image->shape[1],
        .w = image->shape[2],
        .c = image->shape[3],
        .k = map->shape[3],
        .kh = w->kernel[0],
        .kw = w->kernel[1],
        .stride_h = w->stride[0],
        .stride_w = w->stride[1],
        .pad_top = w->padding[0],
        .pad_left = w->padding[1],
        .pad_bottom = w->padding[2],
        .pad_right = w->padding[3],
        .dilation_h = w->dilation[0],
        .dilation_w = w->dilation[1],
        .groups = groups_of(node->options),
        .oh = map->shape[1],
        .ow = map->shape[2],
        .x_pitch = image->pitch,
        .y_pitch = map->pitch,
    };
}

/* The kernel plan; behind it, for the direct algorithm, the pool that the layer ends in. */
typedef struct conv_state {
    spur__conv_plan plan;
    spur__pool_shape window;
} conv_state;

/* Makes node->state. */
static spur_status make_plan(spur_node *node, const spur_node *image, const spur_node *map,
                             const spur__slide *w, spur_error *err) {
    spur__conv_shape shape = shape_for(node, image, map, w);
    node->state = spur__calloc(1, sizeof(conv_state));
    if (!node->state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    return spur__conv_plan_init(node->state, &shape, algorithm(spur__net_options(node->net)),
                                spur__net_exec(node->net)->threads, err);
}

static void conv_window(const spur_node *node, spur__slide *w) {
    const conv_options *o = node->options;
    window_of(o, node->inputs[0]->shape + 1, w);
    if (o->user.same_padding) spur__window_same(w);
}

/* In inference, where no argmax is wanted: any sliding max pool, if the direct algorithm can. */
static bool slides(const spur_node *node, const spur_node *pool) {
    spur__pool_shape window;
    spur__conv_plan plan;
    spur__slide w;
    if (!spur__net_options(node->net)->inference) return false;
    if (spur__pool_shape_of(pool, &window, NULL) != SPUR_OK) return false;
    conv_window(node, &w);
    spur__conv_shape shape = shape_for(node, node->inputs[0], node, &w);
    return spur__conv_plan_init(&plan, &shape, algorithm(spur__net_options(node->net)), 1, NULL) ==
               SPUR_OK &&
           spur__conv_pooled_memory(&plan, &window).workspace > 0;
}

/* The gradient of a bias alone is summed elsewhere, from whole images. */
static bool conv_takes_pool(const spur_node *node, const spur_node *pool) {
    spur__slide w;
    if (slides(node, pool)) return true;
    if (!pool->op->halves(pool)) return false;
    if (node->param_count > 1 && node->params[1]->trainable && !node->params[0]->trainable)
        return false;
    conv_window(node, &w);
    spur__conv_shape shape = shape_for(node, node->inputs[0], node, &w);
    return spur__conv_pools(&shape, algorithm(spur__net_options(node->net)));
}

/* In inference, where no slope is wanted. */
static bool conv_takes_swish(const spur_node *node) {
    spur__conv_plan plan;
    spur__slide w;
    if (!spur__net_options(node->net)->inference) return false;
    conv_window(node, &w);
    spur__conv_shape shape = shape_for(node, node->inputs[0], node, &w);
    return spur__conv_plan_init(&plan, &shape, algorithm(spur__net_options(node->net)), 1, NULL) ==
               SPUR_OK &&
           spur__conv_swishes(&plan);
}

/* In inference: what is added lies in the output's memory, mostly because nobody else reads it any
 * more. */
static bool conv_takes_add(const spur_node *node) {
    return spur__net_options(node->net)->inference;
}

/* Bytes of scratch for the gradient of the bias alone. */
static size_t bias_bytes(const spur_node *node) {
    ptrdiff_t c = (ptrdiff_t)spur__channels(node);
    return spur__columns_workspace((ptrdiff_t)spur__node_count(node) / c, c);
}

/* Of all passes that will run; `forward` is the plan's pass that goes forward. */
static size_t scratch_of(const spur_node *node, spur__conv_pass forward) {
    const spur__conv_plan *plan = node->state;
    size_t most = plan->memory[forward].scratch;
    for (int i = 0; i < SPUR__CONV_PASSES && node->needs_gradient; i++)
        most = spur__max_size(most, plan->memory[i].scratch);
    return most;
}

/* What a net for inference keeps: the packed weights; behind them, if a norm is folded in, the
 * weights and the bias that come of it. */
typedef struct prepared {
    float *packed, *weight, *bias;
    size_t bytes;
} prepared;

static size_t rounded(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static prepared prepared_of(const spur_node *node) {
    const spur__conv_plan *plan = node->state;
    char *at = node->prepared;
    size_t weight = rounded(node->params[0]->count * sizeof(float));
    size_t bias = rounded((size_t)spur__channels(node) * sizeof(float));
    prepared p = {.bytes = rounded(plan->packed)};
    if (at && plan->packed) p.packed = (float *)(void *)at;
    if (!node->folded) return p;
    if (at) p.weight = (float *)(void *)(at + p.bytes);
    if (at) p.bias = (float *)(void *)(at + p.bytes + weight);
    p.bytes += weight + bias;
    return p;
}

static spur_status conv_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    spur__slide w;
    conv_window(node, &w);
    SPUR__TRY(make_plan(node, node->inputs[0], node, &w, err));
    const spur__conv_plan *plan = node->state;
    const spur__conv_memory *memory = plan->memory;
    demand->forward_workspace = memory[SPUR__CONV_FORWARD].workspace;
    demand->scratch = scratch_of(node, SPUR__CONV_FORWARD);
    if (node->adds) demand->in_place = node->input_count + 1;
    if (node->pool && plan->algo[SPUR__CONV_FORWARD] == SPUR__CONV_DIRECT) {
        spur__pool_shape *window = &((conv_state *)node->state)->window;
        SPUR__TRY(spur__pool_shape_of(node->pool, window, err));
        spur__conv_memory pooled = spur__conv_pooled_memory(plan, window);
        demand->forward_workspace = pooled.workspace;
        demand->scratch = spur__max_size(demand->scratch, pooled.scratch);
    }
    demand->prepared_bytes = prepared_of(node).bytes;
    if (node->folded)
        demand->forward_workspace =
            spur__max_size(demand->forward_workspace, node->folded->op->fold_scratch(node->folded));
    demand->backward_workspace = spur__max_size(memory[SPUR__CONV_BACKWARD_DATA].workspace,
                                                memory[SPUR__CONV_BACKWARD_WEIGHTS].workspace);
    if (node->param_count > 1)
        demand->backward_workspace = spur__max_size(demand->backward_workspace, bias_bytes(node));
    demand->backward_needs_input[0] = node->params[0]->trainable;
    demand->backward_needs_output = node->fused_relu && !node->pool;
    if (node->pool) demand->saved_bytes = spur__node_count(node->pool);
    return SPUR_OK;
}

static spur_status transpose_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    spur__slide w;
    SPUR__TRY(transposed_window(node->options, node->inputs[0]->shape + 1, &w, err));
    SPUR__TRY(make_plan(node, node, node->inputs[0], &w, err));
    const spur__conv_plan *plan = node->state;
    const spur__conv_memory *memory = plan->memory;
    demand->forward_workspace = memory[SPUR__CONV_BACKWARD_DATA].workspace;
    demand->backward_workspace = spur__max_size(memory[SPUR__CONV_FORWARD].workspace,
                                                memory[SPUR__CONV_BACKWARD_WEIGHTS].workspace);
    demand->scratch = scratch_of(node, SPUR__CONV_BACKWARD_DATA);
    if (node->param_count > 1)
        demand->backward_workspace = spur__max_size(demand->backward_workspace, bias_bytes(node));
    demand->backward_needs_input[0] = node->params[0]->trainable;
    return SPUR_OK;
}

/* ---- running -------------------------------------------------------------------------------- */

static void conv_prepare(spur_node *node, const spur__run *run) {
    prepared p = prepared_of(node);
    ptrdiff_t rows = (ptrdiff_t)(node->params[0]->count / (size_t)spur__channels(node));
    if (node->folded)
        node->folded->op->fold(node->folded, rows, spur__param_value(node, 0),
                               spur__param_value(node, 1), p.weight, p.bias, run->workspace);
    if (p.packed)
        spur__conv_pack(node->state, &run->exec, p.weight ? p.weight : spur__param_value(node, 0),
                        p.packed);
}

/* Puts what is added to the convolution where it adds its outputs. */
static void bring_other(const spur_node *node, const spur__run *run) {
    const float *other = node->inputs[node->input_count]->data;
    if (other == node->data) return;
    spur__vec_map(&run->exec, (ptrdiff_t)spur__node_count(node),
                  &(spur__map){.op = SPUR__MAP_COPY, .a = other, .y = node->data});
}

static void conv_forward(spur_node *node, const spur__run *run) {
    prepared p = prepared_of(node);
    const conv_state *state = node->state;
    bool direct = state->plan.algo[SPUR__CONV_FORWARD] == SPUR__CONV_DIRECT;
    if (node->adds) bring_other(node, run);
    spur__conv_forward(
        &state->plan, &run->exec,
        &(spur__conv_forward_args){.n = run->batch,
                                   .x = node->inputs[0]->data,
                                   .w = p.weight ? p.weight : spur__param_value(node, 0),
                                   .packed = p.packed,
                                   .bias = p.bias ? p.bias : spur__param_value(node, 1),
                                   .y = node->data,
                                   .relu = node->fused_relu,
                                   .swish = node->fused_swish,
                                   .accumulate = node->adds,
                                   .pool = node->pool && !direct,
                                   .argmax = node->pool ? node->saved : NULL,
                                   .window = node->pool && direct ? &state->window : NULL,
                                   .workspace = run->workspace});
}

static void bias_gradient(spur_node *node, const spur__run *run, const float *relu_y) {
    ptrdiff_t c = (ptrdiff_t)spur__channels(node);
    spur__sum_columns(&run->exec, &(spur__columns){.rows = (ptrdiff_t)spur__node_count(node) / c,
                                                   .n = c,
                                                   .dy = node->gradient,
                                                   .pitch = (ptrdiff_t)node->pitch,
                                                   .relu_y = relu_y,
                                                   .sum = spur__param_gradient(node, 1),
                                                   .accumulate = spur__param_beta(node, 1) == 1,
                                                   .workspace = run->workspace});
}

/* Whether the parameters' gradients are added to. The kernels do the same with both: where they differ,
 * as one belongs to other layers as well, the one to be written is cleared. */
static bool adds_gradients(spur_node *node) {
    bool adds = false;
    for (int i = 0; i < node->param_count; i++)
        adds = adds || (spur__param_gradient(node, i) && spur__param_beta(node, i) == 1);
    for (int i = 0; i < node->param_count && adds; i++)
        if (spur__param_gradient(node, i) && spur__param_beta(node, i) == 0)
            memset(spur__param_gradient(node, i), 0, node->params[i]->count * sizeof(float));
    return adds;
}

static void conv_backward(spur_node *node, const spur__run *run) {
    const float *mask = node->fused_relu && !node->pool ? node->data : NULL;
    const uint8_t *argmax = node->pool ? node->saved : NULL;
    float *dw = spur__param_gradient(node, 0), *dbias = spur__param_gradient(node, 1);
    int beta = spur__gradient_beta(node, 0);
    if (dw)
        spur__conv_backward_weights(node->state, &run->exec,
                                    &(spur__conv_weights_args){.n = run->batch,
                                                               .x = node->inputs[0]->data,
                                                               .dy = node->gradient,
                                                               .relu_y = mask,
                                                               .argmax = argmax,
                                                               .dw = dw,
                                                               .dbias = dbias,
                                                               .accumulate = adds_gradients(node),
                                                               .workspace = run->workspace});
    else if (dbias)
        bias_gradient(node, run, mask);
    if (beta >= 0)
        spur__conv_backward_data(node->state, &run->exec,
                                 &(spur__conv_data_args){.n = run->batch,
                                                         .dy = node->gradient,
                                                         .relu_y = mask,
                                                         .argmax = argmax,
                                                         .w = spur__param_value(node, 0),
                                                         .dx = node->inputs[0]->gradient,
                                                         .accumulate = beta == 1,
                                                         .workspace = run->workspace});
}

/* Forward is the data gradient of the plan's convolution. */
static void transpose_forward(spur_node *node, const spur__run *run) {
    spur__conv_backward_data(node->state, &run->exec,
                             &(spur__conv_data_args){.n = run->batch,
                                                     .dy = node->inputs[0]->data,
                                                     .w = spur__param_value(node, 0),
                                                     .dx = node->data,
                                                     .bias = spur__param_value(node, 1),
                                                     .workspace = run->workspace});
}

/* The gradient of the bias is summed on the way to that of the weights where that sees every output once. */
static void transpose_backward(spur_node *node, const spur__run *run) {
    float *dw = spur__param_gradient(node, 0), *dbias = spur__param_gradient(node, 1);
    int beta = spur__gradient_beta(node, 0);
    bool together = dw && dbias && spur__conv_sums_x(node->state);
    if (dbias && !together) bias_gradient(node, run, NULL);
    if (dw)
        spur__conv_backward_weights(
            node->state, &run->exec,
            &(spur__conv_weights_args){.n = run->batch,
                                       .x = node->gradient,
                                       .dy = node->inputs[0]->data,
                                       .dw = dw,
                                       .x_sums = together ? dbias : NULL,
                                       .accumulate = together ? adds_gradients(node)
                                                              : spur__param_beta(node, 0) == 1,
                                       .workspace = run->workspace});
    if (beta >= 0)
        spur__conv_forward(node->state, &run->exec,
                           &(spur__conv_forward_args){.n = run->batch,
                                                      .x = node->gradient,
                                                      .w = spur__param_value(node, 0),
                                                      .y = node->inputs[0]->gradient,
                                                      .accumulate = beta == 1,
                                                      .workspace = run->workspace});
}

/* ONNX Runtime refuses an output_padding from the stride on, which a dilation allows. Rows and columns of
 * zeros at the input's end make as much room; what is too much of it is cut off as padding. The output of
 * the operator that adds them, or NULL. */
static const char *transpose_room_onnx(spur__onnx *to, spur__slide *w, int output_padding[2]) {
    int64_t rows[2] = {0, 0};
    for (int d = 0; d < 2; d++)
        if (output_padding[d] >= w->stride[d]) {
            rows[d] = spur__ceil_div(output_padding[d], w->stride[d]);
            w->padding[d + 2] += (int)rows[d] * w->stride[d] - output_padding[d];
            output_padding[d] = 0;
        }
    if (rows[0] == 0 && rows[1] == 0) return NULL;
    const char *x = spur__onnx_op(to, "Pad");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_sizes(to, 8, (const int64_t[]){0, 0, 0, 0, 0, 0, rows[0], rows[1]});
    spur__onnx_use_scalar(to, 0.0f);
    return x;
}

static void conv_onnx(const spur_node *node, spur__onnx *to) {
    const conv_options *o = node->options;
    int output_padding[2];
    const char *x = NULL;
    spur__slide w;
    if (!o->transposed)
        conv_window(node, &w);
    else if (transposed_window(o, node->inputs[0]->shape + 1, &w, NULL) != SPUR_OK)
        return; /* its shape was inferred from it */
    for (int d = 0; o->transposed && d < 2; d++) /* with what same_padding adds */
        output_padding[d] =
            (int)(w.in[d] + w.padding[d] + w.padding[d + 2] - (w.out[d] - 1) * w.stride[d] -
                  (int64_t)w.dilation[d] * (w.kernel[d] - 1) - 1);
    if (o->transposed) x = transpose_room_onnx(to, &w, output_padding);
    spur__onnx_op(to, o->transposed ? "ConvTranspose" : "Conv");
    if (x)
        spur__onnx_use(to, x);
    else
        spur__onnx_use_input(to, 0);
    for (int i = 0; i < node->param_count; i++) spur__onnx_use_param(to, i);
    spur__onnx_ints(to, "kernel_shape", 2, w.kernel);
    spur__onnx_ints(to, "strides", 2, w.stride);
    spur__onnx_ints(to, "dilations", 2, w.dilation);
    spur__onnx_ints(to, "pads", 4, w.padding);
    spur__onnx_int(to, "group", groups_of(o));
    if (o->transposed) spur__onnx_ints(to, "output_padding", 2, output_padding);
}

static const spur__op conv_op = {.kind = "conv2d",
                                 .shape = conv_shape,
                                 .plan = conv_plan,
                                 .forward = conv_forward,
                                 .backward = conv_backward,
                                 .onnx = conv_onnx,
                                 .prepare = conv_prepare,
                                 .cost = conv_cost,
                                 .takes_pool = conv_takes_pool,
                                 .folds_norm = true,
                                 .takes_add = conv_takes_add,
                                 .takes_swish = conv_takes_swish,
                                 .fuses_relu = true,
                                 .overwrites_gradients = true,
                                 .pitched = true};
static const spur__op transpose_op = {.kind = "conv_transpose2d",
                                      .shape = transpose_shape,
                                      .plan = transpose_plan,
                                      .forward = transpose_forward,
                                      .backward = transpose_backward,
                                      .onnx = conv_onnx,
                                      .cost = conv_cost,
                                      .overwrites_gradients = true,
                                      .pitched = true};

static spur_node *create(spur_net *net, spur_node *x, const char *name, int filters,
                         const spur_conv2d_options *options, bool transposed) {
    conv_options o = {.filters = filters, .transposed = transposed};
    if (options) o.user = *options;
    return spur__node_create(net, transposed ? &transpose_op : &conv_op, name, &x, 1, &o, sizeof o);
}

spur_node *spur_conv2d(spur_net *net, spur_node *x, const char *name, int filters,
                       const spur_conv2d_options *options) {
    return create(net, x, name, filters, options, false);
}

spur_node *spur_conv_transpose2d(spur_net *net, spur_node *x, const char *name, int filters,
                                 const spur_conv2d_options *options) {
    return create(net, x, name, filters, options, true);
}
