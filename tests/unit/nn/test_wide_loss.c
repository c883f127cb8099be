/* SPDX-License-Identifier: MIT
 *
 * Cross-entropy over more classes than are taken at a time: gradients as the formulas give them in
 * double, for labels (smoothed, weighted, ignored) and soft targets.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <spur/loss.h>
#include "base/random.h"
#include "graph/graph.h"

enum { ROWS = 3, CLASSES = 5000 };

static double weight(const float *weights, int c) {
    return weights ? (double)weights[c] : 1.0;
}

/* d loss / d x of one row whose targets are y, times its share of the mean. */
static void check_row(const float *x, const double *y, const float *weights, double share,
                      const float *found) {
    double total = 0, mass = 0;
    for (int c = 0; c < CLASSES; c++) total += exp((double)x[c]);
    for (int c = 0; c < CLASSES; c++) mass += weight(weights, c) * y[c];
    for (int c = 0; c < CLASSES; c++) {
        double p = exp((double)x[c]) / total;
        double expected = share * (p * mass - weight(weights, c) * y[c]);
        if (!(fabs(expected - (double)found[c]) < 1e-7 + 1e-5 * fabs(expected)))
            fail_msg("class %d: found %.9g, expected %.9g", c, (double)found[c], expected);
    }
}

static void fill(float *x, uint32_t stream) {
    spur__rng rng;
    spur__rng_init(&rng, 3, SPUR__STREAM_TEST, stream, 0);
    for (int i = 0; i < ROWS * CLASSES; i++) x[i] = (float)spur__rng_uniform(&rng, -2, 2);
}

typedef struct loss_net {
    spur_net *net;
    spur_node *x, *target;
} loss_net;

static loss_net make(bool soft, const spur_cross_entropy_options *o) {
    const int64_t logits[] = {ROWS, CLASSES}, labels[] = {ROWS};
    loss_net n = {.net = spur_net_create(&(spur_net_options){.threads = 2})};
    n.x = spur_input(n.net, "x", SPUR_FLOAT32, 2, logits);
    spur_keep(n.net, n.x);
    n.target = soft ? spur_input(n.net, "y", SPUR_FLOAT32, 2, logits)
                    : spur_input(n.net, "y", SPUR_INT32, 1, labels);
    spur_node *loss = spur_cross_entropy(n.net, n.x, n.target, o);
    assert_int_equal(spur_net_build(n.net, loss, NULL), SPUR_OK);
    assert_int_equal(spur_net_set_batch(n.net, ROWS), SPUR_OK);
    fill(n.x->data, 1);
    return n;
}

static void run(loss_net *n) {
    assert_int_equal(spur_net_forward(n->net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(n->net, 1, NULL), SPUR_OK);
}

static void test_labels(void **state) {
    static const int32_t labels[ROWS] = {CLASSES - 1, -7, 2048};
    static float weights[CLASSES];
    static double y[CLASSES];
    const double smoothing = 0.25;
    (void)state;
    for (int c = 0; c < CLASSES; c++) weights[c] = (float)(c % 4 + 1) / 4;
    loss_net n = make(false, &(spur_cross_entropy_options){.class_weights = weights,
                                                           .label_smoothing = smoothing,
                                                           .ignore = true,
                                                           .ignore_index = -7});
    for (int r = 0; r < ROWS; r++) ((int32_t *)(void *)n.target->data)[r] = labels[r];
    run(&n);
    double all = (double)weights[labels[0]] + (double)weights[labels[2]];
    for (int r = 0; r < ROWS; r += 2) {
        for (int c = 0; c < CLASSES; c++)
            y[c] = smoothing / CLASSES + (c == labels[r] ? 1 - smoothing : 0);
        check_row(n.x->data + r * CLASSES, y, weights, 1 / all, n.x->gradient + r * CLASSES);
    }
    for (int c = 0; c < CLASSES; c++) assert_true(n.x->gradient[CLASSES + c] == 0.0f);
    spur_net_destroy(n.net);
}

static void test_soft(void **state) {
    static double y[CLASSES];
    (void)state;
    loss_net n = make(true, NULL);
    fill(n.target->data, 2);
    run(&n);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < CLASSES; c++) y[c] = (double)n.target->data[r * CLASSES + c];
        check_row(n.x->data + r * CLASSES, y, NULL, 1.0 / ROWS, n.x->gradient + r * CLASSES);
    }
    spur_net_destroy(n.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_labels), cmocka_unit_test(test_soft)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
