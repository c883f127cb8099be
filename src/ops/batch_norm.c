/* SPDX-License-Identifier: MIT
 *
 * batch_norm: per channel over all samples and pixels, [n]..[c]. Training uses the batch's own
 * statistics and moves the running ones; evaluation uses the running ones.
 */
#include <string.h>

#include "base/memory.h"
#include "graph/onnx.h"
#include "kernels/norm/norm.h"
#include "kernels/pool.h"
#include "ops/window.h"

static const spur_norm_options *options_of(const spur_node *node) {
    return node->options;
}

static spur_status batch_norm_shape(spur_node *node, spur_error *err) {
    const spur_norm_options *o = node->options;
    const spur_node *x = node->inputs[0];
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (x->rank < 2)
        return spur__fail(err, SPUR_E_SHAPE, "expected [n][..][channels], found rank %d", x->rank);
    if (!(o->eps >= 0) || !(o->momentum >= 0 && o->momentum <= 1))
        return spur__fail(err, SPUR_E_RANGE,
                          "expected eps from 0 and momentum from 0 to 1, found %g and %g", o->eps,
                          o->momentum);
    spur__shape_like(node, x);
    spur__param_spec spec = {.rank = 1, .shape = {spur__channels(x)}};
    memcpy(spec.flattened, x->flattened, sizeof spec.flattened);
    static const struct {
        const char *suffix;
        float constant;
        bool buffer;
    } rows[] = {{"weight", 1, false},
                {"bias", 0, false},
                {"running_mean", 0, true},
                {"running_var", 1, true}};
    for (int i = o->no_affine ? 2 : 0; i < 4; i++) {
        spec.suffix = rows[i].suffix;
        spec.constant = rows[i].constant;
        spec.buffer = rows[i].buffer;
        if (!spur__param_declare(node, &spec, err)) return err->status;
    }
    return SPUR_OK;
}

static ptrdiff_t pixels_of(const spur_node *node) {
    return (ptrdiff_t)(spur__node_count(node) / (size_t)spur__channels(node));
}

static size_t statistics_bytes(const spur_node *node) {
    size_t bytes = 2 * (size_t)spur__channels(node) * sizeof(float);
    return (bytes + 63) / 64 * 64;
}

/* Any max pool that slides. */
static bool batch_norm_takes_pool(const spur_node *node, const spur_node *pool) {
    (void)pool;
    return node->rank == 4;
}

static bool batch_norm_takes_add(const spur_node *node) {
    (void)node;
    return true;
}

static bool batch_norm_takes_swish(const spur_node *node) {
    (void)node;
    return true;
}

/* Statistics that no backward call will want lie at the workspace's start; a pool's argmax lies
 * behind them. */
static spur_status batch_norm_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    size_t scratch = spur__norm_workspace(1, pixels_of(node), (ptrdiff_t)spur__channels(node));
    demand->saved_bytes = statistics_bytes(node);
    demand->forward_workspace = statistics_bytes(node) + scratch;
    demand->backward_workspace = scratch;
    demand->backward_needs_input[0] = true;
    demand->gradient_in_place = node->pool ? 0 : 1;
    if (node->adds) { /* the gradient of the sum is mostly that of its other operand */
        demand->gradient_in_place = node->input_count + 1;
        demand->backward_needs_output = node->fused_relu;
        demand->scratch =
            spur__batch_norm_plus_scratch(pixels_of(node), (ptrdiff_t)spur__channels(node));
    }
    if (!node->pool) return SPUR_OK;
    spur__pool_shape *pool = node->state = spur__calloc(1, sizeof *pool);
    if (!pool) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    SPUR__TRY(spur__pool_shape_of(node->pool, pool, err));
    demand->saved_bytes += spur__pool_argmax_bytes(pool);
    demand->scratch = spur__batch_norm_pool_scratch(pool);
    return SPUR_OK;
}

static spur__batch_norm kernel_args(const spur_node *node, const spur__run *run, bool forward) {
    const spur_norm_options *o = node->options;
    int first = o->no_affine ? 0 : 2;
    char *work = run->workspace;
    float *statistics = node->saved ? node->saved : run->workspace;
    bool still = run->mode == SPUR_TRAIN && (run->repeat || !forward);
    return (spur__batch_norm){
        .pixels = pixels_of(node),
        .channels = (ptrdiff_t)spur__channels(node),
        .x_pitch = (ptrdiff_t)node->inputs[0]->pitch,
        .y_pitch = (ptrdiff_t)node->pitch,
        .gamma = o->no_affine ? NULL : spur__param_value(node, 0),
        .beta = o->no_affine ? NULL : spur__param_value(node, 1),
        .eps = o->eps > 0 ? o->eps : 1e-5,
        .relu = node->fused_relu,
        .swish = node->fused_swish,
        .mean = statistics,
        .rstd = statistics + spur__channels(node),
        .running_mean = still ? NULL : spur__param_value(node, first),
        .running_var = still ? NULL : spur__param_value(node, first + 1),
        .momentum = o->momentum > 0 ? o->momentum : 0.1,
        .pool = node->pool ? node->state : NULL,
        .argmax = node->pool && node->saved ? (char *)node->saved + statistics_bytes(node) : NULL,
        .plus = node->adds ? node->inputs[node->input_count]->data : NULL,
        .workspace = forward ? work + statistics_bytes(node) : work,
    };
}

static void batch_norm_forward(spur_node *node, const spur__run *run) {
    spur__batch_norm p = kernel_args(node, run, true);
    if (run->mode == SPUR_TRAIN)
        spur__batch_norm_train(&run->exec, &p, node->inputs[0]->data, node->data);
    else
        spur__batch_norm_eval(&run->exec, &p, node->inputs[0]->data, node->data);
}

static void batch_norm_backward(spur_node *node, const spur__run *run) {
    spur__batch_norm p = kernel_args(node, run, false);
    int beta = spur__gradient_beta(node, 0), other = node->input_count;
    bool affine = !options_of(node)->no_affine;
    spur__norm_gradient g = {
        .x = node->inputs[0]->data,
        .dy = node->gradient,
        .dx = beta < 0 ? NULL : node->inputs[0]->gradient,
        .dgamma = affine ? spur__param_gradient(node, 0) : NULL,
        .dbeta = affine ? spur__param_gradient(node, 1) : NULL,
        .accumulate = beta == 1,
    };
    if (node->adds) {
        g.dplus = node->inputs[other]->gradient;
        g.accumulate_plus = spur__gradient_beta(node, other) == 1;
        g.y = node->data;
    }
    spur__batch_norm_backward(&run->exec, &p, &g);
}

static void batch_norm_fold(const spur_node *node, ptrdiff_t rows, const float *weight,
                            const float *bias, float *new_weight, float *new_bias, void *scratch) {
    spur__run run = {.mode = SPUR_EVAL, .workspace = scratch};
    spur__batch_norm p = kernel_args(node, &run, true);
    spur__batch_norm_fold(&p, rows, weight, bias, new_weight, new_bias);
}

static size_t batch_norm_fold_scratch(const spur_node *node) {
    return statistics_bytes(node) +
           spur__norm_workspace(1, pixels_of(node), (ptrdiff_t)spur__channels(node));
}

static double batch_norm_cost(const spur_node *node) {
    return (double)spur__sample_count(node);
}

/* (x - mean) / sqrt(var + eps) * weight + bias along the last axis, which ONNX's own operator does
 * not know. */
static void last_axis_onnx(const spur_node *node, float eps, spur__onnx *to) {
    int mean = node->param_count - 2;
    const char *above = spur__onnx_op(to, "Add");
    spur__onnx_use_param(to, mean + 1);
    spur__onnx_use_scalar(to, eps);
    const char *deviation = spur__onnx_op(to, "Sqrt");
    spur__onnx_use(to, above);
    const char *centred = spur__onnx_op(to, "Sub");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_param(to, mean);
    const char *y = spur__onnx_op(to, "Div");
    spur__onnx_use(to, centred);
    spur__onnx_use(to, deviation);
    for (int i = 0; i < mean; i++) { /* weight, then bias */
        const char *x = y;
        y = spur__onnx_op(to, i ? "Add" : "Mul");
        spur__onnx_use(to, x);
        spur__onnx_use_param(to, i);
    }
}

static void batch_norm_onnx(const spur_node *node, spur__onnx *to) {
    const spur_norm_options *o = node->options;
    float eps = o->eps > 0 ? (float)o->eps : 1e-5f;
    if (node->rank != 2 && node->rank != 4) {
        last_axis_onnx(node, eps, to);
        return;
    }
    spur__onnx_op(to, "BatchNormalization");
    spur__onnx_use_input(to, 0);
    for (int i = 0; o->no_affine && i < 2; i++)
        spur__onnx_use_filled(to, spur__channels(node), i ? 0.0f : 1.0f);
    for (int i = 0; i < node->param_count; i++) spur__onnx_use_param(to, i);
    spur__onnx_float(to, "epsilon", eps);
}

static const spur__op batch_norm_op = {.kind = "batch_norm",
                                       .shape = batch_norm_shape,
                                       .plan = batch_norm_plan,
                                       .forward = batch_norm_forward,
                                       .backward = batch_norm_backward,
                                       .onnx = batch_norm_onnx,
                                       .cost = batch_norm_cost,
                                       .fold = batch_norm_fold,
                                       .fold_scratch = batch_norm_fold_scratch,
                                       .fuses_relu = true,
                                       .takes_swish = batch_norm_takes_swish,
                                       .takes_pool = batch_norm_takes_pool,
                                       .takes_add = batch_norm_takes_add,
                                       .pitched = true,
                                       .elementwise = true};

spur_node *spur_batch_norm(spur_net *net, spur_node *x, const char *name,
                           const spur_norm_options *options) {
    spur_norm_options o = {0};
    if (options) o = *options;
    return spur__node_create(net, &batch_norm_op, name, &x, 1, &o, sizeof o);
}
