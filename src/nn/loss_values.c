/* SPDX-License-Identifier: MIT
 *
 * Losses between numbers: squared (mse), absolute (mae) and Huber's, as torch.nn.MSELoss, L1Loss
 * and HuberLoss. The gradient of |e| at 0 is 0.
 */
#include <float.h>
#include <math.h>

#include <spur/loss.h>
#include "kernels/simd/table.h"
#include "nn/loss_rows.h"

typedef enum form { FORM_SQUARED, FORM_ABSOLUTE, FORM_HUBER } form;

typedef struct options {
    form form;
    float delta;
    bool sum;
} options;

static float loss_of(const options *o, float e) {
    float a = fabsf(e);
    if (o->form == FORM_SQUARED) return e * e;
    if (o->form == FORM_ABSOLUTE) return a;
    return a <= o->delta ? 0.5f * e * e : o->delta * (a - 0.5f * o->delta);
}

static float slope_of(const options *o, float e) {
    float sign = e > 0 ? 1.0f : e < 0 ? -1.0f : 0.0f;
    if (o->form == FORM_SQUARED) return 2 * e;
    if (o->form == FORM_ABSOLUTE) return sign;
    return fabsf(e) <= o->delta ? e : o->delta * sign;
}

enum { STRIP = 256 }; /* values at a time */

static spur__partial forward_rows(const spur_node *node, size_t begin, size_t end) {
    const size_t width = spur__loss_width(node), last = end * width;
    const float *x = node->inputs[0]->data, *y = node->inputs[1]->data;
    spur__partial total = {0, (double)((end - begin) * width)};
    float losses[STRIP];
    for (size_t i = begin * width, n; i < last; i += n) {
        n = last - i < STRIP ? last - i : STRIP;
        for (size_t k = 0; k < n; k++) losses[k] = loss_of(node->options, x[i + k] - y[i + k]);
        total.loss += spur__simd_table()->total(losses, (ptrdiff_t)n);
    }
    return total;
}

static void backward_rows(const spur_node *node, size_t begin, size_t end, float scale) {
    const size_t width = spur__loss_width(node);
    const float *x = node->inputs[0]->data, *y = node->inputs[1]->data;
    const bool add = spur__gradient_beta(node, 0) == 1;
    float *dx = node->inputs[0]->gradient;
    for (size_t i = begin * width; i < end * width; i++)
        spur__put(&dx[i], scale * slope_of(node->options, x[i] - y[i]), add);
}

/* The target may lack a last axis of size 1. */
static spur_status shape(spur_node *node, spur_error *err) {
    const spur_node *x = node->inputs[0], *t = node->inputs[1];
    bool short_form = x->rank == t->rank + 1 && x->dtype == SPUR_FLOAT32 &&
                      t->dtype == SPUR_FLOAT32 && spur__channels(x) == 1;
    for (int i = 0; short_form && i < t->rank; i++) short_form = x->shape[i] == t->shape[i];
    node->rank = 0;
    node->dtype = SPUR_FLOAT32;
    SPUR__TRY(spur__loss_check("delta", (double)((const options *)node->options)->delta, 0, FLT_MAX,
                               err));
    return short_form ? SPUR_OK : spur__loss_shape(node, false, true, err);
}

static void forward(spur_node *node, const spur__run *run) {
    spur__loss_forward(node, run, forward_rows, ((const options *)node->options)->sum);
}

static void backward(spur_node *node, const spur__run *run) {
    spur__loss_backward(node, run, backward_rows, ((const options *)node->options)->sum);
}

#define OP(name)                                                                                   \
    {                                                                                              \
        .kind = (name), .shape = shape, .plan = spur__loss_plan, .forward = forward,               \
        .backward = backward, .compares = true                                                     \
    }

static const spur__op ops[] = {
    [FORM_SQUARED] = OP("mse"), [FORM_ABSOLUTE] = OP("mae"), [FORM_HUBER] = OP("huber")};

static spur_node *create(spur_net *net, spur_node *output, spur_node *target, options o) {
    spur_node *inputs[] = {output, target};
    return spur__node_create(net, &ops[o.form], NULL, inputs, 2, &o, sizeof o);
}

spur_node *spur_mse(spur_net *net, spur_node *output, spur_node *target, spur_reduction reduction) {
    return create(net, output, target, (options){FORM_SQUARED, 0, reduction == SPUR_SUM});
}

spur_node *spur_mae(spur_net *net, spur_node *output, spur_node *target, spur_reduction reduction) {
    return create(net, output, target, (options){FORM_ABSOLUTE, 0, reduction == SPUR_SUM});
}

spur_node *spur_huber(spur_net *net, spur_node *output, spur_node *target, double delta,
                      spur_reduction reduction) {
    float d = delta == 0 ? 1 : (float)delta;
    return create(net, output, target, (options){FORM_HUBER, d, reduction == SPUR_SUM});
}
