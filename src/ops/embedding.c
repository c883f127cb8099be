/* SPDX-License-Identifier: MIT
 *
 * embedding: int32 [..] -> [..][width], rows of a table. An index outside the table gives NaN,
 * which the net reports with this layer's name.
 */
#include <string.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/move.h"

typedef struct embedding_options {
    int count, width;
} embedding_options;

static spur_status embedding_shape(spur_node *node, spur_error *err) {
    const embedding_options *o = node->options;
    const spur_node *x = node->inputs[0];
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_INT32, err));
    if (o->count < 1 || o->width < 1)
        return spur__fail(err, SPUR_E_RANGE, "expected count and width from 1, found %d and %d",
                          o->count, o->width);
    if (x->rank >= SPUR_MAX_RANK)
        return spur__fail(err, SPUR_E_SHAPE, "expected a rank below %d, found %d", SPUR_MAX_RANK,
                          x->rank);
    node->rank = x->rank + 1;
    memcpy(node->shape, x->shape, sizeof node->shape);
    node->shape[x->rank] = o->width;
    spur__param_spec weight = {.suffix = "weight",
                               .rank = 2,
                               .shape = {o->count, o->width},
                               .deviation = 1,
                               .decay = true};
    return spur__param_declare(node, &weight, err) ? SPUR_OK : err->status;
}

static spur_status embedding_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)node;
    (void)err;
    demand->backward_needs_input[0] = true;
    return SPUR_OK;
}

static spur__pick pick_of(const spur_node *node) {
    const embedding_options *o = node->options;
    const spur_node *x = node->inputs[0];
    return (spur__pick){o->count, o->width, (const int32_t *)(const void *)x->data,
                        (ptrdiff_t)spur__node_count(x)};
}

static void embedding_forward(spur_node *node, const spur__run *run) {
    spur__pick pick = pick_of(node);
    spur__gather_rows(&run->exec, &pick, spur__param_value(node, 0), node->data);
}

static void embedding_backward(spur_node *node, const spur__run *run) {
    spur__pick pick = pick_of(node);
    float *dw = spur__param_gradient(node, 0);
    if (dw) spur__scatter_rows(&run->exec, &pick, node->gradient, dw);
}

static void embedding_onnx(const spur_node *node, spur__onnx *to) {
    const char *rows = spur__onnx_plain(to, 0);
    const char *y = spur__onnx_op(to, "Gather");
    spur__onnx_use_param(to, 0);
    spur__onnx_use(to, rows);
    (void)node;
    spur__onnx_from_plain(to, y);
}

static const spur__op embedding_op = {.kind = "embedding",
                                      .shape = embedding_shape,
                                      .plan = embedding_plan,
                                      .forward = embedding_forward,
                                      .backward = embedding_backward,
                                      .onnx = embedding_onnx};

spur_node *spur_embedding(spur_net *net, spur_node *x, const char *name, int count, int width) {
    embedding_options o = {count, width};
    return spur__node_create(net, &embedding_op, name, &x, 1, &o, sizeof o);
}
