/* SPDX-License-Identifier: MIT
 *
 * Dropout: what no oracle can tell. The share of zeros, the scale of the rest, the same choice in
 * the gradient, another one in every step and layer, nothing at all in evaluation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/ops/harness.h"

enum { N = 16, SIDE = 8, C = 24, COUNT = N * SIDE * SIDE * C };

typedef struct net_under_test {
    spur_net *net;
    spur_node *x, *a, *b;
} net_under_test;

static net_under_test make(bool channels, double p) {
    net_under_test t = {.net = spur_net_create(&(spur_net_options){.seed = 11})};
    t.x = spur_input(t.net, "x", SPUR_FLOAT32, 4, (int64_t[]){N, SIDE, SIDE, C});
    t.a = channels ? spur_dropout2d(t.net, t.x, p) : spur_dropout(t.net, t.x, p);
    t.b = channels ? spur_dropout2d(t.net, t.x, p) : spur_dropout(t.net, t.x, p);
    spur_keep(t.net, t.x);
    spur_keep(t.net, t.a);
    spur_keep(t.net, t.b);
    assert_int_equal(spur_net_build(t.net, test_dot(t.net, &t.a, 1), NULL), SPUR_OK);
    for (int i = 0; i < COUNT; i++) spur_node_data(t.x)[i] = 1.0f + (float)(i % 7);
    return t;
}

static void check(bool channels) {
    net_under_test t = make(channels, 0.25);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(t.net, 1, NULL), SPUR_OK);
    const float *x = spur_node_data(t.x), *a = spur_node_data(t.a), *b = spur_node_data(t.b);
    const float *dx = spur_node_gradient(t.x);
    int zeros = 0, differ = 0;
    for (int i = 0; i < COUNT; i++) {
        zeros += a[i] == 0.0f;
        differ += (a[i] == 0.0f) != (b[i] == 0.0f);
        float factor = a[i] == 0.0f ? 0.0f : 1.0f / 0.75f;
        assert_true(fabsf(a[i] - x[i] * factor) < 1e-5f);
        assert_true(fabsf(dx[i] - (float)coefficient((size_t)i) * factor) < 1e-5f);
        if (channels) /* the whole channel of a sample goes */
            assert_true((a[i] == 0.0f) ==
                        (a[i / (SIDE * SIDE * C) * (SIDE * SIDE * C) + i % C] == 0.0f));
    }
    double share = (double)zeros / COUNT;
    assert_true(fabs(share - 0.25) < (channels ? 0.08 : 0.01));
    assert_true(differ > COUNT / 5); /* of 37.5 % */
    spur_net_destroy(t.net);
}

static void test_dropout(void **state) {
    (void)state;
    check(false);
}

static void test_dropout2d(void **state) {
    (void)state;
    check(true);
}

static void test_steps_differ_and_repeat(void **state) {
    (void)state;
    net_under_test t = make(false, 0.5);
    static float first[COUNT];
    spur_net_set_step(t.net, 1);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
    memcpy(first, spur_node_data(t.a), sizeof first);
    spur_net_set_step(t.net, 2);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_memory_not_equal(first, spur_node_data(t.a), sizeof first);
    spur_net_set_step(t.net, 1);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_memory_equal(first, spur_node_data(t.a), sizeof first);
    assert_int_equal(spur_net_forward(t.net, SPUR_EVAL, NULL), SPUR_OK);
    assert_memory_equal(spur_node_data(t.x), spur_node_data(t.a), sizeof first);
    spur_net_destroy(t.net);
}

static void test_wrong_probability(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 2});
    assert_null(spur_dropout(net, x, 1.0));
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "layer 'dropout_1' (dropout)"));
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_dropout2d),
        cmocka_unit_test(test_steps_differ_and_repeat),
        cmocka_unit_test(test_wrong_probability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
