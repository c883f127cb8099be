/* SPDX-License-Identifier: MIT
 *
 * Peepholes: a layer, the addition, the ReLU and the max pool behind it become one pass where the layer
 * can do that; in nets for inference a norm behind a convolution disappears into its weights, and a dropout
 * altogether. The nodes stay in the graph, for people and for export, but are passive: they share the layer's memory.
 */
#include "graph/internal.h"

/* Nobody but its one reader sees this node's values. */
static bool hidden(const spur_net *net, const spur_node *node) {
    return !node->keep && node != net->loss && spur__consumer_count(node) == 1;
}

static void fold_norm(const spur_net *net, spur_node *norm) {
    spur_node *layer = norm->inputs[0];
    if (!layer->op->folds_norm || layer->passive || !hidden(net, layer)) return;
    layer->folded = norm;
    norm->passive = true;
}

static void skip(const spur_net *net, spur_node *idle) {
    idle->passive = hidden(net, idle->inputs[0]);
}

/* The node that computes this one's values. */
static spur_node *layer_of(spur_node *node) {
    while (node->passive && node->input_count && !node->op->view) node = node->inputs[node->via];
    return node;
}

/* The node in whose memory this one's values lie. */
static const spur_node *holder_of(const spur_node *node) {
    while (node->input_count && (node->passive || node->op->view)) node = node->inputs[node->via];
    return node;
}

/* Whether the sum may be made by the layer of its input `via`: the other operand must be there before
 * the layer runs, and all must want gradients or none. */
static bool may_add(const spur_net *net, const spur_node *sum, int via) {
    spur_node *before = sum->inputs[via], *other = sum->inputs[1 - via];
    const spur_node *layer = layer_of(before);
    return layer->op->takes_add && !layer->passive && !layer->fused_relu && !layer->fused_swish &&
           !layer->pool && !layer->adds && hidden(net, before) && layer->op->takes_add(layer) &&
           other->index < layer->index && holder_of(other) != holder_of(layer->inputs[0]) &&
           layer->needs_gradient == sum->needs_gradient &&
           other->needs_gradient == sum->needs_gradient;
}

static void fuse_sum(const spur_net *net, spur_node *sum) {
    for (int via = 0; via < 2 && !sum->passive; via++) {
        if (!may_add(net, sum, via)) continue;
        spur_node *layer = layer_of(sum->inputs[via]);
        layer->inputs[layer->input_count] = sum->inputs[1 - via];
        layer->adds = true;
        sum->via = (signed char)via;
        sum->passive = true;
    }
}

static void fuse_relu(const spur_net *net, spur_node *relu) {
    spur_node *before = relu->inputs[0], *layer = layer_of(before);
    if (!layer->op->fuses_relu || layer->passive || layer->fused_relu || layer->fused_swish ||
        !hidden(net, before))
        return;
    layer->fused_relu = true;
    relu->passive = true;
}

static void fuse_swish(const spur_net *net, spur_node *swish) {
    spur_node *before = swish->inputs[0], *layer = layer_of(before);
    if (!layer->op->takes_swish || layer->passive || layer->fused_relu || layer->fused_swish ||
        layer->adds || layer->pool || !hidden(net, before) || !layer->op->takes_swish(layer))
        return;
    layer->fused_swish = swish->op->swish;
    swish->passive = true;
}

static void fuse_pool(const spur_net *net, spur_node *pool) {
    spur_node *before = pool->inputs[0], *layer = layer_of(before);
    if (!layer->op->takes_pool || layer->passive || layer->pool || layer->adds ||
        layer->fused_swish || !hidden(net, before) || !layer->op->takes_pool(layer, pool))
        return;
    for (spur_node *node = before; node != layer; node = node->inputs[0]) node->pool = pool;
    layer->pool = pool;
    pool->passive = true;
}

void spur__fuse(spur_net *net) {
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (node->op->fold && net->options.inference) fold_norm(net, node);
        if (node->op->idle_in_inference && net->options.inference) skip(net, node);
        if (node->op->sum) fuse_sum(net, node);
        if (node->op->relu) fuse_relu(net, node);
        if (node->op->swish) fuse_swish(net, node);
        if (node->op->halves) fuse_pool(net, node);
    }
}
