/* SPDX-License-Identifier: MIT
 *
 * Focal loss (Lin, Goyal, Girshick, He, Dollar 2017): w (1 - p)^gamma n, with p the probability of
 * the true class, n = -log p. A single logit takes the sigmoid, alpha and 1 - alpha (torchvision's
 * sigmoid_focal_loss); several take the softmax and class weights. The mean divides by the number
 * of rows counted.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include <spur/loss.h>
#include "base/fmath.h"
#include "base/memory.h"
#include "nn/loss_rows.h"

typedef struct options {
    int ignore_index;
    float gamma, alpha;
    bool sum;
    bool weighted;
    float weights[]; /* [classes] when weighted */
} options;

/* q^gamma for q in [0, 1]. */
static float power(float q, float gamma) {
    if (gamma == 0) return 1;
    if (gamma == 1) return q;
    if (gamma == 2) return q * q;
    return q > 0 ? spur__expf(gamma * spur__logf(q)) : 0;
}

/* x: [width]; -log of the softmax of class t, and log of the sum of exponentials. */
static float surprise(const float *x, size_t width, int32_t t, spur__log_sum *total) {
    float top = x[0], sum = 0;
    for (size_t c = 1; c < width; c++) top = x[c] > top ? x[c] : top;
    for (size_t c = 0; c < width; c++) sum += spur__expf(x[c] - top);
    *total = (spur__log_sum){top, spur__logf(sum)};
    return total->log - (x[t] - top);
}

/* n = -log p of the true class of a row. */
static float row_surprise(const float *x, size_t width, int32_t t, spur__log_sum *total) {
    if (width > 1) return surprise(x, width, t, total);
    return spur__softplusf(t ? -x[0] : x[0]);
}

static float row_weight(const options *o, size_t width, int32_t t) {
    if (width > 1) return o->weighted ? o->weights[t] : 1;
    if (o->alpha <= 0) return 1;
    return t ? o->alpha : 1 - o->alpha;
}

static int classes_of(const spur_node *node) {
    size_t width = spur__loss_width(node);
    return width == 1 ? 2 : (int)width;
}

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const int32_t *labels = (const int32_t *)(const void *)node->inputs[1]->data;
    spur__partial total = {0};
    for (size_t r = begin; r < end; r++) {
        spur__log_sum unused;
        if (labels[r] == o->ignore_index) continue;
        if (labels[r] < 0 || labels[r] >= classes_of(node)) {
            total.loss = NAN;
            continue;
        }
        float n = row_surprise(node->inputs[0]->data + r * width, width, labels[r], &unused);
        float q = 1 - spur__expf(-n);
        total.loss += (double)(row_weight(o, width, labels[r]) * power(q, o->gamma) * n);
        total.weight += 1;
    }
    return total;
}

/* x, dx: [width]. With n = -log p: dL/dn = q^gamma + gamma q^(gamma - 1) p n, q = 1 - p. */
static void row_gradient(const options *o, const float *x, size_t width, int32_t t, float scale,
                         float *dx, bool add) {
    spur__log_sum total = {0, 0};
    float n = row_surprise(x, width, t, &total);
    float p = spur__expf(-n), q = 1 - p;
    float inner = o->gamma == 0 || q <= 0 ? 0 : o->gamma * power(q, o->gamma - 1) * p * n;
    float slope = scale * row_weight(o, width, t) * (power(q, o->gamma) + inner);
    if (width == 1) {
        spur__put(dx, t ? slope * -q : slope * q, add);
        return;
    }
    for (size_t c = 0; c < width; c++)
        spur__put(&dx[c], slope * spur__expf(x[c] - total.top - total.log), add);
    dx[t] -= slope;
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const bool add = spur__gradient_beta(node, 0) == 1;
    const int32_t *labels = (const int32_t *)(const void *)node->inputs[1]->data;
    for (size_t r = begin; r < end; r++) {
        float *dx = node->inputs[0]->gradient + r * width;
        if (labels[r] != o->ignore_index)
            row_gradient(o, node->inputs[0]->data + r * width, width, labels[r], scale, dx, add);
        else if (!add)
            memset(dx, 0, width * sizeof *dx);
    }
}

static spur_status shape(spur_node *node, spur_error *err) {
    const options *o = node->options;
    SPUR__TRY(spur__loss_shape(node, true, false, err));
    SPUR__TRY(spur__loss_check("gamma", (double)o->gamma, 0, FLT_MAX, err));
    SPUR__TRY(spur__loss_check("alpha", (double)o->alpha, 0, 1, err));
    return spur__loss_check_weights("class_weights", o->weighted ? o->weights : NULL,
                                    spur__loss_width(node), err);
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
    const options *o = node->options;
    return spur__explain_labels(node, o->ignore_index, classes_of(node), err);
}

static const spur__op op = {
    .kind = "focal",
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_focal(spur_net *net, spur_node *logits, spur_node *target,
                      const spur_focal_options *given) {
    const spur_focal_options none = {0};
    if (!given) given = &none;
    size_t width = logits ? (size_t)spur__channels(logits) : 0;
    bool weighted = given->class_weights && width > 1;
    size_t size = sizeof(options) + (weighted ? width * sizeof(float) : 0);
    options *o = spur__calloc(1, size);
    if (!o) return spur__net_no_memory(net, "focal");
    o->ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE;
    o->gamma = given->gamma == 0 ? 2 : given->gamma < 0 ? 0 : (float)given->gamma;
    o->alpha = (float)given->alpha;
    o->sum = given->reduction == SPUR_SUM;
    o->weighted = weighted;
    if (weighted) memcpy(o->weights, given->class_weights, width * sizeof(float));
    spur_node *inputs[] = {logits, target};
    spur_node *node = spur__node_create(net, &op, NULL, inputs, 2, o, size);
    spur__free(o);
    return node;
}
