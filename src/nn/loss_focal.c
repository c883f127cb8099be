/* SPDX-License-Identifier: MIT
 *
 * Focal loss (Lin, Goyal, Girshick, He, Dollar 2017): w (1 - p)^gamma n, with p the probability of
 * the true class, n = -log p. A single logit takes the sigmoid, alpha and 1 - alpha (torchvision's
 * sigmoid_focal_loss); several take the softmax and class weights. The mean divides by the number
 * of rows counted.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include <spur/loss.h>
#include "base/fmath.h"
#include "kernels/simd/table.h"
#include "nn/loss_rows.h"

enum {
    GROUP = 64,
    FEW_CLASSES = 32,
    STRETCH = GROUP * FEW_CLASSES
}; /* rows and classes at a time */

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

static float row_weight(const options *o, size_t width, int32_t t) {
    if (width > 1) return o->weighted ? o->weights[t] : 1;
    if (o->alpha <= 0) return 1;
    return t ? o->alpha : 1 - o->alpha;
}

static int classes_of(const spur_node *node) {
    size_t width = spur__loss_width(node);
    return width == 1 ? 2 : (int)width;
}

/* Some rows: their labels, n = -log p and p of their true classes, and the logarithms of their sums of
 * exponentials where there are several classes. n of rows that do not count is anything. */
typedef struct group {
    size_t rows;
    const int32_t *labels;
    float n[GROUP], p[GROUP];
    spur__log_sum totals[GROUP];
} group;

static bool is_class(const spur_node *node, int32_t label) {
    return label >= 0 && label < classes_of(node);
}

/* Rows from r on, at most up to `end`. */
static void read_group(const spur_node *node, size_t r, size_t end, group *g) {
    const spur__simd *simd = spur__simd_table();
    const size_t width = spur__loss_width(node);
    const float *x = node->inputs[0]->data + r * width;
    float less[GROUP];
    g->rows = end - r < GROUP ? end - r : GROUP;
    g->labels = (const int32_t *)(const void *)node->inputs[1]->data + r;
    ptrdiff_t rows = (ptrdiff_t)g->rows;
    if (width > 1) simd->row_log_sums(x, rows, (ptrdiff_t)width, g->totals);
    for (size_t i = 0; i < g->rows; i++) {
        size_t label = is_class(node, g->labels[i]) ? (size_t)g->labels[i] : 0;
        g->n[i] = width > 1 ? g->totals[i].log - (x[i * width + label] - g->totals[i].top)
                  : label   ? -x[i]
                            : x[i];
    }
    if (width == 1) simd->softplus(g->n, rows, g->n);
    for (size_t i = 0; i < g->rows; i++) less[i] = -g->n[i];
    simd->row_exps(less, 1, rows, &(spur__log_sum){0, 0}, g->p);
}

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    spur__partial total = {0};
    group g;
    for (size_t r = begin; r < end; r += g.rows) {
        read_group(node, r, end, &g);
        for (size_t i = 0; i < g.rows; i++) {
            if (g.labels[i] == o->ignore_index) continue;
            if (!is_class(node, g.labels[i])) {
                total.loss = NAN;
                continue;
            }
            float weight = row_weight(o, width, g.labels[i]);
            total.loss += (double)(weight * power(1 - g.p[i], o->gamma) * g.n[i]);
            total.weight += 1;
        }
    }
    return total;
}

/* dL/dn = q^gamma + gamma q^(gamma - 1) p n, q = 1 - p, times the row's weight. */
static float slope_of(const options *o, size_t width, const group *g, size_t i) {
    float p = g->p[i], q = 1 - p;
    float inner = o->gamma == 0 || q <= 0 ? 0 : o->gamma * power(q, o->gamma - 1) * p * g->n[i];
    return row_weight(o, width, g->labels[i]) * (power(q, o->gamma) + inner);
}

/* Classes [begin, end) of row i of a group: dx: [width]; e: the probabilities of just these. */
typedef struct stretch {
    size_t begin, end;
    const float *e;
} stretch;

static void row_gradient(const spur_node *node, const group *g, size_t i, const stretch *s,
                         float scale, float *dx) {
    const options *o = node->options;
    const size_t width = spur__loss_width(node);
    const bool add = spur__gradient_beta(node, 0) == 1;
    size_t t = (size_t)g->labels[i];
    if (g->labels[i] == o->ignore_index) {
        for (size_t c = s->begin; c < s->end && !add; c++) dx[c] = 0;
        return;
    }
    float slope = scale * slope_of(o, width, g, i), q = 1 - g->p[i];
    if (width == 1) {
        spur__put(dx, t ? slope * -q : slope * q, add);
        return;
    }
    for (size_t c = s->begin; c < s->end; c++) spur__put(&dx[c], slope * s->e[c - s->begin], add);
    if (t >= s->begin && t < s->end) dx[t] -= slope;
}

/* x, dx: [rows of the group][width]. */
static void group_gradient(const spur_node *node, const group *g, const float *x, float scale,
                           float *dx) {
    const spur__simd *simd = spur__simd_table();
    const size_t width = spur__loss_width(node);
    const bool few = width <= FEW_CLASSES;
    float e[STRETCH];
    if (few && width > 1) simd->row_exps(x, (ptrdiff_t)g->rows, (ptrdiff_t)width, g->totals, e);
    for (size_t i = 0; i < g->rows; i++)
        for (size_t c = 0, n; c < width; c += n) {
            n = width - c < STRETCH ? width - c : STRETCH;
            if (!few) simd->row_exps(x + i * width + c, 1, (ptrdiff_t)n, &g->totals[i], e);
            row_gradient(node, g, i, &(stretch){c, c + n, few ? e + i * width : e}, scale,
                         dx + i * width);
        }
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const size_t width = spur__loss_width(node);
    group g;
    for (size_t r = begin; r < end; r += g.rows) {
        read_group(node, r, end, &g);
        group_gradient(node, &g, node->inputs[0]->data + r * width, scale,
                       node->inputs[0]->gradient + r * width);
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
    .plan = spur__loss_plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .compares = true,
};

spur_node *spur_focal(spur_net *net, spur_node *logits, spur_node *target,
                      const spur_focal_options *given) {
    const spur_focal_options none = {0};
    if (!given) given = &none;
    bool weighted = given->class_weights && logits && spur__channels(logits) > 1;
    const options o = {.ignore_index = given->ignore ? given->ignore_index : SPUR__TORCH_IGNORE,
                       .gamma = given->gamma == 0  ? 2
                                : given->gamma < 0 ? 0
                                                   : (float)given->gamma,
                       .alpha = (float)given->alpha,
                       .sum = given->reduction == SPUR_SUM,
                       .weighted = weighted};
    spur_node *inputs[] = {logits, target};
    return spur__loss_create(net, &op, inputs, &o, offsetof(options, weights),
                             weighted ? given->class_weights : NULL);
}
