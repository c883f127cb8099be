/* SPDX-License-Identifier: MIT
 *
 * A convolution that ends in its ReLU and max pool gives the bits of the three layers one by one:
 * outputs and every gradient, for odd sizes, odd channels, partial batches, every algorithm and
 * instruction set. In inference direct convolutions end in any sliding max pool. Where the pool is another
 * one, or somebody reads what lies between, nothing is fused.
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

typedef struct shape_case {
    int64_t n, h, w, c;
    int filters, batch; /* batch: samples in the run */
    bool relu, padded;
    spur_conv_algorithm conv;
} shape_case;

static const shape_case cases[] = {
    {3, 16, 16, 16, 32, 3, true, true, SPUR_CONV_WINOGRAD4},
    {3, 15, 11, 10, 21, 2, true, true, SPUR_CONV_WINOGRAD4},
    {2, 7, 14, 8, 8, 2, false, true, SPUR_CONV_WINOGRAD4},
    {3, 13, 11, 10, 21, 3, true, false, SPUR_CONV_WINOGRAD2},
    {2, 8, 6, 33, 40, 1, false, true, SPUR_CONV_WINOGRAD2},
    {4, 24, 24, 96, 100, 4, true, true, SPUR_CONV_AUTO}, /* the weight gradient's large mode */
};

typedef struct run_result {
    spur_node *conv, *pool;
    spur_net *net;
    spur_node *x;
} run_result;

static void fill(float *values, size_t n, uint32_t stream) {
    spur__rng rng;
    spur__rng_init(&rng, 7, SPUR__STREAM_TEST, stream, 0);
    for (size_t i = 0; i < n; i++) /* coarse: ties within windows are common */
        values[i] = (float)(int)(spur__rng_uniform(&rng, -1, 1) * 4) / 4;
}

static run_result run(const shape_case *q, bool keep) {
    run_result r = {.net = spur_net_create(&(spur_net_options){.threads = 2, .conv = q->conv})};
    r.x = spur_input(r.net, "x", SPUR_FLOAT32, 4, (int64_t[]){q->n, q->h, q->w, q->c});
    spur_keep(r.net, r.x);
    r.conv = spur_conv2d(r.net, r.x, "conv", q->filters,
                         &(spur_conv2d_options){.same_padding = q->padded});
    spur_node *h = q->relu ? spur_relu(r.net, r.conv) : r.conv;
    if (keep) spur_keep(r.net, r.conv);
    if (keep) spur_keep(r.net, h);
    r.pool = spur_max_pool2d(r.net, h, NULL);
    spur_keep(r.net, r.pool);
    assert_int_equal(spur_net_build(r.net, test_dot(r.net, &r.pool, 1), NULL), SPUR_OK);
    for (int i = 0; i < spur_net_param_count(r.net); i++)
        fill(spur_net_param(r.net, i)->value, spur_net_param(r.net, i)->count, 2 + (uint32_t)i);
    assert_int_equal(spur_net_set_batch(r.net, q->batch), SPUR_OK);
    fill(r.x->data, spur__node_count(r.x), 1);
    spur_net_zero_gradients(r.net);
    assert_int_equal(spur_net_forward(r.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(r.net, 1, NULL), SPUR_OK);
    return r;
}

static void expect_same(const run_result *a, const run_result *b) {
    assert_memory_equal(a->pool->data, b->pool->data, spur__node_count(a->pool) * sizeof(float));
    for (size_t i = 0; i < spur__node_count(a->x); i++) /* 0 and -0 are the same gradient */
        assert_true(a->x->gradient[i] == b->x->gradient[i]);
    for (int i = 0; i < spur_net_param_count(a->net); i++) {
        const spur_param *p = spur_net_param(a->net, i), *q = spur_net_param(b->net, i);
        for (size_t k = 0; k < p->count; k++) assert_true(p->gradient[k] == q->gradient[k]);
    }
}

static void test_same_bits(void **state) {
    (void)state;
    spur__isa best = spur__cpu_isa();
    for (int isa = 0; isa <= (int)best; isa++) {
        spur__cpu_force((spur__isa)isa);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            run_result plain = run(&cases[i], true), fused = run(&cases[i], false);
            assert_null(plain.conv->pool);
            assert_ptr_equal(fused.conv->pool, fused.pool);
            assert_ptr_equal(fused.conv->data, fused.pool->data);
            assert_true(spur_net_planned_bytes(fused.net) < spur_net_planned_bytes(plain.net));
            expect_same(&plain, &fused);
            spur_net_destroy(plain.net);
            spur_net_destroy(fused.net);
        }
    }
    spur__cpu_force(best);
}

/* A NaN wins its window and passes no gradient on: PyTorch's ReLU has none there either. */
static void test_nan(void **state) {
    (void)state;
    float outputs[2][2 * 4 * 4 * 8];
    for (int keep = 0; keep < 2; keep++) {
        spur_net *net = spur_net_create(NULL);
        const spur_conv2d_options same = {.same_padding = true};
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 8, 8, 8});
        spur_node *h = spur_relu(net, spur_conv2d(net, x, "conv", 8, &same));
        if (keep) spur_keep(net, h);
        spur_node *pool = spur_max_pool2d(net, h, NULL);
        assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
        fill(x->data, spur__node_count(x), 1);
        x->data[37] = (float)NAN;
        assert_int_equal(spur_net_forward(net, SPUR_EVAL, NULL), SPUR_OK);
        memcpy(outputs[keep], pool->data, sizeof outputs[keep]);
        spur_net_destroy(net);
    }
    int nans = 0;
    for (size_t i = 0; i < sizeof outputs[0] / sizeof(float); i++) {
        nans += isnan(outputs[0][i]);
        assert_true(isnan(outputs[0][i]) == isnan(outputs[1][i]));
        assert_true(isnan(outputs[0][i]) || outputs[0][i] == outputs[1][i]);
    }
    assert_true(nans > 0);
}

/* The loss is not finite: the search goes over what there is of the fused layers. */
static void test_finds_the_layer(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    const spur_conv2d_options same = {.same_padding = true};
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 12, 12, 8});
    spur_node *h =
        spur_max_pool2d(net, spur_relu(net, spur_conv2d(net, x, "conv", 8, &same)), NULL);
    assert_int_equal(spur_net_build(net, test_dot(net, &h, 1), NULL), SPUR_OK);
    fill(x->data, spur__node_count(x), 1);
    spur_net_find_param(net, "conv.bias")->value[3] = (float)NAN;
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_E_NUMERIC);
    assert_non_null(strstr(err.message, "conv.bias"));
    spur_net_destroy(net);
}

static void expect_unfused(spur_net *net, spur_node *conv, spur_node *pool) {
    assert_int_equal(spur_net_build(net, test_dot(net, &pool, 1), NULL), SPUR_OK);
    assert_null(conv->pool);
    assert_false(pool->passive);
    spur_net_destroy(net);
}

static void test_left_alone(void **state) {
    (void)state;
    static const spur_pool2d_options others[] = {
        {.kernel = {3}, .stride = {2}},
        {.kernel = {2}, .stride = {1}},
        {.kernel = {2}, .padding = {1, 1, 1, 1}},
        {.kernel = {2}, .ceil_mode = true},
    };
    const int64_t shape[] = {1, 9, 9, 8};
    const spur_conv2d_options same = {.same_padding = true};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        spur_net *net = spur_net_create(NULL);
        spur_node *conv =
            spur_conv2d(net, spur_input(net, "x", SPUR_FLOAT32, 4, shape), "conv", 8, &same);
        expect_unfused(net, conv, spur_max_pool2d(net, conv, &others[i]));
    }
    spur_net *net = spur_net_create(&(spur_net_options){.conv = SPUR_CONV_DIRECT});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, shape);
    spur_node *conv = spur_conv2d(net, x, "conv", 8, &same);
    expect_unfused(net, conv, spur_max_pool2d(net, conv, NULL));

    /* 13 outputs are a tile of 4 and three of 3: a window would lie on two of them. */
    net = spur_net_create(&(spur_net_options){.conv = SPUR_CONV_WINOGRAD4});
    x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){1, 13, 16, 8});
    conv = spur_conv2d(net, x, "conv", 8, &same);
    expect_unfused(net, conv, spur_max_pool2d(net, conv, NULL));

    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_FLOAT32, 4, shape);
    conv = spur_conv2d(net, x, "conv", 8, &same);
    spur_node *pool = spur_max_pool2d(net, conv, NULL);
    spur_node *other = spur_global_avg_pool2d(net, conv);
    spur_node *both[] = {pool, other};
    assert_int_equal(spur_net_build(net, test_dot(net, both, 2), NULL), SPUR_OK);
    assert_null(conv->pool);
    spur_net_destroy(net);
}

/* ---- inference: direct convolutions and any max pool that slides -------------------------------- */

typedef struct sliding_case {
    int64_t n, h, w, c;
    int filters, batch;
    bool norm, relu, fused;
    spur_conv2d_options conv;
    spur_pool2d_options pool;
} sliding_case;

static const sliding_case sliding[] = {
    /* as in ResNet; with one thread in several steps */
    {2,
     90,
     88,
     3,
     64,
     2,
     true,
     true,
     true,
     {.kernel = {7}, .stride = {2}, .padding = {3, 3, 3, 3}},
     {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}}},
    {1,
     131,
     60,
     16,
     40,
     1,
     false,
     true,
     true,
     {.kernel = {5}, .stride = {1, 2}, .padding = {2, 2, 2, 2}},
     {.kernel = {4, 3}, .stride = {1, 2}, .padding = {2, 0, 0, 1}}},
    /* read in place; windows apart, so that rows in between are not made */
    {3, 41, 23, 20, 21, 2, false, false, true, {.kernel = {1}}, {.kernel = {2}, .stride = {3}}},
    {3,
     26,
     25,
     24,
     36,
     3,
     true,
     false,
     true,
     {.kernel = {3}, .stride = {2}},
     {.kernel = {2}, .ceil_mode = true}},
    /* many weights, groups: one by one */
    {1, 12, 12, 256, 288, 1, false, true, false, {.kernel = {3}, .stride = {2}}, {.kernel = {2}}},
    {1,
     12,
     12,
     16,
     32,
     1,
     false,
     true,
     false,
     {.kernel = {3}, .stride = {2}, .groups = 2},
     {.kernel = {2}}},
};

/* The pool's values; `keep`: layer by layer. */
static void infer(const sliding_case *q, bool keep, int threads, float **out, size_t *count) {
    spur_net *net = spur_net_create(&(spur_net_options){.threads = threads, .inference = true});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){q->n, q->h, q->w, q->c});
    spur_node *conv = spur_conv2d(net, x, "conv", q->filters, &q->conv), *h = conv;
    if (q->norm) h = spur_batch_norm(net, h, "norm", NULL);
    if (q->relu) h = spur_relu(net, h);
    if (keep) spur_keep(net, h);
    spur_node *pool = spur_max_pool2d(net, h, &q->pool);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    assert_ptr_equal(conv->pool, q->fused && !keep ? pool : NULL);
    for (int i = 0; i < spur_net_param_count(net); i++) {
        spur_param *p = spur_net_param(net, i);
        if (!strstr(p->name, "var")) fill(p->value, p->count, 2 + (uint32_t)i);
    }
    assert_int_equal(spur_net_set_batch(net, q->batch), SPUR_OK);
    fill(x->data, spur__node_count(x), 1);
    x->data[37] = (float)NAN;
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, NULL), SPUR_OK);
    *count = spur__node_count(pool);
    *out = malloc(*count * sizeof(float));
    assert_non_null(*out);
    memcpy(*out, pool->data, *count * sizeof(float));
    spur_net_destroy(net);
}

static void test_sliding(void **state) {
    (void)state;
    spur__isa best = spur__cpu_isa();
    for (size_t i = 0; i < sizeof sliding / sizeof sliding[0]; i++) {
        float *plain, *fused;
        size_t count, same;
        infer(&sliding[i], true, 2, &plain, &count);
        for (int run = 0; run < 3 + (int)best; run++) {
            spur__cpu_force(run < 3 ? best : (spur__isa)(run - 3));
            infer(&sliding[i], false, run < 3 ? run + 1 : 2, &fused, &same);
            assert_int_equal(same, count);
            assert_memory_equal(fused, plain, count * sizeof(float));
            free(fused);
        }
        spur__cpu_force(best);
        free(plain);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),       cmocka_unit_test(test_nan),
        cmocka_unit_test(test_finds_the_layer), cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_sliding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
