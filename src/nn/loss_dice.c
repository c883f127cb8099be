/* SPDX-License-Identifier: MIT
 *
 * Dice loss over the whole batch: with I = sum p t, U = sum p + sum t per class and smoothing s,
 *     1 - mean over classes of (2 I + s) / (U + s).
 * p is the softmax over the last axis, or the sigmoid of a single logit (one class then). Rows whose
 * label is ignored enter no sum. The gradient by p of a class is (b - a t) / classes with
 * a = 2 / (U + s), b = (2 I + s) / (U + s)^2; forward keeps a and b.
 */
#include <math.h>
#include <string.h>

#include <spur/loss.h>
#include "base/fmath.h"
#include "nn/loss_rows.h"

enum { MAX_CLASSES = 1024 };

typedef struct options {
    int ignore_index;
    float smooth;
    bool skip_first;
} options;

/* Sums of one class over some rows. */
typedef struct sums {
    double both, predicted, truth;
} sums;

/* What backward needs of a class. */
typedef struct slope {
    float a, b;
} slope;

/* x, p: [width]. Probabilities of a row. */
static void probabilities(const float *x, size_t width, float *p) {
    float top = x[0], sum = 0;
    if (width == 1) {
        p[0] = spur__sigmoidf(x[0]);
        return;
    }
    for (size_t c = 1; c < width; c++) top = x[c] > top ? x[c] : top;
    for (size_t c = 0; c < width; c++) sum += p[c] = spur__expf(x[c] - top);
    for (size_t c = 0; c < width; c++) p[c] /= sum;
}

/* t: [width]. Targets of row r; false when it does not count; NaN for a label out of range. */
static bool targets(const spur_node *node, size_t r, size_t width, float *t) {
    const spur_node *target = node->inputs[1];
    if (target->dtype == SPUR_FLOAT32) {
        memcpy(t, target->data + r * width, width * sizeof *t);
        return true;
    }
    int32_t label = ((const int32_t *)(const void *)target->data)[r];
    if (label == ((const options *)node->options)->ignore_index) return false;
    int32_t classes = width == 1 ? 2 : (int32_t)width;
    bool valid = label >= 0 && label < classes;
    for (size_t c = 0; c < width; c++) t[c] = valid ? 0 : NAN;
    if (valid && width == 1) t[0] = (float)label;
    if (valid && width > 1) t[label] = 1;
    return true;
}

typedef struct job {
    const spur_node *node;
    sums *partials; /* [blocks][width] */
    const slope *slopes; /* [width] */
    float scale;
    bool add;
} job;

static size_t block_end(const spur_node *node, size_t begin) {
    size_t rows = spur__loss_rows(node), end = begin + spur__loss_block(node);
    return end < rows ? end : rows;
}

static void sum_block(void *given, ptrdiff_t index, int thread) {
    const job *j = given;
    const size_t width = spur__loss_width(j->node);
    const size_t begin = (size_t)index * spur__loss_block(j->node);
    sums *mine = j->partials + (size_t)index * width;
    float p[MAX_CLASSES], t[MAX_CLASSES];
    (void)thread;
    memset(mine, 0, width * sizeof *mine);
    for (size_t r = begin; r < block_end(j->node, begin); r++) {
        if (!targets(j->node, r, width, t)) continue;
        probabilities(j->node->inputs[0]->data + r * width, width, p);
        for (size_t c = 0; c < width; c++) {
            mine[c].both += (double)(p[c] * t[c]);
            mine[c].predicted += (double)p[c];
            mine[c].truth += (double)t[c];
        }
    }
}

/* x, dx: [width]; g: gradient by p. */
static void put_row(const float *p, const float *g, size_t width, float *dx, bool add) {
    float mean = 0;
    if (width == 1) {
        spur__put(dx, g[0] * p[0] * (1 - p[0]), add);
        return;
    }
    for (size_t c = 0; c < width; c++) mean += g[c] * p[c];
    for (size_t c = 0; c < width; c++) spur__put(&dx[c], p[c] * (g[c] - mean), add);
}

static void gradient_block(void *given, ptrdiff_t index, int thread) {
    const job *j = given;
    const size_t width = spur__loss_width(j->node);
    const size_t begin = (size_t)index * spur__loss_block(j->node);
    float p[MAX_CLASSES], t[MAX_CLASSES];
    (void)thread;
    for (size_t r = begin; r < block_end(j->node, begin); r++) {
        float *dx = j->node->inputs[0]->gradient + r * width;
        if (!targets(j->node, r, width, t)) {
            if (!j->add) memset(dx, 0, width * sizeof *dx);
            continue;
        }
        probabilities(j->node->inputs[0]->data + r * width, width, p);
        for (size_t c = 0; c < width; c++)
            t[c] = j->scale * (j->slopes[c].b - j->slopes[c].a * t[c]);
        put_row(p, t, width, dx, j->add);
    }
}

/* Adds the blocks of a class in order. */
static sums total_of(const sums *partials, size_t blocks, size_t width, size_t c) {
    sums total = {0};
    for (size_t i = 0; i < blocks; i++) {
        total.both += partials[i * width + c].both;
        total.predicted += partials[i * width + c].predicted;
        total.truth += partials[i * width + c].truth;
    }
    return total;
}

static size_t first_class(const spur_node *node) {
    const options *o = node->options;
    return o->skip_first && spur__loss_width(node) > 1 ? 1 : 0;
}

static void forward(spur_node *node, const spur__run *run) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node), blocks = spur__loss_blocks(node);
    const size_t first = first_class(node);
    slope *slopes = node->saved;
    double mean = 0;
    job j = {.node = node, .partials = run->workspace};
    spur__parallel(&run->exec, (ptrdiff_t)blocks, sum_block, &j);
    for (size_t c = 0; c < width; c++) {
        sums s = total_of(j.partials, blocks, width, c);
        double above = 2 * s.both + (double)o->smooth;
        double below = s.predicted + s.truth + (double)o->smooth;
        bool counts = c >= first && !(below == 0);
        if (slopes)
            slopes[c] = counts ? (slope){(float)(2 / below), (float)(above / (below * below))}
                               : (slope){0, 0};
        if (c >= first) mean += below == 0 ? 1 : above / below;
    }
    node->data[0] = (float)(1 - mean / (double)(width - first));
}

static void backward(spur_node *node, const spur__run *run) {
    double classes = (double)(spur__loss_width(node) - first_class(node));
    if (spur__gradient_beta(node, 0) < 0) return;
    job j = {.node = node,
             .slopes = node->saved,
             .scale = (float)((double)node->gradient[0] / classes),
             .add = spur__gradient_beta(node, 0) == 1};
    spur__parallel(&run->exec, (ptrdiff_t)spur__loss_blocks(node), gradient_block, &j);
}

static spur_status shape(spur_node *node, spur_error *err) {
    SPUR__TRY(spur__loss_shape(node, true, true, err));
    if (spur__loss_width(node) <= MAX_CLASSES) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "found %zu classes, expected at most %d",
                      spur__loss_width(node), MAX_CLASSES);
}

static spur_status plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    demand->saved_bytes = spur__loss_width(node) * sizeof(slope);
    demand->forward_workspace = spur__loss_blocks(node) * spur__loss_width(node) * sizeof(sums);
    demand->backward_needs_input[0] = demand->backward_needs_input[1] = true;
    return SPUR_OK;
}

static spur_status explain(const spur_node *node, spur_error *err) {
    size_t width = spur__loss_width(node);
    return spur__explain_labels(node, ((const options *)node->options)->ignore_index,
                                width == 1 ? 2 : (int)width, err);
}

static const spur__op op = {
    .kind = "dice",
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_dice(spur_net *net, spur_node *logits, spur_node *target,
                     const spur_dice_options *given) {
    const spur_dice_options none = {0};
    if (!given) given = &none;
    options o = {.ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE,
                 .smooth = given->smooth > 0   ? (float)given->smooth
                           : given->smooth < 0 ? 0
                                               : 1,
                 .skip_first = given->skip_first};
    spur_node *inputs[] = {logits, target};
    return spur__node_create(net, &op, NULL, inputs, 2, &o, sizeof o);
}
