/* SPDX-License-Identifier: MIT
 *
 * Binary cross-entropy with logits, as torch.nn.BCEWithLogitsLoss:
 *     (1 - y) log(1 + exp(x)) + p y log(1 + exp(-x)),   p = pos_weight of the output,
 * with y (1 - s) + s / 2 in place of y under label smoothing. The mean is over all values counted.
 */
#include <math.h>
#include <stddef.h>

#include <spur/loss.h>
#include "kernels/simd/table.h"
#include "nn/loss_rows.h"

typedef struct options {
    int ignore_index;
    float smoothing;
    bool sum;
    bool weighted;
    float pos_weight[]; /* [width] when weighted */
} options;

enum { STRIP = 256 }; /* values at a time */

/* Values [begin, begin + n): their targets, smoothed, and weights; how many of them count. */
typedef struct strip {
    size_t begin, n, count;
    float y[STRIP], weight[STRIP];
    bool ignored[STRIP];
} strip;

/* Targets of what is ignored are 0, of other labels than 0 and 1 NaN. */
static float label_target(strip *s, size_t i, int32_t label, int ignore_index) {
    s->ignored[i] = label == ignore_index;
    s->count -= s->ignored[i];
    return label == 1 ? 1 : label == 0 || s->ignored[i] ? 0 : NAN;
}

static void read_targets(const spur_node *node, strip *s) {
    const options *o = node->options;
    const spur_node *t = node->inputs[1];
    const int32_t *labels = (const int32_t *)(const void *)t->data;
    bool is_label = t->dtype == SPUR_INT32;
    s->count = s->n;
    for (size_t i = 0; i < s->n; i++) {
        float y = is_label ? label_target(s, i, labels[s->begin + i], o->ignore_index)
                           : t->data[s->begin + i];
        s->y[i] = y * (1 - o->smoothing) + 0.5f * o->smoothing;
    }
}

/* The strip from `begin` on, at most up to `end`: out[] is what `function` makes of it, 0 where nothing
 * counts. */
static void apply(const spur_node *node, size_t begin, size_t end, strip *s,
                  void (*function)(const spur__bce_values *p), float *out) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    s->begin = begin;
    s->n = end - begin < STRIP ? end - begin : STRIP;
    read_targets(node, s);
    for (size_t i = 0; o->weighted && i < s->n; i++)
        s->weight[i] = o->pos_weight[(begin + i) % width];
    function(&(spur__bce_values){.n = (ptrdiff_t)s->n,
                                 .x = node->inputs[0]->data + begin,
                                 .y = s->y,
                                 .pos_weight = o->weighted ? s->weight : NULL,
                                 .out = out});
    for (size_t i = 0; s->count < s->n && i < s->n; i++)
        if (s->ignored[i]) out[i] = 0;
}

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const size_t width = spur__loss_width(node);
    spur__partial total = {0};
    strip s;
    for (size_t i = begin * width; i < end * width; i += s.n) {
        apply(node, i, end * width, &s, spur__simd_table()->bce, s.y);
        total.loss += spur__simd_table()->total(s.y, (ptrdiff_t)s.n);
        total.weight += (double)s.count;
    }
    return total;
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const size_t width = spur__loss_width(node);
    const bool add = spur__gradient_beta(node, 0) == 1;
    strip s;
    for (size_t i = begin * width; i < end * width; i += s.n) {
        float *dx = node->inputs[0]->gradient + i;
        apply(node, i, end * width, &s, spur__simd_table()->bce_slope, s.y);
        for (size_t k = 0; k < s.n; k++) spur__put(&dx[k], scale * s.y[k], add);
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
    .plan = spur__loss_plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_bce(spur_net *net, spur_node *logits, spur_node *target,
                    const spur_bce_options *given) {
    const spur_bce_options none = {0};
    if (!given) given = &none;
    const options o = {.ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE,
                       .smoothing = (float)given->label_smoothing,
                       .sum = given->reduction == SPUR_SUM,
                       .weighted = given->pos_weight != NULL};
    spur_node *inputs[] = {logits, target};
    return spur__loss_create(net, &op, inputs, &o, offsetof(options, pos_weight),
                             given->pos_weight);
}
