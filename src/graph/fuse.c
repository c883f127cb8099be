/* SPDX-License-Identifier: MIT
 *
 * Peepholes: a layer, the ReLU behind it and the max pool behind that become one pass where the layer
 * can do that; in nets for inference a norm behind a convolution disappears into its weights. The nodes stay in the
 * graph, for people and for export, but are passive: they share the layer's memory.
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

/* The node that computes this one's values. */
static spur_node *layer_of(spur_node *node) {
    while (node->passive && node->input_count && !node->op->view) node = node->inputs[0];
    return node;
}

static void fuse_relu(const spur_net *net, spur_node *relu) {
    spur_node *before = relu->inputs[0], *layer = layer_of(before);
    if (!layer->op->fuses_relu || layer->passive || layer->fused_relu || !hidden(net, before))
        return;
    layer->fused_relu = true;
    relu->passive = true;
}

static void fuse_pool(const spur_net *net, spur_node *pool) {
    spur_node *before = pool->inputs[0], *layer = layer_of(before);
    if (!layer->op->takes_pool || layer->passive || layer->pool || !hidden(net, before) ||
        !layer->op->takes_pool(layer, pool))
        return;
    for (spur_node *node = before; node != layer; node = node->inputs[0]) node->pool = pool;
    layer->pool = pool;
    pool->passive = true;
}

void spur__fuse(spur_net *net) {
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (node->op->fold && net->options.inference) fold_norm(net, node);
        if (node->op->relu) fuse_relu(net, node);
        if (node->op->halves) fuse_pool(net, node);
    }
}
