/* SPDX-License-Identifier: MIT
 *
 * The planner: which nodes need gradients, who shares memory with whom, how long every buffer is
 * needed, and where it lies.
 *
 * Time runs from 0 to F-1 over the forward calls and from F to 2F-1 over the backward calls in
 * reverse order; LATER than all of them are values that the caller may read. Nodes that share
 * memory form a group named by its root: views, fused ReLUs and slices of concatenations (values and
 * gradients), in-place operations (values, or gradients). A group lives from its first writer to its last reader.
 *
 * The first operation to touch a gradient during the backward run, that is its last consumer,
 * writes it; the others add (node->beta).
 */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "graph/plan.h"

enum { VALUES, GRADIENTS, SAVED, PREPARED, KINDS };
enum { WORKSPACE, SCRATCH, COMMON }; /* behind those of the nodes */
enum { NEVER = -1, INT_ARRAYS = 6, PAGE = 4096 };
typedef spur__plan plan;

static int backward_time(const plan *p, int i) {
    return 2 * p->nodes - 1 - i;
}

static int later(const plan *p) {
    return 2 * p->nodes;
}

int spur__root_of(const int *root, int i) {
    while (root[i] != i) i = root[i];
    return i;
}

/* ---- gradients wanted ----------------------------------------------------------------------- */

static bool trains(const spur_node *node) {
    for (int i = 0; i < node->param_count; i++)
        if (node->params[i]->trainable) return true;
    return node->op->input && node->keep && node->dtype == SPUR_FLOAT32;
}

/* needs_gradient = something trainable is above, and the loss is below. */
static spur_status mark_gradients(const plan *p, spur_error *err) {
    spur_net *net = p->net;
    if (!net->backward) return SPUR_OK;
    for (int i = 0; i < p->nodes; i++) {
        spur_node *node = net->nodes[i];
        node->needs_gradient = trains(node);
        for (int k = 0; k < node->input_count && !node->needs_gradient; k++)
            node->needs_gradient = node->inputs[k]->needs_gradient;
    }
    bool *below = spur__calloc((size_t)p->nodes, sizeof *below);
    if (!below) return spur__fail(err, SPUR_E_MEMORY, "out of memory while planning");
    below[net->loss->index] = true;
    for (int i = p->nodes - 1; i >= 0; i--) {
        spur_node *node = net->nodes[i];
        node->needs_gradient = node->needs_gradient && below[i];
        int flows = node->op->compares                     ? 1
                    : node->op->backward || node->op->view ? node->input_count
                                                           : 0;
        for (int k = 0; k < flows; k++) below[node->inputs[k]->index] |= below[i];
    }
    spur__free(below);
    return SPUR_OK;
}

/* True when node i's backward call writes the gradient of its input k. */
bool spur__gives_gradient(const spur_node *node, int k) {
    return node->needs_gradient && !node->passive && node->op->backward &&
           !(node->op->compares && k > 0) && node->inputs[k]->needs_gradient;
}

/* ---- who shares memory ---------------------------------------------------------------------- */

static spur_status ask(plan *p, spur_error *err) {
    for (int i = 0; i < p->nodes; i++) {
        spur_node *node = p->net->nodes[i];
        if (node->passive || !node->op->plan) continue;
        spur_status status = node->op->plan(node, &p->demands[i], err);
        if (status != SPUR_OK) {
            spur__error_prefix(err, "layer '%s' (%s)", node->name, node->op->kind);
            return status;
        }
    }
    return SPUR_OK;
}

/* A view whose gradient the caller reads needs one of its own where other nodes add to its input's. */
static bool stands_apart(const spur_node *view) {
    const spur_node *x = view;
    if (!view->keep || !view->needs_gradient) return false;
    do {
        x = x->inputs[x->via];
        if (spur__consumer_count(x) > 1) return true;
    } while (x->op->view);
    return false;
}

/* Views and fused nodes lie in their input's memory; layers that end in a pool in the pool's. */
static void share_views(plan *p) {
    for (int i = 0; i < p->nodes; i++) {
        spur_node *node = p->net->nodes[i];
        p->data_root[i] = p->gradient_root[i] = node->pool ? node->pool->index : i;
        if (node->op->view ? stands_apart(node) : !node->passive) continue;
        node->passive = true;
        int x = node->inputs[node->via]->index;
        p->data_root[i] = p->data_root[x];
        p->gradient_root[i] = p->gradient_root[x];
    }
}

static void extend(int *begin, int *end, int from, int to) {
    if (*begin == NEVER || from < *begin) *begin = from;
    if (to > *end) *end = to;
}

bool spur__read_by_caller(const spur_node *node) {
    return node->keep || node->op->input || node == node->net->loss ||
           spur__consumer_count(node) == 0;
}

/* Life times of values, at the groups' roots. */
static void data_lives(plan *p) {
    for (int i = 0; i < p->nodes; i++) p->data_begin[i] = p->data_end[i] = NEVER;
    for (int i = 0; i < p->nodes; i++) {
        const spur_node *node = p->net->nodes[i];
        const spur__demand *demand = &p->demands[i];
        int root = spur__root_of(p->data_root, i);
        bool back = node->needs_gradient;
        extend(&p->data_begin[root], &p->data_end[root], node->op->input ? 0 : i,
               spur__read_by_caller(node)              ? later(p)
               : back && demand->backward_needs_output ? backward_time(p, i)
                                                       : i);
        if (node->passive) continue;
        for (int k = 0; k < spur__read_count(node); k++) {
            int x = spur__root_of(p->data_root, node->inputs[k]->index);
            bool again = back && demand->backward_needs_input[k];
            extend(&p->data_begin[x], &p->data_end[x], i, again ? backward_time(p, i) : i);
        }
    }
}

/* Life times of gradients, and who writes them first. */
static void gradient_lives(plan *p) {
    for (int i = 0; i < p->nodes; i++) p->gradient_begin[i] = p->gradient_end[i] = NEVER;
    if (p->net->backward && p->net->loss->needs_gradient) {
        int root = spur__root_of(p->gradient_root, p->net->loss->index);
        p->gradient_begin[root] = p->nodes;
    }
    for (int i = p->nodes - 1; i >= 0; i--) {
        spur_node *node = p->net->nodes[i];
        for (int k = 0; k < spur__read_count(node); k++) {
            node->beta[k] = -1;
            if (!spur__gives_gradient(node, k)) continue;
            int x = spur__root_of(p->gradient_root, node->inputs[k]->index);
            bool first = p->gradient_begin[x] == NEVER;
            node->beta[k] = first ? 0 : 1;
            if (first) p->gradient_begin[x] = backward_time(p, i);
        }
        if (!node->needs_gradient) continue;
        int root = spur__root_of(p->gradient_root, i);
        int end = node->keep ? later(p) : backward_time(p, i);
        if (end > p->gradient_end[root]) p->gradient_end[root] = end;
    }
}

static bool same_size(const spur_node *a, const spur_node *b) {
    return spur__node_count(a) == spur__node_count(b) && a->pitch == b->pitch;
}

/* The output may take over the memory of an input that nobody reads any more. */
static void share_in_place(plan *p) {
    for (int i = 0; i < p->nodes; i++) {
        const spur_node *node = p->net->nodes[i];
        int slot = p->demands[i].in_place - 1;
        if (slot < 0 || node->passive) continue;
        if (p->data_root[i] != i) continue; /* lies inside a concatenation */
        int x = spur__root_of(p->data_root, node->inputs[slot]->index);
        int uses = 0;
        for (int k = 0; k < spur__read_count(node); k++)
            uses += spur__root_of(p->data_root, node->inputs[k]->index) == x;
        if (uses != 1 || p->data_end[x] != i || !same_size(node, p->net->nodes[x])) continue;
        p->data_root[i] = x;
        if (p->data_end[i] > p->data_end[x]) p->data_end[x] = p->data_end[i];
    }
}

/* An input's gradient may overwrite the node's own, if the node is the first to write it. */
static void share_gradients(plan *p) {
    for (int i = p->nodes - 1; i >= 0; i--) {
        const spur_node *node = p->net->nodes[i];
        int slot = p->demands[i].gradient_in_place - 1;
        if (slot < 0 || node->passive || !node->needs_gradient || node->beta[slot] != 0) continue;
        int x = spur__root_of(p->gradient_root, node->inputs[slot]->index);
        int own = p->gradient_root[i];
        if (own != i || own == x || p->gradient_end[own] != backward_time(p, i) ||
            !same_size(node, p->net->nodes[x]) || !same_size(node, p->net->nodes[own]))
            continue;
        p->gradient_root[x] = own;
        p->gradient_end[own] = p->gradient_end[x];
    }
}

/* ---- placing -------------------------------------------------------------------------------- */

static spur__buffer *common(const plan *p, int kind) {
    return p->buffers + (size_t)p->nodes * KINDS + kind;
}

/* Workspace and scratch serve all calls, for the net's whole life: what stays in place stays in the
 * caches. No page has scratch of two threads, or prefetching would carry lines to and fro. */
static void make_common(plan *p) {
    spur__exec *exec = &p->net->exec;
    size_t workspace = 0, scratch = 0;
    for (int i = 0; i < p->nodes; i++) {
        const spur_node *node = p->net->nodes[i];
        const spur__demand *demand = &p->demands[i];
        scratch = spur__max_size(scratch, demand->scratch);
        workspace = spur__max_size(workspace, demand->forward_workspace);
        if (node->needs_gradient) workspace = spur__max_size(workspace, demand->backward_workspace);
    }
    exec->scratch_bytes = (scratch + PAGE - 1) / PAGE * PAGE;
    size_t all = scratch ? (size_t)exec->threads * exec->scratch_bytes + 2 * PAGE : 0;
    *common(p, WORKSPACE) = (spur__buffer){workspace, 0, later(p), 0};
    *common(p, SCRATCH) = (spur__buffer){all, 0, later(p), 0};
}

static void make_buffers(plan *p) {
    for (int i = 0; i < p->nodes; i++) {
        const spur_node *node = p->net->nodes[i];
        const spur__demand *demand = &p->demands[i];
        spur__buffer *b = p->buffers + (size_t)i * KINDS;
        size_t bytes = spur__node_count(node) * sizeof(float);
        bool active = node->needs_gradient && !node->passive;
        if (p->data_root[i] == i)
            b[VALUES] = (spur__buffer){bytes, p->data_begin[i], p->data_end[i], 0};
        if (p->gradient_root[i] == i && p->gradient_begin[i] != NEVER)
            b[GRADIENTS] = (spur__buffer){bytes, p->gradient_begin[i], p->gradient_end[i], 0};
        if (active) b[SAVED] = (spur__buffer){demand->saved_bytes, i, backward_time(p, i), 0};
        if (p->net->options.inference)
            b[PREPARED] = (spur__buffer){demand->prepared_bytes, 0, later(p), 0};
    }
    make_common(p);
}

static void *place_of(const plan *p, const spur__buffer *b) {
    return b->bytes ? p->net->arena.base + b->offset : NULL;
}

static void *at(const plan *p, int i, int kind) {
    return place_of(p, p->buffers + (size_t)i * KINDS + kind);
}

/* Behind the first page, which others share. */
static void *scratch_of(const plan *p) {
    char *begin = place_of(p, common(p, SCRATCH));
    return begin ? begin + PAGE - (uintptr_t)begin % PAGE : NULL;
}

/* Floats from the start of the root's memory to that of node i. */
static int64_t offset_of(const plan *p, const int *root, int i) {
    int64_t offset = 0;
    for (; root[i] != i; i = root[i]) offset += p->slice[i];
    return offset;
}

static void set_pointers(plan *p) {
    for (int i = 0; i < p->nodes; i++) {
        spur_node *node = p->net->nodes[i];
        node->data = at(p, spur__root_of(p->data_root, i), VALUES);
        if (node->data) node->data += offset_of(p, p->data_root, i);
        if (node->needs_gradient)
            node->gradient = at(p, spur__root_of(p->gradient_root, i), GRADIENTS);
        if (node->gradient) node->gradient += offset_of(p, p->gradient_root, i);
        node->saved = at(p, i, SAVED);
        node->prepared = at(p, i, PREPARED);
    }
    p->net->workspace = place_of(p, common(p, WORKSPACE));
    p->net->exec.scratch = scratch_of(p);
}

static bool plan_alloc(plan *p, spur_net *net) {
    size_t n = (size_t)net->node_count;
    *p = (plan){.net = net, .nodes = net->node_count};
    p->demands = spur__calloc(n, sizeof *p->demands);
    p->buffers = spur__calloc(n * KINDS + COMMON, sizeof *p->buffers);
    p->slice = spur__calloc(n, sizeof *p->slice);
    p->memory = spur__calloc(n * INT_ARRAYS, sizeof *p->memory);
    if (!p->demands || !p->buffers || !p->memory || !p->slice) return false;
    p->data_root = p->memory;
    p->gradient_root = p->memory + n;
    p->data_begin = p->memory + 2 * n;
    p->data_end = p->memory + 3 * n;
    p->gradient_begin = p->memory + 4 * n;
    p->gradient_end = p->memory + 5 * n;
    return true;
}

static spur_status lay_out(plan *p, spur_error *err) {
    size_t total;
    SPUR__TRY(mark_gradients(p, err));
    spur__fuse(p->net);
    share_views(p);
    spur__slice(p);
    SPUR__TRY(ask(p, err));
    data_lives(p);
    gradient_lives(p);
    share_in_place(p);
    share_gradients(p);
    make_buffers(p);
    SPUR__TRY(spur__place(p->buffers, p->nodes * KINDS + COMMON, &total, err));
    if (!spur__arena_create(&p->net->arena, total))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for the net: %zu bytes are needed",
                          total);
    p->net->planned = total;
    set_pointers(p);
    return SPUR_OK;
}

spur_status spur__plan_net(spur_net *net, spur_error *err) {
    plan p;
    spur_status status = plan_alloc(&p, net)
                             ? lay_out(&p, err)
                             : spur__fail(err, SPUR_E_MEMORY, "out of memory while planning");
    spur__free(p.demands);
    spur__free(p.buffers);
    spur__free(p.slice);
    spur__free(p.memory);
    return status;
}
