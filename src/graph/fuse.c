/* SPDX-License-Identifier: MIT
 *
 * Peepholes: a layer and the ReLU behind it become one pass where the layer can do that. The ReLU
 * stays in the graph, for people and for export, but is passive: it shares the layer's memory.
 */
#include "graph/internal.h"

static bool may_fuse(const spur_net *net, const spur_node *relu) {
    const spur_node *before = relu->inputs[0];
    return before->op->fuses_relu && !before->keep && before != net->loss && !before->fused_relu &&
           spur__consumer_count(before) == 1;
}

void spur__fuse(spur_net *net) {
    for (int i = 0; i < net->node_count; i++) {
        spur_node *relu = net->nodes[i];
        if (!relu->op->relu || !may_fuse(net, relu)) continue;
        relu->inputs[0]->fused_relu = true;
        relu->passive = true;
    }
}
