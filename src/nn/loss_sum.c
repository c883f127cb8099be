/* SPDX-License-Identifier: MIT
 *
 * A weighted sum of scalars, so that losses can be combined.
 */
#include <spur/loss.h>
#include "nn/loss_rows.h"

enum { MAX_TERMS = 8 };

typedef struct options {
    float weights[MAX_TERMS];
} options;

static spur_status shape(spur_node *node, spur_error *err) {
    char text[128];
    node->rank = 0;
    node->dtype = SPUR_FLOAT32;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i]->rank != 0)
            return spur__fail(err, SPUR_E_SHAPE, "expected losses (scalars), found '%s' %s",
                              node->inputs[i]->name,
                              spur__shape_text(node->inputs[i], text, sizeof text));
    return SPUR_OK;
}

static void forward(spur_node *node, const spur__run *run) {
    const options *o = node->options;
    double sum = 0;
    (void)run;
    for (int i = 0; i < node->input_count; i++)
        sum += (double)o->weights[i] * (double)node->inputs[i]->data[0];
    node->data[0] = (float)sum;
}

static void backward(spur_node *node, const spur__run *run) {
    const options *o = node->options;
    (void)run;
    for (int i = 0; i < node->input_count; i++) {
        int beta = spur__gradient_beta(node, i);
        if (beta < 0) continue;
        spur__put(&node->inputs[i]->gradient[0], o->weights[i] * node->gradient[0], beta == 1);
    }
}

static const spur__op op = {
    .kind = "loss_sum",
    .shape = shape,
    .forward = forward,
    .backward = backward,
};

spur_node *spur_loss_sum(spur_net *net, spur_node *const *losses, const double *weights,
                         int count) {
    options o = {{0}};
    if (count < 1 || count > MAX_TERMS) {
        spur_error err = {0};
        spur__fail(&err, SPUR_E_RANGE, "loss_sum: found %d losses, expected 1 to %d", count,
                   MAX_TERMS);
        return spur__net_fail(net, &err);
    }
    for (int i = 0; i < count; i++) o.weights[i] = weights ? (float)weights[i] : 1;
    return spur__node_create(net, &op, NULL, losses, count, &o, sizeof o);
}
