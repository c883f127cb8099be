/* SPDX-License-Identifier: MIT
 *
 * Dice loss over the whole batch: with I = sum p t, U = sum p + sum t per class and smoothing s,
 *     1 - mean over classes of (2 I + s) / (U + s).
 * p is the softmax over the last axis, or the sigmoid of a single logit (one class then). Rows whose
 * label is ignored enter no sum. The gradient by p of a class is (b - a t) / classes with
 * a = 2 / (U + s), b = (2 I + s) / (U + s)^2; forward keeps a and b.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include <spur/loss.h>
#include "kernels/simd/table.h"
#include "nn/loss_rows.h"

enum { MAX_CLASSES = 1024, MAX_GROUP = 256, GROUP_VALUES = 2048 };

typedef struct options {
    int ignore_index;
    float smooth;
    bool skip_first;
} options;

/* Sums of one class over all rows. */
typedef struct sums {
    double both, predicted, truth;
} sums;

/* What backward needs of a class. */
typedef struct slope {
    float a, b;
} slope;

/* How many rows are taken at a time. */
static size_t group_of(size_t width) {
    return width < GROUP_VALUES / MAX_GROUP ? MAX_GROUP : GROUP_VALUES / width;
}

/* Probabilities of rows [r, r + rows), at most a group; p: [rows][width]. */
static void probabilities(const spur_node *node, size_t r, size_t rows, float *p) {
    const size_t width = spur__loss_width(node);
    const float *x = node->inputs[0]->data + r * width;
    spur__log_sum totals[MAX_GROUP];
    if (width == 1) {
        spur__simd_table()->map(&(spur__map){.op = SPUR__MAP_SIGMOID, .a = x, .y = p}, 0,
                                (ptrdiff_t)rows);
        return;
    }
    spur__simd_table()->row_log_sums(x, (ptrdiff_t)rows, (ptrdiff_t)width, totals);
    spur__simd_table()->row_exps(x, (ptrdiff_t)rows, (ptrdiff_t)width, totals, p);
}

/* Targets of row r, in memory or in t[width]; NULL when it does not count; NaN for a label out of range. */
static const float *targets(const spur_node *node, size_t r, size_t width, float *t) {
    const spur_node *target = node->inputs[1];
    if (target->dtype == SPUR_FLOAT32) return target->data + r * width;
    int32_t label = ((const int32_t *)(const void *)target->data)[r];
    if (label == ((const options *)node->options)->ignore_index) return NULL;
    int32_t classes = width == 1 ? 2 : (int32_t)width;
    bool valid = label >= 0 && label < classes;
    for (size_t c = 0; c < width; c++) t[c] = valid ? 0 : NAN;
    if (valid && width == 1) t[0] = (float)label;
    if (valid && width > 1) t[label] = 1;
    return t;
}

typedef struct job {
    const spur_node *node;
    double *partials; /* [blocks][3][width]: sums of p t, of p, of t */
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
    const size_t width = spur__loss_width(j->node), group = group_of(width);
    const size_t begin = (size_t)index * spur__loss_block(j->node);
    const size_t end = block_end(j->node, begin);
    double *both = j->partials + 3 * (size_t)index * width;
    double *predicted = both + width, *truth = predicted + width;
    float p[GROUP_VALUES], buffer[MAX_CLASSES];
    (void)thread;
    memset(both, 0, 3 * width * sizeof *both);
    for (size_t r = begin; r < end; r++) {
        size_t at = (r - begin) % group;
        const float *t = targets(j->node, r, width, buffer), *row = p + at * width;
        if (at == 0) probabilities(j->node, r, end - r < group ? end - r : group, p);
        for (size_t c = 0; t && c < width; c++) both[c] += (double)(row[c] * t[c]);
        for (size_t c = 0; t && c < width; c++) predicted[c] += (double)row[c];
        for (size_t c = 0; t && c < width; c++) truth[c] += (double)t[c];
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
    const size_t width = spur__loss_width(j->node), group = group_of(width);
    const size_t begin = (size_t)index * spur__loss_block(j->node);
    const size_t end = block_end(j->node, begin);
    float p[GROUP_VALUES], buffer[MAX_CLASSES], g[MAX_CLASSES];
    (void)thread;
    for (size_t r = begin; r < end; r++) {
        size_t at = (r - begin) % group;
        float *dx = j->node->inputs[0]->gradient + r * width;
        const float *t = targets(j->node, r, width, buffer);
        if (at == 0) probabilities(j->node, r, end - r < group ? end - r : group, p);
        for (size_t c = 0; t && c < width; c++)
            g[c] = j->scale * (j->slopes[c].b - j->slopes[c].a * t[c]);
        if (t)
            put_row(p + at * width, g, width, dx, j->add);
        else if (!j->add)
            memset(dx, 0, width * sizeof *dx);
    }
}

/* Adds the blocks of a class in order. */
static sums total_of(const double *partials, size_t blocks, size_t width, size_t c) {
    sums total = {0};
    for (size_t i = 0; i < blocks; i++) {
        const double *of = partials + 3 * i * width + c;
        total.both += of[0];
        total.predicted += of[width];
        total.truth += of[2 * width];
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
    const options *o = node->options;
    SPUR__TRY(spur__loss_check("smooth", (double)o->smooth, 0, FLT_MAX, err));
    SPUR__TRY(spur__loss_shape(node, true, true, err));
    if (spur__loss_width(node) <= MAX_CLASSES) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "found %zu classes, expected at most %d",
                      spur__loss_width(node), MAX_CLASSES);
}

static spur_status plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    demand->saved_bytes = spur__loss_width(node) * sizeof(slope);
    demand->forward_workspace =
        spur__loss_blocks(node) * spur__loss_width(node) * 3 * sizeof(double);
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
                 .smooth = given->smooth != 0 && !(given->smooth < 0) ? (float)given->smooth
                           : given->smooth < 0                        ? 0
                                                                      : 1,
                 .skip_first = given->skip_first};
    spur_node *inputs[] = {logits, target};
    return spur__node_create(net, &op, NULL, inputs, 2, &o, sizeof o);
}
