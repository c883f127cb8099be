/* SPDX-License-Identifier: MIT
 *
 * crop2d and pad2d: rows and columns cut off, or added with a constant value. Each is the other's
 * gradient.
 */
#include <string.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/move.h"

typedef struct border_options {
    int amount[4]; /* top, left, bottom, right */
    float value;
    bool crop;
} border_options;

static spur_status border_shape(spur_node *node, spur_error *err) {
    const border_options *o = node->options;
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    spur__shape_like(node, node->inputs[0]);
    for (int i = 0; i < 4; i++)
        if (o->amount[i] < 0)
            return spur__fail(err, SPUR_E_RANGE, "expected amounts from 0, found %d", o->amount[i]);
    for (int d = 0; d < 2; d++) {
        int64_t both = (int64_t)o->amount[d] + o->amount[d + 2];
        int64_t size = node->inputs[0]->shape[1 + d];
        if (o->crop && both >= size)
            return spur__fail(err, SPUR_E_SHAPE,
                              "expected to cut less than %lld pixels, found %lld", (long long)size,
                              (long long)both);
        node->shape[1 + d] += o->crop ? -both : both;
    }
    return SPUR_OK;
}

/* Copies between the large image, at the border's inner edge, and the small one. */
static void move(const spur_node *node, const spur__run *run, const float *src, float *dst,
                 bool from_large, bool accumulate) {
    const border_options *o = node->options;
    const spur_node *large = o->crop ? node->inputs[0] : node;
    const spur_node *small = o->crop ? node : node->inputs[0];
    ptrdiff_t c = (ptrdiff_t)large->shape[3], width = (ptrdiff_t)large->shape[2] * c;
    ptrdiff_t row = (ptrdiff_t)small->shape[2] * c;
    ptrdiff_t inner = o->amount[0] * width + o->amount[1] * c;
    ptrdiff_t large_image = (ptrdiff_t)large->shape[1] * width;
    ptrdiff_t small_image = (ptrdiff_t)small->shape[1] * row;
    spur__move_box(&run->exec, &(spur__box){.images = run->batch,
                                            .rows = (ptrdiff_t)small->shape[1],
                                            .n = row,
                                            .src = src + (from_large ? inner : 0),
                                            .src_image = from_large ? large_image : small_image,
                                            .src_row = from_large ? width : row,
                                            .dst = dst + (from_large ? 0 : inner),
                                            .dst_image = from_large ? small_image : large_image,
                                            .dst_row = from_large ? row : width,
                                            .accumulate = accumulate});
}

static void border_forward(spur_node *node, const spur__run *run) {
    const border_options *o = node->options;
    if (!o->crop) spur__fill(&run->exec, node->data, (ptrdiff_t)spur__node_count(node), o->value);
    move(node, run, node->inputs[0]->data, node->data, o->crop, false);
}

static void border_backward(spur_node *node, const spur__run *run) {
    const border_options *o = node->options;
    int beta = spur__gradient_beta(node, 0);
    float *dx = node->inputs[0]->gradient;
    if (beta < 0) return;
    if (o->crop && beta == 0)
        spur__fill(&run->exec, dx, (ptrdiff_t)spur__node_count(node->inputs[0]), 0);
    move(node, run, node->gradient, dx, !o->crop, beta == 1);
}

static void crop_onnx(const spur_node *node, spur__onnx *to) {
    const border_options *o = node->options;
    const int64_t *in = node->inputs[0]->shape;
    spur__onnx_op(to, "Slice");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_sizes(to, 2, (const int64_t[]){o->amount[0], o->amount[1]});
    spur__onnx_use_sizes(to, 2, (const int64_t[]){in[1] - o->amount[2], in[2] - o->amount[3]});
    spur__onnx_use_sizes(to, 2, (const int64_t[]){2, 3});
}

/* All axes, since ONNX Runtime (1.32) loses the names of some where it moves a transposition through. */
static void pad_onnx(const spur_node *node, spur__onnx *to) {
    const border_options *o = node->options;
    const int *a = o->amount;
    spur__onnx_op(to, "Pad");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_sizes(to, 8, (const int64_t[]){0, 0, a[0], a[1], 0, 0, a[2], a[3]});
    spur__onnx_use_scalar(to, o->value);
}

static const spur__op crop_op = {.kind = "crop2d",
                                 .shape = border_shape,
                                 .forward = border_forward,
                                 .backward = border_backward,
                                 .onnx = crop_onnx};
static const spur__op pad_op = {.kind = "pad2d",
                                .shape = border_shape,
                                .forward = border_forward,
                                .backward = border_backward,
                                .onnx = pad_onnx};

static spur_node *create(spur_net *net, spur_node *x, const spur__op *op, const int amount[4],
                         double value) {
    border_options o = {.value = (float)value, .crop = op == &crop_op};
    if (amount) memcpy(o.amount, amount, sizeof o.amount);
    return spur__node_create(net, op, NULL, &x, 1, &o, sizeof o);
}

spur_node *spur_crop2d(spur_net *net, spur_node *x, const int amount[4]) {
    return create(net, x, &crop_op, amount, 0);
}

spur_node *spur_pad2d(spur_net *net, spur_node *x, const int amount[4], double value) {
    return create(net, x, &pad_op, amount, value);
}
