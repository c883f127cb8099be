/* SPDX-License-Identifier: MIT
 *
 * The graph: errors that name the layer, planning, shared weights, batches, no allocation in a
 * step, NaN found, failing allocations while building.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "base/memory.h"
#include "graph/internal.h"
#include "unit/ops/harness.h"

static spur_node *image(spur_net *net, int n, int h, int w, int c) {
    return spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){n, h, w, c});
}

/* Builds, expects a failure, and that its message holds both texts. */
static void expect_error(spur_net *net, spur_node *loss, spur_status status, const char *layer,
                         const char *text) {
    spur_error err = {0};
    assert_int_equal(spur_net_build(net, loss, &err), status);
    if (!strstr(err.message, layer) || !strstr(err.message, text))
        fail_msg("expected '%s' and '%s' in: %s", layer, text, err.message);
    spur_net_destroy(net);
}

static void test_wrong_shapes_name_the_layer(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    spur_push_scope(net, "encoder");
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){8, 10});
    expect_error(net, spur_conv2d(net, x, "conv1", 4, NULL), SPUR_E_SHAPE,
                 "layer 'encoder.conv1' (conv2d)", "found 'encoder.x' [8][10]");

    net = spur_net_create(NULL);
    x = image(net, 2, 2, 2, 3);
    expect_error(net, spur_conv2d(net, x, "c", 4, NULL), SPUR_E_SHAPE, "layer 'c' (conv2d)",
                 "spans 3 pixels, found an image of 2");

    net = spur_net_create(NULL);
    x = image(net, 2, 4, 4, 3);
    expect_error(net, spur_conv2d(net, x, "c", 4, &(spur_conv2d_options){.groups = 2}),
                 SPUR_E_SHAPE, "layer 'c' (conv2d)", "divisible by 2 groups, found 3 and 4");

    net = spur_net_create(NULL);
    x = image(net, 2, 4, 4, 3);
    spur_node *y = spur_input(net, "y", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 5, 3});
    expect_error(net, spur_concat(net, (spur_node *[]){x, y}, 2, -1), SPUR_E_SHAPE,
                 "layer 'concat_1' (concat)", "found 'x' [2][4][4][3] and 'y' [2][4][5][3]");

    net = spur_net_create(NULL);
    x = image(net, 2, 4, 4, 3);
    y = spur_input(net, "y", SPUR_FLOAT32, 4, (int64_t[]){3, 4, 4, 3});
    expect_error(net, spur_add(net, y, x), SPUR_E_SHAPE, "layer 'add_1' (add)",
                 "one batch size in all inputs, found 'y' [3][4][4][3] and 'x' [2][4][4][3]");

    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 0});
    expect_error(net, NULL, SPUR_E_SHAPE, "layer 'x' (input)", "the output would be [2][0]");

    net = spur_net_create(NULL);
    spur_node *many[33];
    for (int i = 0; i < 33; i++) many[i] = i ? x : (x = image(net, 2, 4, 4, 1));
    expect_error(net, spur_concat(net, many, 33, -1), SPUR_E_RANGE, "(concat)",
                 "expected at most 32 inputs, found 33");

    net = spur_net_create(NULL); /* two nets in one: they never meet */
    x = spur_relu(net, spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){64, 8}));
    y = spur_relu(net, spur_input(net, "y", SPUR_FLOAT32, 2, (int64_t[]){4, 8}));
    assert_non_null(x);
    assert_non_null(y);
    expect_error(net, NULL, SPUR_E_SHAPE, "one batch size in the whole net",
                 "found 'x' [64][8] and 'y' [4][8]");

    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_INT32, 2, (int64_t[]){2, 4});
    expect_error(net, spur_linear(net, x, "fc", 3, NULL), SPUR_E_TYPE, "layer 'fc' (linear)",
                 "expected float32 values, found 'x' of int32");

    net = spur_net_create(NULL);
    x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 4});
    expect_error(net, spur_linear(net, x, "fc", 3, NULL), SPUR_E_SHAPE, "'fc' (linear)",
                 "the loss must be a scalar");
}

static void test_first_error_sticks(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 2, 4, 4, 3);
    spur_node *bad = spur_conv2d(net, x, "first", 0, NULL);
    assert_null(bad);
    assert_null(spur_conv2d(net, bad, "second", 4, NULL));
    assert_null(spur_conv2d(net, x, "third", 4, NULL));
    expect_error(net, NULL, SPUR_E_RANGE, "layer 'first'", "found 0");
}

static void test_names(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 2, 8, 8, 3);
    spur_push_scope(net, "a");
    spur_push_scope(net, "b");
    spur_node *c = spur_conv2d(net, x, NULL, 4, NULL);
    assert_string_equal(spur_node_name(c), "a.b.conv2d_1");
    assert_string_equal(spur_net_param(net, 0)->name, "a.b.conv2d_1.weight");
    spur_pop_scope(net);
    assert_string_equal(spur_node_name(spur_conv2d(net, c, "z", 4, NULL)), "a.z");
    spur_pop_scope(net);
    assert_null(spur_conv2d(net, c, "a.z", 4, NULL));
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_E_EXISTS);
    assert_non_null(strstr(err.message, "layer 'a.z' (conv2d): the name is taken"));
    spur_net_destroy(net);

    net = spur_net_create(NULL);
    spur_relu(net, spur_conv2d(net, image(net, 2, 8, 8, 3), "\xff", 4, NULL));
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_E_UTF8);
    spur_net_destroy(net);

    net = spur_net_create(NULL); /* a name that is taken is passed over */
    x = spur_conv2d(net, image(net, 2, 8, 8, 3), "relu_1", 4, NULL);
    assert_string_equal(spur_node_name(spur_relu(net, x)), "relu_2");
    assert_null(spur_conv2d(net, x, "", 4, NULL));
    expect_error(net, NULL, SPUR_E_ARGUMENT, "(conv2d)", "empty name");

    net = spur_net_create(NULL); /* a pop would close a part of it */
    spur_push_scope(net, "a.b");
    expect_error(net, NULL, SPUR_E_ARGUMENT, "scope 'a.b'", "a name without dots");

    net = spur_net_create(NULL);
    spur_pop_scope(net);
    expect_error(net, NULL, SPUR_E_STATE, "spur_pop_scope", "no scope");
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void fill(spur_node *x, uint64_t seed) {
    spur__rng rng;
    spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 0, 0);
    for (size_t i = 0; i < spur__node_count(x); i++)
        spur_node_data(x)[i] = (float)spur__rng_uniform(&rng, -1, 1);
}

/* Once for each forward run in training mode whose loss is a number. */
static void test_when_backward_may_run(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){3, 4});
    spur_node *y = spur_linear(net, x, "fc", 2, NULL);
    assert_int_equal(spur_net_build(net, test_dot(net, &y, 1), &err), SPUR_OK);
    fill(x, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(spur_net_forward(net, i ? SPUR_EVAL : SPUR_TRAIN, &err), SPUR_OK);
        assert_int_equal(spur_net_backward(net, 1, &err), i ? SPUR_E_STATE : SPUR_OK);
        assert_int_equal(spur_net_backward(net, 1, &err), SPUR_E_STATE);
    }
    spur_node_data(x)[1] = NAN;
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_E_NUMERIC);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_E_STATE);
    spur_net_destroy(net);
}

/* Two uses of one layer: gradients of both arrive in the one parameter. */
static void test_shared_weights(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
    spur_node *a = spur_input(net, "a", SPUR_FLOAT32, 2, (int64_t[]){3, 4});
    spur_node *b = spur_input(net, "b", SPUR_FLOAT32, 2, (int64_t[]){3, 4});
    spur_node *first = spur_linear(net, a, "fc", 2, NULL);
    spur_node *second = spur_reuse(net, first, b);
    spur_node *loss = test_dot(net, (spur_node *[]){first, second}, 2);
    assert_int_equal(spur_net_build(net, loss, &err), SPUR_OK);
    assert_int_equal(spur_net_param_count(net), 2);
    assert_int_equal(spur_net_trainable_count(net), 10);
    fill(a, 1);
    fill(b, 2);
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_OK);
    const spur_param *w = spur_net_find_param(net, "fc.weight");
    for (size_t i = 0; i < 4; i++)
        for (size_t u = 0; u < 2; u++) {
            double want = 0;
            for (size_t n = 0; n < 3; n++)
                want += (double)(spur_node_data(a)[n * 4 + i] + spur_node_data(b)[n * 4 + i]) *
                        coefficient(n * 2 + u);
            assert_true(fabs(want - (double)w->gradient[i * 2 + u]) < 1e-5);
        }
    spur_net_destroy(net);

    net = spur_net_create(NULL); /* also by way of another use */
    a = spur_input(net, "a", SPUR_FLOAT32, 2, (int64_t[]){3, 4});
    second = spur_reuse(net, spur_linear(net, a, "fc", 2, NULL), a);
    assert_non_null(spur_reuse(net, second, a));
    assert_int_equal(spur_net_param_count(net), 2);
    spur_net_destroy(net);

    net = spur_net_create(NULL);
    a = spur_input(net, "a", SPUR_FLOAT32, 2, (int64_t[]){3, 4});
    b = spur_input(net, "b", SPUR_FLOAT32, 2, (int64_t[]){3, 5});
    second = spur_reuse(net, spur_linear(net, a, "fc", 2, NULL), b);
    expect_error(net, second, SPUR_E_SHAPE, "layer 'linear_2'", "shared parameter 'fc.weight'");
}

static void test_reuse_of_what_cannot_be(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 2, 4, 4, 3);
    expect_error(net, spur_reuse(net, spur_add(net, x, x), x), SPUR_E_ARGUMENT, "layer 'add_1'",
                 "one input");
    net = spur_net_create(NULL);
    x = image(net, 2, 4, 4, 3);
    expect_error(net, spur_reuse(net, x, x), SPUR_E_ARGUMENT, "layer 'x' (input)", "one input");
}

/* Gradients are added over runs, and cleared on request. */
static void test_gradients_accumulate(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 2, 6, 6, 3);
    spur_node *y = spur_conv2d(net, x, "c", 4, NULL);
    assert_int_equal(spur_net_build(net, test_dot(net, &y, 1), &err), SPUR_OK);
    fill(x, 3);
    const spur_param *w = spur_net_find_param(net, "c.weight");
    float once[108];
    for (int run = 1; run <= 2; run++) {
        assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
        assert_int_equal(spur_net_backward(net, 1, &err), SPUR_OK);
        if (run == 1) memcpy(once, w->gradient, sizeof once);
    }
    for (int i = 0; i < 108; i++)
        assert_true(fabsf(w->gradient[i] - 2 * once[i]) <= 1e-5f * (1 + fabsf(once[i])));
    spur_net_zero_gradients(net);
    for (int i = 0; i < 108; i++) assert_true(w->gradient[i] == 0.0f);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_E_STATE);
    spur_net_destroy(net);
}

static void test_frozen_parameters(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 2, 6, 6, 3);
    spur_node *y = spur_conv2d(net, x, "frozen", 4, NULL);
    spur_node *z = spur_linear(net, spur_flatten(net, y), "head", 2, NULL);
    spur_net_find_param(net, "frozen.weight")->trainable = false;
    spur_net_find_param(net, "frozen.bias")->trainable = false;
    assert_int_equal(spur_net_build(net, test_dot(net, &z, 1), &err), SPUR_OK);
    assert_null(spur_net_find_param(net, "frozen.weight")->gradient);
    assert_null(y->gradient);
    assert_int_equal(spur_net_trainable_count(net), 4 * 4 * 4 * 2 + 2);
    fill(x, 4);
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_OK);
    assert_true(spur_net_find_param(net, "head.weight")->gradient[0] != 0.0f);
    spur_net_destroy(net);
}

/* Weights behind a flatten, or a sum of such, are PyTorch's columns (c, h, w) in our order (h, w, c). */
static void test_flattened_layout(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 1, 2, 3, 4);
    spur_node *flat = spur_flatten(net, x), *sum = spur_add(net, flat, spur_relu(net, flat));
    (void)spur_linear(net, sum, "fc", 5, NULL);
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    spur_param *w = spur_net_find_param(net, "fc.weight");
    float torch[5 * 24], back[5 * 24];
    for (int i = 0; i < 120; i++) torch[i] = (float)i;
    spur_param_import(w, torch);
    for (int u = 0; u < 5; u++)
        for (int c = 0; c < 4; c++)
            for (int p = 0; p < 6; p++)
                assert_true(w->value[(p * 4 + c) * 5 + u] == torch[u * 24 + c * 6 + p]);
    spur_param_export(w, back);
    assert_memory_equal(torch, back, sizeof torch);
    spur_net_destroy(net);
}

static void test_initial_values(void **state) {
    (void)state;
    spur_error err = {0};
    float *values[2];
    for (int run = 0; run < 2; run++) {
        spur_net *net = spur_net_create(&(spur_net_options){.seed = 5, .threads = 1 + run});
        spur_node *x = image(net, 1, 8, 8, 16);
        (void)spur_conv2d(net, x, "c", 32, NULL);
        (void)spur_conv2d(net, x, "he", 32, &(spur_conv2d_options){.init = SPUR_INIT_HE_NORMAL});
        (void)spur_conv2d(net, x, "q", 32, &(spur_conv2d_options){.init = SPUR_INIT_ORTHOGONAL});
        assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
        const spur_param *w = spur_net_find_param(net, "c.weight");
        values[run] = malloc(w->count * sizeof(float));
        memcpy(values[run], w->value, w->count * sizeof(float));
        double most = 0, squares = 0;
        for (size_t i = 0; i < w->count; i++) most = fmax(most, fabs((double)w->value[i]));
        assert_true(most <= 1.0 / 12 && most > 0.99 / 12);
        w = spur_net_find_param(net, "he.weight");
        for (size_t i = 0; i < w->count; i++) squares += (double)(w->value[i] * w->value[i]);
        assert_true(fabs(squares / (double)w->count / (2.0 / 144) - 1) < 0.1);
        assert_true(spur_net_find_param(net, "he.bias")->value[3] == 0.0f);
        float q[32 * 144];
        spur_param_export(spur_net_find_param(net, "q.weight"), q);
        for (int i = 0; i < 32; i++)
            for (int j = 0; j <= i; j++) {
                double dot = 0;
                for (int k = 0; k < 144; k++)
                    dot += (double)q[i * 144 + k] * (double)q[j * 144 + k];
                assert_true(fabs(dot - (i == j)) < 1e-5);
            }
        spur_net_destroy(net);
    }
    assert_memory_equal(values[0], values[1], 32 * 144 * sizeof(float));
    free(values[0]);
    free(values[1]);
}

/* ---- planning ------------------------------------------------------------------------------- */

static void test_unknown_cpu(void **state) {
    (void)state;
    char *before = getenv("SPUR_CPU") ? strdup(getenv("SPUR_CPU")) : NULL;
    setenv("SPUR_CPU", "avx9", 1);
    spur_net *net = spur_net_create(NULL);
    expect_error(net, NULL, SPUR_E_ARGUMENT, "SPUR_CPU",
                 "found 'avx9', expected generic, avx2 or avx512");
    if (before)
        setenv("SPUR_CPU", before, 1);
    else
        unsetenv("SPUR_CPU");
    free(before);
}

static void test_placement_never_overlaps(void **state) {
    (void)state;
    spur__buffer b[200];
    spur__rng rng;
    spur__rng_init(&rng, 9, SPUR__STREAM_TEST, 0, 0);
    size_t sum = 0, total = 0;
    for (int i = 0; i < 200; i++) {
        int begin = (int)spur__rng_below(&rng, 100);
        b[i] = (spur__buffer){spur__rng_below(&rng, 5000), begin,
                              begin + (int)spur__rng_below(&rng, 20), 0};
    }
    assert_int_equal(spur__place(b, 200, &total, NULL), SPUR_OK);
    for (int i = 0; i < 200; i++) {
        sum += b[i].bytes;
        assert_true(b[i].offset % 64 == 0 && b[i].offset + b[i].bytes <= total);
        for (int j = 0; j < i; j++) {
            bool meet = b[i].begin <= b[j].end && b[j].begin <= b[i].end;
            bool apart =
                b[i].offset + b[i].bytes <= b[j].offset || b[j].offset + b[j].bytes <= b[i].offset;
            assert_true(!meet || apart || b[i].bytes == 0 || b[j].bytes == 0);
        }
    }
    assert_true(total < sum / 4);
}

/* A chain of 1x1 convolutions run forward needs two activations at a time, not twenty. */
static void test_inference_reuses_memory(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.inference = true, .threads = 1});
    spur_node *x = image(net, 1, 64, 64, 16);
    size_t one = 64 * 64 * 16 * sizeof(float);
    for (int i = 0; i < 20; i++)
        x = spur_conv2d(net, x, NULL, 16, &(spur_conv2d_options){.kernel = {1}});
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    assert_true(spur_net_planned_bytes(net) >= 3 * one);
    assert_true(spur_net_planned_bytes(net) < 8 * one);
    spur_net_destroy(net);
}

static void test_batch_sizes(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 4, 6, 6, 3);
    spur_node *y = spur_conv2d(net, x, "c", 4, NULL);
    spur_keep(net, y);
    assert_int_equal(spur_net_set_batch(net, 2), SPUR_E_STATE);
    assert_int_equal(spur_net_build(net, test_dot(net, &y, 1), &err), SPUR_OK);
    fill(x, 6);
    assert_int_equal(spur_net_set_batch(net, 5), SPUR_E_RANGE);
    assert_int_equal(spur_net_set_batch(net, 0), SPUR_E_RANGE);
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, &err), SPUR_OK);
    float whole[4 * 4 * 4 * 4];
    memcpy(whole, spur_node_data(y), sizeof whole);
    memset(spur_node_data(y), 0, sizeof whole);
    assert_int_equal(spur_net_set_batch(net, 3), SPUR_OK);
    assert_int_equal(spur_node_shape(y)[0], 3);
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, &err), SPUR_OK);
    assert_memory_equal(whole, spur_node_data(y), sizeof whole / 4 * 3);
    assert_true(spur_node_data(y)[3 * 64] == 0.0f);
    /* What a forward run saved is of the batch that it ran. */
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
    assert_int_equal(spur_net_set_batch(net, 2), SPUR_OK);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_E_STATE);
    spur_net_destroy(net);
}

static void test_sizes_beyond_memory(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    const int64_t large = (int64_t)1 << 20; /* 2^60 numbers are 2^62 bytes */
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 3, (int64_t[]){large, large, large});
    assert_null(x);
    expect_error(net, NULL, SPUR_E_SHAPE, "layer 'x' (input)", "the output would be");
}

/* The search for the layer runs the net once more, and changes nothing by it. */
static void test_nan_leaves_statistics_alone(void **state) {
    (void)state;
    float means[2][3];
    for (int broken = 0; broken < 2; broken++) {
        spur_error err = {0};
        spur_net *net = spur_net_create(NULL);
        spur_node *x = image(net, 2, 4, 4, 3);
        spur_node *y = spur_batch_norm(net, x, "bn", NULL);
        y = spur_conv2d(net, y, "c", 2, NULL);
        assert_int_equal(spur_net_build(net, test_dot(net, &y, 1), &err), SPUR_OK);
        fill(x, 6);
        if (broken) spur_net_find_param(net, "c.bias")->value[0] = NAN;
        spur_status expected = broken ? SPUR_E_NUMERIC : SPUR_OK;
        assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), expected);
        memcpy(means[broken], spur_net_find_param(net, "bn.running_mean")->value, sizeof means[0]);
        spur_net_destroy(net);
    }
    assert_true(means[0][0] != 0);
    assert_memory_equal(means[0], means[1], sizeof means[0]);
}

static void test_nan_names_the_first_layer(void **state) {
    (void)state;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = image(net, 3, 6, 6, 3);
    spur_node *y = spur_conv2d(net, x, "one", 4, NULL);
    y = spur_conv2d(net, y, "two", 4, NULL);
    assert_int_equal(spur_net_build(net, test_dot(net, &y, 1), &err), SPUR_OK);
    fill(x, 6);
    spur_net_find_param(net, "two.bias")->value[1] = NAN;
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_E_NUMERIC);
    assert_non_null(strstr(err.message, "parameter 'two.bias' of layer 'two' (conv2d)"));
    spur_net_find_param(net, "two.bias")->value[1] = 0;
    spur_node_data(x)[108 * 2] = INFINITY;
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_E_NUMERIC);
    assert_non_null(strstr(err.message, "'x' (input), sample 2 is infinite"));
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_shapes_name_the_layer),
        cmocka_unit_test(test_first_error_sticks),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_when_backward_may_run),
        cmocka_unit_test(test_shared_weights),
        cmocka_unit_test(test_reuse_of_what_cannot_be),
        cmocka_unit_test(test_gradients_accumulate),
        cmocka_unit_test(test_frozen_parameters),
        cmocka_unit_test(test_flattened_layout),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_placement_never_overlaps),
        cmocka_unit_test(test_unknown_cpu),
        cmocka_unit_test(test_inference_reuses_memory),
        cmocka_unit_test(test_batch_sizes),
        cmocka_unit_test(test_sizes_beyond_memory),
        cmocka_unit_test(test_nan_names_the_first_layer),
        cmocka_unit_test(test_nan_leaves_statistics_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
