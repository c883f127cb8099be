/* SPDX-License-Identifier: MIT
 *
 * Losses of outputs that are nearly certain: value and gradient are small differences of large logits,
 * and keep their digits all the same.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <spur/loss.h>

enum { CLASSES = 3 };

static const float logits[2][CLASSES] = {{100.3f, 93.1f, 90.0f}, {-81.0f, -70.5f, -63.2f}};
static const int32_t labels[2] = {0, 2};

typedef struct loss_net {
    spur_net *net;
    spur_node *x, *y;
} loss_net;

static loss_net begin(int rows, int width) {
    loss_net n = {.net = spur_net_create(NULL)};
    n.x = spur_input(n.net, "x", SPUR_FLOAT32, 2, (int64_t[]){rows, width});
    n.y = spur_input(n.net, "y", SPUR_INT32, 1, (int64_t[]){rows});
    spur_keep(n.net, n.x);
    return n;
}

static void run(loss_net *n, spur_node *loss, const float *x, const int32_t *y, int rows) {
    int width = (int)spur_node_shape(n->x)[1];
    assert_int_equal(spur_net_build(n->net, loss, NULL), SPUR_OK);
    for (int i = 0; i < rows * width; i++) spur_node_data(n->x)[i] = x[i];
    for (int i = 0; i < rows; i++) spur_node_data_int(n->y)[i] = y[i];
    assert_int_equal(spur_net_forward(n->net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(n->net, 1, NULL), SPUR_OK);
}

/* Cross-entropy, and the focal loss with gamma = 0, which is the same. */
static void test_classes(void **state) {
    (void)state;
    for (int focal = 0; focal < 2; focal++) {
        double want = 0;
        loss_net n = begin(2, CLASSES);
        const spur_focal_options plain = {.gamma = -1, .reduction = SPUR_SUM};
        const spur_cross_entropy_options sum = {.reduction = SPUR_SUM};
        spur_node *loss =
            focal ? spur_focal(n.net, n.x, n.y, &plain) : spur_cross_entropy(n.net, n.x, n.y, &sum);
        run(&n, loss, logits[0], labels, 2);
        for (int r = 0; r < 2; r++) {
            double others = 0, top = (double)logits[r][labels[r]];
            for (int c = 0; c < CLASSES; c++)
                if (c != labels[r]) others += exp((double)logits[r][c] - top);
            want += log1p(others);
            for (int c = 0; c < CLASSES; c++) {
                double p = exp((double)logits[r][c] - top) / (1 + others);
                double slope = c == labels[r] ? -others / (1 + others) : p;
                double found = (double)spur_node_gradient(n.x)[r * CLASSES + c];
                if (!(fabs(found - slope) < 1.5e-7))
                    fail_msg("row %d, class %d: found %.9g, expected %.9g", r, c, found, slope);
            }
        }
        assert_true(fabs((double)spur_net_loss(n.net) - want) < 3e-7);
        spur_net_destroy(n.net);
    }
}

static void test_binary(void **state) {
    static const float x[3] = {-14.0f, 12.5f, 30.0f};
    static const int32_t y[3] = {0, 1, 1};
    const float weight = 3;
    double want = 0;
    (void)state;
    loss_net n = begin(3, 1);
    const spur_bce_options o = {.pos_weight = &weight, .reduction = SPUR_SUM};
    run(&n, spur_bce(n.net, n.x, n.y, &o), x, y, 3);
    for (int r = 0; r < 3; r++) {
        double e = exp(-fabs((double)x[r])), factor = y[r] ? (double)weight : 1;
        double slope = (y[r] ? -factor : factor) * e / (1 + e);
        double found = (double)spur_node_gradient(n.x)[r];
        want += factor * log1p(e);
        if (!(fabs(found - slope) < 1e-6 * fabs(slope)))
            fail_msg("row %d: found %.9g, expected %.9g", r, found, slope);
    }
    assert_true(fabs((double)spur_net_loss(n.net) - want) < 1e-6 * want);
    spur_net_destroy(n.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
