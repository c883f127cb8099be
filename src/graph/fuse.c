/* SPDX-License-Identifier: MIT
 *
 * Peepholes: a layer and the ReLU behind it become one pass where the layer can do that; in nets
 * for inference a norm behind a convolution disappears into its weights. The nodes stay in the
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

/* The node that computes what the ReLU reads. */
static void fuse_relu(const spur_net *net, spur_node *relu) {
    spur_node *before = relu->inputs[0], *layer = before;
    if (before->passive && before->input_count && before->inputs[0]->folded == before)
        layer = before->inputs[0];
    if (!layer->op->fuses_relu || layer->passive || layer->fused_relu || !hidden(net, before))
        return;
    layer->fused_relu = true;
    relu->passive = true;
}

void spur__fuse(spur_net *net) {
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (node->op->fold && net->options.inference) fold_norm(net, node);
        if (node->op->relu) fuse_relu(net, node);
    }
}
