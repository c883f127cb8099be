/* SPDX-License-Identifier: MIT
 *
 * Around the optimizers and losses: groups, decay of weights only, clipping, accumulation, averages,
 * and what is said about wrong names, shapes and labels.
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
#include <spur/optim.h>
#include "base/memory.h"

typedef struct small {
    spur_net *net;
    spur_node *x, *y;
} small;

/* [4][6] -> fc 5 -> head 3, cross-entropy. */
static small make_small(void) {
    spur_error err = {0};
    small s = {.net = spur_net_create(&(spur_net_options){.seed = 3, .threads = 2})};
    s.x = spur_input(s.net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
    s.y = spur_input(s.net, "labels", SPUR_INT32, 1, (int64_t[]){4});
    spur_node *h = spur_linear(s.net, s.x, "fc", 5, NULL);
    h = spur_linear(s.net, h, "head", 3, NULL);
    if (spur_net_build(s.net, spur_cross_entropy(s.net, h, s.y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < 24; i++) spur_node_data(s.x)[i] = (float)(i % 5) - 2;
    for (int i = 0; i < 4; i++) spur_node_data_int(s.y)[i] = i % 3;
    return s;
}

static void backward(const small *s, float scale) {
    spur_error err = {0};
    if (spur_net_forward(s->net, SPUR_TRAIN, &err) != SPUR_OK ||
        spur_net_backward(s->net, scale, &err) != SPUR_OK)
        fail_msg("%s", err.message);
}

static spur_param *param(const small *s, const char *name) {
    return spur_net_find_param(s->net, name);
}

/* With gradients of one, plain SGD moves every value by its group's rate. */
static void test_groups(void **state) {
    spur_error err = {0};
    small s = make_small();
    spur_optimizer *sgd = spur_optimizer_create(s.net, "sgd", "lr=0.5", &err);
    float before[2];
    (void)state;
    assert_int_equal(spur_optimizer_add_group(sgd, "head", "lr=0.125", &err), SPUR_OK);
    assert_int_equal(spur_optimizer_add_group(sgd, "hea", "lr=1", &err), SPUR_E_NOTFOUND);
    assert_int_equal(spur_optimizer_add_group(sgd, "head", "lr=x", &err), SPUR_E_TYPE);
    assert_int_equal(spur_optimizer_group_count(sgd), 2);
    for (int i = 0; i < spur_net_param_count(s.net); i++) {
        spur_param *p = spur_net_param(s.net, i);
        for (size_t k = 0; k < p->count; k++) p->gradient[k] = 1;
    }
    before[0] = param(&s, "fc.weight")->value[3];
    before[1] = param(&s, "head.bias")->value[1];
    assert_int_equal(spur_optimizer_step(sgd, &err), SPUR_OK);
    assert_true(param(&s, "fc.weight")->value[3] == before[0] - 0.5f);
    assert_true(param(&s, "head.bias")->value[1] == before[1] - 0.125f);
    assert_int_equal(spur_optimizer_add_group(sgd, "fc", "lr=1", &err), SPUR_E_STATE);
    spur_optimizer_destroy(sgd);
    sgd = spur_optimizer_create(s.net, "sgd", "lr=0.5", &err);
    for (int i = 1; i < 16; i++) /* what a group does not say is as the optimizer has it */
        assert_int_equal(spur_optimizer_add_group(sgd, "head", i == 1 ? "lr=1" : "", &err), 0);
    assert_true(spur_optimizer_lr(sgd, 1) == 1 && spur_optimizer_lr(sgd, 2) == 0.5);
    assert_int_equal(spur_optimizer_add_group(sgd, "head", "lr=1", &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "more than 16 parameter groups"));
    spur_optimizer_destroy(sgd);
    spur_net_destroy(s.net);
}

/* Adam without memory (betas of 0) divides each gradient by its size, AMSGrad by the largest so far: a group
 * has the moments that its own options need. */
static void test_moments_of_a_group(void **state) {
    spur_error err = {0};
    small s = make_small();
    spur_optimizer *adam =
        spur_optimizer_create(s.net, "adam", "lr=1 betas=0,0 eps=0 amsgrad=true", &err);
    (void)state;
    assert_int_equal(spur_optimizer_add_group(adam, "head", "amsgrad=false", &err), SPUR_OK);
    float *both[] = {param(&s, "fc.bias")->value, param(&s, "head.bias")->value};
    both[0][0] = both[1][0] = 5;
    for (float g = 4; g >= 2; g -= 2) {
        param(&s, "fc.bias")->gradient[0] = param(&s, "head.bias")->gradient[0] = g;
        assert_int_equal(spur_optimizer_step(adam, &err), SPUR_OK);
    }
    assert_true(both[0][0] == 3.5f && both[1][0] == 3);
    spur_optimizer_destroy(adam);
    spur_net_destroy(s.net);
}

/* "fc" is a layer, not the beginning of a name. */
static void test_groups_are_whole_names(void **state) {
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 3});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){2});
    (void)state;
    x = spur_linear(net, spur_linear(net, x, "fc", 3, NULL), "fc2", 3, NULL);
    assert_int_equal(spur_net_build(net, spur_cross_entropy(net, x, y, NULL), &err), SPUR_OK);
    spur_optimizer *sgd = spur_optimizer_create(net, "sgd", "lr=0.5", &err);
    assert_int_equal(spur_optimizer_add_group(sgd, "fc", "lr=0.125", &err), SPUR_OK);
    float *first = spur_net_find_param(net, "fc.bias")->value;
    float *second = spur_net_find_param(net, "fc2.bias")->value;
    first[0] = second[0] = 1;
    spur_net_find_param(net, "fc.bias")->gradient[0] = 1;
    spur_net_find_param(net, "fc2.bias")->gradient[0] = 1;
    assert_int_equal(spur_optimizer_step(sgd, &err), SPUR_OK);
    assert_true(first[0] == 0.875f);
    assert_true(second[0] == 0.5f);
    spur_optimizer_destroy(sgd);
    spur_net_destroy(net);
}

static void test_decay_of_weights_only(void **state) {
    spur_error err = {0};
    small s = make_small();
    spur_optimizer *sgd =
        spur_optimizer_create(s.net, "sgd", "lr=1 weight_decay=0.5 decay=weights", &err);
    float weight = param(&s, "fc.weight")->value[0], bias = param(&s, "fc.bias")->value[0];
    (void)state;
    spur_net_zero_gradients(s.net);
    assert_int_equal(spur_optimizer_step(sgd, &err), SPUR_OK);
    assert_true(param(&s, "fc.weight")->value[0] == weight - 0.5f * weight);
    assert_true(param(&s, "fc.bias")->value[0] == bias);
    spur_optimizer_destroy(sgd);
    sgd = spur_optimizer_create(s.net, "sgd", "lr=1 weight_decay=0.5", &err); /* as in PyTorch */
    assert_int_equal(spur_optimizer_step(sgd, &err), SPUR_OK);
    assert_true(param(&s, "fc.bias")->value[0] == bias - 0.5f * bias);
    spur_optimizer_destroy(sgd);
    spur_net_destroy(s.net);
}

static void test_clipping(void **state) {
    spur_error err = {0};
    small s = make_small();
    double norm, after;
    (void)state;
    backward(&s, 100);
    double found = spur_gradient_norm(s.net);
    assert_true(found > 1);
    float first = param(&s, "fc.weight")->gradient[0];
    assert_int_equal(spur_clip_gradient_norm(s.net, 1, &norm, &err), SPUR_OK);
    assert_true(norm == found);
    after = spur_gradient_norm(s.net);
    assert_true(fabs(after - 1) < 1e-5);
    assert_true(fabs((double)param(&s, "fc.weight")->gradient[0] - (double)first / found) < 1e-6);
    assert_int_equal(spur_clip_gradient_norm(s.net, 2, NULL, &err), SPUR_OK);
    assert_true(spur_gradient_norm(s.net) == after); /* below the limit: untouched */
    spur_clip_gradient_value(s.net, 0.01);
    for (int i = 0; i < spur_net_param_count(s.net); i++)
        for (size_t k = 0; k < spur_net_param(s.net, i)->count; k++)
            assert_true(fabsf(spur_net_param(s.net, i)->gradient[k]) <= 0.01f);
    param(&s, "fc.bias")->gradient[0] = NAN;
    assert_int_equal(spur_clip_gradient_norm(s.net, 1, &norm, &err), SPUR_E_NUMERIC);
    spur_net_destroy(s.net);
}

/* The factor is max_norm / (norm + 1e-6), which shows where the norm is as small. */
static void test_clipping_to_almost_nothing(void **state) {
    spur_error err = {0};
    small s = make_small();
    (void)state;
    spur_net_zero_gradients(s.net);
    param(&s, "fc.bias")->gradient[0] = 1e-6f;
    assert_int_equal(spur_clip_gradient_norm(s.net, 1e-6, NULL, &err), SPUR_OK);
    assert_true(fabsf(param(&s, "fc.bias")->gradient[0] - 0.5e-6f) < 1e-12f);
    spur_net_destroy(s.net);
}

/* More values than the chunks whose sums are held at a time. */
static void test_norm_of_a_large_parameter(void **state) {
    enum { ROWS = 270000, WIDTH = 16 };
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    (void)state;
    spur_node *x = spur_input(net, "x", SPUR_INT32, 1, (int64_t[]){2});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){2});
    x = spur_embedding(net, x, "e", ROWS, WIDTH);
    assert_int_equal(spur_net_build(net, spur_cross_entropy(net, x, y, NULL), &err), SPUR_OK);
    spur_param *large = spur_net_find_param(net, "e.weight");
    spur_net_zero_gradients(net);
    assert_int_equal(large->count, ROWS * WIDTH);
    for (size_t i = 0; i < large->count; i++) large->gradient[i] = 0.5f;
    assert_true(spur_gradient_norm(net) == sqrt(0.25 * ROWS * WIDTH));
    spur_net_destroy(net);
}

/* Two halves of a gradient are the whole one. */
static void test_accumulation(void **state) {
    small s = make_small();
    float whole[30];
    (void)state;
    backward(&s, 1);
    memcpy(whole, param(&s, "fc.weight")->gradient, sizeof whole);
    spur_net_zero_gradients(s.net);
    backward(&s, 0.5f);
    backward(&s, 0.5f);
    for (int i = 0; i < 30; i++)
        assert_true(fabsf(param(&s, "fc.weight")->gradient[i] - whole[i]) < 1e-7f);
    spur_net_destroy(s.net);
}

static void test_average(void **state) {
    spur_error err = {0};
    small s = make_small();
    spur_ema *ema = spur_ema_create(s.net, 0.75, &err);
    float *value = param(&s, "head.bias")->value;
    (void)state;
    assert_non_null(ema);
    assert_null(spur_ema_create(s.net, 1.5, &err));
    value[0] = 1;
    spur_ema *fresh = spur_ema_create(s.net, 0.75, &err);
    value[0] = 3;
    spur_ema_update(fresh);
    spur_ema_swap(fresh);
    assert_true(value[0] == 1.5f); /* 0.75 * 1 + 0.25 * 3 */
    spur_ema_swap(fresh);
    assert_true(value[0] == 3);
    spur_ema_destroy(fresh);
    spur_ema_destroy(ema);
    spur_net_destroy(s.net);
}

/* [4][6] -> batch norm -> fc 3, cross-entropy. */
static small make_normed(void) {
    spur_error err = {0};
    small s = {.net = spur_net_create(&(spur_net_options){.seed = 3, .threads = 1})};
    s.x = spur_input(s.net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
    s.y = spur_input(s.net, "labels", SPUR_INT32, 1, (int64_t[]){4});
    spur_node *h = spur_linear(s.net, spur_batch_norm(s.net, s.x, "bn", NULL), "fc", 3, NULL);
    if (spur_net_build(s.net, spur_cross_entropy(s.net, h, s.y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    return s;
}

/* Weights are averaged, running statistics copied. */
static void test_average_of_statistics(void **state) {
    spur_error err = {0};
    small s = make_normed();
    spur_ema *ema = spur_ema_create(s.net, 0.75, &err);
    float *scale = param(&s, "bn.weight")->value, *mean = param(&s, "bn.running_mean")->value;
    (void)state;
    assert_non_null(ema);
    scale[0] = 5; /* was 1 */
    mean[0] = 8; /* was 0 */
    spur_ema_update(ema);
    spur_ema_swap(ema);
    assert_true(scale[0] == 2 && mean[0] == 8);
    spur_ema_swap(ema);
    assert_true(scale[0] == 5 && mean[0] == 8);
    spur_ema_destroy(ema);
    spur_net_destroy(s.net);
}

/* A net that only infers has its weights packed; after a swap it computes with the new ones. */
static void test_average_for_inference(void **state) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = 3, .inference = true});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){1, 8, 8, 16});
    spur_node *y = spur_conv2d(net, x, "c", 16, NULL);
    float first[6 * 6 * 16];
    (void)state;
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    for (int i = 0; i < 8 * 8 * 16; i++) spur_node_data(x)[i] = (float)(i % 5) - 2;
    spur_ema *ema = spur_ema_create(net, 0.5, &err);
    assert_non_null(ema);
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, &err), SPUR_OK);
    memcpy(first, spur_node_data(y), sizeof first);
    spur_param *weight = spur_net_find_param(net, "c.weight");
    for (size_t i = 0; i < weight->count; i++) weight->value[i] = 1;
    spur_net_params_changed(net);
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, &err), SPUR_OK);
    assert_memory_not_equal(spur_node_data(y), first, sizeof first);
    spur_ema_swap(ema); /* back to what it was when the average began */
    assert_int_equal(spur_net_forward(net, SPUR_EVAL, &err), SPUR_OK);
    assert_memory_equal(spur_node_data(y), first, sizeof first);
    spur_ema_destroy(ema);
    spur_net_destroy(net);
}

static void assert_refused(const char *name, const char *options, const char *says) {
    spur_error err = {0};
    small s = make_small();
    assert_null(spur_optimizer_create(s.net, name, options, &err));
    if (!strstr(err.message, says)) fail_msg("'%s' does not say '%s'", err.message, says);
    spur_net_destroy(s.net);
}

static void test_refusals(void **state) {
    (void)state;
    assert_refused("adm", NULL, "did you mean 'adam'");
    assert_refused("adam", "learning_rate=1", "unknown option 'learning_rate'");
    assert_refused("adam", "momentum=0.9", "unknown option 'momentum'");
    assert_refused("adam", "betas=0.9", "expected two");
    assert_refused("adam", "betas=0.9,1", "[0, 1)");
    assert_refused("sgd", "nesterov=true", "nesterov needs momentum"); /* as PyTorch says */
    assert_refused("sgd", "nesterov=true momentum=0.9 dampening=0.1", "no dampening");
    assert_refused("sgd", "lr", "key=value");
    assert_refused("sgd", "lr=-1", "optimizer sgd: lr");
}

static void test_label_out_of_range(void **state) {
    spur_error err = {0};
    small s = make_small();
    (void)state;
    spur_node_data_int(s.y)[2] = 3;
    assert_int_equal(spur_net_forward(s.net, SPUR_TRAIN, &err), SPUR_E_RANGE);
    if (!strstr(err.message, "label 3 at [2] of 'labels', expected 0 to 2"))
        fail_msg("%s", err.message);
    spur_node_data_int(s.y)[2] = -100; /* PyTorch's ignore_index */
    assert_int_equal(spur_net_forward(s.net, SPUR_TRAIN, &err), SPUR_OK);
    spur_net_destroy(s.net);
}

static spur_node *with_cross_entropy(spur_net *net, spur_node *x, spur_node *t) {
    return spur_cross_entropy(net, x, t, NULL);
}

static spur_node *with_bce(spur_net *net, spur_node *x, spur_node *t) {
    return spur_bce(net, x, t, NULL);
}

static spur_node *with_dice(spur_net *net, spur_node *x, spur_node *t) {
    return spur_dice(net, x, t, NULL);
}

static void test_wrong_shapes(void **state) {
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 2, (int64_t[]){4, 2});
    (void)state;
    assert_int_equal(spur_net_build(net, spur_cross_entropy(net, x, y, NULL), &err), SPUR_E_SHAPE);
    if (!strstr(err.message, "outputs 'x' are [4][6]") || !strstr(err.message, "found 'y' [4][2]"))
        fail_msg("%s", err.message);
    spur_net_destroy(net);
}

/* Another number of classes than the outputs have: both are named, and the layer they come from. */
static void test_wrong_class_counts(void **state) {
    spur_node *(*const losses[])(spur_net *, spur_node *, spur_node *) = {with_cross_entropy,
                                                                          with_bce, with_dice};
    (void)state;
    for (int i = 0; i < 3; i++) {
        spur_error err = {0};
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
        spur_node *soft = spur_input(net, "soft", SPUR_FLOAT32, 2, (int64_t[]){4, 5});
        spur_node *y = spur_linear(net, x, "head", 3, NULL);
        assert_int_equal(spur_net_build(net, losses[i](net, y, soft), &err), SPUR_E_SHAPE);
        if (!strstr(err.message, "'head' are [4][3]") || !strstr(err.message, "'soft' [4][5]"))
            fail_msg("%s", err.message);
        spur_net_destroy(net);
    }
}

/* All rows ignored: a loss of zero and no gradient, not a division by zero. */
static void test_everything_ignored(void **state) {
    spur_error err = {0};
    small s = make_small();
    (void)state;
    for (int i = 0; i < 4; i++) spur_node_data_int(s.y)[i] = -100;
    backward(&s, 1);
    assert_true(spur_net_loss(s.net) == 0);
    assert_true(spur_gradient_norm(s.net) == 0);
    (void)err;
    spur_net_destroy(s.net);
}

/* Steps, clipping and averages allocate nothing. */
static void test_no_allocation(void **state) {
    spur_error err = {0};
    small s = make_small();
    spur_optimizer *adam = spur_optimizer_create(s.net, "adam", NULL, &err);
    spur_ema *ema = spur_ema_create(s.net, 0.9, &err);
    (void)state;
    backward(&s, 1);
    uint64_t before = spur__malloc_count();
    for (int i = 0; i < 3; i++) {
        spur_net_zero_gradients(s.net);
        backward(&s, 1);
        assert_int_equal(spur_clip_gradient_norm(s.net, 1, NULL, &err), SPUR_OK);
        assert_int_equal(spur_optimizer_step(adam, &err), SPUR_OK);
        spur_ema_update(ema);
    }
    assert_int_equal(spur__malloc_count(), before);
    spur_ema_destroy(ema);
    spur_optimizer_destroy(adam);
    spur_net_destroy(s.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_moments_of_a_group),
        cmocka_unit_test(test_groups_are_whole_names),
        cmocka_unit_test(test_decay_of_weights_only),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_clipping_to_almost_nothing),
        cmocka_unit_test(test_norm_of_a_large_parameter),
        cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_average_of_statistics),
        cmocka_unit_test(test_average_for_inference),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_label_out_of_range),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_everything_ignored),
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_wrong_class_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
