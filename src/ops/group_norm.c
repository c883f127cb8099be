/* SPDX-License-Identifier: MIT
 *
 * group_norm: per sample over the pixels and channels of a group; layer_norm: over the last axis,
 * every row by itself.
 */
#include <string.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/norm/norm.h"

typedef struct group_options {
    spur_norm_options user;
    bool layer;
} group_options;

static bool is_layer(const spur_node *node) {
    return ((const group_options *)node->options)->layer;
}

static ptrdiff_t groups_of(const spur_node *node) {
    const group_options *o = node->options;
    return is_layer(node) ? 1 : o->user.groups ? o->user.groups : 32;
}

static spur_status group_norm_shape(spur_node *node, spur_error *err) {
    const group_options *o = node->options;
    const spur_node *x = node->inputs[0];
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (x->rank < 2)
        return spur__fail(err, SPUR_E_SHAPE, "expected [n][..][channels], found rank %d", x->rank);
    if (groups_of(node) < 1 || spur__channels(x) % groups_of(node))
        return spur__fail(err, SPUR_E_SHAPE,
                          "expected channels divisible by %lld groups, found %lld",
                          (long long)groups_of(node), (long long)spur__channels(x));
    if (!(o->user.eps >= 0))
        return spur__fail(err, SPUR_E_RANGE, "expected eps from 0, found %g", o->user.eps);
    spur__shape_like(node, x);
    if (o->user.no_affine) return SPUR_OK;
    spur__param_spec weight = {
        .suffix = "weight", .rank = 1, .shape = {spur__channels(x)}, .constant = 1};
    spur__param_spec bias = {.suffix = "bias", .rank = 1, .shape = {spur__channels(x)}};
    if (is_layer(node)) { /* PyTorch's values lie in another order */
        memcpy(weight.flattened, x->flattened, sizeof weight.flattened);
        memcpy(bias.flattened, x->flattened, sizeof bias.flattened);
    }
    if (!spur__param_declare(node, &weight, err)) return err->status;
    return spur__param_declare(node, &bias, err) ? SPUR_OK : err->status;
}

/* Samples as the kernel counts them: rows for a layer norm. */
static ptrdiff_t samples_of(const spur_node *node) {
    if (!is_layer(node)) return (ptrdiff_t)node->shape[0];
    return (ptrdiff_t)(spur__node_count(node) / (size_t)spur__channels(node));
}

static ptrdiff_t pixels_of(const spur_node *node) {
    return (ptrdiff_t)spur__node_count(node) / (ptrdiff_t)spur__channels(node) / samples_of(node);
}

static size_t statistics_bytes(const spur_node *node) {
    size_t bytes = 2 * (size_t)(samples_of(node) * groups_of(node)) * sizeof(float);
    return (bytes + 63) / 64 * 64;
}

static spur_status group_norm_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    ptrdiff_t channels = (ptrdiff_t)spur__channels(node);
    bool layer = is_layer(node);
    size_t scratch = layer ? spur__layer_norm_workspace(samples_of(node), channels)
                           : spur__norm_workspace(samples_of(node), pixels_of(node), channels);
    demand->saved_bytes = statistics_bytes(node);
    demand->forward_workspace = statistics_bytes(node) + (layer ? 0 : scratch);
    demand->backward_workspace = scratch;
    demand->backward_needs_input[0] = true;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

/* Statistics that no backward call will want lie at the workspace's start. */
static float *statistics_of(const spur_node *node, const spur__run *run) {
    return node->saved ? node->saved : run->workspace;
}

static double full_eps(const spur_node *node) {
    const group_options *o = node->options;
    return o->user.eps > 0 ? o->user.eps : 1e-5;
}

static spur__group_norm group_args(const spur_node *node, const spur__run *run, bool forward) {
    char *work = run->workspace;
    float *statistics = statistics_of(node, run);
    return (spur__group_norm){
        .n = samples_of(node),
        .pixels = pixels_of(node),
        .channels = (ptrdiff_t)spur__channels(node),
        .groups = groups_of(node),
        .gamma = spur__param_value(node, 0),
        .beta = spur__param_value(node, 1),
        .eps = full_eps(node),
        .relu = node->fused_relu,
        .mean = statistics,
        .rstd = statistics + samples_of(node) * groups_of(node),
        .workspace = forward ? work + statistics_bytes(node) : work,
    };
}

static spur__layer_norm layer_args(const spur_node *node, const spur__run *run) {
    float *statistics = statistics_of(node, run);
    return (spur__layer_norm){
        .rows = samples_of(node),
        .channels = (ptrdiff_t)spur__channels(node),
        .gamma = spur__param_value(node, 0),
        .beta = spur__param_value(node, 1),
        .eps = full_eps(node),
        .relu = node->fused_relu,
        .mean = statistics,
        .rstd = statistics + samples_of(node),
        .workspace = run->workspace,
    };
}

static void group_norm_forward(spur_node *node, const spur__run *run) {
    spur__group_norm p = group_args(node, run, true);
    spur__group_norm_forward(&run->exec, &p, node->inputs[0]->data, node->data);
}

static void layer_norm_forward(spur_node *node, const spur__run *run) {
    spur__layer_norm p = layer_args(node, run);
    spur__layer_norm_forward(&run->exec, &p, node->inputs[0]->data, node->data);
}

static spur__norm_gradient gradient_of(const spur_node *node) {
    int beta = spur__gradient_beta(node, 0);
    return (spur__norm_gradient){
        .x = node->inputs[0]->data,
        .dy = node->gradient,
        .dx = beta < 0 ? NULL : node->inputs[0]->gradient,
        .dgamma = spur__param_gradient(node, 0),
        .dbeta = spur__param_gradient(node, 1),
        .accumulate = beta == 1,
    };
}

static void group_norm_backward(spur_node *node, const spur__run *run) {
    spur__group_norm p = group_args(node, run, false);
    spur__norm_gradient g = gradient_of(node);
    spur__group_norm_backward(&run->exec, &p, &g);
}

static void layer_norm_backward(spur_node *node, const spur__run *run) {
    spur__layer_norm p = layer_args(node, run);
    spur__norm_gradient g = gradient_of(node);
    spur__layer_norm_backward(&run->exec, &p, &g);
}

static double group_norm_cost(const spur_node *node) {
    return (double)spur__sample_count(node);
}

static float eps_of(const spur_node *node) {
    return (float)full_eps(node);
}

static void layer_norm_onnx(const spur_node *node, spur__onnx *to) {
    const char *x = node->rank == 4 ? spur__onnx_plain(to, 0) : spur__onnx_unordered(to, 0);
    const char *y = spur__onnx_op(to, "LayerNormalization");
    spur__onnx_use(to, x);
    if (node->param_count == 0) spur__onnx_use_filled(to, spur__channels(node), 1.0f);
    for (int i = 0; i < node->param_count; i++) spur__onnx_use_param(to, i);
    spur__onnx_int(to, "axis", -1);
    spur__onnx_float(to, "epsilon", eps_of(node));
    if (node->rank == 4) spur__onnx_from_plain(to, y);
}

/* Between channels in front (ONNX) and last, of a value of rank 3 or 5. */
static const char *moved(const spur_node *node, spur__onnx *to, const char *x, bool to_front) {
    int order[SPUR_MAX_RANK] = {0}, rank = node->rank;
    for (int i = 1; i < rank; i++) order[i] = to_front ? i - 1 : i + 1;
    order[to_front ? 1 : rank - 1] = to_front ? rank - 1 : 1;
    const char *y = spur__onnx_op(to, "Transpose");
    spur__onnx_use(to, x);
    spur__onnx_ints(to, "perm", rank, order);
    return y;
}

/* Every group's values as one row, normalised, in the shape of before: the batch, channels, the rest. */
static const char *by_groups(const spur_node *node, spur__onnx *to, const char *x) {
    int64_t shape[SPUR_MAX_RANK] = {0, spur__channels(node)};
    const char *rows = spur__onnx_op(to, "Reshape");
    spur__onnx_use(to, x);
    spur__onnx_use_sizes(to, 3, (const int64_t[]){0, groups_of(node), -1});
    const char *y = spur__onnx_op(to, "InstanceNormalization");
    spur__onnx_use(to, rows);
    spur__onnx_use_filled(to, groups_of(node), 1.0f);
    spur__onnx_use_filled(to, groups_of(node), 0.0f);
    spur__onnx_float(to, "epsilon", eps_of(node));
    const char *out = spur__onnx_op(to, "Reshape");
    for (int i = 2; i < node->rank; i++) shape[i] = node->shape[i - 1];
    spur__onnx_use(to, y);
    spur__onnx_use_sizes(to, node->rank, shape);
    return out;
}

static void group_norm_onnx(const spur_node *node, spur__onnx *to) {
    bool move = node->rank == 3 || node->rank == 5;
    if (is_layer(node)) {
        layer_norm_onnx(node, to);
        return;
    }
    const char *x = node->rank == 2 ? spur__onnx_plain(to, 0) : spur__onnx_unordered(to, 0);
    if (move) x = moved(node, to, x, true);
    x = by_groups(node, to, x);
    for (int i = 0; i < node->param_count; i++) { /* weight, then bias, as [c][1].. */
        int64_t shape[SPUR_MAX_RANK] = {-1, 1, 1, 1, 1};
        const char *p = spur__onnx_op(to, "Reshape"), *y;
        spur__onnx_use_param(to, i);
        spur__onnx_use_sizes(to, node->rank - 1, shape);
        y = spur__onnx_op(to, i ? "Add" : "Mul");
        spur__onnx_use(to, x);
        spur__onnx_use(to, p);
        x = y;
    }
    if (move) moved(node, to, x, false);
    if (node->rank == 2) spur__onnx_from_plain(to, x);
}

#define OP(name)                                                                                   \
    {                                                                                              \
        .kind = #name, .shape = group_norm_shape, .plan = group_norm_plan,                         \
        .forward = name##_forward, .backward = name##_backward, .cost = group_norm_cost,           \
        .onnx = group_norm_onnx, .elementwise = true                                               \
    }
static const spur__op group_norm_op = OP(group_norm), layer_norm_op = OP(layer_norm);

static spur_node *create(spur_net *net, spur_node *x, const char *name,
                         const spur_norm_options *options, bool layer) {
    group_options o = {.layer = layer};
    if (options) o.user = *options;
    return spur__node_create(net, layer ? &layer_norm_op : &group_norm_op, name, &x, 1, &o,
                             sizeof o);
}

spur_node *spur_group_norm(spur_net *net, spur_node *x, const char *name,
                           const spur_norm_options *options) {
    return create(net, x, name, options, false);
}

spur_node *spur_layer_norm(spur_net *net, spur_node *x, const char *name,
                           const spur_norm_options *options) {
    return create(net, x, name, options, true);
}
