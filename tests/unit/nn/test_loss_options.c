/* SPDX-License-Identifier: MIT
 *
 * The rows of the losses: what users write, and balancing, arrives at the loss that is built.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "nn/loss.h"

enum { N = 4, K = 3 };

/* Logits of N samples and `width` outputs, all different. */
static float logit(int i) {
    return (float)((i * 7) % 11) * 0.25f - 1;
}

static int32_t label(int i, int classes) {
    return (i + 1) % classes;
}

/* The loss of a row with "name", "value", ... as its options. */
static double built(const spur__loss_kind *kind, int width, const spur__loss_context *context,
                    const char *const *given) {
    spur_error err = {0};
    const spur__options *table = kind->kind.options;
    void *options = spur__calloc(1, table->size);
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){N, width});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){N});
    assert_non_null(options);
    assert_int_equal(spur__options_init(table, options, &err), SPUR_OK);
    for (; *given; given += 2)
        if (spur__options_set(table, options, given[0], given[1], &err) != SPUR_OK)
            fail_msg("%s", err.message);
    spur_node *loss = kind->build(net, x, y, options, context);
    if (spur_net_build(net, loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    for (int i = 0; i < N * width; i++) spur_node_data(x)[i] = logit(i);
    for (int i = 0; i < N; i++) spur_node_data_int(y)[i] = label(i, context->classes);
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
    double found = (double)spur_node_data(loss)[0];
    spur_net_destroy(net);
    spur__options_free(table, options);
    spur__free(options);
    return found;
}

#define GIVEN(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const nothing[] = {NULL};

static double cross_entropy_of(int i) {
    double sum = 0;
    for (int c = 0; c < K; c++) sum += exp((double)logit(i * K + c));
    return log(sum) - (double)logit(i * K + label(i, K));
}

/* Mean of the samples' cross-entropies by the weights of their classes. */
static double weighted(const double *weights) {
    double loss = 0, weight = 0;
    for (int i = 0; i < N; i++) {
        double w = weights[label(i, K)];
        loss += w * cross_entropy_of(i);
        weight += w;
    }
    return loss / weight;
}

static void assert_near(double found, double expected) {
    if (!(fabs(found - expected) < 1e-6)) fail_msg("found %.9g, expected %.9g", found, expected);
}

static void test_class_weights(void **state) {
    const float balance[K] = {0.5f, 2, 4};
    const spur__loss_context plain = {.classes = K},
                             both = {.class_weights = balance, .classes = K};
    const char *const *own = GIVEN("weight", "3, 1, 0.5");
    (void)state;
    assert_near(built(&spur__loss_cross_entropy, K, &plain, nothing),
                weighted((double[]){1, 1, 1}));
    assert_near(built(&spur__loss_cross_entropy, K, &plain, own), weighted((double[]){3, 1, 0.5}));
    assert_near(built(&spur__loss_cross_entropy, K, &both, nothing),
                weighted((double[]){0.5, 2, 4}));
    assert_near(built(&spur__loss_cross_entropy, K, &both, own), weighted((double[]){1.5, 2, 2}));
}

/* The mean of the samples' losses: a positive one is softplus(-x), a negative one softplus(x). */
static double binary(double pos_weight) {
    double loss = 0;
    for (int i = 0; i < N; i++) {
        double x = (double)logit(i);
        loss += label(i, 2) ? pos_weight * log1p(exp(-x)) : log1p(exp(x));
    }
    return loss / N;
}

static void test_pos_weight(void **state) {
    const float balance[2] = {0.5f, 2};
    const spur__loss_context plain = {.classes = 2},
                             both = {.class_weights = balance, .classes = 2};
    const char *const *own = GIVEN("pos_weight", "3");
    (void)state;
    assert_near(built(&spur__loss_bce, 1, &plain, nothing), binary(1));
    assert_near(built(&spur__loss_bce, 1, &plain, own), binary(3));
    assert_near(built(&spur__loss_bce, 1, &both, nothing), binary(4)); /* 2 / 0.5 */
    assert_near(built(&spur__loss_bce, 1, &both, own), binary(12));
}

static void test_sums(void **state) {
    const spur__loss_context three = {.classes = K}, two = {.classes = 2};
    const char *const *half = GIVEN("dice_weight", "0.5");
    (void)state;
    double ce = built(&spur__loss_cross_entropy, K, &three, nothing);
    double dice = built(&spur__loss_dice, K, &three, nothing);
    assert_true(ce > 0.1 && dice > 0.1);
    assert_near(built(&spur__loss_ce_dice, K, &three, nothing), ce + dice);
    assert_near(built(&spur__loss_ce_dice, K, &three, half), ce + 0.5 * dice);
    double bce = built(&spur__loss_bce, 1, &two, nothing);
    dice = built(&spur__loss_dice, 1, &two, nothing);
    assert_near(built(&spur__loss_bce_dice, 1, &two, half), bce + 0.5 * dice);
}

/* Zero is a value of its own, not the default of the calls below the rows. */
static void test_zeros(void **state) {
    const spur__loss_context three = {.classes = K};
    (void)state;
    assert_near(built(&spur__loss_focal, K, &three, GIVEN("gamma", "0")),
                built(&spur__loss_cross_entropy, K, &three, nothing));
    double smooth = built(&spur__loss_dice, K, &three, nothing);
    double sharp = built(&spur__loss_dice, K, &three, GIVEN("smooth", "0"));
    assert_true(sharp > smooth + 0.01); /* smoothing adds to the overlap */
}

/* alpha none weighs nothing; alpha 1/4 weighs positive samples by it and the others by 3/4. */
static void test_alpha(void **state) {
    const spur__loss_context two = {.classes = 2};
    double expected = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        double x = (double)logit(i);
        expected += label(i, 2) ? 0.25 * log1p(exp(-x)) : 0.75 * log1p(exp(x));
    }
    assert_near(built(&spur__loss_focal, 1, &two, GIVEN("gamma", "0")), binary(1));
    assert_near(built(&spur__loss_focal, 1, &two, GIVEN("gamma", "0", "alpha", "0.25")),
                expected / N);
    /* 0 would be the default of the call, none. */
    assert_int_equal(
        spur__option_check(spur__options_find(spur__loss_focal.kind.options, "alpha"), "0", NULL),
        SPUR_E_RANGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_weights), cmocka_unit_test(test_pos_weight),
        cmocka_unit_test(test_sums),          cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_alpha),
    };
    return cmocka_run_group_tests_name("loss options", tests, NULL, NULL);
}
