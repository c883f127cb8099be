/* SPDX-License-Identifier: MIT
 *
 * Concatenation along the last axis without copying: an input becomes a slice of the result, whose
 * rows lie the result's width apart (node->pitch). Its producers and consumers must all be able to
 * work with a pitch. The same holds for the gradient: the slice of the result's gradient is the
 * input's. There, the first to write must be a reader of the whole result, so every other consumer
 * of the input has to come before the result's last consumer. They add to it, so a gradient that the
 * caller will read is no place for them.
 *
 * Outer concatenations are looked at first, so that inner ones become slices of slices.
 */
#include "graph/plan.h"

static bool is_concat(const spur_node *node) {
    return node->op->concat_axis && node->input_count > 1 &&
           node->op->concat_axis(node) == node->rank - 1;
}

static bool in_group(const spur__plan *p, int i, int root) {
    return spur__root_of(p->data_root, i) == root;
}

/* The last node whose backward call writes the gradient of the whole result; -1: none. */
static int last_reader(const spur__plan *p, const spur_node *concat) {
    int root = spur__root_of(p->data_root, concat->index);
    int64_t width = spur__channels(p->net->nodes[root]);
    for (int i = p->nodes - 1; i > root; i--) {
        const spur_node *node = p->net->nodes[i];
        for (int k = 0; k < spur__read_count(node); k++)
            if (spur__gives_gradient(node, k) && in_group(p, node->inputs[k]->index, root) &&
                spur__channels(node->inputs[k]) == width)
                return i;
    }
    return -1;
}

/* Whether the caller reads the gradient in which the slice would lie. */
static bool is_kept(const spur__plan *p, const spur_node *concat) {
    int root = spur__root_of(p->data_root, concat->index);
    for (int i = 0; i < p->nodes; i++)
        if (in_group(p, i, root) && p->net->nodes[i]->keep) return true;
    return false;
}

/* Nodes of the group, and those who read them, must work with a pitch; where an addition is merged
 * in, nobody does. */
static bool group_allows(const spur__plan *p, int root, const spur_node *concat, int last) {
    bool gradients = concat->needs_gradient && p->net->nodes[root]->needs_gradient;
    if (gradients && is_kept(p, concat)) last = 0;
    for (int i = 0; i < p->nodes; i++) {
        const spur_node *node = p->net->nodes[i];
        if (in_group(p, i, root)) {
            bool fused = node->passive && !node->op->view;
            bool pitched = node->op->pitched && !node->adds;
            if (spur__read_by_caller(node) || !(fused || pitched)) return false;
            continue;
        }
        for (int k = 0; k < spur__read_count(node); k++) {
            if (!in_group(p, node->inputs[k]->index, root) || node == concat) continue;
            bool pitched = node->op->pitched && k < node->input_count;
            if (!pitched || (gradients && i >= last)) return false;
        }
    }
    return true;
}

static int uses(const spur__plan *p, const spur_node *concat, int root) {
    int count = 0;
    for (int k = 0; k < concat->input_count; k++)
        count += in_group(p, concat->inputs[k]->index, root);
    return count;
}

static void slice_input(spur__plan *p, const spur_node *concat, const spur_node *x,
                        int64_t offset) {
    int root = spur__root_of(p->data_root, x->index);
    int last = last_reader(p, concat);
    const spur_node *owner = p->net->nodes[root];
    bool whole = spur__channels(owner) == spur__channels(x) && owner->rank == x->rank;
    if (!whole || uses(p, concat, root) != 1 || in_group(p, concat->index, root) ||
        (concat->needs_gradient && last < 0) ||
        (owner->needs_gradient && !concat->needs_gradient) || !group_allows(p, root, concat, last))
        return;
    for (int i = 0; i < p->nodes; i++)
        if (in_group(p, i, root)) p->net->nodes[i]->pitch = concat->pitch;
    p->data_root[root] = p->gradient_root[root] = concat->index;
    p->slice[root] = offset;
}

void spur__slice(spur__plan *p) {
    for (int i = p->nodes - 1; i >= 0; i--) {
        const spur_node *concat = p->net->nodes[i];
        int64_t offset = 0;
        if (!is_concat(concat)) continue;
        for (int k = 0; k < concat->input_count; k++) {
            slice_input(p, concat, concat->inputs[k], offset);
            offset += spur__channels(concat->inputs[k]);
        }
    }
}
