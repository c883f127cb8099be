/* SPDX-License-Identifier: MIT
 *
 * linear: y = x W + b on the last axis, [..][in] -> [..][units]; W lies as [in][units]. Bias and
 * ReLU are part of the matrix product. With few samples the weights' gradient may be taken block by
 * block by an optimizer, in place of being stored.
 */
#include <string.h>

#include "base/memory.h"
#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/matrix/columns.h"
#include "kernels/matrix/gemm.h"
#include "kernels/matrix/linear.h"

typedef struct linear_options {
    spur_linear_options user;
    int units;
} linear_options;

static spur_status linear_shape(spur_node *node, spur_error *err) {
    const linear_options *o = node->options;
    const spur_node *x = node->inputs[0];
    char text[128];
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (x->rank < 2)
        return spur__fail(err, SPUR_E_SHAPE, "expected [n][..][features], found '%s' %s", x->name,
                          spur__shape_text(x, text, sizeof text));
    if (o->units < 1)
        return spur__fail(err, SPUR_E_RANGE, "expected at least one unit, found %d", o->units);
    int64_t in = x->shape[x->rank - 1];
    spur__shape_like(node, x);
    node->shape[x->rank - 1] = o->units;
    spur__param_spec weight = {.suffix = "weight",
                               .rank = 2,
                               .shape = {o->units, in},
                               .layout = SPUR_LAYOUT_IN_OUT,
                               .init = o->user.init,
                               .fan_in = in,
                               .fan_out = o->units,
                               .decay = true};
    memcpy(weight.flattened, x->flattened, sizeof weight.flattened);
    if (!spur__param_declare(node, &weight, err)) return err->status;
    if (o->user.no_bias) return SPUR_OK;
    spur__param_spec bias = {.suffix = "bias",
                             .rank = 1,
                             .shape = {o->units},
                             .init = o->user.init ? SPUR_INIT_ZEROS : SPUR_INIT_DEFAULT,
                             .fan_in = in};
    return spur__param_declare(node, &bias, err) ? SPUR_OK : err->status;
}

static ptrdiff_t rows_of(const spur_node *node) {
    return (ptrdiff_t)(spur__node_count(node) / (size_t)spur__channels(node));
}

/* Parts of the backward workspace, in bytes. */
static size_t masked_bytes(const spur_node *node) {
    size_t bytes = node->fused_relu ? spur__node_count(node) * sizeof(float) : 0;
    return (bytes + 63) / 64 * 64;
}

static size_t sum_bytes(const spur_node *node) {
    size_t bytes = spur__columns_workspace(rows_of(node), (ptrdiff_t)spur__channels(node));
    return (bytes + 63) / 64 * 64;
}

/* Few samples: the weights' stream is the limit, kernels/matrix/linear.h. Else plain matrix products. */
static bool streams_forward(const spur_node *node) {
    return spur__net_exec(node->net)->gemm != SPUR__GEMM_OPENBLAS &&
           spur__linear_streams_forward(rows_of(node));
}

static bool streams_backward(const spur_node *node) {
    return spur__net_exec(node->net)->gemm != SPUR__GEMM_OPENBLAS &&
           spur__linear_streams_backward(rows_of(node));
}

/* The choice is made for the planned batch and holds for smaller ones: `state` keeps it. */
typedef struct choice {
    bool forward, backward;
} choice;

static spur_status linear_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    ptrdiff_t m = rows_of(node), n = (ptrdiff_t)spur__channels(node);
    ptrdiff_t k = (ptrdiff_t)spur__channels(node->inputs[0]);
    choice *chosen = node->state ? node->state : spur__calloc(1, sizeof *chosen);
    if (!chosen) return spur__fail(err, SPUR_E_MEMORY, "out of memory while planning");
    *chosen = (choice){streams_forward(node), streams_backward(node)};
    node->state = chosen;
    size_t forward = chosen->forward ? spur__linear_forward_scratch(m) : spur__gemm_scratch();
    size_t backward = chosen->backward ? spur__linear_backward_scratch(m, n) : spur__gemm_scratch();
    demand->scratch = node->needs_gradient ? spur__max_size(forward, backward) : forward;
    demand->forward_workspace = chosen->forward ? spur__linear_forward_workspace(m, k, n) : 0;
    demand->backward_workspace = (chosen->backward ? spur__linear_backward_workspace(m, n) : 0) +
                                 masked_bytes(node) + sum_bytes(node);
    demand->backward_needs_input[0] = node->params[0]->trainable;
    demand->backward_needs_output = node->fused_relu;
    return SPUR_OK;
}

static void product_forward(spur_node *node, const spur__run *run) {
    const spur_node *x = node->inputs[0];
    spur__gemm(&run->exec, &(spur__gemm_args){.m = rows_of(node),
                                              .n = (ptrdiff_t)spur__channels(node),
                                              .k = (ptrdiff_t)spur__channels(x),
                                              .a = x->data,
                                              .lda = (ptrdiff_t)x->pitch,
                                              .b = spur__param_value(node, 0),
                                              .ldb = (ptrdiff_t)spur__channels(node),
                                              .c = node->data,
                                              .ldc = (ptrdiff_t)node->pitch,
                                              .bias = spur__param_value(node, 1),
                                              .relu = node->fused_relu});
}

/* Shape and operands that both directions share. */
static spur__linear streamed(const spur_node *node) {
    const spur_node *x = node->inputs[0];
    return (spur__linear){.m = rows_of(node),
                          .k = (ptrdiff_t)spur__channels(x),
                          .n = (ptrdiff_t)spur__channels(node),
                          .x = x->data,
                          .x_pitch = (ptrdiff_t)x->pitch,
                          .w = spur__param_value(node, 0)};
}

static void linear_forward(spur_node *node, const spur__run *run) {
    if (!((const choice *)node->state)->forward) {
        product_forward(node, run);
        return;
    }
    spur__linear job = streamed(node);
    job.bias = spur__param_value(node, 1);
    job.y = node->data;
    job.y_pitch = (ptrdiff_t)node->pitch;
    job.relu = node->fused_relu;
    spur__linear_forward(&run->exec, &job, run->workspace);
}

static void weight_gradient(spur_node *node, const spur__run *run, const float *dy,
                            ptrdiff_t pitch) {
    const spur_node *x = node->inputs[0];
    spur__gemm(&run->exec, &(spur__gemm_args){.m = (ptrdiff_t)spur__channels(x),
                                              .n = (ptrdiff_t)spur__channels(node),
                                              .k = rows_of(node),
                                              .a = x->data,
                                              .lda = (ptrdiff_t)x->pitch,
                                              .a_transposed = true,
                                              .b = dy,
                                              .ldb = pitch,
                                              .c = spur__param_gradient(node, 0),
                                              .ldc = (ptrdiff_t)spur__channels(node),
                                              .accumulate = spur__param_beta(node, 0) == 1});
}

static void input_gradient(spur_node *node, const spur__run *run, const float *dy,
                           ptrdiff_t pitch) {
    const spur_node *x = node->inputs[0];
    spur__gemm(&run->exec, &(spur__gemm_args){.m = rows_of(node),
                                              .n = (ptrdiff_t)spur__channels(x),
                                              .k = (ptrdiff_t)spur__channels(node),
                                              .a = dy,
                                              .lda = pitch,
                                              .b = spur__param_value(node, 0),
                                              .ldb = (ptrdiff_t)spur__channels(node),
                                              .b_transposed = true,
                                              .c = x->gradient,
                                              .ldc = (ptrdiff_t)x->pitch,
                                              .accumulate = spur__gradient_beta(node, 0) == 1});
}

/* Both gradients in one walk over the weights, which a taker may update on the way. */
static void streamed_backward(spur_node *node, const spur__run *run, const float *dy,
                              ptrdiff_t pitch, void *workspace) {
    spur_node *x = node->inputs[0];
    spur__linear job = streamed(node);
    spur__sink sink;
    size_t block = (size_t)(spur__linear_rows(job.n) * job.n);
    job.dy = dy;
    job.dy_pitch = pitch;
    if (spur__gradient_beta(node, 0) >= 0) {
        job.dx = x->gradient;
        job.dx_pitch = (ptrdiff_t)x->pitch;
        job.dx_accumulate = spur__gradient_beta(node, 0) == 1;
    }
    if (spur__param_gradient(node, 0) && spur__run_takes(run, node, 0, block, &sink)) {
        job.sink = &sink;
    } else if (spur__param_gradient(node, 0)) {
        job.dw = spur__param_gradient(node, 0);
        job.dw_accumulate = spur__param_beta(node, 0) == 1;
    }
    spur__linear_backward(&run->exec, &job, workspace);
}

static void linear_backward(spur_node *node, const spur__run *run) {
    char *work = run->workspace;
    float *masked = node->fused_relu ? (float *)run->workspace : NULL;
    const float *dy = masked ? masked : node->gradient;
    ptrdiff_t pitch = masked ? (ptrdiff_t)spur__channels(node) : (ptrdiff_t)node->pitch;
    if (masked || spur__param_gradient(node, 1))
        spur__sum_columns(&run->exec, &(spur__columns){.rows = rows_of(node),
                                                       .n = (ptrdiff_t)spur__channels(node),
                                                       .dy = node->gradient,
                                                       .pitch = (ptrdiff_t)node->pitch,
                                                       .relu_y = masked ? node->data : NULL,
                                                       .masked = masked,
                                                       .sum = spur__param_gradient(node, 1),
                                                       .accumulate = spur__param_beta(node, 1) == 1,
                                                       .workspace = work + masked_bytes(node)});
    if (((const choice *)node->state)->backward) {
        streamed_backward(node, run, dy, pitch, work + masked_bytes(node) + sum_bytes(node));
        return;
    }
    if (spur__param_gradient(node, 0)) weight_gradient(node, run, dy, pitch);
    if (spur__gradient_beta(node, 0) >= 0) input_gradient(node, run, dy, pitch);
}

static double linear_cost(const spur_node *node) {
    return (double)spur__sample_count(node) * (double)spur__channels(node->inputs[0]);
}

/* The weights' columns follow the order of a flattened image. */
static void linear_onnx(const spur_node *node, spur__onnx *to) {
    if (node->rank == 2) {
        spur__onnx_op(to, "Gemm");
        spur__onnx_use(to, spur__onnx_unordered(to, 0));
        for (int i = 0; i < node->param_count; i++) spur__onnx_use_param(to, i);
        spur__onnx_int(to, "transB", 1);
        return;
    }
    const char *x = spur__onnx_plain(to, 0), *w = spur__onnx_op(to, "Transpose");
    spur__onnx_use_param(to, 0);
    spur__onnx_ints(to, "perm", 2, (const int[]){1, 0});
    const char *y = spur__onnx_op(to, "MatMul");
    spur__onnx_use(to, x);
    spur__onnx_use(to, w);
    if (node->param_count > 1) {
        const char *product = y;
        y = spur__onnx_op(to, "Add");
        spur__onnx_use(to, product);
        spur__onnx_use_param(to, 1);
    }
    spur__onnx_from_plain(to, y);
}

static const spur__op linear_op = {.kind = "linear",
                                   .shape = linear_shape,
                                   .plan = linear_plan,
                                   .forward = linear_forward,
                                   .backward = linear_backward,
                                   .onnx = linear_onnx,
                                   .cost = linear_cost,
                                   .fuses_relu = true,
                                   .overwrites_gradients = true,
                                   .pitched = true};

spur_node *spur_linear(spur_net *net, spur_node *x, const char *name, int units,
                       const spur_linear_options *options) {
    linear_options o = {.units = units};
    if (options) o.user = *options;
    return spur__node_create(net, &linear_op, name, &x, 1, &o, sizeof o);
}
