/* SPDX-License-Identifier: MIT
 *
 * add and multiply with broadcasting of axes of size 1 (and of scalars), and scale by a constant.
 */
#include <string.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/broadcast.h"
#include "kernels/vec.h"

/* ---- add, multiply -------------------------------------------------------------------------- */

static spur_status mismatch(const spur_node *node, spur_error *err) {
    char a[128], b[128];
    return spur__fail(err, SPUR_E_SHAPE,
                      "expected equal sizes, or 1, in every axis, found '%s' %s and '%s' %s",
                      node->inputs[0]->name, spur__shape_text(node->inputs[0], a, sizeof a),
                      node->inputs[1]->name, spur__shape_text(node->inputs[1], b, sizeof b));
}

static spur_status arithmetic_shape(spur_node *node, spur_error *err) {
    const spur_node *a = node->inputs[0], *b = node->inputs[1];
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    SPUR__TRY(spur__expect_dtype(node, 1, SPUR_FLOAT32, err));
    if (a->rank && b->rank && a->rank != b->rank) return mismatch(node, err);
    spur__shape_like(node, a->rank ? a : b);
    for (int i = 0; i < node->rank && a->rank && b->rank; i++) {
        if (a->shape[i] != b->shape[i] && a->shape[i] != 1 && b->shape[i] != 1)
            return mismatch(node, err);
        node->shape[i] = a->shape[i] > b->shape[i] ? a->shape[i] : b->shape[i];
    }
    if (a->rank == b->rank && memcmp(a->flattened, b->flattened, sizeof a->flattened) == 0)
        memcpy(node->flattened, a->flattened, sizeof node->flattened);
    return SPUR_OK;
}

/* The strides of an operand in a result of the node's shape. */
static void strides(const spur_node *node, const spur_node *x, ptrdiff_t *stride) {
    ptrdiff_t step = 1;
    for (int i = node->rank - 1; i >= 0; i--) {
        ptrdiff_t size = x->rank ? (ptrdiff_t)x->shape[i] : 1;
        stride[i] = size == 1 && node->shape[i] != 1 ? 0 : step;
        step *= size;
    }
}

/* The gradient's own operand comes first. */
static spur__broadcast broadcast_of(const spur_node *node, int own, bool multiply) {
    spur__broadcast s = {.rank = node->rank ? node->rank : 1, .multiply = multiply};
    s.size[0] = 1;
    for (int i = 0; i < node->rank; i++) s.size[i] = (ptrdiff_t)node->shape[i];
    strides(node, node->inputs[own], s.a);
    strides(node, node->inputs[1 - own], s.b);
    spur__broadcast_merge(&s);
    return s;
}

static bool full_size(const spur_node *node, int i) {
    return spur__node_count(node->inputs[i]) == spur__node_count(node);
}

static spur_status add_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    bool twice = node->inputs[0] == node->inputs[1];
    if (twice) return SPUR_OK;
    /* Of two operands of full size the second is more often the fresh one (x + f(x)). */
    int slot = full_size(node, 1) ? 1 : 0;
    demand->in_place = slot + 1;
    demand->gradient_in_place = slot + 1;
    demand->backward_needs_output = node->fused_relu;
    return SPUR_OK;
}

static void add_forward(spur_node *node, const spur__run *run) {
    spur__broadcast s = broadcast_of(node, 0, false);
    s.relu = node->fused_relu;
    spur__broadcast_forward(&run->exec, &s, node->inputs[0]->data, node->inputs[1]->data,
                            node->data);
}

static void add_backward(spur_node *node, const spur__run *run) {
    for (int i = 0; i < 2; i++) {
        int beta = spur__gradient_beta(node, i);
        if (beta < 0 || node->inputs[i]->gradient == node->gradient) continue;
        spur__broadcast s = broadcast_of(node, i, false);
        spur__broadcast_backward(&run->exec, &s, node->gradient, NULL, node->inputs[i]->gradient,
                                 beta == 1);
    }
}

/* Both operands have the result's size. */
static void residual_backward(spur_node *node, const spur__run *run) {
    ptrdiff_t n = (ptrdiff_t)spur__node_count(node);
    spur__relu_split split = {.y = node->data, .dy = node->gradient};
    for (int i = 0; i < 2; i++) {
        int beta = spur__gradient_beta(node, i);
        float *dx = node->inputs[i]->gradient;
        if (beta < 0) continue;
        split.dx[i] = dx;
        split.accumulate[i] = beta == 1;
        if (node->fused_relu || dx == node->gradient) continue;
        spur__vec_map(
            &run->exec, n,
            &(spur__map){
                .op = SPUR__MAP_COPY, .accumulate = beta == 1, .a = node->gradient, .y = dx});
    }
    if (node->fused_relu) spur__vec_relu_split(&run->exec, n, &split);
}

/* Whether one operand of a product is a factor for each channel of each image ("squeeze and
 * excitation"); *factor tells which. */
static bool scales_channels(const spur_node *node, int *factor) {
    for (int i = 0; i < 2; i++) {
        const spur_node *s = node->inputs[i];
        bool fits = s->rank > 2 && s->rank == node->rank && full_size(node, 1 - i) &&
                    !full_size(node, i) && s->shape[0] == node->shape[0] &&
                    spur__channels(s) == spur__channels(node);
        for (int d = 1; fits && d < s->rank - 1; d++) fits = s->shape[d] == 1;
        *factor = i;
        if (fits) return true;
    }
    return false;
}

static spur__channel_scale channel_scale(const spur_node *node, int factor) {
    const spur_node *x = node->inputs[1 - factor], *s = node->inputs[factor];
    ptrdiff_t n = (ptrdiff_t)node->shape[0], channels = (ptrdiff_t)spur__channels(node);
    return (spur__channel_scale){.n = n,
                                 .pixels = (ptrdiff_t)spur__sample_count(node) / channels,
                                 .channels = channels,
                                 .x = x->data,
                                 .s = s->data,
                                 .y = node->data,
                                 .dy = node->gradient};
}

static spur_status multiply_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    demand->backward_needs_input[0] = node->inputs[1]->needs_gradient;
    demand->backward_needs_input[1] = node->inputs[0]->needs_gradient;
    return SPUR_OK;
}

static void multiply_forward(spur_node *node, const spur__run *run) {
    int factor;
    if (scales_channels(node, &factor)) {
        spur__channel_scale c = channel_scale(node, factor);
        spur__vec_channel_scale(&run->exec, &c);
        return;
    }
    spur__broadcast s = broadcast_of(node, 0, true);
    spur__broadcast_forward(&run->exec, &s, node->inputs[0]->data, node->inputs[1]->data,
                            node->data);
}

static void scale_channels_backward(const spur_node *node, const spur__run *run, int factor) {
    int of_x = spur__gradient_beta(node, 1 - factor), of_s = spur__gradient_beta(node, factor);
    spur__channel_scale c = channel_scale(node, factor);
    if (of_x >= 0) c.dx = node->inputs[1 - factor]->gradient;
    if (of_s >= 0) c.ds = node->inputs[factor]->gradient;
    c.accumulate_dx = of_x == 1;
    c.accumulate_ds = of_s == 1;
    spur__vec_channel_scale_backward(&run->exec, &c);
}

static void multiply_backward(spur_node *node, const spur__run *run) {
    int factor;
    if (scales_channels(node, &factor)) {
        scale_channels_backward(node, run, factor);
        return;
    }
    for (int i = 0; i < 2; i++) {
        int beta = spur__gradient_beta(node, i);
        if (beta < 0) continue;
        spur__broadcast s = broadcast_of(node, i, true);
        spur__broadcast_backward(&run->exec, &s, node->gradient, node->inputs[1 - i]->data,
                                 node->inputs[i]->gradient, beta == 1);
    }
}

static void both_inputs(spur__onnx *to, const char *type) {
    spur__onnx_op(to, type);
    spur__onnx_use_input(to, 0);
    spur__onnx_use_input(to, 1);
}

static void add_onnx(const spur_node *node, spur__onnx *to) {
    (void)node;
    both_inputs(to, "Add");
}

static void multiply_onnx(const spur_node *node, spur__onnx *to) {
    (void)node;
    both_inputs(to, "Mul");
}

static double one_per_value(const spur_node *node) {
    return (double)spur__sample_count(node);
}

static const spur__op add_op = {.kind = "add",
                                .shape = arithmetic_shape,
                                .plan = add_plan,
                                .forward = add_forward,
                                .backward = add_backward,
                                .onnx = add_onnx};
/* add of two equal shapes, the one that takes a ReLU along. */
static const spur__op residual_op = {.kind = "add",
                                     .shape = arithmetic_shape,
                                     .plan = add_plan,
                                     .forward = add_forward,
                                     .backward = residual_backward,
                                     .onnx = add_onnx,
                                     .sum = true,
                                     .fuses_relu = true};
static const spur__op multiply_op = {.kind = "multiply",
                                     .shape = arithmetic_shape,
                                     .plan = multiply_plan,
                                     .forward = multiply_forward,
                                     .backward = multiply_backward,
                                     .onnx = multiply_onnx,
                                     .cost = one_per_value};

spur_node *spur_add(spur_net *net, spur_node *a, spur_node *b) {
    bool equal = a && b && a != b && a->rank == b->rank;
    for (int i = 0; equal && i < a->rank; i++) equal = a->shape[i] == b->shape[i];
    return spur__node_create(net, equal ? &residual_op : &add_op, NULL, (spur_node *[]){a, b}, 2,
                             NULL, 0);
}

spur_node *spur_multiply(spur_net *net, spur_node *a, spur_node *b) {
    return spur__node_create(net, &multiply_op, NULL, (spur_node *[]){a, b}, 2, NULL, 0);
}

/* ---- scale ---------------------------------------------------------------------------------- */

static spur_status scale_shape(spur_node *node, spur_error *err) {
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    spur__shape_like(node, node->inputs[0]);
    return SPUR_OK;
}

static spur_status scale_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)node;
    (void)err;
    demand->in_place = 1;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

/* y (+)= factor * x, as a product with a scalar. */
static void multiply_by(const spur_node *node, const spur__run *run, const float *x, float *y,
                        bool accumulate) {
    float factor = (float)*(const double *)node->options;
    spur__broadcast s = {.rank = 1,
                         .size = {(ptrdiff_t)spur__node_count(node)},
                         .a = {1},
                         .b = {0},
                         .multiply = true};
    spur__broadcast_backward(&run->exec, &s, x, &factor, y, accumulate);
}

static void scale_forward(spur_node *node, const spur__run *run) {
    multiply_by(node, run, node->inputs[0]->data, node->data, false);
}

static void scale_backward(spur_node *node, const spur__run *run) {
    int beta = spur__gradient_beta(node, 0);
    if (beta >= 0) multiply_by(node, run, node->gradient, node->inputs[0]->gradient, beta == 1);
}

static void scale_onnx(const spur_node *node, spur__onnx *to) {
    spur__onnx_op(to, "Mul");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_scalar(to, (float)*(const double *)node->options);
}

static const spur__op scale_op = {.kind = "scale",
                                  .shape = scale_shape,
                                  .plan = scale_plan,
                                  .forward = scale_forward,
                                  .backward = scale_backward,
                                  .onnx = scale_onnx,
                                  .elementwise = true};

spur_node *spur_scale(spur_net *net, spur_node *x, double factor) {
    return spur__node_create(net, &scale_op, NULL, &x, 1, &factor, sizeof factor);
}
