/* SPDX-License-Identifier: MIT
 *
 * A batch norm that ends in an addition and its ReLU gives the bits of the three layers one by one:
 * outputs, running statistics and every gradient, for odd channels, partial batches and every
 * instruction set; so does a convolution in a net for inference, but for the folded norm's rounding. Where
 * the addition is another one, or somebody reads what lies between, nothing is fused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "graph/internal.h"
#include "unit/ops/harness.h"

typedef struct sum_case {
    int64_t n, h, w;
    int channels, batch; /* batch: samples in the run */
    bool relu;
    bool second; /* the layer is the sum's second operand */
    bool projected; /* the other operand is a norm, too */
    bool read_later; /* the other operand is read behind the sum, too: its gradient is added to */
} sum_case;

static const sum_case cases[] = {
    {3, 7, 5, 16, 3, true, false, false, false},  {3, 7, 5, 10, 2, true, true, false, false},
    {2, 4, 6, 21, 2, false, false, false, false}, {3, 5, 5, 10, 3, true, false, false, true},
    {3, 5, 5, 33, 2, false, true, false, true},   {2, 6, 6, 16, 2, true, true, true, false},
    {2, 64, 48, 8, 2, true, false, false, false}, {1, 1, 2, 8, 1, true, false, false, true},
};

typedef struct sum_net {
    spur_net *net;
    spur_node *x, *conv, *other, *norm, *sum, *y;
} sum_net;

static void fill(float *values, size_t n, uint32_t stream) {
    spur__rng rng;
    spur__rng_init(&rng, 7, SPUR__STREAM_TEST, stream, 0);
    for (size_t i = 0; i < n; i++) values[i] = (float)spur__rng_uniform(&rng, -1, 1);
}

static spur_node *conv_norm(spur_net *net, spur_node *x, int channels) {
    const spur_conv2d_options same = {.same_padding = true, .no_bias = true};
    return spur_batch_norm(net, spur_conv2d(net, x, NULL, channels, &same), NULL, NULL);
}

/* A residual block; its output, and whatever reads the other operand later, are kept. */
static sum_net make(const sum_case *q, bool keep, const spur_net_options *options) {
    sum_net r = {.net = spur_net_create(options)};
    r.x = spur_input(r.net, "x", SPUR_FLOAT32, 4, (int64_t[]){q->n, q->h, q->w, q->channels});
    if (!options->inference) spur_keep(r.net, r.x);
    spur_node *trunk = spur_relu(r.net, conv_norm(r.net, r.x, q->channels));
    r.other = q->projected ? conv_norm(r.net, r.x, q->channels) : trunk;
    r.norm = conv_norm(r.net, conv_norm(r.net, trunk, q->channels), q->channels);
    r.conv = r.norm->inputs[0];
    if (keep) spur_keep(r.net, r.norm);
    if (keep) spur_keep(r.net, r.conv);
    r.sum = q->second ? spur_add(r.net, r.other, r.norm) : spur_add(r.net, r.norm, r.other);
    r.y = q->relu ? spur_relu(r.net, r.sum) : r.sum;
    spur_keep(r.net, r.y);
    spur_node *ends[] = {r.y, q->read_later ? spur_global_avg_pool2d(r.net, r.other) : NULL};
    spur_keep(r.net, ends[1]);
    spur_node *loss = options->inference ? NULL : test_dot(r.net, ends, q->read_later ? 2 : 1);
    assert_int_equal(spur_net_build(r.net, loss, NULL), SPUR_OK);
    for (int i = 0; i < spur_net_param_count(r.net); i++) {
        spur_param *p = spur_net_param(r.net, i);
        fill(p->value, p->count, 2 + (uint32_t)i);
        for (size_t k = 0; k < p->count && strstr(p->name, "running_var"); k++) p->value[k] += 2;
    }
    spur_net_params_changed(r.net);
    assert_int_equal(spur_net_set_batch(r.net, q->batch), SPUR_OK);
    fill(r.x->data, spur__node_count(r.x), 1);
    return r;
}

static sum_net trained(const sum_case *q, bool keep) {
    sum_net r = make(q, keep, &(spur_net_options){.threads = 2});
    spur_net_zero_gradients(r.net);
    assert_int_equal(spur_net_forward(r.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(r.net, 1, NULL), SPUR_OK);
    return r;
}

static void expect_same_outputs(const sum_net *a, const sum_net *b) {
    assert_memory_equal(a->y->data, b->y->data, spur__node_count(a->y) * sizeof(float));
}

/* After a backward run; the next forward run may write over gradients of nodes. */
static void expect_same(const sum_net *a, const sum_net *b) {
    expect_same_outputs(a, b);
    for (size_t i = 0; i < spur__node_count(a->x); i++) /* 0 and -0 are the same gradient */
        assert_true(a->x->gradient[i] == b->x->gradient[i]);
    for (int i = 0; i < spur_net_param_count(a->net); i++) {
        const spur_param *p = spur_net_param(a->net, i), *q = spur_net_param(b->net, i);
        assert_memory_equal(p->value, q->value, p->count * sizeof(float));
        for (size_t k = 0; p->gradient && k < p->count; k++)
            assert_true(p->gradient[k] == q->gradient[k]);
    }
}

static void test_same_bits(void **state) {
    (void)state;
    spur__isa best = spur__cpu_isa();
    for (int isa = 0; isa <= (int)best; isa++) {
        spur__cpu_force((spur__isa)isa);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            sum_net plain = trained(&cases[i], true), fused = trained(&cases[i], false);
            assert_false(plain.norm->adds || plain.sum->passive);
            assert_true(fused.norm->adds && fused.sum->passive);
            assert_ptr_equal(fused.norm->data, fused.y->data);
            assert_int_equal(fused.norm->fused_relu, cases[i].relu);
            expect_same(&plain, &fused);
            assert_int_equal(spur_net_forward(plain.net, SPUR_EVAL, NULL), SPUR_OK);
            assert_int_equal(spur_net_forward(fused.net, SPUR_EVAL, NULL), SPUR_OK);
            expect_same_outputs(&plain, &fused);
            spur_net_destroy(plain.net);
            spur_net_destroy(fused.net);
        }
    }
    spur__cpu_force(best);
}

/* The convolution takes norm, addition and ReLU; over the other operand if nobody reads that later. */
static void test_inference(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const spur_net_options options = {.threads = 2, .inference = true};
        sum_net plain = make(&cases[i], true, &options), fused = make(&cases[i], false, &options);
        assert_true(fused.conv->adds && fused.norm->passive && fused.sum->passive);
        assert_false(plain.conv->adds);
        assert_int_equal(fused.y->data == fused.other->data, !cases[i].read_later);
        for (int round = 0; round < 2; round++) { /* the second run finds its inputs unharmed */
            assert_int_equal(spur_net_forward(plain.net, SPUR_EVAL, NULL), SPUR_OK);
            assert_int_equal(spur_net_forward(fused.net, SPUR_EVAL, NULL), SPUR_OK);
            for (size_t k = 0; k < spur__node_count(plain.y); k++)
                assert_float_equal(plain.y->data[k], fused.y->data[k], 1e-4);
        }
        spur_net_destroy(plain.net);
        spur_net_destroy(fused.net);
    }
}

static void expect_unfused(spur_net *net, const spur_node *norm, spur_node *sum) {
    assert_int_equal(spur_net_build(net, test_dot(net, &sum, 1), NULL), SPUR_OK);
    assert_false(norm->adds || sum->passive);
    spur_net_destroy(net);
}

static void test_left_alone(void **state) {
    (void)state;
    const int64_t shape[] = {2, 4, 4, 8};
    for (int i = 0; i < 5; i++) {
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, shape);
        spur_node *first = conv_norm(net, x, 8), *norm = conv_norm(net, first, 8), *other = first;
        if (i == 0) other = norm->inputs[0]; /* what the norm itself reads */
        if (i == 1)
            other = spur_input(net, "other", SPUR_FLOAT32, 4, shape); /* wants no gradient */
        if (i == 2) other = spur_scale(net, first, 2); /* runs after the norm */
        if (i == 3) other = spur_global_avg_pool2d(net, first); /* another shape */
        if (i == 3) other = spur_reshape(net, other, 4, (int64_t[]){2, 1, 1, 8});
        spur_node *branch = i == 4 ? spur_relu(net, norm) : norm; /* a ReLU before the addition */
        expect_unfused(net, norm, spur_add(net, branch, other));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
