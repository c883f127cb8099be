/* SPDX-License-Identifier: MIT
 *
 * The same bits for any number of threads: my_net, unet and cnn are trained for 20 steps with
 * 1, 2, 3 and 4 threads; every weight, running statistic and moment, and every step's loss, gradient
 * norm, logits and the metrics made of them are compared byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/metrics.h>
#include <spur/models.h>
#include "golden.h"
#include "nn/optimizer.h"

enum { STEPS = 20 };

static const struct recipe {
    const char *model, *options;
    int64_t shape[4];
    int classes;
    bool per_pixel;
    spur_conv_algorithm conv;
} recipes[] = {
    {"my_net", NULL, {6, 16, 16, 3}, 10, false, SPUR_CONV_AUTO},
    {"my_net", NULL, {6, 16, 16, 3}, 10, false, SPUR_CONV_DIRECT},
    {"unet", "depth=2 base_filters=8 dropout=0.2", {3, 22, 26, 3}, 5, true, SPUR_CONV_AUTO},
    {"unet",
     "depth=2 base_filters=8 up=bilinear norm=group",
     {3, 22, 26, 3},
     5,
     true,
     SPUR_CONV_AUTO},
    {"cnn",
     "filters=16,32 convs=2 hidden=24 dropout=0.3",
     {5, 15, 17, 3},
     4,
     false,
     SPUR_CONV_AUTO},
};

/* A growing record of bytes. */
typedef struct record {
    char *bytes;
    size_t size;
} record;

static void note(record *r, const void *data, size_t n) {
    r->bytes = realloc(r->bytes, r->size + n);
    assert_non_null(r->bytes);
    memcpy(r->bytes + r->size, data, n);
    r->size += n;
}

static void note_everything(record *r, spur_net *net, const spur_optimizer *optimizer) {
    for (int i = 0; i < spur_net_param_count(net); i++) {
        const spur_param *p = spur_net_param(net, i);
        note(r, p->value, p->count * sizeof(float));
    }
    for (int i = 0; i < spur__optimizer_param_count(optimizer); i++)
        for (int s = 0; s < 2; s++)
            note(r, spur__optimizer_slot(optimizer, i, s),
                 spur__optimizer_param(optimizer, i)->count * sizeof(float));
}

static void fill(spur_node *x, size_t values, spur_node *y, size_t labels, int classes, int step) {
    char name[32];
    snprintf(name, sizeof name, "batch/%d", step);
    golden_numbers(name, values, 2, 0, spur_node_data(x));
    golden_labels(name, labels, classes, spur_node_data_int(y));
}

/* The logits, and what is logged of them. */
static void note_metrics(record *r, spur_node *logits, spur_node *y, size_t rows, int classes) {
    static const char *const names[] = {"accuracy", "f1", "iou"};
    spur_error err = {0};
    spur_tally *tally = spur_tally_create(classes, NULL);
    note(r, spur_node_data(logits), rows * (size_t)classes * sizeof(float));
    if (spur_tally_add(tally, spur_node_data(logits), rows, classes, spur_node_data_int(y), &err) !=
        SPUR_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < 3; i++) {
        double value;
        assert_int_equal(spur_metric(tally, names[i], NULL, &value, &err), SPUR_OK);
        note(r, &value, sizeof value);
    }
    spur_tally_destroy(tally);
}

static record train(const struct recipe *c, int threads) {
    spur_error err = {0};
    record r = {0};
    size_t pixels = (size_t)(c->shape[1] * c->shape[2]);
    size_t labels = (size_t)c->shape[0] * (c->per_pixel ? pixels : 1);
    spur_net *net =
        spur_net_create(&(spur_net_options){.seed = 5, .threads = threads, .conv = c->conv});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, c->shape);
    spur_node *y = spur_input(net, "y", SPUR_INT32, c->per_pixel ? 3 : 1, c->shape);
    spur_node *logits = spur_model(net, c->model, x, c->classes, c->options, &err);
    spur_keep(net, logits);
    spur_node *loss = spur_cross_entropy(net, logits, y, NULL);
    if (c->per_pixel) {
        spur_node *both[] = {loss, spur_dice(net, logits, y, NULL)};
        loss = spur_loss_sum(net, both, NULL, 2);
    }
    if (spur_net_build(net, loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    spur_optimizer *adam = spur_optimizer_create(net, "adamw", "lr=1e-3", &err);
    for (int step = 0; step < STEPS; step++) {
        fill(x, (size_t)c->shape[0] * pixels * (size_t)c->shape[3], y, labels, c->classes, step);
        spur_net_set_step(net, (uint64_t)step);
        spur_net_zero_gradients(net);
        double norm;
        float value;
        if (spur_net_forward(net, SPUR_TRAIN, &err) != SPUR_OK ||
            spur_net_backward(net, 1, &err) != SPUR_OK ||
            spur_clip_gradient_norm(net, 5, &norm, &err) != SPUR_OK ||
            spur_optimizer_step(adam, &err) != SPUR_OK)
            fail_msg("%s: %s", c->model, err.message);
        value = spur_net_loss(net);
        note(&r, &value, sizeof value);
        note(&r, &norm, sizeof norm);
        note_metrics(&r, logits, y, labels, c->classes);
    }
    note_everything(&r, net, adam);
    spur_optimizer_destroy(adam);
    spur_net_destroy(net);
    return r;
}

static void test_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        record one = train(&recipes[i], 1);
        for (int threads = 2; threads <= 4; threads++) {
            record more = train(&recipes[i], threads);
            assert_int_equal(one.size, more.size);
            if (memcmp(one.bytes, more.bytes, one.size) != 0)
                fail_msg("%s: %d threads give other bits than one", recipes[i].model, threads);
            free(more.bytes);
        }
        free(one.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
