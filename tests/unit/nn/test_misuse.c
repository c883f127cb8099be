/* SPDX-License-Identifier: MIT
 *
 * What callers get wrong: it is refused with a reason, or does nothing; nothing trains on garbage.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/models.h>
#include <spur/optim.h>
#include <spur/weights.h>

static spur_node *input(spur_net *net, const char *name, int channels) {
    return spur_input(net, name, SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, channels});
}

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters) {
    return spur_conv2d(net, x, name, filters, &(spur_conv2d_options){.kernel = {1}});
}

static void run(spur_net *net, spur_node *x) {
    spur_error err = {0};
    for (int i = 0; i < 2 * 4 * 4 * 2; i++) spur_node_data(x)[i] = (float)(i % 7) / 7;
    assert_int_equal(spur_net_forward(net, SPUR_TRAIN, &err), SPUR_OK);
    assert_int_equal(spur_net_backward(net, 1, &err), SPUR_OK);
}

static double largest(const spur_param *p) {
    double most = 0;
    for (size_t i = 0; i < p->count; i++) most = fmax(most, fabs((double)p->gradient[i]));
    return most;
}

/* A computed target is a constant: its layers get no gradient by it, but do by other ways. */
static void test_computed_targets(void **state) {
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        spur_net *net = spur_net_create(&(spur_net_options){.threads = 1, .seed = 1});
        spur_node *x = input(net, "x", 2), *t = conv(net, x, "target", 2);
        spur_node *h = conv(net, shared ? t : x, "out", 2);
        spur_keep(net, t);
        for (int i = 0; i < 4; i++) h = spur_upsample2d(net, h, 4 + i % 2, 4, SPUR_BILINEAR);
        h = spur_upsample2d(net, h, 4, 4, SPUR_BILINEAR);
        assert_int_equal(spur_net_build(net, spur_mse(net, h, t, SPUR_MEAN), NULL), SPUR_OK);
        run(net, x);
        assert_true(largest(spur_net_find_param(net, "out.weight")) > 0);
        assert_true((largest(spur_net_find_param(net, "target.weight")) > 0) == shared);
        assert_true((spur_node_gradient(t) != NULL) == shared);
        spur_net_destroy(net);
    }
}

static spur_net *small_net(spur_node **loss) {
    spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
    spur_node *x = input(net, "x", 2);
    spur_node *y = spur_batch_norm(net, conv(net, x, "c", 2), "bn", NULL);
    *loss = spur_mse(net, y, input(net, "t", 2), SPUR_MEAN);
    return net;
}

static void test_optimizer_without_a_built_net(void **state) {
    spur_error err = {0};
    spur_node *loss;
    spur_net *net = small_net(&loss);
    (void)state;
    assert_null(spur_optimizer_create(net, "sgd", "lr=0.1", &err));
    assert_int_equal(err.status, SPUR_E_STATE);
    assert_non_null(strstr(err.message, "is the net built"));
    assert_null(spur_optimizer_create(NULL, "sgd", NULL, &err));
    assert_int_equal(err.status, SPUR_E_ARGUMENT);
    assert_null(spur_optimizer_create(net, NULL, NULL, &err));
    assert_int_equal(err.status, SPUR_E_ARGUMENT);
    spur_net_destroy(net);
}

/* Running statistics are no parameters to train, whatever the caller sets. */
static void test_buffers_do_not_train(void **state) {
    spur_node *loss;
    spur_net *net = small_net(&loss);
    (void)state;
    for (int i = 0; i < spur_net_param_count(net); i++) spur_net_param(net, i)->trainable = true;
    assert_int_equal(spur_net_build(net, loss, NULL), SPUR_OK);
    assert_null(spur_net_find_param(net, "bn.running_var")->gradient);
    assert_non_null(spur_net_find_param(net, "bn.weight")->gradient);
    spur_net_destroy(net);
}

static void test_groups_that_are_not_there(void **state) {
    spur_error err = {0};
    spur_node *loss;
    spur_net *net = small_net(&loss);
    (void)state;
    assert_int_equal(spur_net_build(net, loss, NULL), SPUR_OK);
    spur_optimizer *sgd = spur_optimizer_create(net, "sgd", NULL, &err);
    assert_non_null(sgd);
    assert_true(isnan(spur_optimizer_lr(sgd, 1)) && isnan(spur_optimizer_base_lr(sgd, -1)));
    spur_optimizer_set_lr(sgd, 5, 1);
    assert_int_equal(spur_optimizer_set_momentum(sgd, 5, 0, &err), SPUR_E_RANGE);
    assert_string_equal(err.message, "optimizer sgd: found group 5, expected 0 to 0");
    assert_int_equal(spur_optimizer_set_momentum(NULL, 0, 0, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_scheduler_apply(NULL, sgd, 0, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_optimizer_add_group(sgd, NULL, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_optimizer_step(NULL, &err), SPUR_E_ARGUMENT);
    assert_null(spur_optimizer_create(net, "sgd", "nesterov=true", &err));
    assert_non_null(strstr(err.message, "momentum above 0"));
    spur_optimizer_destroy(sgd);
    assert_null(spur_ema_create(NULL, 0.9, &err));
    assert_int_equal(err.status, SPUR_E_ARGUMENT);
    spur_ema_update(NULL);
    spur_ema_swap(NULL);
    assert_true(spur_net_loss(NULL) == 0);
    assert_int_equal(spur_weights_save(net, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_weights_load(net, NULL, NULL, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_save(NULL, "x", 1, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_load(NULL, "x", NULL, &err), SPUR_E_ARGUMENT);
    spur_state *kept = spur_state_create();
    assert_int_equal(spur_state_set(kept, "key", NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_state_set(kept, NULL, "value", &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_state_set(NULL, "key", "value", &err), SPUR_E_ARGUMENT);
    assert_null(spur_state_get(kept, "key"));
    assert_null(spur_state_get(NULL, "key"));
    assert_int_equal(spur_checkpoint_link(NULL, "last", 1, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_link(".", NULL, 1, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_prune(NULL, 1, &err), SPUR_E_ARGUMENT);
    spur_state_destroy(kept);
    spur_net_destroy(net);
}

/* Values before they exist: nothing happens. */
static void test_values_before_the_build(void **state) {
    float values[4] = {1, 2, 3, 4};
    spur_node *loss;
    spur_net *net = small_net(&loss);
    (void)state;
    spur_param_import(spur_net_find_param(net, "c.weight"), values);
    spur_param_export(spur_net_find_param(net, "c.weight"), values);
    assert_true(values[3] == 4);
    spur_net_destroy(net);
}

static void test_a_node_of_another_net(void **state) {
    spur_error err = {0};
    spur_node *loss, *other;
    spur_net *net = small_net(&loss), *second = small_net(&other);
    (void)state;
    spur_keep(net, other);
    assert_int_equal(spur_net_build(net, loss, &err), SPUR_E_ARGUMENT);
    spur_net_destroy(net);
    spur_net_destroy(second);
}

/* Options of losses out of range stop the build and say which. */
static void test_options_of_losses(void **state) {
    static const float bad[] = {1, -1};
    (void)state;
    for (int i = 0; i < 9; i++) {
        spur_error err = {0};
        spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
        spur_node *x = conv(net, input(net, "x", 2), "c", 2), *t = input(net, "t", 2);
        spur_node *labels = spur_input(net, "l", SPUR_INT32, 3, (int64_t[]){2, 4, 4});
        spur_node *loss =
            i == 0   ? spur_cross_entropy(net, x, labels,
                                          &(spur_cross_entropy_options){.label_smoothing = 1.5})
            : i == 1 ? spur_cross_entropy(net, x, labels,
                                          &(spur_cross_entropy_options){.class_weights = bad})
            : i == 2 ? spur_bce(net, x, t, &(spur_bce_options){.label_smoothing = NAN})
            : i == 3 ? spur_bce(net, x, t, &(spur_bce_options){.pos_weight = bad})
            : i == 4 ? spur_focal(net, x, labels, &(spur_focal_options){.alpha = 7})
            : i == 5 ? spur_focal(net, x, labels, &(spur_focal_options){.gamma = NAN})
            : i == 6 ? spur_dice(net, x, t, &(spur_dice_options){.smooth = NAN})
            : i == 7 ? spur_huber(net, x, t, -3, SPUR_MEAN)
                     : spur_huber(net, x, t, NAN, SPUR_MEAN);
        assert_int_equal(spur_net_build(net, loss, &err), SPUR_E_RANGE);
        assert_non_null(strstr(err.message, "expected"));
        spur_net_destroy(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_computed_targets),
        cmocka_unit_test(test_optimizer_without_a_built_net),
        cmocka_unit_test(test_buffers_do_not_train),
        cmocka_unit_test(test_groups_that_are_not_there),
        cmocka_unit_test(test_values_before_the_build),
        cmocka_unit_test(test_a_node_of_another_net),
        cmocka_unit_test(test_options_of_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
