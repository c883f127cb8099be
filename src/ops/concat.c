/* SPDX-License-Identifier: MIT
 *
 * concat: joins along one axis. An input that the planner has placed inside the result already
 * (along the last axis) costs nothing; the others are copied.
 */
#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/move.h"

static int axis_of(const spur_node *node) {
    int axis = *(const int *)node->options;
    return axis < 0 ? axis + node->inputs[0]->rank : axis;
}

static spur_status concat_shape(spur_node *node, spur_error *err) {
    const spur_node *first = node->inputs[0];
    int axis = axis_of(node);
    char a[128], b[128];
    if (axis < 1 || axis >= first->rank)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "expected an axis from 1 to %d or its negative, found %d",
                          first->rank - 1, *(const int *)node->options);
    spur__shape_like(node, first);
    node->shape[axis] = 0;
    for (int i = 0; i < node->input_count; i++) {
        const spur_node *x = node->inputs[i];
        SPUR__TRY(spur__expect_dtype(node, i, SPUR_FLOAT32, err));
        bool fits = x->rank == first->rank;
        for (int d = 0; fits && d < x->rank; d++)
            fits = d == axis || x->shape[d] == first->shape[d];
        if (!fits)
            return spur__fail(err, SPUR_E_SHAPE,
                              "expected equal shapes but for axis %d, found '%s' %s and '%s' %s",
                              axis, first->name, spur__shape_text(first, a, sizeof a), x->name,
                              spur__shape_text(x, b, sizeof b));
        node->shape[axis] += x->shape[axis];
    }
    return SPUR_OK;
}

/* The part of the result that input i fills: rows of `run` values, `offset` from each row's start.
 * Along the last axis rows are pixels, which may lie apart (pitch). */
typedef struct part {
    ptrdiff_t rows, run, offset, own_pitch, pitch;
} part;

static part part_of(const spur_node *node, int i) {
    int axis = axis_of(node);
    const spur_node *x = node->inputs[i];
    ptrdiff_t below = 1;
    part p = {.rows = 1};
    for (int d = 0; d < axis; d++) p.rows *= (ptrdiff_t)x->shape[d];
    for (int d = axis + 1; d < x->rank; d++) below *= (ptrdiff_t)x->shape[d];
    for (int k = 0; k < i; k++) p.offset += (ptrdiff_t)node->inputs[k]->shape[axis] * below;
    p.run = (ptrdiff_t)x->shape[axis] * below;
    bool last = axis == node->rank - 1;
    p.own_pitch = last ? (ptrdiff_t)x->pitch : p.run;
    p.pitch = last ? (ptrdiff_t)node->pitch : (ptrdiff_t)node->shape[axis] * below;
    return p;
}

static void concat_forward(spur_node *node, const spur__run *run) {
    for (int i = 0; i < node->input_count; i++) {
        part p = part_of(node, i);
        if (node->inputs[i]->data == node->data + p.offset) continue; /* placed there */
        spur__move_box(&run->exec, &(spur__box){.images = 1,
                                                .rows = p.rows,
                                                .n = p.run,
                                                .src = node->inputs[i]->data,
                                                .src_row = p.own_pitch,
                                                .dst = node->data + p.offset,
                                                .dst_row = p.pitch});
    }
}

static void concat_backward(spur_node *node, const spur__run *run) {
    for (int i = 0; i < node->input_count; i++) {
        part p = part_of(node, i);
        int beta = spur__gradient_beta(node, i);
        if (beta < 0 || node->inputs[i]->gradient == node->gradient + p.offset) continue;
        spur__move_box(&run->exec, &(spur__box){.images = 1,
                                                .rows = p.rows,
                                                .n = p.run,
                                                .src = node->gradient + p.offset,
                                                .src_row = p.pitch,
                                                .dst = node->inputs[i]->gradient,
                                                .dst_row = p.own_pitch,
                                                .accumulate = beta == 1});
    }
}

static void concat_onnx(const spur_node *node, spur__onnx *to) {
    static const int of_images[] = {0, 2, 3, 1};
    int axis = axis_of(node);
    spur__onnx_op(to, "Concat");
    for (int i = 0; i < node->input_count; i++) spur__onnx_use_input(to, i);
    spur__onnx_int(to, "axis", node->rank == 4 ? of_images[axis] : axis);
}

/* Only along the last axis can pixels lie apart. */
#define OP(last)                                                                                   \
    {                                                                                              \
        .kind = "concat", .shape = concat_shape, .forward = concat_forward,                        \
        .backward = concat_backward, .onnx = concat_onnx, .concat_axis = axis_of,                  \
        .pitched = (last)                                                                          \
    }
static const spur__op of_channels = OP(true), of_rows = OP(false);

spur_node *spur_concat(spur_net *net, spur_node *const *nodes, int count, int axis) {
    if (count < 1 || !nodes) {
        spur_error err = {0};
        spur__fail(&err, SPUR_E_ARGUMENT, "concat: expected at least one input, found %s",
                   nodes ? "none" : "NULL");
        return spur__net_fail(net, &err);
    }
    bool last = nodes[0] && (axis == -1 || axis == nodes[0]->rank - 1);
    return spur__node_create(net, last ? &of_channels : &of_rows, NULL, nodes, count, &axis,
                             sizeof axis);
}
