/* SPDX-License-Identifier: MIT
 *
 * A hard swish or SiLU behind a batch norm is part of its walk: outputs, gradients and statistics have the
 * bits of two passes, with any pitch, and where somebody reads what lies between, nothing is fused. In
 * inference it is part of convolutions that are direct or by channels.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include "graph/graph.h"

typedef struct swish_net {
    spur_net *net;
    spur_node *x, *target, *norm, *swish;
} swish_net;

static const spur_activation_kind kinds[] = {SPUR_HARD_SWISH, SPUR_SILU};

/* Channels that fill no vector; values up to far beyond -3 and 3, where the hard slope changes. */
static swish_net make_with(bool keep, spur_activation_kind kind, int channels, bool inference,
                           const spur_conv2d_options *how) {
    spur_error err = {0};
    swish_net n = {.net =
                       spur_net_create(&(spur_net_options){.threads = 2, .inference = inference})};
    n.x = spur_input(n.net, "x", SPUR_FLOAT32, 4, (int64_t[]){3, 9, 11, 5});
    spur_node *conv = spur_conv2d(n.net, n.x, "conv", channels, how);
    const int64_t *size = conv ? spur_node_shape(conv) : (const int64_t[]){3, 9, 11, 1};
    n.target = spur_input(n.net, "target", SPUR_FLOAT32, 4, size);
    n.norm = spur_batch_norm(n.net, conv, "norm", NULL);
    n.swish = spur_activation(n.net, n.norm, kind, 0);
    if (keep) spur_keep(n.net, n.norm);
    spur_keep(n.net, n.swish);
    spur_node *loss = inference ? NULL : spur_mse(n.net, n.swish, n.target, SPUR_MEAN);
    if (spur_net_build(n.net, loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    spur_param *gamma = spur_net_find_param(n.net, "norm.weight");
    for (int i = 0; i < channels; i++) gamma->value[i] = 1.0f + 0.5f * (float)i;
    spur_net_params_changed(n.net);
    float *x = spur_node_data(n.x);
    for (int i = 0; i < 3 * 9 * 11 * 5; i++) x[i] = sinf((float)i * 1.7f) * 2.0f;
    if (!inference)
        for (int i = 0; i < 3 * 9 * 11 * channels; i++)
            spur_node_data(n.target)[i] = cosf((float)i);
    return n;
}

static swish_net make(bool keep, spur_activation_kind kind, int channels) {
    return make_with(keep, kind, channels, false,
                     &(spur_conv2d_options){.kernel = {1}, .no_bias = true});
}

static void step(swish_net *n) {
    spur_error err = {0};
    spur_net_zero_gradients(n->net);
    if (spur_net_forward(n->net, SPUR_TRAIN, &err) != SPUR_OK ||
        spur_net_backward(n->net, 1, &err) != SPUR_OK)
        fail_msg("%s", err.message);
}

static void expect_outputs(swish_net *a, swish_net *b) {
    assert_memory_equal(spur_node_data(a->swish), spur_node_data(b->swish),
                        spur__node_count(a->swish) * sizeof(float));
}

static void test_training(void **state) {
    static const int channels[] = {1, 8, 37, 64};
    (void)state;
    for (size_t c = 0; c < 8; c++) {
        swish_net plain = make(true, kinds[c / 4], channels[c % 4]);
        swish_net fused = make(false, kinds[c / 4], channels[c % 4]);
        assert_false(plain.norm->fused_swish);
        assert_int_equal(fused.norm->fused_swish, fused.swish->op->swish);
        assert_true(fused.norm->fused_swish && fused.swish->passive);
        assert_ptr_equal(fused.norm->data, fused.swish->data);
        step(&plain);
        step(&fused);
        expect_outputs(&plain, &fused);
        for (int i = 0; i < spur_net_param_count(plain.net); i++) {
            const spur_param *p = spur_net_param(plain.net, i), *q = spur_net_param(fused.net, i);
            assert_memory_equal(p->value, q->value, p->count * sizeof(float));
            if (p->gradient)
                assert_memory_equal(p->gradient, q->gradient, p->count * sizeof(float));
        }
        assert_int_equal(spur_net_forward(plain.net, SPUR_EVAL, NULL), SPUR_OK);
        assert_int_equal(spur_net_forward(fused.net, SPUR_EVAL, NULL), SPUR_OK);
        expect_outputs(&plain, &fused);
        spur_net_destroy(plain.net);
        spur_net_destroy(fused.net);
    }
}

/* The norm goes into the convolution, and the swish into what is left of it, unless that is Winograd's. */
static void test_inference(void **state) {
    static const struct {
        int channels;
        spur_conv2d_options how;
    } cases[] = {
        {8, {.kernel = {1}}},
        {37, {.kernel = {1}, .no_bias = true}},
        {33, {.kernel = {5}, .stride = {2}, .same_padding = true}},
        {5, {.kernel = {3}, .padding = {1, 1, 1, 1}, .groups = 5}},
        {16, {.kernel = {3}, .padding = {1, 1, 1, 1}}}, /* of five channels: direct */
    };
    (void)state;
    for (size_t k = 0; k < 2 * sizeof cases / sizeof cases[0]; k++) {
        size_t i = k / 2;
        swish_net n = make_with(false, kinds[k % 2], cases[i].channels, true, &cases[i].how);
        swish_net plain = make_with(true, kinds[k % 2], cases[i].channels, true, &cases[i].how);
        assert_int_equal(n.norm->inputs[0]->fused_swish, n.swish->op->swish);
        assert_true(n.swish->passive);
        assert_false(plain.swish->passive);
        assert_int_equal(spur_net_forward(n.net, SPUR_EVAL, NULL), SPUR_OK);
        assert_int_equal(spur_net_forward(plain.net, SPUR_EVAL, NULL), SPUR_OK);
        expect_outputs(&plain, &n);
        spur_net_destroy(n.net);
        spur_net_destroy(plain.net);
    }
}

static void test_winograd_does_not_take_it(void **state) {
    (void)state;
    spur_net *net = spur_net_create(&(spur_net_options){.inference = true});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 24, 24, 16});
    spur_node *conv = spur_conv2d(net, x, "conv", 16, &(spur_conv2d_options){.kernel = {3}});
    spur_node *swish = spur_activation(net, conv, SPUR_HARD_SWISH, 0);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    assert_false(conv->fused_swish || swish->passive);
    spur_net_destroy(net);
}

/* What follows a swish is not merged into the norm as well. */
static void test_what_follows(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, 8});
    spur_node *norm = spur_batch_norm(net, x, "norm", NULL);
    spur_node *swish = spur_activation(net, norm, SPUR_HARD_SWISH, 0);
    spur_node *pool = spur_max_pool2d(net, spur_relu(net, spur_add(net, swish, x)), NULL);
    spur_node *again = spur_batch_norm(net, x, "again", NULL);
    spur_node *both = spur_activation(net, spur_relu(net, again), SPUR_HARD_SWISH, 0);
    spur_keep(net, pool);
    spur_keep(net, both);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    assert_true(norm->fused_swish);
    assert_false(norm->fused_relu || norm->adds || norm->pool);
    assert_false(again->fused_swish || both->passive);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_winograd_does_not_take_it),
        cmocka_unit_test(test_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
