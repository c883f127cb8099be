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

enum { N = 256, SIDE = 2, C = 24, SAMPLE = SIDE * SIDE * C, COUNT = N * SAMPLE };

typedef struct net_under_test {
    spur_net *net;
    spur_node *x, *a, *b;
} net_under_test;

/* What goes as a whole. */
typedef enum whole { A_VALUE, A_CHANNEL, A_SAMPLE } whole;

static spur_node *drop(spur_net *net, spur_node *x, whole what, double p) {
    return what == A_VALUE     ? spur_dropout(net, x, p)
           : what == A_CHANNEL ? spur_dropout2d(net, x, p)
                               : spur_stochastic_depth(net, x, p);
}

static net_under_test make(whole what, double p) {
    net_under_test t = {.net = spur_net_create(&(spur_net_options){.seed = 11})};
    t.x = spur_input(t.net, "x", SPUR_FLOAT32, 4, (int64_t[]){N, SIDE, SIDE, C});
    t.a = drop(t.net, t.x, what, p);
    t.b = drop(t.net, t.x, what, p);
    spur_keep(t.net, t.x);
    spur_keep(t.net, t.a);
    spur_keep(t.net, t.b);
    assert_int_equal(spur_net_build(t.net, test_dot(t.net, &t.a, 1), NULL), SPUR_OK);
    for (int i = 0; i < COUNT; i++) spur_node_data(t.x)[i] = 1.0f + (float)(i % 7);
    return t;
}

/* The value that stands for all that go with value i. */
static int first_of(whole what, int i) {
    int sample = i / SAMPLE * SAMPLE;
    return what == A_VALUE ? i : what == A_CHANNEL ? sample + i % C : sample;
}

static void check(whole what) {
    net_under_test t = make(what, 0.25);
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
        assert_true((a[i] == 0.0f) == (a[first_of(what, i)] == 0.0f));
    }
    double share = (double)zeros / COUNT;
    assert_true(fabs(share - 0.25) < (what == A_VALUE ? 0.01 : 0.08));
    assert_true(differ > COUNT / 5); /* of 37.5 % */
    spur_net_destroy(t.net);
}

static void test_dropout(void **state) {
    (void)state;
    check(A_VALUE);
}

static void test_dropout2d(void **state) {
    (void)state;
    check(A_CHANNEL);
}

static void test_stochastic_depth(void **state) {
    (void)state;
    check(A_SAMPLE);
}

/* In nets for inference all of them are gone, and what was between them is next to each other. */
static void test_inference(void **state) {
    (void)state;
    spur_net *net = spur_net_create(&(spur_net_options){.inference = true});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 6, 6, 16});
    spur_node *conv = spur_conv2d(net, x, "conv", 16, &(spur_conv2d_options){.kernel = {3}});
    spur_node *y = conv;
    for (int what = A_VALUE; what <= A_SAMPLE; what++) y = drop(net, y, (whole)what, 0.5);
    y = spur_relu(net, y);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    for (int i = 0; i < 2 * 6 * 6 * 16; i++) spur_node_data(x)[i] = (float)(i % 13) - 6;
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, NULL), SPUR_OK);
    assert_true(conv->fused_relu && y->passive);
    assert_ptr_equal(spur_node_data(y), spur_node_data(conv));
    spur_net_destroy(net);
}

/* An output of the net's that is nothing but a dropout, and one whose input somebody else reads. */
static void test_inference_of_what_is_read(void **state) {
    (void)state;
    spur_net *net = spur_net_create(&(spur_net_options){.inference = true});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
    spur_node *same = spur_dropout(net, x, 0.5), *twice = spur_scale(net, same, 2);
    spur_node *again = spur_dropout(net, same, 0.5);
    spur_keep(net, again);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    for (int i = 0; i < 24; i++) spur_node_data(x)[i] = (float)i;
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, NULL), SPUR_OK);
    for (int i = 0; i < 24; i++) {
        assert_true(spur_node_data(twice)[i] == 2.0f * (float)i);
        assert_true(spur_node_data(again)[i] == (float)i);
    }
    spur_net_destroy(net);
}

static void test_steps_differ_and_repeat(void **state) {
    (void)state;
    net_under_test t = make(A_VALUE, 0.5);
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
    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 2});
    assert_null(spur_dropout(net, x, 1 - 1e-9)); /* 1 as a float */
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_E_RANGE);
    spur_net_destroy(net);
    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_FLOAT32, 1, (int64_t[]){2});
    assert_null(spur_stochastic_depth(net, x, 0.5));
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_E_SHAPE);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_dropout2d),
        cmocka_unit_test(test_stochastic_depth),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_inference_of_what_is_read),
        cmocka_unit_test(test_steps_differ_and_repeat),
        cmocka_unit_test(test_wrong_probability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
