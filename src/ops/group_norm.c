/* SPDX-License-Identifier: MIT
 *
 * group_norm: per sample over the pixels and channels of a group; layer_norm: over the last axis,
 * every row by itself.
 */
#include "graph/graph.h"
#include "kernels/norm.h"

typedef struct group_options {
    spur_norm_options user;
    bool layer;
} group_options;

static ptrdiff_t groups_of(const spur_node *node) {
    const group_options *o = node->options;
    return o->layer ? 1 : o->user.groups ? o->user.groups : 32;
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
    if (!spur__param_declare(node, &weight, err)) return err->status;
    return spur__param_declare(node, &bias, err) ? SPUR_OK : err->status;
}

/* Samples as the kernel counts them: rows for a layer norm. */
static ptrdiff_t samples_of(const spur_node *node) {
    const group_options *o = node->options;
    if (!o->layer) return (ptrdiff_t)node->shape[0];
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
    size_t scratch =
        spur__norm_workspace(samples_of(node), pixels_of(node), (ptrdiff_t)spur__channels(node));
    demand->saved_bytes = statistics_bytes(node);
    demand->forward_workspace = statistics_bytes(node) + scratch;
    demand->backward_workspace = scratch;
    demand->backward_needs_input[0] = true;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

static spur__group_norm kernel_args(const spur_node *node, const spur__run *run, bool forward) {
    const group_options *o = node->options;
    char *work = run->workspace;
    float *statistics = node->saved ? node->saved : run->workspace;
    return (spur__group_norm){
        .n = samples_of(node),
        .pixels = pixels_of(node),
        .channels = (ptrdiff_t)spur__channels(node),
        .groups = groups_of(node),
        .gamma = spur__param_value(node, 0),
        .beta = spur__param_value(node, 1),
        .eps = o->user.eps > 0 ? o->user.eps : 1e-5,
        .relu = node->fused_relu,
        .mean = statistics,
        .rstd = statistics + samples_of(node) * groups_of(node),
        .workspace = forward ? work + statistics_bytes(node) : work,
    };
}

static void group_norm_forward(spur_node *node, const spur__run *run) {
    spur__group_norm p = kernel_args(node, run, true);
    spur__group_norm_forward(&run->exec, &p, node->inputs[0]->data, node->data);
}

static void group_norm_backward(spur_node *node, const spur__run *run) {
    spur__group_norm p = kernel_args(node, run, false);
    int beta = spur__gradient_beta(node, 0);
    spur__group_norm_backward(&run->exec, &p,
                              &(spur__norm_gradient){
                                  .x = node->inputs[0]->data,
                                  .dy = node->gradient,
                                  .dx = beta < 0 ? NULL : node->inputs[0]->gradient,
                                  .dgamma = spur__param_gradient(node, 0),
                                  .dbeta = spur__param_gradient(node, 1),
                                  .accumulate = beta == 1,
                              });
}

static double group_norm_cost(const spur_node *node) {
    return (double)spur__sample_count(node);
}

#define OP(name)                                                                                   \
    {                                                                                              \
        .kind = name, .shape = group_norm_shape, .plan = group_norm_plan,                          \
        .forward = group_norm_forward, .backward = group_norm_backward, .cost = group_norm_cost,   \
        .elementwise = true                                                                        \
    }
static const spur__op group_norm_op = OP("group_norm"), layer_norm_op = OP("layer_norm");

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
