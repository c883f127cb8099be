/* SPDX-License-Identifier: MIT
 *
 * dropout, dropout2d and stochastic_depth. The choice is a function of (seed, step, node, value),
 * made again for the gradient; nothing is saved. 2d drops whole channels of an image, stochastic
 * depth (Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016) whole samples. In
 * evaluation: nothing happens.
 */
#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/vec.h"

static spur_status dropout_shape(spur_node *node, spur_error *err) {
    double p = *(const double *)node->options;
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (!(p >= 0 && (float)p < 1))
        return spur__fail(err, SPUR_E_RANGE, "expected a probability from 0 to below 1, found %g",
                          p);
    spur__shape_like(node, node->inputs[0]);
    return SPUR_OK;
}

static spur_status dropout2d_shape(spur_node *node, spur_error *err) {
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    return dropout_shape(node, err);
}

static spur_status stochastic_depth_shape(spur_node *node, spur_error *err) {
    if (node->inputs[0]->rank < 2)
        return spur__fail(err, SPUR_E_SHAPE, "expected [n][..][channels], found rank %d",
                          node->inputs[0]->rank);
    return dropout_shape(node, err);
}

static spur_status dropout_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)node;
    (void)err;
    demand->in_place = 1;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

/* The factors of what goes as a whole, one per sample and channel, are made in the workspace. */
static spur_status whole_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    size_t factors = (size_t)(node->shape[0] * spur__channels(node)) * sizeof(float);
    demand->forward_workspace = demand->backward_workspace = factors;
    return dropout_plan(node, demand, err);
}

static const spur__op stochastic_depth_op;

static spur__dropout choice(const spur_node *node, const spur__run *run) {
    return (spur__dropout){.rate = (float)*(const double *)node->options,
                           .seed = run->seed,
                           .node = (uint64_t)node->index,
                           .step = (uint32_t)run->step};
}

static void pass_on(spur_node *node, const spur__run *run) {
    if (node->data != node->inputs[0]->data)
        spur__vec_copy(&run->exec, (ptrdiff_t)spur__node_count(node), node->inputs[0]->data,
                       node->data);
}

static void dropout_forward(spur_node *node, const spur__run *run) {
    spur__dropout d = choice(node, run);
    if (run->mode == SPUR_EVAL)
        pass_on(node, run);
    else
        spur__vec_dropout(&run->exec, (ptrdiff_t)spur__node_count(node), &d, node->inputs[0]->data,
                          node->data, false);
}

static void dropout_backward(spur_node *node, const spur__run *run) {
    spur__dropout d = choice(node, run);
    int beta = spur__gradient_beta(node, 0);
    if (beta >= 0)
        spur__vec_dropout(&run->exec, (ptrdiff_t)spur__node_count(node), &d, node->gradient,
                          node->inputs[0]->gradient, beta == 1);
}

/* Makes the factors, and the description of pixels times factors: each sample and channel has one of
 * its own, or all channels of a sample have the same. */
static spur__channel_scale scale_of(const spur_node *node, const spur__run *run) {
    spur__dropout d = choice(node, run);
    ptrdiff_t channels = (ptrdiff_t)spur__channels(node), n = run->batch;
    bool by_sample = node->op == &stochastic_depth_op;
    float *factors = run->workspace;
    spur__vec_dropout(&run->exec, by_sample ? n : n * channels, &d, NULL, factors, false);
    for (ptrdiff_t i = n; by_sample && i-- > 0;)
        for (ptrdiff_t c = channels; c-- > 0;) factors[i * channels + c] = factors[i];
    return (spur__channel_scale){.n = n,
                                 .pixels = (ptrdiff_t)spur__sample_count(node) / channels,
                                 .channels = channels,
                                 .x = node->inputs[0]->data,
                                 .s = factors,
                                 .y = node->data};
}

static void whole_forward(spur_node *node, const spur__run *run) {
    if (run->mode == SPUR_EVAL) {
        pass_on(node, run);
        return;
    }
    spur__channel_scale s = scale_of(node, run);
    spur__vec_channel_scale(&run->exec, &s);
}

static void whole_backward(spur_node *node, const spur__run *run) {
    int beta = spur__gradient_beta(node, 0);
    if (beta < 0) return;
    spur__channel_scale s = scale_of(node, run);
    s.dy = node->gradient;
    s.dx = node->inputs[0]->gradient;
    s.accumulate_dx = beta == 1;
    spur__vec_channel_scale_backward(&run->exec, &s);
}

static void dropout_onnx(const spur_node *node, spur__onnx *to) {
    (void)node;
    spur__onnx_op(to, "Identity");
    spur__onnx_use_input(to, 0);
}

#define OP(name, what, ...)                                                                        \
    {                                                                                              \
        .kind = name, .forward = what##_forward, .backward = what##_backward, .plan = what##_plan, \
        .onnx = dropout_onnx, .elementwise = true, .idle_in_inference = true, __VA_ARGS__          \
    }

static const spur__op dropout_op = OP("dropout", dropout, .shape = dropout_shape);
static const spur__op dropout2d_op = OP("dropout2d", whole, .shape = dropout2d_shape);
static const spur__op stochastic_depth_op =
    OP("stochastic_depth", whole, .shape = stochastic_depth_shape);

spur_node *spur_dropout(spur_net *net, spur_node *x, double p) {
    return spur__node_create(net, &dropout_op, NULL, &x, 1, &p, sizeof p);
}

spur_node *spur_dropout2d(spur_net *net, spur_node *x, double p) {
    return spur__node_create(net, &dropout2d_op, NULL, &x, 1, &p, sizeof p);
}

spur_node *spur_stochastic_depth(spur_net *net, spur_node *x, double p) {
    return spur__node_create(net, &stochastic_depth_op, NULL, &x, 1, &p, sizeof p);
}
