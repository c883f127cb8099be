/* SPDX-License-Identifier: MIT
 *
 * softmax and log_softmax over the last axis.
 */
#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/vec.h"

static spur_status softmax_shape(spur_node *node, spur_error *err) {
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (node->inputs[0]->rank < 2)
        return spur__fail(err, SPUR_E_SHAPE, "expected [n][..][classes], found rank %d",
                          node->inputs[0]->rank);
    spur__shape_like(node, node->inputs[0]);
    return SPUR_OK;
}

static spur_status softmax_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)node;
    (void)err;
    demand->backward_needs_output = true;
    demand->in_place = 1;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

static ptrdiff_t rows_of(const spur_node *node) {
    return (ptrdiff_t)(spur__node_count(node) / (size_t)spur__channels(node));
}

static bool is_log(const spur_node *node) {
    return *(const bool *)node->options;
}

static void softmax_forward(spur_node *node, const spur__run *run) {
    ptrdiff_t cols = (ptrdiff_t)spur__channels(node);
    if (is_log(node))
        spur__vec_log_softmax(&run->exec, rows_of(node), cols, node->inputs[0]->data, node->data);
    else
        spur__vec_softmax(&run->exec, rows_of(node), cols, node->inputs[0]->data, node->data);
}

static void softmax_backward(spur_node *node, const spur__run *run) {
    int beta = spur__gradient_beta(node, 0);
    if (beta < 0) return;
    spur__vec_softmax_backward(&run->exec,
                               &(spur__softmax_gradient){.rows = rows_of(node),
                                                         .cols = (ptrdiff_t)spur__channels(node),
                                                         .y = node->data,
                                                         .dy = node->gradient,
                                                         .dx = node->inputs[0]->gradient,
                                                         .log = is_log(node),
                                                         .accumulate = beta == 1});
}

static void softmax_onnx(const spur_node *node, spur__onnx *to) {
    spur__onnx_op(to, is_log(node) ? "LogSoftmax" : "Softmax");
    spur__onnx_use_input(to, 0);
    spur__onnx_int(to, "axis", node->rank == 4 ? 1 : -1);
}

#define OP(name)                                                                                   \
    {                                                                                              \
        .kind = name, .shape = softmax_shape, .plan = softmax_plan, .forward = softmax_forward,    \
        .backward = softmax_backward, .onnx = softmax_onnx, .elementwise = true                    \
    }
static const spur__op softmax_op = OP("softmax");
static const spur__op log_softmax_op = OP("log_softmax");

spur_node *spur_softmax(spur_net *net, spur_node *x) {
    bool log = false;
    return spur__node_create(net, &softmax_op, NULL, &x, 1, &log, sizeof log);
}

spur_node *spur_log_softmax(spur_net *net, spur_node *x) {
    bool log = true;
    return spur__node_create(net, &log_softmax_op, NULL, &x, 1, &log, sizeof log);
}
