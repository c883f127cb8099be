/* SPDX-License-Identifier: MIT
 *
 * Every loss with its options: value and gradient against PyTorch in float64. The bound is 1e-5 of
 * the reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include "golden.h"

enum { ROWS = 60, K = 7 };

/* What the cases compare with. */
static struct inputs {
    int32_t labels[ROWS], bits[ROWS], ignored[ROWS], bits_ignored[ROWS];
    float soft[ROWS * K], values[ROWS * K], unit[ROWS * K], unit1[ROWS], weights[K], pos_weight[K];
} in;

static void set_up_inputs(void) {
    golden_labels("labels", ROWS, K, in.labels);
    golden_labels("bits", ROWS, 2, in.bits);
    for (int i = 0; i < ROWS; i++) {
        in.ignored[i] = i % 5 == 0 ? 6 : in.labels[i];
        in.bits_ignored[i] = i % 5 == 0 ? 9 : in.bits[i];
    }
    golden_numbers("soft", (size_t)ROWS * K, 1, 0.5, in.soft);
    for (int r = 0; r < ROWS; r++) {
        float sum = 0;
        for (int c = 0; c < K; c++) sum += in.soft[r * K + c] += 0.01f;
        for (int c = 0; c < K; c++) in.soft[r * K + c] /= sum;
    }
    golden_numbers("values", (size_t)ROWS * K, 4, 0, in.values);
    golden_numbers("unit", (size_t)ROWS * K, 1, 0.5, in.unit);
    golden_numbers("unit1", ROWS, 1, 0.5, in.unit1);
    golden_numbers("class_weights", K, 1, 1, in.weights);
    golden_numbers("pos_weight", K, 2, 2, in.pos_weight);
}

typedef spur_node *(*make_loss)(spur_net *net, spur_node *x, spur_node *t);

static spur_node *ce(spur_net *n, spur_node *x, spur_node *t) {
    return spur_cross_entropy(n, x, t, NULL);
}
#define CE(name, ...)                                                                              \
    static spur_node *name(spur_net *n, spur_node *x, spur_node *t) {                              \
        return spur_cross_entropy(n, x, t, &(spur_cross_entropy_options){__VA_ARGS__});            \
    }
CE(ce_sum, .reduction = SPUR_SUM)
CE(ce_weight, .class_weights = in.weights)
CE(ce_ignore, .ignore = true, .ignore_index = 6)
CE(ce_smoothing, .label_smoothing = 0.1)
CE(ce_all, .class_weights = in.weights, .ignore = true, .ignore_index = 6, .label_smoothing = 0.2)
CE(ce_soft_sum, .label_smoothing = 0.3, .reduction = SPUR_SUM)
CE(ce_soft_weight, .class_weights = in.weights, .label_smoothing = 0.1)

static spur_node *bce(spur_net *n, spur_node *x, spur_node *t) {
    return spur_bce(n, x, t, NULL);
}
#define BCE(name, ...)                                                                             \
    static spur_node *name(spur_net *n, spur_node *x, spur_node *t) {                              \
        return spur_bce(n, x, t, &(spur_bce_options){__VA_ARGS__});                                \
    }
BCE(bce_sum, .reduction = SPUR_SUM)
BCE(bce_pos_weight, .pos_weight = in.pos_weight)
BCE(bce_ignore, .ignore = true, .ignore_index = 9)
BCE(bce_smoothing, .label_smoothing = 0.1)
BCE(bce_all, .pos_weight = in.pos_weight, .label_smoothing = 0.2, .reduction = SPUR_SUM)
BCE(bce_labels_all, .pos_weight = in.pos_weight, .ignore = true, .ignore_index = 9,
    .label_smoothing = 0.1)

static spur_node *mse(spur_net *n, spur_node *x, spur_node *t) {
    return spur_mse(n, x, t, SPUR_MEAN);
}
static spur_node *mse_sum(spur_net *n, spur_node *x, spur_node *t) {
    return spur_mse(n, x, t, SPUR_SUM);
}
static spur_node *mae(spur_net *n, spur_node *x, spur_node *t) {
    return spur_mae(n, x, t, SPUR_MEAN);
}
static spur_node *mae_sum(spur_net *n, spur_node *x, spur_node *t) {
    return spur_mae(n, x, t, SPUR_SUM);
}
static spur_node *huber(spur_net *n, spur_node *x, spur_node *t) {
    return spur_huber(n, x, t, 0, SPUR_MEAN);
}
static spur_node *huber_delta(spur_net *n, spur_node *x, spur_node *t) {
    return spur_huber(n, x, t, 0.5, SPUR_MEAN);
}
static spur_node *huber_sum(spur_net *n, spur_node *x, spur_node *t) {
    return spur_huber(n, x, t, 2, SPUR_SUM);
}

static spur_node *dice(spur_net *n, spur_node *x, spur_node *t) {
    return spur_dice(n, x, t, NULL);
}
static spur_node *dice_no_smooth(spur_net *n, spur_node *x, spur_node *t) {
    return spur_dice(n, x, t, &(spur_dice_options){.smooth = -1});
}
static spur_node *dice_binary_ignore(spur_net *n, spur_node *x, spur_node *t) {
    return spur_dice(n, x, t, &(spur_dice_options){.ignore = true, .ignore_index = 9});
}
static spur_node *dice_soft(spur_net *n, spur_node *x, spur_node *t) {
    return spur_dice(n, x, t, &(spur_dice_options){.smooth = 0.5});
}
static spur_node *dice_all(spur_net *n, spur_node *x, spur_node *t) {
    return spur_dice(
        n, x, t,
        &(spur_dice_options){.smooth = 2, .skip_first = true, .ignore = true, .ignore_index = 6});
}

static spur_node *focal(spur_net *n, spur_node *x, spur_node *t) {
    return spur_focal(n, x, t, NULL);
}
#define FOCAL(name, ...)                                                                           \
    static spur_node *name(spur_net *n, spur_node *x, spur_node *t) {                              \
        return spur_focal(n, x, t, &(spur_focal_options){__VA_ARGS__});                            \
    }
FOCAL(focal_gamma, .gamma = 1.5, .class_weights = in.weights, .ignore = true, .ignore_index = 6)
FOCAL(focal_flat, .gamma = -1, .reduction = SPUR_SUM)
FOCAL(focal_binary_ignore, .alpha = 0.75, .ignore = true, .ignore_index = 9)
FOCAL(focal_binary, .gamma = 2, .alpha = 0.25)
FOCAL(focal_sum, .gamma = 3, .reduction = SPUR_SUM)

static spur_node *bce_dice(spur_net *n, spur_node *x, spur_node *t) {
    spur_node *parts[] = {bce(n, x, t), dice(n, x, t)};
    return spur_loss_sum(n, parts, (double[]){1, 0.5}, 2);
}
static spur_node *ce_dice(spur_net *n, spur_node *x, spur_node *t) {
    spur_node *parts[] = {ce_weight(n, x, t), dice(n, x, t)};
    return spur_loss_sum(n, parts, NULL, 2);
}

static const struct loss_case {
    const char *name;
    int width;
    const int32_t *labels; /* [ROWS], or NULL */
    const float *targets; /* [ROWS][width] */
    make_loss make;
} cases[] = {
    {"ce", K, in.labels, NULL, ce},
    {"ce_sum", K, in.labels, NULL, ce_sum},
    {"ce_weight", K, in.labels, NULL, ce_weight},
    {"ce_ignore", K, in.ignored, NULL, ce_ignore},
    {"ce_smoothing", K, in.labels, NULL, ce_smoothing},
    {"ce_all", K, in.ignored, NULL, ce_all},
    {"ce_soft", K, NULL, in.soft, ce},
    {"ce_soft_sum", K, NULL, in.soft, ce_soft_sum},
    {"ce_soft_weight", K, NULL, in.soft, ce_soft_weight},
    {"bce", K, NULL, in.unit, bce},
    {"bce_sum", K, NULL, in.unit, bce_sum},
    {"bce_pos_weight", K, NULL, in.unit, bce_pos_weight},
    {"bce_all", K, NULL, in.unit, bce_all},
    {"bce_labels", 1, in.bits, NULL, bce},
    {"bce_ignore", 1, in.bits_ignored, NULL, bce_ignore},
    {"bce_smoothing", 1, NULL, in.unit1, bce_smoothing},
    {"bce_labels_all", 1, in.bits_ignored, NULL, bce_labels_all},
    {"mse", K, NULL, in.values, mse},
    {"mse_sum", K, NULL, in.values, mse_sum},
    {"mae", K, NULL, in.values, mae},
    {"mae_sum", K, NULL, in.values, mae_sum},
    {"huber", K, NULL, in.values, huber},
    {"huber_delta", K, NULL, in.values, huber_delta},
    {"huber_sum", K, NULL, in.values, huber_sum},
    {"dice", K, in.labels, NULL, dice},
    {"dice_binary", 1, in.bits, NULL, dice},
    {"dice_no_smooth", K, in.labels, NULL, dice_no_smooth},
    {"dice_binary_ignore", 1, in.bits_ignored, NULL, dice_binary_ignore},
    {"dice_soft", K, NULL, in.soft, dice_soft},
    {"dice_all", K, in.ignored, NULL, dice_all},
    {"focal", K, in.labels, NULL, focal},
    {"focal_gamma", K, in.ignored, NULL, focal_gamma},
    {"focal_flat", K, in.labels, NULL, focal_flat},
    {"focal_binary_ignore", 1, in.bits_ignored, NULL, focal_binary_ignore},
    {"focal_binary", 1, in.bits, NULL, focal_binary},
    {"focal_sum", 1, in.bits, NULL, focal_sum},
    {"bce_dice", 1, in.bits, NULL, bce_dice},
    {"ce_dice", K, in.labels, NULL, ce_dice},
};

/* The logits are the weights of an embedding, one row each, so that their gradient is that of a
 * parameter. */
static void run_case(const golden *file, const struct loss_case *c, int64_t outer, int threads) {
    spur_error err = {0};
    char key[128];
    const int64_t shape[] = {outer, ROWS / outer, c->width};
    const size_t count = (size_t)ROWS * (size_t)c->width;
    spur_net *net = spur_net_create(&(spur_net_options){.threads = threads});
    spur_node *row = spur_input(net, "row", SPUR_INT32, 2, shape);
    spur_node *x = spur_embedding(net, row, "logits", ROWS, c->width);
    spur_node *t =
        spur_input(net, "t", c->labels ? SPUR_INT32 : SPUR_FLOAT32, c->labels ? 2 : 3, shape);
    spur_node *loss = c->make(net, x, t);
    if (spur_net_build(net, loss, &err) != SPUR_OK) fail_msg("%s: %s", c->name, err.message);
    spur_param *logits = spur_net_param(net, 0);
    snprintf(key, sizeof key, "logits/%s", c->name);
    golden_numbers(key, count, 8, 0, logits->value);
    for (int i = 0; i < ROWS; i++) spur_node_data_int(row)[i] = i;
    if (c->labels)
        memcpy(spur_node_data_int(t), c->labels, ROWS * sizeof(int32_t));
    else
        memcpy(spur_node_data(t), c->targets, count * sizeof(float));
    if (spur_net_forward(net, SPUR_TRAIN, &err) != SPUR_OK ||
        spur_net_backward(net, 1, &err) != SPUR_OK)
        fail_msg("%s: %s", c->name, err.message);
    float value = spur_net_loss(net);
    snprintf(key, sizeof key, "%s/loss", c->name);
    double d = golden_distance(file, key, &value, 1);
    if (!(d <= 1e-5)) fail_msg("%s: the loss is off by %g", c->name, d);
    snprintf(key, sizeof key, "%s/gradient", c->name);
    d = golden_distance(file, key, logits->gradient, count);
    if (!(d <= 1e-5)) fail_msg("%s: the gradient is off by %g", c->name, d);
    spur_net_destroy(net);
}

static void test_losses(void **state) {
    golden *file = golden_open("losses");
    (void)state;
    set_up_inputs();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_case(file, &cases[i], ROWS, 1);
        run_case(file, &cases[i], 6, 2); /* as pictures of ten pixels */
    }
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
