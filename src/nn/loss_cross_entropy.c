/* SPDX-License-Identifier: MIT
 *
 * Cross-entropy of the softmax over the last axis, as torch.nn.CrossEntropyLoss. With labels t,
 * class weights w and smoothing s the loss of a row is
 *     (1 - s) w_t (L - x_t) + s / K sum_c w_c (L - x_c),   L = log sum_c exp x_c,
 * and the mean divides by the sum of w_t. Soft targets y become y (1 - s) + s / K; their row's loss
 * is sum_c w_c y_c (L - x_c), and the mean divides by the number of rows.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include <spur/loss.h>
#include "kernels/simd/table.h"
#include "nn/loss_rows.h"

enum {
    GROUP = 64,
    FEW_CLASSES = 32,
    STRETCH = GROUP * FEW_CLASSES
}; /* rows and classes at a time */

typedef struct options {
    int ignore_index;
    float smoothing;
    bool sum;
    bool weighted;
    float weights[]; /* [classes] when weighted */
} options;

static float weight_of(const options *o, size_t class) {
    return o->weighted ? o->weights[class] : 1;
}

/* L - x, which is small where the class is the likely one. */
static float surprise(spur__log_sum total, float x) {
    return total.log - (x - total.top);
}

/* x: [width]; sum over classes of w_c (L - x_c). */
static float spread(const options *o, const float *x, size_t width, spur__log_sum total) {
    float sum = 0;
    for (size_t c = 0; c < width; c++) sum += weight_of(o, c) * surprise(total, x[c]);
    return sum;
}

static spur__partial label_row(const options *o, const float *x, size_t width, int32_t label,
                               spur__log_sum total) {
    float w = weight_of(o, (size_t)label);
    float loss = (1 - o->smoothing) * w * surprise(total, x[label]);
    if (o->smoothing > 0) loss += o->smoothing / (float)width * spread(o, x, width, total);
    return (spur__partial){loss, w};
}

/* x, y: [width] */
static spur__partial soft_row(const options *o, const float *x, size_t width, const float *y,
                              spur__log_sum total) {
    float loss = 0, base = o->smoothing / (float)width;
    for (size_t c = 0; c < width; c++)
        loss += weight_of(o, c) * (y[c] * (1 - o->smoothing) + base) * surprise(total, x[c]);
    return (spur__partial){loss, 1};
}

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const bool soft = node->inputs[1]->dtype == SPUR_FLOAT32;
    const float *targets = node->inputs[1]->data;
    const int32_t *labels = (const int32_t *)(const void *)targets;
    spur__log_sum *saved = spur__loss_saved_rows(node), totals[GROUP];
    spur__partial total = {0};
    for (size_t r = begin; r < end; r++) {
        const float *x = node->inputs[0]->data + r * width;
        size_t at = (r - begin) % GROUP;
        if (at == 0)
            spur__simd_table()->row_log_sums(x, (ptrdiff_t)(end - r < GROUP ? end - r : GROUP),
                                             (ptrdiff_t)width, totals);
        if (!soft && labels[r] == o->ignore_index) continue;
        if (!soft && (labels[r] < 0 || (size_t)labels[r] >= width)) {
            total.loss = NAN;
            continue;
        }
        if (saved) saved[r] = totals[at];
        spur__partial row = soft ? soft_row(o, x, width, targets + r * width, totals[at])
                                 : label_row(o, x, width, labels[r], totals[at]);
        total.loss += row.loss;
        total.weight += row.weight;
    }
    return total;
}

/* What is multiplied with a row's probabilities: the weights of its targets, added up; for labels, their
 * smoothed part alone, times scale. y: [width], or NULL for labels. */
static float mass_of(const options *o, size_t width, const float *y, float scale) {
    if (!y && o->smoothing <= 0) return 0;
    float mass = 0, base = o->smoothing / (float)width,
          scaled = scale * o->smoothing / (float)width;
    for (size_t c = 0; c < width; c++)
        mass += y ? weight_of(o, c) * (y[c] * (1 - o->smoothing) + base) : scaled * weight_of(o, c);
    return mass;
}

/* Classes [begin, end) of a row, at most STRETCH of them; e: exp(x - L) of these. */
typedef struct stretch {
    size_t begin, end;
    const float *e;
} stretch;

/* dx: [width], of which the stretch is made. */
static void label_gradient(const options *o, const stretch *s, size_t width, int32_t label,
                           float mass, float scale, float *dx, bool add) {
    float hit = scale * (1 - o->smoothing) * weight_of(o, (size_t)label);
    float base = o->smoothing > 0 ? scale * o->smoothing / (float)width : 0;
    for (size_t c = s->begin; c < s->end; c++) {
        float g = s->e[c - s->begin] * (hit + mass);
        if (base != 0) g -= base * weight_of(o, c);
        spur__put(&dx[c], g, add);
    }
    if ((size_t)label >= s->begin && (size_t)label < s->end) dx[label] -= hit;
}

/* y, dx: [width], of which the stretch is made. */
static void soft_gradient(const options *o, const stretch *s, size_t width, const float *y,
                          float mass, float scale, float *dx, bool add) {
    float keep = 1 - o->smoothing, base = o->smoothing / (float)width;
    for (size_t c = s->begin; c < s->end; c++) {
        float target = weight_of(o, c) * (y[c] * keep + base);
        spur__put(&dx[c], scale * (s->e[c - s->begin] * mass - target), add);
    }
}

/* The soft targets of row r, or NULL where they are labels. */
static const float *soft_targets(const spur_node *node, size_t r) {
    const spur_node *target = node->inputs[1];
    return target->dtype == SPUR_FLOAT32 ? target->data + r * spur__loss_width(node) : NULL;
}

static void row_gradient(const spur_node *node, size_t r, const stretch *s, float mass,
                         float scale) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const bool add = spur__gradient_beta(node, 0) == 1;
    const float *y = soft_targets(node, r);
    const int32_t *labels = (const int32_t *)(const void *)node->inputs[1]->data;
    float *dx = node->inputs[0]->gradient + r * width;
    if (y)
        soft_gradient(o, s, width, y, mass, scale, dx, add);
    else if (labels[r] != o->ignore_index)
        label_gradient(o, s, width, labels[r], mass, scale, dx, add);
    else if (!add)
        memset(dx + s->begin, 0, (s->end - s->begin) * sizeof *dx);
}

/* Rows from r on whose targets are labels, without smoothing; e: their exponentials. width is a constant
 * where there are two classes. */
static inline void label_rows(const spur_node *node, size_t r, size_t rows, size_t width,
                              const float *e, float scale) {
    const options *o = node->options;
    const bool add = spur__gradient_beta(node, 0) == 1;
    const int32_t *labels = (const int32_t *)(const void *)node->inputs[1]->data + r;
    float *dx = node->inputs[0]->gradient + r * width;
    for (size_t i = 0; i < rows; i++, dx += width, e += width) {
        bool counts = labels[i] != o->ignore_index;
        float hit = counts ? scale * weight_of(o, (size_t)labels[i]) : 0;
        for (size_t c = 0; c < width; c++) spur__put(&dx[c], counts ? e[c] * hit : 0, add);
        if (counts) dx[labels[i]] -= hit;
    }
}

/* Few classes: many rows' exponentials at a time. */
static void narrow_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const size_t width = spur__loss_width(node);
    const spur__log_sum *saved = spur__loss_saved_rows(node);
    const bool plain = !soft_targets(node, 0) && ((const options *)node->options)->smoothing <= 0;
    float e[STRETCH];
    for (size_t r = begin; r < end; r += GROUP) {
        size_t rows = end - r < GROUP ? end - r : GROUP;
        spur__simd_table()->row_exps(node->inputs[0]->data + r * width, (ptrdiff_t)rows,
                                     (ptrdiff_t)width, saved + r, e);
        if (plain && width == 2)
            label_rows(node, r, rows, 2, e, scale);
        else if (plain)
            label_rows(node, r, rows, width, e, scale);
        for (size_t i = 0; i < rows && !plain; i++)
            row_gradient(node, r + i, &(stretch){0, width, e + i * width},
                         mass_of(node->options, width, soft_targets(node, r + i), scale), scale);
    }
}

static void wide_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const size_t width = spur__loss_width(node);
    const spur__log_sum *saved = spur__loss_saved_rows(node);
    float e[STRETCH];
    for (size_t r = begin; r < end; r++) {
        const float *x = node->inputs[0]->data + r * width;
        float mass = mass_of(node->options, width, soft_targets(node, r), scale);
        for (size_t c = 0; c < width; c += STRETCH) {
            size_t n = width - c < STRETCH ? width - c : STRETCH;
            spur__simd_table()->row_exps(x + c, 1, (ptrdiff_t)n, saved + r, e);
            row_gradient(node, r, &(stretch){c, c + n, e}, mass, scale);
        }
    }
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    if (spur__loss_width(node) <= FEW_CLASSES)
        narrow_rows(node, begin, end, scale);
    else
        wide_rows(node, begin, end, scale);
}

static spur_status shape(spur_node *node, spur_error *err) {
    const options *o = node->options;
    SPUR__TRY(spur__loss_shape(node, true, true, err));
    SPUR__TRY(spur__loss_check("label_smoothing", (double)o->smoothing, 0, 1, err));
    return spur__loss_check_weights("class_weights", o->weighted ? o->weights : NULL,
                                    spur__loss_width(node), err);
}

static spur_status plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    spur__loss_demand(node, demand, true);
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
    return spur__explain_labels(node, o->ignore_index, (int)spur__loss_width(node), err);
}

static const spur__op op = {
    .kind = "cross_entropy",
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_cross_entropy(spur_net *net, spur_node *logits, spur_node *target,
                              const spur_cross_entropy_options *given) {
    const spur_cross_entropy_options none = {0};
    if (!given) given = &none;
    const options o = {.ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE,
                       .smoothing = (float)given->label_smoothing,
                       .sum = given->reduction == SPUR_SUM,
                       .weighted = given->class_weights != NULL};
    spur_node *inputs[] = {logits, target};
    return spur__loss_create(net, &op, inputs, &o, offsetof(options, weights),
                             given->class_weights);
}
