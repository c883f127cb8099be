/* SPDX-License-Identifier: MIT
 *
 * Binary cross-entropy with logits, as torch.nn.BCEWithLogitsLoss:
 *     (1 - y) log(1 + exp(x)) + p y log(1 + exp(-x)),   p = pos_weight of the output,
 * with y (1 - s) + s / 2 in place of y under label smoothing. The mean is over all values counted.
 */
#include <math.h>
#include <string.h>

#include <spur/loss.h>
#include "base/fmath.h"
#include "base/memory.h"
#include "nn/loss_rows.h"

typedef struct options {
    int ignore_index;
    float smoothing;
    bool sum;
    bool weighted;
    float pos_weight[]; /* [width] when weighted */
} options;

/* Target of value i, smoothed; false when it does not count. */
static bool target_of(const spur_node *node, size_t i, float *y) {
    const options *o = node->options;
    const spur_node *t = node->inputs[1];
    *y = t->data[i];
    if (t->dtype == SPUR_INT32) {
        int32_t label = ((const int32_t *)(const void *)t->data)[i];
        if (label == o->ignore_index) return false;
        *y = label == 0 ? 0 : label == 1 ? 1 : NAN;
    }
    *y = *y * (1 - o->smoothing) + 0.5f * o->smoothing;
    return true;
}

static float pos_weight_of(const options *o, size_t c) {
    return o->weighted ? o->pos_weight[c] : 1;
}

/* Neither has small differences of large numbers, so that sure outputs keep their digits. */
static float value_of(float x, float y, float p) {
    float tail = spur__softplusf(-fabsf(x));
    return (1 - y) * (fmaxf(x, 0) + tail) + p * y * (fmaxf(-x, 0) + tail);
}

static float slope_of(float x, float y, float p) {
    float e = spur__expf(-fabsf(x)), large = 1 / (1 + e), small = e * large;
    return (1 - y) * (x < 0 ? small : large) - p * y * (x < 0 ? large : small);
}

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    spur__partial total = {0};
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < width; c++) {
            float x = node->inputs[0]->data[r * width + c], y;
            if (!target_of(node, r * width + c, &y)) continue;
            total.loss += (double)value_of(x, y, pos_weight_of(o, c));
            total.weight += 1;
        }
    return total;
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const bool add = spur__gradient_beta(node, 0) == 1;
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < width; c++) {
            size_t i = r * width + c;
            float x = node->inputs[0]->data[i], y, g = 0;
            if (target_of(node, i, &y)) g = slope_of(x, y, pos_weight_of(o, c));
            spur__put(&node->inputs[0]->gradient[i], scale * g, add);
        }
}

static spur_status shape(spur_node *node, spur_error *err) {
    const options *o = node->options;
    SPUR__TRY(spur__loss_shape(node, true, true, err));
    SPUR__TRY(spur__loss_check("label_smoothing", (double)o->smoothing, 0, 1, err));
    SPUR__TRY(spur__loss_check_weights("pos_weight", o->weighted ? o->pos_weight : NULL,
                                       spur__loss_width(node), err));
    if (node->inputs[1]->dtype == SPUR_FLOAT32 || spur__loss_width(node) == 1) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE,
                      "int32 labels go with one output, found '%s' with %zu; give float targets",
                      node->inputs[0]->name, spur__loss_width(node));
}

static spur_status plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    spur__loss_demand(node, demand, false);
    return SPUR_OK;
}

static void forward(spur_node *node, const spur__run *run) {
    spur__loss_forward(node, run, forward_rows, ((const options *)node->options)->sum);
}

static void backward(spur_node *node, const spur__run *run) {
    spur__loss_backward(node, run, backward_rows, ((const options *)node->options)->sum);
}

static spur_status explain(const spur_node *node, spur_error *err) {
    return spur__explain_labels(node, ((const options *)node->options)->ignore_index, 2, err);
}

static const spur__op op = {
    .kind = "bce",
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_bce(spur_net *net, spur_node *logits, spur_node *target,
                    const spur_bce_options *given) {
    const spur_bce_options none = {0};
    if (!given) given = &none;
    size_t width = logits ? (size_t)spur__channels(logits) : 0;
    size_t size = sizeof(options) + (given->pos_weight ? width * sizeof(float) : 0);
    options *o = spur__calloc(1, size);
    if (!o) return spur__net_no_memory(net, "bce");
    o->ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE;
    o->smoothing = (float)given->label_smoothing;
    o->sum = given->reduction == SPUR_SUM;
    o->weighted = given->pos_weight != NULL;
    if (o->weighted) memcpy(o->pos_weight, given->pos_weight, width * sizeof(float));
    spur_node *inputs[] = {logits, target};
    spur_node *node = spur__node_create(net, &op, NULL, inputs, 2, o, size);
    spur__free(o);
    return node;
}
