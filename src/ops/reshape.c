/* SPDX-License-Identifier: MIT
 *
 * reshape and flatten: the same values under another shape. Views: nothing is computed, but copies are
 * made where the planner keeps a view's gradient apart. A flatten remembers the image's sizes, so that
 * a linear layer behind it can translate its weights between our order of features (h, w, c) and
 * PyTorch's (c, h, w).
 */
#include <string.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/vec.h"

typedef struct reshape_options {
    int rank;
    int64_t shape[SPUR_MAX_RANK];
} reshape_options;

static void view_forward(spur_node *node, const spur__run *run) {
    spur__vec_copy(&run->exec, (ptrdiff_t)spur__node_count(node), node->inputs[0]->data,
                   node->data);
}

static void view_backward(spur_node *node, const spur__run *run) {
    int beta = spur__gradient_beta(node, 0);
    if (beta < 0) return;
    spur__vec_map(&run->exec, (ptrdiff_t)spur__node_count(node),
                  &(spur__map){.op = SPUR__MAP_COPY,
                               .accumulate = beta == 1,
                               .a = node->gradient,
                               .y = node->inputs[0]->gradient});
}

static spur_status does_not_fit(const spur_node *node, spur_error *err) {
    char text[128];
    return spur__fail(err, SPUR_E_SHAPE, "%lld values per sample do not fit, found '%s' %s",
                      (long long)spur__sample_count(node), node->inputs[0]->name,
                      spur__shape_text(node->inputs[0], text, sizeof text));
}

static spur_status reshape_shape(spur_node *node, spur_error *err) {
    const reshape_options *o = node->options;
    const spur_node *x = node->inputs[0];
    if (o->rank < 1 || o->rank > SPUR_MAX_RANK || x->rank < 1)
        return spur__fail(err, SPUR_E_SHAPE, "expected a rank from 1 to %d, found %d",
                          SPUR_MAX_RANK, o->rank);
    node->rank = o->rank;
    node->dtype = x->dtype;
    memcpy(node->shape, o->shape, sizeof node->shape);
    if (o->shape[0] != -1 && o->shape[0] != x->shape[0])
        return spur__fail(err, SPUR_E_SHAPE, "expected the batch %lld as first size, found %lld",
                          (long long)x->shape[0], (long long)o->shape[0]);
    node->shape[0] = x->shape[0];
    int64_t known = 1, total = (int64_t)spur__sample_count(x);
    int open = 0;
    for (int i = 1; i < o->rank; i++) {
        if (o->shape[i] == -1 && open == 0) {
            open = i;
            continue;
        }
        if (o->shape[i] < 1 || known > total / o->shape[i])
            return spur__fail(err, SPUR_E_SHAPE, "axis %d: %lld does not fit", i,
                              (long long)o->shape[i]);
        known *= o->shape[i];
    }
    if (open) node->shape[open] = total / known;
    if ((open ? total % known : total - known) != 0) return does_not_fit(node, err);
    return SPUR_OK;
}

static void reshape_onnx(const spur_node *node, spur__onnx *to) {
    int64_t shape[SPUR_MAX_RANK] = {-1};
    const char *x = spur__onnx_plain(to, 0), *y = spur__onnx_op(to, "Reshape");
    for (int i = 1; i < node->rank; i++) shape[i] = node->shape[i];
    spur__onnx_use(to, x);
    spur__onnx_use_sizes(to, node->rank, shape);
    spur__onnx_from_plain(to, y);
}

static const spur__op reshape_op = {.kind = "reshape",
                                    .shape = reshape_shape,
                                    .forward = view_forward,
                                    .backward = view_backward,
                                    .onnx = reshape_onnx,
                                    .view = true};

spur_node *spur_reshape(spur_net *net, spur_node *x, int rank, const int64_t *shape) {
    reshape_options o = {.rank = rank};
    for (int i = 0; shape && i < rank && i < SPUR_MAX_RANK; i++) o.shape[i] = shape[i];
    return spur__node_create(net, &reshape_op, NULL, &x, 1, &o, sizeof o);
}

static spur_status flatten_shape(spur_node *node, spur_error *err) {
    const spur_node *x = node->inputs[0];
    if (x->rank < 1) return spur__fail(err, SPUR_E_SHAPE, "expected a batch, found a scalar");
    node->rank = 2;
    node->dtype = x->dtype;
    node->shape[0] = x->shape[0];
    node->shape[1] = (int64_t)spur__sample_count(x);
    if (x->rank == 4)
        memcpy(node->flattened, x->shape + 1, sizeof node->flattened);
    else if (x->rank == 2)
        memcpy(node->flattened, x->flattened, sizeof node->flattened);
    return SPUR_OK;
}

static void flatten_onnx(const spur_node *node, spur__onnx *to) {
    (void)node;
    spur__onnx_op(to, "Flatten");
    spur__onnx_use_input(to, 0);
}

static const spur__op flatten_op = {.kind = "flatten",
                                    .shape = flatten_shape,
                                    .forward = view_forward,
                                    .backward = view_backward,
                                    .onnx = flatten_onnx,
                                    .view = true};

spur_node *spur_flatten(spur_net *net, spur_node *x) {
    return spur__node_create(net, &flatten_op, NULL, &x, 1, NULL, 0);
}
